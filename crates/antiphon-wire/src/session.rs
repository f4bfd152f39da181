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
    /// Whether there is a password.
    pub password: bool,
    /// Whether a code of an authenticator has to come with it.
    pub totp: bool,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
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

/// A page of what was done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditPage {
    /// The newest first.
    pub results: Vec<AuditEntry>,
    /// Where to go on, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paging: Option<AuditPaging>,
}

/// Where to go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditPaging {
    /// The next page.
    pub next: AuditNext,
}

/// The next page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditNext {
    /// To be sent as `after`.
    pub after: String,
}

/// Something that was done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Names it.
    pub id: String,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it: `A-71` for an agent, `I-4410` for an app, or `operator`.
    pub actor: String,
    /// The operation.
    pub action: String,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<String>,
    /// What it was done to: `object` and `id`, and what of it was `before` and is `after`. Secrets are not among it.
    #[schema(value_type = Vec<Object>)]
    pub changes: Vec<Box<serde_json::value::RawValue>>,
}

/// An agent who may choose a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The agent's number.
    pub agent_id: Id,
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
    /// `ADMIN`, `AGENT` or `READ_ONLY`.
    pub role: &'static str,
    /// When the link ends.
    pub expires_at: Timestamp,
    /// The link. Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<String>,
}

/// Who may choose a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invitations {
    /// By agent.
    pub results: Vec<Invitation>,
}

/// A secret for an authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TotpAsked {
    /// To be typed.
    pub secret: String,
    /// The same for a picture to be scanned.
    pub uri: String,
}

/// Codes for when there is no authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodes {
    /// Each is good once. They are shown this once.
    pub recovery_codes: Vec<String>,
}

lenient! {
    /// The first run.
    pub struct Setup {
        /// What the printed link ends with.
        pub token: Option<String> = "token",
        /// What the portal is called.
        pub portal_name: Option<String> = "portalName",
        /// The first administrator's name.
        pub name: Option<String> = "name",
        /// The address to sign in with.
        pub email: Option<String> = "email",
        /// At least eight characters.
        pub password: Option<String> = "password",
    }

    /// An agent is to choose a password.
    pub struct Invite {
        /// An agent who exists; otherwise one is made.
        pub agent_id: Option<LenientId> = "agentId",
        /// The name of one who is made.
        pub name: Option<String> = "name",
        /// The address of one who is made.
        pub email: Option<String> = "email",
        /// `ADMIN`, `AGENT` or `READ_ONLY`; `AGENT` if absent, or what it was.
        pub role: Option<String> = "role",
    }

    /// A password is chosen.
    pub struct InviteAccept {
        /// What the link ends with.
        pub token: Option<String> = "token",
        /// Another display name.
        pub name: Option<String> = "name",
        /// At least eight characters.
        pub password: Option<String> = "password",
        /// A code of the authenticator, where the agent has one already.
        pub code: Option<String> = "code",
    }

    /// What an agent changes about themselves.
    pub struct ProfilePatch {
        /// Display name.
        pub name: Option<String> = "name",
        /// Absolute URL of a picture; empty for none.
        pub avatar: Option<String> = "avatar",
        /// Another password.
        pub password: Option<PasswordChange> = "password",
    }

    /// Another password. Every other session ends.
    pub struct PasswordChange {
        /// The one that is good now.
        pub old: Option<String> = "old",
        /// At least eight characters.
        pub new: Option<String> = "new",
    }

    /// A code of the authenticator.
    pub struct TotpCode {
        /// Six digits.
        pub code: Option<String> = "code",
    }

    /// The password, once more.
    pub struct PasswordAgain {
        /// The password.
        pub password: Option<String> = "password",
    }

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
