//! `/antiphon/v1`: what agents do at the screen.

use antiphon_wire::answering;

use crate::operation::{Operation, Payload, Scope, Verb, shape};
use crate::{door, threads};

pub const TABLE: &[Operation] =
    &[Operation::own(Verb::Put, "/threads/{threadId}/read", "threads.read", door!(threads::read::up_to))
        .scope(Scope::Write)
        .says("Say how far an agent has read a thread; what was read further stays read")
        .takes(shape::<answering::ReadUpTo>)
        .gives(204, Payload::Nothing)];
