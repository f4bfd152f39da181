//! Tickets that threads can be linked to.

pub mod create;
pub mod get;
pub mod list;

use antiphon_store::Ticket;
use antiphon_wire::id::Id;
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

fn shown(ticket: &Ticket) -> own::Ticket {
    own::Ticket {
        id: Id(ticket.id.0),
        subject: ticket.subject.clone(),
        created_at: Timestamp(ticket.created_at),
    }
}
