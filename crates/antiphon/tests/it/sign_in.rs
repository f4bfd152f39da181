//! How agents come to sign in: the first run, invitations, authenticators, and what is kept of who did what.

use std::time::Duration;

use antiphon::sessions::setup;
use antiphon_testkit::{PASSWORD, TestServer, User};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::kit::{Desk, text};

const OWN: &str = "/antiphon/v1";
const SESSION: &str = "/antiphon/v1/session";
const TOTP: &str = "/antiphon/v1/session/totp";
const MIA: &str = "mia@acme.example";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const STEP: Duration = Duration::from_secs(30);

/// What an operation needs that is about signing in: who calls, and with what.
pub async fn prepared(desk: &Desk, operation: &str) -> Option<(User, Value)> {
    let anybody = desk.server.anybody();
    let mia = desk.portal.agent[2..].to_owned();
    Some(match operation {
        "session.begin" => {
            desk.portal.signed_in("ADMIN").await;
            (anybody, json!({ "email": MIA, "password": PASSWORD, "portalId": desk.portal.id }))
        }
        "session.agent" => (desk.portal.signed_in("ADMIN").await, json!({ "name": "Mia C." })),
        "session.totp.enable" => {
            let user = desk.portal.signed_in("ADMIN").await;
            let secret = asked(&user).await;
            (user, json!({ "code": code(&secret, desk.server.now()) }))
        }
        "session.totp.disable" => (desk.portal.signed_in("ADMIN").await, json!({ "password": PASSWORD })),
        "agents.totp.reset" => (desk.portal.signed_in("ADMIN").await, Value::Null),
        "setup" => {
            let link = setup::link(desk.server.app()).await.unwrap().unwrap();
            let token = link.split_once("#token=").unwrap().1.to_owned();
            (
                anybody,
                json!({ "token": token, "name": "Ada", "email": "ada@acme.example", "password": PASSWORD }),
            )
        }
        "invitations.create" => (desk.user.clone(), json!({ "agentId": mia })),
        "invitations.revoke" => {
            invited(desk, json!({ "agentId": mia })).await;
            (desk.user.clone(), Value::Null)
        }
        "invitations.accept" => {
            let token = invited(desk, json!({ "agentId": mia })).await;
            (anybody, json!({ "token": token, "password": PASSWORD }))
        }
        _ => return None,
    })
}

/// An invitation's token.
async fn invited(desk: &Desk, body: Value) -> String {
    let made = desk.portal.operator().post(&format!("{OWN}/invitations"), body).await.expect(201).json();
    let url = text(&made, "url");
    let (page, token) = url.split_once("#token=").unwrap();
    assert!(page.ends_with("/inbox/invite"), "{url}");
    token.to_owned()
}

async fn asked(user: &User) -> Vec<u8> {
    let asked = user.post(TOTP, json!({})).await.expect(201).json();
    let secret = text(&asked, "secret");
    assert_eq!(
        text(&asked, "uri"),
        format!("otpauth://totp/Antiphon:mia%40acme%2Eexample?secret={secret}&issuer=Antiphon")
    );
    data(&secret)
}

/// Base 32, as authenticators read it.
fn data(text: &str) -> Vec<u8> {
    assert!(Secret::try_from_base32(text).is_ok());
    let value = |c: u8| {
        u32::try_from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == c).unwrap()).unwrap()
    };
    let bits: Vec<u32> = text.bytes().flat_map(|c| (0..5).rev().map(move |n| value(c) >> n & 1)).collect();
    bits.chunks_exact(8)
        .map(|byte| u8::try_from(byte.iter().fold(0, |sum, bit| sum << 1 | bit)).unwrap())
        .collect()
}

fn code(secret: &[u8], now: i64) -> String {
    let totp = Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(now / 1000).unwrap()).to_string()
}

fn sign_in(code: Option<&str>) -> Value {
    json!({ "email": MIA, "password": PASSWORD, "code": code })
}

#[tokio::test]
async fn the_first_administrator_is_made_by_the_printed_link_and_only_then() {
    let server = TestServer::start().await;
    let options = async || server.anybody().get(&format!("{OWN}/sign-in/options")).await.expect(200).json();
    assert_eq!(options().await, json!({ "setup": true, "demo": false }));
    let link = setup::link(server.app()).await.unwrap().unwrap();
    let (page, token) = link.split_once("#token=").unwrap();
    assert_eq!(page, "http://inbox.test/inbox/setup");
    let path = format!("{OWN}/setup");
    let body = |token: &str| json!({ "token": token, "portalName": "Acme", "name": "Ada", "email": "ada@acme.example", "password": PASSWORD });
    let anybody = server.anybody();
    for wrong in ["", "1.1.AAAA", &token[..token.len() - 2]] {
        assert_eq!(anybody.post(&path, body(wrong)).await.expect(400).problems(), ["token"]);
    }
    let short = json!({ "token": token, "name": "", "password": "short" });
    assert_eq!(anybody.post(&path, short).await.expect(400).problems(), ["name", "email", "password"]);
    let foreign = anybody.clone().with("origin", "https://evil.example");
    foreign.post(&path, body(token)).await.expect(403);
    let reply = anybody.post(&path, body(token)).await.expect(200);
    let shown = reply.json();
    assert_eq!((&shown["agent"]["role"], &shown["portal"]["name"]), (&json!("ADMIN"), &json!("Acme")));
    let ada = anybody.clone().in_session(&reply);
    ada.post(&format!("{OWN}/inboxes"), json!({ "name": "Support" })).await.expect(201);
    anybody.post(&path, body(token)).await.expect(400);
    assert_eq!(options().await["setup"], false);
    assert_eq!(setup::link(server.app()).await.unwrap(), None);
    let noted = ada.get(&format!("{OWN}/audit?action=setup")).await.expect(200).json();
    assert_eq!(noted["results"][0]["actor"], "setup");
    // Where there is a portal already, it is that one; and a link is good for a day.
    let late = Desk::open().await;
    let link = setup::link(late.server.app()).await.unwrap().unwrap();
    late.server.advance(DAY);
    let token = link.split_once("#token=").unwrap().1;
    late.server.anybody().post(&path, body(token)).await.expect(400);
    let link = setup::link(late.server.app()).await.unwrap().unwrap();
    let reply =
        late.server.anybody().post(&path, body(link.split_once("#token=").unwrap().1)).await.expect(200);
    assert_eq!(reply.json()["portal"]["id"], json!(late.portal.id));
}

#[tokio::test]
async fn an_invitation_is_good_once_for_a_week_and_for_whom_it_is() {
    let desk = Desk::open().await;
    let anybody = desk.server.anybody();
    let accept = format!("{OWN}/invitations/accept");
    let take =
        async |token: &str| anybody.post(&accept, json!({ "token": token, "password": PASSWORD })).await;
    let token =
        invited(&desk, json!({ "name": "Tom", "email": "tom@acme.example", "role": "READ_ONLY" })).await;
    let listed = desk.user.get(&format!("{OWN}/invitations")).await.expect(200).json();
    assert_eq!(
        (&listed["results"][0]["name"], &listed["results"][0]["role"]),
        (&json!("Tom"), &json!("READ_ONLY"))
    );
    assert!(!listed.to_string().contains("token"), "{listed}");
    // Whoever was invited cannot sign in before, least of all without a password.
    for password in ["", PASSWORD] {
        anybody.post(SESSION, json!({ "email": "tom@acme.example", "password": password })).await.expect(401);
    }
    let other = Desk::on(&desk.server).await;
    let elsewhere = token.replacen(&desk.portal.id, &other.portal.id, 1);
    let (rest, _) = token.rsplit_once('.').unwrap();
    for forged in
        ["", "1", "a.b.c", &elsewhere, &format!("{rest}."), &format!("{rest}.0000"), &"9".repeat(5000)]
    {
        assert_eq!(take(forged).await.expect(400).problems(), ["token"], "{forged}");
    }
    anybody.clone().with("sec-fetch-site", "cross-site").post(&accept, json!({})).await.expect(403);
    let tom = take(&token).await.expect(200);
    assert_eq!(tom.json()["agent"]["role"], "READ_ONLY");
    anybody.clone().in_session(&tom).get(SESSION).await.expect(200);
    take(&token).await.expect(400);
    assert_eq!(desk.user.get(&format!("{OWN}/invitations")).await.expect(200).json()["results"], json!([]));
    // The next link ends the one before, a revoked one is none, and each ends by itself.
    let mia = json!({ "agentId": desk.portal.agent[2..], "role": "AGENT" });
    let first = invited(&desk, mia.clone()).await;
    let second = invited(&desk, mia.clone()).await;
    take(&first).await.expect(400);
    let path = format!("{OWN}/invitations/{}", &desk.portal.agent[2..]);
    desk.user.delete(&path).await.expect(204);
    desk.user.delete(&path).await.expect(404);
    take(&second).await.expect(400);
    let third = invited(&desk, mia.clone()).await;
    desk.server.advance(7 * DAY);
    take(&third).await.expect(400);
    let fourth = invited(&desk, mia.clone()).await;
    desk.edit(&format!("agents/{}", &desk.portal.agent[2..]), json!({ "active": false })).await;
    take(&fourth).await.expect(400);
    desk.user.post(&format!("{OWN}/invitations"), mia).await.expect(400);
    for wrong in [
        json!({}),
        json!({ "agentId": 999 }),
        json!({ "name": "X", "email": "x@acme.example", "role": "ROOT" }),
    ] {
        desk.user.post(&format!("{OWN}/invitations"), wrong).await.expect(400);
    }
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_and_ends_what_was_begun_with_it() {
    let desk = Desk::open().await;
    let before = desk.portal.signed_in("AGENT").await;
    let token = invited(&desk, json!({ "agentId": desk.portal.agent[2..] })).await;
    before.get(SESSION).await.expect(200);
    let body = json!({ "token": token, "password": "another horse", "name": "Mia C." });
    let reply = desk.server.anybody().post(&format!("{OWN}/invitations/accept"), body).await.expect(200);
    assert_eq!(
        (&reply.json()["agent"]["name"], &reply.json()["agent"]["role"]),
        (&json!("Mia C."), &json!("AGENT"))
    );
    before.get(SESSION).await.expect(401);
    desk.server.anybody().post(SESSION, sign_in(None)).await.expect(401);
}

#[tokio::test]
async fn agents_change_what_is_theirs_and_another_password_ends_every_other_session() {
    let desk = Desk::open().await;
    let (here, there) = (desk.portal.signed_in("AGENT").await, {
        let reply = desk.server.anybody().post(SESSION, sign_in(None)).await;
        desk.server.anybody().in_session(&reply)
    });
    let (path, tom) = (format!("{SESSION}/agent"), desk.portal.colleague("Tom", "READ_ONLY").await);
    // Setting the password again had ended the first session.
    let here = if here.get(SESSION).await.status == 200 { here } else { there.clone() };
    let named = here
        .patch(&path, json!({ "name": "Mia C.", "avatar": "https://a.example/b.png" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&named["agent"]["name"], &named["agent"]["avatar"]),
        (&json!("Mia C."), &json!("https://a.example/b.png"))
    );
    assert_eq!(tom.get(SESSION).await.expect(200).json()["agent"]["name"], "Tom");
    let change = |old: &str, new: &str| json!({ "password": { "old": old, "new": new } });
    assert_eq!(
        here.patch(&path, change("wrong", "another horse")).await.expect(400).problems(),
        ["password"]
    );
    assert_eq!(here.patch(&path, change(PASSWORD, "short")).await.expect(400).problems(), ["password"]);
    let reply = here.patch(&path, change(PASSWORD, "another horse")).await.expect(200);
    let fresh = desk.server.anybody().in_session(&reply);
    fresh.get(SESSION).await.expect(200);
    here.get(SESSION).await.expect(401);
    there.get(SESSION).await.expect(401);
    tom.get(SESSION).await.expect(200);
}

#[tokio::test]
async fn a_code_is_asked_for_and_works_once() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("AGENT").await;
    let anybody = desk.server.anybody();
    user.put(TOTP, json!({ "code": "000000" })).await.expect(400);
    let secret = asked(&user).await;
    assert_eq!(user.put(TOTP, json!({ "code": "12345" })).await.expect(400).problems(), ["code"]);
    anybody.post(SESSION, sign_in(None)).await.expect(200);
    let first = code(&secret, desk.server.now());
    let codes = user.put(TOTP, json!({ "code": first })).await.expect(200).json();
    let codes: Vec<&str> =
        codes["recoveryCodes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(codes.len(), 10);
    user.post(TOTP, json!({})).await.expect(409);
    let asked = anybody.post(SESSION, sign_in(None)).await.expect(401);
    assert_eq!(asked.json()["context"], json!({ "totp": ["required"] }));
    assert!(asked.cookies().is_empty());
    // The wrong password does not tell that a code is needed.
    let wrong = anybody.post(SESSION, json!({ "email": MIA, "password": "wrong horse" })).await.expect(401);
    assert_eq!(wrong.json().get("context"), None);
    // The code that enabled it is used up; the next one works, once, however many send it.
    anybody.post(SESSION, sign_in(Some(&first))).await.expect(401);
    desk.server.advance(STEP);
    let next = code(&secret, desk.server.now());
    let all =
        futures_util::future::join_all((0..3).map(|_| anybody.post(SESSION, sign_in(Some(&next))))).await;
    assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 1);
    anybody.post(SESSION, sign_in(Some(&next))).await.expect(401);
    desk.server.advance(3 * STEP);
    anybody.post(SESSION, sign_in(Some(&next))).await.expect(401);
    // So does each of the others.
    anybody.post(SESSION, sign_in(Some(&codes[0].to_lowercase()))).await.expect(200);
    anybody.post(SESSION, sign_in(Some(codes[0]))).await.expect(401);
    anybody.post(SESSION, sign_in(Some(codes[1]))).await.expect(200);
    // A link to choose a password is no way around it.
    let token = invited(&desk, json!({ "agentId": desk.portal.agent[2..] })).await;
    let accept = format!("{OWN}/invitations/accept");
    let body = json!({ "token": token, "password": PASSWORD });
    anybody.post(&accept, body.clone()).await.expect(401);
    let mut body = body;
    body["code"] = json!(codes[2]);
    anybody.post(&accept, body).await.expect(200);
}

#[tokio::test]
async fn codes_are_not_guessed_and_who_has_lost_the_authenticator_is_helped() {
    let desk = Desk::open().await;
    let user = desk.portal.signed_in("AGENT").await;
    let anybody = desk.server.anybody();
    let secret = asked(&user).await;
    user.put(TOTP, json!({ "code": code(&secret, desk.server.now()) })).await.expect(200);
    let mut limited = 0;
    for guess in 0..12 {
        let reply = anybody.post(SESSION, sign_in(Some(&format!("{guess:06}")))).await;
        assert!(matches!(reply.status, 401 | 429), "{}", reply.text());
        limited += usize::from(reply.status == 429);
    }
    assert!(limited >= 6, "{limited}");
    // The right one has to wait, too.
    desk.server.advance(STEP);
    desk.server.advance(Duration::from_secs(3600));
    anybody.post(SESSION, sign_in(Some(&code(&secret, desk.server.now())))).await.expect(200);
    let user = desk.server.anybody();
    desk.server.advance(STEP);
    let reply = user.post(SESSION, sign_in(Some(&code(&secret, desk.server.now())))).await.expect(200);
    let user = user.in_session(&reply);
    let off =
        async |password: &str| user.send("DELETE", TOTP, json!({ "password": password }).to_string()).await;
    off("wrong horse").await.expect(400);
    off(PASSWORD).await.expect(204);
    anybody.post(SESSION, sign_in(None)).await.expect(200);
    let secret = asked(&user).await;
    desk.server.advance(STEP);
    user.put(TOTP, json!({ "code": code(&secret, desk.server.now()) })).await.expect(200);
    anybody.post(SESSION, sign_in(None)).await.expect(401);
    let path = format!("{OWN}/agents/{}/totp", &desk.portal.agent[2..]);
    user.delete(&path).await.expect(403);
    desk.user.delete(&path).await.expect(204);
    anybody.post(SESSION, sign_in(None)).await.expect(200);
    desk.user.delete(&format!("{OWN}/agents/999/totp")).await.expect(404);
}

#[tokio::test]
async fn what_administrators_do_is_noted_with_who_and_without_secrets() {
    let desk = Desk::open().await;
    let ada = desk.portal.colleague("Ada", "ADMIN").await;
    let me = text(&ada.get(SESSION).await.expect(200).json()["agent"], "actorId");
    let inbox = ada.post(&format!("{OWN}/inboxes"), json!({ "name": "Care" })).await.expect(201).json();
    let path = format!("{OWN}/inboxes/{}", text(&inbox, "id"));
    ada.patch(&path, json!({ "name": "Careful" })).await.expect(200);
    // What changes nothing is nothing.
    ada.patch(&path, json!({ "name": "Careful" })).await.expect(200);
    let token = ada.post(&format!("{OWN}/tokens"), json!({ "label": "Importer" })).await.expect(201).json();
    ada.delete(&format!("{OWN}/tokens/{}", text(&token, "id"))).await.expect(204);
    let all = ada.get(&format!("{OWN}/audit?actor={me}")).await.expect(200).json();
    let told: Vec<&str> =
        all["results"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    // Time stands still; what happened within one moment is in the order of the directory's revisions.
    for action in
        ["session.begin", "own.inboxes.create", "own.inboxes.update", "tokens.create", "tokens.revoke"]
    {
        assert_eq!(told.iter().filter(|one| **one == action).count(), 1, "{action}: {told:?}");
    }
    let order: Vec<&&str> =
        told.iter().filter(|one| one.starts_with("tokens") || one.starts_with("own")).collect();
    assert_eq!(order, [&"tokens.revoke", &"tokens.create", &"own.inboxes.update", &"own.inboxes.create"]);
    let update = format!("{OWN}/audit?actor={me}&action=own.inboxes.update");
    let update = ada.get(&update).await.expect(200).json()["results"][0].clone();
    assert_eq!(
        update["changes"],
        json!([{ "object": "INBOX", "id": inbox["id"], "before": { "name": "Care" }, "after": { "name": "Careful" } }])
    );
    assert_eq!(update["at"], "2026-03-01T08:00:00.000Z");
    let everything = ada.get(&format!("{OWN}/audit?limit=500")).await.expect(200).text();
    assert!(
        everything.contains("\"operator\"") && everything.contains(&format!("I-{}", desk.portal.app))
            || everything.contains("\"operator\"")
    );
    for secret in ["argon2", &text(&token, "token"), PASSWORD] {
        assert!(!everything.contains(secret), "{secret}");
    }
    // Page by page it is the same.
    let whole = ada.get(&format!("{OWN}/audit?limit=500")).await.expect(200).json()["results"].clone();
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let page = ada.get(&format!("{OWN}/audit?limit=2{after}")).await.expect(200).json();
        pages.extend(page["results"].as_array().unwrap().clone());
        let Some(next) = page["paging"]["next"]["after"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(json!(pages), whole);
    for wrong in ["after=x", "after=ffff", &format!("actor={}", "x".repeat(200))] {
        ada.get(&format!("{OWN}/audit?{wrong}")).await.expect(400);
    }
    // Other portals have their own, and it is not kept for ever.
    let other = Desk::on(&desk.server).await;
    let theirs = other.user.get(&format!("{OWN}/audit?limit=500")).await.expect(200).text();
    assert!(!theirs.contains("Careful") && !theirs.contains("Importer"), "{theirs}");
    assert_eq!(antiphon::audit::sweep(desk.server.app(), desk.server.now()).await.unwrap(), 0);
    desk.server.advance(400 * DAY + Duration::from_millis(1));
    assert!(antiphon::audit::sweep(desk.server.app(), desk.server.now()).await.unwrap() > 5);
    let left = desk.user.get(&format!("{OWN}/audit")).await.expect(200).json();
    assert_eq!(left["results"], json!([]));
}

#[tokio::test]
async fn administrators_see_how_agents_sign_in_and_change_what_they_may_do() {
    let desk = Desk::open().await;
    let ada = desk.portal.colleague("Ada", "ADMIN").await;
    let tom = desk.portal.colleague("Tom", "AGENT").await;
    let me = ada.get(SESSION).await.expect(200).json()["agent"].clone();
    assert_eq!(
        (&me["password"], &me["totp"], &me["recoveryCodes"]),
        (&json!(true), &json!(false), &json!(0))
    );
    let of = async |user: &User, id: &str| {
        let all = user.get(&format!("{OWN}/agents")).await.expect(200).json();
        all["results"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["login"].clone()
    };
    let (own, other) = (text(&me, "id"), text(&tom.get(SESSION).await.expect(200).json()["agent"], "id"));
    let admin = json!({ "role": "ADMIN", "password": true, "totp": false, "elsewhere": false });
    assert_eq!(of(&ada, &own).await, admin);
    assert_eq!(of(&desk.user, &own).await, admin);
    // Colleagues are told names, and not this.
    assert_eq!(of(&tom, &own).await, Value::Null);

    let made = json!({ "name": "Eve", "email": "eve@acme.example", "role": "READ_ONLY" });
    let made = ada.post(&format!("{OWN}/invitations"), made).await.expect(201).json();
    let eve = of(&ada, &text(&made, "agentId")).await;
    assert_eq!((&eve["role"], &eve["password"]), (&json!("READ_ONLY"), &json!(false)));
    assert_eq!(eve["invitedUntil"], made["expiresAt"]);

    // The portal is theirs to name, and no more of it.
    let portal = json!({ "name": "Acme Harbour", "timeZone": "Europe/Lisbon", "quota": { "messages": 1 } });
    let portal = ada.patch(&format!("{OWN}/portal"), portal).await.expect(200).json();
    assert_eq!((&portal["name"], &portal["quota"]["messages"]), (&json!("Acme Harbour"), &Value::Null));
    assert_eq!(tom.get(SESSION).await.expect(200).json()["portal"]["timeZone"], "Europe/Lisbon");
    ada.patch(&format!("{OWN}/portal"), json!({ "name": " ", "timeZone": "Moon/Sea" })).await.expect(400);
    tom.patch(&format!("{OWN}/portal"), json!({ "name": "Toms" })).await.expect(403);

    let login = |id: &str| format!("{OWN}/agents/{id}/login");
    // A role changes without a password, and whoever is signed in goes on with it.
    ada.put(&login(&other), json!({ "role": "ADMIN" })).await.expect(204);
    assert_eq!(tom.get(SESSION).await.expect(200).json()["agent"]["role"], "ADMIN");
    tom.put(&login(&own), json!({ "role": "READ_ONLY" })).await.expect(204);
    ada.get(&format!("{OWN}/audit")).await.expect(403);
    // Who cannot sign in needs a password first.
    let bea = json!({ "name": "Bea", "email": "bea@acme.example" });
    let bea = text(&tom.post(&format!("{OWN}/agents"), bea).await.expect(201).json(), "id");
    tom.put(&login(&bea), json!({ "role": "AGENT" })).await.expect(400);
    tom.put(&login(&bea), json!({})).await.expect(400);
    tom.put(&login("999"), json!({ "role": "AGENT" })).await.expect(404);
}

#[tokio::test]
async fn whoever_is_meant_in_several_portals_chooses_and_nobody_else_learns_which() {
    let one = Desk::open().await;
    let (two, three) = (Desk::on(&one.server).await, Desk::on(&one.server).await);
    one.portal.signed_in("ADMIN").await;
    let anybody = one.server.anybody();
    let body = |password: &str, portal: Option<&str>| json!({ "email": MIA, "password": password, "portalId": portal });
    // In one portal there is nothing to choose, whoever else has the address elsewhere.
    let alone = anybody.post(SESSION, body(PASSWORD, None)).await.expect(200).json();
    assert_eq!(alone["portal"]["id"], json!(one.portal.id));
    two.portal.signed_in("AGENT").await;
    let login = json!({ "password": "quite another one", "role": "AGENT" });
    let path = format!("{OWN}/agents/{}/login", &three.portal.agent[2..]);
    three.portal.operator().put(&path, login).await.expect(204);
    let told = anybody.post(SESSION, body(PASSWORD, None)).await.expect(409);
    assert!(told.cookies().is_empty(), "{:?}", told.cookies());
    let told = told.json();
    assert_eq!((&told["category"], &told["subCategory"]), (&json!("CONFLICT"), &json!("SEVERAL_PORTALS")));
    assert_eq!(told["context"]["portalId"], json!([one.portal.id, two.portal.id]));
    assert_eq!(told["context"]["name"], json!(["Acme", "Acme"]));
    for (desk, role) in [(&one, "ADMIN"), (&two, "AGENT")] {
        let chosen = anybody.post(SESSION, body(PASSWORD, Some(&desk.portal.id))).await.expect(200).json();
        assert_eq!(
            (&chosen["portal"]["id"], &chosen["agent"]["role"]),
            (&json!(desk.portal.id), &json!(role))
        );
    }
    let third = anybody.post(SESSION, body("quite another one", None)).await.expect(200).json();
    assert_eq!(third["portal"]["id"], json!(three.portal.id));
    // Whoever does not know the password learns nothing of portals, however often they try.
    let mut last = 401;
    for _ in 0..7 {
        let refused = anybody.post(SESSION, body("wrong horse", None)).await;
        assert!(
            !refused.text().contains("portalId") && !refused.text().contains("Acme"),
            "{}",
            refused.text()
        );
        last = refused.status;
    }
    assert_eq!(last, 429);
}
