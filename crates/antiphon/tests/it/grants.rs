//! What is counted, remembered and forgotten of tokens and grants.

use std::time::Duration;

use antiphon_store::{
    AppId, Changes, DirectoryChange, Grant, Moment, PortalId, State, StoreError, Target, TokenHash,
};
use antiphon_testkit::{Reply, TestServer, User};
use serde_json::{Value, json};

use crate::kit::{Desk, V3, text};
use crate::oauth::{Browser, PASSWORD, Stage};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn header(reply: &Reply, name: &str) -> Option<i64> {
    reply.header(&format!("x-hubspot-ratelimit-{name}")).map(|value| value.parse().unwrap())
}

#[tokio::test]
async fn an_apps_access_tokens_share_ten_seconds_and_have_no_days() {
    let server = TestServer::configured(|config| {
        config.limits.enabled = true;
        config.limits.oauth_per_ten_seconds = 20;
        config.limits.per_day = 300;
    })
    .await;
    let stage = Stage::on(Desk::on(&server).await).await;
    let path = format!("{V3}/threads");
    let granted = stage.granted("oauth+conversations.read").await;
    let refresh = text(&granted, "refresh_token");
    let again = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    let tokens = [granted, again.expect(200).json()].map(|one| text(&one, "access_token"));
    let users = tokens.map(|token| server.user(&token));
    for round in 0..20 {
        let reply = users[round % 2].get(&path).await.expect(200);
        let told = ["max", "remaining", "interval-milliseconds", "secondly"].map(|name| header(&reply, name));
        assert_eq!(told, [20, 19 - round as i64, 10_000, 2].map(Some));
        assert!(header(&reply, "secondly-remaining").is_some());
        assert_eq!((header(&reply, "daily"), header(&reply, "daily-remaining")), (None, None));
    }
    for user in &users {
        let refused = user.get(&path).await.expect(429);
        assert_eq!(refused.json()["policyName"], "TEN_SECONDLY_ROLLING");
        assert_eq!((header(&refused, "remaining"), header(&refused, "daily")), (Some(0), None));
    }
    // What users granted other apps is counted there, and nothing of it is the account's.
    let other = Stage::on(stage.desk.clone()).await;
    let token = text(&other.granted("oauth+conversations.read").await, "access_token");
    assert_eq!(header(&server.user(&token).get(&path).await.expect(200), "remaining"), Some(19));
    let (private, before) = (stage.desk.portal.read_only().await, stage.desk.user.get(&path).await);
    let reply = private.get(&path).await.expect(200);
    assert_eq!((header(&reply, "max"), header(&reply, "daily")), (Some(190), Some(300)));
    assert_eq!(header(&reply, "daily-remaining").unwrap() + 1, header(&before, "daily-remaining").unwrap());
}

async fn listed(user: &User) -> Vec<Value> {
    let list = user.get("/antiphon/v1/tokens?limit=500").await.expect(200).json();
    list["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn when_a_token_was_used_is_known_to_the_minute_and_no_request_writes_it() {
    let desk = Desk::open().await;
    let made = desk.make("tokens", json!({ "label": "x", "scopes": ["conversations.read"] })).await;
    let used = async || {
        let all = listed(&desk.user).await;
        all.into_iter().find(|one| one["id"] == made["id"]).unwrap()["lastUsedAt"].clone()
    };
    let (user, app) = (desk.server.user(&text(&made, "token")), desk.server.app());
    let portal = PortalId(desk.portal.id.parse().unwrap());
    assert_eq!(used().await, Value::Null);
    app.uses.write(&app.store).await;
    let before = app.store.directory(portal).await.unwrap().unwrap().revision;
    let minute = |now: i64| {
        let at = antiphon_wire::timestamp::Timestamp(now - now % 60_000);
        serde_json::to_value(at).unwrap()
    };
    for _ in 0..3 {
        user.get(&format!("{V3}/threads")).await.expect(200);
        user.get(&format!("{V3}/threads?limit=0")).await.expect(400);
    }
    user.delete(&format!("{V3}/threads/1")).await.expect(403);
    let first = minute(desk.server.now());
    assert_eq!(used().await, first, "as this node knows it");
    assert_eq!(app.uses.write(&app.store).await, 2, "the token, and whoever looked at it");
    assert_eq!(used().await, first, "as it is written");
    desk.server.advance(2 * MINUTE);
    assert_eq!(used().await, first, "nobody used it since");
    user.get(&format!("{V3}/threads")).await.expect(200);
    assert_eq!(used().await, minute(desk.server.now()));
    app.uses.write(&app.store).await;
    assert_eq!(app.store.directory(portal).await.unwrap().unwrap().revision, before);
}

#[tokio::test]
async fn a_server_that_stops_has_written_what_was_used() {
    let home = antiphon_testkit::Home::new();
    antiphon_testkit::seed(&home, 0).await.unwrap();
    let mut config = home.config();
    config.listen = "127.0.0.1:0".into();
    let server = antiphon::serve::Server::start(config.clone(), home.settings()).await.unwrap();
    let address = server.url.trim_start_matches("http://").parse().unwrap();
    let token = antiphon_testkit::SEED_TOKEN;
    let mut line = antiphon_testkit::Connection::open(address, token).await.unwrap();
    line.get(&format!("{V3}/threads")).await.unwrap().expect(200);
    drop(line);
    server.stop().await;
    let store = antiphon_store::Store::open(home.settings()).unwrap();
    let used = antiphon_store::Used::Token(antiphon::middleware::token::hash(token));
    assert_eq!(store.uses(PortalId(1), &[used]).await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn passwords_are_tried_ever_more_seldom_and_who_was_here_before_does_not_wait_for_others() {
    let stage = Stage::set().await;
    let mut own = Browser::open(&stage, "scope=oauth").await;
    let right = format!("do=sign-in&email=mia%40acme.example&password={PASSWORD}");
    let signed_in = own.choose(&right).await.expect(302);
    own.keep(&signed_in);
    own.get().await;
    own.keep(&own.choose("do=sign-out").await.expect(302));
    own.cookies.retain(|cookie| !cookie.starts_with("antiphon_session="));
    own.get().await;

    let wrong = |email: &str| format!("do=sign-in&email={email}%40acme.example&password=wrong");
    for email in ["mia", "nobody"] {
        for attempt in 0..5 {
            // Whatever address somebody comes from, or says so.
            let browser = Browser::open(&stage, &format!("scope=oauth&state={attempt}")).await;
            let page = browser.choose(&wrong(email)).await.expect(200);
            assert!(page.text().contains("The address or the password is wrong."), "{}", page.text());
        }
        let browser = Browser::open(&stage, "scope=oauth").await;
        let page = browser.choose(&wrong(email)).await.expect(429);
        assert_eq!(page.header("retry-after"), Some("5"));
        assert!(page.text().contains("role=\"alert\"") && page.text().contains("Wait 5 seconds"));
    }
    let stranger = Browser::open(&stage, "scope=oauth").await;
    stranger.choose(&right).await.expect(429);
    // What is said of a browser counts only as it was said, and of whom.
    let known = own.cookies.iter().find(|cookie| cookie.starts_with("antiphon_browser=")).unwrap().clone();
    let agent = stage.desk.portal.agent.trim_start_matches("A-");
    let other = known.replacen(&format!(".{agent}."), ".999999.", 1);
    assert_ne!(other, known);
    for forged in [other, known.replacen("antiphon_browser=", "antiphon_browser=7", 1)] {
        let mut browser = Browser::open(&stage, "scope=oauth").await;
        browser.cookies.push(forged);
        browser.choose(&right).await.expect(429);
    }
    own.choose(&right).await.expect(302);
    stage.desk.server.advance(Duration::from_secs(5));
    stranger.choose(&wrong("mia")).await.expect(200);
    assert_eq!(stranger.choose(&right).await.expect(429).header("retry-after"), Some("10"));
    stage.desk.server.advance(Duration::from_secs(10));
    stranger.choose(&right).await.expect(302);
    stranger.choose(&wrong("mia")).await.expect(200);
}

#[tokio::test]
async fn wrong_secrets_are_sent_ever_more_seldom_and_the_right_one_is_never_kept_out() {
    let stage = Stage::set().await;
    let wrong = [("grant_type", "client_credentials"), ("client_secret", "x")];
    for _ in 0..5 {
        assert_eq!(stage.token(&wrong).await.expect(400).json()["status"], "BAD_CLIENT_SECRET");
    }
    let refused = stage.token(&wrong).await.expect(429);
    assert_eq!(refused.header("retry-after"), Some("5"));
    let body = refused.json();
    assert_eq!((&body["status"], &body["error"]), (&json!("BAD_CLIENT_SECRET"), &json!("invalid_client")));
    assert_eq!(body["message"], body["error_description"]);
    stage.token(&[("grant_type", "client_credentials")]).await.expect(200);
    let body = json!({ "token": "x", "client_id": stage.client, "client_secret": "x" });
    stage.anybody().post("/oauth/v3/token/revoke", body).await.expect(429);
    let other = Stage::on(stage.desk.clone()).await;
    other.token(&wrong).await.expect(400);
    stage.desk.server.advance(Duration::from_secs(5));
    stage.token(&wrong).await.expect(400);
}

/// Adds grants as users make them; how they are is said of each.
async fn add(stage: &Stage, ids: std::ops::Range<u32>, change: fn(&mut Grant, i64)) {
    let portal = PortalId(stage.desk.portal.id.parse().unwrap());
    let app = AppId(stage.app.parse().unwrap());
    let user: i64 = stage.desk.portal.agent.trim_start_matches("A-").parse().unwrap();
    let store = &stage.desk.server.app().store;
    for id in ids.step_by(400) {
        let rule = move |_: &State, moment: &mut Moment| {
            let grants = (id..id + 400).map(|id| {
                let scopes = vec!["oauth".to_owned()];
                let mut grant = antiphon::oauth::grants::made(app, Some(user), scopes, None, moment);
                let mut hash = [0; 32];
                hash[..4].copy_from_slice(&id.to_be_bytes());
                grant.refresh = Some(TokenHash(hash));
                change(&mut grant, moment.now);
                DirectoryChange::Grant(grant)
            });
            Ok::<_, StoreError>(Changes { directory: grants.collect(), ..Changes::default() })
        };
        store.change(portal, Target::Directory, rule).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_portal_does_not_grow_with_what_its_users_and_apps_have_done() {
    let stage = Stage::set().await;
    let portal = PortalId(stage.desk.portal.id.parse().unwrap());
    let app = stage.desk.server.app();
    let directory = async || app.store.directory(portal).await.unwrap().unwrap();
    let me = async |token: &str| stage.desk.server.user(token).get("/integrations/v1/me").await;
    let run = async || antiphon::oauth::clear::run(app, app.store.now()).await.unwrap();

    // However often an app refreshes, nothing comes of it but that it did.
    let kept = stage.granted("oauth").await;
    let refresh = text(&kept, "refresh_token");
    let again = async || stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    app.uses.write(&app.store).await;
    let before = directory().await.revision;
    for _ in 0..200 {
        again().await.expect(200);
    }
    assert_eq!((directory().await.revision, app.uses.write(&app.store).await), (before, 1));

    let revoked = text(&again().await.expect(200).json(), "access_token");
    let body = json!({ "token": revoked, "client_id": stage.client, "client_secret": stage.secret });
    stage.anybody().post("/oauth/v3/token/revoke", body).await.expect(200);
    let unused = stage.code("scope=oauth+files").await;
    let ended = stage.granted("oauth+files").await;
    let gone = text(&ended, "refresh_token");
    let settings = format!("/antiphon/v1/apps/{}/oauth", stage.app);
    let settings = stage.desk.user.get(&settings).await.expect(200).json();
    let minute = antiphon_wire::timestamp::Timestamp(app.store.now() / 60_000 * 60_000);
    assert_eq!(settings["lastUsedAt"], serde_json::to_value(minute).unwrap());
    let body = json!({ "token": gone, "client_id": stage.client, "client_secret": stage.secret });
    stage.anybody().post("/oauth/v3/token/revoke", body).await.expect(200);
    add(&stage, 0..3_200, |grant, now| grant.ended_at = Some(now)).await;
    add(&stage, 3_200..10_000, |_, _| {}).await;
    let grants = directory().await.grants().len();
    assert!(grants > 10_000);
    assert_eq!(
        (run().await, directory().await.grants().len()),
        (0, grants),
        "everything is younger than a day"
    );
    let ended = text(&ended, "access_token");
    assert_eq!(me(&revoked).await.expect(401).json()["category"], "INVALID_AUTHENTICATION");
    assert_eq!(me(&ended).await.expect(401).json()["category"], "INVALID_AUTHENTICATION");

    // Half an hour later, and for ever: expired, whatever became of its grant.
    let expired = async || {
        for token in [&revoked, &ended] {
            assert_eq!(me(token).await.expect(401).json()["category"], "EXPIRED_AUTHENTICATION");
        }
        let refused = [("grant_type", "refresh_token"), ("refresh_token", &*gone)];
        assert_eq!(stage.token(&refused).await.expect(400).json()["status"], "BAD_REFRESH_TOKEN");
        assert_eq!(stage.exchange(&unused).await.expect(400).json()["status"], "BAD_AUTH_CODE");
    };
    stage.desk.server.advance(DAY / 2);
    expired().await;
    stage.desk.server.advance(DAY);
    // A code, a revoked grant, 3,200 that ended, and the row of a token that was revoked by itself.
    assert_eq!(run().await, 3_203);
    expired().await;
    assert_eq!(
        (
            directory().await.grants().len(),
            directory().await.tokens().iter().filter(|token| token.grant_id.is_some()).count()
        ),
        (grants - 3_202, 0)
    );

    // A month later those go that nobody uses, but for a hundred of a user; and what is in use stays.
    again().await.expect(200);
    stage.desk.server.advance(29 * DAY);
    again().await.expect(200);
    stage.desk.server.advance(2 * DAY);
    assert!(run().await >= 6_700 + 3_203, "with the rows of the others");
    assert_eq!(directory().await.grants().len(), grants - 3_202, "they have ended, and go later");
    let access = text(&again().await.expect(200).json(), "access_token");
    stage.desk.server.advance(DAY);
    run().await;
    assert_eq!(directory().await.grants().len(), 100);
    assert_eq!(me(&access).await.expect(401).json()["category"], "EXPIRED_AUTHENTICATION");
    me(&text(&again().await.expect(200).json(), "access_token")).await.expect(200);
    stage.desk.server.advance(2 * DAY);
    run().await;
    add(&stage, 10_000..10_800, |_, _| {}).await;
    stage.desk.user.delete(&format!("/antiphon/v1/apps/{}/install", stage.app)).await.expect(204);
    assert!(directory().await.grants().iter().all(|grant| grant.uninstalled_at.is_some()), "however many");
    stage.desk.server.advance(DAY);
    run().await;
    stage.desk.server.advance(DAY + MINUTE);
    assert_eq!((run().await, directory().await.grants().len()), (900, 0));
    let nothing = antiphon_store::Sweep { gone_before: app.store.now(), tried_before: 0, limit: 10_000 };
    assert_eq!(app.store.sweep(portal, nothing).await.unwrap(), 0, "no row is left of any of them");
}

#[tokio::test]
async fn who_is_banned_is_banned_as_long_as_a_token_could_still_be_good() {
    let stage = Stage::set().await;
    let app = stage.desk.server.app();
    let given = stage.granted("oauth").await;
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    let user = stage.desk.server.user(&access);
    let run = async || antiphon::oauth::clear::run(app, app.store.now()).await.unwrap();
    stage.desk.user.delete(&format!("/antiphon/v1/apps/{}/install", stage.app)).await.expect(204);
    for (after, status, category) in [
        (Duration::ZERO, 403, "BANNED"),
        (Duration::from_secs(1799), 403, "BANNED"),
        (Duration::from_secs(1), 401, "EXPIRED_AUTHENTICATION"),
        (DAY, 401, "EXPIRED_AUTHENTICATION"),
        (2 * DAY, 401, "EXPIRED_AUTHENTICATION"),
    ] {
        stage.desk.server.advance(after);
        run().await;
        assert_eq!(user.get("/integrations/v1/me").await.expect(status).json()["category"], category);
        let refused = stage.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
        assert_eq!(refused.expect(400).json()["status"], "BAD_REFRESH_TOKEN");
    }
}
