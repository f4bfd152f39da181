//! Contacts: people outside that can be found again by an address. Visitors become contacts and keep their number.

pub mod create;
pub mod erase;
pub mod export;
mod forget;
pub mod get;
pub mod list;
pub mod update;

use antiphon_store::{PortalId, Store, Visitor, VisitorId};
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

/// Somebody by their number, unless they were erased.
pub(crate) async fn known(
    store: &Store,
    portal: PortalId,
    id: VisitorId,
) -> Result<Option<Visitor>, Refusal> {
    let found = store.visitors_by_ids(portal, &[id]).await?.pop();
    // Who was erased is a visitor of whom nothing is known.
    let nobody = |one: &Visitor| !one.contact && one.name.is_none() && one.avatar.is_none();
    match found {
        Some(one) if nobody(&one) && store.erasure(portal, id).await?.is_some() => Ok(None),
        found => Ok(found),
    }
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
