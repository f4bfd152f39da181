//! Somebody has to be there who can let others in: the last administrator stays one, whoever asks for something else. Only the
//! operator, who can make another one, is not asked.

use antiphon_store::{Actor, ActorKind, Directory, DirectoryChange, Login, Role};
use antiphon_wire::error::Problem;

use crate::refusal::Refusal;

/// The agents whom changes are about.
fn touched(changes: &[DirectoryChange]) -> impl Iterator<Item = i64> {
    changes.iter().filter_map(|change| match change {
        DirectoryChange::Actor(actor) if actor.kind == ActorKind::Agent => Some(actor.id),
        DirectoryChange::Login(login) => Some(login.agent_id),
        _ => None,
    })
}

/// Whether somebody can sign in and let others in.
fn administers(agent: Option<&Actor>, login: Option<&Login>) -> bool {
    agent.is_some_and(|agent| agent.active && agent.email.is_some())
        && login.is_some_and(|login| login.role == Role::Admin && login.opens())
}

/// Refuses what would leave a portal without an administrator that had one. Others are looked at only where one is lost.
///
/// # Errors
/// When nobody could let anybody in any more.
pub fn stays(directory: &Directory, changes: &[DirectoryChange]) -> Result<(), Refusal> {
    let before = |id| administers(directory.actor(ActorKind::Agent, id), directory.login(id));
    let after = |id| {
        let agent = changes.iter().rev().find_map(|change| match change {
            DirectoryChange::Actor(actor) if actor.kind == ActorKind::Agent && actor.id == id => Some(actor),
            _ => None,
        });
        let login = changes.iter().rev().find_map(|change| match change {
            DirectoryChange::Login(login) if login.agent_id == id => Some(login),
            _ => None,
        });
        administers(
            agent.or_else(|| directory.actor(ActorKind::Agent, id)),
            login.or_else(|| directory.login(id)),
        )
    };
    if !touched(changes).any(|id| before(id) && !after(id))
        || touched(changes).any(after)
        || directory.logins().iter().any(|login| after(login.agent_id))
    {
        return Ok(());
    }
    let why = "This is the last administrator who can sign in; make somebody else one first";
    Err(Refusal::Invalid(vec![Problem::bare(why.to_owned())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn agent(id: i64) -> Actor {
        let known = testing::state().directory.actor(ActorKind::Agent, 71).unwrap().clone();
        Actor { id, email: Some(format!("a{id}@acme.example")), active: true, ..known }
    }

    fn login(id: i64, role: Role, password: &str) -> Login {
        Login::new(id, password.to_owned(), role, 1)
    }

    #[test]
    fn the_last_administrator_stays_one() {
        use DirectoryChange as Change;
        let admin = |id| (agent(id), login(id, Role::Admin, "x"));
        let (one, two) = (admin(101), admin(102));
        let helper = (agent(103), login(103, Role::Agent, "x"));
        let invited = (agent(104), login(104, Role::Admin, ""));
        let away = (Actor { active: false, ..agent(105) }, login(105, Role::Admin, "x"));
        let gone = |id| Change::Actor(Actor { active: false, ..agent(id) });
        let mute = |id| Change::Actor(Actor { email: None, ..agent(id) });
        let lesser = |id| Change::Login(login(id, Role::Agent, "x"));
        let shut = |id| Change::Login(login(id, Role::Admin, ""));
        let greater = |id| Change::Login(login(id, Role::Admin, "x"));
        for (there, changes, fine) in [
            (vec![&one, &helper, &invited, &away], vec![gone(101)], false),
            (vec![&one, &helper, &invited, &away], vec![mute(101)], false),
            (vec![&one, &helper, &invited, &away], vec![lesser(101)], false),
            (vec![&one, &helper, &invited, &away], vec![shut(101)], false),
            (vec![&one, &helper], vec![greater(103), lesser(101)], true),
            (vec![&one, &two], vec![gone(101)], true),
            (vec![&one, &two], vec![gone(101), lesser(102)], false),
            (vec![&one, &helper], vec![gone(103)], true),
            (vec![&one], vec![greater(101)], true),
            (vec![&one], vec![Change::Actor(Actor { name: None, ..agent(101) })], true),
            (vec![&helper, &invited], vec![gone(103)], true),
            (vec![], vec![], true),
        ] {
            let mut directory = (*testing::state().directory).clone();
            for (agent, login) in there {
                directory.put(Change::Actor(agent.clone()));
                directory.put(Change::Login(login.clone()));
            }
            assert_eq!(stays(&directory, &changes).is_ok(), fine, "{changes:?}");
        }
    }
}
