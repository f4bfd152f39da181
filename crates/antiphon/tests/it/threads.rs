//! Listing threads and reading one.

use std::time::Duration;

use serde_json::json;

use crate::kit::{Desk, V3, at, error, ids, text};

#[tokio::test]
async fn a_thread_as_a_whole() {
    let desk = Desk::open().await;
    let id = desk.email("ines.okafor@example.net").await;
    let fresh = desk.get(&format!("/threads/{id}")).await.expect(200).json();
    let contact = text(&fresh, "associatedContactId");
    assert_eq!(
        fresh,
        json!({ "id": id, "createdAt": fresh["createdAt"], "status": "OPEN", "inboxId": desk.portal.inbox,
                "originalChannelId": "1002", "originalChannelAccountId": desk.portal.email,
                "associatedContactId": contact, "spam": false, "archived": false,
                "latestMessageTimestamp": fresh["latestMessageReceivedTimestamp"],
                "latestMessageReceivedTimestamp": fresh["latestMessageReceivedTimestamp"] })
    );
    assert!(text(&fresh, "createdAt").starts_with("2026-03-01T08:00:00.0"));
    let list = desk.get("/threads").await.expect(200).json();
    assert_eq!(list, json!({ "results": [fresh] }));

    desk.server.advance(Duration::from_secs(60));
    let sent = desk.send(&id, desk.by_email("Thanks", "ines.okafor@example.net")).await;
    desk.patch(&format!("/threads/{id}"), json!({ "status": "CLOSED" })).await.expect(200);
    let ticket = desk.make("tickets", json!({ "subject": "VAT" })).await;
    let linked = desk
        .portal
        .operator()
        .put(&format!("/antiphon/v1/threads/{id}/ticket"), json!({ "ticketId": ticket["id"] }))
        .await;
    assert!(linked.status < 300, "{}", linked.text());
    let mut expected = fresh.clone();
    for (name, value) in [
        ("status", json!("CLOSED")),
        ("closedAt", json!(at(60_002))),
        ("assignedTo", json!(desk.portal.agent)),
        ("latestMessageTimestamp", sent["createdAt"].clone()),
        ("latestMessageSentTimestamp", sent["createdAt"].clone()),
    ] {
        expected[name] = value;
    }
    assert_eq!(sent["createdAt"], at(60_000));
    assert_eq!(desk.thread(&id).await, expected);
    expected["threadAssociations"] = json!({ "associatedTicketId": ticket["id"] });
    for association in ["TICKET", "ticket"] {
        let query = format!("?association={association}&property=id");
        assert_eq!(desk.get(&format!("/threads/{id}{query}")).await.expect(200).json(), expected);
        assert_eq!(
            desk.get(&format!("/threads{query}")).await.expect(200).json(),
            json!({ "results": [expected] })
        );
    }
    desk.get(&format!("/threads/{id}?association=DEAL")).await.expect(400);
}

#[tokio::test]
async fn unknown_and_misshapen_ids_are_not_found() {
    let desk = Desk::open().await;
    desk.chat("ines").await;
    for id in [
        "999",
        "0",
        "-1",
        "01",
        "abc",
        "1x",
        "9007199254740992",
        "99999999999999999999",
        "1%2F2",
        "%20",
        "1.0",
        "null",
    ] {
        let sent = id.replace("%2F", "/").replace("%20", " ");
        for (method, path, body) in [
            ("GET", format!("/threads/{id}"), ""),
            ("PATCH", format!("/threads/{id}"), r#"{"status":"OPEN"}"#),
            ("DELETE", format!("/threads/{id}"), ""),
            ("PUT", format!("/threads/{id}/assignee"), r#"{"actorId":"A-1"}"#),
            ("POST", format!("/threads/{id}/assignee"), r#"{"actorId":"A-1"}"#),
            ("DELETE", format!("/threads/{id}/assignee"), ""),
            ("GET", format!("/threads/{id}/messages"), ""),
            ("POST", format!("/threads/{id}/messages"), "{}"),
            ("GET", format!("/threads/{id}/messages/0199f2b1c4de7a019c3377aa10b2ef54"), ""),
            ("GET", format!("/threads/{id}/messages/0199f2b1c4de7a019c3377aa10b2ef54/original-content"), ""),
        ] {
            let reply = desk.user.send(method, &format!("{V3}{path}"), body).await.expect(404);
            let mut expected =
                json!({ "status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND" });
            expected["context"] = json!({ "id": [sent] });
            let mut got = error(&reply);
            if path.contains("0199f2b1") && got["context"]["id"][0] != sent {
                // Either id of the path is the one that is not there.
                assert_eq!(got["context"]["id"], json!(["0199f2b1c4de7a019c3377aa10b2ef54"]));
                got["context"] = expected["context"].clone();
            }
            assert_eq!(got, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn filters_and_what_they_combine_to() {
    let desk = Desk::open().await;
    let sales = desk.make("inboxes", json!({ "name": "Sales" })).await;
    let account = json!({ "name": "Sales chat", "channelId": 1000, "inboxId": sales["id"] });
    let account = desk.make("channel-accounts", account).await;
    let (a, b) = (desk.chat("ines").await, desk.chat("omar").await);
    let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "lena" });
    let c = desk.portal.inject(json!({ "channelAccountId": account["id"], "sender": { "identifier": identifier }, "text": "Hi" })).await;
    desk.patch(&format!("/threads/{b}"), json!({ "status": "CLOSED" })).await.expect(200);
    let ticket = text(&desk.make("tickets", json!({ "subject": "Bicycle" })).await, "id");
    for thread in [&b, &c] {
        desk.portal
            .operator()
            .put(&format!("/antiphon/v1/threads/{thread}/ticket"), json!({ "ticketId": ticket }))
            .await;
    }
    let archived = desk.chat("pia").await;
    desk.delete(&format!("/threads/{archived}")).await.expect(204);
    let ines = text(&desk.thread(&a).await, "associatedContactId");
    let omar = text(&desk.thread(&b).await, "associatedContactId");
    let (support, sales) = (&desk.portal.inbox, text(&sales, "id"));
    for (query, expected) in [
        (String::new(), vec![&a, &b, &c]),
        ("archived=false".into(), vec![&a, &b, &c]),
        ("archived=true".into(), vec![&archived]),
        (format!("inboxId={support}"), vec![&a, &b]),
        (format!("inboxId={sales}"), vec![&c]),
        (format!("inboxId={support},{sales}"), vec![&a, &b, &c]),
        (format!("inboxId={support}&archived=true"), vec![&archived]),
        ("inboxId=77777".into(), vec![]),
        (format!("associatedContactId={ines}"), vec![&a]),
        (format!("associatedContactId={omar}&threadStatus=CLOSED"), vec![&b]),
        (format!("associatedContactId={omar}&threadStatus=OPEN"), vec![]),
        ("associatedContactId=77777".into(), vec![]),
        ("threadStatus=OPEN".into(), vec![&a, &c]),
        ("threadStatus=open".into(), vec![&a, &c]),
        ("threadStatus=CLOSED".into(), vec![&b]),
        (format!("threadStatus=OPEN&inboxId={support}"), vec![&a]),
        (format!("associatedTicketId={ticket}"), vec![&b, &c]),
        (format!("associatedTicketId={ticket}&inboxId={sales}"), vec![&c]),
        (format!("associatedTicketId={ticket}&threadStatus=CLOSED"), vec![&b]),
        (format!("associatedTicketId={ticket}&associatedContactId={ines}"), vec![]),
        (format!("associatedTicketId={ticket}&associatedContactId={omar}&threadStatus=CLOSED"), vec![&b]),
        (format!("associatedTicketId={ticket}&archived=true"), vec![]),
        ("associatedTicketId=77777".into(), vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().cloned().collect();
        assert_eq!(desk.found(&format!("?{query}")).await, expected, "{query}");
        // The same in the other order, where everything has had a message since.
        let sorted = format!("?{query}&sort=latestMessageTimestamp&latestMessageTimestampAfter=2026-01-01");
        assert_eq!(desk.found(&sorted).await, expected, "{query}");
        // A page of one, then the rest.
        let mut walked = Vec::new();
        for item in desk.user.all(&format!("{V3}/threads?limit=1&{query}")).await {
            walked.push(text(&item, "id"));
        }
        assert_eq!(walked, expected, "{query}");
    }
    let tickets =
        desk.get(&format!("/threads?association=TICKET&inboxId={support}")).await.expect(200).json();
    assert!(tickets["results"][0].get("threadAssociations").is_none());
    assert_eq!(tickets["results"][1]["threadAssociations"], json!({ "associatedTicketId": ticket }));
}

#[tokio::test]
async fn combinations_that_are_forbidden() {
    let desk = Desk::open().await;
    for (query, named) in [
        ("associatedContactId=5&inboxId=1", vec!["associatedContactId", "inboxId"]),
        ("associatedContactId=5&inboxId=1&threadStatus=OPEN", vec!["associatedContactId", "inboxId"]),
        ("associatedContactId=5&inboxId[]=1", vec!["associatedContactId", "inboxId"]),
        ("sort=latestMessageTimestamp", vec!["latestMessageTimestampAfter"]),
        ("sort=-latestMessageTimestamp", vec!["latestMessageTimestampAfter"]),
        ("sort=latestMessageTimestampAfter", vec!["latestMessageTimestampAfter"]),
        ("sort=-latestMessageTimestamp&associatedContactId=5", vec!["latestMessageTimestampAfter"]),
        ("threadStatus=PENDING", vec!["threadStatus"]),
        ("association=CONTACT", vec!["association"]),
        ("association=TICKET,CONTACT", vec!["association"]),
        ("sort=createdAt", vec!["sort"]),
        ("sort=ID", vec!["sort"]),
        ("sort=LatestMessageTimestamp", vec!["sort"]),
        ("sort=--id", vec!["sort"]),
        ("sort=createdAt,id", vec!["sort"]),
    ] {
        let refused = desk.get(&format!("/threads?{query}")).await.expect(400);
        assert_eq!(refused.problems(), named, "{query}");
    }
    for query in [
        "associatedContactId=5&inboxId=",
        "sort=id,createdAt",
        "sort=-id&sort=nonsense",
        "associatedContactId=5",
    ] {
        desk.get(&format!("/threads?{query}")).await.expect(200);
    }
}

#[tokio::test]
async fn orders() {
    let desk = Desk::open().await;
    // Four threads of one contact, who answers in another order than they began.
    let mut threads = Vec::new();
    let say = async |key: &str| {
        desk.server.advance(Duration::from_secs(1));
        let body = json!({ "channelAccountId": desk.portal.email, "sender": { "email": "ines@example.net" },
                           "integrationThreadId": key, "subject": key, "text": "Hello" });
        desk.portal.inject(body).await
    };
    for key in ["a", "b", "c", "d"] {
        threads.push(say(key).await);
    }
    for key in ["c", "a"] {
        say(key).await;
    }
    let [a, b, c, d] = threads.try_into().unwrap();
    let contact = text(&desk.thread(&a).await, "associatedContactId");
    // A thread in which nothing was said yet.
    let recipient = json!({ "email": "pia@example.net" });
    let started =
        desk.make("threads", json!({ "channelAccountId": desk.portal.email, "recipient": recipient })).await;
    let silent = text(&started, "id");
    let since = "latestMessageTimestampAfter=2026-03-01";
    let by_id = [a.clone(), b.clone(), c.clone(), d.clone()];
    let by_latest = [b.clone(), d.clone(), c.clone(), a.clone()];
    let of_ines = format!("associatedContactId={contact}");
    let all: Vec<_> = by_id.iter().cloned().chain([silent.clone()]).collect();
    for (query, expected) in [
        ("", all.clone()),
        ("sort=id", all.clone()),
        ("sort=-id", all.clone()),
        (&format!("sort=latestMessageTimestamp&{since}"), by_latest.to_vec()),
        (&format!("sort=-latestMessageTimestamp&{since}"), by_latest.to_vec()),
        (&format!("sort=latestMessageTimestampAfter&{since}"), by_latest.to_vec()),
        (&format!("sort=-latestMessageTimestampAfter&{since}"), by_latest.to_vec()),
        // The filter alone, and threads without a message are outside of it.
        (since, by_id.to_vec()),
        (&of_ines, by_id.to_vec()),
        (&format!("{of_ines}&sort=-id"), by_id.iter().rev().cloned().collect()),
        (&format!("{of_ines}&sort=latestMessageTimestamp&{since}"), by_latest.to_vec()),
        (
            &format!("{of_ines}&sort=-latestMessageTimestamp&{since}"),
            by_latest.iter().rev().cloned().collect(),
        ),
        (
            &format!("{of_ines}&sort=-latestMessageTimestampAfter&{since}"),
            by_latest.iter().rev().cloned().collect(),
        ),
        (
            &format!("{of_ines}&sort=-latestMessageTimestamp&{since}&threadStatus=OPEN"),
            by_latest.iter().rev().cloned().collect(),
        ),
    ] {
        assert_eq!(desk.found(&format!("?{query}")).await, expected, "{query}");
        let walked = desk.user.all(&format!("{V3}/threads?limit=3&{query}")).await;
        assert_eq!(ids(&json!({ "results": walked })), expected, "{query}");
    }
    // The boundary belongs to it.
    let latest = text(&desk.thread(&c).await, "latestMessageTimestamp");
    assert_eq!(desk.found(&format!("?latestMessageTimestampAfter={latest}")).await, [a.clone(), c.clone()]);
    let past = latest.replace("Z", "") + "Z";
    assert_eq!(past, latest);
    let millis: i64 = latest[20..23].parse().unwrap();
    let next = format!("{}{:03}Z", &latest[..20], millis + 1);
    assert_eq!(desk.found(&format!("?latestMessageTimestampAfter={next}")).await, [a]);
}

#[tokio::test]
async fn only_messages_move_the_three_times() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let times = async || {
        let thread = desk.thread(&id).await;
        ["latestMessageTimestamp", "latestMessageSentTimestamp", "latestMessageReceivedTimestamp"]
            .map(|name| thread[name].as_str().map(str::to_owned))
    };
    let before = times().await;
    assert!(before[0].is_some() && before[1].is_none() && before[0] == before[2]);
    desk.server.advance(Duration::from_secs(5));
    desk.send(&id, json!({ "type": "COMMENT", "text": "note" })).await;
    desk.put(&format!("/threads/{id}/assignee"), json!({ "actorId": desk.portal.agent })).await.expect(200);
    desk.patch(&format!("/threads/{id}"), json!({ "status": "CLOSED" })).await.expect(200);
    assert_eq!(times().await, before);
    desk.server.advance(Duration::from_secs(5));
    let sent = desk.send(&id, desk.on_chat("Hi")).await;
    let now = sent["createdAt"].as_str().map(str::to_owned);
    assert_eq!(times().await, [now.clone(), now, before[2].clone()]);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_order() {
    let desk = Desk::open().await;
    let first = desk.chat("ines").await;
    desk.chat("omar").await;
    desk.send(&first, desk.on_chat("Hi")).await;
    let contact = text(&desk.thread(&first).await, "associatedContactId");
    let cursor = async |path: &str| {
        let page = desk.get(path).await.expect(200).json();
        let after = text(&page["paging"]["next"], "after");
        assert!(
            after.len() <= 512 && after.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'),
            "{after}"
        );
        after
    };
    let by_id = cursor("/threads?limit=1").await;
    let by_latest =
        cursor("/threads?limit=1&sort=latestMessageTimestamp&latestMessageTimestampAfter=2026-01-01").await;
    let messages = cursor(&format!("/threads/{first}/messages?limit=1")).await;
    let oldest_first = cursor(&format!("/threads/{first}/messages?limit=1&sort=createdAt")).await;
    let channels = cursor("/channels?limit=1").await;
    let accounts = cursor("/channel-accounts?limit=1").await;
    let mut broken = by_id.clone();
    broken.pop();
    let after = |path: &str, cursor: &str| {
        format!("{path}{}after={cursor}", if path.contains('?') { "&" } else { "?" })
    };
    let latest = "/threads?sort=latestMessageTimestamp&latestMessageTimestampAfter=2026-01-01";
    let history = format!("/threads/{first}/messages");
    for (path, wrong) in [
        ("/threads", vec![&by_latest, &messages, &channels, &broken]),
        (&format!("/threads?sort=-id&associatedContactId={contact}"), vec![&by_id]),
        (latest, vec![&by_id, &messages, &accounts]),
        (&history, vec![&oldest_first, &by_id, &channels]),
        (&format!("{history}?sort=createdAt"), vec![&messages, &by_id]),
        ("/channels", vec![&accounts, &by_id]),
        ("/channels?sort=name", vec![&channels]),
        ("/channel-accounts", vec![&channels, &messages]),
        ("/inboxes", vec![&channels, &accounts]),
    ] {
        for cursor in wrong {
            let refused = desk.get(&after(path, cursor)).await.expect(400);
            assert_eq!(refused.problems(), ["after"], "{path} {cursor}");
            assert_eq!(refused.json()["category"], "VALIDATION_ERROR");
        }
        for nonsense in ["x", "%00", "null", "MTcy%3D", "-1", "a%20b", &"A".repeat(600)] {
            assert_eq!(
                desk.get(&after(path, nonsense)).await.expect(400).problems(),
                ["after"],
                "{path} {nonsense}"
            );
        }
    }
    for (path, cursor) in [
        ("/threads", &by_id),
        (latest, &by_latest),
        (&*history, &messages),
        ("/channels", &channels),
        ("/channel-accounts", &accounts),
    ] {
        desk.get(&after(path, cursor)).await.expect(200);
        // Filters may come and go between pages; the cursor does not know them.
        desk.get(&after(&after(path, cursor), cursor)).await.expect(200);
    }
    desk.get(&after("/threads?threadStatus=OPEN", &by_id)).await.expect(200);
}

#[tokio::test]
async fn a_cursor_outlives_what_it_points_at() {
    let desk = Desk::open().await;
    let (a, b, c) = (desk.chat("ines").await, desk.chat("omar").await, desk.chat("lena").await);
    let page = desk.get("/threads?limit=2").await.expect(200).json();
    assert_eq!(ids(&page), [a, b.clone()]);
    desk.delete(&format!("/threads/{b}")).await.expect(204);
    let after = text(&page["paging"]["next"], "after");
    assert_eq!(desk.found(&format!("?limit=2&after={after}")).await, [c]);
}
