//! A visitor's threads, from a place in the past on: what was said meanwhile is read from the threads themselves, what is said
//! from now on is heard at the portal's hub. Something may be told twice where the two meet; nothing is left out.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use antiphon_store::{KnownThread, MessageId, Millis, StoreError, ThreadId};
use antiphon_wire::message::Message;
use antiphon_wire::widget::{WidgetMessage, WidgetReadEvent, WidgetThreadEvent, WidgetTypingEvent};
use serde::Deserialize;

use super::history::Piece;
use super::visit::{Visit, known};
use super::{print, reading, threads};
use crate::call::Call;
use crate::files::links::Links;
use crate::realtime::filter::ChatKey;
use crate::realtime::follower::Follower;
use crate::realtime::hub::{Note, Over};
use crate::refusal::Refusal;

/// How many of a thread's newest messages are told to who comes back.
const MISSED: usize = 50;

/// How far what was committed may be older than what was committed before it, on several nodes.
const SLACK: Millis = 60_000;

/// Something that a visitor is told.
#[derive(Debug)]
pub enum Told {
    Message(Box<WidgetMessage>),
    Thread(WidgetThreadEvent),
    Typing(WidgetTypingEvent),
    Read(WidgetReadEvent),
}

/// A visitor who follows their threads.
pub struct Follow {
    pub call: Call,
    pub visit: Visit,
    /// `None`: nobody has heard of them, so there is nothing to hear.
    follower: Option<Follower>,
    /// What was there before, and is still to be told.
    before: VecDeque<Told>,
    /// What of it was said before a place that the hub may not have come to.
    told: HashSet<MessageId>,
    since: i64,
}

/// What of an event matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    kind: String,
    object_id: i64,
    payload: Payload,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    message_id: Option<String>,
    message_type: Option<String>,
    client_id: Option<String>,
    property_name: Option<String>,
    property_value: Option<String>,
    reader: Option<String>,
}

/// What of something passed on matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Passed {
    kind: String,
    actor_id: Option<String>,
    thread_id: Option<serde_json::Value>,
    state: Option<String>,
}

impl Follow {
    /// Begins behind a position; without one, at now.
    ///
    /// # Errors
    /// When too many listen, or the store cannot be asked.
    pub async fn begin(call: Call, visit: Visit, after: Option<i64>) -> Result<Self, Refusal> {
        let (app, portal) = (call.app.clone(), visit.session.portal());
        let newest = app.store.event_position(portal).await?;
        let mut follow = Self {
            call,
            visit,
            follower: None,
            before: VecDeque::new(),
            told: HashSet::new(),
            since: newest,
        };
        follow.listen().await?;
        if let (Some(after), Some(_)) = (after, &follow.follower) {
            follow.catch_up(after).await?;
        }
        Ok(follow)
    }

    /// Takes a seat at the hub, once it is known by what the visitor is known.
    async fn listen(&mut self) -> Result<(), Refusal> {
        let Some(known) = &self.visit.known else { return Ok(()) };
        let key = ChatKey { account: self.visit.account.id, key: known.key.clone() };
        let follower = Follower::new(&self.call.app, self.visit.session.portal(), key).await?;
        // Only now, so that no thread is missing that begins meanwhile.
        let threads = self.visit.threads(&self.call.app).await?;
        let ids: Vec<ThreadId> = threads.iter().map(|thread| thread.id).collect();
        follower.follow(&ids);
        self.since = self.since.max(follower.since);
        self.follower = Some(follower);
        Ok(())
    }

    /// Reads what was said behind a position.
    async fn catch_up(&mut self, after: i64) -> Result<(), Refusal> {
        let (app, portal) = (self.call.app.clone(), self.visit.session.portal());
        let since = match app.store.events_after(portal, after - 1, 1).await?.first() {
            Some(event) if event.position == after => event.occurred_at - SLACK,
            // It is no longer known when that was.
            _ => 0,
        };
        let mut found: Vec<(Millis, Told)> = Vec::new();
        for thread in self.visit.threads(&app).await? {
            if thread.latest_entry_at >= since {
                self.missed(&thread, since, &mut found).await?;
            }
        }
        found.sort_by_key(|(at, _)| *at);
        self.before.extend(found.into_iter().map(|(_, told)| told));
        Ok(())
    }

    async fn missed(
        &mut self,
        thread: &Arc<KnownThread>,
        since: Millis,
        found: &mut Vec<(Millis, Told)>,
    ) -> Result<(), Refusal> {
        let (app, portal) = (&self.call.app, self.visit.session.portal());
        let piece = Piece { later: false, than: None, limit: MISSED };
        let (mut messages, _) = piece.read(app, portal, thread.id, &Links::of(&self.call)).await?;
        messages.retain(|message| message.created_at.0 >= since);
        let read = reading::by_agents(app, portal, thread.id).await?;
        let files = print::files(&app.store, portal, &messages).await?;
        for message in &messages {
            self.told.extend(MessageId::parse(&message.id));
            let shown = print::shown(&self.call.caller.directory, message, &files, read);
            found.push((message.created_at.0, Told::Message(Box::new(shown))));
        }
        let status = WidgetThreadEvent { id: thread.id.0, status: threads::status(thread.status) };
        found.push((thread.latest_entry_at, Told::Thread(status)));
        if let Some(read) = read {
            let read = WidgetReadEvent { thread_id: thread.id.0, message_id: read.to_string() };
            found.push((thread.latest_entry_at, Told::Read(read)));
        }
        Ok(())
    }

    /// How far everything was told, if nothing waits to be.
    pub fn position(&self) -> i64 {
        match &self.follower {
            Some(follower) if self.before.is_empty() => follower.position().unwrap_or(self.since),
            _ => self.since,
        }
    }

    /// The next thing that concerns the visitor, with its position if it has one; or why there is none.
    pub async fn next(&mut self) -> Result<(Option<i64>, Told), Over> {
        loop {
            if let Some(told) = self.before.pop_front() {
                return Ok((None, told));
            }
            let Some(follower) = &self.follower else {
                self.wait_to_be_known().await?;
                continue;
            };
            match follower.next().await? {
                Note::At(position, printed) => {
                    self.since = position;
                    let event: Event = serde_json::from_slice(&printed.json()).unwrap_or_default();
                    if let Some(told) = self.event(event).await? {
                        return Ok((Some(position), told));
                    }
                }
                Note::Passed(printed) => {
                    let passed: Passed = serde_json::from_slice(&printed.json()).unwrap_or_default();
                    if let Some(told) = self.passed(passed) {
                        return Ok((None, told));
                    }
                }
                Note::Lost(resync) => self.since = resync.position,
            }
        }
    }

    /// Somebody who is identified and has not written yet: until they do, and there is a contact, there are no threads.
    async fn wait_to_be_known(&mut self) -> Result<(), Over> {
        tokio::time::sleep(UNKNOWN).await;
        if self.call.app.stopping() {
            return Err(Over::Stopping);
        }
        let Ok(found) = known(&self.call.app, &self.visit.session).await else { return Ok(()) };
        self.visit.known = found;
        let before = self.since;
        if self.visit.known.is_some() && self.listen().await.is_ok() && self.catch_up(before).await.is_err() {
            self.follower = None;
        }
        Ok(())
    }

    async fn event(&mut self, event: Event) -> Result<Option<Told>, Over> {
        let (thread, payload) = (event.object_id, event.payload);
        Ok(match event.kind.as_str() {
            "conversation.newMessage" => {
                let shown = matches!(payload.message_type.as_deref(), Some("MESSAGE" | "WELCOME_MESSAGE"));
                let id = payload.message_id.as_deref().and_then(MessageId::parse).filter(|_| shown);
                let told = match id {
                    Some(id) if !self.told.remove(&id) => self.message(ThreadId(thread), id).await?,
                    _ => None,
                };
                told.map(|mut shown| {
                    shown.client_id = payload.client_id;
                    Told::Message(shown)
                })
            }
            "conversation.propertyChange" if payload.property_name.as_deref() == Some("status") => {
                let status = payload.property_value.as_deref();
                let status = status.and_then(antiphon_wire::thread::ThreadStatus::parse);
                status.map(|status| Told::Thread(WidgetThreadEvent { id: thread, status }))
            }
            // What is in the trash is closed to visitors, and is shown no more.
            "conversation.deletion" => {
                let status = antiphon_wire::thread::ThreadStatus::Closed;
                Some(Told::Thread(WidgetThreadEvent { id: thread, status }))
            }
            "antiphon.threadRead" if payload.reader.as_deref().is_some_and(reading::is_agent) => payload
                .message_id
                .map(|message_id| Told::Read(WidgetReadEvent { thread_id: thread, message_id })),
            _ => None,
        })
    }

    /// A message that was added. The store is asked again while it cannot answer: who is told nothing would never know.
    async fn message(&self, thread: ThreadId, id: MessageId) -> Result<Option<Box<WidgetMessage>>, Over> {
        for _ in 0..TRIES {
            match self.read(thread, id).await {
                Ok(message) => return Ok(message),
                Err(error) => {
                    tracing::debug!(%error, "a message cannot be read for a visitor; it is tried again");
                    if self.call.app.stopping() {
                        return Err(Over::Stopping);
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        // The widget comes back and reads what it has missed.
        Err(Over::Slow)
    }

    async fn read(&self, thread: ThreadId, id: MessageId) -> Result<Option<Box<WidgetMessage>>, StoreError> {
        let (store, portal) = (&self.call.app.store, self.visit.session.portal());
        let Some(found) = store.message_by_id(portal, thread, id).await? else { return Ok(None) };
        let links = Links::of(&self.call);
        let Some(message) = print::read(&found.document.bytes, &links) else { return Ok(None) };
        let directory = store.directory(portal).await?;
        let directory = directory.as_ref().unwrap_or(&self.call.caller.directory);
        let files = self.files(&message).await?;
        Ok(Some(Box::new(print::shown(directory, &message, &files, None))))
    }

    async fn files(&self, message: &Message) -> Result<print::Files, StoreError> {
        let ids = print::ids(std::slice::from_ref(message));
        if ids.is_empty() {
            return Ok(print::Files::new());
        }
        let found = self.call.app.store.files_by_ids(self.visit.session.portal(), &ids).await?;
        Ok(found.into_iter().map(|file| (file.id, file)).collect())
    }

    /// That somebody of the house types. Visitors are not told of visitors, and neither of themselves.
    fn passed(&self, passed: Passed) -> Option<Told> {
        let actor = passed.actor_id.as_deref().filter(|actor| !actor.starts_with("V-"));
        if passed.kind != "typing" || (passed.actor_id.is_some() && actor.is_none()) {
            return None;
        }
        let thread = passed.thread_id?;
        let thread_id = thread.as_i64().or_else(|| thread.as_str()?.parse().ok())?;
        let stopped = ["stopped", "idle", "off", "false"];
        let typing =
            !passed.state.is_some_and(|state| stopped.contains(&state.to_ascii_lowercase().as_str()));
        let name =
            actor.and_then(|actor| print::agent(&self.call.caller.directory, actor)).map(|agent| agent.name);
        Some(Told::Typing(WidgetTypingEvent { thread_id, name, typing }))
    }
}

/// How often somebody of whom nobody has heard is looked for.
const UNKNOWN: std::time::Duration = std::time::Duration::from_secs(1);

/// How often a message is asked for again, and how long between.
const TRIES: usize = 20;
const AGAIN: std::time::Duration = std::time::Duration::from_millis(500);
