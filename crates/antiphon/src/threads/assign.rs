//! Who looks after a thread.

use antiphon_store::{ActorKind, Applied, Changes, Directory, Moment, State, Target, ThreadId};
use antiphon_wire::actor::ActorId;
use antiphon_wire::error::Problem;
use antiphon_wire::thread::Assign;

use super::history::Author;
use super::lifecycle::Lifecycle;
use super::{found, path, print, thread_id};
use crate::actors::of_house;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// What an assignment asks for.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The thread as the client named it.
    pub sent: String,
    pub by: Author,
    pub to: Assignee,
}

/// To whom a thread is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignee {
    Nobody,
    /// An actor id, an agent's address or an agent's bare number, as the client wrote it; `None` when it wrote none.
    Named(Option<String>),
}

/// `PUT /threads/{threadId}/assignee`, and `POST` as the guide has it.
pub async fn assign(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let body: Assign = call.json()?;
    let applied = change(&call, id, Assignee::Named(body.actor_id.map(|id| id.0))).await?;
    let thread = applied.changes.threads.first().or(applied.state.thread.as_ref());
    let mut out = Vec::with_capacity(512);
    print(thread.ok_or_else(|| Refusal::not_found(path(&call, 0)))?.view(), false, &mut out);
    Ok(Answer::ok(out))
}

/// `DELETE /threads/{threadId}/assignee`
pub async fn unassign(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    change(&call, id, Assignee::Nobody).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, id: ThreadId, to: Assignee) -> Result<Applied, Refusal> {
    let asked = Assignment { sent: path(call, 0).to_owned(), by: Author::of(&call.caller), to };
    let rule = move |state: &State, moment: &mut Moment| assign_thread(state, &asked, moment);
    call.app.store.change(call.caller.portal(), Target::Thread(id), rule).await?
}

pub(super) fn assign_thread(
    state: &State,
    asked: &Assignment,
    moment: &mut Moment,
) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&asked.sent))?;
    let to = match &asked.to {
        Assignee::Nobody => None,
        Assignee::Named(named) => {
            let named =
                named.as_deref().ok_or_else(|| Refusal::Invalid(vec![Problem::required("actorId")]))?;
            Some(assignee(&state.directory, named).map_err(|why| Refusal::invalid("actorId", why))?)
        }
    };
    let mut life = Lifecycle::of(thread, moment);
    life.assign(to.as_deref(), &asked.by);
    Ok(life.finish())
}

/// The actor that is meant, if a thread can be given to it; otherwise why not.
pub(crate) fn assignee(directory: &Directory, named: &str) -> Result<String, String> {
    let named = named.trim();
    let key = match ActorId::parse(named) {
        Ok(actor) => of_house(&actor)
            .ok_or_else(|| format!("`{named}` is not an actor that threads can be assigned to"))?,
        Err(_) => {
            let by_number = named.parse().ok().filter(|id: &i64| id.to_string() == named);
            let by_address = || {
                let mut agents = directory.actors_at(ActorKind::Agent, named);
                agents.next().filter(|agent| agent.active).map(|agent| agent.id)
            };
            let id =
                by_number.or_else(by_address).ok_or_else(|| format!("`{named}` is not a valid actor ID"))?;
            (ActorKind::Agent, id)
        }
    };
    match directory.actor(key.0, key.1) {
        Some(actor) if actor.active => Ok(actor_id(key)),
        Some(_) => Err(format!("Actor `{named}` is deactivated")),
        None => Err(format!("Actor `{named}` does not exist in this account")),
    }
}

/// How an actor of the directory is called on the wire.
pub(crate) fn actor_id((kind, id): (ActorKind, i64)) -> String {
    let letter = match kind {
        ActorKind::Agent => 'A',
        ActorKind::Bot => 'B',
        ActorKind::Llm => 'L',
    };
    format!("{letter}-{id}")
}

#[cfg(test)]
mod tests {
    use antiphon_store::AppId;

    use super::*;
    use crate::testing::{self, entries, events};

    fn ask(to: &str) -> Assignment {
        Assignment { sent: "1".into(), by: Author::App(AppId(4410)), to: Assignee::Named(Some(to.into())) }
    }

    fn nobody() -> Assignment {
        Assignment { to: Assignee::Nobody, ..ask("") }
    }

    #[test]
    fn who_can_be_named() {
        for (named, is) in [
            ("A-71", "A-71"),
            ("71", "A-71"),
            ("mia@acme.example", "A-71"),
            ("MIA@Acme.example", "A-71"),
            ("B-5", "B-5"),
            ("L-6", "L-6"),
        ] {
            let changes =
                assign_thread(&testing::state(), &ask(named), &mut Moment::still(testing::NOW)).unwrap();
            assert_eq!(changes.threads[0].assigned_to.as_deref(), Some(is), "{named}");
            assert_eq!(entries(&changes), [format!("ASSIGNMENT -> {is} by I-4410")]);
            assert_eq!(events(&changes), [format!("assignedTo={is}")]);
        }
    }

    #[test]
    fn who_cannot() {
        for named in [
            "V-20",
            "E-mia@acme.example",
            "I-4410",
            "S-hubspot",
            "A-99",
            "A-72",
            "72",
            "B-99",
            "nobody@acme.example",
            "A-",
            "",
            "A-x",
        ] {
            let refused = assign_thread(&testing::state(), &ask(named), &mut Moment::still(testing::NOW));
            let Err(Refusal::Invalid(problems)) = refused else { panic!("{named}: {refused:?}") };
            assert_eq!(problems[0].in_.as_deref(), Some("actorId"), "{named}");
        }
        let missing = Assignment { to: Assignee::Named(None), ..ask("") };
        let refused = assign_thread(&testing::state(), &missing, &mut Moment::still(testing::NOW));
        let Err(Refusal::Invalid(problems)) = refused else { panic!("{refused:?}") };
        assert!(problems[0].message.ends_with("Some required fields were not set: [actorId]"));
    }

    #[test]
    fn from_one_to_another_to_nobody() {
        let mut state = testing::state();
        testing::close(&mut state);
        for (asked, entry, event) in [
            (ask("A-71"), "ASSIGNMENT -> A-71 by I-4410", "assignedTo=A-71"),
            (ask("B-5"), "ASSIGNMENT A-71 -> B-5 by I-4410", "assignedTo=B-5"),
            (nobody(), "ASSIGNMENT B-5 -> by I-4410", "assignedTo="),
        ] {
            let changes = assign_thread(&state, &asked, &mut Moment::still(testing::NOW)).unwrap();
            assert_eq!(entries(&changes), [entry]);
            assert_eq!(events(&changes), [event]);
            testing::apply(&mut state, &changes);
            let again = assign_thread(&state, &asked, &mut Moment::still(testing::NOW)).unwrap();
            assert!(again.is_empty());
        }
        assert_eq!(state.thread.as_ref().unwrap().status, antiphon_store::ThreadStatus::Closed);
    }

    #[test]
    fn an_archived_or_unknown_thread_is_not_found() {
        let mut state = testing::state();
        state.thread.as_mut().unwrap().archived_at = Some(3);
        for asked in [ask("A-71"), ask("V-1"), nobody()] {
            let refused = assign_thread(&state, &asked, &mut Moment::still(testing::NOW));
            assert_eq!(refused, Err(Refusal::not_found("1")));
        }
        state.thread = None;
        assert_eq!(assign_thread(&state, &nobody(), &mut Moment::still(1)), Err(Refusal::not_found("1")));
    }
}
