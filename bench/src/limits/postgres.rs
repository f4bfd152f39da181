//! The bare loop on PostgreSQL: the rows of sends in array batches, on as many connections as the server writes on.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio_postgres::{Client, NoTls};

use crate::seed::PORTAL;

const MESSAGES: &str = "INSERT INTO messages (portal_id, key, id, kind, direction, created_at, format, doc) \
    SELECT $1, n.key, n.id, 1, 2, n.at, 1, n.doc \
    FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[]) AS n (key, id, at, doc)";
const THREADS: &str = "UPDATE threads t SET latest_message_at = n.at, latest_sent_at = n.at, latest_entry_at = n.at, \
    latest_message_id = n.message, entries = n.entries, revision = t.revision + 1 \
    FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[]) AS n (id, at, message, entries) \
    WHERE t.portal_id = $1 AND t.id = n.id";
const PLACES: &str = "UPDATE thread_places p SET latest_message_at = n.at \
    FROM unnest($2::bigint[], $3::bigint[]) AS n (id, at) WHERE p.portal_id = $1 AND p.id = n.id";
const EVENTS: &str = "INSERT INTO unnumbered_events (portal_id, stamp, batch, ordinal, kind, object, object_id, revision, \
    occurred_at, payload) SELECT $1, $2, $3, n.ordinal, 2, 1, n.id, n.revision, n.at, n.payload \
    FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[]) AS n (ordinal, id, revision, at, payload)";
const TALLY: &str = "INSERT INTO tallies (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
    VALUES ($1, $2, 0, $3, $4, $5, $6, now()) ON CONFLICT (portal_id, slot) DO UPDATE SET \
    messages = tallies.messages + $3, bytes = tallies.bytes + $4, latest_now = $5, batch = $6, written_at = now()";

/// Loops that share the threads between them, so that none waits for another.
pub struct Writer {
    url: String,
    lanes: Vec<Vec<Thread>>,
    document: Vec<u8>,
}

/// What a send must know of a thread. The loop keeps it and reads nothing.
#[derive(Clone)]
struct Thread {
    id: i64,
    entries: i64,
    latest: i64,
}

impl Writer {
    pub async fn open(url: &str, connections: usize) -> Result<Self> {
        let client = connect(url).await?;
        let rows = client
            .query("SELECT id, entries, latest_entry_at FROM threads WHERE portal_id = $1", &[&PORTAL.0])
            .await?;
        let mut lanes = vec![Vec::new(); connections];
        for row in rows {
            let id: i64 = row.try_get(0)?;
            let thread = Thread { id, entries: row.try_get(1)?, latest: row.try_get(2)? };
            lanes[id as usize % connections].push(thread);
        }
        let last = "SELECT doc FROM messages WHERE portal_id = $1 ORDER BY key DESC LIMIT 1";
        let document = client.query_one(last, &[&PORTAL.0]).await?.try_get(0)?;
        Ok(Self { url: url.to_owned(), lanes, document })
    }

    /// Commits batches of this size for a while: messages per second, over all connections.
    pub async fn run(&mut self, batch: usize, time: Duration) -> Result<f64> {
        let mut loops = tokio::task::JoinSet::new();
        for (slot, threads) in std::mem::take(&mut self.lanes).into_iter().enumerate() {
            let (url, document) = (self.url.clone(), self.document.clone());
            loops.spawn(async move { lane(&url, slot as i64 + 1, threads, document, batch, time).await });
        }
        let mut rate = 0.0;
        while let Some(done) = loops.join_next().await {
            let (threads, own) = done??;
            self.lanes.push(threads);
            rate += own;
        }
        Ok(rate)
    }
}

async fn lane(
    url: &str,
    slot: i64,
    mut threads: Vec<Thread>,
    document: Vec<u8>,
    batch: usize,
    time: Duration,
) -> Result<(Vec<Thread>, f64)> {
    let client = connect(url).await?;
    let [messages, update, places, events, tally] = [
        client.prepare(MESSAGES).await?,
        client.prepare(THREADS).await?,
        client.prepare(PLACES).await?,
        client.prepare(EVENTS).await?,
        client.prepare(TALLY).await?,
    ];
    let mut dice = fastrand::Rng::new();
    let (began, mut sent) = (Instant::now(), 0);
    while began.elapsed() < time {
        let now = jiff::Timestamp::now().as_millisecond();
        let mark = dice.i64(..);
        // A thread is written once in a batch, however many messages it gets: here each gets one.
        let drawn: std::collections::BTreeSet<usize> =
            (0..batch).map(|_| dice.usize(..threads.len())).collect();
        let (mut ids, mut keys, mut ats, mut uuids, mut entries) = (vec![], vec![], vec![], vec![], vec![]);
        for at in &drawn {
            let thread = &mut threads[*at];
            thread.latest = now.max(thread.latest + 1);
            let mut id = [0u8; 16];
            id[..8].copy_from_slice(&((thread.latest as u64) << 16 | 0x7000).to_be_bytes());
            id[8..].copy_from_slice(&dice.u64(..).to_be_bytes());
            keys.push(thread.id << 24 | thread.entries);
            thread.entries += 1;
            ids.push(thread.id);
            ats.push(thread.latest);
            uuids.push(id.to_vec());
            entries.push(thread.entries);
        }
        let count = drawn.len() as i64;
        let ordinals: Vec<i64> = (0..count).collect();
        let payloads: Vec<String> = uuids
            .iter()
            .map(|id| {
                let id = u128::from_be_bytes(id.as_slice().try_into().unwrap_or_default());
                format!("{{\"messageId\":\"{id:032x}\",\"messageType\":\"MESSAGE\"}}")
            })
            .collect();
        let documents = vec![&document; drawn.len()];
        let bytes = count * document.len() as i64;
        let stamp = now * 1000;
        // Polled first in this order, they are sent in this order.
        tokio::try_join!(
            client.batch_execute("BEGIN"),
            async { client.execute(&update, &[&PORTAL.0, &ids, &ats, &uuids, &entries]).await },
            async { client.execute(&places, &[&PORTAL.0, &ids, &ats]).await },
            async { client.execute(&messages, &[&PORTAL.0, &keys, &uuids, &ats, &documents]).await },
            async {
                client
                    .execute(&events, &[&PORTAL.0, &stamp, &mark, &ordinals, &ids, &entries, &ats, &payloads])
                    .await
            },
            async { client.execute(&tally, &[&PORTAL.0, &slot, &count, &bytes, &now, &mark]).await },
            client.batch_execute("COMMIT"),
        )?;
        sent += drawn.len();
    }
    Ok((threads, sent as f64 / began.elapsed().as_secs_f64()))
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            crate::report::progress(&format!("a connection of the bare loop ended: {error}"));
        }
    });
    Ok(client)
}
