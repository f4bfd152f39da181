//! On whose behalf something is done that only agents do.

use antiphon_store::{ActorKind, Directory};
use antiphon_wire::actor::ActorId;
use antiphon_wire::error::Problem;
use antiphon_wire::id::LenientId;

use crate::call::{Call, Caller};
use crate::threads::assign::actor_id;

/// The field in which programs say for whom they act.
pub const NAME: &str = "senderActorId";

/// The number of the agent who acts: whoever is signed in. Programs name one.
///
/// # Errors
/// It is nobody of the portal who can act.
pub fn acting(caller: &Caller, named: Option<&LenientId>) -> Result<i64, Problem> {
    if let Some(signed_in) = caller.agent {
        return own(signed_in.actor_id(), named).map(|_| signed_in.agent);
    }
    agent(&caller.directory, NAME, named.ok_or_else(|| Problem::required(NAME))?)
}

/// The same where the query says it.
///
/// # Errors
/// It is nobody of the portal who can act.
pub fn asking(call: &Call) -> Result<i64, Problem> {
    acting(&call.caller, call.query.scalar(NAME).map(|sent| LenientId(sent.to_owned())).as_ref())
}

/// The number of the agent who acts, if it is one: programs may act for themselves.
///
/// # Errors
/// It is somebody who cannot act.
pub fn acting_or_nobody(caller: &Caller, named: Option<&LenientId>) -> Result<Option<i64>, Problem> {
    match named {
        None => Ok(caller.agent.map(|signed_in| signed_in.agent)),
        named => acting(caller, named).map(Some),
    }
}

/// The same where the query says it.
///
/// # Errors
/// It is somebody who cannot act.
pub fn asking_or_nobody(call: &Call) -> Result<Option<i64>, Problem> {
    acting_or_nobody(&call.caller, call.query.scalar(NAME).map(|sent| LenientId(sent.to_owned())).as_ref())
}

/// How an agent is called on the wire.
pub fn actor(agent: i64) -> String {
    actor_id((ActorKind::Agent, agent))
}

/// The agent who is signed in, and acts as nobody else.
///
/// # Errors
/// Somebody else is named.
pub fn own(own: String, named: Option<&LenientId>) -> Result<String, Problem> {
    if named.is_none_or(|named| named.as_str() == own) {
        return Ok(own);
    }
    let why = format!("Agents who are signed in act as themselves; leave it out, or write `{own}`");
    Err(Problem::new(NAME, why))
}

/// The agent that a field names, if it can act.
///
/// # Errors
/// It is none.
pub fn agent(directory: &Directory, field: &str, named: &LenientId) -> Result<i64, Problem> {
    let named = named.as_str();
    let agent = match ActorId::parse(named) {
        Ok(ActorId::Agent(id)) => directory.actor(ActorKind::Agent, id),
        _ => return Err(Problem::new(field, format!("`{named}` is not the actor ID of an agent"))),
    };
    match agent {
        Some(agent) if agent.active => Ok(agent.id),
        Some(_) => Err(Problem::new(field, format!("Agent `{named}` is deactivated"))),
        None => Err(Problem::new(field, format!("Agent `{named}` does not exist in this account"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_signed_in_acts_as_nobody_else() {
        let named = |id: &str| own("A-71".into(), Some(&LenientId(id.into())));
        assert_eq!(own("A-71".into(), None).as_deref(), Ok("A-71"));
        assert_eq!(named("A-71").as_deref(), Ok("A-71"));
        for other in ["A-72", "71", "", "B-71"] {
            assert_eq!(named(other).unwrap_err().in_.as_deref(), Some(NAME), "{other}");
        }
    }

    #[test]
    fn only_agents_at_work_act() {
        let state = crate::testing::state();
        let named = |id: &str| agent(&state.directory, NAME, &LenientId(id.into()));
        assert_eq!(named("A-71"), Ok(71));
        for other in ["A-72", "A-99", "B-5", "V-20", "I-4410", "71", "", "A-x"] {
            let problem = named(other).unwrap_err();
            assert_eq!(problem.in_.as_deref(), Some(NAME), "{other}");
        }
    }
}
