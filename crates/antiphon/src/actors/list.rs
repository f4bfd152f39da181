//! The agents, bots or AI agents of the portal by number, deactivated ones included.

use antiphon_store::ActorKind;
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
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
    let asked = listing::asked(&call.query, List::Actors)?;
    let directory = &call.caller.directory;
    let actors = directory.actors(kind, asked.after);
    let shown = actors.map(|actor| (actor.id, super::settings_for(call, directory, actor)));
    listing::by_id(call, List::Actors, asked, shown)
}
