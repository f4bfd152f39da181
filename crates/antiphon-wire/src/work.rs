//! How agents see threads: lists with what an inbox shows, tags, snoozes, saved views, and how many there are.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Id, LenientId};
use crate::lenient::{lenient, wire_enum};
use crate::message::Direction;
use crate::thread::ThreadStatus;
use crate::timestamp::Timestamp;

wire_enum! {
    /// What a thread waits for.
    pub enum WorkState {
        /// Somebody is to answer.
        Open = "OPEN",
        /// A moment is to come first.
        Snoozed = "SNOOZED",
        /// It is closed.
        Closed = "CLOSED",
        /// It was marked as spam.
        Spam = "SPAM",
        /// It is in the trash.
        Archived = "ARCHIVED",
    }

    /// How a tag is shown.
    pub enum TagColor {
        /// Gray.
        Gray = "GRAY",
        /// Red.
        Red = "RED",
        /// Orange.
        Orange = "ORANGE",
        /// Yellow.
        Yellow = "YELLOW",
        /// Green.
        Green = "GREEN",
        /// Teal.
        Teal = "TEAL",
        /// Blue.
        Blue = "BLUE",
        /// Purple.
        Purple = "PURPLE",
        /// Pink.
        Pink = "PINK",
        /// Brown.
        Brown = "BROWN",
    }
}

/// Something that threads can be marked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// How it is shown.
    pub color: TagColor,
    /// Whether it is archived: threads keep it, and no other is given it.
    pub archived: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which threads a view shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewFilter {
    /// Any of these inboxes; none means all.
    pub inbox_ids: Vec<Id>,
    /// Any of these channel accounts; none means all.
    pub channel_account_ids: Vec<Id>,
    /// Any of these states; none means all.
    pub states: Vec<WorkState>,
    /// `ME`, `UNASSIGNED`, `ANY` or an actor id.
    pub assignee: String,
    /// A tag that they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tag_id: Option<Id>,
}

/// A list of threads that somebody wants to see again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Its id.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// Number of the agent whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner_agent_id: Option<Id>,
    /// Views are shown in this order.
    pub position: i64,
    /// Which threads it shows.
    pub filter: ViewFilter,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How many threads a view shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViewCount {
    /// The view.
    pub id: Id,
    /// How many.
    pub count: i64,
}

/// How many threads there are for each of the lists that every inbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct WorkCounts {
    /// Open ones that nobody has.
    pub unassigned: i64,
    /// Open ones that the calling agent has; 0 where no agent is calling.
    pub mine: i64,
    /// All open ones.
    pub open: i64,
    /// Snoozed ones.
    pub snoozed: i64,
    /// Closed ones.
    pub closed: i64,
    /// Those marked as spam.
    pub spam: i64,
    /// Those in the trash.
    pub archived: i64,
}

/// The same of one inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InboxCounts {
    /// The inbox.
    pub inbox_id: Id,
    /// How many threads there are in it.
    #[serde(flatten)]
    pub counts: WorkCounts,
}

/// How many threads every list of the caller's has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViewCounts {
    /// Views that the caller sees.
    pub views: Vec<ViewCount>,
    /// Every living inbox.
    pub inboxes: Vec<InboxCounts>,
    /// All inboxes, archived ones included.
    pub all: WorkCounts,
}

/// Who is spoken with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkContact {
    /// Its id.
    pub id: Id,
    /// The actor id, `V-` and the id.
    pub actor_id: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// Phone number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phone: Option<String>,
    /// Absolute URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
    /// Whether it is a contact already.
    pub contact: bool,
}

/// A thread with what an inbox shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkThread {
    /// Its id.
    pub id: Id,
    /// What it waits for.
    pub state: WorkState,
    /// Open or closed.
    pub status: ThreadStatus,
    /// The inbox that holds it now.
    pub inbox_id: Id,
    /// The channel of its first message.
    pub channel_id: Id,
    /// The channel account of its first message.
    pub channel_account_id: Id,
    /// Subject of the first email.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject: Option<String>,
    /// How the newest message begins, in at most 140 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub preview: Option<String>,
    /// Who is spoken with.
    pub contact: WorkContact,
    /// Actor id of the assignee.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigned_to: Option<String>,
    /// Its tags, archived ones included.
    pub tags: Vec<Id>,
    /// Until when it is snoozed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub snoozed_until: Option<Timestamp>,
    /// Whether it was marked as spam.
    pub spam: bool,
    /// Whether it is in the trash.
    pub archived: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When the newest `MESSAGE` was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latest_message_timestamp: Option<Timestamp>,
    /// When the newest entry of any kind was made.
    pub latest_entry_timestamp: Timestamp,
    /// Which way the newest `MESSAGE` went.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub latest_direction: Option<Direction>,
    /// Whether there is a `MESSAGE` that the calling agent has not read; never where no agent is calling.
    pub unread: bool,
    /// The ticket that is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ticket_id: Option<Id>,
}

/// How far somebody has read a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadBy {
    /// Actor id of the agent or visitor.
    pub actor_id: String,
    /// The last entry that was read.
    pub message_id: String,
    /// When it was.
    pub at: Timestamp,
}

/// One thread, and who has read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkThreadDetail {
    /// The thread.
    #[serde(flatten)]
    pub thread: WorkThread,
    /// How far agents and the visitor have read it.
    pub read_by: Vec<ReadBy>,
}

lenient! {
    /// A tag to be made.
    pub struct TagCreate {
        /// What it is called; no other tag is called that.
        pub name: Option<String> = "name",
        /// How it is shown; `GRAY` if absent.
        pub color: Option<String> = "color",
    }

    /// What changes about a tag.
    pub struct TagPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// How it is shown.
        pub color: Option<String> = "color",
        /// Whether it is archived.
        pub archived: Option<bool> = "archived",
    }

    /// Which tags a thread gains and loses.
    pub struct TagEdit {
        /// Tags it has from now on, at most 100.
        pub add: Vec<LenientId> = "add",
        /// Tags it has no longer, at most 100.
        pub remove: Vec<LenientId> = "remove",
    }

    /// How long nobody is to answer.
    pub struct Snooze {
        /// Until when: later than now, and within a year.
        pub until: Option<String> = "until",
    }

    /// Which threads a view shows.
    pub struct ViewFilterRequest {
        /// Any of these inboxes; none means all.
        pub inbox_ids: Vec<LenientId> = "inboxIds",
        /// Any of these channel accounts; none means all.
        pub channel_account_ids: Vec<LenientId> = "channelAccountIds",
        /// Any of these states; none means all.
        pub states: Vec<String> = "states",
        /// `ME`, `UNASSIGNED`, `ANY` or an actor id; `ANY` if absent.
        pub assignee: Option<String> = "assignee",
        /// A tag that they have.
        pub tag_id: Option<LenientId> = "tagId",
    }

    /// A view to be saved.
    pub struct ViewCreate {
        /// What it is called.
        pub name: Option<String> = "name",
        /// Whether everybody sees it, as they do any that no agent made.
        pub shared: Option<bool> = "shared",
        /// Views are shown in this order; behind all others if absent.
        pub position: Option<i64> = "position",
        /// Which threads it shows.
        pub filter: Option<ViewFilterRequest> = "filter",
    }

    /// What changes about a view.
    pub struct ViewPatch {
        /// What it is called.
        pub name: Option<String> = "name",
        /// Whether everybody sees it.
        pub shared: Option<bool> = "shared",
        /// Views are shown in this order.
        pub position: Option<i64> = "position",
        /// Which threads it shows. Replaces the filter whole.
        pub filter: Option<ViewFilterRequest> = "filter",
    }
}
