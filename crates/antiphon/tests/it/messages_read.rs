//! Reading history: pages, single entries, original content.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Desk, V3, at, error, ids, text};

/// A thread with an entry of every kind, welcome message included.
async fn all_kinds(desk: &Desk) -> String {
    desk.edit(
        &format!("channel-accounts/{}", desk.portal.chat),
        json!({ "welcomeMessage": "Hello! How can we help?" }),
    )
    .await;
    let other = desk.make("inboxes", json!({ "name": "Care" })).await;
    let id = desk.chat("ines").await;
    desk.server.advance(Duration::from_secs(60));
    desk.send(&id, desk.on_chat("Hi Ines")).await;
    desk.send(&id, json!({ "type": "COMMENT", "text": "A regular" })).await;
    let moved = desk
        .portal
        .operator()
        .put(&format!("/antiphon/v1/threads/{id}/inbox"), json!({ "inboxId": other["id"] }))
        .await;
    assert!(moved.status < 300, "{}", moved.text());
    id
}

#[tokio::test]
async fn six_kinds_as_a_whole() {
    let desk = Desk::open().await;
    let id = all_kinds(&desk).await;
    let thread = desk.thread(&id).await;
    let (app, agent) = (desk.portal.app.parse::<i64>().unwrap(), desk.portal.agent.clone());
    let visitor = format!("V-{}", text(&thread, "associatedContactId"));
    let opaque = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "ines" });
    let begun = text(&thread, "createdAt");
    let begun: i64 = begun[20..23].parse().unwrap();
    let sender = json!([{ "actorId": "S-hubspot" }]);
    let integration = json!({ "clientType": "INTEGRATION", "integrationAppId": app });
    let mut expected = vec![
        json!({ "type": "WELCOME_MESSAGE", "createdAt": at(begun), "createdBy": "S-hubspot", "client": { "clientType": "SYSTEM" },
                "senders": sender, "recipients": [{ "actorId": visitor, "deliveryIdentifier": opaque }], "archived": false,
                "text": "Hello! How can we help?", "richText": "<div>Hello! How can we help?</div>",
                "channelId": "1000", "channelAccountId": desk.portal.chat }),
        json!({ "type": "MESSAGE", "createdAt": at(begun + 1), "updatedAt": at(begun + 1), "createdBy": visitor,
                "client": { "clientType": "HUBSPOT" },
                "senders": [{ "actorId": visitor, "name": "ines", "deliveryIdentifier": opaque }], "recipients": [],
                "archived": false, "text": "Hello", "richText": "<div>Hello</div>", "attachments": [],
                "direction": "INCOMING", "channelId": "1000", "channelAccountId": desk.portal.chat,
                "truncationStatus": "NOT_TRUNCATED", "status": { "statusType": "RECEIVED" } }),
        json!({ "type": "THREAD_STATUS_CHANGE", "createdAt": at(begun + 2), "createdBy": "S-hubspot",
                "client": { "clientType": "SYSTEM" }, "senders": sender, "recipients": [], "archived": false, "newStatus": "OPEN" }),
        json!({ "type": "MESSAGE", "createdAt": at(60_000), "updatedAt": at(60_000), "createdBy": format!("I-{app}"),
                "client": integration, "senders": [{ "actorId": agent, "name": "Mia Chen" }],
                "recipients": [{ "actorId": visitor, "name": "ines", "deliveryIdentifier": opaque }],
                "archived": false, "text": "Hi Ines", "richText": "<div>Hi Ines</div>", "attachments": [],
                "direction": "OUTGOING", "channelId": "1000", "channelAccountId": desk.portal.chat,
                "truncationStatus": "NOT_TRUNCATED", "status": { "statusType": "SENT" } }),
        json!({ "type": "ASSIGNMENT", "createdAt": at(60_001), "createdBy": agent, "client": { "clientType": "SYSTEM" },
                "senders": sender, "recipients": [], "archived": false, "assignedTo": agent }),
        json!({ "type": "COMMENT", "createdAt": at(60_002), "createdBy": format!("I-{app}"), "client": integration,
                "senders": [{ "actorId": format!("I-{app}"), "name": "Bridge" }], "recipients": [], "archived": false,
                "text": "A regular", "richText": "<div>A regular</div>", "attachments": [] }),
        json!({ "type": "THREAD_INBOX_CHANGE", "createdAt": at(60_003), "createdBy": "S-hubspot", "client": { "clientType": "SYSTEM" }, "senders": sender,
                "recipients": [], "archived": false, "fromInboxId": desk.portal.inbox, "toInboxId": thread["inboxId"] }),
    ];
    let history = desk.history(&id).await;
    for (entry, expected) in history.iter().zip(&mut expected) {
        expected["id"] = entry["id"].clone();
        expected["conversationsThreadId"] = json!(id);
        let id = text(entry, "id");
        assert!(
            id.len() == 32 && id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)),
            "{id}"
        );
    }
    assert_eq!(history, expected);

    // Newest first is the default, and either order is the other one reversed.
    let reversed: Vec<_> = history.iter().rev().cloned().collect();
    for query in ["", "?sort=-createdAt", "?sort[]=-createdAt&property=id"] {
        let page = desk.get(&format!("/threads/{id}/messages{query}")).await.expect(200).json();
        assert_eq!(page, json!({ "results": reversed }));
    }
    for entry in &history {
        let path = format!("/threads/{id}/messages/{}", text(entry, "id"));
        assert_eq!(desk.get(&format!("{path}?property=text")).await.expect(200).json(), *entry);
        let original = desk.get(&format!("{path}/original-content")).await;
        match entry["type"].as_str().unwrap() {
            "MESSAGE" | "COMMENT" | "WELCOME_MESSAGE" => {
                let bodies = json!({ "text": entry["text"], "richText": entry["richText"] });
                assert_eq!(original.expect(200).json(), bodies);
            }
            _ => assert_eq!(error(&original.expect(404))["context"]["id"], json!([entry["id"]])),
        }
    }
}

#[tokio::test]
async fn pages_both_ways() {
    let desk = Desk::open().await;
    let id = desk.portal.thread_of(23).await;
    let history = desk.history(&id).await;
    assert_eq!(history.len(), 24);
    let times: Vec<_> = history.iter().map(|entry| text(entry, "createdAt")).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "no two entries share a time");
    for limit in [1, 5, 23, 24, 25, 500, 600] {
        for (sort, expected) in [
            ("createdAt", history.clone()),
            ("-createdAt", history.iter().rev().cloned().collect::<Vec<_>>()),
        ] {
            let mut walked = Vec::new();
            let mut cursors = std::collections::HashSet::new();
            let mut after = String::new();
            loop {
                let page = desk
                    .get(&format!("/threads/{id}/messages?limit={limit}&sort={sort}&after={after}"))
                    .await
                    .expect(200)
                    .json();
                let results = page["results"].as_array().unwrap();
                assert!(!results.is_empty() && results.len() <= limit);
                walked.extend(results.iter().cloned());
                let Some(next) = page.get("paging") else { break };
                assert_eq!(results.len(), limit, "a page that has a next one is full");
                after = text(&next["next"], "after");
                assert!(cursors.insert(after.clone()), "no cursor comes twice");
            }
            assert_eq!(walked, expected, "{limit} {sort}");
        }
    }
}

#[tokio::test]
async fn what_is_refused() {
    let desk = Desk::open().await;
    let (id, other) = (desk.chat("ines").await, desk.chat("omar").await);
    let path = format!("/threads/{id}/messages");
    for (query, named) in [
        ("sort=id", "sort"),
        ("sort=createdat", "sort"),
        ("limit=0", "limit"),
        ("after=x", "after"),
        ("archived=x", "archived"),
    ] {
        assert_eq!(desk.get(&format!("{path}?{query}")).await.expect(400).problems(), [named]);
    }
    desk.get(&format!("{path}?archived=true")).await.expect(404);
    desk.get(&format!("{path}?archived=false&sort=createdAt,id")).await.expect(200);
    let message = text(&desk.history(&id).await[0], "id");
    for wrong in [
        "x".to_owned(),
        "0".into(),
        message.to_uppercase(),
        format!("{message}0"),
        message[1..].into(),
        "00000000000000000000000000000000".into(),
        "0199f2b1-c4de-7a01-9c33-77aa10b2ef54".into(),
    ] {
        for rest in ["", "/original-content"] {
            let reply = desk.get(&format!("{path}/{wrong}{rest}")).await.expect(404);
            assert_eq!(error(&reply)["context"]["id"], json!([wrong]));
        }
    }
    // A message of another thread.
    desk.get(&format!("/threads/{other}/messages/{message}")).await.expect(404);
    desk.get(&format!("/threads/{other}/messages/{message}/original-content")).await.expect(404);
}

#[tokio::test]
async fn what_arrives_during_a_walk() {
    let desk = Desk::open().await;
    let id = desk.portal.thread_of(6).await;
    let path = format!("{V3}/threads/{id}/messages");
    let down = desk.user.get(&format!("{path}?limit=3")).await.expect(200).json();
    let up = desk.user.get(&format!("{path}?limit=3&sort=createdAt")).await.expect(200).json();
    let late = desk.send(&id, json!({ "type": "COMMENT", "text": "late" })).await;
    let rest = async |page: &Value, query: &str| {
        let after = text(&page["paging"]["next"], "after");
        desk.user.all(&format!("{path}?{query}limit=100&after={after}")).await
    };
    let down = [ids(&down), ids(&json!({ "results": rest(&down, "").await }))].concat();
    let up = [ids(&up), ids(&json!({ "results": rest(&up, "sort=createdAt&").await }))].concat();
    let late = text(&late, "id");
    assert!(!down.contains(&late), "what is newer than the walk is not part of it");
    assert_eq!(up.last(), Some(&late), "what is new is at the end");
    assert_eq!(down.iter().rev().collect::<Vec<_>>(), up[..7].iter().collect::<Vec<_>>());
}
