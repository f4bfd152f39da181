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

/// How a phone number is compared: without what makes it readable, and with a plus for the country.
pub fn phone_key(phone: &str) -> String {
    let plain = |c: &char| !c.is_whitespace() && !"-.()".contains(*c);
    let digits: String = phone.chars().filter(plain).collect();
    digits.strip_prefix("00").map(|rest| format!("+{rest}")).unwrap_or(digits)
}

/// How an address on a channel is compared: email without regard to case, phone numbers however they are written.
pub(crate) fn identity_key(identifier: &Identifier) -> String {
    match identifier.kind.as_str() {
        "HS_EMAIL_ADDRESS" => email_key(identifier.value.trim()),
        "HS_PHONE_NUMBER" => phone_key(&identifier.value),
        _ => identifier.value.clone(),
    }
}

impl Identifier {
    /// The same for every way of writing this address, and for no other.
    pub fn key(&self) -> String {
        format!("{} {}", self.kind, identity_key(self))
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
