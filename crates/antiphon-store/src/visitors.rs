//! Visitors, the contacts they become, and tickets.

use crate::{Millis, TicketId, VisitorId};

/// A person outside. A visitor that is identified becomes a contact and keeps its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    pub id: VisitorId,
    /// Whether it has become a contact.
    pub contact: bool,
    pub name: Option<String>,
    /// Unique among a portal's contacts, compared without regard to case.
    pub email: Option<String>,
    /// Unique among a portal's contacts.
    pub phone: Option<String>,
    pub avatar: Option<String>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Which visitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorQuery {
    /// Only contacts.
    pub contacts: bool,
    pub email: Option<String>,
    pub after: Option<VisitorId>,
    pub limit: usize,
}

/// A ticket that threads can be linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub id: TicketId,
    pub subject: String,
    pub created_at: Millis,
}
