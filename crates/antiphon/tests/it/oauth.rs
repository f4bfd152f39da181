//! Users let apps in, apps get tokens, and whoever should not gets nothing: over HTTP, with the pages that people see.

use std::time::Duration;

use antiphon_testkit::{Reply, TestServer, User};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Desk, V3, text};

const BACK: &str = "https://app.example/back";
pub const PASSWORD: &str = "correct horse";
const AUTHORIZE: &str = "/oauth/authorize";

/// An app that may be installed, and an administrator who can sign in.
pub struct Stage {
    pub desk: Desk,
    pub app: String,
    pub client: String,
    pub secret: String,
}

impl Stage {
    pub async fn on(desk: Desk) -> Self {
        let made = desk.make("apps", json!({ "name": "Relay <b>" })).await;
        let app = text(&made, "id");
        let path = format!("/antiphon/v1/apps/{app}/oauth");
        let settings = json!({ "redirectUris": [BACK, "http://127.0.0.1/cb"] });
        let settings = desk.user.patch(&path, settings).await.expect(200).json();
        let login = format!("/antiphon/v1/agents/{}/login", desk.portal.agent.trim_start_matches("A-"));
        desk.user.put(&login, json!({ "password": PASSWORD })).await.expect(204);
        let (client, secret) = (text(&settings, "clientId"), text(&made, "clientSecret"));
        Self { desk, app, client, secret }
    }

    pub async fn set() -> Self {
        Self::on(Desk::open().await).await
    }

    pub fn anybody(&self) -> User {
        self.desk.server.anybody()
    }

    pub fn query(&self, more: &str) -> String {
        format!("client_id={}&redirect_uri=https%3A%2F%2Fapp.example%2Fback&{more}", self.client)
    }

    /// What a request to the token endpoint is answered.
    pub async fn token(&self, more: &[(&str, &str)]) -> Reply {
        let body = [("client_id", &*self.client), ("client_secret", &*self.secret)];
        let body: serde_json::Map<_, _> =
            body.iter().chain(more).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self.anybody().post("/oauth/v3/token", Value::Object(body)).await
    }

    pub async fn exchange(&self, code: &str) -> Reply {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)]).await
    }

    /// Everything a person does to let the app in; the code that the app is sent.
    pub async fn code(&self, more: &str) -> String {
        let browser = Browser::signed_in(self, more).await;
        let sent = browser.choose("do=allow").await;
        parameter(&location(&sent), "code").unwrap_or_else(|| panic!("{}", location(&sent)))
    }

    pub async fn granted(&self, scope: &str) -> Value {
        let code = self.code(&format!("scope={scope}")).await;
        self.exchange(&code).await.expect(200).json()
    }
}

/// A browser with its cookies, on a page with a form.
pub struct Browser {
    server: TestServer,
    pub address: String,
    pub cookies: Vec<String>,
    form: String,
}

impl Browser {
    pub async fn open(stage: &Stage, query: &str) -> Self {
        let mut browser = Self {
            server: stage.desk.server.clone(),
            address: format!("{AUTHORIZE}?{}", stage.query(query)),
            cookies: Vec::new(),
            form: String::new(),
        };
        browser.get().await;
        browser
    }

    pub async fn signed_in(stage: &Stage, query: &str) -> Self {
        let mut browser = Self::open(stage, query).await;
        let sent = browser.choose(&format!("do=sign-in&email=MIA%40acme.example&password={PASSWORD}")).await;
        assert_eq!(location(&sent), browser.address, "{}", sent.text());
        browser.keep(&sent);
        browser.get().await;
        browser
    }

    pub fn user(&self) -> User {
        self.server.anybody().with("cookie", &self.cookies.join("; "))
    }

    pub fn keep(&mut self, reply: &Reply) {
        for cookie in reply.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            self.cookies.push(cookie.split(';').next().unwrap().to_owned());
        }
    }

    pub async fn get(&mut self) -> Reply {
        let reply = self.user().get(&self.address).await;
        self.keep(&reply);
        let page = reply.text().to_owned();
        if let Some((_, rest)) = page.split_once("name=\"form\" value=\"") {
            self.form = rest.split('"').next().unwrap().to_owned();
        }
        reply
    }

    pub async fn choose(&self, fields: &str) -> Reply {
        let body = format!("form={}&{}", self.form, fields.replace(' ', "+"));
        let user = self.user().with("content-type", "application/x-www-form-urlencoded");
        user.send("POST", &self.address, body).await
    }
}

pub fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 302, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

fn parameter(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    antiphon_wire::query::Query::parse(query).scalar(name).map(str::to_owned)
}

/// For the coverage test: whoever calls, and what its call is made of.
pub struct Made {
    pub user: User,
    pub names: Vec<(&'static str, String)>,
}

pub async fn made(desk: &Desk, operation: &str) -> Made {
    let stage = Stage::on(desk.clone()).await;
    let user: i64 = desk.portal.agent.trim_start_matches("A-").parse().unwrap();
    let install = json!({ "userId": user, "scopes": ["oauth"] });
    let given = desk.user.post(&format!("/antiphon/v1/apps/{}/install", stage.app), install).await;
    let given = given.expect(201).json();
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    let token = if operation == "oauth.access" { access } else { refresh.clone() };
    let browser = Browser::open(&stage, "scope=oauth").await;
    let form = format!("form={}&do=sign-in&email=x%40y.example&password=nope", browser.form);
    let mut user = browser.user();
    if operation.ends_with(".choose") {
        user = user.with("content-type", "application/x-www-form-urlencoded");
    }
    let names = [
        ("token", token),
        ("refresh", refresh),
        ("client", stage.client.clone()),
        ("secret", stage.secret.clone()),
        ("query", stage.query("scope=oauth")),
        ("form", form),
    ];
    Made { user, names: names.into() }
}

#[tokio::test]
async fn a_user_lets_an_app_in_and_the_app_acts_until_it_is_uninstalled() {
    let stage = Stage::set().await;
    let mut browser = Browser::open(&stage, "scope=oauth+conversations.read&state=a%26b").await;
    let page = browser.get().await.expect(200);
    assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert!(page.text().contains("<label for=\"password\">"));
    let browser = Browser::signed_in(&stage, "scope=oauth+conversations.read&state=a%26b").await;
    let page = browser.user().get(&browser.address).await.expect(200);
    assert!(page.text().contains("Relay &lt;b&gt;") && !page.text().contains("<b>"), "{}", page.text());
    assert!(page.text().contains("<code>conversations.read</code>"));
    let sent = location(&browser.choose("do=allow").await);
    assert!(sent.starts_with(&format!("{BACK}?")), "{sent}");
    assert_eq!(parameter(&sent, "state").unwrap(), "a&b");

    let code = parameter(&sent, "code").unwrap();
    let given = stage.exchange(&code).await.expect(200);
    assert_eq!(given.header("cache-control"), Some("no-store"));
    let given = given.json();
    assert_eq!(
        (&given["token_type"], &given["token_use"], &given["expires_in"], &given["scopes"]),
        (&json!("bearer"), &json!("access_token"), &json!(1800), &json!(["oauth", "conversations.read"]))
    );
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    assert!(access.len() <= 128);
    let user = stage.desk.server.user(&access);
    user.get(&format!("{V3}/threads")).await.expect(200);
    user.post("/antiphon/v1/apps", json!({ "name": "x" })).await.expect(403);
    let details = user.get("/account-info/v3/details").await.expect(200).json();
    assert_eq!(details["portalId"].to_string(), stage.desk.portal.id);
    assert_eq!(details["additionalCurrencies"], json!([]));
    assert_eq!(user.get("/integrations/v1/me").await.expect(200).json()["portalId"], details["portalId"]);

    // What it is, as it is asked in both generations.
    let anybody = stage.anybody();
    let info = anybody.get(&format!("/oauth/v1/access-tokens/{access}")).await.expect(200).json();
    assert_eq!((&info["user"], &info["hub_domain"]), (&json!("mia@acme.example"), &json!("inbox.test")));
    assert_eq!((&info["app_id"].to_string(), info.get("client_id")), (&stage.app, None));
    let info = anybody.get(&format!("/oauth/v1/refresh-tokens/{refresh}")).await.expect(200).json();
    assert_eq!((text(&info, "client_id"), &info["token_type"]), (stage.client.clone(), &json!("refresh")));
    let introspect = async |token: &str| {
        let path = "/oauth/2026-03/token/introspect";
        let form = format!("token={token}&client_id={}&client_secret={}", stage.client, stage.secret);
        let user = anybody.clone().with("content-type", "application/x-www-form-urlencoded");
        user.send("POST", path, form).await.expect(200).json()
    };
    assert_eq!(introspect(&access).await["token_use"], "access_token");
    assert_eq!(introspect(&refresh).await["active"], true);
    assert_eq!(introspect("nonsense").await, json!({ "active": false }));

    // It goes on, and the refresh token stays what it was.
    let again =
        || async { stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await };
    let both = join_all([again(), again()]).await;
    let fresh: Vec<Value> = both.into_iter().map(|reply| reply.expect(200).json()).collect();
    assert!(fresh.iter().all(|one| one["refresh_token"] == json!(refresh)));
    assert_ne!(fresh[0]["access_token"], fresh[1]["access_token"]);
    user.get(&format!("{V3}/threads")).await.expect(200);

    // What was granted before is not asked again.
    let browser = Browser::signed_in(&stage, "scope=oauth+conversations.read").await;
    let sent = location(&browser.user().get(&browser.address).await);
    assert!(parameter(&sent, "code").is_some(), "{sent}");

    stage.desk.server.advance(Duration::from_secs(1800));
    let expired = user.get(&format!("{V3}/threads")).await.expect(401).json();
    assert_eq!(expired["category"], "EXPIRED_AUTHENTICATION");
    assert_eq!(expired["message"], "The OAuth token used to make this call expired 1 second(s) ago.");
    let fresh = text(&again().await.expect(200).json(), "access_token");
    let user = stage.desk.server.user(&fresh);
    user.get(&format!("{V3}/threads")).await.expect(200);
    stage.desk.user.delete(&format!("/antiphon/v1/apps/{}/install", stage.app)).await.expect(204);
    assert_eq!(user.get(&format!("{V3}/threads")).await.expect(403).json()["category"], "BANNED");
    assert_eq!(again().await.expect(400).json()["status"], "BAD_REFRESH_TOKEN");
}

#[tokio::test]
async fn a_user_of_another_account_lets_an_app_in_there() {
    let stage = Stage::set().await;
    let page = Browser::open(&stage, "scope=oauth").await.get().await.expect(200);
    assert!(!page.text().contains("name=\"account\""), "there is one account only");
    let other = Desk::on(&stage.desk.server).await;
    let login = format!("/antiphon/v1/agents/{}/login", other.portal.agent.trim_start_matches("A-"));
    other.user.put(&login, json!({ "password": "another horse" })).await.expect(204);

    let mut browser = Browser::open(&stage, "scope=oauth+conversations.read&state=s").await;
    let page = browser.get().await.expect(200);
    let field = format!("name=\"account\" inputmode=\"numeric\" value=\"{}\"", stage.desk.portal.id);
    assert!(page.text().contains(&field), "{}", page.text());
    let enter = async |browser: &Browser, account: &str, password: &str| {
        let fields = format!("do=sign-in&account={account}&email=mia%40acme.example&password={password}");
        browser.choose(&fields).await
    };
    for (account, password, why) in [
        ("77777", "another horse", "There is no account with this number."),
        ("x%3Cb%3E", "another horse", "There is no account with this number."),
        (&*stage.desk.portal.id, "another horse", "belongs to another account"),
    ] {
        let page = enter(&browser, account, password).await.expect(200);
        assert!(page.text().contains(why) && !page.text().contains("x<b>"), "{}", page.text());
    }
    let sent = enter(&browser, &other.portal.id, "another horse").await;
    assert_eq!(location(&sent), browser.address);
    browser.keep(&sent);
    let page = browser.get().await.expect(200);
    assert!(page.text().contains("You are signed in as mia@acme.example"), "{}", page.text());
    let sent = location(&browser.choose("do=allow").await);
    let code = parameter(&sent, "code").unwrap();
    assert_eq!(
        stage.exchange(&uuid::Uuid::new_v4().to_string()).await.expect(400).json()["status"],
        "BAD_AUTH_CODE"
    );
    let given = stage.exchange(&code).await.expect(200).json();
    assert_eq!(given["hub_id"].to_string(), other.portal.id);
    let user = stage.desk.server.user(&text(&given, "access_token"));
    assert_eq!(user.get("/integrations/v1/me").await.expect(200).json()["portalId"], given["hub_id"]);
    // It is installed there, and not at home; and is not asked for again.
    let shown = async |desk: &Desk| {
        desk.user.get(&format!("/antiphon/v1/apps/{}/oauth", stage.app)).await.expect(200).json()["installed"]
            .clone()
    };
    assert_eq!((shown(&other).await, shown(&stage.desk).await), (json!(true), json!(false)));
    assert!(parameter(&location(&browser.user().get(&browser.address).await), "code").is_some());

    // An address that names the account asks for no number, and takes no other's session.
    let address = browser.address.replace("/oauth/", &format!("/oauth/{}/", stage.desk.portal.id));
    let page = browser.user().get(&address).await.expect(200);
    assert!(page.text().contains("name=\"password\"") && !page.text().contains("name=\"account\""));
}

#[tokio::test]
async fn the_token_endpoint_takes_every_spelling() {
    let stage = Stage::set().await;
    let given = stage.granted("oauth").await;
    let refresh = text(&given, "refresh_token");
    let (id, secret) = (&stage.client, &stage.secret);
    let fields = format!("grant_type=refresh_token&refresh_token={refresh}");
    let form = || stage.anybody().with("content-type", "application/x-www-form-urlencoded");
    for version in ["v1", "v3", "2026-03", "2026-09"] {
        let path = format!("/oauth/{version}/token");
        let whole = format!("{fields}&client_id={id}&client_secret={secret}");
        form().send("POST", &path, whole.clone()).await.expect(200);
        let basic = in_base64(&format!("{id}:{secret}"));
        let by_basic = form().with("authorization", &format!("Basic {basic}"));
        by_basic.send("POST", &path, fields.clone()).await.expect(200);
        let expected = if version == "v1" { 200 } else { 400 };
        form().send("POST", &format!("{path}?{whole}"), "").await.expect(expected);
    }
    let sent = stage.anybody().with("content-type", "multipart/form-data; boundary=x");
    sent.send("POST", "/oauth/v1/token", "x").await.expect(415);
}

fn in_base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test]
async fn every_refusal_has_both_words() {
    let stage = Stage::set().await;
    let code = stage.code("scope=oauth").await;
    let used = stage.code("scope=oauth+files").await;
    let given = stage.exchange(&used).await.expect(200).json();
    let other = Stage::on(stage.desk.clone()).await;
    let foreign = text(&other.granted("oauth").await, "refresh_token");
    let code_with = |uri| vec![("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", uri)];
    for (sent, status, error) in [
        (vec![], "BAD_GRANT_TYPE", "unsupported_grant_type"),
        (vec![("grant_type", "password")], "BAD_GRANT_TYPE", "unsupported_grant_type"),
        (vec![("grant_type", "refresh_token"), ("client_id", "x")], "BAD_CLIENT_ID", "invalid_client"),
        (
            vec![("grant_type", "refresh_token"), ("client_secret", "x")],
            "BAD_CLIENT_SECRET",
            "invalid_client",
        ),
        (vec![("grant_type", "refresh_token")], "BAD_REQUEST", "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "x")], "BAD_REFRESH_TOKEN", "invalid_grant"),
        (
            vec![("grant_type", "refresh_token"), ("refresh_token", &*foreign)],
            "BAD_REFRESH_TOKEN",
            "invalid_grant",
        ),
        (
            vec![("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", BACK)],
            "BAD_AUTH_CODE",
            "invalid_grant",
        ),
        (vec![("grant_type", "authorization_code"), ("code", &*code)], "BAD_REQUEST", "invalid_request"),
        (code_with("https://app.example/other"), "BAD_REDIRECT_URI", "invalid_request"),
        (code_with("http://127.0.0.1:5/cb"), "MISMATCH_REDIRECT_URI_AUTH_CODE", "invalid_grant"),
        (
            vec![("grant_type", "client_credentials"), ("scope", "antiphon.operator")],
            "BAD_SCOPE",
            "invalid_scope",
        ),
        (
            vec![("grant_type", "client_credentials"), ("client_assertion", "x")],
            "BAD_CLIENT_SECRET",
            "invalid_client",
        ),
    ] {
        let refused = stage.token(&sent).await.expect(400).json();
        assert_eq!((&refused["status"], &refused["error"]), (&json!(status), &json!(error)), "{sent:?}");
        assert_eq!(refused["message"], refused["error_description"]);
    }
    stage.desk.server.advance(Duration::from_secs(600));
    let late = stage.exchange(&code).await.expect(400).json();
    assert_eq!(late["status"], "BAD_AUTH_CODE");
    assert!(text(&late, "message").contains("expired"));
    stage.desk.server.user(&text(&given, "access_token")).get("/integrations/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_gave() {
    let stage = Stage::set().await;
    let code = stage.code("scope=oauth").await;
    let given = stage.exchange(&code).await.expect(200).json();
    let user = stage.desk.server.user(&text(&given, "access_token"));
    user.get("/integrations/v1/me").await.expect(200);
    assert_eq!(stage.exchange(&code).await.expect(400).json()["status"], "BAD_AUTH_CODE");
    user.get("/integrations/v1/me").await.expect(401);
    let refresh = text(&given, "refresh_token");
    let refused = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    assert_eq!(refused.expect(400).json()["status"], "BAD_REFRESH_TOKEN");

    // At once, one at most gets something, and it is worth nothing.
    let code = stage.code("scope=oauth+files").await;
    let all = join_all((0..8).map(|_| stage.exchange(&code))).await;
    let got: Vec<&Reply> = all.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(got.len(), 1);
    let user = stage.desk.server.user(&text(&got[0].json(), "access_token"));
    user.get("/integrations/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_challenge_has_to_be_met() {
    let stage = Stage::set().await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let code =
        stage.code(&format!("scope=oauth&code_challenge={challenge}&code_challenge_method=S256")).await;
    let exchange = async |verifier: &str, client_secret: &str| {
        let body = json!({
            "grant_type": "authorization_code", "client_id": stage.client, "client_secret": client_secret,
            "code": code, "redirect_uri": BACK, "code_verifier": verifier,
        });
        stage.anybody().post("/oauth/v1/token", body).await
    };
    for wrong in ["", "x", challenge] {
        assert_eq!(exchange(wrong, &stage.secret).await.expect(400).json()["status"], "BAD_AUTH_CODE");
    }
    exchange(verifier, "").await.expect(200);
    let query = "scope=oauth&code_challenge=short&code_challenge_method=S256";
    let address = format!("{AUTHORIZE}?{}", stage.query(query));
    let sent = location(&stage.anybody().get(&address).await);
    assert_eq!(parameter(&sent, "error").unwrap(), "invalid_request");
}

#[tokio::test]
async fn nobody_is_sent_anywhere_but_where_the_app_is_at_home() {
    let stage = Stage::set().await;
    let to = |uri: &str| {
        let uri: String = uri.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("{AUTHORIZE}?client_id={}&scope=oauth&redirect_uri={uri}", stage.client)
    };
    for evil in [
        "https://evil.example/back",
        "https://app.example/back/../evil",
        "https://app.example.evil.example/back",
        "https://app.example/back?x=1",
        "https://app.example/back#x",
        "https://app.example@evil.example/back",
        "//app.example/back",
        "javascript:alert(1)",
        "http://127.0.0.1:9@evil.example/cb",
        "https://app.example/back\r\nset-cookie: a=b",
        "",
    ] {
        let refused = stage.anybody().get(&to(evil)).await;
        assert_eq!((refused.status, refused.header("location")), (400, None), "{evil}");
        assert!(refused.header("content-type").unwrap().starts_with("text/html"));
    }
    stage.anybody().get(&to("http://127.0.0.1:54321/cb")).await.expect(200);
    let unknown = format!("{AUTHORIZE}?client_id={}&redirect_uri={BACK}&scope=oauth", uuid::Uuid::new_v4());
    stage.anybody().get(&unknown).await.expect(400);
    let portal = &stage.desk.portal.id;
    let query = stage.query("scope=oauth");
    stage.anybody().get(&format!("/oauth/{portal}/authorize?{query}")).await.expect(200);
    stage.anybody().get(&format!("/oauth/77777/authorize?{query}")).await.expect(400);
    stage.anybody().get(&format!("/oauth/x/authorize?{query}")).await.expect(400);
    for (query, error) in [
        ("scope=oauth&response_type=token", "unsupported_response_type"),
        ("", "invalid_scope"),
        ("scope=oauth+antiphon.operator", "invalid_scope"),
    ] {
        let query = stage.query(&format!("{query}&state=s"));
        let sent = location(&stage.anybody().get(&format!("{AUTHORIZE}?{query}")).await);
        assert!(sent.starts_with(BACK));
        let sent = (parameter(&sent, "error").unwrap(), parameter(&sent, "state").unwrap());
        assert_eq!(sent, (error.to_owned(), "s".to_owned()));
    }
}

#[tokio::test]
async fn a_form_counts_only_from_whom_it_was_made_for() {
    let stage = Stage::set().await;
    let browser = Browser::signed_in(&stage, "scope=oauth").await;
    let other = Browser::signed_in(&stage, "scope=oauth").await;
    let denied = location(&browser.choose("do=deny").await);
    assert_eq!(parameter(&denied, "error").unwrap(), "access_denied");
    for (cookies, form) in [
        (browser.cookies.clone(), String::new()),
        (browser.cookies.clone(), other.form.clone()),
        (Vec::new(), browser.form.clone()),
        (browser.cookies[..1].to_vec(), browser.form.clone()),
    ] {
        let server = stage.desk.server.clone();
        let forged = Browser { server, address: browser.address.clone(), cookies, form };
        forged.choose("do=allow").await.expect(403);
    }
    let mut forged = browser.cookies.clone();
    let session = forged.pop().unwrap();
    forged.push(session.replacen("antiphon_session=1.", "antiphon_session=2.", 1));
    let forged = Browser { cookies: forged, ..browser };
    forged.choose("do=allow").await.expect(403);
    assert!(forged.user().get(&forged.address).await.expect(200).text().contains("Sign in"));

    // A new password ends what was begun with the old one; and only administrators install.
    let login = format!("/antiphon/v1/agents/{}/login", stage.desk.portal.agent.trim_start_matches("A-"));
    let body = json!({ "password": PASSWORD, "administrator": false });
    stage.desk.server.advance(Duration::from_millis(1));
    stage.desk.portal.operator().put(&login, body).await.expect(204);
    assert!(other.user().get(&other.address).await.expect(200).text().contains("Sign in"));
    let mut plain = Browser::open(&stage, "scope=oauth").await;
    let sent = plain.choose(&format!("do=sign-in&email=mia%40acme.example&password={PASSWORD}")).await;
    plain.keep(&sent);
    plain.user().get(&plain.address).await.expect(403);
}

#[tokio::test]
async fn an_app_has_for_itself_what_concerns_apps_and_nobodys_data() {
    let stage = Stage::set().await;
    let given = stage.token(&[("grant_type", "client_credentials")]).await.expect(200).json();
    assert_eq!((&given["token_use"], given.get("refresh_token")), (&json!("client_credentials"), None));
    let again = stage.token(&[("grant_type", "client_credentials")]).await.expect(200).json();
    assert_ne!(given["access_token"], again["access_token"]);
    let user = stage.desk.server.user(&text(&given, "access_token"));
    user.get("/webhooks-journal/subscriptions/2026-03").await.expect(200);
    user.get(&format!("/webhooks/v3/{}/subscriptions", stage.app)).await.expect(200);
    let asked = [("grant_type", "client_credentials"), ("scope", "conversations.read antiphon.admin")];
    let greedy = stage.token(&asked).await.expect(200).json();
    assert_eq!(greedy["scopes"], json!(["conversations.read", "antiphon.admin"]));
    let greedy = stage.desk.server.user(&text(&greedy, "access_token"));
    greedy.get(&format!("{V3}/threads")).await.expect(403);
    greedy.get("/antiphon/v1/apps").await.expect(403);

    // What an app may ask for can be bounded.
    let path = format!("/antiphon/v1/apps/{}/oauth", stage.app);
    stage.desk.user.patch(&path, json!({ "scopes": ["oauth", "files"] })).await.expect(200);
    assert_eq!(stage.token(&asked).await.expect(400).json()["status"], "BAD_SCOPE");
    let query = stage.query("scope=oauth+conversations.read");
    let sent = location(&stage.anybody().get(&format!("{AUTHORIZE}?{query}")).await);
    assert_eq!(parameter(&sent, "error").unwrap(), "invalid_scope");
    let code = stage.code("scope=oauth&optional_scope=files+conversations.read").await;
    assert_eq!(stage.exchange(&code).await.expect(200).json()["scopes"], json!(["oauth", "files"]));
}

#[tokio::test]
async fn tokens_end_as_they_are_told_to() {
    let stage = Stage::set().await;
    let given = stage.granted("oauth").await;
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    let me = async |token: &str| stage.desk.server.user(token).get("/integrations/v1/me").await.status;
    let revoke = async |token: &str, secret: &str| {
        let body = json!({ "token": token, "client_id": stage.client, "client_secret": secret });
        stage.anybody().post("/oauth/v3/token/revoke", body).await
    };
    assert_eq!(revoke(&access, "wrong").await.expect(400).json()["error"], "invalid_client");
    let other = Stage::on(stage.desk.clone()).await;
    let foreign = text(&other.granted("oauth").await, "access_token");
    assert!(revoke(&foreign, &stage.secret).await.expect(200).body.is_empty());
    assert_eq!((me(&access).await, me(&foreign).await), (200, 200));
    revoke(&access, &stage.secret).await.expect(200);
    assert_eq!(me(&access).await, 401);
    stage.anybody().get(&format!("/oauth/v1/access-tokens/{access}")).await.expect(404);

    let again =
        || async { stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await };
    let access = text(&again().await.expect(200).json(), "access_token");
    stage.anybody().delete(&format!("/oauth/v1/refresh-tokens/{refresh}")).await.expect(204);
    stage.anybody().delete("/oauth/v1/refresh-tokens/unknown").await.expect(204);
    assert_eq!(me(&access).await, 200, "what was given out lives to its end");
    assert_eq!(again().await.expect(400).json()["status"], "BAD_REFRESH_TOKEN");
    stage.anybody().get(&format!("/oauth/v1/refresh-tokens/{refresh}")).await.expect(404);

    let given = stage.granted("oauth+files").await;
    revoke(&text(&given, "refresh_token"), &stage.secret).await.expect(200);
    assert_eq!(me(&text(&given, "access_token")).await, 401, "with it, what was given out");
    let forged = format!("{}A", &access[..access.len() - 2]);
    assert_eq!(me(&forged).await, 401);

    let info = json!({ "tokenKey": stage.desk.user.token() });
    let info =
        stage.anybody().post("/oauth/v2/private-apps/get/access-token-info", info).await.expect(200).json();
    assert_eq!(info["appId"].to_string(), stage.desk.portal.app);
    let unknown = json!({ "tokenKey": "pat-na1-none" });
    stage.anybody().post("/oauth/v2/private-apps/get/access-token-info", unknown).await.expect(404);
}

#[tokio::test]
async fn an_account_says_what_its_operator_set() {
    let desk = Desk::open().await;
    let operator = desk.portal.operator();
    let path = format!("/antiphon/v1/portals/{}", desk.portal.id);
    let seen = async || {
        let details = desk.user.get("/account-info/v3/details").await.expect(200).json();
        let same = desk.user.get("/account-info/2026-03/details").await.expect(200).json();
        let me = desk.user.get("/integrations/v1/me").await.expect(200).json();
        assert_eq!(details, same);
        for name in ["portalId", "timeZone", "utcOffset", "utcOffsetMilliseconds"] {
            assert_eq!(details[name], me[name], "{name}");
        }
        assert_eq!(details["companyCurrency"], me["currency"]);
        details
    };
    assert_eq!(
        seen().await,
        json!({
            "portalId": desk.portal.id.parse::<i64>().unwrap(), "accountType": "STANDARD", "timeZone": "UTC",
            "companyCurrency": "USD", "additionalCurrencies": [], "utcOffset": "+00:00", "utcOffsetMilliseconds": 0,
            "uiDomain": "inbox.test", "dataHostingLocation": "na1",
        })
    );
    let set = json!({ "timeZone": "America/St_Johns", "currency": "cad", "accountType": "SANDBOX" });
    let shown = operator.patch(&path, set).await.expect(200).json();
    assert_eq!((&shown["currency"], &shown["accountType"]), (&json!("CAD"), &json!("SANDBOX")));
    let there = seen().await;
    assert_eq!((&there["companyCurrency"], &there["accountType"]), (&json!("CAD"), &json!("SANDBOX")));
    // The clocks are changed there, too.
    let mut offsets = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let now = seen().await;
        offsets.insert((text(&now, "utcOffset"), now["utcOffsetMilliseconds"].as_i64().unwrap()));
        desk.server.advance(Duration::from_secs(182 * 24 * 3_600));
    }
    assert!(offsets.into_iter().eq([("-02:30".into(), -9_000_000), ("-03:30".into(), -12_600_000)]));
    operator.patch(&path, json!({ "timeZone": "Asia/Kathmandu" })).await.expect(200);
    let there = seen().await;
    assert_eq!((&there["utcOffset"], &there["companyCurrency"]), (&json!("+05:45"), &json!("CAD")));

    let made = operator.post("/antiphon/v1/portals", json!({ "name": "Next", "currency": "EUR" })).await;
    let made = made.expect(201).json();
    let settings = ["timeZone", "currency", "accountType"].map(|name| made[name].clone());
    assert_eq!(settings, ["UTC", "EUR", "STANDARD"]);
}

#[tokio::test]
async fn tokens_begin_with_the_region_of_their_server() {
    let server = TestServer::configured(|config| config.region = "eu1".into()).await;
    let stage = Stage::on(Desk::on(&server).await).await;
    let given = stage.granted("oauth+files").await;
    let refresh = text(&given, "refresh_token");
    assert!(refresh.starts_with("eu1-") && refresh.len() == 40, "{refresh}");
    let again = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    assert_eq!(again.expect(200).json()["refresh_token"], refresh);
    stage.anybody().get(&format!("/oauth/v1/refresh-tokens/{refresh}")).await.expect(200);
    // Where a region was made up, or left out, it is another token.
    for other in [refresh.replace("eu1-", "na1-"), refresh["eu1-".len()..].to_owned()] {
        stage.anybody().get(&format!("/oauth/v1/refresh-tokens/{other}")).await.expect(404);
    }
    let made =
        stage.desk.make("tokens", json!({ "appId": stage.app, "label": "x", "scopes": ["files"] })).await;
    let token = text(&made, "token");
    assert!(token.starts_with("pat-eu1-"), "{token}");
    let details = server.user(&token).get("/account-info/v3/details").await.expect(200).json();
    assert_eq!(details["dataHostingLocation"], "eu1");
}

#[tokio::test]
async fn a_private_app_says_who_made_it() {
    let stage = Stage::set().await;
    let desk = &stage.desk;
    let agent: i64 = desk.portal.agent.trim_start_matches("A-").parse().unwrap();
    let user_of = async |app: Value| {
        let made =
            desk.make("tokens", json!({ "appId": app["id"], "label": "x", "scopes": ["files"] })).await;
        let body = json!({ "tokenKey": made["token"] });
        let path = "/oauth/v2/private-apps/get/access-token-info";
        stage.anybody().post(path, body).await.expect(200).json()["userId"].clone()
    };
    let nobodys = desk.make("apps", json!({ "name": "By a script" })).await;
    assert_eq!(nobodys.get("userId"), None);
    assert_eq!(user_of(nobodys).await, 0);
    let named = desk.make("apps", json!({ "name": "For Mia", "userId": agent })).await;
    assert_eq!((named["userId"].clone(), user_of(named).await), (json!(agent.to_string()), json!(agent)));
    let given = stage.granted("oauth+antiphon.admin").await;
    let mia = desk.server.user(&text(&given, "access_token"));
    let own = mia.post("/antiphon/v1/apps", json!({ "name": "By Mia" })).await.expect(201).json();
    assert_eq!(user_of(own).await, agent);
}
