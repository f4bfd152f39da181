//! Signing in: an address, a password, and a session that nobody had before.

use std::sync::Arc;

use antiphon_store::{
    Actor, ActorKind, Changes, Directory, Login, Moment, Portal, PortalId, Session, SessionId, State, Target,
};
use antiphon_wire::id::{LenientId, MAX_INT32};
use antiphon_wire::session::SignIn;
use http::HeaderValue;
use http::header::SET_COOKIE;
use uuid::Uuid;

use super::csrf::Site;
use super::standing::{IDLE, LIFE};
use super::{cookie, end, show, totp};
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::oauth::login::{Tried, counted, tried};
use crate::oauth::session as browsers;
use crate::refusal::{Crossed, Refusal, SignInRefused};

/// Most characters of what a browser calls itself.
const BROWSER: usize = 200;

/// `POST /session`
pub async fn begin(call: Call) -> Result<Answer, Refusal> {
    // Another page must not sign somebody in as somebody else.
    if call.heads.site == Site::Other {
        return Err(Refusal::Foreign);
    }
    counted(&call)?;
    let sent: SignIn = call.json()?;
    let (email, password) = (sent.email.unwrap_or_default(), sent.password.unwrap_or_default());
    let email = email.trim();
    let (mut right, mut wait) = (Vec::new(), None);
    for directory in candidates(&call, sent.portal_id.as_ref(), email).await? {
        let browser = browsers::browser(&call, &directory);
        match tried(&call.app, &directory, (email, &password), browser.as_ref()).await? {
            Tried::In(known) => right.push((directory, known, browser)),
            Tried::Wrong => {}
            Tried::TooOften(seconds) => wait = wait.max(Some(seconds)),
        }
    }
    if right.len() > 1 {
        return Err(several(right.iter().map(|(directory, ..)| &directory.portal)));
    }
    let Some((directory, known, browser)) = right.pop() else {
        return Err(Refusal::SignIn(wait.map_or(SignInRefused::Wrong, SignInRefused::TooOften)));
    };
    totp::passed(&call, &directory, &known.1, sent.code.as_deref()).await?;
    entered(&call, &directory, *known, browser).await
}

/// The password is right in several portals. Only whoever has proved that learns which they are.
fn several<'p>(portals: impl Iterator<Item = &'p Portal>) -> Refusal {
    let (ids, names) = portals.map(|portal| (portal.id.to_string(), portal.name.clone())).unzip();
    Refusal::Crossed(Crossed {
        kind: "SEVERAL_PORTALS",
        message: "The address and the password are right for several portals. Send the `portalId` of one of them as well.",
        context: vec![("portalId", ids), ("name", names)],
    })
}

async fn entered(
    call: &Call,
    directory: &Directory,
    (agent, login): (Actor, Login),
    browser: Option<browsers::Browser>,
) -> Result<Answer, Refusal> {
    let (session, cookie) = begun(call, directory, &login, "session.begin").await?;
    let known = browsers::known(call, directory, &login, browser)?;
    // A recovery code may have been used up meanwhile.
    let now = call.app.store.directory(directory.portal.id).await?;
    let login = now.as_ref().and_then(|now| now.login(agent.id)).unwrap_or(&login);
    let shown = show::shown(call, directory, &agent, login, &session)?;
    Ok(with_cookies(Answer::json(200, &shown)?, &[cookie, known]))
}

/// A session of an agent who has proved to be one, and its cookie; noted under this name. Whatever session the browser had before ends: nobody can
/// have given it one to be used later.
///
/// # Errors
/// When the store does not answer.
pub async fn begun(
    call: &Call,
    directory: &Directory,
    login: &Login,
    action: &'static str,
) -> Result<(Session, String), Refusal> {
    let (store, portal) = (&call.app.store, directory.portal.id);
    end::ended(call).await?;
    let (id, now) = (SessionId(Uuid::new_v4().into_bytes()), store.now());
    let fresh = cookie::fresh(portal, id);
    let session = Session {
        id,
        agent_id: login.agent_id,
        login_at: login.changed_at,
        created_at: now,
        turned_at: now,
        ends_at: now + IDLE,
        secret: fresh.hash,
        next: None,
        old: None,
        browser: call.heads.browser.chars().filter(|c| !c.is_control()).take(BROWSER).collect(),
        address: call.heads.address.map(|address| address.to_string()).unwrap_or_default(),
    };
    store.session_put(portal, session.clone()).await?;
    let by = Doer { actor: format!("A-{}", login.agent_id), action, ..Doer::of(call) };
    let rule = move |_: &State, moment: &mut Moment| {
        Ok::<_, Refusal>(Changes { audit: vec![by.did(moment)], ..Changes::default() })
    };
    store.change(portal, Target::Directory, rule).await??;
    Ok((session, cookie::set(&fresh, &call.origin, LIFE)))
}

/// Where somebody can mean to sign in: the portal that is named, or else those in which the address is an agent's. There is
/// one in any case, so that an address that is not known takes as long as one that is.
async fn candidates(
    call: &Call,
    named: Option<&LenientId>,
    email: &str,
) -> Result<Vec<Arc<Directory>>, Refusal> {
    let store = &call.app.store;
    if let Some(named) = named {
        let found = match named.parse(MAX_INT32) {
            Some(id) => store.directory(PortalId(id)).await?,
            None => None,
        };
        return Ok(found.into_iter().collect());
    }
    let portals = store.portals(None, MOST_PORTALS + 1).await?;
    if portals.len() > MOST_PORTALS {
        return Err(Refusal::invalid("portalId", "This server has many portals; say which one is meant"));
    }
    let mut all = Vec::with_capacity(portals.len());
    for portal in portals {
        all.extend(store.directory(portal.id).await?);
    }
    let knows = |directory: &Arc<Directory>| {
        let mut agents = directory.actors_at(ActorKind::Agent, email);
        agents.any(|agent| agent.active && directory.login(agent.id).is_some())
    };
    match all.iter().any(&knows) {
        true => all.retain(knows),
        false => all.truncate(1),
    }
    all.truncate(MOST_TRIED);
    Ok(all)
}

/// Most portals among which one is looked for by an address.
const MOST_PORTALS: usize = 20;

/// Most in which a password is tried.
const MOST_TRIED: usize = 5;

/// The same answer, setting cookies.
pub fn with_cookies(mut answer: Answer, cookies: &[String]) -> Answer {
    let headers = cookies.iter().filter_map(|cookie| HeaderValue::try_from(cookie.as_str()).ok());
    answer.headers.extend(headers.map(|cookie: HeaderValue| (SET_COOKIE, cookie)));
    answer
}
