//! Agents who sign in.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Id, LenientId};
use crate::lenient::lenient;
use crate::timestamp::Timestamp;

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub struct Session {
    /// The agent.
    pub agent: Agent,
    /// Where.
    pub portal: Portal,
    /// What every request by this session sends as `X-Antiphon-CSRF`, save reading ones.
    pub csrf: String,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
}

/// An agent who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionAgent)]
pub struct Agent {
    /// The agent's number.
    pub id: Id,
    /// The same as an actor.
    pub actor_id: String,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The address to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// Absolute URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
    /// `ADMIN`, `AGENT` or `READ_ONLY`.
    pub role: &'static str,
}

/// The portal in which somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionPortal)]
pub struct Portal {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
}

/// Where an agent is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sessions {
    /// The newest first.
    pub results: Vec<OpenSession>,
}

/// One of an agent's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenSession {
    /// Names it. It opens nothing.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the browser calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub browser: Option<String>,
    /// From where it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was used last, to the hour.
    pub used_at: Timestamp,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
}

/// What a page for signing in has to offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignInOptions {
    /// Another place where agents can sign in, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub oidc: Option<OidcOption>,
    /// Whether nobody can sign in yet: the server has printed a link by which somebody can begin.
    pub setup: bool,
    /// Whether it is the demo.
    pub demo: bool,
}

/// Where agents can sign in, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OidcOption {
    /// What it is called.
    pub name: String,
}

lenient! {
    /// Signing in.
    pub struct SignIn {
        /// The agent's address.
        pub email: Option<String> = "email",
        /// The password.
        pub password: Option<String> = "password",
        /// A code of the authenticator, or one of the recovery codes, where one is asked for.
        pub code: Option<String> = "code",
        /// The portal, where the server has several.
        pub portal_id: Option<LenientId> = "portalId",
    }
}
