//! Stores to measure on: made once through the store itself, kept under `target/bench`, copied for every run.

use std::path::{Path, PathBuf};

use antiphon_store::{
    Account, AccountId, Actor, ActorKind, Adapter, App, AppId, Applied, Changes, Direction, DirectoryChange,
    Document, EventKind, Identifier, Inbox, InboxId, InboxKind, MessageKind, Millis, Moment, NewEvent,
    NewMessage, ObjectKind, PortalId, Quota, Settings, State, Store, Target, Thread, ThreadId, ThreadStatus,
    Token, TokenHash, Visitor, VisitorId,
};
use anyhow::{Context, Result, anyhow, ensure};
use sha2::{Digest, Sha256};

/// Raised when what is seeded changes, so that kept stores are made anew.
const EDITION: u32 = 1;
/// When seeded time begins: 2026-01-01.
const EPOCH: Millis = 1_767_225_600_000;
/// Most messages that one change appends; with their events that stays within what a change may write.
const STEP: usize = 200;

pub const PORTAL: PortalId = PortalId(1);
pub const TOKEN: &str = "pat-bench";
pub const AGENT: i64 = 71;
pub const ACCOUNT: i64 = 70_001;
pub const INBOX: i64 = 640;
pub const CHANNEL: i64 = 1000;
pub const APP: i64 = 4410;

/// How much a store holds, and in which threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    pub name: &'static str,
    /// How many messages each thread has, in id order; ids count from 1.
    pub lengths: Vec<usize>,
}

impl Recipe {
    /// This many messages in 20,000 threads. Conversations differ: some fill pages of 100 and hold four fifths of all
    /// messages, the others share the rest.
    pub fn of(name: &'static str, messages: usize) -> Self {
        const THREADS: usize = 20_000;
        let long = (messages / 250).clamp(1, THREADS / 5);
        let each = messages / 5 * 4 / long;
        let rest = messages - each * long;
        let short = THREADS - long;
        let mut shorts = (0..short).map(|n| rest / short + usize::from(n < rest % short));
        let stride = THREADS / long;
        let lengths = (0..THREADS)
            .map(|n| if n % stride == 0 && n / stride < long { each } else { shorts.next().unwrap_or(0) })
            .collect();
        Self { name, lengths }
    }

    /// Two threads: one of a hundred messages, one of a million.
    pub fn two_threads() -> Self {
        Self { name: "two", lengths: vec![100, 1_000_000] }
    }

    /// Nothing but the directory.
    pub fn empty() -> Self {
        Self { name: "empty", lengths: Vec::new() }
    }

    /// Every thread.
    pub fn threads(&self) -> Vec<i64> {
        (1..=self.lengths.len() as i64).collect()
    }

    /// The threads whose history fills a page of 100 and goes on.
    pub fn long_threads(&self) -> Vec<i64> {
        self.lengths.iter().zip(1..).filter(|(length, _)| **length >= 100).map(|(_, id)| id).collect()
    }

    /// The store of this recipe, made now unless it is kept from an earlier run.
    pub fn seeded(&self, root: &Path) -> Result<PathBuf> {
        let kept = root.join(format!("seed-{}", schema())).join(self.name);
        if kept.exists() {
            return Ok(kept);
        }
        let making = kept.with_extension("making");
        if making.exists() {
            std::fs::remove_dir_all(&making)?;
        }
        std::fs::create_dir_all(&making)?;
        let began = std::time::Instant::now();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        // Nothing is lost with a seed that a power cut spoils, so it is not synced change by change.
        let settings = Settings { durable: false, queue: 4096, ..Settings::new(&making) };
        runtime.block_on(self.fill(settings))?;
        std::fs::rename(&making, &kept)?;
        crate::report::progress(&format!(
            "seeded {} messages in {:.0} s",
            self.lengths.iter().sum::<usize>(),
            began.elapsed().as_secs_f64()
        ));
        Ok(kept)
    }

    /// Fills an empty store with this.
    pub async fn fill(&self, settings: Settings) -> Result<()> {
        let store = Store::open(settings)?;
        store
            .portal_create(Some(PORTAL), "Bench".into(), "UTC".into(), Quota::default())
            .await?
            .context("the portal exists")?;
        change(&store, Target::Directory, directory).await?;
        // Messages arrive thread by thread in real life as little as here: each pass gives every thread a tenth of its own.
        const PASSES: usize = 10;
        for pass in 0..PASSES {
            let mut running = tokio::task::JoinSet::new();
            for (length, id) in self.lengths.iter().copied().zip(1i64..) {
                let (from, to) = (length * pass / PASSES, length * (pass + 1) / PASSES);
                let store = store.clone();
                running.spawn(async move {
                    if pass == 0 {
                        let made = change(&store, Target::Directory, move |_, moment| Ok(create(id, moment)))
                            .await?;
                        ensure!(
                            made.changes.threads[0].id == ThreadId(id),
                            "threads are not numbered from 1"
                        );
                    }
                    for start in (from..to).step_by(STEP) {
                        let end = to.min(start + STEP);
                        change(&store, Target::Thread(ThreadId(id)), move |state, moment| {
                            append(state, moment, start..end)
                        })
                        .await?;
                    }
                    anyhow::Ok(())
                });
                // Threads get their ids in order, and the queue stays bounded.
                while running.len() >= if pass == 0 { 1 } else { 512 } {
                    running.join_next().await.context("nothing runs")???;
                }
            }
            while let Some(done) = running.join_next().await {
                done??;
            }
        }
        store.close().await;
        Ok(())
    }
}

/// Identifies the first schema and the seeding, so that a store kept from another one is never measured. Later
/// migrations are run by whoever opens a copy.
fn schema() -> String {
    const SCHEMA: &str = concat!(
        include_str!("../../crates/antiphon-store/migrations/sqlite/0001_initial.sql"),
        include_str!("../../crates/antiphon-store/migrations/sqlite/0002_events.sql"),
    );
    let hash = Sha256::new_with_prefix(EDITION.to_le_bytes()).chain_update(SCHEMA).finalize();
    hash[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn change<F>(store: &Store, target: Target, rule: F) -> Result<Applied>
where
    F: FnMut(&State, &mut Moment) -> Result<Changes, String> + Send + 'static,
{
    store.change(PORTAL, target, rule).await?.map_err(|refusal| anyhow!(refusal))
}

fn directory(_: &State, moment: &mut Moment) -> Result<Changes, String> {
    let created_at = moment.now;
    let inbox = Inbox {
        id: InboxId(INBOX),
        name: "Support".into(),
        kind: InboxKind::Inbox,
        assign_on_reply: true,
        created_at,
        updated_at: created_at,
        archived_at: None,
    };
    let account = Account {
        id: AccountId(ACCOUNT),
        channel_id: CHANNEL,
        inbox_id: inbox.id,
        name: "Chat".into(),
        active: true,
        authorized: true,
        identifier: None,
        adapter: Adapter::Stored,
        welcome: None,
        chat: None,
        created_at,
        archived_at: None,
    };
    let agent = Actor {
        kind: ActorKind::Agent,
        id: AGENT,
        name: Some("Mira Lindqvist".into()),
        email: Some("mira@bench.example".into()),
        avatar: None,
        active: true,
        created_at,
    };
    let app = App {
        id: AppId(APP),
        name: "Bench".into(),
        avatar: None,
        client_secret: "secret-bench".into(),
        developer_key: "key-bench".into(),
        user_id: None,
        old_secret: None,
        old_key: None,
        active: true,
        created_at,
    };
    let scopes = [
        "conversations.read",
        "conversations.write",
        "antiphon.admin",
        "antiphon.inbound",
        "antiphon.operator",
    ];
    let token = Token {
        hash: TokenHash(Sha256::digest(TOKEN).into()),
        portal_id: PORTAL,
        app_id: app.id,
        label: "bench".into(),
        scopes: scopes.map(String::from).to_vec(),
        created_at,
        expires_at: None,
        revoked_at: None,
        grant_id: None,
        deleted_at: None,
    };
    use DirectoryChange as To;
    let directory =
        vec![To::Inbox(inbox), To::Account(account), To::Actor(agent), To::App(app), To::Token(token)];
    Ok(Changes { directory, ..Changes::default() })
}

fn create(id: i64, moment: &mut Moment) -> Changes {
    let at = EPOCH + id;
    let (thread_id, visitor_id) = (moment.thread_id(), moment.visitor_id());
    let visitor = Visitor {
        id: visitor_id,
        contact: true,
        name: Some(format!("Visitor {id}")),
        email: Some(format!("visitor{id}@bench.example")),
        phone: None,
        avatar: None,
        created_at: at,
        updated_at: at,
    };
    let thread = Thread {
        id: thread_id,
        number: 0,
        inbox_id: InboxId(INBOX),
        channel_id: CHANNEL,
        account_id: AccountId(ACCOUNT),
        visitor_id,
        status: if id % 3 == 0 { ThreadStatus::Closed } else { ThreadStatus::Open },
        spam: false,
        assigned_to: Some(format!("A-{AGENT}")),
        ticket_id: None,
        subject: None,
        snoozed_until: None,
        tags: Vec::new(),
        preview: None,
        created_at: at,
        closed_at: (id % 3 == 0).then_some(at),
        archived_at: None,
        latest_message_at: None,
        latest_sent_at: None,
        latest_received_at: None,
        latest_message_id: None,
        latest_entry_at: at,
        entries: 0,
        revision: 0,
    };
    let identity = (AccountId(ACCOUNT), visitor_identifier(visitor_id), visitor_id);
    let event = NewEvent {
        kind: EventKind::ThreadCreated,
        object: ObjectKind::Thread,
        object_id: thread_id.0,
        occurred_at: at,
        payload: String::new(),
    };
    Changes {
        threads: vec![thread],
        visitors: vec![visitor],
        identities: vec![identity],
        events: vec![event],
        ..Changes::default()
    }
}

/// How the channel knows a visitor.
pub fn visitor_identifier(visitor: VisitorId) -> Identifier {
    Identifier { kind: "CHANNEL_SPECIFIC_OPAQUE_ID".into(), value: format!("visitor-{visitor}") }
}

fn append(state: &State, moment: &mut Moment, numbers: std::ops::Range<usize>) -> Result<Changes, String> {
    let mut thread = state.thread.clone().ok_or("the thread is missing")?;
    let mut changes = Changes::default();
    for number in numbers {
        let at = thread.latest_entry_at + 60_000;
        let outgoing = number % 2 == 1;
        let id = moment.message_id(at);
        thread.latest_entry_at = at;
        thread.latest_message_at = Some(at);
        thread.latest_message_id = Some(id);
        if outgoing {
            thread.latest_sent_at = Some(at);
        } else {
            thread.latest_received_at = Some(at);
        }
        changes.messages.push(NewMessage {
            id,
            thread_id: thread.id,
            kind: MessageKind::Message,
            direction: Some(if outgoing { Direction::Outgoing } else { Direction::Incoming }),
            created_at: at,
            document: Document { format: 1, bytes: document(&thread, &id.to_string(), at, outgoing) },
            original: None,
            people: Vec::new(),
            files: Vec::new(),
        });
        changes.events.push(NewEvent {
            kind: EventKind::MessageAdded,
            object: ObjectKind::Thread,
            object_id: thread.id.0,
            occurred_at: at,
            payload: format!("{{\"messageId\":\"{id}\",\"messageType\":\"MESSAGE\"}}"),
        });
    }
    changes.threads.push(thread);
    Ok(changes)
}

/// A message of 1.2 KB as the server would store it.
pub fn document(thread: &Thread, id: &str, at: Millis, outgoing: bool) -> Vec<u8> {
    let time = time(at);
    let visitor = serde_json::json!([{"actorId": format!("V-{}", thread.visitor_id), "deliveryIdentifier":
        {"type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": visitor_identifier(thread.visitor_id).value}}]);
    let agent = serde_json::json!([{"actorId": format!("A-{AGENT}"), "name": "Mira Lindqvist"}]);
    let text = text(at as u64);
    let mut document = serde_json::json!({
        "type": "MESSAGE", "id": id, "conversationsThreadId": thread.id.to_string(), "createdAt": time, "updatedAt": time,
        "createdBy": if outgoing { format!("I-{APP}") } else { format!("V-{}", thread.visitor_id) },
        "client": if outgoing { serde_json::json!({"clientType": "INTEGRATION", "integrationAppId": APP}) } else { serde_json::json!({"clientType": "HUBSPOT"}) },
        "senders": if outgoing { agent.clone() } else { visitor.clone() },
        "recipients": if outgoing { visitor } else { serde_json::json!([]) },
        "text": text, "richText": format!("<div>{text}</div>"), "attachments": [], "truncationStatus": "NOT_TRUNCATED",
        "status": {"statusType": if outgoing { "SENT" } else { "RECEIVED" }}, "direction": if outgoing { "OUTGOING" } else { "INCOMING" },
        "channelId": CHANNEL.to_string(), "channelAccountId": ACCOUNT.to_string(),
    })
    .to_string()
    .into_bytes();
    document.pop();
    document.extend_from_slice(b",\"archived\":");
    document
}

fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// Words of a fixed length, other ones for every seed.
pub fn text(seed: u64) -> String {
    const WORDS: [&str; 16] = [
        "invoice", "delivery", "thank", "you", "order", "tomorrow", "please", "address", "package", "number",
        "reply", "yes", "agent", "soon", "parcel", "checked",
    ];
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut text = String::with_capacity(300);
    while text.len() < 290 {
        text.push_str(WORDS[dice.usize(..WORDS.len())]);
        text.push(' ');
    }
    text.truncate(290);
    text
}

/// The body of a send that is stored as such a document.
pub fn send_body(thread: i64, seed: u64) -> Vec<u8> {
    let text = text(seed);
    serde_json::json!({
        "type": "MESSAGE", "text": text, "richText": format!("<div>{text}</div>"), "senderActorId": format!("A-{AGENT}"),
        "channelId": CHANNEL.to_string(), "channelAccountId": ACCOUNT.to_string(),
        // Visitors and threads are made together, so they have the same numbers.
        "recipients": [{"actorId": format!("V-{thread}"), "deliveryIdentifiers": [visitor_identifier_json(thread)]}],
    })
    .to_string()
    .into_bytes()
}

fn visitor_identifier_json(visitor: i64) -> serde_json::Value {
    let identifier = visitor_identifier(VisitorId(visitor));
    serde_json::json!({"type": identifier.kind, "value": identifier.value})
}
