//! Who is there: what people said of themselves a moment ago, for those who come in between. It is kept in memory by every node
//! that hears it, and forgotten soon; what is told as it happens is told by the hub.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use antiphon_store::{Millis, PortalId, ThreadId};
use antiphon_wire::answering::Present as Shown;
use antiphon_wire::id::{Id, MAX_SAFE};
use antiphon_wire::timestamp::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use super::filter::PRESENCE;
use super::hub::Passing;
use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// How long somebody is there after they said so.
const LASTS: Duration = Duration::from_secs(45);

/// Most who are remembered in a portal.
const MOST: usize = 2_000;

/// What somebody says who goes.
pub const AWAY: &str = "away";

/// What was passed on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    actor_id: Option<String>,
    thread_id: Option<Id>,
    state: Option<String>,
}

/// Who is where: everybody is at a thread once, or nowhere in particular.
type Place = (String, Option<ThreadId>);

#[derive(Debug, Clone)]
struct Seen {
    state: Option<String>,
    at: Millis,
    until: Instant,
}

/// Who is there in all portals.
#[derive(Debug, Default)]
pub struct Present(Mutex<HashMap<PortalId, HashMap<Place, Seen>>>);

impl Present {
    fn all(&self) -> MutexGuard<'_, HashMap<PortalId, HashMap<Place, Seen>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what is passed on, where it is that somebody is there.
    pub(super) fn hear(&self, portal: PortalId, passing: &Passing, at: Millis) {
        if passing.kind == PRESENCE {
            self.note(portal, &passing.printed.json(), at, Instant::now());
        }
    }

    /// Remembers what was said. `at` is when, as it is shown; `now` is when, as it is counted.
    fn note(&self, portal: PortalId, json: &[u8], at: Millis, now: Instant) {
        let Ok(Told { actor_id: Some(actor), thread_id, state }) = serde_json::from_slice(json) else {
            return;
        };
        let thread = thread_id.map(|id| ThreadId(id.0));
        let mut all = self.all();
        let there = all.entry(portal).or_default();
        if there.len() >= MOST {
            there.retain(|_, seen| seen.until > now);
        }
        let place = (actor, thread);
        if state.as_deref() == Some(AWAY) {
            there.remove(&place);
        } else if there.len() < MOST || there.contains_key(&place) {
            there.insert(place, Seen { state, at, until: now + LASTS });
        }
        if there.is_empty() {
            all.remove(&portal);
        }
    }

    /// Who is there, at a thread or anywhere, in the order of their names.
    fn shown(&self, portal: PortalId, thread: Option<ThreadId>, now: Instant) -> Vec<Shown> {
        let mut all = self.all();
        let Some(there) = all.get_mut(&portal) else { return Vec::new() };
        there.retain(|_, seen| seen.until > now);
        let wanted = there.iter().filter(|((_, at), _)| thread.is_none() || *at == thread);
        let mut shown: Vec<_> = wanted
            .map(|((actor, thread), seen)| Shown {
                actor_id: actor.clone(),
                thread_id: thread.map(|id| Id(id.0)),
                state: seen.state.clone(),
                at: Timestamp(seen.at),
            })
            .collect();
        if there.is_empty() {
            all.remove(&portal);
        }
        shown.sort_unstable_by(|a, b| (&a.actor_id, a.thread_id).cmp(&(&b.actor_id, b.thread_id)));
        shown
    }
}

/// `GET /presence`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let thread = call.query.id("threadId", MAX_SAFE).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let (present, portal) = (&call.app.realtime.present, call.caller.portal());
    let shown = present.shown(portal, thread.map(ThreadId), Instant::now());
    listing::whole(&call, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: PortalId = PortalId(1);

    fn told(present: &Present, thread: Option<i64>, now: Instant) -> Vec<String> {
        let shown = present.shown(HERE, thread.map(ThreadId), now);
        let line = |one: Shown| {
            let thread = one.thread_id.map_or("-".to_owned(), |id| id.to_string());
            format!("{} {thread} {}", one.actor_id, one.state.unwrap_or_default())
        };
        shown.into_iter().map(line).collect()
    }

    #[test]
    fn whoever_says_so_is_there_until_they_go_or_say_nothing_any_more() {
        let (present, now) = (Present::default(), Instant::now());
        let says = |json: &str, after: u64| {
            present.note(HERE, json.as_bytes(), 5, now + Duration::from_secs(after));
        };
        says(r#"{"actorId":"A-72","threadId":"55","state":"viewing"}"#, 0);
        says(r#"{"actorId":"A-71","threadId":"55","state":"replying"}"#, 1);
        says(r#"{"actorId":"A-71","state":"online"}"#, 1);
        says(r#"{"actorId":"A-71","threadId":"56"}"#, 2);
        says(r#"{"threadId":"56","state":"viewing"}"#, 2);
        says("[]", 2);
        let all = ["A-71 - online", "A-71 55 replying", "A-71 56 ", "A-72 55 viewing"];
        assert_eq!(told(&present, None, now + Duration::from_secs(2)), all);
        assert_eq!(told(&present, Some(55), now), ["A-71 55 replying", "A-72 55 viewing"]);
        assert!(present.shown(PortalId(2), None, now).is_empty());
        says(r#"{"actorId":"A-72","threadId":"55","state":"replying"}"#, 20);
        says(r#"{"actorId":"A-71","threadId":"55","state":"away"}"#, 20);
        assert_eq!(told(&present, Some(55), now + Duration::from_secs(46)), ["A-72 55 replying"]);
        assert_eq!(told(&present, None, now + Duration::from_secs(46)), ["A-71 56 ", "A-72 55 replying"]);
        assert!(told(&present, None, now + Duration::from_secs(65)).is_empty());
        assert!(present.all().is_empty(), "nothing is left behind");
    }

    #[test]
    fn a_crowd_is_remembered_up_to_a_bound() {
        let (present, now) = (Present::default(), Instant::now());
        for n in 0..MOST + 10 {
            present.note(HERE, format!(r#"{{"actorId":"A-{n}"}}"#).as_bytes(), 5, now);
        }
        assert_eq!(present.shown(HERE, None, now).len(), MOST);
        let later = now + LASTS;
        present.note(HERE, br#"{"actorId":"A-late"}"#, 5, later);
        assert_eq!(told(&present, None, later), ["A-late - "]);
    }
}
