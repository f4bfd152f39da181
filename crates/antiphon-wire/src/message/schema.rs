//! How messages look, for the API's description: one table of which kind has what.

use std::borrow::Cow;

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::*;
use crate::attachment::Attachment;
use crate::schema::{Kind, Schemas, collect, list, reference, string, union};

/// How a [`Message`] looks when it is printed complete.
#[derive(Debug)]
pub struct MessageSchema;

const KINDS: [(MessageType, &str); 6] = [
    (MessageType::Message, "ChannelMessage"),
    (MessageType::Comment, "Comment"),
    (MessageType::WelcomeMessage, "WelcomeMessage"),
    (MessageType::Assignment, "Assignment"),
    (MessageType::ThreadStatusChange, "ThreadStatusChange"),
    (MessageType::ThreadInboxChange, "ThreadInboxChange"),
];

/// A member, its schema, and what it is to each of [`KINDS`] in turn: `R` always there, `o` sometimes, `-` never.
type Row = (&'static str, fn() -> RefOr<Schema>, &'static [u8; 6]);

const MEMBERS: [Row; 24] = [
    ("id", message_id, b"RRRRRR"),
    ("conversationsThreadId", reference::<Id>, b"RRRRRR"),
    ("createdAt", reference::<Timestamp>, b"RRRRRR"),
    ("createdBy", text, b"RRRRRR"),
    ("client", reference::<Client>, b"RRRRRR"),
    ("senders", list::<Sender>, b"RRRRRR"),
    ("recipients", list::<Recipient>, b"RRRRRR"),
    ("archived", boolean, b"RRRRRR"),
    ("updatedAt", reference::<Timestamp>, b"oooooo"),
    ("text", text, b"RRR---"),
    ("richText", text, b"oRo---"),
    ("attachments", list::<Attachment>, b"RR----"),
    ("direction", reference::<Direction>, b"R-----"),
    ("channelId", reference::<Id>, b"R-R---"),
    ("channelAccountId", reference::<Id>, b"R-R---"),
    ("truncationStatus", reference::<TruncationStatus>, b"R-----"),
    ("status", reference::<Status>, b"o-----"),
    ("subject", text, b"o-----"),
    ("inReplyToId", message_id, b"o-----"),
    ("assignedFrom", text, b"---o--"),
    ("assignedTo", text, b"---o--"),
    ("newStatus", reference::<ThreadStatus>, b"----R-"),
    ("fromInboxId", reference::<Id>, b"-----R"),
    ("toInboxId", reference::<Id>, b"-----R"),
];

fn text() -> RefOr<Schema> {
    string().into()
}

fn boolean() -> RefOr<Schema> {
    bool::schema()
}

fn message_id() -> RefOr<Schema> {
    string().pattern(Some("^[0-9a-f]{32}$")).into()
}

fn kinds() -> Vec<Kind> {
    let members = |at: usize| {
        let present = MEMBERS.iter().filter(move |(_, _, kinds)| kinds[at] != b'-');
        present.map(move |(key, schema, kinds)| (*key, kinds[at] == b'R', schema())).collect()
    };
    KINDS
        .iter()
        .enumerate()
        .map(|(at, (kind, name))| Kind { tag: kind.as_str(), name, members: members(at) })
        .collect()
}

impl PartialSchema for MessageSchema {
    fn schema() -> RefOr<Schema> {
        union(&kinds())
    }
}

impl ToSchema for MessageSchema {
    fn name() -> Cow<'static, str> {
        "Message".into()
    }

    fn schemas(schemas: &mut Schemas) {
        schemas.extend(kinds().into_iter().map(Kind::schema));
        collect::<Id>(schemas);
        collect::<Timestamp>(schemas);
        collect::<Client>(schemas);
        collect::<Sender>(schemas);
        collect::<Recipient>(schemas);
        collect::<Attachment>(schemas);
        collect::<Direction>(schemas);
        collect::<TruncationStatus>(schemas);
        collect::<Status>(schemas);
        collect::<ThreadStatus>(schemas);
    }
}
