//! Signing out: here, or everywhere else.

use antiphon_store::SessionId;

use super::begin::with_cookies;
use super::{cookie, list};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `DELETE /session`
pub async fn end(call: Call) -> Result<Answer, Refusal> {
    let signed_in = call.caller.signed_in()?;
    call.app.store.session_end(call.caller.portal(), signed_in.agent, signed_in.session).await?;
    call.app.realtime.look(call.caller.portal());
    Ok(with_cookies(Answer::none(), &[cookie::cleared(&call.origin)]))
}

/// Ends the session of a browser, if it has one.
///
/// # Errors
/// When the store does not answer.
pub async fn ended(call: &Call) -> Result<(), Refusal> {
    let store = &call.app.store;
    if let Some(sent) = cookie::sent(&call.heads.cookie)
        && let Some((session, _)) = super::found(store, &sent).await?
    {
        store.session_end(sent.portal, session.agent_id, session.id).await?;
        call.app.realtime.look(sent.portal);
    }
    Ok(())
}

/// `DELETE /session/others`
pub async fn others(call: Call) -> Result<Answer, Refusal> {
    let signed_in = call.caller.signed_in()?;
    let portal = call.caller.portal();
    call.app.store.sessions_end_others(portal, signed_in.agent, signed_in.session).await?;
    call.app.realtime.look(portal);
    Ok(Answer::none())
}

/// `DELETE /session/list/{sessionId}`: one of the agent's own.
pub async fn one(call: Call) -> Result<Answer, Refusal> {
    let signed_in = call.caller.signed_in()?;
    let sent = call.segment(0);
    let id: SessionId = list::read(sent).ok_or_else(|| Refusal::not_found(sent))?;
    if !call.app.store.session_end(call.caller.portal(), signed_in.agent, id).await? {
        return Err(Refusal::not_found(sent));
    }
    call.app.realtime.look(call.caller.portal());
    Ok(Answer::none())
}
