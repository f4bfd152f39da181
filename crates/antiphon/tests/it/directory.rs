//! Inboxes, channels and channel accounts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Desk, V3, at, error, ids, text};

#[tokio::test]
async fn inboxes_as_a_whole() {
    let desk = Desk::open().await;
    desk.server.advance(Duration::from_secs(1));
    let care = desk.make("inboxes", json!({ "name": "Care", "type": "HELP_DESK" })).await;
    let first = json!({ "id": desk.portal.inbox, "name": "Support", "type": "INBOX", "createdAt": at(0), "updatedAt": at(0), "archived": false });
    let mut second = json!({ "id": care["id"], "name": "Care", "type": "HELP_DESK", "createdAt": at(1000), "updatedAt": at(1000), "archived": false });
    let list = desk.get("/inboxes").await.expect(200).json();
    assert_eq!(list, json!({ "results": [first, second], "total": 2 }));
    let path = format!("/inboxes/{}", text(&care, "id"));
    assert_eq!(desk.get(&path).await.expect(200).json(), second);
    desk.server.advance(Duration::from_secs(1));
    desk.edit(&path[1..], json!({ "archived": true })).await;
    for (name, value) in
        [("archived", json!(true)), ("archivedAt", json!(at(2000))), ("updatedAt", json!(at(2000)))]
    {
        second[name] = value;
    }
    assert_eq!(desk.get(&format!("{path}?archived=true")).await.expect(200).json(), second);
    assert_eq!(
        desk.get("/inboxes?archived=true").await.expect(200).json(),
        json!({ "results": [second], "total": 1 })
    );
    assert_eq!(desk.get("/inboxes").await.expect(200).json(), json!({ "results": [first], "total": 1 }));
    desk.get(&path).await.expect(404);
    desk.get(&format!("/inboxes/{}?archived=true", desk.portal.inbox)).await.expect(404);
}

#[tokio::test]
async fn channels_as_a_whole() {
    let desk = Desk::open().await;
    let built_in = [
        (1000, "LIVE_CHAT"),
        (1001, "FB_MESSENGER"),
        (1002, "EMAIL"),
        (1003, "FORMS"),
        (1004, "CUSTOMER_PORTAL_THREAD_VIEW"),
        (1007, "WHATSAPP"),
        (1009, "SMS"),
        (1010, "INSTAGRAM"),
        (1011, "MIGRATION"),
    ];
    let all: Vec<_> =
        built_in.iter().map(|(id, name)| json!({ "id": id.to_string(), "name": name })).collect();
    assert_eq!(desk.get("/channels").await.expect(200).json(), json!({ "results": all, "total": 9 }));
    for channel in &all {
        let path = format!("/channels/{}", text(channel, "id"));
        assert_eq!(desk.get(&path).await.expect(200).json(), *channel);
        assert_eq!(desk.get(&format!("{path}?archived=true")).await.expect(200).json(), *channel);
    }
    for id in ["1005", "999", "1000000", "0", "x", "01000", "99999999999"] {
        let reply = desk.get(&format!("/channels/{id}")).await.expect(404);
        assert_eq!(error(&reply)["context"]["id"], json!([id]));
    }
    let mut names: Vec<_> = built_in.iter().map(|(_, name)| *name).collect();
    names.sort_unstable();
    let sorted = desk.get("/channels?sort=name").await.expect(200).json();
    assert_eq!(
        sorted["results"].as_array().unwrap().iter().map(|one| text(one, "name")).collect::<Vec<_>>(),
        names
    );
    // What is no filter here is passed over.
    assert_eq!(desk.get("/channels?archived=true&inboxId=7").await.expect(200).json()["total"], 9);
}

#[tokio::test]
async fn accounts_as_a_whole() {
    let desk = Desk::open().await;
    let address = json!({ "type": "HS_EMAIL_ADDRESS", "value": "help@acme.example" });
    let chat = json!({ "id": desk.portal.chat, "name": "Website", "channelId": "1000", "inboxId": desk.portal.inbox, "active": true,
                       "authorized": true, "createdAt": at(0), "archived": false });
    let email = json!({ "id": desk.portal.email, "name": "Helpdesk", "channelId": "1002", "inboxId": desk.portal.inbox, "active": true,
                        "authorized": true, "createdAt": at(0), "archived": false, "deliveryIdentifier": address });
    assert_eq!(
        desk.get("/channel-accounts").await.expect(200).json(),
        json!({ "results": [chat, email], "total": 2 })
    );
    let path = format!("/channel-accounts/{}", desk.portal.email);
    assert_eq!(desk.get(&path).await.expect(200).json(), email);
    desk.edit(&path[1..], json!({ "active": false, "authorized": false })).await;
    let off = desk.get(&path).await.expect(200).json();
    assert_eq!((&off["active"], &off["authorized"]), (&json!(false), &json!(false)));
    desk.server.advance(Duration::from_secs(5));
    desk.edit(&path[1..], json!({ "archived": true })).await;
    // Clients skip mailboxes that are gone by this answer.
    assert_eq!(error(&desk.get(&path).await.expect(404))["context"]["id"], json!([desk.portal.email]));
    let gone = desk.get(&format!("{path}?archived=true")).await.expect(200).json();
    assert_eq!((&gone["archived"], &gone["archivedAt"]), (&json!(true), &json!(at(5000))));
    assert_eq!(
        desk.get("/channel-accounts?archived=true").await.expect(200).json(),
        json!({ "results": [gone], "total": 1 })
    );
    assert_eq!(
        desk.get("/channel-accounts").await.expect(200).json(),
        json!({ "results": [chat], "total": 1 })
    );
}

#[tokio::test]
async fn unknown_and_misshapen_ids_are_not_found() {
    let desk = Desk::open().await;
    for collection in ["inboxes", "channel-accounts"] {
        for id in ["999", "0", "-1", "x", "01", "99999999999999999999"] {
            let reply = desk.get(&format!("/{collection}/{id}")).await.expect(404);
            let expected = json!({ "status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND", "context": { "id": [id] } });
            assert_eq!(error(&reply), expected);
        }
    }
    desk.get("/inboxes/2147483648").await.expect(404);
}

/// Six accounts: the two that every portal here has, and four more.
async fn six(desk: &Desk) -> Vec<String> {
    let sales = text(&desk.make("inboxes", json!({ "name": "Sales" })).await, "id");
    let mut made = vec![desk.portal.chat.clone(), desk.portal.email.clone()];
    for (name, channel, inbox, address) in [
        ("beta", 1002, &desk.portal.inbox, "b@acme.example"),
        ("Alpha", 1000, &sales, ""),
        ("alpha", 1002, &sales, "a@acme.example"),
        ("Gamma", 1001, &sales, ""),
    ] {
        desk.server.advance(Duration::from_secs(1));
        let mut body = json!({ "name": name, "channelId": channel, "inboxId": inbox });
        if !address.is_empty() {
            body["deliveryIdentifier"] = json!({ "type": "HS_EMAIL_ADDRESS", "value": address });
        }
        made.push(text(&desk.make("channel-accounts", body).await, "id"));
    }
    made.push(sales);
    made
}

#[tokio::test]
async fn filters_are_or_inside_and_and_between() {
    let desk = Desk::open().await;
    let [chat, email, beta, alpha_chat, alpha, gamma, sales] = six(&desk).await.try_into().unwrap();
    let support = desk.portal.inbox.clone();
    for (query, expected) in [
        ("channelId=1002".to_owned(), vec![&email, &beta, &alpha]),
        ("channelId=1000,1001".into(), vec![&chat, &alpha_chat, &gamma]),
        (format!("inboxId={sales}"), vec![&alpha_chat, &alpha, &gamma]),
        (format!("inboxId={sales},{support}"), vec![&chat, &email, &beta, &alpha_chat, &alpha, &gamma]),
        (format!("inboxId={sales}&channelId=1002"), vec![&alpha]),
        (format!("inboxId={sales}&channelId=1000&channelId=1001"), vec![&alpha_chat, &gamma]),
        (format!("inboxId={support}&channelId=1001"), vec![]),
        ("channelId=1005".into(), vec![]),
        ("inboxId=77777".into(), vec![]),
        (format!("inboxId={sales}&archived=true"), vec![]),
    ] {
        let page = desk.get(&format!("/channel-accounts?{query}")).await.expect(200).json();
        assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn any_field_sorts_and_pages_keep_the_order() {
    let desk = Desk::open().await;
    let [chat, email, beta, alpha_chat, alpha, gamma, _] = six(&desk).await.try_into().unwrap();
    let by_id = vec![&chat, &email, &beta, &alpha_chat, &alpha, &gamma];
    let reversed: Vec<_> = by_id.iter().rev().copied().collect();
    for (sort, expected) in [
        ("", by_id.clone()),
        ("sort=id", by_id.clone()),
        ("sort=-id", reversed.clone()),
        // Names without regard to case, ties by id.
        ("sort=name", vec![&alpha_chat, &alpha, &beta, &gamma, &email, &chat]),
        ("sort=-name", vec![&chat, &email, &gamma, &beta, &alpha_chat, &alpha]),
        ("sort=name,-id", vec![&alpha, &alpha_chat, &beta, &gamma, &email, &chat]),
        ("sort=name&sort=-id", vec![&alpha, &alpha_chat, &beta, &gamma, &email, &chat]),
        ("sort[]=channelId&sort[]=-name", vec![&chat, &alpha_chat, &gamma, &email, &beta, &alpha]),
        ("sort=-createdAt", vec![&gamma, &alpha, &alpha_chat, &beta, &chat, &email]),
        ("sort=-channelId,createdAt", vec![&email, &beta, &alpha, &gamma, &chat, &alpha_chat]),
        ("sort=inboxId,-id", vec![&beta, &email, &chat, &gamma, &alpha, &alpha_chat]),
        ("sort=nonsense", by_id.clone()),
        ("sort=nonsense,-id", reversed),
        ("sort=archivedAt", by_id.clone()),
        ("sort=active,authorized", by_id.clone()),
    ] {
        let page = desk.get(&format!("/channel-accounts?{sort}")).await.expect(200).json();
        assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{sort}");
        assert!(page.get("paging").is_none());
        for limit in [1, 2, 4, 6] {
            let walked = desk.user.all(&format!("{V3}/channel-accounts?{sort}&limit={limit}")).await;
            assert_eq!(
                ids(&json!({ "results": walked })).iter().collect::<Vec<_>>(),
                expected,
                "{sort} {limit}"
            );
        }
    }
    let one = desk.get("/channel-accounts?limit=1&sort=name&channelId=1002").await.expect(200).json();
    assert_eq!(one["total"], 3, "of all matches, not of the page");
    assert!(one["paging"].get("prev").is_none());
    let link = text(&one["paging"]["next"], "link");
    assert!(link.starts_with(&format!("http://inbox.test{V3}/channel-accounts?")), "{link}");
}

#[tokio::test]
async fn how_long_pages_are() {
    let desk = Desk::open().await;
    for number in 0..104 {
        desk.make("inboxes", json!({ "name": format!("Inbox {number}") })).await;
    }
    for (query, length, more) in [
        ("", 100, true),
        ("?defaultPageLength=7", 7, true),
        ("?defaultPageLength=7&limit=3", 3, true),
        ("?limit=105", 105, false),
        ("?limit=9999", 105, false),
        ("?defaultPageLength=9999", 105, false),
    ] {
        let page = desk.get(&format!("/inboxes{query}")).await.expect(200).json();
        assert_eq!(page["results"].as_array().unwrap().len(), length, "{query}");
        assert_eq!((page.get("paging").is_some(), &page["total"]), (more, &json!(105)), "{query}");
    }
    for query in ["?defaultPageLength=0", "?defaultPageLength=x", "?defaultPageLength=-1"] {
        assert_eq!(desk.get(&format!("/inboxes{query}")).await.expect(400).problems(), ["defaultPageLength"]);
    }
    let _: Value = desk.get("/inboxes?sort=-name&limit=500").await.expect(200).json();
}
