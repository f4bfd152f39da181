//! Connecting an account from the settings: whoever sets up a portal is sent to the integration's page and comes back.

use antiphon_store::{
    Account, ActorKind, Directory, DirectoryChange, InboxId, Moment, PortalId, StagingToken, State,
};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{Id, MAX_INT32, MAX_SAFE, parse_path_id};
use antiphon_wire::own::{ChannelConnect, ChannelConnected, ChannelConnection};
use antiphon_wire::timestamp::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::staging;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::pages::{escaped, page, wrong};
use crate::refusal::Refusal;

/// `POST /channels/{channelId}/connect`
pub async fn begin(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_INT32).ok_or_else(|| Refusal::not_found(sent))?;
    let body: ChannelConnect = call.json()?;
    let mut checks = Checks::default();
    let inbox_id = InboxId(checks.required_id("inboxId", body.inbox_id, MAX_INT32));
    let user_id = checks.required_id("userId", body.user_id, MAX_SAFE);
    checks.done()?;
    let page = integration(&call.caller.directory, id, user_id)?;
    let token = staging::fresh();
    let made = token.clone();
    let changes = directory::change(&call, move |state, moment| {
        let channel = state.directory.channel(id).filter(|one| one.archived_at.is_none());
        let channel = channel.ok_or_else(|| Refusal::not_found(id))?;
        staging::make(&state.directory, channel, inbox_id, user_id, &made, moment)
    })
    .await?;
    let expires_at = changes.iter().find_map(|change| match change {
        DirectoryChange::StagingToken(StagingToken { deleted_at: None, expires_at, .. }) => Some(*expires_at),
        _ => None,
    });
    let portal = call.caller.portal();
    let back = format!("{}/antiphon/v1/portals/{portal}/channel-connections/{token}", call.origin);
    let told = [
        ("accountToken", token.clone()),
        ("channelId", id.to_string()),
        ("inboxId", inbox_id.to_string()),
        ("portalId", portal.to_string()),
        ("redirectUrl", back),
    ];
    let begun = ChannelConnection {
        account_token: token,
        location: with_query(&page, &told),
        expires_at: Timestamp(expires_at.unwrap_or_default()),
    };
    Answer::json(201, &begun)
}

/// The integration's page.
fn integration(directory: &Directory, id: i64, user: i64) -> Result<String, Refusal> {
    let channel = directory.channel(id).filter(|one| one.archived_at.is_none());
    let channel = channel.ok_or_else(|| Refusal::not_found(id))?;
    let mut problems = Vec::new();
    if !directory.actor(ActorKind::Agent, user).is_some_and(|agent| agent.active) {
        problems.push(Problem::new(
            "userId",
            format!("Agent {user} does not exist in this account or is deactivated"),
        ));
    }
    let page = channel.redirect_url.clone();
    if page.is_none() {
        let why = "This channel has no channelAccountConnectionRedirectUrl, so accounts are connected by its app alone";
        problems.push(Problem::new("channelId", why));
    }
    match page {
        Some(page) if problems.is_empty() => Ok(page),
        _ => Err(Refusal::Invalid(problems)),
    }
}

/// A URL with more parameters behind those that it has.
fn with_query(page: &str, told: &[(&str, String)]) -> String {
    let (address, fragment) = match page.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (page, String::new()),
    };
    let told: Vec<_> = told
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{}{fragment}", told.join("&"))
}

/// `GET /portals/{portalId}/channel-connections/{accountToken}`: where the browser comes back to. A token of which only a
/// name is known becomes an account now. People see a page.
pub async fn finish(call: Call) -> Result<Answer, Refusal> {
    let outcome = connected(&call).await;
    if call.heads.json {
        let account = outcome?.map(|account| Id(account.id.0));
        let told = ChannelConnected { connected: account.is_some(), channel_account_id: account };
        return Answer::json(200, &told);
    }
    match outcome {
        Ok(Some(account)) => {
            let said = format!(
                "<p role=\"status\">The account <strong>{}</strong> is connected. You can close this page.</p>",
                escaped(&account.name)
            );
            Ok(page(200, "The account is connected", &said, &[]))
        }
        Ok(None) => {
            let said = "<p role=\"status\">The integration has not said yet which account it is. Go back to its page, and \
                        finish there.</p>";
            Ok(page(200, "The account is not connected yet", said, &[]))
        }
        Err(Refusal::Forbidden) => Ok(wrong(
            403,
            "This address is not one that was given out, or it is no longer good. Begin again in the settings.",
        )),
        Err(Refusal::Invalid(problems)) => {
            let said: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
            Ok(wrong(400, &said.join(" ")))
        }
        Err(Refusal::Conflict(why)) => Ok(wrong(409, &why)),
        Err(Refusal::Busy | Refusal::Unavailable) => {
            Ok(wrong(503, "The server cannot do this now. Try again in a moment: load this page once more."))
        }
        Err(other) => Err(other),
    }
}

/// The account that has come of a token, if the integration has said enough.
async fn connected(call: &Call) -> Result<Option<Account>, Refusal> {
    let sent = call.segment(1).to_owned();
    let portal = parse_path_id(call.segment(0), MAX_INT32).map(PortalId);
    let portal = portal.ok_or(Refusal::Forbidden)?;
    let store = &call.app.store;
    let directory = store.directory(portal).await?.ok_or(Refusal::Forbidden)?;
    let token = staging::good(&directory, &sent, store.now()).ok_or(Refusal::Forbidden)?;
    if let Some(id) = token.account_id {
        return directory.account(id).cloned().map(Some).ok_or(Refusal::Forbidden);
    }
    if token.account_name.is_none() {
        return Ok(None);
    }
    let again = sent.clone();
    let rule = move |state: &State, moment: &mut Moment| {
        let token = staging::good(&state.directory, &sent, moment.now).ok_or(Refusal::Forbidden)?;
        let channel = state.directory.channel(token.channel_id).filter(|one| one.archived_at.is_none());
        let channel = channel.ok_or(Refusal::Forbidden)?;
        match token.account_id {
            Some(_) => Ok(Vec::new()),
            None => staging::connected(&state.directory, channel, token.clone(), moment),
        }
    };
    directory::change_of(store, portal, None, rule).await??;
    // Somebody else may have been quicker.
    let directory = store.directory(portal).await?.ok_or(Refusal::Forbidden)?;
    let token = staging::good(&directory, &again, store.now()).ok_or(Refusal::Forbidden)?;
    Ok(token.account_id.and_then(|id| directory.account(id)).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_is_asked_already_stays() {
        let told = [("a", "x y&z".to_owned()), ("b", "7".to_owned())];
        for (page, with) in [
            ("https://a.example/c", "https://a.example/c?a=x%20y%26z&b=7"),
            ("https://a.example/c?d=%2F", "https://a.example/c?d=%2F&a=x%20y%26z&b=7"),
            ("https://a.example/c?", "https://a.example/c?a=x%20y%26z&b=7"),
            ("https://a.example?d=1#top", "https://a.example?d=1&a=x%20y%26z&b=7#top"),
        ] {
            assert_eq!(with_query(page, &told), with);
        }
    }
}
