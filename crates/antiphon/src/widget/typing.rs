//! A visitor types. It is passed on, and kept nowhere.

use antiphon_wire::error::Problem;
use antiphon_wire::id::Id;
use antiphon_wire::live::Passed;
use antiphon_wire::widget::WidgetTyping;

use super::say::actor;
use super::visit::Visit;
use crate::call::{Answer, Call};
use crate::realtime::filter::{TYPING, Whereabouts};
use crate::realtime::hub::Passing;
use crate::realtime::print::Printed;
use crate::realtime::talk;
use crate::refusal::Refusal;

/// What is said of one who types, and of one who has stopped.
pub const STARTED: &str = "started";
pub const STOPPED: &str = "stopped";

/// `POST /widget/v1/threads/{threadId}/typing`
pub async fn typing(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let thread = visit.thread(&call).await?;
    let body: WidgetTyping = call.json()?;
    let typing = body.typing.ok_or_else(|| Refusal::Invalid(vec![Problem::required("typing")]))?;
    let passed = Passed {
        kind: "typing",
        app_id: Id(0),
        actor_id: Some(actor(thread.visitor_id)),
        thread_id: Some(Id(thread.id.0)),
        state: Some(if typing { STARTED } else { STOPPED }.to_owned()),
    };
    let place = Whereabouts { now: Some(thread.inbox_id), ..Whereabouts::default() };
    let passing = Passing { kind: TYPING, thread: Some(thread.id), place, printed: Printed::passed(&passed) };
    talk::tell(&call.app, visit.session.portal(), &passing, None);
    Ok(Answer::none())
}
