//! Who is signed in, for the page that asks.

use antiphon_store::{Actor, Directory, Login, Session};
use antiphon_wire::id::Id;
use antiphon_wire::session as wire;
use antiphon_wire::timestamp::Timestamp;

use super::{csrf, role};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /session`
pub async fn show(call: Call) -> Result<Answer, Refusal> {
    let signed_in = call.caller.signed_in()?;
    let portal = call.caller.portal();
    let session = call.app.store.session_by_id(portal, signed_in.session).await?;
    let session = session.ok_or(Refusal::SignedOut)?;
    let directory = call.caller.directory.clone();
    let (agent, login) = super::who(&session, &directory, call.app.store.now()).ok_or(Refusal::SignedOut)?;
    Answer::json(200, &shown(&call, &directory, agent, login, &session)?)
}

/// A session as its agent sees it.
///
/// # Errors
/// When the server has no key to sign with.
pub fn shown(
    call: &Call,
    directory: &Directory,
    agent: &Actor,
    login: &Login,
    session: &Session,
) -> Result<wire::Session, Refusal> {
    let portal = &directory.portal;
    Ok(wire::Session {
        agent: wire::Agent {
            id: Id(agent.id),
            actor_id: format!("A-{}", agent.id),
            name: agent.name.clone(),
            email: agent.email.clone(),
            avatar: agent.avatar.clone(),
            role: role::name(login.role),
            password: !login.password.is_empty(),
            totp: login.totp.is_some(),
            recovery_codes: login.recovery.len(),
        },
        portal: wire::Portal {
            id: Id(portal.id.0),
            name: portal.name.clone(),
            time_zone: portal.profile.time_zone.clone(),
        },
        csrf: csrf::value(&call.app.keys, portal.id, session.id)?,
        expires_at: Timestamp(session.ends_at),
    })
}
