//! Mentions: notes in which an agent is called, and whether they have read them.

use antiphon_mail::text;
use antiphon_store::{Calling, MessageId, StoredMessage};
use antiphon_wire::answering::{Mention, Unseen};
use antiphon_wire::cursor::List;
use antiphon_wire::id::Id;
use antiphon_wire::message as wire;
use antiphon_wire::timestamp::Timestamp;

use crate::actors::acting::asking;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::listing;
use crate::refusal::Refusal;
use crate::threads::lifecycle::preview;

/// `GET /mentions`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let mut checks = Checks::default();
    let agent = checks.take(asking(&call)).unwrap_or_default();
    let asked = checks.all(listing::behind(&call.query, List::Mentions));
    checks.done()?;
    let (limit, after) = asked.unwrap_or_default();
    let after = after.and_then(|key| key.try_into().ok()).map(MessageId);
    let (store, portal) = (&call.app.store, call.caller.portal());
    let mut found = store.callings(portal, agent, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let ids: Vec<_> = found.iter().map(|one| (one.thread_id, one.message_id)).collect();
    let notes = store.messages_by_ids(portal, &ids).await?;
    let next = found.last().filter(|_| more).map(|last| last.message_id.0.to_vec());
    listing::until_key(&call, List::Mentions, found.into_iter().map(|one| shown(one, &notes)), next)
}

/// `GET /mentions/unseen`
pub async fn unseen(call: Call) -> Result<Answer, Refusal> {
    let agent = asking(&call).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let unseen = call.app.store.callings_unseen(call.caller.portal(), agent).await?;
    Answer::json(200, &Unseen { unseen })
}

fn shown(calling: Calling, notes: &[StoredMessage]) -> Mention {
    let note = notes.iter().find(|note| note.id == calling.message_id);
    let note = note.and_then(|note| wire::read(&note.document.bytes));
    let words = note.and_then(|note| match note.text {
        Some(plain) if !plain.trim().is_empty() => preview(&plain),
        _ => preview(&text::from_html(note.rich_text.as_deref().unwrap_or_default())),
    });
    Mention {
        thread_id: Id(calling.thread_id.0),
        message_id: calling.message_id.to_string(),
        by: calling.caller,
        at: Timestamp(calling.at),
        seen: calling.seen,
        text: words,
    }
}
