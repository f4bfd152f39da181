//! The agents, bots or AI agents of the portal, deactivated ones included. They are few, so the list has one page.

use antiphon_store::ActorKind;

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `GET /agents`
pub async fn agents(call: Call) -> Result<Answer, Refusal> {
    list(&call, ActorKind::Agent)
}

/// `GET /bots`
pub async fn bots(call: Call) -> Result<Answer, Refusal> {
    list(&call, ActorKind::Bot)
}

/// `GET /llms`
pub async fn llms(call: Call) -> Result<Answer, Refusal> {
    list(&call, ActorKind::Llm)
}

fn list(call: &Call, kind: ActorKind) -> Result<Answer, Refusal> {
    let actors = call.caller.directory.actors.values().filter(|actor| actor.kind == kind);
    directory::all(actors.map(super::settings))
}
