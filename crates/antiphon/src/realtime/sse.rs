//! Server-sent events.

use std::sync::Arc;

use antiphon_wire::live;

use super::filter::Filter;
use super::frames::{Frame, Listens, flow};
use super::hub::Note;
use super::listener::Listener;
use super::print::Printed;
use super::{Way, resume};
use crate::call::{Answer, Call};
use crate::middleware::outflow::Outflow;
use crate::refusal::Refusal;

/// `GET /events` with `Accept: text/event-stream`
pub async fn open(call: &Call, filter: Arc<Filter>, last: Option<&str>) -> Result<Answer, Refusal> {
    let after = resume(call, last)?;
    let listener = Listener::new(&call.app, &call.caller, filter, Way::Stream, after).await?;
    let pieces = flow(listener, call.app.config.stream.heartbeat());
    Ok(Answer { status: 200, body: Outflow::Stream(pieces, None), ..Answer::default() })
}

impl Listens for Listener {
    fn position(&self) -> i64 {
        Self::position(self)
    }

    async fn next(&mut self) -> Frame {
        match Self::next(self).await {
            Ok(Note::At(position, printed)) => Frame::At(position, printed.frame()),
            Ok(Note::Lost(resync)) => Frame::At(resync.position, Printed::resync(&resync).frame()),
            Ok(Note::Passed(printed)) => Frame::Passed(printed.frame()),
            Err(over) => {
                let position = Self::position(self);
                let end = live::CutOff { kind: "cutOff", reason: over.name(), position };
                Frame::Last(Printed::cut_off(&end).frame())
            }
        }
    }
}
