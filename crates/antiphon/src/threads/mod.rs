//! Threads: what can be asked of them and what can happen to them.
//!
//! A file per verb: the door above, its rule below. Whatever happens to a thread goes through [`lifecycle`], which alone
//! knows which history entries and events belong to which step. Nothing here reads or writes a row by itself.

pub mod archive;
pub mod assign;
pub mod get;
pub mod history;
pub mod lifecycle;
pub mod link;
pub mod list;
pub mod mark;
#[cfg(test)]
mod properties;
pub mod purge;
pub mod read;
pub mod relocate;
pub mod snooze;
pub mod spam;
pub mod start;
#[cfg(test)]
mod triggers;
pub mod update;
pub mod work;

use antiphon_store::{Applied, KnownThread, State, Thread, ThreadStatus, ThreadView};
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::thread as wire;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// The id in the first path segment; one that cannot be a thread's is the same as an unknown one.
pub(crate) fn thread_id(call: &Call) -> Result<antiphon_store::ThreadId, Refusal> {
    let sent = path(call, 0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    Ok(antiphon_store::ThreadId(id))
}

/// A path segment as it was sent.
pub(crate) fn path(call: &Call, index: usize) -> &str {
    call.path.get(index).map_or("", String::as_str)
}

/// The thread of a rule's target, if it is in the population that was asked for.
pub(crate) fn found(state: &State, archived: bool) -> Option<&Thread> {
    state.thread.as_ref().filter(|thread| thread.is_archived() == archived)
}

/// Prints a thread as the API shows it; the ticket only where it was asked for.
pub(crate) fn print(thread: ThreadView<'_>, with_ticket: bool, out: &mut Vec<u8>) {
    wire::Thread {
        id: thread.id.0,
        created_at: thread.created_at,
        status: status_shown(thread.status),
        inbox_id: thread.inbox_id.0,
        original_channel_id: thread.channel_id,
        original_channel_account_id: thread.account_id.0,
        associated_contact_id: thread.visitor_id.0,
        spam: thread.spam,
        archived: thread.archived,
        assigned_to: thread.assigned_to,
        closed_at: thread.closed_at,
        latest_message_timestamp: thread.latest_message_at,
        latest_message_sent_timestamp: thread.latest_sent_at,
        latest_message_received_timestamp: thread.latest_received_at,
        associated_ticket_id: thread.ticket_id.filter(|_| with_ticket).map(|ticket| ticket.0),
    }
    .write(out);
}

/// Prints a thread that is held in memory. Without the ticket every answer prints the same, which is kept with the thread.
pub(crate) fn print_known(thread: &KnownThread, with_ticket: bool, out: &mut Vec<u8>) {
    if with_ticket && thread.ticket_id.is_some() {
        print(thread.view(), true, out);
    } else {
        out.extend_from_slice(thread.printed(|thread, out| print(thread, false, out)));
    }
}

/// Answers a change with the thread as it is by now.
pub(crate) fn answer(applied: &Applied, sent: &str, with_ticket: bool) -> Result<Answer, Refusal> {
    let thread = applied.changes.threads.first().or(applied.state.thread.as_ref());
    let mut out = Vec::with_capacity(512);
    print(thread.ok_or_else(|| Refusal::not_found(sent))?.view(), with_ticket, &mut out);
    Ok(Answer::ok(out))
}

/// A stored status in the words of the API.
pub(crate) fn status_shown(status: ThreadStatus) -> wire::ThreadStatus {
    match status {
        ThreadStatus::Open => wire::ThreadStatus::Open,
        ThreadStatus::Closed => wire::ThreadStatus::Closed,
    }
}

/// A status of the API as it is stored.
pub(crate) fn status_stored(status: wire::ThreadStatus) -> ThreadStatus {
    match status {
        wire::ThreadStatus::Open => ThreadStatus::Open,
        wire::ThreadStatus::Closed => ThreadStatus::Closed,
    }
}
