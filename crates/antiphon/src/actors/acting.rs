//! On whose behalf something is done that only agents do.

use antiphon_store::{ActorKind, Directory};
use antiphon_wire::actor::ActorId;
use antiphon_wire::error::Problem;
use antiphon_wire::id::LenientId;

use crate::call::Caller;
use crate::threads::assign::actor_id;

/// The field in which programs say for whom they act.
pub const NAME: &str = "senderActorId";

/// The agent who acts, by actor id. Programs name one.
///
/// # Errors
/// It is nobody of the portal who can act.
pub fn acting(caller: &Caller, named: Option<&LenientId>) -> Result<String, Problem> {
    agent(&caller.directory, named).map(|id| actor_id((ActorKind::Agent, id)))
}

/// The agent that is named, if it can act.
fn agent(directory: &Directory, named: Option<&LenientId>) -> Result<i64, Problem> {
    let named = named.ok_or_else(|| Problem::required(NAME))?.as_str();
    let agent = match ActorId::parse(named) {
        Ok(ActorId::Agent(id)) => directory.actor(ActorKind::Agent, id),
        _ => return Err(Problem::new(NAME, format!("`{named}` is not the actor ID of an agent"))),
    };
    match agent {
        Some(agent) if agent.active => Ok(agent.id),
        Some(_) => Err(Problem::new(NAME, format!("Agent `{named}` is deactivated"))),
        None => Err(Problem::new(NAME, format!("Agent `{named}` does not exist in this account"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_agents_at_work_act() {
        let state = crate::testing::state();
        let named = |id: &str| agent(&state.directory, Some(&LenientId(id.into())));
        assert_eq!(named("A-71"), Ok(71));
        for other in ["A-72", "A-99", "B-5", "V-20", "I-4410", "71", "", "A-x"] {
            let problem = named(other).unwrap_err();
            assert_eq!(problem.in_.as_deref(), Some(NAME), "{other}");
        }
        assert!(agent(&state.directory, None).unwrap_err().message.contains("required"));
    }
}
