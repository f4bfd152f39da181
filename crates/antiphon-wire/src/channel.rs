//! Channels: the ways in which people can be reached.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::Id;

/// Chat on a web page.
pub const LIVE_CHAT: i64 = 1000;
/// Facebook Messenger.
pub const FB_MESSENGER: i64 = 1001;
/// Email.
pub const EMAIL: i64 = 1002;
/// Forms on a web page.
pub const FORMS: i64 = 1003;
/// The customer portal.
pub const CUSTOMER_PORTAL_THREAD_VIEW: i64 = 1004;
/// WhatsApp.
pub const WHATSAPP: i64 = 1007;
/// Text messages.
pub const SMS: i64 = 1009;
/// Instagram.
pub const INSTAGRAM: i64 = 1010;
/// Imported history.
pub const MIGRATION: i64 = 1011;

/// Channels that every account has, with their names.
pub const BUILT_IN: [(i64, &str); 9] = [
    (LIVE_CHAT, "LIVE_CHAT"),
    (FB_MESSENGER, "FB_MESSENGER"),
    (EMAIL, "EMAIL"),
    (FORMS, "FORMS"),
    (CUSTOMER_PORTAL_THREAD_VIEW, "CUSTOMER_PORTAL_THREAD_VIEW"),
    (WHATSAPP, "WHATSAPP"),
    (SMS, "SMS"),
    (INSTAGRAM, "INSTAGRAM"),
    (MIGRATION, "MIGRATION"),
];

/// The smallest id of a channel that an app registered.
pub const FIRST_CUSTOM: i64 = 1_000_000;

/// A channel as every version prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Channel {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
}
