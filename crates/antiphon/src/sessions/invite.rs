//! Links with which agents choose a password: those who are new, and those who have forgotten theirs. An agent has at most one,
//! which is good once, and no longer than a week.

use antiphon_store::{
    Actor, ActorKind, Directory, DirectoryChange, Login, Millis, Moment, PortalId, Role, State, TokenHash,
};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::session::{self as wire, Invite, InviteAccept};
use antiphon_wire::timestamp::Timestamp;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::begin::{begun, with_cookies};
use super::csrf::Site;
use super::{role, show, totp};
use crate::actors::create::{Draft, make};
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::oauth::hash;
use crate::oauth::login::{check, chosen, counted, with_password};
use crate::refusal::Refusal;

/// How long a link is good.
const LIFE: Millis = 7 * 24 * 60 * 60 * 1000;

/// Whom a link is for.
#[derive(Debug, Clone)]
enum Whom {
    Known(i64),
    New(Box<Draft>),
}

/// `POST /invitations`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let (whom, role) = read(call.json()?)?;
    let chance = Uuid::new_v4().simple().to_string();
    let portal = call.caller.portal();
    let secret = chance.clone();
    let changes = directory::change(&call, move |state, moment| {
        invited(state, &whom, role, |agent| hash(&token(portal, agent, &secret)), moment)
    })
    .await?;
    let login = crate::changed!(changes, Login)?;
    let directory = directory::now(&call).await?;
    let mut shown =
        shown(&directory, &login).ok_or_else(|| Refusal::Internal("no agent was invited".into()))?;
    let token = token(portal, login.agent_id, &chance);
    shown.url = Some(format!("{}/inbox/invite#token={token}", call.origin));
    Answer::json(201, &shown)
}

fn read(body: Invite) -> Result<(Whom, Option<Role>), Refusal> {
    let mut checks = Checks::default();
    let role = body
        .role
        .as_deref()
        .map(|name| role::named(name).ok_or_else(|| Problem::not_one_of("role", name, &role::NAMES)));
    let role = role.and_then(|role| checks.take(role));
    let whom = match body.agent_id {
        Some(id) => Whom::Known(checks.required_id("agentId", Some(id), MAX_SAFE)),
        None => {
            let name = checks.required_name("name", body.name);
            if body.email.is_none() {
                checks.missing("email");
            }
            let email = checks.email("email", body.email);
            Whom::New(Box::new(Draft { kind: ActorKind::Agent, id: None, name, email, avatar: None }))
        }
    };
    checks.done()?;
    Ok((whom, role))
}

/// The rule. Who could sign in already still can, with what they know.
fn invited(
    state: &State,
    whom: &Whom,
    role: Option<Role>,
    hash: impl Fn(i64) -> TokenHash,
    moment: &mut Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let mut changes = Vec::new();
    let agent = match whom {
        Whom::Known(id) => {
            let known = state.directory.actor(ActorKind::Agent, *id).filter(|agent| agent.active);
            let known = known.ok_or_else(|| {
                Refusal::invalid(
                    "agentId",
                    format!("Agent {id} does not exist in this account, or is deactivated"),
                )
            })?;
            if known.email.is_none() {
                return Err(Refusal::invalid("agentId", "The agent needs an address to sign in with"));
            }
            *id
        }
        Whom::New(draft) => {
            let made = make(&state.directory, draft, moment)?;
            let id = made.id;
            changes.push(DirectoryChange::Actor(made));
            id
        }
    };
    let known = state.directory.login(agent).cloned();
    let known = known.unwrap_or_else(|| Login::new(agent, String::new(), Role::Agent, moment.now));
    let invite = Some((hash(agent), moment.now + LIFE));
    changes.push(DirectoryChange::Login(Login { role: role.unwrap_or(known.role), invite, ..known }));
    Ok(changes)
}

/// What a link ends with. It says whom it is for; the rest is chance.
fn token(portal: PortalId, agent: i64, chance: &str) -> String {
    format!("{portal}.{agent}.{chance}")
}

fn meant(token: &str) -> Option<(PortalId, i64)> {
    let mut parts = token.splitn(3, '.');
    let (portal, agent) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((PortalId(portal), agent)).filter(|_| token.len() < 100)
}

/// A link that is good.
fn shown(directory: &Directory, login: &Login) -> Option<wire::Invitation> {
    let agent = directory.actor(ActorKind::Agent, login.agent_id)?;
    let (_, until) = login.invite?;
    Some(wire::Invitation {
        agent_id: Id(agent.id),
        actor_id: format!("A-{}", agent.id),
        name: agent.name.clone(),
        email: agent.email.clone(),
        role: role::name(login.role),
        expires_at: Timestamp(until),
        url: None,
    })
}

/// `GET /invitations`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let (directory, now) = (&call.caller.directory, call.app.store.now());
    let open = directory.logins().iter().filter(|login| login.invite.is_some_and(|(_, until)| now < until));
    let results = open.filter_map(|login| shown(directory, login)).collect();
    Answer::json(200, &wire::Invitations { results })
}

/// `DELETE /invitations/{agentId}`
pub async fn revoke(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    directory::change(&call, move |state, _| {
        let login = state.directory.login(id).filter(|login| login.invite.is_some());
        let login = login.ok_or_else(|| Refusal::not_found(id))?;
        Ok(vec![DirectoryChange::Login(Login { invite: None, ..login.clone() })])
    })
    .await?;
    Ok(Answer::none())
}

/// `POST /invitations/accept`
pub async fn accept(call: Call) -> Result<Answer, Refusal> {
    if call.heads.site == Site::Other {
        return Err(Refusal::Foreign);
    }
    counted(&call)?;
    let sent: InviteAccept = call.json()?;
    let mut checks = Checks::default();
    let name = checks.name("name", sent.name);
    let password = sent.password.unwrap_or_default();
    check(&mut checks, "password", &password);
    checks.done()?;
    let token = sent.token.unwrap_or_default();
    let store = &call.app.store;
    let (portal, agent) = meant(&token).ok_or_else(gone)?;
    let directory = store.directory(portal).await?.ok_or_else(gone)?;
    let hash = hash(&token);
    let login = good(&directory, agent, &hash, store.now())?.clone();
    // A link is no way around the authenticator of somebody who has one.
    totp::passed(&call, &directory, &login, sent.code.as_deref()).await?;
    let password = chosen(&call.app, password).await?;
    let rule = move |state: &State, moment: &mut Moment| {
        good(&state.directory, agent, &hash, moment.now)?;
        let login = with_password(&state.directory, agent, &password, None, moment.now);
        let known = state.directory.actor(ActorKind::Agent, agent);
        let renamed =
            known.zip(name.clone()).map(|(known, name)| Actor { name: Some(name), ..known.clone() });
        Ok([DirectoryChange::Login(login)].into_iter().chain(renamed.map(DirectoryChange::Actor)).collect())
    };
    let by = Doer { actor: format!("A-{agent}"), ..Doer::of(&call) };
    directory::change_of(store, portal, Some(by), rule).await??;
    signed_in(&call, portal, agent).await
}

/// The login that a link is for, if it is good.
fn good<'d>(
    directory: &'d Directory,
    agent: i64,
    hash: &TokenHash,
    now: Millis,
) -> Result<&'d Login, Refusal> {
    let active = directory.actor(ActorKind::Agent, agent).is_some_and(|agent| agent.active);
    let login = directory.login(agent).filter(|_| active);
    let is = |(known, until): (TokenHash, Millis)| now < until && bool::from(known.0.ct_eq(&hash.0));
    login.filter(|login| login.invite.is_some_and(is)).ok_or_else(gone)
}

fn gone() -> Refusal {
    Refusal::invalid("token", "This link was used already, or is too old. Ask for another one")
}

/// A session of an agent who has just chosen a password.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn signed_in(call: &Call, portal: PortalId, agent: i64) -> Result<Answer, Refusal> {
    let directory = call.app.store.directory(portal).await?.ok_or_else(gone)?;
    let known = directory.actor(ActorKind::Agent, agent).zip(directory.login(agent));
    let (agent, login) = known.ok_or_else(gone)?;
    let (session, cookie) = begun(call, &directory, login, "session.begin").await?;
    let shown = show::shown(call, &directory, agent, login, &session)?;
    Ok(with_cookies(Answer::json(200, &shown)?, &[cookie]))
}
