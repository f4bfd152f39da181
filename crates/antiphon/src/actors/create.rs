//! Making an agent, a bot or an AI agent.

use antiphon_store::{Actor, ActorKind, Directory, DirectoryChange, Moment, State};
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::own::ActorCreate;

use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub kind: ActorKind,
    /// The number it shall have.
    pub id: Option<i64>,
    pub name: String,
    pub email: Option<String>,
    pub avatar: Option<String>,
}

/// `POST /agents`
pub async fn agent(call: Call) -> Result<Answer, Refusal> {
    create(call, ActorKind::Agent).await
}

/// `POST /bots`
pub async fn bot(call: Call) -> Result<Answer, Refusal> {
    create(call, ActorKind::Bot).await
}

/// `POST /llms`
pub async fn llm(call: Call) -> Result<Answer, Refusal> {
    create(call, ActorKind::Llm).await
}

async fn create(call: Call, kind: ActorKind) -> Result<Answer, Refusal> {
    let draft = read(call.json()?, kind)?;
    let rule = move |state: &State, moment: &mut Moment| {
        Ok(vec![DirectoryChange::Actor(make(&state.directory, &draft, moment)?)])
    };
    let actor = changed!(directory::change(&call, rule).await?, Actor)?;
    Answer::json(201, &super::settings(&actor)).map(|answer| answer.at(&call, actor.id))
}

fn read(body: ActorCreate, kind: ActorKind) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let draft = Draft {
        kind,
        id: checks.id("id", body.id, MAX_SAFE),
        name: checks.required_name("name", body.name),
        email: checks.email("email", body.email).filter(|_| kind == ActorKind::Agent),
        avatar: checks.url("avatar", body.avatar),
    };
    checks.done()?;
    Ok(draft)
}

/// The rule. Two active agents never share an address: threads are assigned by it.
pub fn make(directory: &Directory, draft: &Draft, moment: &mut Moment) -> Result<Actor, Refusal> {
    let taken = |id: i64| directory.actor(draft.kind, id).is_some();
    let id = match draft.id {
        Some(id) if taken(id) => return Err(Refusal::invalid("id", format!("The number {id} is taken"))),
        Some(id) => id,
        None => std::iter::repeat_with(|| moment.actor_id()).find(|id| !taken(*id)).unwrap_or_default(),
    };
    let actor = Actor {
        kind: draft.kind,
        id,
        name: Some(draft.name.clone()),
        email: draft.email.clone(),
        avatar: draft.avatar.clone(),
        active: true,
        created_at: moment.now,
    };
    alone(directory, &actor)?;
    Ok(actor)
}

/// Refuses an agent whose address another active agent has.
pub(super) fn alone(directory: &Directory, actor: &Actor) -> Result<(), Refusal> {
    let Some(email) = actor.email.as_ref().filter(|_| actor.active) else { return Ok(()) };
    let mut active = directory.actors_at(actor.kind, email).take_while(|other| other.active);
    match active.find(|other| other.id != actor.id) {
        Some(other) => Err(Refusal::invalid("email", format!("Agent {} has this address already", other.id))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    fn draft(id: Option<i64>, email: Option<&str>) -> Draft {
        let (name, email) = ("Nova".to_owned(), email.map(str::to_owned));
        Draft { kind: ActorKind::Agent, id, name, email, avatar: None }
    }

    #[test]
    fn numbers_and_addresses_have_one_owner() {
        let mut directory = Directory::clone(&testing::state().directory);
        let mia = directory.actor(ActorKind::Agent, 71).unwrap().clone();
        let address = mia.email.clone().unwrap().to_uppercase();
        for (asked, fine) in [
            (draft(Some(71), None), false),
            (draft(Some(700), None), true),
            (draft(None, Some("nova@acme.example")), true),
            (draft(None, Some(&address)), false),
        ] {
            assert_eq!(make(&directory, &asked, &mut Moment::still(NOW)).is_ok(), fine, "{asked:?}");
        }
        // Numbers that were chosen are passed over when one is counted.
        directory.put(DirectoryChange::Actor(Actor { id: 1, email: None, ..mia.clone() }));
        assert_eq!(make(&directory, &draft(None, None), &mut Moment::still(NOW)).unwrap().id, 2);
        // Who is deactivated no longer holds an address.
        directory.put(DirectoryChange::Actor(Actor { active: false, ..mia }));
        assert!(make(&directory, &draft(None, Some(&address)), &mut Moment::still(NOW)).is_ok());
    }
}
