//! Reading the journal: where entries are. What is in them is behind the addresses that are answered.

use antiphon_store::{App, JournalEntry, JournalPlace, PortalId};
use antiphon_wire::batch::Batch;
use antiphon_wire::error::Problem;
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::journal::{EntriesRead, Fetch, MAX_ENTRIES};

use super::file;
use crate::call::{Answer, Call};
use crate::operation::Family;
use crate::refusal::Refusal;

/// Where the journal of one portal is.
const LOCAL: &str = "/webhooks-journal/journal-local/";

/// A portal that there is not.
const NOWHERE: PortalId = PortalId(-1);

/// `GET /earliest`
pub async fn earliest(call: Call) -> Result<Answer, Refusal> {
    let (call, of) = about(call).await?;
    one(&call, of, JournalPlace::Earliest).await
}

/// `GET /latest`
pub async fn latest(call: Call) -> Result<Answer, Refusal> {
    let (call, of) = about(call).await?;
    one(&call, of, JournalPlace::Latest).await
}

/// `GET /offset/{offset}/next`
pub async fn next(call: Call) -> Result<Answer, Refusal> {
    let (call, of) = about(call).await?;
    let place = behind(&call).await?;
    one(&call, of, place).await
}

/// `GET /batch/earliest/{count}`
pub async fn batch_earliest(call: Call) -> Result<Answer, Refusal> {
    let count = count(call.segment(0))?;
    let (call, of) = about(call).await?;
    batch(&call, of, JournalPlace::Earliest, count).await
}

/// `GET /batch/latest/{count}`
pub async fn batch_latest(call: Call) -> Result<Answer, Refusal> {
    let count = count(call.segment(0))?;
    let (call, of) = about(call).await?;
    batch(&call, of, JournalPlace::Latest, count).await
}

/// `GET /batch/{offset}/next/{count}`
pub async fn batch_next(call: Call) -> Result<Answer, Refusal> {
    let count = count(call.segment(1))?;
    let (call, of) = about(call).await?;
    let place = behind(&call).await?;
    batch(&call, of, place, count).await
}

/// `POST /batch/read`
pub async fn read(call: Call) -> Result<Answer, Refusal> {
    let started = call.app.store.now();
    let (call, of) = about(call).await?;
    let app = owner(&call)?;
    let body: EntriesRead = call.json()?;
    let mut inputs = body.inputs.ok_or_else(|| Refusal::Invalid(vec![Problem::required("inputs")]))?;
    if inputs.len() > MAX_ENTRIES {
        return Err(Refusal::invalid("inputs", format!("At most {MAX_ENTRIES} entries may be read at once")));
    }
    let mut seen = std::collections::HashSet::new();
    inputs.retain(|offset| seen.insert(offset.clone()));
    let (mut results, mut unknown) = (Vec::new(), Vec::new());
    for sent in inputs {
        let found = known(&call, &sent).await?;
        match found.filter(|entry| of.is_none_or(|of| of == entry.of)) {
            Some(entry) => results.push(shown(&call, app, &entry)),
            None => unknown.push(sent),
        }
    }
    let status = if unknown.is_empty() { 200 } else { Family::Journal.partial_status(call.version) };
    Answer::json(status, &Batch::new(results, unknown, started, call.app.store.now()))
}

/// The call where the app is at home, and the portal that it is restricted to. What is below `journal-local` is about the portal
/// that the token is for, and no other.
async fn about(call: Call) -> Result<(Call, Option<PortalId>), Refusal> {
    let asked = super::restricted(&call)?;
    let local = call.uri_path.starts_with(LOCAL).then(|| call.caller.portal());
    let of = match (asked, local) {
        (Some(asked), Some(local)) if asked != local => Some(NOWHERE),
        (asked, local) => asked.or(local),
    };
    Ok((super::at_home(call).await?, of))
}

async fn one(call: &Call, of: Option<PortalId>, place: JournalPlace) -> Result<Answer, Refusal> {
    match found(call, of, place, 1).await?.first() {
        Some(entry) => Answer::json(200, entry),
        None => Ok(Answer::none()),
    }
}

async fn batch(
    call: &Call,
    of: Option<PortalId>,
    place: JournalPlace,
    count: usize,
) -> Result<Answer, Refusal> {
    let started = call.app.store.now();
    let results = found(call, of, place, count).await?;
    Answer::json(200, &Batch::new(results, Vec::new(), started, call.app.store.now()))
}

async fn found(
    call: &Call,
    of: Option<PortalId>,
    place: JournalPlace,
    count: usize,
) -> Result<Vec<Fetch>, Refusal> {
    let app = owner(call)?;
    let store = &call.app.store;
    let since = store.now() - super::KEPT;
    let entries = store.journal_entries(call.caller.portal(), app.id, (since, of), place, count).await?;
    Ok(entries.iter().map(|entry| shown(call, app, entry)).collect())
}

/// Behind which entry the caller wants to go on, whichever portal that one is of.
async fn behind(call: &Call) -> Result<JournalPlace, Refusal> {
    let sent = call.segment(0);
    let entry = known(call, sent).await?.ok_or_else(|| Refusal::not_found(sent))?;
    Ok(JournalPlace::Behind(entry.id))
}

async fn known(call: &Call, offset: &str) -> Result<Option<JournalEntry>, Refusal> {
    let Some(name) = super::uuid(offset) else { return Ok(None) };
    let store = &call.app.store;
    let since = store.now() - super::KEPT;
    Ok(store.journal_entry(call.caller.portal(), call.caller.app(), name, since).await?)
}

fn shown(call: &Call, app: &App, entry: &JournalEntry) -> Fetch {
    file::fetch(&call.origin, call.caller.portal(), app, entry.name, call.app.store.now())
}

fn owner(call: &Call) -> Result<&App, Refusal> {
    let app = call.caller.app();
    call.caller.directory.app(app).ok_or_else(|| Refusal::not_found(app))
}

fn count(sent: &str) -> Result<usize, Refusal> {
    let count = sent.parse().ok().filter(|count| (1..=MAX_INT32).contains(count));
    let count =
        count.ok_or_else(|| Refusal::invalid("count", format!("`{sent}` is not a number from 1 on")))?;
    Ok(usize::try_from(count).map_or(MAX_ENTRIES, |count| count.min(MAX_ENTRIES)))
}
