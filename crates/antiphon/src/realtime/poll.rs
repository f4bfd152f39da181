//! Pages of the spine, for those who can do nothing else: at once, or as soon as there is something on them.

use std::sync::Arc;
use std::time::Duration;

use antiphon_store::Event;
use antiphon_wire::live::Resync;
use antiphon_wire::own::EventPage;
use tokio::time::{Instant, timeout_at};

use super::Way;
use super::filter::Filter;
use super::hub::Note;
use super::listener::{Listener, lost};
use super::print::Printed;
use super::spine::{self, PAGE};
use crate::call::{Answer, Call};
use crate::events::list::shown;
use crate::refusal::Refusal;

/// How long an answer may be waited for.
pub const LONGEST: Duration = Duration::from_secs(60);

/// How many events are looked at for one answer.
const LOOKED_AT: usize = 20_000;

/// `GET /events`
pub async fn page(call: &Call, filter: Arc<Filter>) -> Result<Answer, Refusal> {
    let (after, limit, wait) =
        (call.query.int("after"), call.query.limit("limit", 100, 500), call.query.int("wait"));
    let (after, limit, wait) = match (after, limit, wait) {
        (Ok(after), Ok(limit), Ok(wait)) => (after, limit, wait.unwrap_or_default()),
        (after, limit, wait) => {
            let problems = [after.err(), limit.err(), wait.err()];
            return Err(Refusal::Invalid(problems.into_iter().flatten().collect()));
        }
    };
    let Some(wait) = u64::try_from(wait).ok().map(Duration::from_secs).filter(|wait| *wait <= LONGEST) else {
        return Err(Refusal::invalid("wait", "wait must be between 0 and 60 seconds"));
    };
    let until = Instant::now() + wait;
    let (store, portal) = (&call.app.store, call.caller.portal());
    // Asked first, so that a page never reaches beyond the position it reports.
    let newest = store.event_position(portal).await?;
    let resumes = after.is_some();
    let mut at = after.unwrap_or_default().clamp(0, newest);
    let mut results: Vec<Event> = Vec::new();
    let mut looked_at = 0;
    while at < newest && looked_at < LOOKED_AT && results.len() < limit {
        // Without a filter nothing is read that is not answered.
        let most = if filter.is_everything() { limit - results.len() } else { PAGE };
        let read = store.events_after(portal, at, most).await?;
        let piece = spine::piece(store, portal, &filter, at, most, read).await?;
        let gone = piece.end && piece.reached == at && store.event_oldest(portal).await?.is_none();
        if resumes && (piece.lost || gone) {
            return resync(&lost(store, portal).await?);
        }
        looked_at += (piece.reached - at).max(1) as usize;
        at = piece.reached.min(newest);
        let left = limit - results.len();
        let more = piece.events.len() > left;
        results.extend(piece.events.into_iter().take(left));
        if more && let Some(last) = results.last() {
            at = last.position;
        } else if piece.end {
            at = newest;
        }
        results.retain(|event| event.position <= newest);
    }
    if results.is_empty() && at >= newest && !wait.is_zero() {
        return waited(call, filter, at, limit, until).await;
    }
    let results = results.into_iter().map(shown).collect();
    Answer::json(200, &EventPage { results, position: at, resync: None, oldest: None, newest: None })
}

fn resync(lost: &Resync) -> Result<Answer, Refusal> {
    let &Resync { position, oldest, newest, .. } = lost;
    let (oldest, newest) = (Some(oldest), Some(newest));
    Answer::json(200, &EventPage { results: Vec::new(), position, resync: Some(true), oldest, newest })
}

/// Waits for an event, and answers it with those that came together with it.
async fn waited(
    call: &Call,
    filter: Arc<Filter>,
    after: i64,
    limit: usize,
    until: Instant,
) -> Result<Answer, Refusal> {
    let mut listener = Listener::new(&call.app, &call.caller, filter, Way::Poll, Some(after)).await?;
    let mut results: Vec<Printed> = Vec::new();
    while results.is_empty() {
        match timeout_at(until, listener.next()).await {
            Ok(Ok(Note::At(_, printed))) => results.push(printed),
            Ok(Ok(Note::Lost(lost))) => return resync(&lost),
            Ok(Ok(Note::Passed(_))) => {}
            Ok(Err(_)) | Err(_) => break,
        }
    }
    while !results.is_empty() && results.len() < limit {
        match listener.ready().await {
            Some(Note::At(_, printed)) => results.push(printed),
            Some(Note::Passed(_)) => {}
            Some(Note::Lost(lost)) => return resync(&lost),
            None => break,
        }
    }
    // The events are printed already.
    let mut body = br#"{"results":["#.to_vec();
    for (n, printed) in results.iter().enumerate() {
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&printed.json());
    }
    body.extend_from_slice(format!(r#"],"position":{}}}"#, listener.position()).as_bytes());
    Ok(Answer::ok(body))
}
