//! Changing, archiving and restoring a channel account.

use antiphon_store::{Account, AccountId, Adapter, Directory, DirectoryChange, Identifier, InboxId, Millis};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::own::{Adapter as Carrier, ChannelAccountPatch};

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of an account. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub inbox_id: Option<InboxId>,
    pub identifier: Option<Identifier>,
    pub active: Option<bool>,
    pub authorized: Option<bool>,
    pub adapter: Option<Adapter>,
    pub welcome: Option<Option<String>>,
    pub archived: Option<bool>,
}

/// `PATCH /channel-accounts/{channelAccountId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::account_id(&call)?;
    let edit = read(call.json()?)?;
    change(&call, id, edit).await?;
    let directory = directory::now(&call).await?;
    let account = directory.account(id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::settings(&directory, account))
}

/// `DELETE /channel-accounts/{channelAccountId}`
pub async fn archive(call: Call) -> Result<Answer, Refusal> {
    let id = super::account_id(&call)?;
    change(&call, id, Edit { archived: Some(true), ..Edit::default() }).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, id: AccountId, edit: Edit) -> Result<(), Refusal> {
    directory::change(call, move |state, moment| {
        Ok(vec![DirectoryChange::Account(edited(&state.directory, id, &edit, moment.now)?)])
    })
    .await?;
    Ok(())
}

fn read(body: ChannelAccountPatch) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let edit = Edit {
        name: checks.name("name", body.name),
        inbox_id: checks.id("inboxId", body.inbox_id, MAX_INT32).map(InboxId),
        identifier: body
            .delivery_identifier
            .and_then(|sent| super::create::read_identifier(&mut checks, &sent)),
        active: body.active,
        authorized: body.authorized,
        adapter: body
            .adapter
            .and_then(|name| checks.take(Carrier::read("adapter", &name)))
            .map(super::adapter),
        welcome: body.welcome_message.map(|text| Some(text).filter(|text| !text.trim().is_empty())),
        archived: body.archived,
    };
    checks.done()?;
    Ok(edit)
}

/// The rule. An account in the archive fits or not when it is restored, not before.
pub fn edited(directory: &Directory, id: AccountId, edit: &Edit, now: Millis) -> Result<Account, Refusal> {
    let mut account = directory.account(id).ok_or_else(|| Refusal::not_found(id))?.clone();
    account.name = edit.name.clone().unwrap_or(account.name);
    account.inbox_id = edit.inbox_id.unwrap_or(account.inbox_id);
    account.identifier = edit.identifier.clone().or(account.identifier);
    account.active = edit.active.unwrap_or(account.active);
    account.authorized = edit.authorized.unwrap_or(account.authorized);
    account.adapter = edit.adapter.unwrap_or(account.adapter);
    account.welcome = edit.welcome.clone().unwrap_or(account.welcome);
    match edit.archived {
        Some(true) => account.archived_at = account.archived_at.or(Some(now)),
        Some(false) => account.archived_at = None,
        None => {}
    }
    let problems = super::create::misfits(directory, &account);
    if problems.is_empty() || account.archived_at.is_some() {
        Ok(account)
    } else {
        Err(Refusal::Invalid(problems))
    }
}
