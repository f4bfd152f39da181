//! What the clients' tests of OAuth begin with: an app that may be installed, somebody who may let it in, and a token of it that
//! has expired.

use std::sync::Arc;

use antiphon::app::App;
use antiphon::middleware::{Peer, handle};
use antiphon::oauth::access::{Access, mint, read};
use antiphon_store::Store;
use antiphon_testkit::Home;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

/// How long ago it expired, in milliseconds.
const AGO: i64 = 130_000;

const REDIRECT_URI: &str = "https://app.example/back";
const PASSWORD: &str = "correct horse";

/// Sets the stage in the demo portal of a home on which no server runs.
pub async fn set(home: &Home) -> Value {
    let store = Store::open(home.settings()).unwrap();
    let app = Arc::new(App::new(store, home.config(), "http://localhost".into()).unwrap());

    let agent = ask(&app, "GET", "/agents", Value::Null).await["results"][0].clone();
    let user: i64 = agent["id"].as_str().unwrap().parse().unwrap();
    ask(&app, "PUT", &format!("/agents/{user}/login"), json!({ "password": PASSWORD })).await;
    let made = ask(&app, "POST", "/apps", json!({ "name": "Clients" })).await;
    let id: i64 = made["id"].as_str().unwrap().parse().unwrap();
    let client =
        ask(&app, "PATCH", &format!("/apps/{id}/oauth"), json!({ "redirectUris": [REDIRECT_URI] })).await;
    let granted = json!({ "userId": user, "scopes": ["oauth", "files"] });
    let granted = ask(&app, "POST", &format!("/apps/{id}/install"), granted).await;
    // Time cannot be turned back, so it is given out again as if it had been given out earlier.
    let access = read(&app.keys, granted["access_token"].as_str().unwrap()).unwrap();
    let expired = mint(&app.keys, Access { expires_at: app.store.now() - AGO, ..access }).unwrap();
    app.store.close().await;
    json!({
        "appId": id, "clientId": client["clientId"], "clientSecret": made["clientSecret"], "redirectUri": REDIRECT_URI,
        "userId": user, "email": agent["email"], "password": PASSWORD,
        "expired": expired, "refresh": granted["refresh_token"],
    })
}

/// What the operator's API answers.
async fn ask(app: &Arc<App>, method: &str, path: &str, body: Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder()
        .method(method)
        .uri(format!("/antiphon/v1{path}"))
        .header("host", "inbox.test")
        .header("authorization", "Bearer pat-demo-antiphon")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let (head, body) = handle(app, &Peer::default(), request).await.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    assert!(head.status.is_success(), "{method} {path}: {} {}", head.status, String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or_default()
}
