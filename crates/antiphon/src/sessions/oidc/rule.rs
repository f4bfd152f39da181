//! Whom the issuer means: an agent whom it vouched for before, or whose address it is; and otherwise somebody new, where the
//! operator says that whoever has such an address is welcome.

use antiphon_store::{Actor, ActorKind, Directory, DirectoryChange, Login, Millis, Moment, PortalId, Role};

use super::Why;
use super::claims::Who;
use crate::actors::create::{Draft, make};
use crate::call::Call;
use crate::config;
use crate::refusal::Refusal;
use crate::sessions::setup;

/// Most portals among which somebody is looked for.
const MOST_PORTALS: usize = 20;

/// What somebody is to a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The agent of this number, who can sign in.
    Known(i64),
    /// An agent whose address is known, and of whom nobody said that they can sign in.
    Listed(i64),
    /// An agent whom the issuer knows by another name.
    Taken,
    /// An agent who is deactivated.
    Inactive,
    Nobody,
}

impl Standing {
    /// Why somebody like that does not come in.
    pub fn why(self, config: &config::Oidc) -> Why {
        match self {
            Self::Taken => Why::Taken,
            Self::Inactive => Why::Inactive,
            _ if config.domains.is_empty() => Why::Unknown,
            _ => Why::Domain,
        }
    }
}

/// What somebody is to a portal. The issuer's name for them counts more than their address, which may be somebody else's by now.
pub fn stands(directory: &Directory, who: &Who, now: Millis) -> Standing {
    let is = |login: &&std::sync::Arc<Login>| login.subject.as_ref() == Some(&who.subject);
    let vouched = directory
        .logins()
        .iter()
        .find(is)
        .and_then(|login| directory.actor(ActorKind::Agent, login.agent_id));
    let at: Vec<&Actor> = directory.actors_at(ActorKind::Agent, &who.email).take(MOST_OF_ADDRESS).collect();
    let Some(agent) = vouched.or_else(|| at.iter().copied().find(|agent| agent.active)) else {
        return if at.is_empty() { Standing::Nobody } else { Standing::Inactive };
    };
    match directory.login(agent.id) {
        _ if !agent.active => Standing::Inactive,
        Some(login) if login.subject.as_ref().is_some_and(|subject| *subject != who.subject) => {
            Standing::Taken
        }
        Some(login) if login.opens() || login.invite.is_some_and(|(_, until)| now < until) => {
            Standing::Known(agent.id)
        }
        _ => Standing::Listed(agent.id),
    }
}

/// Most agents of one address that are looked at; of those only one is active.
const MOST_OF_ADDRESS: usize = 20;

/// The portal that keeps what belongs to none.
///
/// # Errors
/// When the store does not answer.
pub async fn house(call: &Call) -> Result<Option<PortalId>, Refusal> {
    match named(call) {
        Some(named) => Ok(Some(named)),
        None => Ok(call.app.store.portals(None, 1).await?.first().map(|portal| portal.id)),
    }
}

fn named(call: &Call) -> Option<PortalId> {
    Some(PortalId(call.app.config.oidc.portal)).filter(|portal| portal.0 > 0)
}

/// The portal that somebody signs in to: where they are an agent already, or may become one.
///
/// # Errors
/// When the store does not answer.
pub async fn found(call: &Call, who: &Who) -> Result<Result<PortalId, Why>, Refusal> {
    let (store, config) = (&call.app.store, &call.app.config.oidc);
    let portals = match named(call) {
        Some(named) => vec![named],
        None => store.portals(None, MOST_PORTALS).await?.into_iter().map(|portal| portal.id).collect(),
    };
    let mut standings = Vec::with_capacity(portals.len());
    for portal in portals {
        if let Some(directory) = store.directory(portal).await? {
            standings.push((portal, stands(&directory, who, store.now())));
        }
    }
    let picked = pick(&standings, who.welcome, config);
    // Nobody becomes an agent here before there is somebody who can take that back.
    if let Ok(portal) = picked
        && !standings.iter().any(|(at, standing)| *at == portal && matches!(standing, Standing::Known(_)))
        && setup::is_open(store).await?
    {
        return Ok(Err(Why::Unknown));
    }
    Ok(picked)
}

/// The portal that is meant.
fn pick(standings: &[(PortalId, Standing)], welcome: bool, config: &config::Oidc) -> Result<PortalId, Why> {
    let mut known = standings.iter().filter(|(_, standing)| matches!(standing, Standing::Known(_)));
    match (known.next(), known.next()) {
        (Some(_), Some(_)) => return Err(Why::Several),
        (Some((portal, _)), None) => return Ok(*portal),
        _ => {}
    }
    match standings {
        [(portal, Standing::Nobody | Standing::Listed(_))] if welcome => Ok(*portal),
        _ => {
            let mut closest = standings.iter().map(|(_, standing)| *standing);
            let told = closest.find(|one| matches!(one, Standing::Taken | Standing::Inactive));
            Err(told.unwrap_or(Standing::Nobody).why(config))
        }
    }
}

/// The rule: from now on the issuer's name for somebody is theirs. Who was found a moment ago may have gone meanwhile.
pub fn taken_in(
    directory: &Directory,
    who: &Who,
    role: Role,
    moment: &mut Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let subject = Some(who.subject.clone());
    let mut changes = Vec::new();
    let login = match stands(directory, who, moment.now) {
        // What was an invitation has been followed.
        Standing::Known(id) => match directory.login(id) {
            Some(login) if login.subject == subject => return Ok(changes),
            Some(login) if !login.opens() => Login { subject, invite: None, ..login.clone() },
            Some(login) => Login { subject, ..login.clone() },
            None => return Err(Refusal::Forbidden),
        },
        Standing::Taken | Standing::Inactive => return Err(Refusal::Forbidden),
        Standing::Listed(_) | Standing::Nobody if !who.welcome => return Err(Refusal::Forbidden),
        // Who is an agent and could not sign in before has the role that newcomers have.
        Standing::Listed(id) => Login { subject, ..Login::new(id, String::new(), role, moment.now) },
        Standing::Nobody => {
            let (name, email) = (who.name.clone(), Some(who.email.clone()));
            let made = make(
                directory,
                &Draft { kind: ActorKind::Agent, id: None, name, email, avatar: None },
                moment,
            )?;
            let id = made.id;
            changes.push(DirectoryChange::Actor(made));
            Login { subject, ..Login::new(id, String::new(), role, moment.now) }
        }
    };
    changes.push(DirectoryChange::Login(login));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use antiphon_store::TokenHash;

    use super::*;
    use crate::testing::{self, NOW};

    fn who(subject: &str, email: &str, welcome: bool) -> Who {
        Who { subject: subject.into(), email: email.into(), name: "Nova".into(), welcome }
    }

    fn directory() -> Directory {
        Directory::clone(&testing::state().directory)
    }

    fn taken(directory: &Directory, who: &Who, role: Role) -> Result<Vec<DirectoryChange>, Refusal> {
        taken_in(directory, who, role, &mut Moment::still(NOW))
    }

    /// The login that comes of it.
    fn login(changes: &[DirectoryChange]) -> &Login {
        let [.., DirectoryChange::Login(login)] = changes else { panic!("{changes:?}") };
        login
    }

    #[test]
    fn an_agent_is_known_by_address_once_and_by_the_issuers_name_from_then_on() {
        let mut directory = directory();
        directory.put(DirectoryChange::Login(Login::new(71, "hash".into(), Role::Admin, NOW)));
        let mia = who("id 1", "MIA@acme.example", false);
        assert_eq!(stands(&directory, &mia, NOW), Standing::Known(71));
        let changes = taken(&directory, &mia, Role::ReadOnly).unwrap();
        // What she may do and her password stay.
        let after = login(&changes).clone();
        assert_eq!((after.agent_id, after.role, after.password.as_str()), (71, Role::Admin, "hash"));
        assert_eq!((after.subject.as_deref(), after.changed_at), (Some("id 1"), NOW));
        directory.put(DirectoryChange::Login(after));
        assert_eq!(taken(&directory, &mia, Role::Agent), Ok(Vec::new()));
        // Whatever her address there is now.
        assert_eq!(
            stands(&directory, &who("id 1", "mia@elsewhere.example", false), NOW),
            Standing::Known(71)
        );
        // Her address in somebody else's hands opens nothing.
        let heir = who("id 2", "mia@acme.example", true);
        assert_eq!(stands(&directory, &heir, NOW), Standing::Taken);
        assert_eq!(taken(&directory, &heir, Role::Agent), Err(Refusal::Forbidden));
        // Neither she nor her heir comes back once she is deactivated.
        let gone = Actor { active: false, ..directory.actor(ActorKind::Agent, 71).unwrap().clone() };
        directory.put(DirectoryChange::Actor(gone));
        for somebody in [&mia, &heir] {
            assert_eq!(stands(&directory, somebody, NOW), Standing::Inactive);
            assert_eq!(taken(&directory, somebody, Role::Agent), Err(Refusal::Forbidden));
        }
    }

    #[test]
    fn an_invitation_lets_in_as_long_as_it_is_good() {
        let mut directory = directory();
        let invited = |invite| Login { invite, ..Login::new(71, String::new(), Role::Admin, NOW) };
        let mia = who("id 1", "mia@acme.example", false);
        for (invite, standing) in [
            (Some((TokenHash([1; 32]), NOW + 1)), Standing::Known(71)),
            (Some((TokenHash([1; 32]), NOW)), Standing::Listed(71)),
            (None, Standing::Listed(71)),
        ] {
            directory.put(DirectoryChange::Login(invited(invite)));
            assert_eq!(stands(&directory, &mia, NOW), standing, "{invite:?}");
            let changes = taken(&directory, &mia, Role::Agent);
            match standing {
                Standing::Known(_) => {
                    let after = login(changes.as_deref().unwrap());
                    assert_eq!((after.role, after.invite, after.opens()), (Role::Admin, None, true));
                }
                _ => assert_eq!(changes, Err(Refusal::Forbidden)),
            }
        }
        // What was withdrawn gives nobody its role.
        let changes = taken(&directory, &Who { welcome: true, ..mia }, Role::ReadOnly).unwrap();
        assert_eq!(login(&changes).role, Role::ReadOnly);
    }

    #[test]
    fn newcomers_are_made_agents_where_their_address_is_welcome() {
        let mut directory = directory();
        let nova = who("id 3", "nova@acme.example", true);
        let changes = taken(&directory, &nova, Role::ReadOnly).unwrap();
        let [DirectoryChange::Actor(made), DirectoryChange::Login(login)] = changes.as_slice() else {
            panic!()
        };
        assert_eq!((made.name.as_deref(), made.email.as_deref()), (Some("Nova"), Some("nova@acme.example")));
        assert_eq!((login.agent_id, login.role, login.opens()), (made.id, Role::ReadOnly, true));
        for (somebody, standing) in [
            (who("id 3", "nova@acme.example", false), Standing::Nobody),
            // An agent without a login is no more than an entry in a list.
            (who("id 1", "mia@acme.example", false), Standing::Listed(71)),
        ] {
            assert_eq!(stands(&directory, &somebody, NOW), standing);
            assert_eq!(taken(&directory, &somebody, Role::Agent), Err(Refusal::Forbidden));
        }
        for change in changes.clone() {
            directory.put(change);
        }
        assert_eq!(taken(&directory, &nova, Role::Admin), Ok(Vec::new()));
    }

    #[test]
    fn the_portal_that_is_meant() {
        use Standing::{Inactive, Known, Listed, Nobody, Taken};
        let (open, closed) = (config::Oidc::test(&["acme.example"]), config::Oidc::test(&[]));
        for (standings, welcome, expected) in [
            (&[Known(1)][..], false, Ok(0)),
            (&[Nobody, Known(1)], true, Ok(1)),
            (&[Known(1), Listed(2)], true, Ok(0)),
            (&[Known(1), Known(2)], true, Err(Why::Several)),
            (&[Nobody], true, Ok(0)),
            (&[Listed(1)], true, Ok(0)),
            (&[Nobody], false, Err(Why::Domain)),
            (&[Listed(1)], false, Err(Why::Domain)),
            // Where there are several, nobody can tell which.
            (&[Nobody, Nobody], true, Err(Why::Domain)),
            (&[Inactive], true, Err(Why::Inactive)),
            (&[Nobody, Taken], true, Err(Why::Taken)),
            (&[], true, Err(Why::Domain)),
        ] {
            let at = |n: usize| PortalId(i64::try_from(n).unwrap());
            let all: Vec<_> = standings.iter().enumerate().map(|(n, one)| (at(n), *one)).collect();
            assert_eq!(pick(&all, welcome, &open), expected.map(at), "{standings:?}");
        }
        assert_eq!(pick(&[(PortalId(1), Nobody)], false, &closed), Err(Why::Unknown));
    }
}
