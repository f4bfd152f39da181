//! Threads as agents see them: each with its visitor, what it waits for and how its newest message begins.
//!
//! Nothing here is part of HubSpot's contract, whose own lists stay as they are.

pub mod get;
pub mod list;

use std::collections::HashMap;

use antiphon_store::{Applied, Direction, MessageId, Thread, ThreadId, Visitor, VisitorId, WorkState};
use antiphon_wire::id::Id;
use antiphon_wire::message as wire_message;
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::work as wire;

use super::{path, status_shown};
use crate::actors::acting::actor;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::views;

/// A state in the words of the API.
pub(crate) fn state_shown(state: WorkState) -> wire::WorkState {
    match state {
        WorkState::Open => wire::WorkState::Open,
        WorkState::Snoozed => wire::WorkState::Snoozed,
        WorkState::Closed => wire::WorkState::Closed,
        WorkState::Spam => wire::WorkState::Spam,
        WorkState::Archived => wire::WorkState::Archived,
    }
}

/// A state of the API as it is stored.
pub(crate) fn state_stored(state: wire::WorkState) -> WorkState {
    match state {
        wire::WorkState::Open => WorkState::Open,
        wire::WorkState::Snoozed => WorkState::Snoozed,
        wire::WorkState::Closed => WorkState::Closed,
        wire::WorkState::Spam => WorkState::Spam,
        wire::WorkState::Archived => WorkState::Archived,
    }
}

/// Answers a change with the thread as it is by now.
pub(crate) async fn answer(call: &Call, applied: &Applied) -> Result<Answer, Refusal> {
    let thread = applied.changes.threads.first().or(applied.state.thread.as_ref());
    let thread = thread.ok_or_else(|| Refusal::not_found(path(call, 0)))?;
    let shown = print(call, std::slice::from_ref(thread)).await?;
    Answer::json(200, &shown.first())
}

/// Threads as the caller sees them, in their order.
pub(crate) async fn print(call: &Call, threads: &[Thread]) -> Result<Vec<wire::WorkThread>, Refusal> {
    let mut ids: Vec<VisitorId> = threads.iter().map(|thread| thread.visitor_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let visitors = match ids.is_empty() {
        true => Vec::new(),
        false => call.app.store.visitors_by_ids(call.caller.portal(), &ids).await?,
    };
    let visitors: HashMap<VisitorId, Visitor> = visitors.into_iter().map(|one| (one.id, one)).collect();
    let read = read_by_caller(call, threads).await?;
    let unread = |thread: &Thread| {
        read.as_ref().is_some_and(|read| thread.latest_message_id > read.get(&thread.id).copied())
    };
    let shown = |thread| shown(thread, visitors.get(&thread.visitor_id), unread(thread));
    Ok(threads.iter().map(shown).collect())
}

/// The last entries of threads that the calling agent has read; `None` where no agent is calling.
async fn read_by_caller(
    call: &Call,
    threads: &[Thread],
) -> Result<Option<HashMap<ThreadId, MessageId>>, Refusal> {
    let Some(me) = views::me(call) else { return Ok(None) };
    let ids: Vec<ThreadId> = threads.iter().map(|thread| thread.id).collect();
    let marks = call.app.store.reads_of(call.caller.portal(), &actor(me), &ids).await?;
    Ok(Some(marks.into_iter().map(|mark| (mark.thread_id, mark.message_id)).collect()))
}

fn shown(thread: &Thread, visitor: Option<&Visitor>, unread: bool) -> wire::WorkThread {
    wire::WorkThread {
        id: Id(thread.id.0),
        state: state_shown(thread.state()),
        status: status_shown(thread.status),
        inbox_id: Id(thread.inbox_id.0),
        channel_id: Id(thread.channel_id),
        channel_account_id: Id(thread.account_id.0),
        subject: thread.subject.clone(),
        preview: thread.preview.clone(),
        contact: contact(thread.visitor_id, visitor),
        assigned_to: thread.assigned_to.clone(),
        tags: thread.tags.iter().map(|tag| Id(tag.0)).collect(),
        snoozed_until: thread.snoozed_until.map(Timestamp),
        spam: thread.spam,
        archived: thread.is_archived(),
        created_at: Timestamp(thread.created_at),
        latest_message_timestamp: thread.latest_message_at.map(Timestamp),
        latest_entry_timestamp: Timestamp(thread.latest_entry_at.max(thread.created_at)),
        latest_direction: latest_direction(thread).map(|direction| match direction {
            Direction::Incoming => wire_message::Direction::Incoming,
            Direction::Outgoing => wire_message::Direction::Outgoing,
        }),
        unread,
        ticket_id: thread.ticket_id.map(|ticket| Id(ticket.0)),
    }
}

fn contact(id: VisitorId, visitor: Option<&Visitor>) -> wire::WorkContact {
    let of = |part: fn(&Visitor) -> &Option<String>| visitor.and_then(|visitor| part(visitor).clone());
    wire::WorkContact {
        id: Id(id.0),
        actor_id: format!("V-{id}"),
        name: of(|visitor| &visitor.name),
        email: of(|visitor| &visitor.email),
        phone: of(|visitor| &visitor.phone),
        avatar: of(|visitor| &visitor.avatar),
        contact: visitor.is_some_and(|visitor| visitor.contact),
    }
}

/// Which way the newest message went.
fn latest_direction(thread: &Thread) -> Option<Direction> {
    match (thread.latest_received_at, thread.latest_sent_at) {
        (None, None) => None,
        (received, sent) if received > sent => Some(Direction::Incoming),
        _ => Some(Direction::Outgoing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn which_way_the_newest_message_went() {
        let mut thread = testing::thread(testing::CHAT, 1000);
        for (received, sent, went) in [
            (None, None, None),
            (Some(5), None, Some(Direction::Incoming)),
            (None, Some(5), Some(Direction::Outgoing)),
            (Some(5), Some(6), Some(Direction::Outgoing)),
            (Some(7), Some(6), Some(Direction::Incoming)),
        ] {
            (thread.latest_received_at, thread.latest_sent_at) = (received, sent);
            assert_eq!(latest_direction(&thread), went);
        }
    }
}
