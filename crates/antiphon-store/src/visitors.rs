//! Visitors, the contacts they become, and tickets.

use crate::{Identifier, Millis, TicketId, VisitorId};

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

/// How an email address is compared.
pub(crate) fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// How an address on a channel is compared: only email ignores case.
pub(crate) fn identity_key(identifier: &Identifier) -> String {
    if identifier.kind == "HS_EMAIL_ADDRESS" {
        email_key(&identifier.value)
    } else {
        identifier.value.clone()
    }
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
