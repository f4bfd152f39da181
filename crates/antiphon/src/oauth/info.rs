//! What a token is, for whoever holds it; and the end of one.

use antiphon_store::{ActorKind, Directory, DirectoryChange, Grant, PortalId};
use antiphon_wire::oauth::{Information, PrivateApp, TokenKey};

use super::access::{self, Access, Standing};
use super::fields::Fields;
use super::{client_id, hash, portal_of, token};
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::directory;
use crate::middleware;
use crate::refusal::Refusal;

/// `GET /access-tokens/{token}`
pub async fn access(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    match access::standing(&call.app, sent).await? {
        (Some(at), Standing::Alive(grant, directory)) => {
            Answer::json(200, &of_access(&call, sent, at, &grant, &directory))
        }
        _ => Err(Refusal::not_found(sent)),
    }
}

/// `GET /refresh-tokens/{token}`
pub async fn refresh(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let (grant, directory) = refreshing(&call, sent).await?.ok_or_else(|| Refusal::not_found(sent))?;
    Answer::json(200, &of_refresh(&call, sent, &grant, &directory))
}

/// `DELETE /refresh-tokens/{token}`: nothing is refreshed any more; what was given out lives to its end.
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    if let Some((grant, directory)) = refreshing(&call, call.segment(0)).await? {
        end(&call, directory.portal.id, grant.id, false).await?;
    }
    Ok(Answer::none())
}

/// `POST /token/introspect`
pub async fn introspect(call: Call) -> Result<Answer, Refusal> {
    let fields = Fields::read(&call, false)?;
    let (app, _, proved) = fields.client(&call).await?;
    if !proved {
        return Err(super::fields::refused("BAD_CLIENT_SECRET", "invalid_client", "missing client_secret"));
    }
    let sent = fields.required("token")?;
    let id = client_id(app.id);
    if let (Some(at), Standing::Alive(grant, directory)) = access::standing(&call.app, &sent).await?
        && grant.app_id == app.id
    {
        let info = of_access(&call, &sent, at, &grant, &directory);
        return Answer::json(
            200,
            &Information {
                active: Some(true),
                token_use: Some("access_token"),
                client_id: Some(id),
                is_private_distribution: Some(false),
                ..info
            },
        );
    }
    if let Some((grant, directory)) = refreshing(&call, &sent).await?
        && grant.app_id == app.id
    {
        let info = of_refresh(&call, &sent, &grant, &directory);
        let app_id = Some(app.id.0);
        let active = Some(true);
        return Answer::json(200, &Information { active, token_use: Some("refresh_token"), app_id, ..info });
    }
    Answer::json(200, &Information { active: Some(false), ..Information::default() })
}

/// `POST /token/revoke`
pub async fn revoke(call: Call) -> Result<Answer, Refusal> {
    let fields = Fields::read(&call, false)?;
    let (app, _, proved) = fields.client(&call).await?;
    if !proved {
        return Err(super::fields::refused("BAD_CLIENT_SECRET", "invalid_client", "missing client_secret"));
    }
    let sent = fields.required("token")?;
    if let (Some(at), Standing::Alive(grant, directory)) = access::standing(&call.app, &sent).await?
        && grant.app_id == app.id
    {
        let row = access::revoked(&sent, &grant, at, call.app.store.now());
        let rule = move |_: &antiphon_store::State, _: &mut antiphon_store::Moment| {
            Ok(vec![DirectoryChange::Token(row.clone())])
        };
        directory::change_of(&call.app.store, directory.portal.id, Some(Doer::app(&call, app.id)), rule)
            .await??;
    } else if let Some((grant, directory)) = refreshing(&call, &sent).await?
        && grant.app_id == app.id
    {
        end(&call, directory.portal.id, grant.id, true).await?;
    }
    Ok(Answer { status: 200, bare: true, ..Answer::default() })
}

/// `POST /private-apps/get/access-token-info`
pub async fn private(call: Call) -> Result<Answer, Refusal> {
    let body: TokenKey = call.json()?;
    let sent = body.token_key.unwrap_or_default();
    let gone = || Refusal::not_found("tokenKey");
    if sent.is_empty() {
        return Err(Refusal::Invalid(vec![antiphon_wire::error::Problem::required("tokenKey")]));
    }
    let found = call.app.store.token_by_hash(&middleware::token::hash(&sent)).await?;
    let (token, directory) = found.ok_or_else(gone)?;
    let now = call.app.store.now();
    let ended = token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= now);
    let app = directory.app(token.app_id).filter(|app| app.active && !ended).ok_or_else(gone)?;
    // Whoever made it on the command line is no agent of the portal.
    let user_id = app.user_id.unwrap_or_default();
    let (hub_id, app_id) = (token.portal_id.0, token.app_id.0);
    Answer::json(200, &PrivateApp { user_id, hub_id, app_id, scopes: token.scopes.clone() })
}

/// The grant that a refresh token refreshes, whichever app's it is.
async fn refreshing(call: &Call, sent: &str) -> Result<Option<(Grant, std::sync::Arc<Directory>)>, Refusal> {
    let Some(portal) = portal_of(sent) else { return Ok(None) };
    let Some(directory) = call.app.store.directory(portal).await? else { return Ok(None) };
    let app = directory.grant_of(&hash(sent)).map(|grant| grant.app_id);
    let active = |id| directory.app(id).is_some_and(|app| app.active);
    let found = app.filter(|id| active(*id)).and_then(|id| token::living(&directory, id, sent)).cloned();
    Ok(found.map(|grant| (grant, directory)))
}

/// Ends what a grant refreshes, and with `all` what was given out.
async fn end(call: &Call, portal: PortalId, id: i64, all: bool) -> Result<(), Refusal> {
    let rule = move |state: &antiphon_store::State, moment: &mut antiphon_store::Moment| {
        let Some(grant) = state.directory.grants().get(&id) else { return Ok(Vec::new()) };
        let mut grant = Grant::clone(grant);
        grant.refresh_ended_at = grant.refresh_ended_at.or(Some(moment.now));
        if all {
            grant.ended_at = grant.ended_at.or(Some(moment.now));
        }
        Ok(vec![DirectoryChange::Grant(grant)])
    };
    directory::change_of(&call.app.store, portal, Some(Doer::of(call)), rule).await??;
    Ok(())
}

fn of_access(call: &Call, sent: &str, at: Access, grant: &Grant, directory: &Directory) -> Information {
    Information {
        token_type: Some("access"),
        app_id: Some(grant.app_id.0),
        expires_in: Some((at.expires_at - call.app.store.now()) / 1000),
        ..of(call, sent, grant, directory)
    }
}

fn of_refresh(call: &Call, sent: &str, grant: &Grant, directory: &Directory) -> Information {
    Information {
        token_type: Some("refresh"),
        client_id: Some(client_id(grant.app_id)),
        ..of(call, sent, grant, directory)
    }
}

fn of(call: &Call, sent: &str, grant: &Grant, directory: &Directory) -> Information {
    let agent = grant.user_id.and_then(|id| directory.actor(ActorKind::Agent, id));
    Information {
        token: Some(sent.to_owned()),
        user: agent.and_then(|agent| agent.email.clone()),
        user_id: grant.user_id,
        hub_id: Some(directory.portal.id.0),
        hub_domain: Some(host(&call.origin)),
        scopes: Some(grant.scopes.clone()),
        ..Information::default()
    }
}

/// The host of an origin, without its port.
pub fn host(origin: &str) -> String {
    let uri: Option<http::Uri> = origin.parse().ok();
    uri.and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default()
}
