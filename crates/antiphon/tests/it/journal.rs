//! The webhooks journal, from the first subscription to the last entry.

use std::time::Duration;

use antiphon::journal::write::Writer;
use antiphon::journal::{self, KEPT};
use antiphon_testkit::{PUBLIC_URL, TestServer, User};
use serde_json::{Value, json};

use crate::kit::{Desk, at, text};

pub const JOURNAL: &str = "/webhooks-journal/journal/2027-03-beta";
pub const LOCAL: &str = "/webhooks-journal/journal-local/2026-03";
pub const SUBSCRIPTIONS: &str = "/webhooks-journal/subscriptions/2026-03";
pub const SNAPSHOTS: &str = "/webhooks-journal/snapshots/2026-03/crm";
const CONVERSATIONS: &str = "0-11";
const CONTACTS: &str = "0-1";

/// One of everything: what a path can name, by the names it has there.
pub async fn made(desk: &Desk) -> Vec<(&'static str, String)> {
    let subscription = subscribe(desk, json!({ "objectTypeId": CONVERSATIONS })).await;
    let id = subscription["id"].to_string();
    let condition = json!({ "property": "status", "operator": "IS_NOT_EMPTY" });
    let filter = json!({ "subscriptionId": id, "filter": { "conditions": [condition] } });
    let filter = desk.user.post(&format!("{SUBSCRIPTIONS}/filters"), filter).await.expect(200).json();
    let thread = desk.chat("journal").await;
    let object = json!({ "portalId": desk.portal.id, "objectId": thread, "objectTypeId": CONVERSATIONS });
    let asked = desk.user.post(SNAPSHOTS, json!({ "snapshotRequests": [object] })).await.expect(200).json();
    let mut writer = Writer::default();
    for _ in 0..2 {
        desk.chat("journal").await;
        written(desk, &mut writer).await;
    }
    let earliest = desk.user.get(&format!("{JOURNAL}/earliest")).await.expect(200).json();
    vec![
        ("subscriptionId", id),
        ("filterId", filter["filterId"].to_string()),
        ("offset", text(&earliest, "currentOffset")),
        ("count", "2".into()),
        ("statusId", text(&asked["snapshotResponses"][0], "snapshotStatusId")),
    ]
}

/// Where the file of the newest entry is.
pub async fn address(desk: &Desk) -> String {
    let latest = desk.user.get(&format!("{JOURNAL}/latest")).await.expect(200).json();
    text(&latest, "url").strip_prefix(PUBLIC_URL).unwrap().to_owned()
}

/// Subscribes; to objects of the desk's portal, if nothing else is said.
async fn subscribe(desk: &Desk, what: Value) -> Value {
    let mut body = json!({ "subscriptionType": "OBJECT", "portalId": desk.portal.id });
    body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    desk.user.post(SUBSCRIPTIONS, body).await.expect(200).json()
}

/// Lets ten seconds pass, and has written what is due then.
async fn written(desk: &Desk, writer: &mut Writer) -> u64 {
    writer.step(desk.server.app()).await.unwrap();
    desk.server.advance(Duration::from_secs(10));
    writer.step(desk.server.app()).await.unwrap()
}

/// Everything a journal has, entry by entry, read as clients do.
async fn read(desk: &Desk, base: &str) -> Vec<Value> {
    files(&desk.server, &desk.user, base, "").await
}

/// The same, on behalf of somebody, of a portal if the query names one.
pub async fn files(server: &TestServer, user: &User, base: &str, query: &str) -> Vec<Value> {
    let mut files = Vec::new();
    let anybody = server.anybody();
    let mut next = user.get(&format!("{base}/earliest{query}")).await;
    while next.status == 200 {
        let found = next.json();
        let url = text(&found, "url");
        // Without a token, as the address is all one needs.
        let file = anybody.get(url.strip_prefix(PUBLIC_URL).unwrap()).await.expect(200).json();
        assert_eq!(file["offset"], found["currentOffset"]);
        files.push(file);
        next = user.get(&format!("{base}/offset/{}/next{query}", text(&found, "currentOffset"))).await;
    }
    next.expect(204);
    files
}

/// What files tell, in few words.
pub fn told(files: &[Value]) -> Vec<Vec<String>> {
    let event = |event: &Value| {
        let mut words =
            format!("{} {} {}", text(event, "action"), text(event, "objectTypeId"), event["objectId"]);
        if event["type"] != "OBJECT" {
            words = format!("{} {words}", text(event, "type"));
        }
        match event["propertyChanges"].as_object() {
            Some(changes) if changes.len() <= 2 => {
                let changes =
                    changes.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
                format!("{words} {}", changes.collect::<Vec<_>>().join(" "))
            }
            _ => words,
        }
    };
    files.iter().map(|file| file["journalEvents"].as_array().unwrap().iter().map(event).collect()).collect()
}

#[tokio::test]
async fn what_an_app_subscribes_to_is_in_its_journal_in_order_and_in_one_entry_for_ten_seconds() {
    let desk = Desk::open().await;
    let before = desk.chat("before").await;
    for path in ["earliest", "latest"] {
        desk.user.get(&format!("{JOURNAL}/{path}")).await.expect(204);
    }
    subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS })).await;
    let gdpr = json!({ "subscriptionType": "GDPR_PRIVACY_DELETION", "objectTypeId": CONVERSATIONS });
    subscribe(&desk, gdpr).await;
    let mut writer = Writer::default();
    assert_eq!(written(&desk, &mut writer).await, 0, "an interval without events makes no entry");

    let thread = desk.chat("ines").await;
    desk.patch(&format!("/threads/{thread}"), json!({ "status": "CLOSED" })).await.expect(200);
    desk.put(&format!("/threads/{thread}/assignee"), json!({ "actorId": desk.portal.agent }))
        .await
        .expect(200);
    writer.step(desk.server.app()).await.unwrap();
    assert!(read(&desk, JOURNAL).await.is_empty(), "ten seconds are not over");
    desk.server.advance(Duration::from_millis(9_999));
    assert_eq!(writer.step(desk.server.app()).await.unwrap(), 0);
    desk.server.advance(Duration::from_millis(1));
    assert_eq!(writer.step(desk.server.app()).await.unwrap(), 1);

    desk.delete(&format!("/threads/{thread}")).await.expect(204);
    desk.patch(&format!("/threads/{thread}?archived=true"), json!({ "archived": false })).await.expect(200);
    desk.delete(&format!("/threads/{before}")).await.expect(204);
    assert_eq!(written(&desk, &mut writer).await, 1);
    desk.server.advance(Duration::from_secs(30 * 24 * 3600));
    antiphon::threads::purge::run(desk.server.app(), desk.server.now()).await.unwrap();
    assert_eq!(written(&desk, &mut writer).await, 1);
    let purged = told(&read(&desk, JOURNAL).await);
    assert_eq!(
        purged,
        [[format!("GDPR_PRIVACY_DELETION GDPR_DELETE 0-11 {before}")]],
        "older entries are gone"
    );
}

#[tokio::test]
async fn both_journals_of_every_version_say_the_same_and_walks_end() {
    let desk = Desk::open().await;
    subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS })).await;
    let mut writer = Writer::default();
    let mut expected = Vec::new();
    for number in 0..4 {
        let thread = desk.chat(&format!("visitor {number}")).await;
        let message = text(&desk.history(&thread).await[0], "id");
        assert_eq!(written(&desk, &mut writer).await, 1);
        expected.push(vec![
            format!("CREATE 0-11 {thread}"),
            format!("UPDATE 0-11 {thread} latestMessageId={message}"),
        ]);
    }
    let files = read(&desk, JOURNAL).await;
    assert_eq!(told(&files), expected);
    let created = &files[0]["journalEvents"][0];
    assert_eq!(created["propertyChanges"]["status"], "OPEN");
    assert_eq!(created["occurredAt"], at(0));
    assert_eq!(created["portalId"].to_string(), desk.portal.id);
    assert_eq!(files[0]["publishedAt"], at(10_000));
    let all = files.iter().map(|file| text(file, "offset")).collect::<Vec<_>>();
    for journal in ["journal", "journal-local"] {
        for version in ["2026-03", "2026-09", "2027-03-beta"] {
            let base = format!("/webhooks-journal/{journal}/{version}");
            assert_eq!(read(&desk, &base).await, files);
            let batch = async |path: &str| {
                let batch = desk.user.get(&format!("{base}/batch/{path}")).await.expect(200).json();
                assert_eq!(batch["status"], "COMPLETE");
                let results = batch["results"].as_array().unwrap().clone();
                results.iter().map(|one| text(one, "currentOffset")).collect::<Vec<_>>()
            };
            assert_eq!(batch("earliest/2").await, all[..2]);
            assert_eq!(batch("latest/3").await, all[1..]);
            assert_eq!(batch("latest/2147483647").await, all);
            assert_eq!(batch(&format!("{}/next/2", all[0])).await, all[1..3]);
            assert_eq!(batch(&format!("{}/next/2", all[3])).await, [""; 0]);
            assert_eq!(
                batch(&format!("{}/next/2?installPortalId={}", all[0], desk.portal.id)).await,
                all[1..3]
            );
            assert_eq!(batch("earliest/2?installPortalId=77").await, [""; 0]);
            for path in ["earliest", "latest", &format!("offset/{}/next", all[0])] {
                desk.user.get(&format!("{base}/{path}?installPortalId=77")).await.expect(204);
                desk.user.get(&format!("{base}/{path}?installPortalId={}", desk.portal.id)).await.expect(200);
            }
            for (path, status) in [
                ("earliest?installPortalId=x".to_owned(), 400),
                ("batch/earliest/0".into(), 400),
                ("batch/earliest/-1".into(), 400),
                ("batch/earliest/x".into(), 400),
                ("batch/latest/2147483648".into(), 400),
                (format!("batch/{}/next/0", all[0]), 400),
                ("offset/x/next".into(), 404),
                ("offset/00000000-0000-0000-0000-000000000000/next".into(), 404),
                ("batch/00000000-0000-0000-0000-000000000000/next/5".into(), 404),
                ("status/x".into(), 404),
                ("status/00000000-0000-0000-0000-000000000000".into(), 404),
            ] {
                desk.user.get(&format!("{base}/{path}")).await.expect(status);
            }
        }
    }
    let latest = desk.user.get(&format!("{LOCAL}/latest")).await.json();
    assert_eq!(latest["currentOffset"], *all[3]);
    for version in
        ["/webhooks/v4/journal", "/webhooks-journal/journal/v4", "/webhooks-journal/journal/2025-09"]
    {
        desk.user.get(&format!("{version}/earliest")).await.expect(404);
    }
}

#[tokio::test]
async fn named_entries_are_read_and_those_that_are_none_do_not_keep_the_others() {
    let desk = Desk::open().await;
    let offset = made(&desk).await.into_iter().find(|(name, _)| *name == "offset").unwrap().1;
    let path = format!("{JOURNAL}/batch/read");
    let good = desk.user.post(&path, json!({ "inputs": [offset, offset] })).await.expect(200).json();
    assert_eq!(good["results"].as_array().unwrap().len(), 1);
    assert!(good.get("errors").is_none() && good.get("numErrors").is_none());
    let unknown = "00000000-0000-0000-0000-000000000000";
    let part = desk.user.post(&path, json!({ "inputs": ["x", offset, unknown] })).await.expect(207).json();
    assert_eq!(part["results"][0]["currentOffset"], *offset);
    assert_eq!((&part["numErrors"], &part["errors"][0]["category"]), (&json!(1), &json!("OBJECT_NOT_FOUND")));
    assert_eq!(part["errors"][0]["context"]["id"], json!(["x", unknown]));
    let foreign = format!("{path}?installPortalId=77");
    desk.user.post(&foreign, json!({ "inputs": [offset] })).await.expect(207);
    desk.user.post(&path, json!({ "inputs": [] })).await.expect(200);
    desk.user.post(&path, json!({})).await.expect(400);
    desk.user.post(&path, json!({ "inputs": vec![unknown; 101] })).await.expect(400);
    desk.user.send("POST", &path, "{").await.expect(400);
    desk.user.send("POST", &path, r#"{ "inputs": 5 }"#).await.expect(400);
}

#[tokio::test]
async fn an_address_is_good_for_an_hour_and_nobody_can_make_one() {
    let desk = Desk::open().await;
    made(&desk).await;
    let found = desk.user.get(&format!("{JOURNAL}/latest")).await.expect(200).json();
    let until = desk.server.now() + 3_600_000;
    assert_eq!(found["expiresAt"], at(until - antiphon_testkit::EPOCH));
    let good = text(&found, "url").strip_prefix(PUBLIC_URL).unwrap().to_owned();
    let reply = desk.server.anybody().get(&good).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json;charset=utf-8"));
    let (bare, query) = good.split_once('?').unwrap();
    let (expires, signature) = query.split_once('&').unwrap();
    let other = bare.replacen(&format!("files/{}/", desk.portal.id), "files/99/", 1);
    for forged in [
        bare.to_owned(),
        format!("{bare}?{expires}"),
        format!("{bare}?{signature}"),
        format!("{bare}?expires={}&{signature}", until + 1),
        format!("{bare}?{expires}&signature=AAAA"),
        format!("{bare}?{expires}&signature=%00"),
        format!("{bare}x?{query}"),
        format!("{other}?{query}"),
        format!("/webhooks-journal/files/x/y/z?{query}"),
    ] {
        let reply = desk.server.anybody().get(&forged).await.expect(403).json();
        assert_eq!(reply["category"], "FORBIDDEN", "{forged}");
    }
    desk.server.advance(Duration::from_millis(3_599_999));
    desk.server.anybody().get(&good).await.expect(200);
    desk.server.advance(Duration::from_millis(1));
    desk.server.anybody().get(&good).await.expect(403);
    // A suspended app's addresses lead nowhere.
    let fresh = address(&desk).await;
    desk.server.anybody().get(&fresh).await.expect(200);
    desk.edit(&format!("apps/{}", desk.portal.app), json!({ "active": false })).await;
    desk.server.anybody().get(&fresh).await.expect(403);
}

#[tokio::test]
async fn after_three_days_an_entry_is_gone() {
    let desk = Desk::open().await;
    subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS })).await;
    let mut writer = Writer::default();
    let mut offsets = Vec::new();
    for name in ["ines", "omar"] {
        desk.chat(name).await;
        written(&desk, &mut writer).await;
        offsets.push(text(&desk.user.get(&format!("{JOURNAL}/latest")).await.json(), "currentOffset"));
        desk.server.advance(Duration::from_secs(3600));
    }
    let now = desk.server.now();
    let tidied = async || journal::tidy(desk.server.app(), desk.server.now()).await.unwrap();
    assert_eq!(tidied().await, 0);
    desk.server.advance(Duration::from_millis((KEPT - 3_660_000) as u64));
    assert_eq!(desk.server.now(), now + KEPT - 3_660_000);
    let next = format!("{JOURNAL}/offset/{}/next", offsets[0]);
    // It is gone in time, whether it was cleared away or not.
    for _ in 0..2 {
        desk.server.advance(Duration::from_secs(20));
        let error = desk.user.get(&next).await.expect(404).json();
        assert_eq!(error["category"], "OBJECT_NOT_FOUND");
        let earliest = desk.user.get(&format!("{JOURNAL}/earliest")).await.expect(200).json();
        assert_eq!(earliest["currentOffset"], *offsets[1]);
        let read = json!({ "inputs": offsets });
        let read = desk.user.post(&format!("{JOURNAL}/batch/read"), read).await.expect(207).json();
        assert_eq!(read["errors"][0]["context"]["id"], json!([offsets[0]]));
    }
    assert_eq!(tidied().await, 1);
    desk.server.advance(Duration::from_secs(3600));
    desk.user.get(&format!("{JOURNAL}/earliest")).await.expect(204);
    assert_eq!(tidied().await, 1);
    desk.chat("ines").await;
    assert_eq!(written(&desk, &mut writer).await, 1);
    assert_eq!(read(&desk, JOURNAL).await.len(), 1, "the journal goes on");
}

#[tokio::test]
async fn a_full_entry_does_not_wait() {
    let desk = Desk::open().await;
    let thread = desk.portal.thread_of(2).await;
    subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS })).await;
    let mut writer = Writer::default();
    for _ in 0..1003 {
        desk.portal.chat_from("visitor-2", "again").await;
    }
    assert_eq!(writer.step(desk.server.app()).await.unwrap(), 1);
    assert_eq!(writer.step(desk.server.app()).await.unwrap(), 0);
    // While the clock stood still, entries went ahead of it.
    desk.server.advance(Duration::from_secs(12));
    // Another writer goes on where the last entry ends.
    assert_eq!(Writer::default().step(desk.server.app()).await.unwrap(), 1);
    let files = read(&desk, JOURNAL).await;
    let sizes: Vec<_> = files.iter().map(|file| file["journalEvents"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [1000, 3]);
    let ids: std::collections::HashSet<_> = told(&files).into_iter().flatten().collect();
    assert_eq!(ids.len(), 1003, "{thread}: none is there twice");
}

#[tokio::test]
async fn subscriptions_are_made_replaced_shown_and_ended() {
    let desk = Desk::open().await;
    let portal: i64 = desk.portal.id.parse().unwrap();
    let app: i64 = desk.portal.app.parse().unwrap();
    let made = subscribe(
        &desk,
        json!({ "objectTypeId": CONVERSATIONS, "objectIds": [5], "properties": ["status"], "actions": ["UPDATE"] }),
    )
    .await;
    let id = made["id"].as_i64().unwrap();
    let shown = json!({ "id": id, "appId": app, "subscriptionType": "OBJECT", "portalId": portal,
        "objectTypeId": "0-11", "objectIds": [5], "properties": ["status"], "actions": ["UPDATE"],
        "createdAt": at(0), "updatedAt": at(0) });
    assert_eq!(made, shown);
    desk.server.advance(Duration::from_millis(5));
    let replaced = subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS })).await;
    let again = json!({ "id": id, "appId": app, "subscriptionType": "OBJECT", "portalId": portal,
        "objectTypeId": "0-11", "objectIds": [], "properties": [], "actions": [],
        "createdAt": at(0), "updatedAt": at(5) });
    assert_eq!(replaced, again);
    assert_eq!(subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS })).await, again, "twice is the same");
    for (body, extra) in [
        (
            json!({ "subscriptionType": "ASSOCIATION", "objectTypeId": "0-1", "associatedObjectTypeIds": ["0-2"], "actions": ["ASSOCIATION_ADDED"] }),
            json!({ "objectTypeId": "0-1", "associatedObjectTypeIds": ["0-2"], "objectIds": [], "actions": ["ASSOCIATION_ADDED"], "portalId": portal }),
        ),
        (
            json!({ "subscriptionType": "LIST_MEMBERSHIP", "listIds": [8], "objectIds": [9] }),
            json!({ "objectTypeId": "", "listIds": [8], "objectIds": [9], "actions": [], "portalId": portal }),
        ),
        (
            json!({ "subscriptionType": "GDPR_PRIVACY_DELETION", "objectTypeId": "0-1" }),
            json!({ "objectTypeId": "0-1", "actions": [], "portalId": portal }),
        ),
        (
            json!({ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": "4-1916193", "portalId": null }),
            json!({ "objectTypeId": "", "eventTypeId": "4-1916193", "properties": [], "actions": ["APP_UNINSTALL"] }),
        ),
    ] {
        let made = subscribe(&desk, body.clone()).await;
        let mut shown = json!({ "id": made["id"], "appId": app, "subscriptionType": body["subscriptionType"],
            "createdAt": at(5), "updatedAt": at(5) });
        shown.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(made, shown);
        let path = format!("{SUBSCRIPTIONS}/{}", made["id"]);
        assert_eq!(desk.user.get(&path).await.expect(200).json(), made);
    }
    let listed = async || {
        let all = desk.user.get(SUBSCRIPTIONS).await.expect(200).json();
        all["results"].as_array().unwrap().len()
    };
    assert_eq!(listed().await, 5);
    let path = format!("{SUBSCRIPTIONS}/{id}");
    desk.user.delete(&path).await.expect(204);
    desk.user.delete(&path).await.expect(404);
    desk.user.get(&path).await.expect(404);
    assert_eq!(listed().await, 4);
    desk.user.delete(&format!("{SUBSCRIPTIONS}/portals/{portal}")).await.expect(204);
    assert_eq!(listed().await, 1, "that of the app itself is of no portal");
    desk.user.delete(&format!("{SUBSCRIPTIONS}/portals/{portal}")).await.expect(204);
    for path in [
        "x",
        "0",
        "99999999999999999999",
        "portals/x",
        "portals/77",
        "filters/x",
        "filters/1",
        "filters/subscription/77",
    ] {
        desk.user.delete(&format!("{SUBSCRIPTIONS}/{path}")).await;
        let reply = desk.user.get(&format!("{SUBSCRIPTIONS}/{path}")).await;
        assert!(matches!(reply.status, 404 | 405), "{path}: {}", reply.text());
    }
    assert_eq!(listed().await, 1);
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_with_every_reason() {
    let desk = Desk::open().await;
    for (body, wrong) in [
        (json!({}), &["subscriptionType"][..]),
        (json!({ "subscriptionType": "OBJECT" }), &["portalId", "objectTypeId"]),
        (json!({ "subscriptionType": "OBJECT", "portalId": 77, "objectTypeId": "0-1" }), &["portalId"]),
        (json!({ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": "x" }), &["eventTypeId"]),
        (
            json!({ "subscriptionType": "OBJECT", "portalId": desk.portal.id, "objectTypeId": "0-1",
                    "actions": ["EXPLODE"], "objectIds": [-1], "properties": [""] }),
            &["actions", "objectIds", "properties"],
        ),
        (
            json!({ "subscriptionType": "OBJECT", "portalId": desk.portal.id, "objectTypeId": "0-1",
                    "objectIds": vec![1; 1001] }),
            &["objectIds"],
        ),
    ] {
        assert_eq!(desk.user.post(SUBSCRIPTIONS, body).await.expect(400).problems(), wrong);
    }
    for body in ["", "{", "[]", r#"{ "subscriptionType": 5 }"#, r#"{ "objectTypeId": "a\u0000" }"#] {
        desk.user.send("POST", SUBSCRIPTIONS, body).await.expect(400);
    }
    assert_eq!(desk.user.get(SUBSCRIPTIONS).await.expect(200).json(), json!({ "results": [] }));
    // The operator is no app.
    let body = json!({ "subscriptionType": "OBJECT", "portalId": desk.portal.id, "objectTypeId": "0-1" });
    desk.portal.operator().post(SUBSCRIPTIONS, body).await.expect(400);
    desk.portal.operator().get(&format!("{JOURNAL}/earliest")).await.expect(400);
}

#[tokio::test]
async fn filters_choose_among_objects() {
    let desk = Desk::open().await;
    let subscription = subscribe(
        &desk,
        json!({ "objectTypeId": CONVERSATIONS, "actions": ["UPDATE"], "properties": ["status"] }),
    )
    .await;
    let id = subscription["id"].clone();
    let filters = format!("{SUBSCRIPTIONS}/filters");
    let condition = |operator: &str, value: &str| json!({ "filterType": "CRM_OBJECT_PROPERTY", "property": "assignedTo", "operator": operator, "value": value });
    let create = async |conditions: Value| {
        let body = json!({ "subscriptionId": id, "filter": { "conditions": conditions } });
        desk.user.post(&filters, body).await.expect(200).json()["filterId"].as_i64().unwrap()
    };
    desk.server.advance(Duration::from_millis(7));
    let mia = create(json!([condition("EQ", &desk.portal.agent), condition("STARTS_WITH", "A-")])).await;
    let shown = desk.user.get(&format!("{filters}/{mia}")).await.expect(200).json();
    assert_eq!(shown["createdAt"], antiphon_testkit::EPOCH + 7);
    assert_eq!(shown["id"], mia);
    assert_eq!(shown["filter"]["conditions"][1], condition("STARTS_WITH", "A-"));
    let listed = async || desk.user.get(&format!("{filters}/subscription/{id}")).await.expect(200).json();
    assert_eq!(listed().await, json!([shown]));

    let (with, without) = (desk.chat("ines").await, desk.chat("omar").await);
    desk.put(&format!("/threads/{with}/assignee"), json!({ "actorId": desk.portal.agent })).await.expect(200);
    let status = async |status: &str| {
        for thread in [&with, &without] {
            desk.patch(&format!("/threads/{thread}"), json!({ "status": status })).await.expect(200);
        }
        written(&desk, &mut Writer::default()).await
    };
    assert_eq!(status("CLOSED").await, 1);
    // One of several is enough.
    let nobody = create(json!([{ "property": "assignedTo", "operator": "IS_EMPTY" }])).await;
    assert_eq!(status("OPEN").await, 1);
    desk.user.delete(&format!("{filters}/{mia}")).await.expect(204);
    desk.user.delete(&format!("{filters}/{mia}")).await.expect(404);
    desk.user.get(&format!("{filters}/{mia}")).await.expect(404);
    assert_eq!(listed().await.as_array().unwrap().len(), 1);
    assert_eq!(status("CLOSED").await, 1);
    desk.user.delete(&format!("{filters}/{nobody}")).await.expect(204);
    // What replaces a subscription keeps its filters.
    let none = create(json!([{ "property": "status", "operator": "IN", "values": ["GONE"] }])).await;
    subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS, "properties": ["status"] })).await;
    assert_eq!(listed().await[0]["id"], none);
    assert_eq!(status("OPEN").await, 0);
    assert_eq!(
        told(&read(&desk, JOURNAL).await),
        [
            vec![format!("UPDATE 0-11 {with} status=CLOSED")],
            vec![format!("UPDATE 0-11 {with} status=OPEN"), format!("UPDATE 0-11 {without} status=OPEN")],
            vec![format!("UPDATE 0-11 {without} status=CLOSED")],
        ]
    );
    for (body, status) in [
        (json!({ "subscriptionId": 77, "filter": { "conditions": [condition("EQ", "x")] } }), 404),
        (json!({ "subscriptionId": id, "filter": { "conditions": [] } }), 400),
        (json!({ "subscriptionId": id }), 400),
        (
            json!({ "subscriptionId": id, "filter": { "conditions": [{ "property": "status", "operator": "EQ" }] } }),
            400,
        ),
        (
            json!({ "subscriptionId": id, "filter": { "conditions": [condition("EQ", &"x".repeat(200_000)), condition("EQ", &"x".repeat(60_000))] } }),
            200,
        ),
        (
            json!({ "subscriptionId": id, "filter": { "conditions": [condition("EQ", &"x".repeat(10_000))] } }),
            400,
        ),
    ] {
        desk.user.post(&filters, body).await.expect(status);
    }
}

#[tokio::test]
async fn contacts_and_the_app_itself_are_told_of() {
    let desk = Desk::open().await;
    subscribe(&desk, json!({ "objectTypeId": CONTACTS })).await;
    for event in ["4-1909196", "4-1916193"] {
        subscribe(&desk, json!({ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": event })).await;
    }
    subscribe(&desk, json!({ "objectTypeId": "0-3" })).await;
    let mut writer = Writer::default();
    let contact = desk.make("contacts", json!({ "name": "Lena", "email": "lena@example.net" })).await;
    let id = text(&contact, "id");
    desk.edit(&format!("contacts/{id}"), json!({ "phone": "+447700900101", "name": "" })).await;
    // A visitor is no contact until there is an address.
    desk.chat("ines").await;
    let app = desk.portal.app.clone();
    desk.make("apps", json!({ "name": "Another" })).await;
    assert_eq!(written(&desk, &mut writer).await, 1);
    desk.edit(&format!("apps/{app}"), json!({ "active": false })).await;
    desk.user.get(&format!("{JOURNAL}/earliest")).await.expect(403);
    desk.edit(&format!("contacts/{id}"), json!({ "name": "Lena again" })).await;
    assert_eq!(written(&desk, &mut writer).await, 1);
    desk.edit(&format!("apps/{app}"), json!({ "active": true })).await;
    assert_eq!(written(&desk, &mut writer).await, 1);
    let files = read(&desk, JOURNAL).await;
    let created = &files[0]["journalEvents"][0]["propertyChanges"];
    assert_eq!((&created["email"], &created["phone"]), (&json!("lena@example.net"), &json!("+447700900101")));
    assert_eq!(
        told(&files),
        [
            vec![format!("CREATE 0-1 {id}"), format!("UPDATE 0-1 {id} name= phone=+447700900101")],
            vec![format!("APP_LIFECYCLE_EVENT APP_UNINSTALL 4-1916193 {app}")],
            vec![format!("APP_LIFECYCLE_EVENT APP_INSTALL 4-1909196 {app}")],
        ],
        "what happens while the app may not act is not for it"
    );
}

#[tokio::test]
async fn snapshots_come_as_entries_and_say_how_far_they_are() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let contact = text(&desk.make("contacts", json!({ "email": "lena@example.net" })).await, "id");
    let portal: i64 = desk.portal.id.parse().unwrap();
    let asked = json!([
        { "portalId": portal, "objectId": thread, "objectTypeId": "0-11", "properties": ["status"] },
        { "portalId": portal, "objectId": contact, "objectTypeId": "0-1", "properties": ["email", "nothing"] },
        { "portalId": portal, "objectId": 1, "objectTypeId": "0-3", "properties": [] },
        { "portalId": portal, "objectId": 999, "objectTypeId": "0-11", "properties": [] },
        { "portalId": portal + 1, "objectId": thread, "objectTypeId": "0-11", "properties": [] },
    ]);
    let made = desk.user.post(SNAPSHOTS, json!({ "snapshotRequests": asked })).await.expect(200).json();
    let made = made["snapshotResponses"].as_array().unwrap();
    assert_eq!(made[0]["objectId"].to_string(), thread);
    let status = async |index: usize| {
        let id = text(&made[index], "snapshotStatusId");
        desk.user.get(&format!("{JOURNAL}/status/{id}")).await.expect(200).json()
    };
    let waiting = status(0).await;
    assert_eq!(
        (&waiting["status"], &waiting["initiatedAt"]),
        (&json!("PENDING"), &json!(antiphon_testkit::EPOCH))
    );
    assert!(waiting.get("completedAt").is_none());
    // No subscription is needed.
    assert_eq!(Writer::default().step(desk.server.app()).await.unwrap(), 1);
    assert_eq!(Writer::default().step(desk.server.app()).await.unwrap(), 0);
    assert_eq!(
        told(&read(&desk, JOURNAL).await),
        [[
            format!("SNAPSHOT 0-11 {thread} status=OPEN"),
            format!("SNAPSHOT 0-1 {contact} email=lena@example.net"),
        ]]
    );
    for (index, wanted, code) in [
        (0, "SUCCESS", None),
        (1, "SUCCESS", None),
        (2, "FAILED", Some("VALIDATION_ERROR")),
        (3, "FAILED", Some("VALIDATION_ERROR")),
        (4, "FAILED", Some("PERMISSION_DENIED")),
    ] {
        let status = status(index).await;
        assert_eq!((status["status"].as_str(), status["errorCode"].as_str()), (Some(wanted), code));
        assert_eq!(status["completedAt"], antiphon_testkit::EPOCH);
        assert_eq!(status["message"].is_string(), code.is_some());
    }
    let id = text(&made[0], "snapshotStatusId");
    for (portal, status) in [(portal, 200), (portal + 1, 404)] {
        desk.user.get(&format!("{LOCAL}/status/{id}?installPortalId={portal}")).await.expect(status);
    }
    desk.server.advance(Duration::from_millis(KEPT as u64 + 1));
    assert_eq!(status(0).await["status"], "EXPIRED");
    journal::tidy(desk.server.app(), desk.server.now()).await.unwrap();
    assert_eq!(status(0).await["status"], "EXPIRED");
    desk.server.advance(Duration::from_millis(KEPT as u64));
    assert_eq!(journal::tidy(desk.server.app(), desk.server.now()).await.unwrap(), 5);
    desk.user.get(&format!("{JOURNAL}/status/{id}")).await.expect(404);
    for body in [json!({}), json!({ "snapshotRequests": [{}] }), json!({ "snapshotRequests": [1] })] {
        desk.user.post(SNAPSHOTS, body).await.expect(400);
    }
}

#[tokio::test]
async fn every_spelling_of_a_scope_opens_its_use_and_no_other() {
    let desk = Desk::open().await;
    let offset = made(&desk).await.into_iter().find(|(name, _)| *name == "statusId").unwrap().1;
    let status = format!("{JOURNAL}/status/{offset}");
    let earliest = format!("{JOURNAL}/earliest");
    let filter = format!("{SUBSCRIPTIONS}/filters/subscription/1");
    for (scopes, opened) in [
        (
            &[
                "webhooks-journal-data-access",
                "developer.webhooks_journal.read",
                "webhooks.journal.data.access",
            ][..],
            &earliest,
        ),
        (
            &[
                "webhooks-journal-subscription-read",
                "developer.webhooks_journal.subscriptions.read",
                "webhooks.journal.subscription.read",
            ],
            &SUBSCRIPTIONS.to_owned(),
        ),
        (
            &[
                "webhooks-journal-subscription-management",
                "developer.webhooks_journal.subscriptions.write",
                "webhooks.journal.subscription.management",
            ],
            &filter,
        ),
        (
            &[
                "webhooks-journal-snapshot-management",
                "developer.webhooks_journal.snapshots.read",
                "developer.webhooks_journal.snapshots.write",
                "webhooks.journal.snapshot.management",
            ],
            &status,
        ),
        (&["conversations.read", "antiphon.admin"], &String::new()),
    ] {
        for scope in scopes {
            let user = desk.portal.user(&[scope]).await;
            for path in [&earliest, &SUBSCRIPTIONS.to_owned(), &filter, &status] {
                let reply = user.get(path).await;
                assert_eq!(reply.status, if path == opened { 200 } else { 403 }, "{scope} {path}");
                if reply.status == 403 {
                    let named = reply.json()["errors"][0]["context"]["requiredGranularScopes"].clone();
                    assert!(named.as_array().unwrap().len() >= 3, "{named}");
                }
            }
        }
    }
    desk.server.user("nonsense").get(&earliest).await.expect(401);
}

#[tokio::test]
async fn rates_are_the_app_s_own() {
    let desk = Desk::on(&TestServer::configured(|config| config.limits.enabled = true).await).await;
    made(&desk).await;
    let earliest = format!("{JOURNAL}/earliest");
    let other = desk.portal.full().await;
    let refused = async |path: &str, most: usize| {
        let mut last = desk.user.get(path).await;
        // The clock of limits goes on, so that more than these may be let through.
        for number in 0..most * 20 {
            let user = if number % 2 == 0 { &desk.user } else { &other };
            last = user.get(path).await;
            if last.status == 429 {
                break;
            }
        }
        last.expect(429)
    };
    for (path, most) in [(earliest.as_str(), 100), (SUBSCRIPTIONS, 50)] {
        let reply = refused(path, most).await;
        assert_eq!(reply.header("retry-after"), Some("1"));
        let body = reply.json();
        assert_eq!((&body["policyName"], &body["category"]), (&json!("SECONDLY"), &json!("RATE_LIMITS")));
        assert_eq!(body["message"], "You have reached your secondly limit.");
    }
    // None of these counted for the portal.
    let reply = desk.get("/inboxes").await.expect(200);
    let used: i64 = reply.header("x-hubspot-ratelimit-remaining").unwrap().parse().unwrap();
    let most: i64 = reply.header("x-hubspot-ratelimit-max").unwrap().parse().unwrap();
    assert!(most - used < 20, "{used} of {most}");
}

#[tokio::test]
async fn nobody_sees_another_app_s_journal() {
    let server = TestServer::start().await;
    let desk = Desk::on(&server).await;
    let names = made(&desk).await;
    let id = |wanted: &str| names.iter().find(|(name, _)| *name == wanted).unwrap().1.clone();
    // Another app of the same portal, and one of another portal.
    let made = desk.make("tokens", json!({ "label": "Twin", "scopes": antiphon_testkit::EVERY_SCOPE })).await;
    let twin = server.user(&text(&made, "token"));
    let stranger = Desk::on(&server).await.user;
    for user in [twin, stranger] {
        user.get(&format!("{JOURNAL}/earliest")).await.expect(204);
        user.get(&format!("{JOURNAL}/offset/{}/next", id("offset"))).await.expect(404);
        user.get(&format!("{JOURNAL}/status/{}", id("statusId"))).await.expect(404);
        let read = json!({ "inputs": [id("offset")] });
        user.post(&format!("{JOURNAL}/batch/read"), read).await.expect(207);
        assert_eq!(user.get(SUBSCRIPTIONS).await.expect(200).json(), json!({ "results": [] }));
        for path in [
            id("subscriptionId"),
            format!("filters/{}", id("filterId")),
            format!("filters/subscription/{}", id("subscriptionId")),
        ] {
            user.get(&format!("{SUBSCRIPTIONS}/{path}")).await.expect(404);
        }
        for path in [id("subscriptionId"), format!("filters/{}", id("filterId"))] {
            user.delete(&format!("{SUBSCRIPTIONS}/{path}")).await.expect(404);
        }
        let condition = json!({ "property": "status", "operator": "IS_EMPTY" });
        let filter =
            json!({ "subscriptionId": id("subscriptionId"), "filter": { "conditions": [condition] } });
        user.post(&format!("{SUBSCRIPTIONS}/filters"), filter).await.expect(404);
        assert_eq!(address(&desk).await.len(), address(&desk).await.len());
    }
    assert_eq!(desk.user.get(SUBSCRIPTIONS).await.expect(200).json()["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_journal_that_is_taken_up_again_has_nothing_from_between() {
    let desk = Desk::open().await;
    let mut writer = Writer::default();
    let subscription =
        subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS, "actions": ["CREATE"] })).await;
    let first = desk.chat("ines").await;
    assert_eq!(written(&desk, &mut writer).await, 1);
    desk.user.delete(&format!("{SUBSCRIPTIONS}/{}", subscription["id"])).await.expect(204);
    desk.chat("omar").await;
    assert_eq!(written(&desk, &mut writer).await, 0);
    subscribe(&desk, json!({ "objectTypeId": CONVERSATIONS, "actions": ["CREATE"] })).await;
    let third = desk.chat("lena").await;
    assert_eq!(written(&desk, &mut writer).await, 1);
    // What is added to a journal that is there begins when it is added, too.
    desk.make("contacts", json!({ "email": "lena@example.net" })).await;
    subscribe(&desk, json!({ "objectTypeId": CONTACTS })).await;
    let contact = text(&desk.make("contacts", json!({ "email": "omar@example.net" })).await, "id");
    assert_eq!(written(&desk, &mut writer).await, 1);
    assert_eq!(
        told(&read(&desk, JOURNAL).await),
        [
            [format!("CREATE 0-11 {first}")],
            [format!("CREATE 0-11 {third}")],
            [format!("CREATE 0-1 {contact}")]
        ]
    );
}
