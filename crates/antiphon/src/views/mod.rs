//! Views: lists of threads that somebody wants to see again, and how many threads each shows.
//!
//! A view is shared, or it is an agent's own; nobody else sees those. How many threads it shows is a sum of what is kept.

pub mod counts;
pub mod create;
pub mod list;
pub mod update;

use antiphon_store::{
    AccountId, Directory, InboxId, TagId, View, ViewId, ViewWhose, Whose, WorkQuery, WorkState,
};
use antiphon_wire::actor::ActorId;
use antiphon_wire::id::{Id, LenientId, MAX_INT32, MAX_SAFE, parse_path_id};
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::work::{self as wire, ViewFilterRequest};

use crate::actors::acting::actor;
use crate::actors::of_house;
use crate::call::Call;
use crate::checks::Checks;
use crate::listing::{Key, Listed};
use crate::refusal::Refusal;
use crate::threads::assign::actor_id;
use crate::threads::work::{state_shown, state_stored};

/// Most views of a portal, and most that an agent has to themselves.
const MOST: usize = 1_000;
const MOST_OWN: usize = 100;

/// Most inboxes, and most accounts, that a view names.
const MOST_NAMED: usize = 100;

/// Places in the order of views.
const POSITIONS: std::ops::RangeInclusive<i64> = 0..=1_000_000_000;

/// The number of the agent who is calling.
pub(crate) fn me(call: &Call) -> Option<i64> {
    call.caller.agent.map(|signed_in| signed_in.agent)
}

/// The id in the path; one that cannot be a view's is the same as an unknown one.
fn view_id(call: &Call) -> Result<ViewId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_INT32).map(ViewId).ok_or_else(|| Refusal::not_found(sent))
}

/// A view, if it is there for this agent, or for somebody who is none.
pub(crate) fn visible(directory: &Directory, id: ViewId, me: Option<i64>) -> Option<&View> {
    directory.views().get(&id).map(AsRef::as_ref).filter(|view| is_for(view, me))
}

fn is_for(view: &View, me: Option<i64>) -> bool {
    view.shared || (view.owner.is_some() && view.owner == me)
}

const TOO_MANY: &str = "There are too many views already: delete some first";

/// Whether an agent has as many views to themselves as anybody may.
fn has_many(directory: &Directory, owner: Option<i64>) -> bool {
    directory.views().iter().filter(|view| view.owner == owner && !view.shared).count() >= MOST_OWN
}

/// Which threads a view shows whoever looks; nothing where those are their own and they are no agent.
pub(crate) fn query(view: &View, me: Option<i64>) -> Option<WorkQuery> {
    Some(WorkQuery {
        states: view.states.clone(),
        inboxes: view.inboxes.clone(),
        accounts: view.accounts.clone(),
        whose: match &view.whose {
            ViewWhose::Anybodys => Whose::Anybodys,
            ViewWhose::Nobodys => Whose::Nobodys,
            ViewWhose::Mine => Whose::Of(actor(me?)),
            ViewWhose::Of(actor) => Whose::Of(actor.clone()),
        },
        tag: view.tag,
        ..WorkQuery::default()
    })
}

/// Whose threads are meant: `me`, `unassigned`, `any` or an actor that threads can be assigned to. Whether there is such an
/// actor is another matter.
pub(crate) fn whose(sent: &str) -> Result<ViewWhose, String> {
    let sent = sent.trim();
    match sent.to_ascii_uppercase().as_str() {
        "ANY" => return Ok(ViewWhose::Anybodys),
        "UNASSIGNED" => return Ok(ViewWhose::Nobodys),
        "ME" => return Ok(ViewWhose::Mine),
        _ => {}
    }
    match ActorId::parse(sent).ok().as_ref().and_then(of_house) {
        Some(key) => Ok(ViewWhose::Of(actor_id(key))),
        None => Err(format!("`{sent}` is neither me, unassigned or any, nor an actor that has threads")),
    }
}

fn shown(view: &View) -> wire::View {
    wire::View {
        id: Id(view.id.0),
        name: view.name.clone(),
        shared: view.shared,
        owner_agent_id: view.owner.map(Id),
        position: view.position,
        filter: wire::ViewFilter {
            inbox_ids: view.inboxes.iter().map(|id| Id(id.0)).collect(),
            channel_account_ids: view.accounts.iter().map(|id| Id(id.0)).collect(),
            states: view.states.iter().copied().map(state_shown).collect(),
            assignee: match &view.whose {
                ViewWhose::Anybodys => "ANY".to_owned(),
                ViewWhose::Nobodys => "UNASSIGNED".to_owned(),
                ViewWhose::Mine => "ME".to_owned(),
                ViewWhose::Of(actor) => actor.clone(),
            },
            tag_id: view.tag.map(|tag| Id(tag.0)),
        },
        created_at: Timestamp(view.created_at),
    }
}

/// Which threads a view is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub inboxes: Vec<InboxId>,
    pub accounts: Vec<AccountId>,
    pub states: Vec<WorkState>,
    pub whose: ViewWhose,
    pub tag: Option<TagId>,
}

/// What a body says of it. Whether what it names is there, [`Filter::check`] tells.
fn filter(checks: &mut Checks, sent: ViewFilterRequest) -> Filter {
    let mut ids = |field: &str, sent: Vec<LenientId>, max: i64| -> Vec<i64> {
        if sent.len() > MOST_NAMED {
            checks.wrong(field, format!("At most {MOST_NAMED} can be named"));
            return Vec::new();
        }
        let mut ids: Vec<i64> = sent.into_iter().filter_map(|one| checks.id(field, Some(one), max)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let inboxes = ids("filter.inboxIds", sent.inbox_ids, MAX_INT32).into_iter().map(InboxId).collect();
    let accounts = ids("filter.channelAccountIds", sent.channel_account_ids, MAX_SAFE)
        .into_iter()
        .map(AccountId)
        .collect();
    let states = sent.states.iter().map(|state| wire::WorkState::read("filter.states", state));
    let mut states: Vec<WorkState> =
        states.filter_map(|state| checks.take(state)).map(state_stored).collect();
    states.sort_unstable();
    states.dedup();
    let whose = whose(sent.assignee.as_deref().unwrap_or("ANY")).unwrap_or_else(|why| {
        checks.wrong("filter.assignee", why);
        ViewWhose::Anybodys
    });
    let tag = checks.id("filter.tagId", sent.tag_id, MAX_INT32).map(TagId);
    Filter { inboxes, accounts, states, whose, tag }
}

impl Filter {
    /// What a view shows of which nothing is said.
    pub fn everything() -> Self {
        Self {
            inboxes: Vec::new(),
            accounts: Vec::new(),
            states: Vec::new(),
            whose: ViewWhose::Anybodys,
            tag: None,
        }
    }

    /// Refuses what names something that is not there.
    fn check(&self, directory: &Directory) -> Result<(), Refusal> {
        let mut checks = Checks::default();
        for id in self.inboxes.iter().filter(|id| directory.inbox(**id).is_none()) {
            checks.wrong("filter.inboxIds", format!("Inbox {id} does not exist in this account"));
        }
        for id in self.accounts.iter().filter(|id| directory.account(**id).is_none()) {
            checks.wrong(
                "filter.channelAccountIds",
                format!("Channel account {id} does not exist in this account"),
            );
        }
        if let ViewWhose::Of(actor) = &self.whose
            && !exists(directory, actor)
        {
            checks.wrong("filter.assignee", format!("Actor `{actor}` does not exist in this account"));
        }
        if let Some(id) = self.tag.filter(|id| directory.tags().get(id).is_none()) {
            checks.wrong("filter.tagId", format!("Tag {id} does not exist in this account"));
        }
        checks.done()
    }
}

fn exists(directory: &Directory, actor: &str) -> bool {
    let key = ActorId::parse(actor).ok().as_ref().and_then(of_house);
    key.is_some_and(|(kind, id)| directory.actor(kind, id).is_some())
}

/// A place in the order that a body names.
fn position(checks: &mut Checks, sent: Option<i64>) -> Option<i64> {
    let at = sent?;
    if !POSITIONS.contains(&at) {
        checks.wrong(
            "position",
            format!("position must be between {} and {}", POSITIONS.start(), POSITIONS.end()),
        );
    }
    Some(at)
}

impl Listed for View {
    fn id(&self) -> i64 {
        self.id.0
    }

    fn key(&self, field: &str) -> Option<Key> {
        Some(match field {
            "id" => Key::Number(self.id.0),
            "name" => Key::text(&self.name),
            "position" => Key::Number(self.position),
            "shared" => Key::Flag(self.shared),
            "createdAt" => Key::Number(self.created_at),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_threads_are_meant() {
        for (sent, meant) in [
            ("me", Some(ViewWhose::Mine)),
            ("ME", Some(ViewWhose::Mine)),
            (" Unassigned ", Some(ViewWhose::Nobodys)),
            ("any", Some(ViewWhose::Anybodys)),
            ("A-71", Some(ViewWhose::Of("A-71".into()))),
            ("L-6", Some(ViewWhose::Of("L-6".into()))),
            ("V-71", None),
            ("71", None),
            ("", None),
        ] {
            assert_eq!(whose(sent).ok(), meant, "{sent}");
        }
    }

    #[test]
    fn nobodys_own_threads_are_none() {
        let view = create::tests::view(1, false, Some(71));
        let mine = View { whose: ViewWhose::Mine, ..view };
        assert_eq!(query(&mine, Some(71)).unwrap().whose, Whose::Of("A-71".into()));
        assert_eq!(query(&mine, None), None);
        for (shared, owner, me, sees) in [
            (true, None, None, true),
            (true, Some(71), Some(72), true),
            (false, Some(71), Some(71), true),
            (false, Some(71), Some(72), false),
            (false, Some(71), None, false),
            (false, None, None, false),
        ] {
            assert_eq!(is_for(&create::tests::view(1, shared, owner), me), sees);
        }
    }
}
