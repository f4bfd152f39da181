//! Who calls about an app: whoever has its developer key, or a token of that very app, whatever the token's scopes. If both
//! are sent and one is good, the request is good.

use std::sync::Arc;

use antiphon_store::{AppId, Directory, Token};
use antiphon_wire::error::Envelope;
use antiphon_wire::query::Query;
use http::{HeaderMap, request};

use super::error::Failure;
use super::{scopes, token};
use crate::app::App;
use crate::apps::secrets;
use crate::call::Caller;
use crate::operation::Scope;
use crate::refusal::Refusal;

/// The name of a developer key, in the query or as a header.
const KEY: &str = "hapikey";

/// Finds the caller of a request that came over the network, and whether the app it names is the caller's.
pub async fn caller(
    app: &App,
    head: &request::Parts,
    named: Option<AppId>,
) -> Result<(Caller, bool), Failure> {
    let by_token = match token::caller(app, &head.headers).await {
        Ok(caller) => {
            let owns = named == Some(caller.app());
            Ok((at_home(app, caller).await?, owns))
        }
        Err(failure) => Err(failure),
    };
    if matches!(by_token, Ok((_, true))) {
        return by_token;
    }
    let by_key = match key(head) {
        Some(key) => keeper(app, &key, named).await?,
        None => None,
    };
    match (by_key, by_token) {
        (Some(owner @ (_, true)), _) => Ok(owner),
        (_, Ok(other)) => Ok(other),
        (Some(other), Err(_)) => Ok(other),
        (None, Err(failure)) => Err(failure),
    }
}

/// A caller on behalf of an app, at work where the app is at home: wherever a token is for, what an app is and wants is kept
/// there.
pub(super) async fn at_home(app: &App, caller: Caller) -> Result<Caller, Failure> {
    if caller.directory.own_app(caller.app()).is_some() {
        return Ok(caller);
    }
    let home = app.store.directory_of_app(caller.app()).await.map_err(Refusal::from)?;
    let home = home.ok_or_else(|| Refusal::not_found(caller.app()))?;
    let token = Token { portal_id: home.portal.id, ..Token::clone(&caller.token) };
    Ok(Caller { token: Arc::new(token), directory: home, ..caller })
}

/// An administrator who is signed in, on behalf of one of the portal's own apps; and whether there is such an app.
pub(super) fn administrator(caller: Caller, named: Option<AppId>) -> (Caller, bool) {
    let own = named.filter(|id| caller.directory.own_app(*id).is_some());
    match own.filter(|_| scopes::allows(&caller.token, Scope::Admin)) {
        Some(app_id) => {
            let token = Token { app_id, ..Token::clone(&caller.token) };
            (Caller { token: Arc::new(token), ..caller }, true)
        }
        None => (caller, false),
    }
}

/// The operator behind the control socket, at work in the portal of the app.
pub async fn operator(
    app: &App,
    headers: &HeaderMap,
    named: Option<AppId>,
) -> Result<(Caller, bool), Failure> {
    let wanted = token::portal(headers)?;
    let found = match named {
        Some(id) => app.store.directory_of_app(id).await.map_err(Refusal::from)?,
        None => None,
    };
    let found = found.filter(|directory| wanted.is_none_or(|portal| portal == directory.portal.id));
    let owns = found.is_some();
    let directory = found.unwrap_or_else(|| Arc::new(token::nowhere()));
    Ok((token::operator_in(directory, named.unwrap_or(AppId(0))), owns))
}

/// Whoever has a developer key: of the app that is named, or else of another one.
pub(super) async fn keeper(
    app: &App,
    key: &str,
    named: Option<AppId>,
) -> Result<Option<(Caller, bool)>, Failure> {
    let now = app.store.now();
    let opened = |id: AppId, directory: &Directory| {
        directory.app(id).is_some_and(|known| secrets::is_key(known, key, now))
    };
    if let Some(id) = named
        && let Some(directory) = app.store.directory_of_app(id).await.map_err(Refusal::from)?
        && opened(id, &directory)
    {
        if directory.app(id).is_none_or(|known| !known.active) {
            return Err(Envelope::banned().into());
        }
        return Ok(Some((with_key(key, id, directory), true)));
    }
    let other = app.store.app_by_key(&secrets::hashed(key)).await.map_err(Refusal::from)?;
    let other = other.filter(|(id, directory)| opened(*id, directory));
    Ok(other.map(|(id, directory)| (with_key(key, id, directory), false)))
}

/// A key counts for limits like a token.
pub(super) fn with_key(key: &str, app_id: AppId, directory: Arc<Directory>) -> Caller {
    let token = Token {
        hash: token::hash(key),
        portal_id: directory.portal.id,
        app_id,
        label: "developer key".into(),
        scopes: Vec::new(),
        created_at: 0,
        expires_at: None,
        revoked_at: None,
        grant_id: None,
        deleted_at: None,
    };
    Caller { token: Arc::new(token), directory, operator: false, agent: None }
}

/// The key as it was sent, if it can be one.
pub(super) fn key(head: &request::Parts) -> Option<String> {
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let sent = match query.scalar(KEY) {
        Some(sent) => sent,
        None => head.headers.get(KEY)?.to_str().ok()?,
    };
    let sent = sent.trim();
    let possible = !sent.is_empty() && sent.len() <= 200 && sent.bytes().all(|byte| byte.is_ascii_graphic());
    possible.then(|| sent.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (path, header, expected) in [
            ("/x", None, None),
            ("/x?hapikey=abc", None, Some("abc")),
            ("/x?hapikey=abc", Some("other"), Some("abc")),
            ("/x?hapikey=", Some(" abc "), Some("abc")),
            ("/x?hapikey=first&a=b&hapikey=%61bc", None, Some("abc")),
            ("/x?hapikey=a%00c", None, None),
            ("/x?hapikey=a+c", None, None),
            ("/x?HAPIKEY=abc", None, None),
        ] {
            let mut request = http::Request::builder().uri(path);
            if let Some(header) = header {
                request = request.header("hapikey", header);
            }
            let head = request.body(()).unwrap().into_parts().0;
            assert_eq!(key(&head).as_deref(), expected, "{path} {header:?}");
        }
    }
}
