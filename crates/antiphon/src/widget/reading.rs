//! Reading: what a visitor has not read yet, what agents have, and the door through which a visitor says so.

use std::collections::HashMap;
use std::sync::Arc;

use antiphon_store::{
    DeskKey, HistoryQuery, KnownThread, MessageId, MessageKind, Moment, PortalId, State, Target, ThreadId,
};
use antiphon_wire::error::Problem;
use antiphon_wire::message as wire;
use antiphon_wire::widget::WidgetRead;

use super::visit::Visit;
use crate::app::App;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::threads::read::{Reading, mark};

/// Most unread messages that are counted, and most entries that are looked at for them.
pub const MOST: usize = 50;

/// Most readers of a thread that are looked at.
const READERS: usize = 100;

const MESSAGE: &str = "messageId";

/// `PUT /widget/v1/threads/{threadId}/read`
pub async fn read(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let thread = visit.thread(&call).await?;
    let body: WidgetRead = call.json()?;
    let sent = body.message_id.ok_or_else(|| Refusal::Invalid(vec![Problem::required(MESSAGE)]))?;
    let (store, portal) = (&call.app.store, visit.session.portal());
    let id = MessageId::parse(&sent);
    let found = match id {
        Some(id) => store.message_by_id(portal, thread.id, id).await?,
        None => None,
    };
    // Of what a visitor is not shown, nothing can be found out.
    let shown = |kind| matches!(kind, MessageKind::Message | MessageKind::WelcomeMessage);
    if !found.is_some_and(|message| shown(message.kind)) {
        return Err(Refusal::invalid(MESSAGE, "messageId is no message of this thread"));
    }
    let reader = reader(&thread);
    let key = DeskKey { message: id, ..DeskKey::of(thread.id, reader.clone()) };
    let reading = Reading { thread: thread.id.to_string(), message: sent, reader };
    let rule = move |state: &State, moment: &mut Moment| mark(state, &reading, moment);
    store.change(portal, Target::Desk(Box::new(key)), rule).await??;
    Ok(Answer::none())
}

/// As whom the visitor of a thread reads it.
fn reader(thread: &KnownThread) -> String {
    format!("V-{}", thread.visitor_id)
}

/// Up to where agents have read a thread.
///
/// # Errors
/// When the store does not answer.
pub async fn by_agents(app: &App, portal: PortalId, thread: ThreadId) -> Result<Option<MessageId>, Refusal> {
    let marks = app.store.reads_on(portal, thread, READERS).await?;
    let agents = marks.into_iter().filter(|mark| is_agent(&mark.reader));
    Ok(agents.max_by_key(|mark| mark.position).map(|mark| mark.message_id))
}

/// Whether a reader is one of the house.
pub fn is_agent(reader: &str) -> bool {
    reader.starts_with("A-")
}

/// How many messages in each of these threads the visitor has not read. Of those that they have read to the end, nothing is
/// looked at.
///
/// # Errors
/// When the store does not answer.
pub async fn unread(
    app: &App,
    portal: PortalId,
    threads: &[Arc<KnownThread>],
) -> Result<HashMap<ThreadId, i64>, Refusal> {
    let read = marks(app, portal, threads).await?;
    let mut unread = HashMap::new();
    for thread in threads {
        let mark = read.get(&thread.id).copied();
        let behind = mark.is_some_and(|mark| thread.latest_message_id.is_none_or(|latest| latest <= mark));
        if thread.latest_sent_at.is_some() && !behind {
            let count = count(app, portal, thread.id, mark).await?;
            unread.insert(thread.id, count);
        }
    }
    Ok(unread)
}

/// How far the visitor has read each of their threads.
async fn marks(
    app: &App,
    portal: PortalId,
    threads: &[Arc<KnownThread>],
) -> Result<HashMap<ThreadId, MessageId>, Refusal> {
    let mut by_reader: HashMap<String, Vec<ThreadId>> = HashMap::new();
    for thread in threads {
        by_reader.entry(reader(thread)).or_default().push(thread.id);
    }
    let mut marks = HashMap::new();
    // All threads of a key are nearly always with one visitor.
    for (reader, threads) in by_reader {
        let found = app.store.reads_of(portal, &reader, &threads).await?;
        marks.extend(found.into_iter().map(|mark| (mark.thread_id, mark.message_id)));
    }
    Ok(marks)
}

async fn count(
    app: &App,
    portal: PortalId,
    thread: ThreadId,
    mark: Option<MessageId>,
) -> Result<i64, Refusal> {
    let query = HistoryQuery { archived: false, ascending: false, after: None, limit: 2 * MOST };
    let (mut count, mut read) = (0, false);
    let mut sink = |document: &[u8]| {
        let Some(message) = wire::read(document) else { return };
        read |= mark.is_some_and(|mark| MessageId::parse(&message.id).is_some_and(|id| id <= mark));
        let sent = message.kind == wire::MessageType::Message
            && message.direction == Some(wire::Direction::Outgoing);
        count += i64::from(sent && !read && count < MOST as i64);
    };
    app.store.history(portal, thread, &query, &mut sink).await?;
    Ok(count)
}
