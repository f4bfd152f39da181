//! What happens in a visitor's threads, as it happens.

use antiphon_wire::widget::WidgetSessionEvent;
use bytes::Bytes;
use serde::Serialize;

use super::floods::{Open, Payer};
use super::follow::{Follow, Told};
use super::settings;
use super::visit::Visit;
use crate::call::{Answer, Call};
use crate::middleware::outflow::Outflow;
use crate::realtime::frames::{Frame, Listens, flow};
use crate::realtime::hub::Over;
use crate::refusal::Refusal;

/// `GET /widget/v1/events`
pub async fn events(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let after = resume(&call)?;
    let limits = &call.app.config.widget;
    let open = call.app.floods.open(&[
        (visit.payer(), limits.streams_of_visitor),
        (Payer::address(call.heads.address), limits.streams_of_address),
    ])?;
    let every = call.app.config.stream.heartbeat();
    let follow = Follow::begin(call, visit, after).await?;
    let stream = Stream { told: follow.position(), follow, _open: open };
    Ok(Answer { status: 200, body: Outflow::Stream(flow(stream, every), None), ..Answer::default() })
}

/// What the widget saw last.
fn resume(call: &Call) -> Result<Option<i64>, Refusal> {
    let asked = call.query.int("after").map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let Some(last) = &call.heads.last_event else { return Ok(asked.map(|after| after.max(0))) };
    let seen: Option<i64> = last.parse().ok().filter(|position| *position >= 0);
    seen.map(Some)
        .ok_or_else(|| Refusal::invalid("Last-Event-ID", "that is the id of no event; leave it out"))
}

/// A visitor whose stream is open.
struct Stream {
    follow: Follow,
    /// The position that the widget knows of.
    told: i64,
    /// Counts as long as it flows.
    _open: Open,
}

impl Stream {
    /// Whether its session or the chat has ended meanwhile.
    async fn ended(&self) -> Option<&'static str> {
        let (call, visit) = (&self.follow.call, &self.follow.visit);
        if call.app.store.now() >= visit.session.expires_at {
            return Some("expired");
        }
        // While the store cannot say, it goes on.
        let directory = call.app.store.directory(visit.session.portal()).await.ok()?;
        let open = directory.is_some_and(|directory| settings::open(&directory, visit.account.id).is_some());
        (!open).then_some("gone")
    }

    fn end(&self, end: &'static str) -> Bytes {
        let position = self.follow.position().max(self.told);
        frame(Some(position), "session", &WidgetSessionEvent { end })
    }
}

impl Listens for Stream {
    fn position(&self) -> i64 {
        self.follow.position()
    }

    async fn next(&mut self) -> Frame {
        let (position, told) = match self.follow.next().await {
            Ok(told) => told,
            Err(Over::Slow) => return Frame::Last(self.end("slow")),
            Err(Over::Stopping) => return Frame::Last(self.end("stopping")),
            Err(Over::Unauthorized) => return Frame::Last(self.end("gone")),
        };
        let frame = match told {
            Told::Message(message) => frame(position, "message", &message),
            Told::Thread(thread) => frame(position, "thread", &thread),
            Told::Typing(typing) => frame(position, "typing", &typing),
            Told::Read(read) => frame(position, "read", &read),
        };
        let Some(position) = position else { return Frame::Passed(frame) };
        self.told = position;
        Frame::At(position, frame)
    }

    async fn over(&mut self) -> Option<Bytes> {
        Some(self.end(self.ended().await?))
    }
}

fn frame(position: Option<i64>, name: &str, value: &impl Serialize) -> Bytes {
    let mut frame = Vec::with_capacity(512);
    if let Some(position) = position {
        frame.extend_from_slice(format!("id: {position}\n").as_bytes());
    }
    frame.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
    // Serialising what was just built cannot fail, and JSON has no line breaks of its own.
    serde_json::to_writer(&mut frame, value).ok();
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_event_whatever_is_in_it() {
        let hostile = serde_json::json!({ "text": "a\n\nevent: session\ndata: {}\r\n\r\n\u{2028}" });
        let text = String::from_utf8(frame(Some(7), "message", &hostile).to_vec()).unwrap();
        assert!(text.starts_with("id: 7\nevent: message\ndata: {") && text.ends_with("}\n\n"));
        assert_eq!(text.matches('\n').count(), 4);
        assert!(!text.contains('\r'));
        assert!(frame(None, "typing", &hostile).starts_with(b"event: typing\n"));
    }
}
