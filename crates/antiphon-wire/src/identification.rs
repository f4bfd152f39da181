//! Visitors whose email address somebody else vouches for.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;
use crate::lenient::{lenient, wire_enum};
use crate::timestamp::Timestamp;

lenient! {
    /// Whom a token is to identify.
    pub struct VisitorTokenCreate {
        /// The visitor's address, which the caller has verified.
        pub email: Option<String> = "email",
        /// For a contact without a name.
        pub first_name: Option<String> = "firstName",
        /// For a contact without a name.
        pub last_name: Option<String> = "lastName",
        /// What an AI agent is to know: at most 100 members of at most 8,000 characters.
        pub context: BTreeMap<String, Option<String>> = "hsCustomerAgentContext",
    }

    /// A token that is to be looked at.
    pub struct VisitorTokenVerify {
        /// The token.
        pub token: Option<String> = "token",
        /// The address that a page says it is for.
        pub email: Option<String> = "email",
    }
}

/// A token for a page to identify its visitor with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VisitorToken {
    /// Good for twelve hours; at most 512 characters.
    pub token: String,
}

wire_enum! {
    /// Why a token identifies nobody.
    pub enum VisitorTokenFlaw {
        /// This server has not made it, or what it needs to know it again is gone.
        Forged = "FORGED",
        /// It is for another account.
        Foreign = "FOREIGN",
        /// Its time is over.
        Expired = "EXPIRED",
        /// The app that it was made for may not act.
        Suspended = "SUSPENDED",
        /// It is for another address.
        OtherEmail = "OTHER_EMAIL",
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VisitorTokenSays {
    /// Whether it identifies a visitor.
    pub valid: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub flaw: Option<VisitorTokenFlaw>,
    /// Whom it identifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub visitor: Option<IdentifiedVisitor>,
}

/// A visitor whom a token identifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentifiedVisitor {
    /// The address.
    pub email: String,
    /// For a contact without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub first_name: Option<String>,
    /// For a contact without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_name: Option<String>,
    /// What an AI agent is to know.
    #[serde(rename = "hsCustomerAgentContext")]
    pub context: BTreeMap<String, String>,
    /// The app that vouches for it.
    pub app_id: Id,
    /// When the token ends.
    pub expires_at: Timestamp,
}
