//! Saving a view.

use antiphon_store::{Directory, DirectoryChange, Moment, View, ViewId};
use antiphon_wire::work::ViewCreate;

use super::Filter;
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub shared: bool,
    /// The agent who is calling.
    pub owner: Option<i64>,
    pub position: Option<i64>,
    pub filter: Filter,
}

/// `POST /views`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let draft = read(call.json()?, super::me(&call))?;
    let changes = directory::change(&call, move |state, moment| {
        Ok(vec![DirectoryChange::View(make(&state.directory, &draft, moment)?)])
    });
    let view = changed!(changes.await?, View)?;
    Answer::json(201, &super::shown(&view)).map(|answer| answer.at(&call, view.id))
}

fn read(body: ViewCreate, owner: Option<i64>) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    let position = super::position(&mut checks, body.position);
    let filter = body.filter.map_or_else(Filter::everything, |sent| super::filter(&mut checks, sent));
    let shared = body.shared.unwrap_or(owner.is_none());
    if !shared && owner.is_none() {
        checks.wrong("shared", "Only agents who are signed in have views of their own");
    }
    checks.done()?;
    Ok(Draft { name, shared, owner, position, filter })
}

/// The rule. A view of which no place is said comes behind all others that its owner sees.
pub fn make(directory: &Directory, draft: &Draft, moment: &mut Moment) -> Result<View, Refusal> {
    draft.filter.check(directory)?;
    if directory.views().len() >= super::MOST || (!draft.shared && super::has_many(directory, draft.owner)) {
        return Err(Refusal::invalid("name", super::TOO_MANY));
    }
    let seen =
        directory.views().iter().filter(|view| super::is_for(view, draft.owner)).map(|view| view.position);
    let behind = seen.max().map_or(0, |last| (last + 1).min(*super::POSITIONS.end()));
    let Filter { inboxes, accounts, states, whose, tag } = draft.filter.clone();
    Ok(View {
        id: ViewId(moment.subscription_id().0),
        name: draft.name.clone(),
        shared: draft.shared,
        owner: draft.owner,
        position: draft.position.unwrap_or(behind),
        inboxes,
        accounts,
        states,
        whose,
        tag,
        created_at: moment.now,
        deleted_at: None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use antiphon_store::{InboxId, TagId, ViewWhose};

    use super::*;
    use crate::testing::{self, NOW};

    pub fn view(id: i64, shared: bool, owner: Option<i64>) -> View {
        View {
            id: ViewId(id),
            name: format!("View {id}"),
            shared,
            owner,
            position: id,
            inboxes: Vec::new(),
            accounts: Vec::new(),
            states: Vec::new(),
            whose: ViewWhose::Anybodys,
            tag: None,
            created_at: 1,
            deleted_at: None,
        }
    }

    fn draft(owner: Option<i64>, filter: Filter) -> Draft {
        Draft { name: "Mine".into(), shared: owner.is_none(), owner, position: None, filter }
    }

    #[test]
    fn a_view_names_what_is_there() {
        let directory = testing::state().directory;
        let everything = Filter::everything();
        for (filter, named) in [
            (everything.clone(), vec![]),
            (Filter { inboxes: vec![InboxId(640), InboxId(813)], ..everything.clone() }, vec![]),
            (Filter { inboxes: vec![InboxId(9)], ..everything.clone() }, vec!["filter.inboxIds"]),
            (Filter { whose: ViewWhose::Of("A-71".into()), ..everything.clone() }, vec![]),
            (Filter { whose: ViewWhose::Of("A-99".into()), ..everything.clone() }, vec!["filter.assignee"]),
            (Filter { tag: Some(TagId(5)), ..everything }, vec!["filter.tagId"]),
        ] {
            let made = make(&directory, &draft(None, filter), &mut Moment::still(NOW));
            match made {
                Ok(_) => assert!(named.is_empty()),
                Err(refusal) => assert_eq!(testing::named(&refusal), named),
            }
        }
    }

    #[test]
    fn a_new_one_comes_last_among_those_that_are_seen() {
        let mut directory = Directory::clone(&testing::state().directory);
        for one in [view(5, true, None), view(9, false, Some(71)), view(40, false, Some(72))] {
            directory.put(DirectoryChange::View(one));
        }
        for (owner, position) in [(Some(71), 10), (Some(72), 41), (None, 6)] {
            let made =
                make(&directory, &draft(owner, Filter::everything()), &mut Moment::still(NOW)).unwrap();
            assert_eq!((made.position, made.owner, made.shared), (position, owner, owner.is_none()));
        }
        for n in 100..100 + super::super::MOST_OWN as i64 {
            directory.put(DirectoryChange::View(view(n, false, Some(71))));
        }
        let refused = make(&directory, &draft(Some(71), Filter::everything()), &mut Moment::still(NOW));
        assert_eq!(testing::named(&refused.unwrap_err()), ["name"]);
        assert!(make(&directory, &draft(Some(72), Filter::everything()), &mut Moment::still(NOW)).is_ok());
    }

    #[test]
    fn only_agents_have_views_of_their_own() {
        let own = ViewCreate { name: Some("Mine".into()), shared: Some(false), ..ViewCreate::default() };
        assert_eq!(testing::named(&read(own.clone(), None).unwrap_err()), ["shared"]);
        assert!(!read(own, Some(71)).unwrap().shared);
        let unsaid = ViewCreate { name: Some("Mine".into()), ..ViewCreate::default() };
        assert!(read(unsaid.clone(), None).unwrap().shared && !read(unsaid, Some(71)).unwrap().shared);
    }
}
