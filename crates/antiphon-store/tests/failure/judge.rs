//! The judge. It knows what was sent and what was answered, and holds the database's rows against that.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use antiphon_store::{StoreError, ThreadId};
use tokio_postgres::{Client, NoTls};

/// What the sender of a message was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Nothing,
    Acknowledged,
    /// That it was not made.
    Refused,
    /// That nobody knows.
    Unknown,
}

#[derive(Debug)]
struct Sent {
    thread: ThreadId,
    begun: Instant,
    told: Told,
    answered: Option<Instant>,
}

/// Everything the outside world knows.
#[derive(Default)]
pub struct Judge(Mutex<HashMap<String, Sent>>);

/// How many messages were told what, and how long the slowest answer took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub acknowledged: usize,
    pub refused: usize,
    pub unknown: usize,
    pub slowest: Duration,
}

impl Judge {
    pub fn sending(&self, thread: ThreadId, text: &str) {
        let sent = Sent { thread, begun: Instant::now(), told: Told::Nothing, answered: None };
        assert!(self.0.lock().unwrap().insert(text.to_owned(), sent).is_none(), "{text} is sent twice");
    }

    pub fn answered<T>(&self, text: &str, answer: &Result<T, StoreError>) {
        let mut all = self.0.lock().unwrap();
        let sent = all.get_mut(text).unwrap();
        sent.answered = Some(Instant::now());
        sent.told = match answer {
            Ok(_) => Told::Acknowledged,
            Err(StoreError::Busy | StoreError::Unavailable(_)) => Told::Refused,
            Err(StoreError::Unknown(_)) => Told::Unknown,
            Err(other) => panic!("{text} was answered with {other:?}"),
        };
    }

    /// What was told to those who sent since.
    pub fn tally(&self, since: Instant) -> Tally {
        let mut tally = Tally::default();
        for sent in self.0.lock().unwrap().values().filter(|sent| sent.begun >= since) {
            match sent.told {
                Told::Nothing => continue,
                Told::Acknowledged => tally.acknowledged += 1,
                Told::Refused => tally.refused += 1,
                Told::Unknown => tally.unknown += 1,
            }
            tally.slowest = tally.slowest.max(sent.answered.unwrap() - sent.begun);
        }
        tally
    }

    /// Holds a database against all that is known. Nobody may be sending.
    pub async fn judge(&self, url: &str) -> Result<(), String> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|e| e.to_string())?;
        let connection = tokio::spawn(connection);
        // Events are given their positions meanwhile.
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.map_err(|e| e.to_string())?;
        let verdict = self.rows(&client).await;
        drop(client);
        let _ = connection.await;
        verdict
    }

    async fn rows(&self, client: &Client) -> Result<(), String> {
        let mut kept: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let mut bytes = 0;
        let sql = "SELECT key >> 24, convert_from(doc, 'UTF8') FROM messages ORDER BY key";
        for row in client.query(sql, &[]).await.map_err(|e| e.to_string())? {
            let text: String = row.get(1);
            bytes += text.len() as i64;
            kept.entry(row.get(0)).or_default().push(text);
        }
        self.messages(&kept)?;
        self.threads(client, &kept, bytes).await?;
        self.events(client, &kept).await
    }

    fn messages(&self, kept: &BTreeMap<i64, Vec<String>>) -> Result<(), String> {
        let sent = self.0.lock().unwrap();
        let mut found = HashMap::new();
        for (thread, texts) in kept {
            let mut begun = None;
            for text in texts {
                let one = sent.get(text).ok_or_else(|| format!("invented: nobody sent {text}"))?;
                if one.thread.0 != *thread {
                    return Err(format!("astray: {text} belongs to thread {}", one.thread));
                }
                if found.insert(text.as_str(), ()).is_some() {
                    return Err(format!("doubled: {text}"));
                }
                if one.told == Told::Refused {
                    return Err(format!("invented: {text} was refused, and is there"));
                }
                let answered = one.answered.filter(|_| one.told == Told::Acknowledged);
                if answered.zip(begun).is_some_and(|(answered, begun)| answered < begun) {
                    return Err(format!(
                        "disorder: {text} was acknowledged before one in front of it was sent"
                    ));
                }
                begun = begun.max(Some(one.begun));
            }
        }
        for (text, one) in sent.iter() {
            match one.told {
                Told::Nothing => return Err(format!("{text} was never answered")),
                Told::Acknowledged if !found.contains_key(text.as_str()) => {
                    return Err(format!("lost: {text} was acknowledged"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is counted is what is there.
    async fn threads(
        &self,
        client: &Client,
        kept: &BTreeMap<i64, Vec<String>>,
        bytes: i64,
    ) -> Result<(), String> {
        let sql = "SELECT id, entries, revision FROM threads ORDER BY id";
        for row in client.query(sql, &[]).await.map_err(|e| e.to_string())? {
            let (id, entries, revision): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let count = kept.get(&id).map_or(0, Vec::len) as i64;
            if (entries, revision) != (count, count + 1) {
                return Err(format!("half: thread {id} has {count} messages, {entries} entries, {revision}"));
            }
        }
        let sql = "SELECT sum(messages)::bigint, sum(bytes)::bigint FROM tallies";
        let row = client.query_one(sql, &[]).await.map_err(|e| e.to_string())?;
        let (counted, tallied): (i64, i64) = (row.get(0), row.get(1));
        let count = kept.values().map(Vec::len).sum::<usize>() as i64;
        match (counted, tallied) == (count, bytes) {
            true => Ok(()),
            false => Err(format!("half: {counted} messages of {tallied} bytes, not {count} of {bytes}")),
        }
    }

    /// Each message has an event, each thread's in the order of its history; positions are dense.
    async fn events(&self, client: &Client, kept: &BTreeMap<i64, Vec<String>>) -> Result<(), String> {
        let sql = "SELECT position, object_id, payload FROM events WHERE kind = 2 ORDER BY position";
        let dense = "SELECT count(*) = max(position) AND max(position) = (SELECT event_position FROM counters) FROM events";
        let unnumbered =
            "SELECT object_id, payload FROM unnumbered_events WHERE kind = 2 ORDER BY stamp, batch, ordinal";
        let (events, waiting, dense) = tokio::try_join!(
            client.query(sql, &[]),
            client.query(unnumbered, &[]),
            client.query_one(dense, &[])
        )
        .map_err(|e| e.to_string())?;
        if !dense.get::<_, bool>(0) {
            return Err("events: their positions have holes".into());
        }
        let mut told: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for row in &events {
            told.entry(row.get(1)).or_default().push(row.get(2));
        }
        for row in &waiting {
            told.entry(row.get(0)).or_default().push(row.get(1));
        }
        match told == *kept {
            true => Ok(()),
            false => Err(format!("events: {told:?} for {kept:?}")),
        }
    }
}
