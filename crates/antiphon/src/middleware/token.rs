//! Who calls: from the headers to a token that is known, alive and whose app may use the portal.

use std::sync::Arc;

use antiphon_store::{AppId, Directory, Portal, PortalId, Quota, Token, TokenHash};
use antiphon_wire::error::Envelope;
use http::header::AUTHORIZATION;
use http::{HeaderMap, request};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::Failure;
use super::form;
use crate::app::App;
use crate::call::Caller;
use crate::oauth::access;
use crate::operation::Scope;
use crate::refusal::Refusal;

/// Names the portal a call over the control socket is about.
pub const PORTAL_HEADER: &str = "x-antiphon-portal";

/// Finds the caller of a request that came over the network.
pub async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Failure> {
    let sent = credential(headers).ok_or_else(Failure::no_token)?;
    if sent.starts_with(access::PREFIX) {
        return access::caller(app, sent).await;
    }
    let hash = hash(sent);
    let found = app.store.token_by_hash(&hash).await.map_err(Refusal::from)?;
    let (token, directory) = found.ok_or_else(Failure::no_token)?;
    if !bool::from(token.hash.0.ct_eq(&hash.0)) || token.revoked_at.is_some() {
        return Err(Failure::no_token());
    }
    if let Some(at) = token.expires_at {
        let now = app.store.now();
        if at <= now {
            return Err(Failure::unauthenticated(Envelope::expired(now - at)));
        }
    }
    match directory.app(token.app_id) {
        Some(known) if known.active => Ok(Caller { token, directory, operator: false, agent: None }),
        _ => Err(Envelope::banned().into()),
    }
}

/// The operator behind the control socket. Who may open it owns the data directory and needs no token.
pub async fn operator(app: &App, headers: &HeaderMap) -> Result<Caller, Failure> {
    let portal = match portal(headers)? {
        Some(named) => Some(named),
        None => match app.store.portals(None, 2).await.map_err(Refusal::from)?.as_slice() {
            [only] => Some(only.id),
            _ => None,
        },
    };
    let directory = match portal {
        Some(id) => {
            app.store.directory(id).await.map_err(Refusal::from)?.ok_or_else(|| Refusal::not_found(id))?
        }
        None => Arc::new(nowhere()),
    };
    Ok(operator_in(directory, AppId(0)))
}

/// The portal that the operator names.
pub fn portal(headers: &HeaderMap) -> Result<Option<PortalId>, Refusal> {
    let named = headers.get(PORTAL_HEADER).and_then(|value| value.to_str().ok());
    named.map(|text| text.parse().map(PortalId).map_err(|_| Refusal::not_found(text))).transpose()
}

/// The operator, at work in a portal on behalf of an app.
pub fn operator_in(directory: Arc<Directory>, app_id: AppId) -> Caller {
    let scopes = Scope::ALL.map(|scope| scope.name().into()).into();
    let token = Token { app_id, ..made_up("operator", directory.portal.id, scopes) };
    Caller { token: Arc::new(token), directory, operator: true, agent: None }
}

/// Whoever calls what needs no token.
pub fn nobody() -> Caller {
    let token = made_up("nobody", PortalId(0), Vec::new());
    Caller { token: Arc::new(token), directory: Arc::new(nowhere()), operator: false, agent: None }
}

/// A visitor of an account, who may call what visitors may and nothing else.
pub fn visitor(directory: Arc<Directory>) -> Caller {
    let token = made_up("visitor", directory.portal.id, Vec::new());
    Caller { token: Arc::new(token), directory, operator: false, agent: None }
}

/// A token that nobody has.
pub(super) fn made_up(label: &str, portal_id: PortalId, scopes: Vec<String>) -> Token {
    Token {
        hash: TokenHash([0; 32]),
        portal_id,
        app_id: AppId(0),
        label: label.into(),
        scopes,
        created_at: 0,
        expires_at: None,
        revoked_at: None,
        grant_id: None,
        deleted_at: None,
    }
}

/// The hash under which a token is stored.
pub fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}

/// The directory of no portal, for what concerns none or several.
pub fn nowhere() -> Directory {
    let portal = Portal {
        id: PortalId(0),
        name: String::new(),
        profile: "UTC".into(),
        quota: Quota::default(),
        created_at: 0,
    };
    Directory::new(portal, 0)
}

/// Whether a token or a key is sent, be it a good one or not: then it is what counts.
pub(super) fn is_sent(head: &request::Parts) -> bool {
    head.headers.contains_key(AUTHORIZATION)
        || credential(&head.headers).is_some()
        || super::owner::key(head).is_some()
}

/// The token that stands behind `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once([' ', '\t'])?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token as it was sent. The other headers count only where `Authorization` is absent.
pub(super) fn credential(headers: &HeaderMap) -> Option<&str> {
    let sent = match headers.get(AUTHORIZATION) {
        Some(value) => {
            let value = value.to_str().ok()?.trim();
            let (scheme, token) = value.split_once([' ', '\t'])?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return None;
            }
            token
        }
        None => match headers.get("private-app").or_else(|| headers.get("private-app-legacy")) {
            Some(value) => value.to_str().ok()?,
            None => form::token(headers)?,
        },
    };
    Some(sent.trim()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials() {
        for (headers, token) in [
            (&[("authorization", "Bearer abc")][..], Some("abc")),
            (&[("authorization", "bEARER   abc ")], Some("abc")),
            (&[("authorization", "Basic abc")], None),
            (&[("authorization", "Bearer")], None),
            (&[("authorization", "Bearer  ")], None),
            (&[("authorization", "Basic abc"), ("private-app", "abc")], None),
            (&[("private-app", " abc ")], Some("abc")),
            (&[("private-app-legacy", "abc")], Some("abc")),
            (&[], None),
        ] {
            let mut map = HeaderMap::new();
            for &(name, value) in headers {
                map.insert(name, value.parse().unwrap());
            }
            assert_eq!(credential(&map), token, "{headers:?}");
        }
    }
}
