//! Messages: what is said in a thread, in both directions, and how it is read back.
//!
//! Two rules put words into a thread: [`post`] for what goes out and for notes, [`receive`] for whatever comes in, through any
//! channel. Neither sends or fetches anything; that is done by adapters, which see what these rules recorded.

pub mod address;
pub mod attachments;
pub mod bodies;
pub mod channel;
pub mod get;
pub mod guard;
pub mod inject;
pub mod list;
pub mod original;
pub mod party;
pub mod people;
pub mod post;
pub mod receive;
pub mod recipients;
pub mod reply;
pub mod retry;
pub mod status;

use antiphon_store::{Changes, Document, MessageId, State, StoredMessage};
use antiphon_wire::message as wire;

use crate::call::Call;
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::path;

/// The id in the second path segment; one that cannot be a message's is the same as an unknown one.
pub(crate) fn message_id(call: &Call) -> Result<MessageId, Refusal> {
    let sent = path(call, 1);
    MessageId::parse(sent).ok_or_else(|| Refusal::not_found(sent))
}

// The store hands out no other.
const _: () = assert!(wire::FORMAT == Document::FORMAT);

/// Prints a stored entry.
pub(crate) fn print(message: &StoredMessage, links: &Links<'_>) -> Vec<u8> {
    let document = &message.document.bytes;
    let mut out = Vec::with_capacity(document.len() + 6);
    wire::complete(document, message.archived, links, &mut out);
    out
}

/// What is stored of an entry.
pub(crate) fn document(message: &wire::Message) -> Document {
    let bytes = message.document();
    Document { format: wire::format(&bytes), bytes }
}

/// Lets changes pass that the portal has room for.
pub(crate) fn within_quota(state: &State, changes: Changes) -> Result<Changes, Refusal> {
    let quota = state.directory.portal.quota;
    let messages = changes.messages.len() as i64;
    let bytes: usize = changes.messages.iter().map(|message| message.document.bytes.len()).sum();
    let over =
        |limit: Option<i64>, held: i64, more: i64| more > 0 && limit.is_some_and(|limit| held + more > limit);
    let full = over(quota.messages, state.usage.messages, messages)
        || over(quota.bytes, state.usage.bytes, bytes as i64);
    if full { Err(Refusal::QuotaExceeded) } else { Ok(changes) }
}
