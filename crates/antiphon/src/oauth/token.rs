//! The token endpoint: a code, a refresh token or an app's own credentials for an access token.

use std::sync::Arc;

use antiphon_store::{AppId, Directory, DirectoryChange, Grant, PortalId, Used};
use antiphon_wire::oauth::Given;

use super::access::{self, Access};
use super::fields::{Fields, bad_request, refused};
use super::grants::{self, Taking};
use super::{LIFE, OWN_SCOPES, hash, portal_of, redirect, refresh_token};
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::directory;
use crate::operation::Version;
use crate::refusal::Refusal;

/// `POST /token`
pub async fn token(call: Call) -> Result<Answer, Refusal> {
    let fields = Fields::read(&call, call.version == Version::V1)?;
    match fields.get("grant_type").as_deref() {
        Some("authorization_code") => code(&call, &fields).await,
        Some("refresh_token") => refresh(&call, &fields).await,
        Some("client_credentials") => own(&call, &fields).await,
        _ => {
            let message = "missing or unknown grant_type";
            Err(refused("BAD_GRANT_TYPE", "unsupported_grant_type", message))
        }
    }
}

async fn code(call: &Call, fields: &Fields) -> Result<Answer, Refusal> {
    let (app, directory, proved) = fields.client(call).await?;
    let (code, redirect_uri) = (fields.required("code")?, fields.required("redirect_uri")?);
    let registered =
        directory.client(app.id).is_some_and(|client| redirect::registered(client, &redirect_uri));
    if !registered {
        let message = "redirect_uri is not registered for this app";
        return Err(refused("BAD_REDIRECT_URI", "invalid_request", message));
    }
    let granted = portal(call, &code).await?;
    let bad = || refused("BAD_AUTH_CODE", "invalid_grant", "missing or unknown auth code");
    let portal = granted.ok_or_else(bad)?.portal.id;
    let fresh = refresh_token(&call.app.config.region, portal);
    let taking = Taking {
        app: app.id,
        home: directory.portal.id,
        code: hash(&code),
        redirect_uri,
        verifier: fields.get("code_verifier"),
        proved,
        refresh: hash(&fresh),
    };
    let rule = move |state: &antiphon_store::State, moment: &mut antiphon_store::Moment| {
        grants::taken_up(&state.directory, &taking, moment.now)
    };
    let changes =
        directory::change_of(&call.app.store, portal, Some(Doer::app(call, app.id)), rule).await??;
    let taken = changes.into_iter().find_map(|change| match change {
        DirectoryChange::Grant(grant) if grant.ended_at.is_none() => Some(grant),
        _ => None,
    });
    let grant = taken.ok_or_else(|| {
        let message = "the auth code was used before; what was got with it has ended";
        refused("BAD_AUTH_CODE", "invalid_grant", message)
    })?;
    given(call, portal, &grant, Some(fresh))
}

async fn refresh(call: &Call, fields: &Fields) -> Result<Answer, Refusal> {
    let (app, _, proved) = fields.client(call).await?;
    let sent = fields.required("refresh_token")?;
    if !proved {
        return Err(bad_request("missing client_secret"));
    }
    let bad = || refused("BAD_REFRESH_TOKEN", "invalid_grant", "missing or unknown refresh token");
    let directory = portal(call, &sent).await?.ok_or_else(bad)?;
    let grant = living(&directory, app.id, &sent).ok_or_else(bad)?;
    given(call, directory.portal.id, grant, Some(sent))
}

/// The portal that a code or a refresh token was given out for, as it says itself.
async fn portal(call: &Call, sent: &str) -> Result<Option<Arc<Directory>>, Refusal> {
    let Some(portal) = portal_of(sent) else { return Ok(None) };
    Ok(call.app.store.directory(portal).await?)
}

/// The grant of a refresh token, as long as it refreshes anything for this app.
pub fn living<'d>(directory: &'d Directory, app: AppId, sent: &str) -> Option<&'d Grant> {
    portal_of(sent).filter(|portal| *portal == directory.portal.id)?;
    let hash = hash(sent);
    directory
        .grant_of(&hash)
        .filter(|grant| grant.refresh == Some(hash) && grant.app_id == app && grants::lives(grant))
}

async fn own(call: &Call, fields: &Fields) -> Result<Answer, Refusal> {
    let (app, directory, proved) = fields.client(call).await?;
    if !proved {
        return Err(bad_request("missing client_secret"));
    }
    let listed = directory.client(app.id).map(|client| client.scopes.clone()).unwrap_or_default();
    let scopes: Vec<String> = match fields.get("scope") {
        Some(asked) => asked.split_ascii_whitespace().map(str::to_owned).collect(),
        None if !listed.is_empty() => listed.clone(),
        None => OWN_SCOPES.map(str::to_owned).into(),
    };
    let allowed = |scope: &String| super::grantable(scope) && (listed.is_empty() || listed.contains(scope));
    if !scopes.iter().all(allowed) || scopes.len() > 100 {
        return Err(refused("BAD_SCOPE", "invalid_scope", "a scope is not allowed for this app"));
    }
    let (id, portal) = (app.id, directory.portal.id);
    let mut own = directory.grants_by(id, None);
    let grant = match own.find(|grant| grant.scopes == scopes && grant.ended_at.is_none()) {
        Some(grant) => Grant::clone(grant),
        None => {
            let rule = move |_: &antiphon_store::State, moment: &mut antiphon_store::Moment| {
                Ok(vec![DirectoryChange::Grant(grants::made(id, None, scopes.clone(), None, moment))])
            };
            let changes =
                directory::change_of(&call.app.store, portal, Some(Doer::app(call, app.id)), rule).await??;
            crate::changed!(changes, Grant)?
        }
    };
    given(call, portal, &grant, None)
}

/// An access token of a grant, and with what comes next.
pub fn given(
    call: &Call,
    portal: PortalId,
    grant: &Grant,
    refresh_token: Option<String>,
) -> Result<Answer, Refusal> {
    Answer::json(200, &printed(call, portal, grant, refresh_token)?)
}

/// The same, to be answered otherwise.
pub fn printed(
    call: &Call,
    portal: PortalId,
    grant: &Grant,
    refresh_token: Option<String>,
) -> Result<Given, Refusal> {
    let now = call.app.store.now();
    call.app.uses.used(portal, Used::Grant(grant.id), now);
    let expires_at = now + LIFE;
    let access = Access { portal, grant: grant.id, expires_at };
    let token_use = if grant.user_id.is_some() { "access_token" } else { "client_credentials" };
    Ok(Given {
        token_type: "bearer",
        access_token: access::mint(&call.app.keys, access)?,
        refresh_token,
        expires_in: LIFE / 1000,
        token_use,
        hub_id: grant.user_id.map(|_| portal.0),
        user_id: grant.user_id,
        scopes: grant.scopes.clone(),
    })
}
