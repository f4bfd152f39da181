//! A stream of server-sent events, whoever listens: a greeting, what they hear, heartbeats in between, and an end.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::middleware::outflow::Pieces;

/// After how many milliseconds a client may come back.
const RETRY: u32 = 2000;

/// One who listens, and says what they hear in frames.
pub trait Listens: Send + 'static {
    /// How far everything was told, if nothing waits to be. Never falls.
    fn position(&self) -> i64;

    /// The next frame. Nothing is lost when it is given up.
    fn next(&mut self) -> impl Future<Output = Frame> + Send;

    /// Asked at every heartbeat: the last frame, where it is over.
    fn over(&mut self) -> impl Future<Output = Option<Bytes>> + Send {
        std::future::ready(None)
    }
}

/// A piece of a stream.
pub enum Frame {
    /// Something that happened, which moves the client on to its position.
    At(i64, Bytes),
    /// Something that has no place among what happened.
    Passed(Bytes),
    /// The end.
    Last(Bytes),
}

struct Flow<L> {
    listener: L,
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
pub fn flow(listener: impl Listens, every: Duration) -> Pieces {
    let mut heart = interval_at(Instant::now() + every, every);
    heart.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = listener.position();
    let flow = Flow { listener, heart, told, stage: Stage::Greeting };
    Box::pin(stream::unfold(flow, |mut flow| async move { flow.piece().await.map(|piece| (piece, flow)) }))
}

impl<L: Listens> Flow<L> {
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
            frame = self.listener.next() => Some(match frame {
                Frame::At(position, frame) => {
                    self.told = position;
                    frame
                }
                Frame::Passed(frame) => frame,
                Frame::Last(frame) => self.end(frame),
            }),
            _ = self.heart.tick() => Some(self.beat().await),
        }
    }

    /// A comment. An id without an event moves the resume point on and is told to nobody.
    async fn beat(&mut self) -> Bytes {
        if let Some(last) = self.listener.over().await {
            return self.end(last);
        }
        let position = self.listener.position();
        if position <= self.told {
            return Bytes::from_static(b":\n\n");
        }
        self.told = position;
        format!(":\nid: {position}\n\n").into()
    }

    fn end(&mut self, frame: Bytes) -> Bytes {
        self.stage = Stage::Ended;
        frame
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures_util::StreamExt;

    use super::*;

    /// One who hears this, and then nothing; and where they are after each.
    struct Script {
        frames: VecDeque<Frame>,
        position: i64,
        beats: VecDeque<(i64, Option<&'static str>)>,
    }

    impl Listens for Script {
        fn position(&self) -> i64 {
            self.position
        }

        async fn next(&mut self) -> Frame {
            match self.frames.pop_front() {
                Some(frame) => frame,
                None => std::future::pending().await,
            }
        }

        async fn over(&mut self) -> Option<Bytes> {
            let (position, last) = self.beats.pop_front()?;
            self.position = position;
            last.map(|last| Bytes::from_static(last.as_bytes()))
        }
    }

    async fn told(frames: Vec<Frame>, beats: Vec<(i64, Option<&'static str>)>) -> Vec<String> {
        let script = Script { frames: frames.into(), position: 5, beats: beats.into() };
        let pieces = flow(script, Duration::from_millis(1));
        pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect().await
    }

    #[tokio::test]
    async fn a_stream_greets_tells_beats_and_ends() {
        let frames = vec![Frame::At(9, "nine".into()), Frame::Passed("typing".into())];
        // It has heard nothing, something that concerns nobody here, the same again; and then it may go on no longer.
        let beats = vec![(7, None), (9, None), (12, None), (12, None), (12, Some("gone"))];
        let greeting = "retry: 2000\nid: 5\n\n";
        let silent = ":\n\n";
        assert_eq!(
            told(frames, beats).await,
            [greeting, "nine", "typing", silent, silent, ":\nid: 12\n\n", silent, "gone"]
        );
    }

    #[tokio::test]
    async fn nothing_is_told_behind_the_end() {
        let frames = vec![Frame::Last("slow".into()), Frame::At(9, "nine".into())];
        assert_eq!(told(frames, vec![]).await, ["retry: 2000\nid: 5\n\n", "slow"]);
    }
}
