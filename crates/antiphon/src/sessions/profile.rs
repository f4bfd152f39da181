//! What agents change about themselves.

use antiphon_store::{Actor, ActorKind, DirectoryChange};
use antiphon_wire::session::ProfilePatch;

use super::begin::{begun, with_cookies};
use super::{show, totp, who};
use crate::actors::update::{Edit, edited};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::oauth::login::{check, chosen, with_password};
use crate::refusal::Refusal;

/// `PATCH /session/agent`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let signed_in = call.caller.signed_in()?;
    let sent: ProfilePatch = call.json()?;
    let mut checks = Checks::default();
    let edit = Edit {
        name: checks.name("name", sent.name),
        avatar: checks.edited_url("avatar", sent.avatar),
        ..Edit::default()
    };
    let password =
        sent.password.map(|change| (change.old.unwrap_or_default(), change.new.unwrap_or_default()));
    if let Some((_, new)) = &password {
        check(&mut checks, "password", new);
    }
    checks.done()?;
    let agent = call.caller.directory.actor(ActorKind::Agent, signed_in.agent).cloned();
    let agent: Actor = agent.ok_or(Refusal::SignedOut)?;
    let mut kept = None;
    if let Some((old, new)) = password {
        totp::again(&call, &agent, &old).await?;
        kept = Some(chosen(&call.app, new).await?);
    }
    let (id, chosen) = (agent.id, kept.clone());
    directory::change(&call, move |state, moment| {
        let mut changes =
            vec![DirectoryChange::Actor(edited(&state.directory, (ActorKind::Agent, id), &edit)?)];
        changes.extend(chosen.as_ref().map(|password| {
            DirectoryChange::Login(with_password(&state.directory, id, password, None, moment.now))
        }));
        Ok(changes)
    })
    .await?;
    let directory = directory::now(&call).await?;
    let agent = directory.actor(ActorKind::Agent, id).ok_or(Refusal::SignedOut)?;
    let login = directory.login(id).ok_or(Refusal::SignedOut)?;
    if kept.is_some() {
        // Every session has ended with the old password; this browser goes on with a new one.
        let (session, cookie) = begun(&call, &directory, login, "session.begin").await?;
        let shown = show::shown(&call, &directory, agent, login, &session)?;
        return Ok(with_cookies(Answer::json(200, &shown)?, &[cookie]));
    }
    let portal = call.caller.portal();
    let session = call.app.store.session_by_id(portal, signed_in.session).await?.ok_or(Refusal::SignedOut)?;
    who(&session, &directory, call.app.store.now()).ok_or(Refusal::SignedOut)?;
    Answer::json(200, &show::shown(&call, &directory, agent, login, &session)?)
}
