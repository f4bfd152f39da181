//! The end of a transaction: one statement a table for all the batch gathered, and the commit, sent together.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::types::ToSql;

use super::apply::Writes;
use super::batch::Batch;
use super::connect::Session;
use super::failure::{Failure, Result};
use crate::threads::population;
use crate::threads::work::tags_text;
use crate::{Kind, Thread, ThreadId};

const MESSAGES: &str = "INSERT INTO messages (portal_id, key, id, kind, direction, created_at, format, doc) \
     SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::smallint[], $5::smallint[], $6::bigint[], $7::smallint[], \
     $8::bytea[])";
const ORIGINALS: &str =
    "INSERT INTO originals (portal_id, message, body) SELECT $1, * FROM unnest($2::bigint[], $3::bytea[])";
const MENTIONS: &str = "INSERT INTO mentions (portal_id, kind, object_id, message) \
     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING";
const NEW_THREADS: &str = "INSERT INTO threads (portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, \
     spam, assigned_to, ticket_id, created_at, closed_at, archived_at, latest_message_at, latest_sent_at, \
     latest_received_at, latest_message_id, latest_entry_at, entries, revision, subject, snoozed_until, tags, preview) \
     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], \
     $8::boolean[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], \
     $16::bigint[], $17::bytea[], $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::bigint[], $23::text[], \
     $24::text[])";
const THREADS: &str = "UPDATE threads t SET inbox_id = n.inbox_id, population = n.population, channel_id = n.channel_id, \
     account_id = n.account_id, visitor_id = n.visitor_id, spam = n.spam, assigned_to = n.assigned_to, \
     ticket_id = n.ticket_id, created_at = n.created_at, closed_at = n.closed_at, archived_at = n.archived_at, \
     latest_message_at = n.latest_message_at, latest_sent_at = n.latest_sent_at, \
     latest_received_at = n.latest_received_at, latest_message_id = n.latest_message_id, \
     latest_entry_at = n.latest_entry_at, entries = n.entries, revision = n.revision, subject = n.subject, \
     snoozed_until = n.snoozed_until, tags = n.tags, preview = n.preview \
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], \
     $8::boolean[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], \
     $16::bigint[], $17::bytea[], $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::bigint[], $23::text[], \
     $24::text[]) AS n (id, inbox_id, population, channel_id, account_id, visitor_id, spam, assigned_to, ticket_id, created_at, \
     closed_at, archived_at, latest_message_at, latest_sent_at, latest_received_at, latest_message_id, latest_entry_at, \
     entries, revision, subject, snoozed_until, tags, preview) WHERE t.portal_id = $1 AND t.id = n.id";
const CONTINUED: &str = "UPDATE threads t SET latest_message_at = n.latest_message_at, latest_sent_at = n.latest_sent_at, \
     latest_received_at = n.latest_received_at, latest_message_id = n.latest_message_id, \
     latest_entry_at = n.latest_entry_at, entries = n.entries, revision = n.revision, preview = n.preview \
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[], $8::bigint[], \
     $9::bigint[], $10::text[]) AS n (id, latest_message_at, latest_sent_at, latest_received_at, latest_message_id, \
     latest_entry_at, entries, revision, preview) WHERE t.portal_id = $1 AND t.id = n.id";
const MOVED: &str = "UPDATE thread_places p SET inbox_id = n.inbox_id, population = n.population, \
     visitor_id = n.visitor_id, latest_message_at = n.latest_message_at, account_id = n.account_id, state = n.state, \
     assigned_to = n.assigned_to, latest_at = n.latest_at \
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[], \
     $9::text[], $10::bigint[]) \
     AS n (id, inbox_id, population, visitor_id, latest_message_at, account_id, state, assigned_to, latest_at) \
     WHERE p.portal_id = $1 AND p.id = n.id";
const PLACES: &str = "INSERT INTO thread_places (portal_id, id, inbox_id, population, visitor_id, latest_message_at, \
     account_id, state, assigned_to, latest_at) \
     SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], \
     $8::smallint[], $9::text[], $10::bigint[])";
const UNTAGGED: &str = "DELETE FROM thread_tags WHERE portal_id = $1 AND thread_id = ANY ($2::bigint[])";
const TAGGED: &str = "INSERT INTO thread_tags (portal_id, thread_id, tag_id, inbox_id, account_id, state, assigned_to, \
     latest_at) SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[], \
     $7::text[], $8::bigint[])";
pub(super) const COUNTS: &str = "INSERT INTO thread_counts (portal_id, slot, tag_id, state, inbox_id, account_id, \
     assigned_to, n) SELECT $1, $2, * FROM unnest($3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[], $7::text[], \
     $8::bigint[]) ON CONFLICT (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot) \
     DO UPDATE SET n = thread_counts.n + excluded.n";
/// A key whose thread is known to be gone is free again; any other was spent by somebody who was quicker. It is not asked here
/// whether a thread is gone: Citus does not look into what is asked behind `ON CONFLICT`.
const IDEMPOTENCY_KEYS: &str = "INSERT INTO idempotency_keys (portal_id, account_id, key, thread_id, message_id) \
     SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bytea[]) \
     ON CONFLICT (portal_id, account_id, key) DO UPDATE SET thread_id = excluded.thread_id, message_id = excluded.message_id \
     WHERE idempotency_keys.thread_id = ANY($6)";
macro_rules! events {
    ($revision:literal) => {
        concat!(
            "INSERT INTO unnumbered_events (portal_id, stamp, batch, ordinal, kind, object, object_id, revision, \
             occurred_at, payload) SELECT $1, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint, $2, n.ordinal, \
             n.kind, n.object, n.object_id, ",
            $revision,
            ", n.occurred_at, n.payload FROM unnest($3::bigint[], $4::smallint[], $5::smallint[], $6::bigint[], \
             $7::bigint[], $8::bigint[], $9::text[]) AS n (ordinal, kind, object, object_id, revision, occurred_at, payload)"
        )
    };
}
/// The stamp is taken when the batch's threads are locked, so that whoever locks one of them next has a later one.
const EVENTS: &str = events!("n.revision");
/// Where the batch has not seen every object.
const EVENTS_OF_UNSEEN: &str = events!(
    "coalesce(n.revision, CASE n.object \
     WHEN 1 THEN (SELECT revision FROM threads WHERE portal_id = $1 AND id = n.object_id) \
     WHEN 2 THEN (SELECT revision FROM visitors WHERE portal_id = $1 AND id = n.object_id) \
     WHEN 3 THEN (SELECT revision FROM tickets WHERE portal_id = $1 AND id = n.object_id) \
     WHEN 4 THEN (SELECT revision FROM files WHERE portal_id = $1 AND id = n.object_id) END, 0)"
);
/// What a conflict sets is computed from columns alone, as Citus wants it.
const TALLY: &str = "INSERT INTO tallies (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, now()) ON CONFLICT (portal_id, slot) DO UPDATE SET threads = tallies.threads + $3, \
     messages = tallies.messages + $4, bytes = tallies.bytes + $5, latest_now = greatest(tallies.latest_now, $6), \
     batch = $7, written_at = excluded.written_at";

/// Says whose it is, where the database shows what it does and where a test cuts the line: other transactions end as well.
const COMMIT: &str = "COMMIT /* changes */";

/// Every statement here. A session prepares them when it begins: one that still had to be prepared would be overtaken by
/// the commit behind it.
pub(super) const STATEMENTS: [&str; 15] = [
    MESSAGES,
    ORIGINALS,
    MENTIONS,
    NEW_THREADS,
    THREADS,
    CONTINUED,
    PLACES,
    MOVED,
    UNTAGGED,
    TAGGED,
    COUNTS,
    IDEMPOTENCY_KEYS,
    EVENTS,
    EVENTS_OF_UNSEEN,
    TALLY,
];

type Step<'a> = Pin<Box<dyn Future<Output = std::result::Result<u64, tokio_postgres::Error>> + Send + 'a>>;

/// Statements that are sent one behind the other without waiting for answers.
struct Pipeline<'a> {
    session: &'a Session,
    steps: Vec<Step<'a>>,
}

/// A value that its statement owns.
type Own = Box<dyn ToSql + Sync + Send>;

impl<'a> Pipeline<'a> {
    fn push(&mut self, sql: &'static str, values: Vec<Own>) -> Result<()> {
        let (statement, client) = (self.session.statement(sql)?, &self.session.client);
        self.steps.push(Box::pin(async move {
            let values: Vec<&(dyn ToSql + Sync)> =
                values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
            client.execute_raw(statement, values).await
        }));
        Ok(())
    }

    /// Sends everything in order, then waits for all answers. Each step sends when it is polled first; one that fails then
    /// was not sent, and nothing is sent behind it, least of all the commit.
    async fn run(self) -> Vec<std::result::Result<u64, tokio_postgres::Error>> {
        let mut steps: Vec<(Step<'a>, Option<_>)> = self.steps.into_iter().map(|step| (step, None)).collect();
        let mut sending = true;
        std::future::poll_fn(|context| {
            let mut waiting = false;
            let mut count = steps.len();
            for (at, (step, done)) in steps.iter_mut().enumerate().filter(|(_, (_, done))| done.is_none()) {
                match step.as_mut().poll(context) {
                    Poll::Ready(answer) => {
                        let unsent = sending && answer.is_err();
                        *done = Some(answer);
                        if unsent {
                            count = at + 1;
                            break;
                        }
                    }
                    Poll::Pending => waiting = true,
                }
            }
            sending = false;
            steps.truncate(count);
            if waiting { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        steps.into_iter().filter_map(|(_, done)| done).collect()
    }
}

/// How a commit can fail.
pub(super) enum Broken {
    /// The server undid the transaction.
    Undone(Failure),
    /// The connection went before the server said what became of it.
    Unknown(String),
}

impl From<Failure> for Broken {
    fn from(e: Failure) -> Self {
        Self::Undone(e)
    }
}

/// Writes what a batch gathered, and commits.
pub(super) async fn commit(batch: &Batch<'_>, slot: i64, mark: i64) -> std::result::Result<(), Broken> {
    let (writes, portal) = (&batch.writes, batch.portal.0);
    let mut pipeline = Pipeline { session: batch.session, steps: Vec::with_capacity(10) };
    push_threads(&mut pipeline, batch)?;
    push_counts(&mut pipeline, writes, portal, slot)?;
    push_messages(&mut pipeline, writes, portal)?;
    let mut keys = None;
    if !writes.idempotency_keys.is_empty() {
        keys = Some((pipeline.steps.len(), writes.idempotency_keys.len() as u64));
        let column = |of: fn(&(i64, String, crate::Earlier)) -> i64| -> Own {
            Box::new(list(&writes.idempotency_keys, of))
        };
        let names: Vec<String> = list(&writes.idempotency_keys, |key| key.1.clone());
        let messages: Vec<Vec<u8>> = list(&writes.idempotency_keys, |key| key.2.message_id.0.to_vec());
        let values = vec![
            Box::new(portal) as Own,
            column(|key| key.0),
            Box::new(names),
            column(|key| key.2.thread_id.0),
            Box::new(messages),
            Box::new(writes.gone.clone()),
        ];
        pipeline.push(IDEMPOTENCY_KEYS, values)?;
    }
    push_events(&mut pipeline, writes, portal, mark)?;
    let held = writes.held;
    let values: Vec<Own> = vec![
        Box::new(portal),
        Box::new(slot),
        Box::new(held.threads),
        Box::new(held.messages),
        Box::new(held.bytes),
        Box::new(batch.latest_now),
        Box::new(mark),
    ];
    pipeline.push(TALLY, values)?;
    // Whether every key was free is known only now; if one was not, nothing may stand.
    let client = &batch.session.client;
    if keys.is_none() {
        pipeline.steps.push(Box::pin(async move { client.batch_execute(COMMIT).await.map(|()| 0) }));
    }
    let answers = pipeline.run().await;
    if let Some((at, wanted)) = keys {
        if let Some(Ok(written)) = answers.get(at)
            && *written < wanted
        {
            return Err(Failure::Raced("an idempotency key was spent meanwhile".into()).into());
        }
        settle(answers)?;
        return client.batch_execute(COMMIT).await.map_err(judged);
    }
    settle(answers)
}

/// The first thing that went wrong, if any did.
fn settle(answers: Vec<std::result::Result<u64, tokio_postgres::Error>>) -> std::result::Result<(), Broken> {
    answers.into_iter().collect::<std::result::Result<Vec<_>, _>>().map(drop).map_err(judged)
}

/// An ordinary error undoes the transaction. Anything graver ends the connection, whatever became of the commit.
fn judged(e: tokio_postgres::Error) -> Broken {
    match e.as_db_error().and_then(|e| e.parsed_severity()) {
        Some(tokio_postgres::error::Severity::Error) => Broken::Undone(e.into()),
        _ => Broken::Unknown(super::failure::chain(&e)),
    }
}

fn list<T, V>(of: &[T], value: impl Fn(&T) -> V) -> Vec<V> {
    of.iter().map(value).collect()
}

fn push_messages(pipeline: &mut Pipeline<'_>, writes: &Writes, portal: i64) -> Result<()> {
    let all = &writes.messages;
    if all.is_empty() {
        return Ok(());
    }
    let values: Vec<Own> = vec![
        Box::new(portal),
        Box::new(list(all, |(key, _)| *key)),
        Box::new(list(all, |(_, m)| m.id.0.to_vec())),
        Box::new(list(all, |(_, m)| i16::from(m.kind as u8))),
        Box::new(list(all, |(_, m)| m.direction.map(|direction| i16::from(direction as u8)))),
        Box::new(list(all, |(_, m)| m.created_at)),
        Box::new(list(all, |(_, m)| i16::from(m.document.format))),
        Box::new(list(all, |(_, m)| m.document.bytes.clone())),
    ];
    pipeline.push(MESSAGES, values)?;
    let originals: Vec<(i64, &Vec<u8>)> =
        all.iter().filter_map(|(key, m)| Some((*key, m.original.as_ref()?))).collect();
    if !originals.is_empty() {
        let (keys, bodies): (Vec<i64>, Vec<Vec<u8>>) =
            originals.into_iter().map(|(key, body)| (key, body.clone())).unzip();
        pipeline.push(ORIGINALS, vec![Box::new(portal), Box::new(keys), Box::new(bodies)])?;
    }
    let mentions: Vec<(i64, i64, i64)> = all
        .iter()
        .flat_map(|(key, m)| {
            let people = m.people.iter().map(|id| (2, id.0, *key));
            people.chain(m.files.iter().map(|id| (4, *id, *key)))
        })
        .collect();
    if !mentions.is_empty() {
        let values: Vec<Own> = vec![
            Box::new(portal),
            Box::new(list(&mentions, |mention| mention.0)),
            Box::new(list(&mentions, |mention| mention.1)),
            Box::new(list(&mentions, |mention| mention.2)),
        ];
        pipeline.push(MENTIONS, values)?;
    }
    Ok(())
}

fn push_threads(pipeline: &mut Pipeline<'_>, batch: &Batch<'_>) -> Result<()> {
    let (writes, portal) = (&batch.writes, batch.portal.0);
    let of = |ids: &std::collections::BTreeSet<ThreadId>| -> Vec<Thread> {
        ids.iter().filter_map(|id| batch.found.threads.get(id).cloned()).collect()
    };
    for (sql, ids) in [(NEW_THREADS, &writes.made), (THREADS, &writes.changed)] {
        if !ids.is_empty() {
            pipeline.push(sql, thread_columns(portal, &of(ids)))?;
        }
    }
    let continued = of(&writes.continued);
    if !continued.is_empty() {
        let values: Vec<Own> = vec![
            Box::new(portal),
            Box::new(list(&continued, |t| t.id.0)),
            Box::new(list(&continued, |t| t.latest_message_at)),
            Box::new(list(&continued, |t| t.latest_sent_at)),
            Box::new(list(&continued, |t| t.latest_received_at)),
            Box::new(list(&continued, |t| t.latest_message_id.map(|id| id.0.to_vec()))),
            Box::new(list(&continued, |t| t.latest_entry_at)),
            Box::new(list(&continued, |t| t.entries)),
            Box::new(list(&continued, |t| t.revision)),
            Box::new(list(&continued, |t| t.preview.clone())),
        ];
        pipeline.push(CONTINUED, values)?;
    }
    for (sql, ids) in [(PLACES, &writes.placed), (MOVED, &writes.moved)] {
        let places = of(ids);
        if places.is_empty() {
            continue;
        }
        let values: Vec<Own> = vec![
            Box::new(portal),
            Box::new(list(&places, |t| t.id.0)),
            Box::new(list(&places, |t| t.inbox_id.0)),
            Box::new(list(&places, |t| population(t.is_archived(), t.status))),
            Box::new(list(&places, |t| t.visitor_id.0)),
            Box::new(list(&places, |t| t.latest_message_at)),
            Box::new(list(&places, |t| t.account_id.0)),
            Box::new(list(&places, |t| t.state() as i16)),
            Box::new(list(&places, |t| t.assigned_to.clone().unwrap_or_default())),
            Box::new(list(&places, Thread::latest_at)),
        ];
        pipeline.push(sql, values)?;
    }
    if !writes.tagged.is_empty() {
        let ids: Vec<i64> = writes.tagged.iter().map(|id| id.0).collect();
        pipeline.push(UNTAGGED, vec![Box::new(portal), Box::new(ids)])?;
        let threads = of(&writes.tagged);
        let tags: Vec<(&Thread, i64)> =
            threads.iter().flat_map(|thread| thread.tags.iter().map(move |tag| (thread, tag.0))).collect();
        let values: Vec<Own> = vec![
            Box::new(portal),
            Box::new(list(&tags, |(t, _)| t.id.0)),
            Box::new(list(&tags, |(_, tag)| *tag)),
            Box::new(list(&tags, |(t, _)| t.inbox_id.0)),
            Box::new(list(&tags, |(t, _)| t.account_id.0)),
            Box::new(list(&tags, |(t, _)| t.state() as i16)),
            Box::new(list(&tags, |(t, _)| t.assigned_to.clone().unwrap_or_default())),
            Box::new(list(&tags, |(t, _)| t.latest_at())),
        ];
        pipeline.push(TAGGED, values)?;
    }
    Ok(())
}

fn push_counts(pipeline: &mut Pipeline<'_>, writes: &Writes, portal: i64, slot: i64) -> Result<()> {
    let counts: Vec<(&Kind, i64)> =
        writes.counts.iter().map(|(kind, n)| (kind, *n)).filter(|(_, n)| *n != 0).collect();
    if counts.is_empty() {
        return Ok(());
    }
    let mut values: Vec<Own> = vec![Box::new(portal), Box::new(slot)];
    values.extend(count_columns(&counts));
    pipeline.push(COUNTS, values)
}

/// What is added to counts, as [`COUNTS`] takes it behind portal and slot.
pub(super) fn count_columns(counts: &[(&Kind, i64)]) -> Vec<Own> {
    vec![
        Box::new(list(counts, |(kind, _)| kind.tag_number())),
        Box::new(list(counts, |(kind, _)| kind.state as i16)),
        Box::new(list(counts, |(kind, _)| kind.inbox.0)),
        Box::new(list(counts, |(kind, _)| kind.account.0)),
        Box::new(list(counts, |(kind, _)| kind.assignee().to_owned())),
        Box::new(list(counts, |(_, n)| *n)),
    ]
}

fn thread_columns(portal: i64, all: &[Thread]) -> Vec<Own> {
    vec![
        Box::new(portal),
        Box::new(list(all, |t| t.id.0)),
        Box::new(list(all, |t| t.inbox_id.0)),
        Box::new(list(all, |t| population(t.is_archived(), t.status))),
        Box::new(list(all, |t| t.channel_id)),
        Box::new(list(all, |t| t.account_id.0)),
        Box::new(list(all, |t| t.visitor_id.0)),
        Box::new(list(all, |t| t.spam)),
        Box::new(list(all, |t| t.assigned_to.clone())),
        Box::new(list(all, |t| t.ticket_id.map(|id| id.0))),
        Box::new(list(all, |t| t.created_at)),
        Box::new(list(all, |t| t.closed_at)),
        Box::new(list(all, |t| t.archived_at)),
        Box::new(list(all, |t| t.latest_message_at)),
        Box::new(list(all, |t| t.latest_sent_at)),
        Box::new(list(all, |t| t.latest_received_at)),
        Box::new(list(all, |t| t.latest_message_id.map(|id| id.0.to_vec()))),
        Box::new(list(all, |t| t.latest_entry_at)),
        Box::new(list(all, |t| t.entries)),
        Box::new(list(all, |t| t.revision)),
        Box::new(list(all, |t| t.subject.clone())),
        Box::new(list(all, |t| t.snoozed_until)),
        Box::new(list(all, |t| tags_text(&t.tags))),
        Box::new(list(all, |t| t.preview.clone())),
    ]
}

fn push_events(pipeline: &mut Pipeline<'_>, writes: &Writes, portal: i64, mark: i64) -> Result<()> {
    let all = &writes.events;
    if all.is_empty() {
        return Ok(());
    }
    let ordinals: Vec<i64> = (0..all.len() as i64).collect();
    let values: Vec<Own> = vec![
        Box::new(portal),
        Box::new(mark),
        Box::new(ordinals),
        Box::new(list(all, |(_, event)| i16::from(event.kind as u8))),
        Box::new(list(all, |(_, event)| i16::from(event.object as u8))),
        Box::new(list(all, |(_, event)| event.object_id)),
        Box::new(list(all, |(revision, _)| *revision)),
        Box::new(list(all, |(_, event)| event.occurred_at)),
        Box::new(list(all, |(_, event)| event.payload.clone())),
    ];
    let seen = all.iter().all(|(revision, _)| revision.is_some());
    pipeline.push(if seen { EVENTS } else { EVENTS_OF_UNSEEN }, values)
}
