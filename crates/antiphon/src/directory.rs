//! Changing a portal's directory: inboxes, accounts, actors, apps, tokens and the portal itself. Each verb's own file says
//! what becomes of its object; here is what they share.

use std::sync::Arc;

use antiphon_store::{
    App, Changes, Directory, DirectoryChange, Moment, PortalId, State, Store, StoreError, Target,
};

use crate::audit::Doer;
use crate::call::Call;
use crate::custom_channels::closing;
use crate::events::kinds;
use crate::refusal::Refusal;
use crate::sessions::last;

/// Runs a rule on the caller's portal and answers what it made of the directory, once that is durable.
///
/// # Errors
/// What the rule refuses, and what the store cannot do.
pub async fn change<F>(call: &Call, mut rule: F) -> Result<Vec<DirectoryChange>, Refusal>
where
    F: FnMut(&State, &mut Moment) -> Result<Vec<DirectoryChange>, Refusal> + Send + 'static,
{
    let by_operator = call.caller.operator;
    let rule = move |state: &State, moment: &mut Moment| {
        let changes = rule(state, moment)?;
        if !by_operator {
            last::stays(&state.directory, &changes)?;
        }
        Ok(changes)
    };
    change_of(&call.app.store, call.caller.portal(), Some(Doer::of(call)), rule).await?
}

/// The same for any portal, noting who does it unless it is the server itself. The outer error is the store's, the inner one
/// the rule's.
///
/// # Errors
/// What the store cannot do.
pub async fn change_of<F>(
    store: &Store,
    portal: PortalId,
    by: Option<Doer>,
    mut rule: F,
) -> Result<Result<Vec<DirectoryChange>, Refusal>, StoreError>
where
    F: FnMut(&State, &mut Moment) -> Result<Vec<DirectoryChange>, Refusal> + Send + 'static,
{
    let recording = move |state: &State, moment: &mut Moment| {
        let mut changes = recorded(&state.directory, rule(state, moment)?, moment);
        changes
            .audit
            .extend(by.as_ref().and_then(|by| by.noted(&state.directory, &changes.directory, moment)));
        Ok(changes)
    };
    let applied = store.change(portal, Target::Directory, recording).await?;
    Ok(applied.map(|applied| applied.changes.directory))
}

/// The directory as it is by now; the one in the call is as old as the call.
///
/// # Errors
/// What the store cannot do.
pub async fn now(call: &Call) -> Result<Arc<Directory>, Refusal> {
    let portal = call.caller.portal();
    call.app.store.directory(portal).await?.ok_or_else(|| Refusal::not_found(portal))
}

/// Those changes that change anything, with the event that tells of them.
pub fn recorded(current: &Directory, mut wanted: Vec<DirectoryChange>, moment: &Moment) -> Changes {
    wanted.retain(|change| !is_so(current, change));
    wanted.extend(closing::noted(current, &wanted, moment.now));
    let acts = |id| current.own_app(id).is_some_and(|app: &App| app.active);
    let apps = wanted.iter().filter_map(|change| match change {
        DirectoryChange::App(app) if app.active != acts(app.id) => Some((app.id, app.active)),
        DirectoryChange::Install(one) if one.uninstalled_at.is_none() != current.is_installed(one.app_id) => {
            Some((one.app_id, one.uninstalled_at.is_none()))
        }
        _ => None,
    });
    let apps: Vec<_> = apps.collect();
    let mut events =
        if wanted.is_empty() { Vec::new() } else { vec![kinds::apps_changed(moment.now, &apps)] };
    // Whoever changes an account, and however: the app whose channel it is learns of it.
    events.extend(wanted.iter().filter_map(|change| match change {
        DirectoryChange::Account(account) => {
            kinds::account_changed(current, current.account(account.id), account, moment.now)
        }
        DirectoryChange::AccountPurged(id, _) => {
            current.account(*id).and_then(|known| kinds::account_purged(current, known, moment.now))
        }
        _ => None,
    }));
    Changes { directory: wanted, events, ..Changes::default() }
}

/// Whether the directory already says what a change wants it to say.
fn is_so(current: &Directory, change: &DirectoryChange) -> bool {
    match change {
        DirectoryChange::Portal(portal) => current.portal == *portal,
        DirectoryChange::Inbox(inbox) => current.inbox(inbox.id) == Some(inbox),
        DirectoryChange::Account(account) => current.account(account.id) == Some(account),
        DirectoryChange::AccountPurged(id, _) => current.account(*id).is_none(),
        DirectoryChange::Actor(actor) => current.actor(actor.kind, actor.id) == Some(actor),
        DirectoryChange::App(app) => current.app(app.id) == Some(app),
        DirectoryChange::Token(token) => {
            current.tokens().get(&token.hash).is_some_and(|known| **known == *token)
        }
        DirectoryChange::Webhook(webhook) => current.webhook(webhook.app_id) == Some(webhook),
        DirectoryChange::Subscription(one) => current.subscription(one.app_id, one.id) == Some(one),
        DirectoryChange::JournalSubscription(one) => {
            current.journal_subscriptions(one.app_id).any(|known| **known == *one)
        }
        DirectoryChange::Channel(channel) => current.channel(channel.id) == Some(channel),
        DirectoryChange::Login(login) => current.login(login.agent_id) == Some(login),
        DirectoryChange::Client(client) => current.client(client.app_id) == Some(client),
        DirectoryChange::Grant(grant) => {
            current.grants().get(&grant.id).is_some_and(|known| **known == *grant)
        }
        DirectoryChange::Install(one) => current.install(one.app_id) == Some(one),
        DirectoryChange::Tag(tag) => current.tags().get(&tag.id).is_some_and(|known| **known == *tag),
        DirectoryChange::View(view) => current.views().get(&view.id).is_some_and(|known| **known == *view),
        DirectoryChange::StagingToken(token) => {
            current.staging_tokens().get(&token.hash).is_some_and(|known| **known == *token)
        }
    }
}

/// Picks the one object a verb is about out of what was changed.
#[macro_export]
macro_rules! changed {
    ($changes:expr, $kind:ident) => {
        $changes
            .into_iter()
            .find_map(|change| match change {
                antiphon_store::DirectoryChange::$kind(object) => Some(object),
                _ => None,
            })
            .ok_or_else(|| {
                $crate::refusal::Refusal::Internal(concat!("no ", stringify!($kind), " came of it").into())
            })
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn what_is_so_already_is_no_change_and_no_event() {
        let directory = testing::state().directory;
        let inbox = directory.inbox(antiphon_store::InboxId(640)).unwrap().clone();
        let moment = Moment::still(NOW);
        assert!(recorded(&directory, vec![DirectoryChange::Inbox(inbox.clone())], &moment).is_empty());
        let renamed = antiphon_store::Inbox { name: "Care".into(), ..inbox.clone() };
        let wanted = vec![DirectoryChange::Inbox(inbox), DirectoryChange::Inbox(renamed)];
        let changes = recorded(&directory, wanted, &moment);
        assert_eq!((changes.directory.len(), changes.events.len()), (1, 1));
    }
}
