//! How an app may be installed, and installing one without asking anybody: what the operator does.

use antiphon_store::{ActorKind, AppId, Client, Directory, DirectoryChange, Grant, Moment, State, Used};
use antiphon_wire::id::{Id, MAX_INT32};
use antiphon_wire::oauth as wire;
use antiphon_wire::timestamp::Timestamp;

use super::{client_id, grants, hash, redirect, refresh_token, token};
use crate::apps;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// Most redirect URIs of an app, and most scopes.
const MOST: usize = 100;

/// `GET /apps/{appId}/oauth`
pub async fn show(call: Call) -> Result<Answer, Refusal> {
    let id = apps::named(call.segment(0))?;
    Answer::json(200, &shown(&call, &call.caller.directory, id).await?)
}

async fn shown(call: &Call, directory: &Directory, id: AppId) -> Result<wire::Settings, Refusal> {
    let app = directory.app(id).ok_or_else(|| Refusal::not_found(id))?;
    let client = directory.client(id);
    let grants = directory.users_grants(id).filter(|grant| grants::lives(grant));
    let grants: Vec<_> = grants.map(|grant| Used::Grant(grant.id)).collect();
    let used = call.app.uses.last(&call.app.store, directory.portal.id, &grants).await?;
    Ok(wire::Settings {
        app_id: Id(app.id.0),
        client_id: client_id(id),
        redirect_uris: client.map(|client| client.redirect_uris.clone()).unwrap_or_default(),
        scopes: client.map(|client| client.scopes.clone()).unwrap_or_default(),
        installed: directory.is_installed(id),
        last_used_at: used.into_iter().flatten().max().map(Timestamp),
    })
}

/// `PATCH /apps/{appId}/oauth`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = apps::named(call.segment(0))?;
    let body: wire::SettingsPatch = call.json()?;
    let mut checks = Checks::default();
    for uri in body.redirect_uris.iter().flatten() {
        if let Some(problem) = redirect::problem(uri) {
            checks.wrong("redirectUris", format!("`{uri}` {problem}"));
        }
    }
    scopes_checked(&mut checks, body.scopes.as_deref().unwrap_or_default());
    if body.redirect_uris.as_ref().is_some_and(|uris| uris.len() > MOST) {
        checks.wrong("redirectUris", format!("An app has {MOST} redirect URIs at most"));
    }
    checks.done()?;
    directory::change(&call, move |state, _| {
        state.directory.own_app(id).ok_or_else(|| Refusal::not_found(id))?;
        let none = || Client { app_id: id, redirect_uris: Vec::new(), scopes: Vec::new() };
        let mut client = state.directory.client(id).cloned().unwrap_or_else(none);
        client.redirect_uris = body.redirect_uris.clone().unwrap_or(client.redirect_uris);
        client.scopes = body.scopes.clone().unwrap_or(client.scopes);
        Ok(vec![DirectoryChange::Client(client)])
    })
    .await?;
    Answer::json(200, &shown(&call, &*directory::now(&call).await?, id).await?)
}

fn scopes_checked(checks: &mut Checks, scopes: &[String]) {
    for scope in scopes.iter().filter(|scope| !super::grantable(scope)) {
        checks.wrong("scopes", format!("`{scope}` cannot be granted to an app"));
    }
    if scopes.len() > MOST {
        checks.wrong("scopes", format!("At most {MOST} scopes can be named"));
    }
}

/// `POST /apps/{appId}/install`
pub async fn install(call: Call) -> Result<Answer, Refusal> {
    let id = apps::named(call.segment(0))?;
    let body: wire::Install = call.json()?;
    let mut checks = Checks::default();
    let user = checks.required_id("userId", body.user_id, MAX_INT32);
    scopes_checked(&mut checks, body.scopes.as_deref().unwrap_or_default());
    checks.done()?;
    let portal = call.caller.portal();
    let fresh = refresh_token(&call.app.config.region, portal);
    let refresh = hash(&fresh);
    let asked = body.scopes;
    let home = call.app.store.directory_of_app(id).await?.ok_or_else(|| Refusal::not_found(id))?;
    let changes = directory::change(&call, move |state: &State, moment: &mut Moment| {
        let directory = &state.directory;
        // What the app may ask for is said where it is at home.
        let at = if directory.own_app(id).is_some() { directory } else { &home };
        if at.own_app(id).is_none_or(|app| !app.active && at.portal.id != directory.portal.id) {
            return Err(Refusal::not_found(id));
        }
        if directory.actor(ActorKind::Agent, user).is_none_or(|agent| !agent.active) {
            return Err(Refusal::invalid("userId", "No agent of this account has this id"));
        }
        let listed = at.client(id).map(|client| client.scopes.clone()).unwrap_or_default();
        let scopes = asked.clone().unwrap_or_else(|| listed.clone());
        if scopes.is_empty() {
            return Err(Refusal::invalid("scopes", "Say which scopes are granted"));
        }
        if !listed.is_empty() && scopes.iter().any(|scope| !listed.contains(scope)) {
            return Err(Refusal::invalid("scopes", "A scope is not one that this app may ask for"));
        }
        let made = grants::made(id, Some(user), scopes, None, moment);
        let made = Grant { refresh: Some(refresh), ..made };
        let install = grants::installed(directory, at.portal.id, &made, moment.now);
        Ok(vec![DirectoryChange::Grant(made), DirectoryChange::Install(install)])
    })
    .await?;
    let grant = crate::changed!(changes, Grant)?;
    Answer::json(201, &token::printed(&call, portal, &grant, Some(fresh))?)
}

/// `DELETE /apps/{appId}/install`: the app's tokens are refused from now on.
pub async fn uninstall(call: Call) -> Result<Answer, Refusal> {
    let id = apps::named(call.segment(0))?;
    loop {
        let gone = directory::change(&call, move |state, moment| {
            state.directory.app(id).ok_or_else(|| Refusal::not_found(id))?;
            Ok(grants::uninstalled(&state.directory, id, moment.now))
        });
        if gone.await?.is_empty() {
            return Ok(Answer::none());
        }
    }
}
