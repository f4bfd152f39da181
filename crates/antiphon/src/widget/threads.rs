//! A visitor's threads.

use std::sync::Arc;

use antiphon_store::{HistoryQuery, KnownThread, ThreadStatus};
use antiphon_wire::message as wire;
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::widget::{WidgetAgent, WidgetThread, WidgetThreads};

use super::visit::Visit;
use super::{print, reading};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Most characters of a preview.
const PREVIEW: usize = 140;

/// How many of the newest entries are looked at for what was said last, and by whom.
const LOOKED_AT: usize = 20;

/// `GET /widget/v1/threads`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let threads = visit.threads(&call.app).await?;
    let unread = reading::unread(&call.app, visit.session.portal(), &threads).await?;
    let mut results = Vec::with_capacity(threads.len());
    for thread in &threads {
        let (preview, agent) = glance(&call, thread).await?;
        results.push(WidgetThread {
            id: thread.id.0,
            status: status(thread.status),
            preview,
            unread: unread.get(&thread.id).copied().unwrap_or_default(),
            latest_at: Timestamp(thread.latest_message_at.unwrap_or(thread.created_at)),
            agent,
        });
    }
    Answer::json(200, &WidgetThreads { results })
}

/// How a thread stands.
pub fn status(status: ThreadStatus) -> antiphon_wire::thread::ThreadStatus {
    match status {
        ThreadStatus::Open => antiphon_wire::thread::ThreadStatus::Open,
        ThreadStatus::Closed => antiphon_wire::thread::ThreadStatus::Closed,
    }
}

/// How what was said last begins, and who spoke last for the house.
async fn glance(call: &Call, thread: &Arc<KnownThread>) -> Result<(String, Option<WidgetAgent>), Refusal> {
    let (directory, portal) = (&call.caller.directory, call.caller.portal());
    let query = HistoryQuery { archived: false, ascending: false, after: None, limit: LOOKED_AT };
    let (mut preview, mut agent) = (None, None);
    let mut sink = |document: &[u8]| {
        let Some(message) = wire::read(document).filter(print::is_shown) else { return };
        if preview.is_none() {
            preview = message.text.as_deref().map(begins);
        }
        if agent.is_none() && message.direction == Some(wire::Direction::Outgoing) {
            let speaker = message.senders.first().and_then(|sender| sender.actor_id.as_deref());
            agent = speaker.and_then(|speaker| print::agent(directory, speaker));
        }
    };
    call.app.store.history(portal, thread.id, &query, &mut sink).await?;
    Ok((preview.unwrap_or_default(), agent))
}

/// The beginning of a text, on one line.
fn begins(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        if line.len() > 4 * PREVIEW {
            break;
        }
        line.push(' ');
        line.push_str(word);
    }
    match line.char_indices().nth(PREVIEW) {
        Some((end, _)) => format!("{}\u{2026}", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_one_short_line() {
        assert_eq!(begins("  Two\n\n lines\t"), "Two lines");
        assert_eq!(begins(""), "");
        let long = begins(&"ä".repeat(100_000));
        assert_eq!(long.chars().count(), PREVIEW + 1);
        assert_eq!(begins(&"a ".repeat(100_000)).chars().count(), PREVIEW + 1);
    }
}
