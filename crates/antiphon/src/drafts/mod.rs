//! Drafts: what agents have begun to write, kept here so that they find it wherever they go on. Each has one in a thread, and
//! nobody else sees what is in it; that somebody writes is told as presence.

pub mod get;
pub mod list;
pub mod put;

use antiphon_store::MessageKind;
use antiphon_wire::message::MessageType;

/// A message or a note, in the words of the API.
fn kind_shown(kind: MessageKind) -> MessageType {
    match kind {
        MessageKind::Comment => MessageType::Comment,
        _ => MessageType::Message,
    }
}
