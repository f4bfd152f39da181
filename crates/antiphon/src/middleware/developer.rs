//! Who calls about the channels that an app brings: whoever has a developer key, or a token of the app. A key may be several
//! apps'; the query says which one is meant.

use antiphon_store::AppId;
use antiphon_wire::error::{Envelope, Problem};
use antiphon_wire::id::{MAX_INT32, parse_path_id};
use antiphon_wire::query::Query;
use http::request;

use super::error::Failure;
use super::owner::{at_home, keeper, key, with_key};
use super::token;
use crate::app::App;
use crate::apps::secrets;
use crate::call::Caller;

/// The query parameter that names an app.
const APP: &str = "appId";

/// The app that the query names.
///
/// # Errors
/// 400 when it names none that could be.
pub fn named(head: &request::Parts) -> Result<Option<AppId>, Failure> {
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let Some(sent) = query.scalar(APP) else { return Ok(None) };
    match parse_path_id(sent.trim(), MAX_INT32) {
        Some(id) => Ok(Some(AppId(id))),
        None => Err(Envelope::invalid(vec![Problem::new(APP, format!("`{sent}` is not an app id"))]).into()),
    }
}

/// Finds the caller of a request that came over the network. A key that is good goes before a token; one that is not is
/// passed over where there is a good token.
pub async fn caller(app: &App, head: &request::Parts) -> Result<Caller, Failure> {
    let named = named(head);
    let by_key = match key(head) {
        Some(key) => {
            keeper(app, &key, named.as_ref().ok().copied().flatten()).await?.map(|found| (key, found))
        }
        None => None,
    };
    let Some((key, (keeper, is_named))) = by_key else {
        let caller = token::caller(app, &head.headers).await?;
        return match named? {
            Some(named) if named != caller.app() => Err(Envelope::other_app(&named.to_string()).into()),
            _ => at_home(app, caller).await,
        };
    };
    if is_named {
        return Ok(keeper);
    }
    let by_token = token::caller(app, &head.headers).await;
    if let Some(named) = named? {
        return match by_token {
            Ok(caller) if caller.app() == named => at_home(app, caller).await,
            _ => Err(Envelope::other_app(&named.to_string()).into()),
        };
    }
    let now = app.store.now();
    let mut keeps =
        keeper.directory.apps().iter().filter(|one| secrets::is_key(one, &key, now)).map(|one| one.id);
    match (keeps.next(), keeps.next(), by_token) {
        (Some(only), None, _) if keeper.directory.app(only).is_none_or(|known| !known.active) => {
            Err(Envelope::banned().into())
        }
        (Some(only), None, _) => Ok(with_key(&key, only, keeper.directory.clone())),
        (_, _, Ok(caller)) => at_home(app, caller).await,
        _ => {
            let why = "This key is good for several apps; say which one is meant";
            Err(Envelope::invalid(vec![Problem::new(APP, why)]).into())
        }
    }
}
