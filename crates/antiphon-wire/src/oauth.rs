//! How users let apps in, and what is said about tokens.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Id, LenientId};
use crate::lenient::lenient;
use crate::timestamp::Timestamp;

/// A token that was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TokenGiven)]
pub struct Given {
    /// `bearer`
    pub token_type: &'static str,
    /// The access token.
    pub access_token: String,
    /// With which further ones are asked for; it stays the same. Absent where an app acts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refresh_token: Option<String>,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// `access_token` or `client_credentials`
    pub token_use: &'static str,
    /// The portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hub_id: Option<i64>,
    /// The agent who granted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_id: Option<i64>,
    /// What was granted.
    pub scopes: Vec<String>,
}

/// Why no token was given, for clients of either generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TokenRefused)]
pub struct Refused {
    /// The older word, such as `BAD_AUTH_CODE`.
    pub status: &'static str,
    /// For people.
    pub message: String,
    /// The word of RFC 6749, such as `invalid_grant`.
    pub error: &'static str,
    /// As `message`.
    pub error_description: String,
    /// The same as in the headers.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
}

/// What a token is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TokenInformation)]
pub struct Information {
    /// Whether it opens anything; only where a token is introspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub active: Option<bool>,
    /// `access_token` or `refresh_token`; only where a token is introspected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token_use: Option<&'static str>,
    /// The token itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// `access` or `refresh`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token_type: Option<&'static str>,
    /// Address of the agent who granted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user: Option<String>,
    /// That agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_id: Option<i64>,
    /// The portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hub_id: Option<i64>,
    /// The server's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hub_domain: Option<String>,
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scopes: Option<Vec<String>>,
    /// The app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub app_id: Option<i64>,
    /// Its client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_id: Option<String>,
    /// Seconds that are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_in: Option<i64>,
    /// Never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub is_private_distribution: Option<bool>,
}

/// What a private app's token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PrivateAppInformation)]
pub struct PrivateApp {
    /// Who made the app; 0 is the operator.
    pub user_id: i64,
    /// The portal.
    pub hub_id: i64,
    /// The app.
    pub app_id: i64,
    /// What it opens.
    pub scopes: Vec<String>,
}

/// The account that a token opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccountDetails)]
pub struct Details {
    /// The portal.
    pub portal_id: i64,
    /// `STANDARD`, unless the operator says something else.
    pub account_type: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// `USD`, unless the operator says something else.
    pub company_currency: String,
    /// None; clients demand the list.
    pub additional_currencies: Vec<String>,
    /// As in `+01:00`.
    pub utc_offset: String,
    /// The same in milliseconds.
    pub utc_offset_milliseconds: i64,
    /// The server's host.
    pub ui_domain: String,
    /// The server's region.
    pub data_hosting_location: String,
}

/// The same for older clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Me)]
pub struct Me {
    /// The portal.
    pub portal_id: i64,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// `USD`, unless the operator says something else.
    pub currency: String,
    /// As in `+01:00`.
    pub utc_offset: String,
    /// The same in milliseconds.
    pub utc_offset_milliseconds: i64,
}

/// How an app may be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OauthSettings)]
pub struct Settings {
    /// The app.
    pub app_id: Id,
    /// By which clients name it.
    pub client_id: String,
    /// Where users may be sent back to.
    pub redirect_uris: Vec<String>,
    /// What it may ask for; none is no restriction.
    pub scopes: Vec<String>,
    /// Whether somebody has installed it.
    pub installed: bool,
    /// The minute in which anything was last done with what users granted it, as far as it is known by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_used_at: Option<Timestamp>,
}

lenient! {
    /// How an app may be installed. What is absent stays.
    pub struct SettingsPatch {
        /// Where users may be sent back to: absolute URLs, matched exactly.
        pub redirect_uris: Option<Vec<String>> = "redirectUris",
        /// What it may ask for; an empty list is no restriction.
        pub scopes: Option<Vec<String>> = "scopes",
    }

    /// An app is installed without anybody being asked.
    pub struct Install {
        /// The agent on whose behalf.
        pub user_id: Option<LenientId> = "userId",
        /// What is granted: all that the app may ask for if absent.
        pub scopes: Option<Vec<String>> = "scopes",
    }

    /// How an agent signs in.
    pub struct LoginPut {
        /// At least eight characters. Where one is kept already, it may be absent, and only the role changes.
        pub password: Option<String> = "password",
        /// What the agent may do: `ADMIN`, `AGENT` or `READ_ONLY`.
        pub role: Option<String> = "role",
        /// Where no role is said: whether it is `ADMIN`, as it is if absent, or `AGENT`.
        pub administrator: Option<bool> = "administrator",
    }

    /// A token to look at.
    pub struct TokenKey {
        /// The token.
        pub token_key: Option<String> = "tokenKey",
    }

    /// What is asked of the token endpoint, as a form or as JSON.
    pub struct TokenAsked {
        /// `authorization_code`, `refresh_token` or `client_credentials`.
        pub grant_type: Option<String> = "grant_type",
        /// The app.
        pub client_id: Option<String> = "client_id",
        /// Its secret.
        pub client_secret: Option<String> = "client_secret",
        /// With `authorization_code`.
        pub code: Option<String> = "code",
        /// The same as before.
        pub redirect_uri: Option<String> = "redirect_uri",
        /// Where a challenge was sent before.
        pub code_verifier: Option<String> = "code_verifier",
        /// With `refresh_token`.
        pub refresh_token: Option<String> = "refresh_token",
        /// With `client_credentials`.
        pub scope: Option<String> = "scope",
        /// The token to introspect or revoke.
        pub token: Option<String> = "token",
        /// What kind it may be.
        pub token_type_hint: Option<String> = "token_type_hint",
    }
}
