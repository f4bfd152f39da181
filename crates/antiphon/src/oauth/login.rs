//! Passwords: set by the operator, kept as what only they make again, and tried seldom. Whether an address is known does not
//! show: an unknown one is tried as long, and as often.

use std::time::Duration;

use antiphon_store::{Actor, ActorKind, Directory, DirectoryChange, Login, Millis, Role};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::oauth::LoginPut;
use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::session::Browser;
use super::throttle::Lock;
use crate::app::App;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::{Refusal, SignInRefused};
use crate::sessions::role;
use crate::widget::floods::{Payer, Rate, What};

/// Passwords that are tried at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// How long one waits for its turn.
const TURN: Duration = Duration::from_secs(5);

/// Whose turn it is.
pub struct Logins(Semaphore);

impl Default for Logins {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// What came of trying to sign in.
pub enum Tried {
    In(Box<(Actor, Login)>),
    Wrong,
    /// Too often; nothing was tried, and nothing is for so many seconds.
    TooOften(i64),
}

/// Counts a password by where it comes from, before anything is done about it: each costs as much, whoever is meant.
///
/// # Errors
/// When too many have come from there.
pub fn counted(call: &Call) -> Result<(), Refusal> {
    let app = &call.app;
    let rate = Rate::minutely(app.config.limits.passwords_per_minute);
    let taken = app.floods.take(What::Password, Payer::address(call.heads.address), rate, app.machine_time());
    taken.map_err(|refusal| match refusal {
        Refusal::TooOften(wait) => Refusal::SignIn(SignInRefused::TooOften(wait)),
        other => other,
    })
}

/// Tries an address and a password. It takes as long whoever is meant.
///
/// # Errors
/// When too many are being tried.
pub async fn tried(
    app: &App,
    directory: &Directory,
    (email, password): (&str, &str),
    browser: Option<&Browser>,
) -> Result<Tried, Refusal> {
    if email.len() > 320 || password.len() > 1000 {
        return Ok(Tried::Wrong);
    }
    let agents = directory.actors_at(ActorKind::Agent, email).filter(|agent| agent.active);
    let known = agents.filter_map(|agent| Some((agent.clone(), directory.login(agent.id)?.clone()))).next();
    let browser = browser.filter(|one| known.as_ref().is_some_and(|(agent, _)| agent.id == one.agent));
    let lock = Lock::password(directory.portal.id, email, browser.map(|one| one.id.as_str()));
    if let Err(wait) = lock.begin(app).await? {
        return Ok(Tried::TooOften(wait));
    }
    let kept = known.as_ref().map(|(_, login)| login.password.clone()).filter(|kept| !kept.is_empty());
    let sent = password.to_owned();
    let _turn = tokio::time::timeout(TURN, app.logins.0.acquire()).await.map_err(|_| Refusal::Busy)?;
    let same = tokio::task::spawn_blocking(move || match kept {
        Some(kept) => is(&kept, &sent),
        None => hashed(&sent).is_none(),
    });
    match (same.await.unwrap_or(false), known) {
        (true, Some(known)) => {
            lock.forget(app).await?;
            Ok(Tried::In(Box::new(known)))
        }
        _ => Ok(Tried::Wrong),
    }
}

/// An agent's login with another password, which ends whatever was begun with the one before, and every link to choose one.
pub fn with_password(
    directory: &Directory,
    agent: i64,
    password: &str,
    role: Option<Role>,
    now: Millis,
) -> Login {
    match directory.login(agent) {
        Some(known) => Login {
            password: password.to_owned(),
            role: role.unwrap_or(known.role),
            changed_at: now.max(known.changed_at + 1),
            invite: None,
            ..known.clone()
        },
        None => Login::new(agent, password.to_owned(), role.unwrap_or(Role::Agent), now),
    }
}

/// What is kept of a password that somebody has chosen.
///
/// # Errors
/// When too many are being tried.
pub async fn chosen(app: &App, password: String) -> Result<String, Refusal> {
    let _turn = tokio::time::timeout(TURN, app.logins.0.acquire()).await.map_err(|_| Refusal::Busy)?;
    let made = tokio::task::spawn_blocking(move || hashed(&password)).await.ok().flatten();
    made.ok_or_else(|| Refusal::Internal("a password cannot be hashed".into()))
}

/// Whether a password can be chosen.
pub fn check(checks: &mut Checks, field: &str, password: &str) {
    if !(8..=1000).contains(&password.chars().count()) {
        checks.wrong(field, format!("{field} must have at least 8 characters, and 1000 at most"));
    }
}

fn hashed(password: &str) -> Option<String> {
    let salt = SaltString::encode_b64(Uuid::new_v4().as_bytes()).ok()?;
    Argon2::default().hash_password(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

fn is(kept: &str, sent: &str) -> bool {
    PasswordHash::new(kept)
        .is_ok_and(|kept| Argon2::default().verify_password(sent.as_bytes(), &kept).is_ok())
}

/// `PUT /agents/{agentId}/login`
pub async fn put(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    let body: LoginPut = call.json()?;
    let mut checks = Checks::default();
    let only_role = body.password.is_none() && (body.role.is_some() || body.administrator.is_some());
    let password = body.password.unwrap_or_default();
    if !only_role {
        check(&mut checks, "password", &password);
    }
    let role = match (body.role.as_deref(), body.administrator) {
        (Some(name), _) => role::named(name),
        (None, Some(false)) => Some(Role::Agent),
        (None, _) => Some(Role::Admin),
    };
    if role.is_none() {
        checks.take::<()>(Err(Problem::not_one_of(
            "role",
            body.role.as_deref().unwrap_or_default(),
            &role::NAMES,
        )));
    }
    checks.done()?;
    let role = role.unwrap_or(Role::Agent);
    let password = if only_role { None } else { Some(chosen(&call.app, password).await?) };
    directory::change(&call, move |state, moment| {
        let agent = state.directory.actor(ActorKind::Agent, id).ok_or_else(|| Refusal::not_found(id))?;
        if agent.email.is_none() {
            return Err(Refusal::invalid("agentId", "The agent needs an address to sign in with"));
        }
        let known = state.directory.login(id);
        let login = match &password {
            Some(password) => with_password(&state.directory, id, password, Some(role), moment.now),
            None => Login { role, ..known.ok_or_else(no_password)?.clone() },
        };
        Ok(vec![DirectoryChange::Login(login)])
    })
    .await?;
    Ok(Answer::none())
}

fn no_password() -> Refusal {
    Refusal::invalid("password", "The agent cannot sign in yet, and needs a password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_not_kept() {
        let kept = hashed("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("correct horse"));
        assert!(is(&kept, "correct horse") && !is(&kept, "correct horsE") && !is("", "") && !is("x", "x"));
        assert_ne!(hashed("correct horse").unwrap(), kept);
    }
}
