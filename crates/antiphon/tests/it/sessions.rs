//! Agents sign in, work as themselves, and sign out. Whoever is not meant to gets nowhere.

use std::time::Duration;

use antiphon::routes::{Entry, Routes, Scope};
use antiphon::sessions::role;
use antiphon_store::{PortalId, Role};
use antiphon_testkit::{PASSWORD, Reply, TestServer, User};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Desk, V3, text, told};

const SESSION: &str = "/antiphon/v1/session";
const MIA: &str = "mia@acme.example";
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn sign_in(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// What a browser sends from now on, of the cookies of an answer.
fn cookie(reply: &Reply) -> Option<String> {
    let all = reply.cookies();
    let session = all.iter().find(|cookie| cookie.starts_with("antiphon_session="))?;
    session.split(';').next().map(str::to_owned)
}

fn with(user: &User, cookie: &str) -> User {
    user.clone().without("cookie").with("cookie", cookie)
}

#[tokio::test]
async fn who_signs_in_is_told_who_they_are_and_may_sign_out() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("AGENT").await;
    let shown = user.get(SESSION).await.expect(200).json();
    let agent = json!({ "id": desk.portal.agent[2..], "actorId": desk.portal.agent, "name": "Mia Chen", "email": MIA,
                        "role": "AGENT", "password": true, "totp": false, "recoveryCodes": 0 });
    assert_eq!(shown["agent"], agent);
    assert_eq!(shown["portal"], json!({ "id": desk.portal.id, "name": "Acme", "timeZone": "UTC" }));
    assert_eq!(shown["expiresAt"], "2026-03-01T20:00:00.000Z");
    let begun = desk.server.anybody().post(SESSION, sign_in("MIA@acme.example ", PASSWORD)).await.expect(200);
    let all = begun.cookies();
    let session = all.iter().find(|cookie| cookie.starts_with("antiphon_session=")).unwrap();
    assert!(session.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600"), "{session}");
    let secure = TestServer::configured(|config| config.public_url = "https://inbox.test".into()).await;
    let other = Desk::on(&secure).await;
    other.portal.signed_in("AGENT").await;
    let begun = secure.anybody().post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200);
    assert!(
        begun
            .cookies()
            .iter()
            .all(|cookie| cookie.contains("; HttpOnly; SameSite=Lax; ") && cookie.ends_with("; Secure"))
    );

    let ended = user.delete(SESSION).await.expect(204);
    assert!(
        ended.cookies()[0].starts_with("antiphon_session=; ") && ended.cookies()[0].contains("Max-Age=0")
    );
    user.get(SESSION).await.expect(401);
    user.get(&format!("{V3}/threads")).await.expect(401);
}

#[tokio::test]
async fn a_wrong_password_an_unknown_address_and_a_deactivated_agent_are_told_the_same() {
    let desk = Desk::open().await;
    desk.portal.signed_in("AGENT").await;
    desk.portal.colleague("Tom", "AGENT").await;
    let tom =
        desk.portal.operator().get("/antiphon/v1/agents").await.expect(200).json()["results"][1].clone();
    desk.edit(&format!("agents/{}", text(&tom, "id")), json!({ "active": false })).await;
    let anybody = desk.server.anybody();
    let mut answers = Vec::new();
    for body in [
        sign_in(MIA, "wrong horse"),
        sign_in("nobody@acme.example", PASSWORD),
        sign_in("tom@acme.example", PASSWORD),
        sign_in("", ""),
        json!({}),
        json!({ "email": MIA, "password": PASSWORD, "portalId": "999" }),
        json!({ "email": MIA, "password": PASSWORD, "portalId": "x" }),
        sign_in(&"m".repeat(400), PASSWORD),
        sign_in(MIA, &"x".repeat(2000)),
    ] {
        let reply = anybody.post(SESSION, body).await.expect(401);
        assert!(reply.cookies().is_empty());
        let mut told = reply.json();
        told["correlationId"] = Value::Null;
        answers.push(told);
    }
    assert!(answers.iter().all(|told| *told == answers[0]), "{answers:#?}");
    assert_eq!(answers[0]["category"], "INVALID_AUTHENTICATION");
}

#[tokio::test]
async fn who_tries_too_often_has_to_wait_and_whose_browser_is_known_has_not() {
    let desk = Desk::open().await;
    desk.portal.signed_in("AGENT").await;
    let anybody = desk.server.anybody();
    let begun = anybody.post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200);
    let all = begun.cookies();
    let browser = all.iter().find(|cookie| cookie.starts_with("antiphon_browser=")).unwrap();
    let known = anybody.clone().with("cookie", browser.split(';').next().unwrap());
    let wrong = sign_in(MIA, "wrong horse");
    let mut refused = 0;
    for _ in 0..12 {
        let reply = anybody.post(SESSION, wrong.clone()).await;
        refused += usize::from(reply.status == 429 && reply.header("retry-after") == Some("5"));
        assert!(matches!(reply.status, 401 | 429), "{}", reply.text());
    }
    assert!(refused >= 6, "{refused}");
    anybody.post(SESSION, sign_in(MIA, PASSWORD)).await.expect(429);
    known.post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200);
    desk.server.advance(HOUR);
    anybody.post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn nobody_is_given_a_session_that_somebody_else_knows() {
    let desk = Desk::open().await;
    let (victim, evil) = (desk.portal.signed_in("AGENT").await, desk.portal.colleague("Eve", "AGENT").await);
    // The browser has Eve's session when Mia signs in there.
    let begun = with(&evil, "").without("x-antiphon-csrf").without("origin");
    let planted = evil.get(SESSION).await.expect(200);
    drop(planted);
    let eves =
        cookie(&desk.server.anybody().post(SESSION, sign_in("eve@acme.example", PASSWORD)).await.expect(200))
            .unwrap();
    let reply = with(&begun, &eves).post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200);
    let mias = cookie(&reply).unwrap();
    assert_ne!(mias, eves);
    let anybody = desk.server.anybody();
    with(&anybody, &eves).get(SESSION).await.expect(401);
    assert_eq!(
        with(&anybody, &mias).get(SESSION).await.expect(200).json()["agent"]["actorId"],
        desk.portal.agent
    );
    // A cookie that somebody made up is none.
    for made_up in [
        "antiphon_session=1.AAAA",
        "antiphon_session=",
        &format!("antiphon_session={}.{}", desk.portal.id, "A".repeat(64)),
    ] {
        with(&anybody, made_up).get(SESSION).await.expect(401);
    }
    let (portal, rest) = mias.strip_prefix("antiphon_session=").unwrap().split_once('.').unwrap();
    let other = Desk::on(&desk.server).await;
    assert_ne!(portal, other.portal.id);
    with(&anybody, &format!("antiphon_session={}.{rest}", other.portal.id)).get(SESSION).await.expect(401);
    victim.get(SESSION).await.expect(200);
}

#[tokio::test]
async fn another_page_can_have_nothing_done() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("ADMIN").await;
    let thread = desk.chat("ines").await;
    let close = async |user: User| {
        let path = format!("{V3}/threads/{thread}");
        user.patch(&path, json!({ "status": "CLOSED" })).await
    };
    let plain = || user.clone();
    for (what, foreign) in [
        ("no header", plain().without("x-antiphon-csrf")),
        ("another's header", plain().without("x-antiphon-csrf").with("x-antiphon-csrf", "1.AAAA")),
        ("no origin", plain().without("origin")),
        ("another origin", plain().without("origin").with("origin", "https://evil.example")),
        ("no origin to speak of", plain().without("origin").with("origin", "null")),
        ("a neighbour", plain().with("sec-fetch-site", "same-site")),
        ("a stranger", plain().with("sec-fetch-site", "cross-site")),
    ] {
        let reply = close(foreign.clone()).await;
        assert_eq!((reply.status, &reply.json()["category"]), (403, &json!("FORBIDDEN")), "{what}");
        foreign.delete(SESSION).await.expect(403);
        foreign.post("/antiphon/v1/tokens", json!({ "label": "x" })).await.expect(403);
        // What only reads is answered: nobody but our own page can see it.
        foreign.get(&format!("{V3}/threads/{thread}")).await.expect(200);
    }
    let other = desk.portal.colleague("Tom", "ADMIN").await;
    let csrf = other.get(SESSION).await.expect(200).json();
    close(plain().without("x-antiphon-csrf").with("x-antiphon-csrf", &text(&csrf, "csrf"))).await.expect(403);
    close(plain()).await.expect(200);
    close(plain().without("origin").with("sec-fetch-site", "same-origin")).await.expect(200);
    // Nobody signs somebody in as somebody else.
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        desk.server.anybody().with(name, value).post(SESSION, sign_in(MIA, PASSWORD)).await.expect(403);
    }
    // A stream and a WebSocket are asked for by our own page only.
    let events = "/antiphon/v1/events";
    for (site, fine) in [("cross-site", false), ("same-site", false), ("same-origin", true)] {
        let user = plain().without("origin").without("x-antiphon-csrf").with("sec-fetch-site", site);
        assert_eq!(user.listens(events).await.is_ok(), fine, "{site}");
    }
    assert!(plain().without("origin").without("x-antiphon-csrf").listens(events).await.is_err());
    assert!(plain().without("origin").with("origin", "https://evil.example").listens(events).await.is_err());
    assert!(plain().listens(events).await.is_ok());
}

#[tokio::test]
async fn what_agents_do_is_said_to_be_theirs() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("AGENT").await;
    let (thread, me) = (desk.chat("ines").await, desk.portal.agent.clone());
    let messages = format!("{V3}/threads/{thread}/messages");
    let mut message = desk.on_chat("Hello");
    message.as_object_mut().unwrap().remove("senderActorId");
    let sent = user.post(&messages, message.clone()).await.expect(201).json();
    assert_eq!(sent["createdBy"], json!(me));
    assert_eq!(sent["client"], json!({ "clientType": "HUBSPOT" }));
    assert_eq!(sent["senders"][0], json!({ "actorId": me, "name": "Mia Chen" }));
    message["senderActorId"] = json!(me);
    user.post(&messages, message.clone()).await.expect(201);
    let tom = desk.make("agents", json!({ "name": "Tom" })).await;
    message["senderActorId"] = tom["actorId"].clone();
    assert_eq!(user.post(&messages, message).await.expect(400).problems(), ["senderActorId"]);
    let note = user.post(&messages, json!({ "type": "COMMENT", "text": "A note" })).await.expect(201).json();
    assert_eq!((&note["createdBy"], &note["senders"][0]["name"]), (&json!(me), &json!("Mia Chen")));
    let before = desk.position().await;
    user.patch(&format!("{V3}/threads/{thread}"), json!({ "status": "CLOSED" })).await.expect(200);
    user.put(&format!("{V3}/threads/{thread}/assignee"), json!({ "actorId": tom["actorId"] }))
        .await
        .expect(200);
    let portal = PortalId(desk.portal.id.parse().unwrap());
    let events = desk.server.app().store.events_after(portal, before, 10).await.unwrap();
    let source = format!("\"changeSource\":\"CRM_UI\",\"sourceId\":\"userId:{}\"", &me[2..]);
    assert_eq!(events.iter().filter(|event| event.payload.contains(&source)).count(), 2, "{events:#?}");
    let history = desk.history(&thread).await;
    let closed = history.iter().find(|entry| entry["newStatus"] == "CLOSED").unwrap();
    assert_eq!(closed["createdBy"], json!(me), "{}", told(closed));
    // Who makes an app by hand is its user.
    let admin = desk.portal.colleague("Ada", "ADMIN").await;
    let made = admin.post("/antiphon/v1/apps", json!({ "name": "Bridge" })).await.expect(201).json();
    let ada = admin.get(SESSION).await.expect(200).json();
    assert_eq!(made["userId"], ada["agent"]["id"]);
}

/// Which roles may call an operation, as its line in the table says.
fn may(role: Role, entry: Entry, also: Option<Scope>) -> bool {
    let has = |scope| role::scopes(role).contains(&scope);
    match entry {
        Entry::Scope(scope) => has(scope) || also.is_some_and(has),
        Entry::Owner | Entry::App => role == Role::Admin,
        Entry::Anyone | Entry::SignedIn | Entry::Open | Entry::Address => true,
        Entry::Visitor => false,
    }
}

#[tokio::test]
async fn each_role_reaches_what_it_may_and_nothing_else() {
    let desk = Desk::open().await;
    let routes = Routes::new().unwrap();
    let mut refused = [0; 3];
    for role in [Role::Admin, Role::Agent, Role::ReadOnly] {
        let name = format!("Agent{}", role as i64);
        let mut user = desk.portal.colleague(&name, role::name(role)).await;
        for mounted in routes.mounted() {
            for leaf in &mounted.leaves {
                let operation = leaf.operation;
                if matches!(operation.entry, Entry::Open | Entry::Address | Entry::Visitor) {
                    continue;
                }
                // Nothing has this id, and the app is the portal's.
                let path: Vec<String> = mounted
                    .template
                    .split('/')
                    .map(|part| match part {
                        "{appId}" => desk.portal.app.clone(),
                        part if part.starts_with('{') => "999999".into(),
                        part => part.to_owned(),
                    })
                    .collect();
                let query = if operation.entry == Entry::App {
                    format!("?appId={}", desk.portal.app)
                } else {
                    String::new()
                };
                let path = format!("{}{query}", path.join("/"));
                let reply = user.send(operation.verb.name(), &path, "{}").await;
                let open = may(role, operation.entry, operation.also);
                let is_closed = match operation.entry {
                    // Whose app it is does not show.
                    Entry::Owner => reply.status == 404 && reply.json()["category"] == "OBJECT_NOT_FOUND",
                    _ => reply.status == 403,
                };
                let what =
                    format!("{role:?} {} {path}: {} {}", operation.verb.name(), reply.status, reply.text());
                if open {
                    assert!(operation.entry == Entry::Owner || !is_closed, "{what}");
                } else {
                    assert!(is_closed, "{what}");
                    refused[role as usize - 1] += 1;
                }
                if operation.id == "session.end" {
                    user = desk.portal.colleague(&format!("{name}b"), role::name(role)).await;
                }
            }
        }
    }
    assert!(refused[0] > 20 && refused[0] < refused[1] && refused[1] < refused[2], "{refused:?}");
}

#[tokio::test]
async fn the_secret_turns_and_no_page_is_signed_out_by_it() {
    let desk = Desk::open().await;
    let first = desk.portal.signed_in("AGENT").await;
    assert!(cookie(&first.get(SESSION).await.expect(200)).is_none());
    desk.server.advance(HOUR);
    // Ten pages at once: one of them is given another secret, and the others go on.
    let replies = join_all((0..10).map(|_| first.get(SESSION))).await;
    let given: Vec<String> = replies.iter().filter_map(cookie).collect();
    assert!(replies.iter().all(|reply| reply.status == 200) && given.len() == 1, "{given:?}");
    // The answer was lost: another is given a minute later.
    assert!(cookie(&first.get(SESSION).await.expect(200)).is_none());
    desk.server.advance(MINUTE);
    let second = with(&first, &cookie(&first.get(SESSION).await.expect(200)).unwrap());
    with(&first, &given[0]).get(SESSION).await.expect(401);
    // Both pages come back with it, and what was under way with the old one is answered.
    let both = join_all([second.get(SESSION), second.get(SESSION), first.get(SESSION)]).await;
    assert!(both.iter().all(|reply| reply.status == 200 && cookie(reply).is_none()));
    let path = format!("{V3}/threads/{}", desk.chat("ines").await);
    second.patch(&path, json!({ "status": "CLOSED" })).await.expect(200);
    desk.server.advance(MINUTE - Duration::from_millis(1));
    first.get(SESSION).await.expect(200);
    desk.server.advance(Duration::from_millis(1));
    // Whoever still sends the old one has kept it: nobody goes on with this session.
    first.get(SESSION).await.expect(401);
    second.get(SESSION).await.expect(401);
}

#[tokio::test]
async fn a_session_ends_unused_and_in_the_end_anyway() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("AGENT").await;
    desk.server.advance(12 * HOUR - Duration::from_millis(1));
    let mut user = with(&user, &cookie(&user.get(SESSION).await.expect(200)).unwrap());
    for _ in 0..27 {
        user.get(SESSION).await.expect(200);
        desk.server.advance(12 * HOUR - Duration::from_millis(1));
        let Some(next) = cookie(&user.get(SESSION).await.expect(200)) else { panic!("none was given") };
        user = with(&user, &next);
    }
    desk.server.advance(Duration::from_millis(28));
    user.get(SESSION).await.expect(401);
    let user = desk.portal.signed_in("AGENT").await;
    desk.server.advance(12 * HOUR);
    user.get(SESSION).await.expect(401);
    let gone = antiphon::sessions::sweep::run(desk.server.app(), desk.server.now()).await.unwrap();
    assert_eq!(gone, 2);
}

#[tokio::test]
async fn who_is_deactivated_or_has_another_password_or_role_is_out_at_once() {
    let desk = Desk::open().await;
    let id = desk.portal.agent[2..].to_owned();
    let user = desk.portal.signed_in("AGENT").await;
    desk.edit(&format!("agents/{id}"), json!({ "active": false })).await;
    user.get(SESSION).await.expect(401);
    desk.edit(&format!("agents/{id}"), json!({ "active": true })).await;
    let user = desk.portal.signed_in("AGENT").await;
    let mut stream = user.listen("/antiphon/v1/events").await;
    stream.block().await.unwrap();
    let login = format!("/antiphon/v1/agents/{id}/login");
    desk.server.advance(Duration::from_millis(1));
    desk.portal
        .operator()
        .put(&login, json!({ "password": "another horse", "role": "AGENT" }))
        .await
        .expect(204);
    user.get(SESSION).await.expect(401);
    let end = loop {
        let event = stream.event().await.unwrap();
        if event.event == "cutOff" {
            break event;
        }
    };
    assert_eq!(end.data["reason"], "unauthorized");
    assert!(stream.block().await.is_none());
}

#[tokio::test]
async fn an_agent_sees_where_they_are_signed_in_and_signs_out_there() {
    let desk = Desk::open().await;
    let here = desk.portal.signed_in("AGENT").await;
    let anybody = desk.server.anybody().with("user-agent", "Firefox\u{7f}".trim_end_matches('\u{7f}'));
    let reply = anybody.post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200);
    let there = desk.server.anybody().in_session(&reply);
    let tom = desk.portal.colleague("Tom", "AGENT").await;
    let mut stream = there.listen("/antiphon/v1/events").await;
    stream.block().await.unwrap();
    let list = format!("{SESSION}/list");
    let shown = here.get(&list).await.expect(200).json();
    let all = shown["results"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    let other = all.iter().find(|one| one["current"] == false).unwrap();
    assert_eq!(other["browser"], "Firefox");
    let one = format!("{list}/{}", text(other, "id"));
    tom.delete(&one).await.expect(404);
    here.delete(&format!("{list}/nonsense")).await.expect(404);
    here.delete(&one).await.expect(204);
    there.get(SESSION).await.expect(401);
    // Whoever listened by it hears nothing more.
    while stream.event().await.unwrap().event != "cutOff" {}
    here.delete(&one).await.expect(404);
    let third =
        desk.server.anybody().in_session(&anybody.post(SESSION, sign_in(MIA, PASSWORD)).await.expect(200));
    here.delete(&format!("{SESSION}/others")).await.expect(204);
    third.get(SESSION).await.expect(401);
    here.get(SESSION).await.expect(200);
    tom.get(SESSION).await.expect(200);
}

#[tokio::test]
async fn agents_are_limited_by_themselves_and_generously() {
    let limited = |config: &mut antiphon::config::Config| {
        config.limits.enabled = true;
        config.limits.per_ten_seconds = 50;
        config.limits.agent_per_ten_seconds = 8;
    };
    let desk = Desk::on(&TestServer::configured(limited).await).await;
    let (mia, tom) = (desk.portal.signed_in("AGENT").await, desk.portal.colleague("Tom", "AGENT").await);
    let mut answered = 0;
    for _ in 0..12 {
        let reply = mia.get(SESSION).await;
        assert!(matches!(reply.status, 200 | 429), "{}", reply.text());
        assert_eq!(reply.header("x-hubspot-ratelimit-daily"), None);
        answered += usize::from(reply.status == 200);
    }
    assert_eq!(answered, 8);
    tom.get(SESSION).await.expect(200);
    desk.user.get(&format!("{V3}/threads")).await.expect(200);
}

#[tokio::test]
async fn no_token_is_an_agent_and_the_operator_is_none() {
    let desk = Desk::open().await;
    desk.user.get(SESSION).await.expect(403);
    desk.portal.operator().get(SESSION).await.expect(403);
    desk.server.anybody().get(SESSION).await.expect(401);
    let body = json!({ "label": "x", "scopes": ["antiphon.agent"] });
    assert_eq!(
        desk.portal.operator().post("/antiphon/v1/tokens", body.clone()).await.expect(400).problems(),
        ["scopes"]
    );
    let admin = desk.portal.signed_in("ADMIN").await;
    admin.post("/antiphon/v1/tokens", body).await.expect(400);
    let body = json!({ "label": "x", "scopes": ["antiphon.operator"] });
    admin.post("/antiphon/v1/tokens", body).await.expect(400);
    // A token that is sent is what counts, be it a bad one.
    admin.clone().with("authorization", "Bearer nonsense").get(SESSION).await.expect(401);
    admin.get(SESSION).await.expect(200);
}
