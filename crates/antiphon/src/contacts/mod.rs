//! Contacts: people outside that can be found again by an address. Visitors become contacts and keep their number.

pub mod create;
pub mod get;
pub mod list;
pub mod update;

use antiphon_store::{Visitor, VisitorId};
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

use crate::call::Call;
use crate::refusal::Refusal;

/// The id in the path; one that cannot be a contact's is the same as an unknown one.
fn contact_id(call: &Call) -> Result<VisitorId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_SAFE).map(VisitorId).ok_or_else(|| Refusal::not_found(sent))
}

pub(crate) fn shown(visitor: &Visitor) -> own::Contact {
    own::Contact {
        id: Id(visitor.id.0),
        actor_id: format!("V-{}", visitor.id),
        contact: visitor.contact,
        name: visitor.name.clone(),
        email: visitor.email.clone(),
        phone: visitor.phone.clone(),
        avatar: visitor.avatar.clone(),
        created_at: Timestamp(visitor.created_at),
        updated_at: Timestamp(visitor.updated_at),
    }
}

/// Somebody else has the address already.
fn taken() -> Refusal {
    Refusal::invalid("email", "Another contact has this email address or phone number already")
}
