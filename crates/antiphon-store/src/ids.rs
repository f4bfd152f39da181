//! Identifiers. Each is a newtype, so that a thread can never be asked for with an inbox's number.

use std::fmt;

/// A moment in domain time: milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

macro_rules! numeric_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

numeric_id! {
    /// A portal: one tenant. 1 … 2^31−1.
    PortalId,
    /// A thread, unique within its portal and allocated in increasing order. 1 … 2^53−1.
    ThreadId,
    /// An inbox, unique within its portal. 1 … 2^31−1.
    InboxId,
    /// A channel account, unique within its portal. 1 … 2^53−1.
    AccountId,
    /// A visitor or the contact it became: both come from one sequence per portal. 1 … 2^53−1.
    VisitorId,
    /// A ticket, unique within its portal. 1 … 2^53−1.
    TicketId,
    /// An app, unique on the server. 1 … 2^31−1.
    AppId,
    /// A subscription of any kind, unique within its portal. 1 … 2^31−1.
    SubscriptionId,
    /// A tag, unique within its portal. 1 … 2^31−1.
    TagId,
    /// A saved view, unique within its portal. 1 … 2^31−1.
    ViewId,
}

impl PortalId {
    /// Under whom it is kept what was done to the server as a whole. No portal has this number.
    pub const SERVER: Self = Self(0);
}

impl AppId {
    /// Under whom it is kept what a channel's app is told of the channel: apart from what it is told of its own, under a number
    /// that no app has.
    pub fn of_channel(channel: i64) -> Self {
        Self(-channel)
    }

    /// The channel, if it is one that something is kept under.
    pub fn channel(self) -> Option<i64> {
        (self.0 < 0).then_some(-self.0)
    }
}

/// A message's id: a UUIDv7, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 16]);

impl MessageId {
    /// Reads 32 lower-case hexadecimal digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 32 {
            return None;
        }
        let mut bytes = [0u8; 16];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |c: u8| match c {
                b'0'..=b'9' => Some(c - b'0'),
                b'a'..=b'f' => Some(c - b'a' + 10),
                _ => None,
            };
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
