//! What somebody wants to hear of, and what they may.

use std::sync::Arc;

use antiphon_store::{AccountId, EventKind, InboxId, ObjectKind, ThreadId, Token};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_INT32, MAX_SAFE};

use crate::call::{Call, Caller};
use crate::events::list::kind_name;
use crate::middleware::scopes;
use crate::operation::Scope;

/// The kinds of what is told, events first.
pub const KINDS: usize = EVENTS.len() + 2;
pub const TYPING: usize = EVENTS.len();
pub const PRESENCE: usize = EVENTS.len() + 1;

const EVENTS: [EventKind; EventKind::ALL.len()] = EventKind::ALL;

/// The names by which they are asked for.
pub const NAMES: [&str; KINDS] = {
    let mut names = [""; KINDS];
    let mut kind = 0;
    while kind < EVENTS.len() {
        names[kind] = kind_name(EVENTS[kind]);
        kind += 1;
    }
    names[TYPING] = "typing";
    names[PRESENCE] = "presence";
    names
};

/// Some of the kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds(u32);

impl Kinds {
    /// The number of an event's kind.
    pub fn number(kind: EventKind) -> usize {
        kind as usize - 1
    }

    /// What a token may see: with the scope for reading whatever happens in threads, as administrator, and as an
    /// agent who works in the inbox, the rest as well.
    pub fn visible(token: &Token) -> Self {
        let of_all = [Scope::Admin, Scope::Operator, Scope::Agent];
        let admin = of_all.into_iter().any(|scope| scopes::allows(token, scope));
        let of_threads = |kind: usize| match EVENTS.get(kind) {
            Some(EventKind::ThreadRead | EventKind::Mentioned | EventKind::MessageRetried) | None => true,
            Some(kind) => *kind as u8 <= EventKind::ThreadTouched as u8,
        };
        Self((0..KINDS).filter(|kind| admin || of_threads(*kind)).fold(0, |set, kind| set | 1 << kind))
    }

    pub fn has(self, kind: usize) -> bool {
        self.0 & 1 << kind != 0
    }

    /// What of a visitor's own threads they hear.
    pub fn of_visitors() -> Self {
        let kinds = [
            EventKind::MessageAdded,
            EventKind::ThreadChanged,
            EventKind::ThreadArchived,
            EventKind::ThreadRead,
        ];
        Self(kinds.into_iter().map(Self::number).chain([TYPING]).fold(0, |set, kind| set | 1 << kind))
    }

    pub fn bits(self) -> u32 {
        self.0
    }

    pub fn each(self) -> impl Iterator<Item = usize> {
        (0..KINDS).filter(move |kind| self.has(*kind))
    }
}

/// Where a thread is, and where it was before it was moved. Of one that is gone nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Whereabouts {
    pub now: Option<InboxId>,
    pub before: Option<InboxId>,
}

/// What somebody wants to hear of. Whatever names neither threads nor inboxes means all, directory and visitors included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub kinds: Kinds,
    /// What the token saw when this was made.
    pub visible: Kinds,
    pub threads: Vec<ThreadId>,
    pub inboxes: Vec<InboxId>,
    /// A visitor hears of the threads that this key began, and of nothing else.
    pub visitor: Option<ChatKey>,
}

/// Whose threads: an account, and the key by which a visitor is known there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChatKey {
    pub account: AccountId,
    pub key: String,
}

impl Filter {
    /// What a visitor hears: nothing, until it is known which threads are theirs.
    pub fn of_visitor(key: ChatKey) -> Arc<Self> {
        let kinds = Kinds::of_visitors();
        Arc::new(Self { kinds, visible: kinds, threads: Vec::new(), inboxes: Vec::new(), visitor: Some(key) })
    }

    /// Reads `type`, `threadId` and `inboxId`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn of(call: &Call) -> Result<Arc<Self>, Vec<Problem>> {
        let mut problems = Vec::new();
        let visible = Kinds::visible(&call.caller.token);
        let mut ids = |name, max| {
            call.query.ids(name, max).unwrap_or_else(|problem| {
                problems.push(problem);
                Vec::new()
            })
        };
        let threads = ids("threadId", MAX_SAFE).into_iter().map(ThreadId).collect();
        let inboxes = ids("inboxId", MAX_INT32).into_iter().map(InboxId).collect();
        let mut kinds = Kinds(0);
        for name in call.query.list("type") {
            match NAMES.iter().position(|known| *known == name) {
                None => problems.push(Problem::not_one_of("type", name, &NAMES)),
                Some(kind) if !visible.has(kind) => {
                    let message =
                        format!("`{name}` is told to tokens with the scope {} only", Scope::Admin.name());
                    problems.push(Problem::new("type", message));
                }
                Some(kind) => kinds.0 |= 1 << kind,
            }
        }
        if kinds.0 == 0 {
            kinds = visible;
        }
        if problems.is_empty() {
            Ok(Arc::new(Self { kinds, visible, threads, inboxes, visitor: None }))
        } else {
            Err(problems)
        }
    }

    /// Whether it leaves nothing out that this caller may see.
    pub fn is_everything(&self) -> bool {
        self.kinds == self.visible && self.threads.is_empty() && self.inboxes.is_empty()
    }

    /// Whether something is wanted, as far as can be told without knowing where its thread is.
    pub fn wants(&self, kind: usize, thread: Option<ThreadId>) -> bool {
        if self.visitor.is_some() {
            // That the thread is theirs is what they are found by.
            return self.kinds.has(kind) && thread.is_some();
        }
        let named = self.threads.is_empty() || thread.is_some_and(|thread| self.threads.contains(&thread));
        self.kinds.has(kind) && named && (self.inboxes.is_empty() || thread.is_some())
    }

    /// Whether a thread is in one of the inboxes. What is told of a thread that is gone concerns them all.
    pub fn wants_in(&self, whereabouts: Whereabouts) -> bool {
        let Some(now) = whereabouts.now else { return true };
        let has = |inbox| self.inboxes.contains(&inbox);
        self.inboxes.is_empty() || has(now) || whereabouts.before.is_some_and(has)
    }
}

/// The thread that an event is about.
pub fn thread_of(event: &antiphon_store::Event) -> Option<ThreadId> {
    (event.object == ObjectKind::Thread).then_some(ThreadId(event.object_id))
}

/// Whether somebody may tell others something.
pub fn may_talk(caller: &Caller) -> bool {
    scopes::allows(&caller.token, Scope::Write)
}
