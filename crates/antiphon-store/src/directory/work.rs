//! What agents arrange for their work: tags, and lists that they want to see again.

use crate::{AccountId, InboxId, Millis, TagId, ViewId, WorkState};

/// Something that threads can be marked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub id: TagId,
    pub name: String,
    /// Number of a color; what it looks like is for those who show it.
    pub color: i64,
    pub created_at: Millis,
    /// Threads keep it; no other is given it.
    pub archived_at: Option<Millis>,
}

/// Whose threads a view shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewWhose {
    Anybodys,
    Nobodys,
    /// Those of whoever looks.
    Mine,
    /// Those of the actor with this id.
    Of(String),
}

/// A list of threads that somebody wants to see again. Empty lists in it mean all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub id: ViewId,
    pub name: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// The agent whose it is.
    pub owner: Option<i64>,
    /// Views are shown in this order.
    pub position: i64,
    pub inboxes: Vec<InboxId>,
    pub accounts: Vec<AccountId>,
    pub states: Vec<WorkState>,
    pub whose: ViewWhose,
    /// At most one: so how many there are is a sum of what is kept.
    pub tag: Option<TagId>,
    pub created_at: Millis,
    /// One that is gone: the directory forgets it.
    pub deleted_at: Option<Millis>,
}

/// Numbers as a row keeps them.
pub(crate) fn numbers(all: impl Iterator<Item = i64>) -> String {
    all.map(|one| one.to_string()).collect::<Vec<_>>().join(" ")
}

/// The numbers that a row keeps.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = i64> {
    text.split_ascii_whitespace().filter_map(|one| one.parse().ok())
}

impl ViewWhose {
    /// As a row keeps it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Anybodys => "ANY",
            Self::Nobodys => "UNASSIGNED",
            Self::Mine => "ME",
            Self::Of(actor) => actor,
        }
    }

    /// What a row keeps.
    pub(crate) fn read(text: String) -> Self {
        match text.as_str() {
            "ANY" => Self::Anybodys,
            "UNASSIGNED" => Self::Nobodys,
            "ME" => Self::Mine,
            _ => Self::Of(text),
        }
    }
}
