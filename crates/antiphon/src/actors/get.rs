//! One actor.

use antiphon_wire::actor::{ActorId, ActorIdError};

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /actors/{actorId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = match ActorId::parse(sent) {
        Ok(id) => id,
        Err(ActorIdError::UnknownPrefix) => {
            let message =
                format!("`{sent}` is not an actor ID; it begins with one of A-, B-, E-, I-, L-, S-, V-");
            return Err(Refusal::invalid("actorId", message));
        }
        Err(ActorIdError::Malformed) => return Err(Refusal::not_found(sent)),
    };
    let caller = &call.caller;
    let mut found = super::resolve(&call.app.store, caller.portal(), &caller.directory, &[id]).await?;
    Answer::json(200, &found.pop().flatten().ok_or_else(|| Refusal::not_found(sent))?)
}
