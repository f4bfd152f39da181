//! Server-sent events.

use std::sync::Arc;
use std::time::Duration;

use antiphon_wire::live;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::filter::Filter;
use super::hub::{Note, Over};
use super::listener::Listener;
use super::print::Printed;
use super::{Way, resume};
use crate::call::{Answer, Call};
use crate::middleware::outflow::{Outflow, Pieces};
use crate::refusal::Refusal;

/// After how many milliseconds a client may come back.
const RETRY: u32 = 2000;

/// `GET /events` with `Accept: text/event-stream`
pub async fn open(call: &Call, filter: Arc<Filter>, last: Option<&str>) -> Result<Answer, Refusal> {
    let after = resume(call, last)?;
    let listener = Listener::new(&call.app, &call.caller, filter, Way::Stream, after).await?;
    let pieces = flow(listener, call.app.config.stream.heartbeat());
    Ok(Answer { status: 200, body: Outflow::Stream(pieces, None), ..Answer::default() })
}

struct Flow {
    listener: Listener,
    heart: Interval,
    /// The position that the client knows of.
    told: i64,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Greeting,
    Open,
    Ended,
}

/// Frames, for as long as somebody listens and may.
fn flow(listener: Listener, every: Duration) -> Pieces {
    let mut heart = interval_at(Instant::now() + every, every);
    heart.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = listener.position();
    let flow = Flow { listener, heart, told, stage: Stage::Greeting };
    Box::pin(stream::unfold(flow, |mut flow| async move { flow.piece().await.map(|piece| (piece, flow)) }))
}

impl Flow {
    async fn piece(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Ended => return None,
            // The id comes first, so that even whoever hears nothing knows where to go on.
            Stage::Greeting => {
                self.stage = Stage::Open;
                return Some(format!("retry: {RETRY}\nid: {}\n\n", self.told).into());
            }
            Stage::Open => {}
        }
        tokio::select! {
            biased;
            note = self.listener.next() => Some(match note {
                Ok(Note::At(position, printed)) => {
                    self.told = position;
                    printed.frame()
                }
                Ok(Note::Lost(resync)) => {
                    self.told = resync.position;
                    Printed::resync(&resync).frame()
                }
                Ok(Note::Passed(printed)) => printed.frame(),
                Err(over) => self.end(over),
            }),
            _ = self.heart.tick() => Some(self.beat()),
        }
    }

    /// A comment. An id without an event moves the resume point on and is told to nobody.
    fn beat(&mut self) -> Bytes {
        let position = self.listener.position();
        if position == self.told {
            return Bytes::from_static(b":\n\n");
        }
        self.told = position;
        format!(":\nid: {position}\n\n").into()
    }

    fn end(&mut self, over: Over) -> Bytes {
        self.stage = Stage::Ended;
        let position = self.listener.position();
        Printed::cut_off(&live::CutOff { kind: "cutOff", reason: over.name(), position }).frame()
    }
}
