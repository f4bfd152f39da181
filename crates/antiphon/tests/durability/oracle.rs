//! The judge outside the server. It knows of every message when it was sent and, if so, when and as what it was acknowledged,
//! and holds the server's history and events against that.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use antiphon_testkit::Connection;
use serde_json::Value;

const PREFIX: &str = "/conversations/v3/conversations";

/// Everything the outside world knows.
#[derive(Default)]
pub struct Oracle {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    clock: u64,
    /// By the message's text, of which no two are alike.
    sent: HashMap<String, Sent>,
    /// The ids of each thread's history as it was last found correct.
    histories: BTreeMap<String, Vec<String>>,
    /// How far the events were read, and which of them were about a message.
    position: i64,
    told: HashMap<String, (String, i64)>,
}

struct Sent {
    thread: String,
    started: u64,
    acknowledged: Option<(u64, Value)>,
}

impl Oracle {
    /// A message is about to be sent.
    pub fn sending(&self, thread: &str, text: &str) {
        let mut known = self.known.lock().unwrap();
        known.clock += 1;
        let sent = Sent { thread: thread.to_owned(), started: known.clock, acknowledged: None };
        assert!(known.sent.insert(text.to_owned(), sent).is_none(), "{text} is sent twice");
    }

    /// The server has said 201.
    pub fn acknowledged(&self, text: &str, answer: Value) {
        let mut known = self.known.lock().unwrap();
        known.clock += 1;
        let clock = known.clock;
        known.sent.get_mut(text).unwrap().acknowledged = Some((clock, answer));
    }

    /// The moment, as the oracle counts time.
    pub fn clock(&self) -> u64 {
        self.known.lock().unwrap().clock
    }

    /// The judge of a copy that was begun at a moment: it must hold what was acknowledged before, and may hold what came after.
    pub fn of_a_copy(&self, begun: u64) -> Self {
        let known = self.known.lock().unwrap();
        let sent = known.sent.iter().map(|(text, sent)| {
            let acknowledged = sent.acknowledged.clone().filter(|(at, _)| *at <= begun);
            (text.clone(), Sent { thread: sent.thread.clone(), started: sent.started, acknowledged })
        });
        Self { known: Mutex::new(Known { sent: sent.collect(), ..Known::default() }) }
    }

    /// The ids of all messages that were acknowledged.
    pub fn acknowledged_ids(&self) -> Vec<String> {
        let known = self.known.lock().unwrap();
        let answers = known.sent.values().filter_map(|sent| sent.acknowledged.as_ref());
        answers.map(|(_, answer)| answer["id"].as_str().unwrap().to_owned()).collect()
    }

    /// How many messages were acknowledged.
    pub fn count(&self) -> usize {
        self.known.lock().unwrap().sent.values().filter(|sent| sent.acknowledged.is_some()).count()
    }

    /// Holds the history of these threads, and all events since the last time, against what is known.
    pub async fn judge(&self, server: &mut Connection, threads: &[String]) -> Result<(), String> {
        for thread in threads {
            let path = format!("{PREFIX}/threads/{thread}/messages?sort=createdAt&limit=500");
            let history =
                server.all(&path).await.map_err(|e| format!("thread {thread} cannot be read: {e}"))?;
            self.history(thread, &history)?;
        }
        self.events(server, threads).await
    }

    fn history(&self, thread: &str, history: &[Value]) -> Result<(), String> {
        let mut known = self.known.lock().unwrap();
        let ids: Vec<String> =
            history.iter().map(|entry| entry["id"].as_str().unwrap_or_default().to_owned()).collect();
        let before = known.histories.get(thread).map(Vec::as_slice).unwrap_or_default();
        if !ids.starts_with(before) {
            return Err(format!(
                "lost: thread {thread} no longer begins with the {} entries it had",
                before.len()
            ));
        }
        let (mut seen, mut newest, mut started) = (HashSet::new(), String::new(), 0);
        for entry in history {
            let created = entry["createdAt"].as_str().unwrap_or_default();
            if created <= newest.as_str() {
                return Err(format!("disorder: {} is not later than the entry before it", entry["id"]));
            }
            newest = created.to_owned();
            let text = entry["text"].as_str().unwrap_or_default();
            if !text.starts_with("proof ") {
                continue;
            }
            let sent = known.sent.get(text).ok_or_else(|| format!("invented: nobody sent {text}"))?;
            if sent.thread != thread {
                return Err(format!("astray: {text} belongs to thread {}", sent.thread));
            }
            if !seen.insert(text) {
                return Err(format!("doubled: {text}"));
            }
            if let Some((at, answer)) = &sent.acknowledged {
                if answer != entry {
                    return Err(format!("changed: acknowledged as {answer}, kept as {entry}"));
                }
                if *at < started {
                    return Err(format!(
                        "disorder: {text} was acknowledged before one in front of it was sent"
                    ));
                }
            }
            started = started.max(sent.started);
        }
        let lost: Vec<_> = known
            .sent
            .iter()
            .filter(|(text, sent)| {
                sent.thread == thread && sent.acknowledged.is_some() && !seen.contains(text.as_str())
            })
            .map(|(text, _)| text.split('.').next().unwrap_or_default())
            .collect();
        if !lost.is_empty() {
            return Err(format!(
                "lost: {} acknowledged messages of thread {thread}, such as {}",
                lost.len(),
                lost[0]
            ));
        }
        known.histories.insert(thread.to_owned(), ids);
        Ok(())
    }

    async fn events(&self, server: &mut Connection, threads: &[String]) -> Result<(), String> {
        loop {
            let position = self.known.lock().unwrap().position;
            let path = format!("/antiphon/v1/events?after={position}&limit=500");
            let page = server
                .get(&path)
                .await
                .map_err(|e| format!("events cannot be read: {e}"))?
                .expect(200)
                .json();
            let events = page["results"].as_array().cloned().unwrap_or_default();
            if events.is_empty() {
                break;
            }
            let mut known = self.known.lock().unwrap();
            for event in events {
                known.position += 1;
                if event["position"].as_i64() != Some(known.position) {
                    return Err(format!("events: {} where {} was due", event["position"], known.position));
                }
                let Some(message) = event["payload"]["messageId"].as_str() else { continue };
                let told = (event["objectId"].to_string(), known.position);
                if known.told.insert(message.to_owned(), told).is_some() {
                    return Err(format!("events: message {message} was told twice"));
                }
            }
        }
        let known = self.known.lock().unwrap();
        for thread in threads {
            let mut latest = 0;
            for id in known.sent_ids(thread) {
                let Some((told, position)) = known.told.get(&id) else {
                    return Err(format!("lost: message {id} has no event"));
                };
                if told != thread || *position <= latest {
                    return Err(format!("disorder: event {position} of message {id} in thread {thread}"));
                }
                latest = *position;
            }
        }
        Ok(())
    }
}

impl Known {
    /// Acknowledged messages of a thread, in the order of its history.
    fn sent_ids(&self, thread: &str) -> Vec<String> {
        let sent = self.sent.values().filter(|sent| sent.thread == thread);
        let ids: HashSet<&str> =
            sent.filter_map(|sent| sent.acknowledged.as_ref()?.1["id"].as_str()).collect();
        let history = self.histories.get(thread).into_iter().flatten();
        history.filter(|id| ids.contains(id.as_str())).cloned().collect()
    }
}
