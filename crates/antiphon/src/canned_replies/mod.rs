//! Ready-made words: what agents say often. Some are everybody's, others an agent's own; placeholders in them are filled in by
//! whoever shows them.

pub mod change;
pub mod list;
pub mod rules;

use antiphon_store::CannedReply;
use antiphon_wire::answering as wire;
use antiphon_wire::id::Id;
use antiphon_wire::timestamp::Timestamp;

use crate::actors::acting::actor;

/// Ready-made words as the API prints them.
fn shown(reply: &CannedReply) -> wire::CannedReply {
    wire::CannedReply {
        id: Id(reply.id),
        name: reply.name.clone(),
        shortcut: reply.shortcut.clone(),
        text: reply.text.clone(),
        rich_text: reply.rich_text.clone(),
        shared: reply.shared,
        owner_actor_id: reply.owner_id.map(actor),
        created_at: Timestamp(reply.created_at),
        updated_at: Timestamp(reply.updated_at),
    }
}
