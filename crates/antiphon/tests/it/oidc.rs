//! Signing in at an issuer: whom it lets in, and what becomes of everybody who tries another way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use antiphon_testkit::{PASSWORD, Reaction, Received, Reply, TestReceiver, TestServer, User};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use crate::kit::Desk;

const OWN: &str = "/antiphon/v1";
const START: &str = "/antiphon/v1/oidc/start";
const SESSION: &str = "/antiphon/v1/session";
const MIA: &str = "mia@acme.example";

/// What an issuer was asked for, and what it will say.
#[derive(Clone)]
struct Promise {
    asked: HashMap<String, String>,
    claims: Value,
}

/// How an issuer behaves.
#[derive(Default)]
struct Manner {
    promises: HashMap<String, Promise>,
    keys: Vec<EcdsaKeyPair>,
    /// The key that signs; those before it are published too.
    signing: usize,
    published: usize,
    /// Instead of the word.
    word: Option<String>,
    /// What is said at the place for it, and not in the word.
    userinfo: Option<Value>,
    down: bool,
}

/// A small issuer, which does what the standard says and can be made to lie.
struct Issuer {
    receiver: TestReceiver,
    manner: Arc<Mutex<Manner>>,
}

impl Issuer {
    async fn start() -> Self {
        let receiver = TestReceiver::start().await;
        let manner = Arc::new(Mutex::new(Manner { published: 1, ..Manner::default() }));
        manner.lock().unwrap().keys = (0..2).map(|_| pair()).collect();
        let (own, url) = (manner.clone(), receiver.url(""));
        receiver.react(move |request| own.lock().unwrap().answer(&url, request));
        Self { receiver, manner }
    }

    fn url(&self) -> String {
        self.receiver.url("")
    }

    fn manner(&self) -> std::sync::MutexGuard<'_, Manner> {
        self.manner.lock().unwrap()
    }

    /// A server at which one can sign in by it.
    async fn server(&self, domains: &[&str]) -> TestServer {
        let (issuer, domains) = (self.url(), domains.iter().map(|one| (*one).to_owned()).collect());
        TestServer::configured(|config| {
            config.oidc.issuer = issuer;
            config.oidc.client_id = "antiphon".into();
            config.oidc.client_secret = "s3cret:%".into();
            config.oidc.name = "Acme".into();
            config.oidc.domains = domains;
        })
        .await
    }

    /// Somebody signs in there: the path with which the browser comes back.
    fn met(&self, sent_to: &str, claims: Value) -> String {
        let url = Url::parse(sent_to).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut manner = self.manner();
        let code = format!("code{}", manner.promises.len());
        let state = asked["state"].clone();
        manner.promises.insert(code.clone(), Promise { asked, claims });
        format!("{OWN}/oidc/callback?code={code}&state={state}")
    }

    fn asked(&self, path: &str) -> usize {
        self.receiver.received().iter().filter(|request| request.target == path).count()
    }
}

impl Manner {
    fn answer(&mut self, url: &str, request: &Received) -> Reaction {
        if self.down {
            return Reaction::status(500);
        }
        let body = match request.target.as_str() {
            "/.well-known/openid-configuration" => json!({
                "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
                "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/jwks"),
                "userinfo_endpoint": format!("{url}/userinfo"),
            }),
            "/jwks" => {
                let keys = self.keys.iter().take(self.published).enumerate();
                json!({ "keys": keys.map(|(n, key)| public(n, key)).collect::<Vec<_>>() })
            }
            "/token" => return self.given(url, request),
            "/userinfo" if request.header("authorization") == "Bearer access" => {
                self.userinfo.clone().unwrap_or_default()
            }
            _ => return Reaction::status(404),
        };
        Reaction::answer(200, &[("content-type", "application/json")], &body.to_string())
    }

    fn given(&mut self, url: &str, request: &Received) -> Reaction {
        let no = |error: &str| Reaction::answer(400, &[], &json!({ "error": error }).to_string());
        let expected = format!("Basic {}", STANDARD.encode("antiphon:s3cret%3A%25"));
        if request.header("authorization") != expected {
            return no("invalid_client");
        }
        let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        // A code is good once, for whoever knows what its challenge was made of.
        let Some(promise) = self.promises.remove(&form["code"]) else { return no("invalid_grant") };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
        let same = form["redirect_uri"] == promise.asked["redirect_uri"];
        if challenge != promise.asked["code_challenge"]
            || promise.asked["code_challenge_method"] != "S256"
            || !same
        {
            return no("invalid_grant");
        }
        let now = jsonwebtoken::get_current_timestamp();
        let mut claims =
            json!({ "iss": url, "aud": "antiphon", "nonce": promise.asked["nonce"], "exp": now + 60 });
        claims.as_object_mut().unwrap().extend(promise.claims.as_object().unwrap().clone());
        let word = self.word.clone().unwrap_or_else(|| self.word(&json!({ "alg": "ES256" }), &claims));
        let given = json!({ "token_type": "Bearer", "access_token": "access", "id_token": word });
        Reaction::answer(200, &[], &given.to_string())
    }

    fn word(&self, header: &Value, claims: &Value) -> String {
        let mut header = header.clone();
        header["kid"] = self.signing.to_string().into();
        let said =
            [header.to_string(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let signed = self.keys[self.signing].sign(&SystemRandom::new(), said.as_bytes()).unwrap();
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(signed))
    }
}

fn pair() -> EcdsaKeyPair {
    let (way, dice) = (&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let made = EcdsaKeyPair::generate_pkcs8(way, dice).unwrap();
    EcdsaKeyPair::from_pkcs8(way, made.as_ref(), dice).unwrap()
}

fn public(number: usize, key: &EcdsaKeyPair) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    json!({ "kty": "EC", "crv": "P-256", "kid": number.to_string(), "x": x, "y": y })
}

/// Somebody the issuer knows.
fn person(sub: &str, email: &str) -> Value {
    json!({ "sub": sub, "email": email, "email_verified": true, "name": "Nova N." })
}

/// A browser that was sent to the issuer: with the cookie it got, and where it goes.
async fn sent(server: &TestServer, back: &str) -> (User, String) {
    let reply = server.anybody().get(&format!("{START}{back}")).await.expect(302);
    let cookie = reply.cookies()[0].split(';').next().unwrap().to_owned();
    (server.anybody().with("cookie", &cookie), reply.header("location").unwrap().to_owned())
}

/// The whole way.
async fn signs_in(server: &TestServer, issuer: &Issuer, claims: Value) -> Reply {
    let (browser, to) = sent(server, "").await;
    browser.get(&issuer.met(&to, claims)).await.expect(302)
}

/// Why somebody was not signed in; empty if they were.
fn why(reply: &Reply) -> String {
    let location = reply.header("location").unwrap();
    let begun = reply.cookies().iter().any(|cookie| cookie.starts_with("antiphon_session="));
    match location.split_once("/inbox/?error=oidc_") {
        Some((_, why)) => {
            assert!(!begun, "{location}");
            why.to_owned()
        }
        None => {
            assert!(begun, "{location}");
            String::new()
        }
    }
}

/// The session that somebody begins whom the issuer knows.
async fn session(server: &TestServer, issuer: &Issuer, claims: Value) -> Value {
    let reply = signs_in(server, issuer, claims).await;
    assert_eq!(why(&reply), "");
    let cookie = reply.cookies().into_iter().find(|one| one.starts_with("antiphon_session=")).unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    server.anybody().with("cookie", &cookie).get(SESSION).await.expect(200).json()
}

#[tokio::test]
async fn an_agent_signs_in_and_comes_back_to_where_they_were() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&[]).await).await;
    desk.portal.signed_in("ADMIN").await;
    let anybody = desk.server.anybody();
    let options = anybody.get(&format!("{OWN}/sign-in/options")).await.expect(200).json();
    assert_eq!(options["oidc"], json!({ "name": "Acme" }));
    let reply = anybody.get(&format!("{START}?return=/inbox/threads/7%3Fa%3Db")).await.expect(302);
    let [cookie] = reply.cookies()[..] else { panic!("{:?}", reply.cookies()) };
    assert!(cookie.ends_with("; Path=/antiphon/v1/oidc; HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
    let to = Url::parse(reply.header("location").unwrap()).unwrap();
    let asked: HashMap<_, _> = to.query_pairs().into_owned().collect();
    assert_eq!(to.as_str().split('?').next().unwrap(), format!("{}/authorize", issuer.url()));
    assert_eq!(asked["redirect_uri"], "http://inbox.test/antiphon/v1/oidc/callback");
    assert_eq!((asked["scope"].as_str(), asked["response_type"].as_str()), ("openid email profile", "code"));
    let browser = anybody.with("cookie", cookie.split(';').next().unwrap());
    let reply = browser.get(&issuer.met(to.as_str(), person("1", MIA))).await.expect(302);
    assert_eq!(reply.header("location"), Some("http://inbox.test/inbox/threads/7?a=b"));
    assert!(reply.cookies().iter().any(|one| one.starts_with("antiphon_oidc=; ")), "{:?}", reply.cookies());
    // She is who she was, with what she may do; and it is noted.
    let shown = session(&desk.server, &issuer, person("1", MIA)).await;
    assert_eq!(
        (&shown["agent"]["actorId"], &shown["agent"]["role"]),
        (&json!(desk.portal.agent), &json!("ADMIN"))
    );
    let operator = desk.portal.operator();
    let noted = operator.get(&format!("{OWN}/audit?action=oidc.callback")).await.expect(200).json();
    let noted = noted["results"].as_array().unwrap();
    assert_eq!((noted.len(), &noted[0]["actor"]), (1, &json!("oidc")), "linked once");
    let begun = operator.get(&format!("{OWN}/audit?action=oidc.begin")).await.expect(200).json();
    assert_eq!(begun["results"].as_array().unwrap().len(), 2);
    assert_eq!(begun["results"][0]["actor"], json!(desk.portal.agent));
    // Nobody is sent to another site, not even in the end.
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/inbox//evil.example",
        "/oauth/authorize",
        "/inbox%5C..%5Cx",
    ] {
        let (browser, to) = sent(&desk.server, &format!("?return={elsewhere}")).await;
        let reply = browser.get(&issuer.met(&to, person("1", MIA))).await;
        assert_eq!(reply.header("location"), Some("http://inbox.test/inbox/"), "{elsewhere}");
    }
    // What it says of itself was asked for once.
    assert_eq!((issuer.asked("/.well-known/openid-configuration"), issuer.asked("/jwks")), (1, 1));
}

#[tokio::test]
async fn whoever_has_an_address_that_is_welcome_becomes_an_agent_and_others_learn_why_not() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&["acme.example"]).await).await;
    // Nobody comes in before somebody can turn them out again.
    assert_eq!(why(&signs_in(&desk.server, &issuer, person("2", "nova@acme.example")).await), "unknown");
    desk.portal.signed_in("ADMIN").await;
    let nova = session(&desk.server, &issuer, person("2", "nova@acme.example")).await;
    assert_eq!((&nova["agent"]["name"], &nova["agent"]["role"]), (&json!("Nova N."), &json!("AGENT")));
    let again = session(&desk.server, &issuer, person("2", "moved@elsewhere.example")).await;
    assert_eq!(again["agent"]["id"], nova["agent"]["id"]);
    issuer.manner().userinfo = Some(json!({ "sub": "3" }));
    let unverified = json!({ "sub": "3", "email": "eve@acme.example", "email_verified": false });
    for (claims, expected) in [
        (person("3", "eve@evil.example"), "domain"),
        (unverified, "unverified"),
        (json!({ "sub": "3" }), "unverified"),
        (person("3", "nova@acme.example"), "taken"),
    ] {
        assert_eq!(why(&signs_in(&desk.server, &issuer, claims.clone()).await), expected, "{claims}");
    }
    let id = nova["agent"]["id"].as_str().unwrap().to_owned();
    desk.edit(&format!("agents/{id}"), json!({ "active": false })).await;
    for sub in ["2", "4"] {
        assert_eq!(why(&signs_in(&desk.server, &issuer, person(sub, "nova@acme.example")).await), "inactive");
    }
    // Without a list of domains agents are invited by hand, and an invitation is enough.
    let desk = Desk::on(&issuer.server(&[]).await).await;
    desk.portal.signed_in("ADMIN").await;
    assert_eq!(why(&signs_in(&desk.server, &issuer, person("9", "tom@acme.example")).await), "unknown");
    let body = json!({ "name": "Tom", "email": "tom@acme.example", "role": "READ_ONLY" });
    desk.portal.operator().post(&format!("{OWN}/invitations"), body).await.expect(201);
    let tom = session(&desk.server, &issuer, person("9", "tom@acme.example")).await;
    assert_eq!(tom["agent"]["role"], "READ_ONLY");
    let open = desk.user.get(&format!("{OWN}/invitations")).await.expect(200).json();
    assert_eq!(open["results"], json!([]));
    // He has no password, and none opens his account.
    for password in ["", PASSWORD] {
        let body = json!({ "email": "tom@acme.example", "password": password });
        desk.server.anybody().post(SESSION, body).await.expect(401);
    }
}

#[tokio::test]
async fn what_is_not_in_the_word_is_asked_for_and_has_to_be_about_the_same_person() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&[]).await).await;
    desk.portal.signed_in("AGENT").await;
    issuer.manner().userinfo = Some(person("1", MIA));
    assert_eq!(session(&desk.server, &issuer, json!({ "sub": "1" })).await["agent"]["email"], MIA);
    assert_eq!(why(&signs_in(&desk.server, &issuer, json!({ "sub": "2" })).await), "failed");
}

#[tokio::test]
async fn a_word_that_is_not_good_lets_nobody_in() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&["acme.example"]).await).await;
    desk.portal.signed_in("ADMIN").await;
    let now = jsonwebtoken::get_current_timestamp();
    for lie in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "another" }),
        json!({ "aud": ["antiphon", "another"] }),
        json!({ "azp": "another" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": now - 120 }),
        json!({ "exp": "9999999999" }),
        json!({ "nbf": now + 120 }),
    ] {
        let mut claims = person("1", MIA);
        claims.as_object_mut().unwrap().extend(lie.as_object().unwrap().clone());
        assert_eq!(why(&signs_in(&desk.server, &issuer, claims).await), "failed", "{lie}");
    }
    // Signed by nobody, by everybody, or by somebody else.
    for alg in ["none", "HS256", "ES256"] {
        let (browser, to) = sent(&desk.server, "").await;
        let nonce =
            Url::parse(&to).unwrap().query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
        let mut claims = person("1", MIA);
        claims.as_object_mut().unwrap().extend(
            json!({ "iss": issuer.url(), "aud": "antiphon", "nonce": nonce, "exp": now + 60 })
                .as_object()
                .unwrap()
                .clone(),
        );
        let forged = {
            let manner = issuer.manner();
            let point = manner.keys[0].public_key().as_ref().to_vec();
            let said = [json!({ "alg": alg, "kid": "0" }).to_string(), claims.to_string()];
            let said = said.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
            let signature = match alg {
                "none" => String::new(),
                "HS256" => {
                    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &point);
                    URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, said.as_bytes()))
                }
                _ => URL_SAFE_NO_PAD
                    .encode(manner.keys[1].sign(&SystemRandom::new(), said.as_bytes()).unwrap()),
            };
            format!("{said}.{signature}")
        };
        let path = issuer.met(&to, claims);
        issuer.manner().word = Some(forged);
        assert_eq!(why(&browser.get(&path).await.expect(302)), "failed", "{alg}");
        issuer.manner().word = None;
    }
    assert_eq!(why(&signs_in(&desk.server, &issuer, person("1", MIA)).await), "");
}

#[tokio::test]
async fn only_the_browser_that_was_sent_comes_back_and_only_once() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&[]).await).await;
    desk.portal.signed_in("ADMIN").await;
    let (browser, to) = sent(&desk.server, "").await;
    let path = issuer.met(&to, person("1", MIA));
    // Somebody else's way in, in a browser that was not sent, or was sent for itself.
    let (other, elsewhere) = sent(&desk.server, "").await;
    for stranger in [&desk.server.anybody(), &other] {
        let reply = stranger.get(&path).await.expect(302);
        assert_eq!(why(&reply), "expired");
        assert!(reply.cookies().is_empty(), "nobody's journey ends by it");
    }
    let (code, _) = path.split_once("&state=").unwrap();
    for forged in [
        code.to_owned(),
        format!("{code}&state="),
        format!("{code}&state={}", "0".repeat(32)),
        format!("{code}&state={}", "x".repeat(5000)),
    ] {
        assert_eq!(why(&browser.get(&forged).await.expect(302)), "expired", "{forged}");
    }
    // Another's code in one's own journey: it was given for another challenge.
    let (_, own) = issuer
        .met(&elsewhere, person("1", MIA))
        .split_once("&state=")
        .map(|(_, state)| ((), state.to_owned()))
        .unwrap();
    assert_eq!(why(&other.get(&format!("{code}&state={own}")).await.expect(302)), "failed");
    // That used up the code; a journey is made once, whatever code comes with it.
    assert_eq!(why(&browser.get(&path).await.expect(302)), "failed");
    let fresh = issuer.met(&to, person("1", MIA));
    let asked = issuer.asked("/token");
    assert_eq!(why(&browser.get(&fresh).await.expect(302)), "expired");
    assert_eq!(issuer.asked("/token"), asked, "nobody asks for it");
    // And in time.
    let (late, to) = sent(&desk.server, "").await;
    let path = issuer.met(&to, person("1", MIA));
    desk.server.advance(Duration::from_secs(10 * 60));
    assert_eq!(why(&late.get(&path).await.expect(302)), "expired");
    // Who does not want to, and an answer in another's name.
    for (answer, expected) in [
        ("error=access_denied", "cancelled"),
        ("error=server_error", "unavailable"),
        ("error=%3Cscript%3E", "unavailable"),
        ("code=1&iss=https://evil.example", "failed"),
        ("nothing=1", "expired"),
    ] {
        let (browser, to) = sent(&desk.server, "").await;
        let (_, state) = issuer
            .met(&to, json!({}))
            .split_once("&state=")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let reply = browser.get(&format!("{OWN}/oidc/callback?{answer}&state={state}")).await.expect(302);
        assert_eq!(why(&reply), expected, "{answer}");
    }
}

#[tokio::test]
async fn whoever_is_signed_in_by_it_leaves_the_session_before_behind() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&[]).await).await;
    let body = json!({ "email": MIA, "password": PASSWORD });
    desk.portal.signed_in("ADMIN").await;
    let before = desk.server.anybody().post(SESSION, body).await.expect(200);
    let old = before.cookies()[0].split(';').next().unwrap().to_owned();
    let reply = desk.server.anybody().get(START).await.expect(302);
    let journey = reply.cookies()[0].split(';').next().unwrap().to_owned();
    let browser = desk.server.anybody().with("cookie", &format!("{old}; {journey}"));
    let reply =
        browser.get(&issuer.met(reply.header("location").unwrap(), person("1", MIA))).await.expect(302);
    assert_eq!(why(&reply), "");
    desk.server.anybody().with("cookie", &old).get(SESSION).await.expect(401);
}

#[tokio::test]
async fn new_keys_are_asked_for_and_not_too_often() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&[]).await).await;
    desk.portal.signed_in("ADMIN").await;
    assert_eq!(why(&signs_in(&desk.server, &issuer, person("1", MIA)).await), "");
    issuer.manner().signing = 1;
    for _ in 0..5 {
        assert_eq!(why(&signs_in(&desk.server, &issuer, person("1", MIA)).await), "failed");
    }
    assert_eq!(issuer.asked("/jwks"), 1);
    issuer.manner().published = 2;
    desk.server.advance(Duration::from_secs(31));
    assert_eq!(why(&signs_in(&desk.server, &issuer, person("1", MIA)).await), "");
    assert_eq!(issuer.asked("/jwks"), 2);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_not_asked_again_and_again() {
    let issuer = Issuer::start().await;
    let desk = Desk::on(&issuer.server(&[]).await).await;
    desk.portal.signed_in("ADMIN").await;
    issuer.manner().down = true;
    for _ in 0..5 {
        assert_eq!(why(&desk.server.anybody().get(START).await.expect(302)), "unavailable");
    }
    assert_eq!(issuer.asked("/.well-known/openid-configuration"), 1);
    issuer.manner().down = false;
    desk.server.advance(Duration::from_secs(6));
    assert_eq!(why(&signs_in(&desk.server, &issuer, person("1", MIA)).await), "");
    // An issuer that is another one than it was said to be, or says too much.
    let receiver = TestReceiver::start().await;
    let url = receiver.url("");
    for body in [
        json!({ "issuer": "https://evil.example" }).to_string(),
        "no JSON".into(),
        format!("{{\"issuer\": \"{}\"}}", "x".repeat(300_000)),
    ] {
        receiver.react(move |_| Reaction::answer(200, &[], &body));
        let url = url.clone();
        let server = TestServer::configured(|config| {
            config.oidc.issuer = url;
            config.oidc.client_id = "antiphon".into();
        })
        .await;
        assert_eq!(why(&server.anybody().get(START).await.expect(302)), "unavailable");
    }
    // And where there is none at all.
    let server = TestServer::start().await;
    for path in [START, "/antiphon/v1/oidc/callback?code=1&state=2"] {
        assert_eq!(why(&server.anybody().get(path).await.expect(302)), "unavailable");
    }
}

#[tokio::test]
async fn only_the_issuers_own_host_may_be_near() {
    let issuer = Issuer::start().await;
    let own = issuer.url();
    let server = TestServer::configured(|config| {
        config.outbound.allow.clear();
        config.outbound.http = false;
        config.oidc.issuer = own;
        config.oidc.client_id = "antiphon".into();
    })
    .await;
    let reply = server.anybody().get(START).await.expect(302);
    assert!(reply.header("location").unwrap().starts_with(&issuer.url()), "{:?}", reply.header("location"));
    // Whatever else it names, it may not lead us to.
    let receiver = TestReceiver::start().await;
    let own = format!("http://localhost:{}", issuer.receiver.address.port());
    let name = own.clone();
    let far = json!({ "issuer": own, "authorization_endpoint": format!("{own}/authorize"),
                      "token_endpoint": format!("{own}/token"), "jwks_uri": receiver.url("/jwks") });
    issuer.receiver.react(move |_| Reaction::answer(200, &[], &far.to_string()));
    let server = TestServer::configured(|config| {
        config.outbound.allow.clear();
        config.oidc.issuer = name;
        config.oidc.client_id = "antiphon".into();
    })
    .await;
    assert_eq!(why(&server.anybody().get(START).await.expect(302)), "unavailable");
    assert_eq!(receiver.received().len(), 0);
}
