//! The first run: nobody can sign in yet. The server prints a link when it starts; whoever has it makes the first administrator.
//! The link is signed, good for a day, and nothing once somebody can sign in.

use antiphon_store::{
    ActorKind, Directory, DirectoryChange, Millis, Moment, PortalId, Profile, Quota, Role, State, Store,
    StoreError,
};
use antiphon_wire::session::Setup;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::csrf::Site;
use super::invite;
use crate::actors::create::{Draft, make};
use crate::app::App;
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::keys::{Keys, Purpose};
use crate::oauth::login::{check, chosen, with_password};
use crate::refusal::Refusal;

/// A server that has more portals was set up by its operator.
const MOST_PORTALS: usize = 20;

/// How long a link is good.
const LIFE: Millis = 24 * 60 * 60 * 1000;

/// Whether nobody can sign in anywhere.
///
/// # Errors
/// When the store does not answer.
pub async fn is_open(store: &Store) -> Result<bool, StoreError> {
    let portals = store.portals(None, MOST_PORTALS + 1).await?;
    for portal in portals.iter().take(MOST_PORTALS) {
        if store.directory(portal.id).await?.is_some_and(|directory| opens(&directory)) {
            return Ok(false);
        }
    }
    Ok(portals.len() <= MOST_PORTALS)
}

fn opens(directory: &Directory) -> bool {
    directory.logins().iter().any(|login| login.opens())
}

/// The link, if there is anything to be set up.
///
/// # Errors
/// When the store does not answer, or the server has no key to sign with.
pub async fn link(app: &App) -> Result<Option<String>, StoreError> {
    if !is_open(&app.store).await? {
        return Ok(None);
    }
    let token = token(&app.keys, app.store.now() + LIFE)?;
    Ok(Some(format!("{}/inbox/setup#token={token}", app.public_url)))
}

fn said(until: Millis) -> String {
    format!("setup {until}")
}

fn token(keys: &Keys, until: Millis) -> Result<String, StoreError> {
    let signed = keys.sign(Purpose::Session, said(until).as_bytes())?;
    Ok(format!("{until}.{}.{}", signed.key, URL_SAFE_NO_PAD.encode(signed.mac)))
}

fn is_good(keys: &Keys, sent: &str, now: Millis) -> bool {
    let mut parts = sent.splitn(3, '.');
    let mut read = || {
        let (until, key) = (parts.next()?.parse::<Millis>().ok()?, parts.next()?.parse::<i64>().ok()?);
        Some((until, key, URL_SAFE_NO_PAD.decode(parts.next()?).ok()?))
    };
    read().is_some_and(|(until, key, mac)| {
        now < until && keys.verify(Purpose::Session, said(until).as_bytes(), key, &mac)
    })
}

/// `POST /setup`
pub async fn set_up(call: Call) -> Result<Answer, Refusal> {
    if call.heads.site == Site::Other {
        return Err(Refusal::Foreign);
    }
    let sent: Setup = call.json()?;
    let store = &call.app.store;
    if !is_good(&call.app.keys, &sent.token.unwrap_or_default(), store.now()) || !is_open(store).await? {
        return Err(done());
    }
    let mut checks = Checks::default();
    let portal_name = checks.name("portalName", sent.portal_name);
    let name = checks.required_name("name", sent.name);
    if sent.email.is_none() {
        checks.missing("email");
    }
    let email = checks.email("email", sent.email);
    let password = sent.password.unwrap_or_default();
    check(&mut checks, "password", &password);
    checks.done()?;
    let password = chosen(&call.app, password).await?;
    let portal = portal(store, portal_name.clone()).await?;
    let draft = Draft { kind: ActorKind::Agent, id: None, name, email, avatar: None };
    let rule = move |state: &State, moment: &mut Moment| {
        first(state, portal_name.as_deref(), &draft, &password, moment)
    };
    let by = Doer { actor: "setup".into(), ..Doer::of(&call) };
    let changes = directory::change_of(store, portal, Some(by), rule).await??;
    let login = crate::changed!(changes, Login)?;
    invite::signed_in(&call, portal, login.agent_id).await
}

/// The first portal, which is made where there is none.
async fn portal(store: &Store, name: Option<String>) -> Result<PortalId, Refusal> {
    if let Some(first) = store.portals(None, 1).await?.first() {
        return Ok(first.id);
    }
    let name = name.unwrap_or_else(|| "Antiphon".to_owned());
    let made = store.portal_create(None, name, Profile::from("UTC"), Quota::default()).await?;
    made.map(|portal| portal.id).ok_or_else(done)
}

/// The rule. An agent who has the address already becomes the administrator.
fn first(
    state: &State,
    portal_name: Option<&str>,
    draft: &Draft,
    password: &str,
    moment: &mut Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let directory = &state.directory;
    if opens(directory) {
        return Err(done());
    }
    let mut changes = Vec::new();
    if let Some(name) = portal_name {
        let portal = antiphon_store::Portal { name: name.to_owned(), ..directory.portal.clone() };
        changes.push(DirectoryChange::Portal(portal));
    }
    let email = draft.email.as_deref().unwrap_or_default();
    let known = directory.actors_at(ActorKind::Agent, email).next().filter(|agent| agent.active);
    let agent = match known {
        Some(known) => known.id,
        None => {
            let made = make(directory, draft, moment)?;
            let id = made.id;
            changes.push(DirectoryChange::Actor(made));
            id
        }
    };
    let login = with_password(directory, agent, password, Some(Role::Admin), moment.now);
    changes.push(DirectoryChange::Login(login));
    Ok(changes)
}

fn done() -> Refusal {
    Refusal::invalid(
        "token",
        "This link is too old, or somebody can sign in already. Start the server anew for another one",
    )
}

#[cfg(test)]
mod tests {
    use antiphon_store::SigningKey;

    use super::*;

    #[test]
    fn a_link_is_good_for_a_day_and_nobody_makes_one() {
        let key = |value| Keys::new(&[SigningKey { id: 1, value, created_at: 0, ends_at: None }], 0);
        let (keys, now) = (key([7; 32]), 1_780_000_000_000);
        let link = token(&keys, now + LIFE).unwrap();
        assert!(is_good(&keys, &link, now) && !is_good(&keys, &link, now + LIFE));
        assert!(!is_good(&key([8; 32]), &link, now));
        let later = link.replacen(&(now + LIFE).to_string(), &(now + 2 * LIFE).to_string(), 1);
        for wrong in [&later, "", "1", "1.1", "x.y.z", &link[..link.len() - 3]] {
            assert!(!is_good(&keys, wrong, now), "{wrong}");
        }
    }
}
