//! How anything changes: a target, the state a rule sees, and what the rule wants done.

use std::sync::Arc;

use crate::{
    AccountId, Audited, Blob, CannedChange, CannedKey, CannedState, Chat, Desk, DeskChange, DeskKey,
    Directory, DirectoryChange, Document, Erasure, File, FileKey, FileState, FileTask, Folder, Identifier,
    MessageId, Millis, NewEvent, NewMessage, StoredMessage, Thread, ThreadId, Ticket, TicketId, Usage,
    Visitor, VisitorId,
};

/// What a change locks and what its rule is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One thread.
    Thread(ThreadId),
    /// One entry of a thread; the thread is shown too.
    Message(ThreadId, MessageId),
    /// Several threads, locked in id order; those that exist are shown.
    Threads(Vec<ThreadId>),
    /// Whoever is talking on an account, and the thread in which they do.
    Conversation(ConversationKey),
    /// One visitor or contact, by its number.
    Visitor(VisitorId),
    /// A contact by email or phone, whichever exists.
    Contact { email: Option<String>, phone: Option<String> },
    /// The same, and whether it is being erased.
    Erasure(VisitorId),
    /// One ticket, and a thread to link it to.
    Ticket { ticket: Option<TicketId>, thread: Option<ThreadId> },
    /// A file or folder, where it is or is to be, and what stands in its way.
    File(Box<FileKey>),
    /// A thread, and what somebody has beside it.
    Desk(Box<DeskKey>),
    /// Ready-made words, and what stands in their way.
    Canned(Box<CannedKey>),
    /// The portal's directory alone.
    Directory,
}

/// How an incoming message finds its visitor and its thread, inside one channel account. The store tries, in this order:
/// the idempotency key, the thread itself, the message replied to, the integration's thread key, and, only if no thread key is given, the
/// newest live thread of the visitor on this account. A thread found that is archived counts as not found.
///
/// Where `parties` is given, a thread key that leads nowhere leads to the newest live thread of the visitor that has no name
/// yet, if there is one; and without a thread key, `parties` decides in the visitor's place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConversationKey {
    pub account_id: Option<AccountId>,
    /// The visitor's address on this account.
    pub identifier: Option<Identifier>,
    /// An existing visitor or contact that is speaking; goes before `identifier`.
    pub visitor: Option<VisitorId>,
    /// The thread itself, where it is known; one that is archived, or of another account, counts as not found.
    pub thread: Option<ThreadId>,
    /// The integration's own name for the conversation.
    pub thread_key: Option<String>,
    /// An earlier message of this account.
    pub in_reply_to: Option<MessageId>,
    /// Unique per account, kept as long as the message.
    pub idempotency_key: Option<String>,
    /// Never match an existing thread by visitor alone.
    pub new_thread: bool,
    /// On channels of apps: a name for those who are spoken with, made by [`ConversationKey::between`].
    pub parties: Option<String>,
    /// Whether `parties` decides, whatever thread key is given.
    pub parties_first: bool,
}

/// With what names begin that no integration gave. Its own never do.
pub(crate) const BETWEEN: char = '\u{1}';

impl ConversationKey {
    /// A name for a set of addresses, kept among the thread keys of an account. `digest` keeps it short.
    pub fn between(parties: &[Identifier], digest: impl FnOnce(&[u8]) -> String) -> String {
        let mut keys: Vec<String> = parties.iter().map(Identifier::key).collect();
        keys.sort_unstable();
        keys.dedup();
        format!("{BETWEEN}{}", digest(keys.join("\n").as_bytes()))
    }

    /// A name of ours for a conversation, which no integration can give it.
    pub fn ours(name: &str) -> String {
        format!("{BETWEEN}{name}")
    }

    /// Whether an integration may give this name.
    pub fn is_name(key: &str) -> bool {
        !key.starts_with(BETWEEN)
    }
}

/// What an idempotency key already led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub thread_id: ThreadId,
    pub message_id: MessageId,
}

/// What a rule sees. Everything in it is locked until the change is applied or dropped.
#[derive(Debug, Clone)]
pub struct State {
    pub directory: Arc<Directory>,
    pub usage: Usage,
    pub thread: Option<Thread>,
    /// For [`Target::Threads`], in id order.
    pub threads: Vec<Thread>,
    /// The visitor whom the target names. Who a thread belongs to, the thread says.
    pub visitor: Option<Visitor>,
    /// For [`Target::Conversation`] with an email or phone identifier: the contact that has it.
    pub contact: Option<Visitor>,
    /// For [`Target::Erasure`]: that it was asked for.
    pub erasure: Option<Erasure>,
    pub ticket: Option<Ticket>,
    /// For [`Target::Message`]: the entry, if the thread has it.
    pub message: Option<StoredMessage>,
    /// For [`Target::Conversation`] whose `in_reply_to` is a message of the account: where that message is.
    pub replied: Option<ThreadId>,
    pub earlier: Option<Earlier>,
    /// For [`Target::File`].
    pub files: Option<Box<FileState>>,
    /// For [`Target::Desk`], if there is such a thread.
    pub desk: Option<Box<Desk>>,
    /// For [`Target::Canned`].
    pub canned: Option<Box<CannedState>>,
    /// For [`Target::Conversation`]: to which live thread its thread key leads,
    pub named: Option<ThreadId>,
    /// and to whom its address.
    pub bound: Option<VisitorId>,
}

/// The instant a rule runs in: time, and ids nobody else will get.
#[derive(Debug)]
pub struct Moment {
    /// Domain time, milliseconds; never before an earlier moment of the portal.
    pub now: Millis,
    pub(crate) next_thread: i64,
    pub(crate) next_visitor: i64,
    pub(crate) next_ticket: i64,
    pub(crate) next_file: i64,
    pub(crate) next_inbox: i64,
    pub(crate) next_account: i64,
    pub(crate) next_actor: i64,
    pub(crate) next_subscription: i64,
    pub(crate) next_app: i64,
    pub(crate) next_channel: i64,
    pub(crate) message_ids: MessageIds,
}

/// Where message ids come from.
#[derive(Debug, Clone)]
pub(crate) enum MessageIds {
    /// UUIDv7 of the moment's time and fresh randomness.
    Random,
    /// Counted, for tests that compare whole bodies.
    Counted(Arc<std::sync::atomic::AtomicU64>),
}

macro_rules! next_id {
    ($($(#[$doc:meta])* $method:ident, $field:ident, $type:expr, $out:ty);+ $(;)?) => {$(
        $(#[$doc])*
        pub fn $method(&mut self) -> $out {
            let id = self.$field;
            self.$field += 1;
            $type(id)
        }
    )+};
}

impl Moment {
    next_id! {
        /// The next thread id of the portal.
        thread_id, next_thread, ThreadId, ThreadId;
        /// The next visitor (and contact) id of the portal.
        visitor_id, next_visitor, VisitorId, VisitorId;
        /// The next ticket id of the portal.
        ticket_id, next_ticket, TicketId, TicketId;
        /// The next file id of the portal.
        file_id, next_file, std::convert::identity, i64;
        /// The next inbox id of the portal.
        inbox_id, next_inbox, crate::InboxId, crate::InboxId;
        /// The next channel account id of the portal.
        account_id, next_account, AccountId, AccountId;
        /// The next agent, bot or AI agent id of the portal.
        actor_id, next_actor, std::convert::identity, i64;
        /// The next id of a subscription of any kind, or of a filter, of the portal.
        subscription_id, next_subscription, crate::SubscriptionId, crate::SubscriptionId;
        /// The next app id of the server.
        app_id, next_app, crate::AppId, crate::AppId;
        /// The next id of a channel of the server.
        channel_id, next_channel, std::convert::identity, i64;
    }

    /// A fresh message id for an entry created at `at`.
    pub fn message_id(&mut self, at: Millis) -> MessageId {
        match &self.message_ids {
            MessageIds::Random => {
                let at = u64::try_from(at).unwrap_or_default();
                let time = uuid::Timestamp::from_unix_time(at / 1000, (at % 1000) as u32 * 1_000_000, 0, 0);
                MessageId(uuid::Uuid::new_v7(time).into_bytes())
            }
            MessageIds::Counted(next) => {
                let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let mut bytes = *uuid::Builder::from_unix_timestamp_millis(
                    u64::try_from(at).unwrap_or_default(),
                    &[0; 10],
                )
                .into_uuid()
                .as_bytes();
                bytes[8..].copy_from_slice(&(n | 1 << 63).to_be_bytes());
                MessageId(bytes)
            }
        }
    }

    /// A moment for rule tests: the given time, ids counted from 1.
    pub fn still(now: Millis) -> Self {
        Self {
            now,
            next_thread: 1,
            next_visitor: 1,
            next_ticket: 1,
            next_file: 1,
            next_inbox: 1,
            next_account: 1,
            next_actor: 1,
            next_subscription: 1,
            next_app: 1,
            next_channel: 1_000_000,
            message_ids: MessageIds::Counted(Arc::default()),
        }
    }
}

/// A new document for an entry that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    pub thread_id: ThreadId,
    pub message_id: MessageId,
    pub document: Document,
}

/// What a rule wants done: all of it in one transaction, or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Threads to create (`number` 0) or to replace. `entries` and `revision` are the store's own.
    pub threads: Vec<Thread>,
    /// Appended in this order.
    pub messages: Vec<NewMessage>,
    /// Entries whose document is replaced by another; nothing else of them changes.
    pub replaced: Vec<Replacement>,
    /// Visitors and contacts to create or to replace.
    pub visitors: Vec<Visitor>,
    /// Addresses bound to visitors, per account. Binding again moves the address.
    pub identities: Vec<(AccountId, Identifier, VisitorId)>,
    /// Integration's thread keys bound to threads, per account.
    pub thread_keys: Vec<(AccountId, String, ThreadId)>,
    /// Whose threads on live chat are.
    pub chats: Vec<Chat>,
    /// Idempotency keys spent, per account.
    pub idempotency_keys: Vec<(AccountId, String, Earlier)>,
    /// People from whom addresses are taken, some hundreds at a time: they lead to nobody then.
    pub unbound: Vec<VisitorId>,
    /// People to be erased; or, with the time at which it was done, who are erased. What is noted already stays.
    pub erasures: Vec<Erasure>,
    pub tickets: Vec<Ticket>,
    pub files: Vec<File>,
    pub folders: Vec<Folder>,
    pub blobs: Vec<Blob>,
    pub file_tasks: Vec<FileTask>,
    pub directory: Vec<DirectoryChange>,
    /// What is noted about who does this.
    pub audit: Vec<Audited>,
    /// What becomes of things beside threads.
    pub desk: Vec<DeskChange>,
    /// What becomes of ready-made words.
    pub canned: Vec<CannedChange>,
    /// Threads to hide now and to erase in the background.
    pub purged: Vec<ThreadId>,
    /// Recorded in this order, behind those of earlier changes.
    pub events: Vec<NewEvent>,
}

impl Changes {
    /// Most rows one change may write.
    pub(crate) const MOST_ROWS: usize = 500;

    /// How many rows these are.
    pub(crate) fn rows(&self) -> usize {
        let entries = self
            .messages
            .iter()
            .map(|m| 1 + usize::from(m.original.is_some()) + m.people.len() + m.files.len());
        entries.sum::<usize>()
            + self.threads.iter().map(|thread| 1 + thread.tags.len()).sum::<usize>()
            + self.replaced.len()
            + self.visitors.len()
            + self.identities.len()
            + self.unbound.len() * crate::erasures::UNBOUND as usize
            + self.erasures.len()
            + self.thread_keys.len()
            + self.chats.len()
            + self.idempotency_keys.len()
            + self.tickets.len()
            + self.files.len()
            + self.folders.len()
            + self.blobs.len()
            + self.file_tasks.len()
            + self.directory.len()
            + self.audit.len()
            + self.desk.len()
            + self.canned.len()
            + self.purged.len()
            + self.events.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What became of a change, once it is durable.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The changes as the rule asked for them; threads with their numbers, entries and revisions filled in.
    pub changes: Changes,
    /// The state the rule saw.
    pub state: State,
}
