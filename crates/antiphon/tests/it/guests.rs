//! Apps in portals that they do not belong to: what they are told, what they may do there, and what they never see.

use std::time::Duration;

use antiphon::journal::write::Writer;
use antiphon_store::{AppId, PortalId, Told};
use antiphon_testkit::{Reaction, Teller, TestReceiver, TestServer, User};
use serde_json::{Value, json};

use crate::custom_channels::{BASE, phone};
use crate::deliveries::{Steps, events};
use crate::installs::{Public, install, uninstall};
use crate::journal::{JOURNAL, LOCAL, SNAPSHOTS, SUBSCRIPTIONS, files, told};
use crate::kit::{Desk, V3, ids, text};

const SCOPES: &[&str] =
    &["oauth", "conversations.read", "conversations.write", "conversations.custom_channels.write"];

/// An app at home, and another portal that has let it in.
struct Guest {
    public: Public,
    here: Desk,
    token: User,
    refresh: String,
}

impl Guest {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let public = Public::on(&server).await;
        let here = Desk::on(&server).await;
        // Its threads have other numbers than those of the app's home.
        for visitor in ["a", "b", "c"] {
            here.chat(visitor).await;
        }
        let given = install(&here, &public.app, SCOPES).await;
        assert_eq!(given["hub_id"].to_string(), here.portal.id);
        let token = server.user(&text(&given, "access_token"));
        Self { refresh: text(&given, "refresh_token"), public, here, token }
    }

    /// What the receiver was told: portals and objects.
    async fn told(&self, receiver: &TestReceiver, wanted: &[(&Desk, &str)]) {
        let mut wanted: Vec<_> =
            wanted.iter().map(|(desk, id)| (desk.portal.id.clone(), (*id).to_owned())).collect();
        wanted.sort();
        let heard = || {
            let mut heard: Vec<_> = events(&receiver.received())
                .iter()
                .map(|event| (event["portalId"].to_string(), event["objectId"].to_string()))
                .collect();
            heard.sort();
            heard.dedup();
            heard
        };
        for _ in 0..500 {
            if heard() == wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert_eq!(heard(), wanted);
    }

    async fn refreshed(&self) -> Value {
        let body = json!({ "grant_type": "refresh_token", "refresh_token": self.refresh,
                           "client_id": self.public.client, "client_secret": self.public.secret });
        self.here.server.anybody().post("/oauth/v3/token", body).await.json()
    }
}

#[tokio::test]
async fn a_guest_acts_where_it_was_let_in_and_nowhere_else() {
    let guest = Guest::new().await;
    let (public, here, token) = (&guest.public, &guest.here, &guest.token);
    let there = public.desk.chat("at home").await;
    let thread = here.chat("guest").await;
    assert_ne!(there, thread);
    let seen = token.get(&format!("{V3}/threads")).await.expect(200).json();
    assert_eq!(seen["results"].as_array().unwrap().len(), 4, "those of the portal that has let it in");
    token.get(&format!("{V3}/threads/{thread}")).await.expect(200);
    let details = token.get("/account-info/v3/details").await.expect(200).json();
    assert_eq!(details["portalId"].to_string(), here.portal.id);
    // Its name is that of its home, alone and among others.
    let actor = format!("I-{}", public.app);
    assert_eq!(token.get(&format!("{V3}/actors/{actor}")).await.expect(200).json()["name"], "Relay");
    let batch = here
        .user
        .post(&format!("{V3}/actors/batch/read"), json!({ "inputs": [actor] }))
        .await
        .expect(200)
        .json();
    assert_eq!(batch["results"][0]["name"], "Relay");
    // The portal's administrators see what they need, and change nothing about it.
    let shown = here.user.get(&format!("/antiphon/v1/apps/{}/oauth", public.app)).await.expect(200).json();
    assert_eq!((text(&shown, "clientId"), &shown["installed"]), (public.client.clone(), &json!(true)));
    for (method, path, body) in [
        ("GET", "", json!({})),
        ("PATCH", "", json!({ "name": "Mine" })),
        ("POST", "/rotate-secret", json!({})),
        ("PATCH", "/oauth", json!({ "scopes": ["oauth"] })),
        ("POST", "/webhook/pause", json!({})),
    ] {
        let path = format!("/antiphon/v1/apps/{}{path}", public.app);
        let reply = here.user.send(method, &path, body.to_string()).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text());
    }
    let mine = json!({ "label": "x", "appId": public.app, "scopes": ["conversations.read"] });
    here.user.post("/antiphon/v1/tokens", mine).await.expect(400);
    let listed = here.user.get("/antiphon/v1/apps").await.expect(200).json();
    assert!(!ids(&listed).contains(&public.app));
    // Somebody whom nobody has let in is not known at all.
    let stranger = text(&public.desk.make("apps", json!({ "name": "Stranger" })).await, "id");
    here.user.get(&format!("{V3}/actors/I-{stranger}")).await.expect(404);
    here.user.delete(&format!("/antiphon/v1/apps/{stranger}/install")).await.expect(404);

    // What is so at home is so here from the next request on.
    public.desk.edit(&format!("apps/{}", public.app), json!({ "name": "Relay two", "active": false })).await;
    assert_eq!(token.get(&format!("{V3}/threads")).await.expect(403).json()["category"], "BANNED");
    assert_eq!(guest.refreshed().await["status"], "BAD_CLIENT_ID");
    public.desk.edit(&format!("apps/{}", public.app), json!({ "active": true })).await;
    let again = guest.refreshed().await;
    assert_eq!((&again["hub_id"].to_string(), &again["scopes"]), (&here.portal.id, &json!(SCOPES)));
    let info =
        here.server.anybody().get(&format!("/oauth/v1/access-tokens/{}", text(&again, "access_token"))).await;
    let info = info.expect(200).json();
    assert_eq!(
        (info["hub_id"].to_string(), info["app_id"].to_string()),
        (here.portal.id.clone(), public.app.clone())
    );

    uninstall(here, &public.app).await;
    assert_eq!(token.get(&format!("{V3}/threads")).await.expect(403).json()["category"], "BANNED");
    assert_eq!(guest.refreshed().await["status"], "BAD_REFRESH_TOKEN");
    let named = here.user.get(&format!("{V3}/actors/{actor}")).await.expect(200).json();
    assert_eq!(named["name"], "Relay two", "what it did keeps its name");
}

#[tokio::test]
async fn what_an_app_wants_is_said_at_home_whichever_portal_its_token_is_for() {
    let guest = Guest::new().await;
    let (public, token) = (&guest.public, &guest.token);
    let settings = token.get(&format!("/webhooks/v3/{}/settings", public.app)).await.expect(200).json();
    assert_eq!(settings["targetUrl"], public.receiver.url("/hook"));
    let one = json!({ "eventType": "conversation.creation", "active": false });
    token.post(&format!("/webhooks/v3/{}/subscriptions", public.app), one).await.expect(201);
    assert_eq!(
        public.owner("GET", "/subscriptions", json!({})).await["results"].as_array().unwrap().len(),
        1
    );
    let channel = json!({ "name": "Harbour SMS", "capabilities": {} });
    let channel = text(&token.post(&format!("{BASE}/"), channel).await.expect(201).json(), "id");
    public.desk.get(&format!("/channels/{channel}")).await.expect(200);
}

#[tokio::test]
async fn a_guest_is_told_of_the_portals_that_have_let_it_in() {
    let guest = Guest::new().await;
    let (public, here) = (&guest.public, &guest.here);
    let teller = Teller::start(&here.server);
    here.chat("before").await;
    here.server.advance(Duration::from_millis(1));
    public.subscribe("conversation.creation").await;
    let receiver = &public.receiver;
    let first = here.chat("first").await;
    public.desk.chat("not let in at home").await;
    guest.told(receiver, &[(here, &first)]).await;

    // In two portals, each has its own place in what happened.
    install(&public.desk, &public.app, SCOPES).await;
    let at_home = public.desk.chat("at home").await;
    let second = here.chat("second").await;
    guest.told(receiver, &[(here, &first), (here, &second), (&public.desk, &at_home)]).await;
    let signed = receiver.received();
    assert!(signed.iter().all(|request| !request.header("x-hubspot-signature-v3").is_empty()));

    uninstall(here, &public.app).await;
    here.chat("meanwhile").await;
    let still = public.desk.chat("still").await;
    guest
        .told(receiver, &[(here, &first), (here, &second), (&public.desk, &at_home), (&public.desk, &still)])
        .await;
    here.server.advance(Duration::from_millis(1));
    install(here, &public.app, SCOPES).await;
    let third = here.chat("third").await;
    guest
        .told(
            receiver,
            &[
                (here, &first),
                (here, &second),
                (here, &third),
                (&public.desk, &at_home),
                (&public.desk, &still),
            ],
        )
        .await;

    // Switched off and on again, it is told of nothing in between, wherever it is.
    let subscription = text(&public.owner("GET", "/subscriptions", json!({})).await["results"][0], "id");
    let path = format!("/subscriptions/{subscription}");
    public.owner("PATCH", &path, json!({ "active": false })).await;
    let before = receiver.received().len();
    here.chat("off").await;
    here.server.advance(Duration::from_millis(1));
    public.owner("PATCH", &path, json!({ "active": true })).await;
    let on = here.chat("on").await;
    let all = [
        (here, &*first),
        (here, &*second),
        (here, &*third),
        (here, &*on),
        (&public.desk, &*at_home),
        (&public.desk, &*still),
    ];
    guest.told(receiver, &all).await;
    assert_eq!(receiver.received().len(), before + 1);
    teller.stop().await;
}

#[tokio::test]
async fn a_channel_has_accounts_in_the_portals_that_have_let_its_app_in() {
    let guest = Guest::new().await;
    let (public, here, token) = (&guest.public, &guest.here, &guest.token);
    let receiver = TestReceiver::start().await;
    let teller = Teller::start(&here.server);
    let query = format!("?appId={}&hapikey={}", public.app, public.key);
    let made = json!({ "name": "Harbour SMS", "capabilities": {}, "webhookUrl": receiver.url("/events"),
                       "channelAccountConnectionRedirectUrl": "https://app.example/connect" });
    let anybody = here.server.anybody();
    let made = anybody.send("POST", &format!("{BASE}/{query}"), made.to_string()).await.expect(201).json();
    let channel = text(&made, "id");
    let accounts = format!("{BASE}/{channel}/channel-accounts");
    let account = json!({ "name": "Harbour", "inboxId": here.portal.inbox, "deliveryIdentifier": phone("+4940555012") });
    let account = text(&token.post(&accounts, account).await.expect(201).json(), "id");
    let heard = receiver.wait_for(1).await[0].json();
    assert_eq!(
        (&heard["type"], &heard["portalId"]),
        (&json!("CHANNEL_ACCOUNT_CREATED"), &json!(here.portal.id))
    );

    // It is where all accounts and channels are, of this portal and of no other.
    assert_eq!(token.get(&accounts).await.expect(200).json()["total"], 1);
    here.get(&format!("/channel-accounts/{account}")).await.expect(200);
    here.get(&format!("/channels/{channel}")).await.expect(200);
    let stranger = Desk::on(&here.server).await;
    stranger.get(&format!("/channels/{channel}")).await.expect(404);
    stranger.user.get(&accounts).await.expect(404);
    let at_home = install(&public.desk, &public.app, SCOPES).await;
    let at_home = here.server.user(&text(&at_home, "access_token"));
    assert_eq!(at_home.get(&accounts).await.expect(200).json()["total"], 0);
    at_home.get(&format!("{accounts}/{account}")).await.expect(404);

    // Both ways.
    let said = json!({ "channelAccountId": account, "messageDirection": "INCOMING", "text": "Is berth 4 free?",
                       "integrationThreadId": "t1", "senders": [{ "deliveryIdentifier": phone("+31205550178") }] });
    at_home.post(&format!("{BASE}/{channel}/messages"), said.clone()).await.expect(400);
    let said = token.post(&format!("{BASE}/{channel}/messages"), said).await.expect(201).json();
    let thread = text(&said, "conversationsThreadId");
    assert_eq!(here.thread(&thread).await["originalChannelId"], json!(channel));
    let answer = json!({ "type": "MESSAGE", "text": "Yes", "senderActorId": here.portal.agent,
                         "channelId": channel, "channelAccountId": account });
    let answer = here.post(&format!("/threads/{thread}/messages"), answer).await.expect(201).json();
    let heard = receiver.wait_for(2).await[1].json();
    assert_eq!(
        (&heard["type"], &heard["portalId"], &heard["message"]["id"], &heard["channelIntegrationThreadIds"]),
        (&json!("OUTGOING_CHANNEL_MESSAGE_CREATED"), &json!(here.portal.id), &answer["id"], &json!(["t1"]))
    );
    let message = format!("{BASE}/{channel}/messages/{}", text(&answer, "id"));
    assert_eq!(
        token.patch(&message, json!({ "statusType": "READ" })).await.expect(200).json()["status"]["statusType"],
        "READ"
    );
    at_home.get(&message).await.expect(404);

    // From the inbox settings.
    let user: i64 = here.portal.agent.trim_start_matches("A-").parse().unwrap();
    let begun = here
        .make(&format!("channels/{channel}/connect"), json!({ "inboxId": here.portal.inbox, "userId": user }))
        .await;
    assert!(text(&begun, "location").contains(&format!("portalId={}", here.portal.id)));
    let staging = format!("{BASE}/{channel}/channel-account-staging-tokens/{}", text(&begun, "accountToken"));
    at_home.patch(&staging, json!({ "accountName": "Theirs" })).await.expect(404);
    token
        .patch(&staging, json!({ "accountName": "Pier", "deliveryIdentifier": phone("+4940555013") }))
        .await
        .expect(200);
    assert_eq!(token.get(&accounts).await.expect(200).json()["total"], 2);

    // What becomes of it at home is so here.
    anybody.send("DELETE", &format!("{BASE}/{channel}{query}"), "").await.expect(204);
    token.get(&accounts).await.expect(404);
    assert_eq!(here.get(&format!("/channel-accounts/{account}")).await.expect(200).json()["active"], false);
    teller.stop().await;
}

/// What the guest's app has in its journal, read with its own token: of all portals, or of those that the query names.
async fn journal(guest: &Guest, base: &str, query: &str) -> Vec<Vec<String>> {
    let itself = guest.public.itself().await;
    told(&files(&guest.here.server, &itself, base, query).await)
}

/// Lets ten seconds pass, and has written what is due then.
async fn written(server: &TestServer, writer: &mut Writer) -> u64 {
    writer.step(server.app()).await.unwrap();
    server.advance(Duration::from_secs(10));
    writer.step(server.app()).await.unwrap()
}

#[tokio::test]
async fn the_journal_of_an_app_has_what_happens_in_every_portal_that_has_let_it_in() {
    let guest = Guest::new().await;
    let (public, here, token) = (&guest.public, &guest.here, &guest.token);
    let server = &here.server;
    install(&public.desk, &public.app, SCOPES).await;
    server.advance(Duration::from_millis(1));
    let stranger = Desk::on(server).await;
    let itself = public.itself().await;
    let wanted = |portal: &str| json!({ "subscriptionType": "OBJECT", "portalId": portal, "objectTypeId": "0-11", "actions": ["CREATE"] });
    for portal in [&stranger.portal.id, "99999"] {
        let refused = itself.post(SUBSCRIPTIONS, wanted(portal)).await.expect(400).text();
        assert!(refused.contains("The app is not installed in this account"), "{refused}");
        itself.delete(&format!("{SUBSCRIPTIONS}/portals/{portal}")).await.expect(404);
    }
    for portal in [&here.portal.id, &public.desk.portal.id] {
        itself.post(SUBSCRIPTIONS, wanted(portal)).await.expect(200);
    }
    for event in ["4-1909196", "4-1916193"] {
        let lifecycle = json!({ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": event });
        itself.post(SUBSCRIPTIONS, lifecycle).await.expect(200);
    }
    server.advance(Duration::from_millis(1));
    let mut writer = Writer::default();
    let first = here.chat("first").await;
    let at_home = public.desk.chat("at home").await;
    assert_eq!(written(server, &mut writer).await, 2, "an entry for each portal");
    let second = here.chat("second").await;
    assert_eq!(written(server, &mut writer).await, 1);
    let made = |id: &str| vec![format!("CREATE 0-11 {id}")];
    let all = journal(&guest, JOURNAL, "").await;
    assert_eq!(all.len(), 3);
    assert_eq!(all[2], made(&second));
    assert!(all[..2].contains(&made(&first)) && all[..2].contains(&made(&at_home)), "{all:?}");

    // Of one portal: by the parameter, or by whose token it is.
    let of = |desk: &Desk| format!("?installPortalId={}", desk.portal.id);
    assert_eq!(journal(&guest, JOURNAL, &of(here)).await, [made(&first), made(&second)]);
    assert_eq!(journal(&guest, JOURNAL, &of(&public.desk)).await, [made(&at_home)]);
    assert_eq!(journal(&guest, JOURNAL, &of(&stranger)).await.len(), 0);
    assert_eq!(journal(&guest, LOCAL, "").await, [made(&at_home)]);
    assert_eq!(journal(&guest, LOCAL, &of(here)).await.len(), 0);
    token.get(&format!("{JOURNAL}/earliest")).await.expect(403);
    stranger.user.get(&format!("{JOURNAL}/earliest")).await.expect(204);
    let latest = itself.get(&format!("{JOURNAL}/latest")).await.expect(200).json();
    let mine = json!({ "inputs": [latest["currentOffset"]] });
    let one =
        itself.post(&format!("{JOURNAL}/batch/read{}", of(here)), mine.clone()).await.expect(200).json();
    assert_eq!(one["results"].as_array().unwrap().len(), 1);
    let none =
        itself.post(&format!("{JOURNAL}/batch/read{}", of(&public.desk)), mine).await.expect(207).json();
    assert_eq!(none["results"], json!([]));

    // As they are now, wherever they are.
    let asked = [(here, &second), (&public.desk, &at_home), (&stranger, &at_home)]
        .map(|(desk, id)| json!({ "portalId": desk.portal.id, "objectId": id, "objectTypeId": "0-11", "properties": ["status"] }));
    let asked = itself.post(SNAPSHOTS, json!({ "snapshotRequests": asked })).await.expect(200).json();
    assert_eq!(written(server, &mut writer).await, 2);
    let snapshots = &journal(&guest, JOURNAL, "").await[3..];
    for id in [&second, &at_home] {
        assert!(snapshots.contains(&vec![format!("SNAPSHOT 0-11 {id} status=OPEN")]), "{snapshots:?}");
    }
    let status = async |number: usize, query: String| {
        let id = text(&asked["snapshotResponses"][number], "snapshotStatusId");
        itself.get(&format!("{JOURNAL}/status/{id}{query}")).await
    };
    for (number, outcome) in ["SUCCESS", "SUCCESS", "FAILED"].into_iter().enumerate() {
        assert_eq!(status(number, String::new()).await.expect(200).json()["status"], outcome);
    }
    status(0, of(here)).await.expect(200);
    status(0, of(&public.desk)).await.expect(404);

    // Who removes the app is told of no more than that.
    here.chat("seen by nobody").await;
    uninstall(here, &public.app).await;
    here.chat("nor this").await;
    let still = public.desk.chat("still").await;
    let before = journal(&guest, JOURNAL, "").await.len();
    assert_eq!(written(server, &mut writer).await, 2);
    let since = &journal(&guest, JOURNAL, "").await[before..];
    let parted = format!("APP_LIFECYCLE_EVENT APP_UNINSTALL 4-1916193 {}", public.app);
    assert!(since.contains(&vec![parted]) && since.contains(&made(&still)), "{since:?}");
    itself.post(SUBSCRIPTIONS, wanted(&here.portal.id)).await.expect(400);
    server.advance(Duration::from_millis(1));
    install(here, &public.app, SCOPES).await;
    let third = here.chat("third").await;
    let before = before + 2;
    assert_eq!(written(server, &mut writer).await, 1);
    let again = format!("APP_LIFECYCLE_EVENT APP_INSTALL 4-1909196 {}", public.app);
    assert_eq!(journal(&guest, JOURNAL, "").await[before..], [vec![again, made(&third).remove(0)]]);
    // What it asked for there ends there, and nowhere else.
    itself.delete(&format!("{SUBSCRIPTIONS}/portals/{}", here.portal.id)).await.expect(204);
    here.chat("no more").await;
    let last = public.desk.chat("last").await;
    assert_eq!(written(server, &mut writer).await, 1);
    assert_eq!(journal(&guest, JOURNAL, "").await[before + 1..], [made(&last)]);
}

#[tokio::test]
async fn a_guests_journal_loses_and_doubles_nothing_when_nodes_take_turns_and_stop() {
    let guest = Guest::new().await;
    let (public, here) = (&guest.public, &guest.here);
    let server = &here.server;
    let itself = public.itself().await;
    server.advance(Duration::from_millis(1));
    let wanted = json!({ "subscriptionType": "OBJECT", "portalId": here.portal.id, "objectTypeId": "0-11", "actions": ["CREATE"] });
    itself.post(SUBSCRIPTIONS, wanted).await.expect(200);
    server.advance(Duration::from_millis(1));
    let (mut one, mut other) = (Writer::default(), Writer::default());
    let mut made = Vec::new();
    for turn in 0..12 {
        made.push(format!("CREATE 0-11 {}", here.chat(&format!("visitor {turn}")).await));
        one.step(server.app()).await.unwrap();
        if turn % 3 == 0 {
            // Both have read it, and only who takes the cursor last writes it.
            other.step(server.app()).await.unwrap();
        }
        server.advance(Duration::from_secs(6));
        match turn % 4 {
            1 => one = Writer::default(),
            2 => std::mem::swap(&mut one, &mut other),
            _ => {}
        }
        other.step(server.app()).await.unwrap();
    }
    let mut last = Writer::default();
    written(server, &mut last).await;
    assert_eq!(journal(&guest, JOURNAL, "").await.concat(), made);
}

impl Guest {
    /// A channel of the app with an account in the portal that is its host, on which somebody has written: its number, the
    /// account, and the thread.
    async fn channel(&self, receiver: &TestReceiver) -> (String, String, String) {
        let query = format!("?appId={}&hapikey={}", self.public.app, self.public.key);
        let made =
            json!({ "name": "Harbour SMS", "capabilities": {}, "webhookUrl": receiver.url("/events") });
        let made =
            self.here.server.anybody().send("POST", &format!("{BASE}/{query}"), made.to_string()).await;
        let channel = text(&made.expect(201).json(), "id");
        let account = json!({ "name": "Harbour", "inboxId": self.here.portal.inbox, "deliveryIdentifier": phone("+4940555012") });
        let account = self.token.post(&format!("{BASE}/{channel}/channel-accounts"), account).await;
        let account = text(&account.expect(201).json(), "id");
        let said = json!({ "channelAccountId": account, "messageDirection": "INCOMING", "text": "Is berth 4 free?",
                           "integrationThreadId": "t1", "senders": [{ "deliveryIdentifier": phone("+31205550178") }] });
        let said = self.token.post(&format!("{BASE}/{channel}/messages"), said).await.expect(201).json();
        (channel, account, text(&said, "conversationsThreadId"))
    }

    async fn status(&self, thread: &str, message: &str) -> String {
        let message =
            self.here.get(&format!("/threads/{thread}/messages/{message}")).await.expect(200).json();
        text(&message["status"], "statusType")
    }
}

#[tokio::test]
async fn what_waits_on_the_channel_of_an_app_that_is_removed_has_failed_whoever_dies() {
    let guest = Guest::new().await;
    let (public, here) = (&guest.public, &guest.here);
    let (server, receiver) = (&here.server, TestReceiver::start().await);
    let (channel, account, thread) = guest.channel(&receiver).await;
    receiver.react(|_| Reaction::status(500));
    let whom = Told {
        portal: PortalId(here.portal.id.parse().unwrap()),
        app: AppId::of_channel(channel.parse().unwrap()),
    };
    let stop = tokio::sync::watch::channel(false);
    let tell = || antiphon::webhooks::deliver::tell(server.app().clone(), whom, stop.1.clone());
    let answer = json!({ "type": "MESSAGE", "text": "Yes", "senderActorId": here.portal.agent,
                         "channelId": channel, "channelAccountId": account });
    let say = async || {
        text(
            &here.post(&format!("/threads/{thread}/messages"), answer.clone()).await.expect(201).json(),
            "id",
        )
    };
    for crashes in [0, 12, usize::MAX] {
        // One that was tried, and one that nobody has read.
        let tried = say().await;
        let before = receiver.received().len();
        let teller = Teller::start(server);
        for _ in 0..500 {
            if receiver.received().len() > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        teller.stop().await;
        let ids = [tried, say().await];
        uninstall(here, &public.app).await;
        // The node that would have given it up is dead by then, and so is the next, some steps further each time.
        for steps in 1..=crashes.min(12) {
            let crash = Steps { task: Box::pin(tell()), left: steps };
            tokio::time::timeout(Duration::from_millis(300), crash).await.ok();
        }
        if crashes == usize::MAX {
            // Nobody comes for longer than it is known to have been there.
            server.advance(Duration::from_millis(antiphon_store::PARTED as u64));
            antiphon::events::retention::run(server.app(), server.now()).await.unwrap();
        }
        let teller = Teller::start(server);
        for _ in 0..500 {
            if guest.status(&thread, &ids[0]).await == "FAILED"
                && guest.status(&thread, &ids[1]).await == "FAILED"
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for id in &ids {
            assert_eq!(guest.status(&thread, id).await, "FAILED", "{crashes}");
        }
        teller.stop().await;
        install(here, &public.app, SCOPES).await;
    }
}

#[tokio::test]
async fn whoever_lets_an_app_in_sees_what_it_is_sent_from_there() {
    let guest = Guest::new().await;
    let (public, here) = (&guest.public, &guest.here);
    let receiver = &public.receiver;
    let target =
        json!({ "targetUrl": receiver.url("/hook?key=hush"), "throttling": { "maxConcurrentRequests": 10 } });
    public.owner("PUT", "/settings", target).await;
    install(&public.desk, &public.app, SCOPES).await;
    here.server.advance(Duration::from_millis(1));
    public.subscribe("conversation.creation").await;
    receiver.react(|_| Reaction::answer(500, &[], "out of order"));
    let teller = Teller::start(&here.server);
    let (first, at_home) = (here.chat("first").await, public.desk.chat("at home").await);
    guest.told(receiver, &[(here, &first), (&public.desk, &at_home)]).await;
    let path = format!("/antiphon/v1/apps/{}/webhook", public.app);
    let ask =
        async |desk: &Desk, more: &str| desk.user.get(&format!("{path}{more}")).await.expect(200).json();
    for (desk, thread) in [(here, &first), (&public.desk, &at_home)] {
        for _ in 0..500 {
            if ask(desk, "").await["waiting"] == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let own = std::ptr::eq(desk, &raw const public.desk);
        let url = receiver.url(if own { "/hook?key=hush" } else { "/hook" });
        let status = ask(desk, "").await;
        assert_eq!((&status["waiting"], &status["targetUrl"]), (&json!(1), &json!(url)));
        let waiting = ask(desk, "/deliveries").await;
        assert_eq!(
            (ids_of(&waiting, "objectId"), waiting["results"][0]["attempts"].clone()),
            (vec![thread.clone()], json!(1))
        );
        let attempts = ask(desk, "/attempts").await;
        let attempts = attempts["results"].as_array().unwrap();
        assert_eq!(attempts.len(), 1, "each its own");
        assert_eq!((&attempts[0]["url"], &attempts[0]["status"]), (&json!(url), &json!(500)));
        let one = ask(desk, &format!("/attempts/{}", text(&attempts[0], "id"))).await;
        assert_eq!(one["events"][0]["event"]["objectId"].to_string(), **thread);
        assert_eq!(one["excerpt"] == "", !own, "what its receiver answers is the app's own: {one}");
    }
    // Looking is all there is to it.
    let resend = json!({ "since": "2020-01-01T00:00:00Z" });
    let event = text(&ask(here, "/deliveries").await["results"][0], "eventId");
    for (more, body) in [
        ("/attempts/1/resend".to_owned(), json!({})),
        (format!("/events/{event}/resend"), json!({})),
        ("/resend".into(), resend.clone()),
        ("/pause".into(), json!({})),
        ("/resume".into(), json!({})),
        ("/test".into(), json!({})),
    ] {
        here.user.post(&format!("{path}{more}"), body).await.expect(404);
    }
    assert_eq!(
        here.portal.operator().post(&format!("{path}/resend"), resend).await.expect(200).json()["resent"],
        1
    );
    let stranger = Desk::on(&here.server).await;
    for more in ["", "/attempts", "/attempts/1", "/deliveries"] {
        stranger.user.get(&format!("{path}{more}")).await.expect(404);
    }
    // It stays to be seen when the app is gone.
    uninstall(here, &public.app).await;
    assert!(!ask(here, "/attempts").await["results"].as_array().unwrap().is_empty());
    teller.stop().await;
}

/// A member of each result.
fn ids_of(page: &Value, member: &str) -> Vec<String> {
    page["results"].as_array().unwrap().iter().map(|one| text(one, member)).collect()
}
