//! What clients tell each other: that somebody types, or is there. It is looked at, passed on and forgotten.

use std::sync::Arc;

use antiphon_store::{InboxId, PortalId, ThreadId, VisitorId};
use antiphon_wire::actor::ActorId;
use antiphon_wire::id::{Id, MAX_SAFE};
use antiphon_wire::lenient;
use antiphon_wire::live::{Passed, Said};
use serde_json::json;
use tokio::time::Instant;

use super::filter::{self, NAMES, PRESENCE, TYPING, Whereabouts};
use super::hub::Passing;
use super::present;
use super::print::Printed;
use crate::actors::of_house;
use crate::app::App;
use crate::call::Caller;
use crate::refusal::Refusal;

/// Longest word about the state of somebody.
const STATE: usize = 32;

/// How much one may say at once, and how much more each second.
const AT_ONCE: f64 = 20.0;
const EACH_SECOND: f64 = 5.0;

/// How much one may say.
pub struct Breath {
    left: f64,
    since: Instant,
}

impl Breath {
    pub fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, since: now }
    }

    /// Whether there is enough for one more.
    pub fn take(&mut self, now: Instant) -> bool {
        let drawn = (now - self.since).as_secs_f64() * EACH_SECOND;
        *self = Self { left: (self.left + drawn).min(AT_ONCE), since: now };
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

/// Passes on what somebody says to the others who listen in their portal.
///
/// # Errors
/// A sentence for the client, when it cannot be passed on.
pub async fn pass_on(app: &Arc<App>, caller: &Caller, said: &str, by: Option<u64>) -> Result<(), String> {
    if !filter::may_talk(caller) {
        return Err("Telling others something needs the scope conversations.write".into());
    }
    let said: Said = lenient::parse_body(said.as_bytes()).map_err(|problem| problem.message)?;
    let (kind, name) = match said.kind.as_deref() {
        Some("typing") => (TYPING, "typing"),
        Some("presence") => (PRESENCE, "presence"),
        _ => return Err("type must be typing or presence".into()),
    };
    let thread = match &said.thread_id {
        None if kind == TYPING => return Err("threadId says where somebody is typing; it is missing".into()),
        None => None,
        Some(sent) => Some(ThreadId(sent.parse(MAX_SAFE).ok_or_else(|| no_thread(sent))?)),
    };
    let portal = caller.portal();
    let mut place = Whereabouts::default();
    if let (Some(id), Some(sent)) = (thread, &said.thread_id) {
        let found = app.store.thread_by_id(portal, id).await.map_err(|_| away())?;
        place.now = Some(found.ok_or_else(|| no_thread(sent))?.inbox_id);
    }
    if said.state.as_ref().is_some_and(|state| state.chars().count() > STATE) {
        return Err(format!("state must be {STATE} characters at most"));
    }
    // Whoever is signed in speaks for nobody else.
    let own = caller.agent.map(|agent| agent.actor_id());
    if let (Some(own), Some(sent)) = (&own, &said.actor_id)
        && own != sent
    {
        return Err(format!("actorId is {own} where that is who is signed in"));
    }
    let said = Said { actor_id: said.actor_id.or(own), ..said };
    if let Some(actor) = &said.actor_id
        && !is_somebody(app, caller, actor).await.map_err(|_| away())?
    {
        return Err("actorId is nobody in this account".into());
    }
    let passed = Passed {
        kind: name,
        app_id: Id(caller.app().0),
        actor_id: said.actor_id,
        thread_id: thread.map(|thread| Id(thread.0)),
        state: said.state,
    };
    let passing = Passing { kind, thread, place, printed: Printed::passed(&passed) };
    tell(app, portal, &passing, by);
    Ok(())
}

/// Tells everybody who listens in a portal, on all nodes, but for the one who says it.
pub fn tell(app: &App, portal: PortalId, passing: &Passing, by: Option<u64>) {
    app.realtime.present.hear(portal, passing, app.store.now());
    app.realtime.pass(portal, passing, by);
    app.store.say(portal, &told(passing));
}

/// What somebody would say who says that they are there and then goes. `None` where they say nothing of the kind.
pub fn there(said: &str) -> Option<String> {
    let said: Said = lenient::parse_body(said.as_bytes()).ok()?;
    if said.kind.as_deref() != Some("presence") {
        return None;
    }
    let (actor, thread) = (said.actor_id, said.thread_id.map(|id| id.0));
    Some(
        json!({ "type": "presence", "actorId": actor, "threadId": thread, "state": present::AWAY })
            .to_string(),
    )
}

/// What is passed on, as nodes tell it to each other: its kind, the thread and the inbox that it is about, and itself.
fn told(passing: &Passing) -> String {
    let of = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let (thread, inbox) = (passing.thread.map(|id| id.0), passing.place.now.map(|id| id.0));
    let json = String::from_utf8_lossy(&passing.printed.json()).into_owned();
    format!("{} {} {} {json}", NAMES[passing.kind], of(thread), of(inbox))
}

/// Reads what another node told; `None` when a node of another version tells something else.
pub(super) fn heard(told: &str) -> Option<Passing> {
    let mut parts = told.splitn(4, ' ');
    let name = parts.next()?;
    let kind = [TYPING, PRESENCE].into_iter().find(|kind| NAMES[*kind] == name)?;
    let mut id = || match parts.next()? {
        "-" => Some(None),
        id => id.parse().ok().map(Some),
    };
    let (thread, inbox) = (id()?, id()?);
    let printed = Printed::passed_on(name, parts.next()?)?;
    let place = Whereabouts { now: inbox.map(InboxId), ..Whereabouts::default() };
    Some(Passing { kind, thread: thread.map(ThreadId), place, printed })
}

fn no_thread(sent: &impl std::fmt::Display) -> String {
    format!("Thread {sent} does not exist in this account")
}

fn away() -> String {
    "The server cannot look that up now; try again".into()
}

/// Whether an actor is of the caller's portal. Addresses and the system are nobody who types.
async fn is_somebody(app: &App, caller: &Caller, actor: &str) -> Result<bool, Refusal> {
    let portal = caller.portal();
    let directory = app.store.directory(portal).await?;
    let Ok(actor) = ActorId::parse(actor) else { return Ok(false) };
    if let ActorId::Visitor(id) = actor {
        return Ok(!app.store.visitors_by_ids(portal, &[VisitorId(id)]).await?.is_empty());
    }
    let listed = of_house(&actor).zip(directory.as_ref());
    let listed = listed.and_then(|((kind, id), directory)| directory.actor(kind, id));
    Ok(listed.is_some_and(|one| one.active))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_told_to_another_node_is_heard_there() {
        let passed = Passed {
            kind: "typing",
            app_id: Id(7),
            actor_id: Some("A-71".into()),
            thread_id: Some(Id(55)),
            state: Some("two\nlines, and a blank".into()),
        };
        for (thread, inbox) in [(Some(55), Some(640)), (None, None)] {
            let place = Whereabouts { now: inbox.map(InboxId), ..Whereabouts::default() };
            let thread = thread.map(ThreadId);
            let said = Passing { kind: TYPING, thread, place, printed: Printed::passed(&passed) };
            let heard = heard(&told(&said)).unwrap();
            assert_eq!((heard.kind, heard.thread, heard.place), (TYPING, thread, place));
            assert_eq!(heard.printed.frame(), said.printed.frame());
        }
        for other in
            ["", "typing", "typing - -", "typing - - {", "conversation.creation - - {}", "typing x - {}"]
        {
            assert!(heard(other).is_none(), "{other}");
        }
    }

    #[test]
    fn nobody_talks_without_taking_breath() {
        let now = Instant::now();
        let mut breath = Breath::new(now);
        assert_eq!((0..30).filter(|_| breath.take(now)).count(), 20);
        assert_eq!((0..30).filter(|_| breath.take(now + Duration::from_secs(2))).count(), 10);
        assert_eq!((0..30).filter(|_| breath.take(now + Duration::from_secs(3600))).count(), 20);
    }
}
