//! Where an agent is signed in.

use antiphon_store::SessionId;
use antiphon_wire::session as wire;
use antiphon_wire::timestamp::Timestamp;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /session/list`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let signed_in = call.caller.signed_in()?;
    let (portal, now) = (call.caller.portal(), call.app.store.now());
    let all = call.app.store.sessions_of(portal, signed_in.agent).await?;
    let alive = all.into_iter().filter(|one| super::who(one, &call.caller.directory, now).is_some());
    let results = alive.map(|one| wire::OpenSession {
        id: Uuid::from_bytes(one.id.0).to_string(),
        current: one.id == signed_in.session,
        browser: Some(one.browser).filter(|text| !text.is_empty()),
        address: Some(one.address).filter(|text| !text.is_empty()),
        created_at: Timestamp(one.created_at),
        used_at: Timestamp(one.turned_at),
        expires_at: Timestamp(one.ends_at),
    });
    Answer::json(200, &wire::Sessions { results: results.collect() })
}

/// The session of an id as it is shown.
pub fn read(sent: &str) -> Option<SessionId> {
    let id = Uuid::try_parse(sent).ok().filter(|_| sent.len() == 36)?;
    Some(SessionId(id.into_bytes()))
}
