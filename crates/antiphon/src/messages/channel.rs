//! What is known of channels as such: which addresses they speak with, and whether an answer can be sent on them.

use antiphon_store::Identifier;
use antiphon_wire::channel::BUILT_IN;
use antiphon_wire::message::{DeliveryIdentifier, DeliveryIdentifierType as Kind};

pub const LIVE_CHAT: i64 = 1000;
pub const MESSENGER: i64 = 1001;
pub const EMAIL: i64 = 1002;
pub const FORMS: i64 = 1003;
pub const PORTAL_VIEW: i64 = 1004;
pub const WHATSAPP: i64 = 1007;
pub const SMS: i64 = 1009;
pub const INSTAGRAM: i64 = 1010;
pub const MIGRATION: i64 = 1011;

/// Custom channels are numbered from here.
pub const FIRST_CUSTOM: i64 = 1_000_000;

/// Why nothing can be sent on a channel; `None` if something can.
pub fn cannot_send(channel: i64) -> Option<String> {
    let name = BUILT_IN.iter().find(|(id, _)| *id == channel).map(|(_, name)| *name);
    match (channel, name) {
        (FORMS | PORTAL_VIEW | MIGRATION, Some(name)) => {
            Some(format!("Messages cannot be sent on channel {channel} ({name})"))
        }
        (WHATSAPP, Some(name)) => {
            Some(format!("Sending on channel {channel} ({name}) is not supported by this API"))
        }
        (FIRST_CUSTOM.., _) | (_, Some(_)) => None,
        _ => Some(format!("Channel {channel} does not exist")),
    }
}

/// Whether an address of this kind can be reached over the channel.
pub fn fits(channel: i64, kind: Kind) -> bool {
    match channel {
        EMAIL | FORMS => kind == Kind::Email,
        SMS => matches!(kind, Kind::Phone | Kind::ShortCode),
        WHATSAPP => kind == Kind::Phone,
        LIVE_CHAT | MESSENGER | INSTAGRAM => kind == Kind::Opaque,
        _ => true,
    }
}

/// An address as the API prints it.
pub fn shown(identifier: &Identifier) -> DeliveryIdentifier {
    // Other kinds were refused on the way in.
    let kind = Kind::parse(&identifier.kind).unwrap_or(Kind::Opaque);
    DeliveryIdentifier { kind, value: identifier.value.clone() }
}

/// An address as it is stored.
pub fn stored(identifier: &DeliveryIdentifier) -> Identifier {
    Identifier { kind: identifier.kind.as_str().to_owned(), value: identifier.value.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_answer_can_go() {
        for (channel, can) in [
            (LIVE_CHAT, true),
            (MESSENGER, true),
            (EMAIL, true),
            (SMS, true),
            (INSTAGRAM, true),
            (FIRST_CUSTOM, true),
            (FORMS, false),
            (PORTAL_VIEW, false),
            (MIGRATION, false),
            (WHATSAPP, false),
            (1005, false),
            (0, false),
        ] {
            assert_eq!(cannot_send(channel).is_none(), can, "{channel}");
        }
    }
}
