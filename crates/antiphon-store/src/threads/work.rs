//! How agents see threads: what each waits for, how many there are of a kind, and lists of them.
//!
//! Threads that are alike in all that lists ask for are a [`Kind`]. How many there are of each is kept, and a list is made of the
//! ranges of an index that the kinds with threads in them are: so its work goes with the kinds, of which there are as many as
//! accounts and agents make, and never with the threads.

use crate::{
    AccountId, InboxId, Millis, Page, StoreError, TagId, Thread, ThreadPosition, ThreadStatus, VisitorId,
};

/// What a thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WorkState {
    /// Somebody is to answer.
    Open = 0,
    /// A moment is to come first.
    Snoozed = 1,
    Closed = 2,
    Spam = 3,
    /// It is in the trash.
    Archived = 4,
}

impl WorkState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Snoozed, Self::Closed, Self::Spam, Self::Archived];

    /// The state that is stored as this number.
    pub(crate) fn stored(value: i64) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|state| *state as i64 == value);
        found.ok_or_else(|| StoreError::damaged("a thread's state", value))
    }
}

/// What threads have in common that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// A tag that they have; `None` where all are counted, whatever their tags.
    pub tag: Option<TagId>,
    pub state: WorkState,
    pub inbox: InboxId,
    pub account: AccountId,
    /// Actor id of the assignee.
    pub assigned_to: Option<String>,
}

impl Kind {
    /// The number of its tag as it is stored.
    pub(crate) fn tag_number(&self) -> i64 {
        tag_number(self.tag)
    }

    /// Its assignee as that is stored where there is always one.
    pub(crate) fn assignee(&self) -> &str {
        self.assigned_to.as_deref().unwrap_or_default()
    }

    /// As it is read.
    pub(crate) fn of(
        tag: i64,
        state: i64,
        inbox: i64,
        account: i64,
        assigned_to: &str,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            tag: (tag != 0).then_some(TagId(tag)),
            state: WorkState::stored(state)?,
            inbox: InboxId(inbox),
            account: AccountId(account),
            assigned_to: (!assigned_to.is_empty()).then(|| assigned_to.to_owned()),
        })
    }
}

/// How a tag is stored, and that there is none.
pub(crate) fn tag_number(tag: Option<TagId>) -> i64 {
    tag.map_or(0, |tag| tag.0)
}

impl Thread {
    /// What it waits for.
    pub fn state(&self) -> WorkState {
        if self.is_archived() {
            WorkState::Archived
        } else if self.spam {
            WorkState::Spam
        } else if self.status == ThreadStatus::Closed {
            WorkState::Closed
        } else if self.snoozed_until.is_some() {
            WorkState::Snoozed
        } else {
            WorkState::Open
        }
    }

    /// When something was said last, or when it began.
    pub fn latest_at(&self) -> Millis {
        self.latest_message_at.unwrap_or(self.created_at)
    }

    /// The kind it is of, whatever its tags.
    pub fn kind(&self) -> Kind {
        Kind {
            tag: None,
            state: self.state(),
            inbox: self.inbox_id,
            account: self.account_id,
            assigned_to: self.assigned_to.clone(),
        }
    }

    /// Whether two states of a thread are counted under the same kinds.
    pub(crate) fn same_kind(&self, other: &Self) -> bool {
        let same = |one: &Self| (one.state(), one.inbox_id, one.account_id);
        same(self) == same(other) && self.assigned_to == other.assigned_to && self.tags == other.tags
    }

    /// Every kind under which it is counted.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let (kind, tags) = (self.kind(), self.tags.clone());
        let tagged = kind.clone();
        std::iter::once(kind)
            .chain(tags.into_iter().map(move |tag| Kind { tag: Some(tag), ..tagged.clone() }))
    }
}

/// Tags as they are stored.
pub(crate) fn tags_text(tags: &[TagId]) -> Option<String> {
    if tags.is_empty() {
        return None;
    }
    let ids: Vec<String> = tags.iter().map(ToString::to_string).collect();
    Some(format!("[{}]", ids.join(",")))
}

/// Tags as they were stored.
pub(crate) fn tags_read(text: Option<&str>) -> Vec<TagId> {
    let inner = text.unwrap_or_default().trim_matches(['[', ']']);
    inner.split(',').filter_map(|id| id.parse().ok().map(TagId)).collect()
}

/// Whose threads are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Whose {
    #[default]
    Anybodys,
    Nobodys,
    /// Those of the actor with this id.
    Of(String),
}

/// Which threads, the one last spoken in first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkQuery {
    /// Any of these; empty means all, as in the other lists here.
    pub states: Vec<WorkState>,
    pub inboxes: Vec<InboxId>,
    pub accounts: Vec<AccountId>,
    pub whose: Whose,
    pub tag: Option<TagId>,
    /// Of one visitor alone, of whom at most some thousand threads are looked at.
    pub visitor: Option<VisitorId>,
    /// Strictly behind this place: its key is when something was said last.
    pub after: Option<ThreadPosition>,
    pub limit: usize,
}

impl WorkQuery {
    /// Whether threads of a kind are wanted.
    pub fn admits(&self, kind: &Kind) -> bool {
        fn any<T: PartialEq>(wanted: &[T], is: &T) -> bool {
            wanted.is_empty() || wanted.contains(is)
        }
        kind.tag == self.tag
            && any(&self.states, &kind.state)
            && any(&self.inboxes, &kind.inbox)
            && any(&self.accounts, &kind.account)
            && match &self.whose {
                Whose::Anybodys => true,
                Whose::Nobodys => kind.assigned_to.is_none(),
                Whose::Of(actor) => kind.assigned_to.as_ref() == Some(actor),
            }
    }

    /// The states that are looked into.
    pub(crate) fn states(&self) -> Vec<WorkState> {
        let mut states = if self.states.is_empty() { WorkState::ALL.to_vec() } else { self.states.clone() };
        states.sort_unstable();
        states.dedup();
        states
    }

    /// Behind which place it begins.
    pub(crate) fn start(&self) -> ThreadPosition {
        self.after.unwrap_or(ThreadPosition { key: i64::MAX, id: crate::ThreadId(i64::MAX) })
    }

    /// Whether a thread, found in another way, belongs in the list.
    fn wants(&self, thread: &Thread) -> bool {
        let tagged = self.tag.is_none_or(|tag| thread.tags.contains(&tag));
        tagged && self.admits(&Kind { tag: self.tag, ..thread.kind() })
    }
}

/// One page out of places in any order, of which there is one more than the page holds, where there are any.
pub(crate) fn page_of(
    query: &WorkQuery,
    mut all: Vec<ThreadPosition>,
) -> (Vec<ThreadPosition>, Page<ThreadPosition>) {
    all.sort_unstable_by_key(|place| std::cmp::Reverse((place.key, place.id)));
    let more = all.len() > query.limit;
    all.truncate(query.limit);
    let next = if more { all.last().copied() } else { None };
    let count = all.len();
    (all, Page { count, next })
}

/// Those of a visitor's threads that are wanted, behind the place where the page begins.
pub(crate) fn of_visitor<'t>(
    query: &WorkQuery,
    all: impl Iterator<Item = &'t Thread>,
) -> Vec<ThreadPosition> {
    let start = query.start();
    let wanted = all.filter(|thread| query.wants(thread));
    let places = wanted.map(|thread| ThreadPosition { key: thread.latest_at(), id: thread.id });
    places.filter(|place| (place.key, place.id) < (start.key, start.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_they_were_written() {
        for tags in [vec![], vec![7], vec![3, 17, 400]] {
            let tags: Vec<TagId> = tags.into_iter().map(TagId).collect();
            assert_eq!(tags_read(tags_text(&tags).as_deref()), tags);
        }
        assert_eq!(tags_text(&[TagId(3), TagId(17)]).as_deref(), Some("[3,17]"));
    }

    #[test]
    fn a_kind_is_wanted_or_not() {
        let kind = Kind {
            tag: None,
            state: WorkState::Open,
            inbox: InboxId(1),
            account: AccountId(2),
            assigned_to: Some("A-71".into()),
        };
        let all = WorkQuery::default();
        for (query, wanted) in [
            (all.clone(), true),
            (WorkQuery { states: vec![WorkState::Closed], ..all.clone() }, false),
            (WorkQuery { states: vec![WorkState::Closed, WorkState::Open], ..all.clone() }, true),
            (WorkQuery { inboxes: vec![InboxId(2)], ..all.clone() }, false),
            (WorkQuery { accounts: vec![AccountId(2)], ..all.clone() }, true),
            (WorkQuery { whose: Whose::Nobodys, ..all.clone() }, false),
            (WorkQuery { whose: Whose::Of("A-71".into()), ..all.clone() }, true),
            (WorkQuery { whose: Whose::Of("A-7".into()), ..all.clone() }, false),
            (WorkQuery { tag: Some(TagId(1)), ..all }, false),
        ] {
            assert_eq!(query.admits(&kind), wanted, "{query:?}");
        }
    }
}
