//! What Antiphon remembers.
//!
//! Callers see three things and no SQL:
//!
//! * **finders** such as [`Store::thread_by_id`]: they take the portal first, so a query that forgets its owner cannot be written;
//! * [`Store::change`]: the only way to change anything. It locks a [`Target`], shows the [`State`] to a rule, applies the rule's
//!   [`Changes`] in one transaction and answers once they are durable. A rule may refuse; the store never does;
//! * [`Store::events_after`]: the spine, one dense sequence of events per portal, for everything that happens afterwards.
//!
//! A rule is a plain function of what it is shown. It may run more than once for one change and must not keep anything
//! from a run that was thrown away.

mod allowances;
mod audit;
mod changes;
mod chats;
mod check;
mod cursors;
mod desk;
mod directory;
mod erasures;
mod error;
mod events;
mod files;
mod ids;
mod journal;
mod leases;
mod listeners;
mod messages;
mod moving;
mod postgres;
mod retention;
mod secrets;
mod sessions;
mod sqlite;
mod store;
mod threads;
mod uses;
mod visitors;
mod words;

pub use allowances::{Allowances, Draw, Drawn, Span};
pub use audit::{AuditQuery, Audited};
pub use changes::{Applied, Changes, ConversationKey, Earlier, Moment, Replacement, State, Target};
pub use chats::{Chat, said_of};
pub use check::{Finding, Invariant};
pub use cursors::{
    Attempt, AttemptPage, AttemptQuery, Cursor, Delivery, DeliveryState, PARTED, Progress, Reader, Told,
    Undelivered,
};
pub use desk::{
    Calling, CannedChange, CannedKey, CannedReply, CannedState, Desk, DeskChange, DeskKey, ReadMark,
    Shortcut, StoredDraft, Writing,
};
pub use directory::{
    Account, Actor, ActorKind, Adapter, App, Channel, Client, Code, Directory, DirectoryChange, Expand,
    Grant, Identifier, Inbox, InboxKind, Install, JournalSubscription, Login, Objects, Paused, Portal,
    Profile, Quota, Replaced, Role, StagingToken, Subscription, Tag, Token, TokenHash, Totp, Usage, View,
    ViewWhose, Webhook,
};
pub use erasures::{Erasure, Identity, PersonMention};
pub use error::{OpenError, StoreError};
pub use events::{Event, EventKind, NewEvent, ObjectKind};
pub use files::{
    Access, Blob, File, FileCondition, FileField, FileKey, FileList, FileMention, FileSort, FileSpot,
    FileState, FileTask, FileTaskKind, FileTaskStatus, FileTidy, Folder, Sha, numbered,
};
pub use ids::{
    AccountId, AppId, InboxId, MessageId, Millis, PortalId, SubscriptionId, TagId, ThreadId, TicketId,
    ViewId, VisitorId,
};
pub use journal::{
    AwayProgress, JournalEntry, JournalPlace, JournalProgress, NewEntry, Snapshot, SnapshotState,
};
pub use leases::Lease;
pub use messages::{
    Direction, Document, HistoryQuery, MessageKind, NewMessage, Original, Page, Position, StoredMessage,
};
pub use moving::{MoveError, Moved, MovedTable, Moving};
pub use postgres::Layout;
pub use secrets::{KeySource, MasterKey, Resealed, SigningKey};
pub use sessions::{Session, SessionId, SessionTurn};
pub use store::{Postgres, Settings, Store, StoreStatus};
pub use threads::work::{Kind, Whose, WorkQuery, WorkState};
pub use threads::{KnownThread, Thread, ThreadPosition, ThreadQuery, ThreadSort, ThreadStatus, ThreadView};
pub use uses::{Sweep, Used};
pub use visitors::{Ticket, Visitor, VisitorQuery, phone_key};
pub use words::{LONGEST_WORD, Word, Words};
