//! What happens in a visitor's threads, as it happens.

use std::time::Duration;

use antiphon_wire::widget::WidgetSessionEvent;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::floods::{Open, Payer};
use super::follow::{Follow, Told};
use super::settings;
use super::visit::Visit;
use crate::call::{Answer, Call};
use crate::middleware::outflow::{Outflow, Pieces};
use crate::realtime::hub::Over;
use crate::refusal::Refusal;

/// After how many milliseconds a widget may come back.
const RETRY: u32 = 2000;

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
    Ok(Answer { status: 200, body: Outflow::Stream(flow(follow, open, every), None), ..Answer::default() })
}

/// What the widget saw last.
fn resume(call: &Call) -> Result<Option<i64>, Refusal> {
    let asked = call.query.int("after").map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let Some(last) = &call.heads.last_event else { return Ok(asked.map(|after| after.max(0))) };
    let seen: Option<i64> = last.parse().ok().filter(|position| *position >= 0);
    seen.map(Some)
        .ok_or_else(|| Refusal::invalid("Last-Event-ID", "that is the id of no event; leave it out"))
}

struct Flow {
    follow: Follow,
    heart: Interval,
    told: i64,
    stage: Stage,
    /// Counts as long as it flows.
    _open: Open,
}

#[derive(PartialEq)]
enum Stage {
    Greeting,
    Open,
    Ended,
}

/// Frames, for as long as somebody listens and may.
fn flow(follow: Follow, open: Open, every: Duration) -> Pieces {
    let mut heart = interval_at(Instant::now() + every, every);
    heart.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = follow.position();
    let flow = Flow { follow, heart, told, stage: Stage::Greeting, _open: open };
    Box::pin(stream::unfold(flow, |mut flow| async move { flow.piece().await.map(|piece| (piece, flow)) }))
}

impl Flow {
    async fn piece(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Ended => return None,
            Stage::Greeting => {
                self.stage = Stage::Open;
                return Some(format!("retry: {RETRY}\nid: {}\n\n", self.told).into());
            }
            Stage::Open => {}
        }
        tokio::select! {
            biased;
            told = self.follow.next() => Some(match told {
                Ok(told) => self.frame(told),
                Err(over) => self.end(match over {
                    Over::Slow => "slow",
                    Over::Stopping => "stopping",
                    Over::Unauthorized => "gone",
                }),
            }),
            _ = self.heart.tick() => Some(self.beat().await),
        }
    }

    fn frame(&mut self, (position, told): (Option<i64>, Told)) -> Bytes {
        if let Some(position) = position {
            self.told = position;
        }
        match told {
            Told::Message(message) => frame(position, "message", &message),
            Told::Thread(thread) => frame(position, "thread", &thread),
            Told::Typing(typing) => frame(position, "typing", &typing),
            Told::Read(read) => frame(position, "read", &read),
        }
    }

    /// A comment, with an id that moves the resume point on; or the end, where the session or the chat has ended.
    async fn beat(&mut self) -> Bytes {
        let (call, visit) = (&self.follow.call, &self.follow.visit);
        if call.app.store.now() >= visit.session.expires_at {
            return self.end("expired");
        }
        let directory = call.app.store.directory(visit.session.portal()).await;
        if let Ok(directory) = directory
            && directory.is_none_or(|directory| settings::open(&directory, visit.account.id).is_none())
        {
            return self.end("gone");
        }
        let position = self.follow.position();
        if position <= self.told {
            return Bytes::from_static(b":\n\n");
        }
        self.told = position;
        format!(":\nid: {position}\n\n").into()
    }

    fn end(&mut self, end: &'static str) -> Bytes {
        self.stage = Stage::Ended;
        frame(Some(self.follow.position().max(self.told)), "session", &WidgetSessionEvent { end })
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
