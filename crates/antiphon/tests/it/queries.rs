//! How query strings are read: lists in every form that clients send, truth values, numbers, times, and whatever nobody asked for.

use serde_json::json;

use crate::kit::{Desk, V3, ids, text};

/// Two threads in one inbox, one in a second and one in a third.
struct Inboxes {
    desk: Desk,
    /// Inbox ids.
    inboxes: [String; 3],
    /// Thread ids, oldest first: in the first, first, second and third inbox.
    threads: [String; 4],
}

impl Inboxes {
    async fn open() -> Self {
        let desk = Desk::open().await;
        let mut chats = vec![desk.portal.chat.clone()];
        let mut inboxes = vec![desk.portal.inbox.clone()];
        for name in ["Sales", "Care"] {
            let inbox = desk.make("inboxes", json!({ "name": name })).await;
            let chat = desk
                .make("channel-accounts", json!({ "name": name, "channelId": 1000, "inboxId": inbox["id"] }))
                .await;
            inboxes.push(text(&inbox, "id"));
            chats.push(text(&chat, "id"));
        }
        let mut threads = Vec::new();
        for (number, chat) in [&chats[0], &chats[0], &chats[1], &chats[2]].into_iter().enumerate() {
            let identifier =
                json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": format!("visitor-{number}") });
            let body =
                json!({ "channelAccountId": chat, "sender": { "identifier": identifier }, "text": "Hello" });
            threads.push(desk.portal.inject(body).await);
        }
        Self { desk, inboxes: inboxes.try_into().unwrap(), threads: threads.try_into().unwrap() }
    }
}

#[tokio::test]
async fn lists_come_in_every_form() {
    let Inboxes { desk, inboxes: [a, b, _], threads } = Inboxes::open().await;
    let both = &threads[..3];
    for query in [
        format!("inboxId={a}&inboxId={b}"),
        format!("inboxId={a},{b}"),
        format!("inboxId={a}%2C{b}"),
        format!("inboxId={a},%20{b}"),
        format!("inboxId[]={a}&inboxId[]={b}"),
        format!("inboxId%5B%5D={a}&inboxId%5B%5D={b}"),
        format!("inboxId[0]={a}&inboxId[1]={b}"),
        format!("inboxId%5B0%5D={a}&inboxId%5B1%5D={b}"),
        format!("inboxId={a}&inboxId[]={b}"),
        format!("inboxId={a},{a}&inboxId[3]={b},{a}"),
        format!("inboxId={a},,{b},"),
        format!("inboxId=&inboxId={a}&inboxId={b}"),
    ] {
        assert_eq!(desk.found(&format!("?{query}")).await, both, "{query}");
    }
    assert_eq!(desk.found(&format!("?inboxId={b}")).await, [threads[2].clone()]);
    assert_eq!(desk.found("?inboxId=").await, threads);
    for query in [
        "sort[]=id",
        "sort[0]=id",
        "sort=id,createdAt",
        "association[]=TICKET",
        "property=id,status",
        "property[]=id&property=status",
        "properties=x",
    ] {
        assert_eq!(desk.found(&format!("?{query}")).await, threads, "{query}");
    }
    for (query, expected) in [
        (format!("inboxId={a}&inboxId={b}"), 3),
        (format!("inboxId={a},{b}&channelId=1000"), 2),
        (format!("inboxId={a}&channelId[]=1000&channelId[]=1002"), 2),
        ("channelId=1002%2C1003".to_owned(), 1),
    ] {
        let page = desk.get(&format!("/channel-accounts?{query}")).await.expect(200).json();
        assert_eq!(page["total"], expected, "{query}");
    }
}

#[tokio::test]
async fn truth_values() {
    let desk = Desk::open().await;
    let (live, gone) = (desk.chat("ines").await, desk.chat("omar").await);
    desk.delete(&format!("/threads/{gone}")).await.expect(204);
    for (value, archived) in [
        ("true", true),
        ("True", true),
        ("TRUE", true),
        ("1", true),
        ("false", false),
        ("False", false),
        ("0", false),
        ("", false),
        ("false&archived=true", true),
        ("true&archived=", true),
    ] {
        let expected = if archived { &gone } else { &live };
        assert_eq!(desk.found(&format!("?archived={value}")).await, [expected.as_str()], "{value}");
    }
    for path in [
        "/threads".to_owned(),
        format!("/threads/{live}"),
        format!("/threads/{live}/messages"),
        "/inboxes".into(),
        format!("/inboxes/{}", desk.portal.inbox),
        "/channel-accounts".into(),
        format!("/channel-accounts/{}", desk.portal.chat),
    ] {
        for value in ["yes", "2", "tru", "null"] {
            let refused = desk.get(&format!("{path}?archived={value}")).await.expect(400);
            assert_eq!(refused.problems(), ["archived"], "{path}");
        }
    }
    let refused = desk
        .patch(&format!("/threads/{live}?archived=maybe"), json!({ "status": "CLOSED" }))
        .await
        .expect(400);
    assert_eq!(refused.problems(), ["archived"]);
}

#[tokio::test]
async fn numbers() {
    let desk = Desk::open().await;
    let thread = desk.portal.thread_of(3).await;
    for path in [
        "/threads".to_owned(),
        format!("/threads/{thread}/messages"),
        "/inboxes".into(),
        "/channels".into(),
        "/channel-accounts".into(),
    ] {
        for value in ["0", "-1", "ten", "1.5", "1e2", "99999999999999999999"] {
            let refused = desk.get(&format!("{path}?limit={value}")).await.expect(400);
            assert_eq!(refused.problems(), ["limit"], "{path} {value}");
            assert_eq!(refused.json()["category"], "VALIDATION_ERROR");
        }
        for value in ["1", "%2B1", "+1", "501", "2147483647", "", "0&limit=1", "1&limit="] {
            desk.get(&format!("{path}?limit={value}")).await.expect(200);
        }
        let one = desk.get(&format!("{path}?limit=1")).await.expect(200).json();
        assert_eq!(one["results"].as_array().unwrap().len(), 1);
    }
    for query in ["inboxId=x", "inboxId=2147483648", "inboxId=1.0", "inboxId=1,x"] {
        assert_eq!(
            desk.get(&format!("/threads?{query}")).await.expect(400).problems(),
            ["inboxId"],
            "{query}"
        );
        assert_eq!(
            desk.get(&format!("/channel-accounts?{query}")).await.expect(400).problems(),
            ["inboxId"],
            "{query}"
        );
    }
    for name in ["associatedContactId", "associatedTicketId"] {
        for value in ["x", "5.5", "9007199254740992"] {
            assert_eq!(desk.get(&format!("/threads?{name}={value}")).await.expect(400).problems(), [name]);
        }
        // Numbers that nobody has.
        for value in ["9007199254740991", "0", "-5"] {
            assert!(desk.found(&format!("?{name}={value}")).await.is_empty());
        }
    }
}

#[tokio::test]
async fn times() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    // The message came a moment after 2026-03-01T08:00:00Z.
    let latest = text(&desk.thread(&id).await, "latestMessageTimestamp");
    for (time, found) in [
        (latest.as_str(), true),
        ("2026-03-01T08:00:00Z", true),
        ("2026-03-01T08:00:00.000Z", true),
        ("2026-03-01T08:00:00.000000000Z", true),
        ("2026-03-01T08:00:00", true),
        ("2026-03-01", true),
        ("1772352000000", true),
        ("2026-03-01T08:00:00%2B00:00", true),
        ("2026-03-01T08:00:00+00:00", true),
        ("2026-03-01T10:00:00%2B02:00", true),
        ("2026-03-01T10:00:00+02:00", true),
        ("2026-03-01T03:00:00-05:00", true),
        ("2026-03-01T09:00:00Z", false),
        ("2026-03-01T08:00:00-01:00", false),
        ("2026-03-02", false),
        ("1772352060000", false),
    ] {
        let expected: &[String] = if found { std::slice::from_ref(&id) } else { &[] };
        assert_eq!(desk.found(&format!("?latestMessageTimestampAfter={time}")).await, expected, "{time}");
        assert_eq!(
            desk.found(&format!("?sort=latestMessageTimestamp&latestMessageTimestampAfter={time}")).await,
            expected,
            "{time}"
        );
    }
    for time in [
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "08:00",
        "2026-03-01T25:00:00Z",
        "-5",
        "2026-03-01T08:00:00.0000000000Z",
    ] {
        let refused = desk.get(&format!("/threads?latestMessageTimestampAfter={time}")).await.expect(400);
        assert_eq!(refused.problems(), ["latestMessageTimestampAfter"], "{time}");
    }
}

#[tokio::test]
async fn what_nobody_asked_for_is_passed_over() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let strange =
        "latestMessageTimestampBefore=x&properties=a,b&conversationSource=chat&hapikey=secret&%FF=%FE&=&&a=1";
    for path in [
        "/threads".to_owned(),
        format!("/threads/{id}"),
        format!("/threads/{id}/messages"),
        "/inboxes".into(),
        "/channels".into(),
        "/channel-accounts".into(),
        "/actors/S-hubspot".into(),
    ] {
        let plain = desk.get(&path).await.expect(200).json();
        assert_eq!(desk.get(&format!("{path}?{strange}")).await.expect(200).json(), plain, "{path}");
        assert_eq!(desk.get(&format!("{path}?")).await.expect(200).json(), plain, "{path}");
    }
    // A key is no credential.
    desk.server.user("").get(&format!("{V3}/threads?hapikey=secret")).await.expect(401);
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let desk = Desk::open().await;
    let refused = desk
        .get("/threads?inboxId=x&threadStatus=PENDING&association=DEAL&archived=maybe&sort=name&limit=0&after=nonsense&latestMessageTimestampAfter=never")
        .await
        .expect(400);
    let mut problems = refused.problems();
    problems.sort();
    assert_eq!(
        problems,
        [
            "after",
            "archived",
            "association",
            "inboxId",
            "latestMessageTimestampAfter",
            "limit",
            "sort",
            "threadStatus"
        ]
    );
    assert_eq!(refused.json()["message"], "Multiple errors validating request.");
    let refused = desk
        .get("/channel-accounts?inboxId=x&channelId=y&archived=z&limit=0&after=nonsense")
        .await
        .expect(400);
    let mut problems = refused.problems();
    problems.sort();
    assert_eq!(problems, ["after", "archived", "channelId", "inboxId", "limit"]);
    let single = desk.get("/threads?limit=0").await.expect(400).json();
    assert_eq!(single["message"], single["errors"][0]["message"]);
}

#[tokio::test]
async fn links_repeat_the_query_and_never_a_secret() {
    let Inboxes { desk, inboxes: [a, b, _], .. } = Inboxes::open().await;
    let path =
        format!("{V3}/threads?inboxId={a}%2C{b}&association=TICKET&hapikey=secret&x=a%20b&limit=1&after=");
    let page = desk.user.get(&path).await.expect(200).json();
    let next = &page["paging"]["next"];
    let link = text(next, "link");
    assert!(!link.contains("secret"), "{link}");
    let (start, query) = link.split_once('?').unwrap();
    assert_eq!(start, format!("http://inbox.test{V3}/threads"));
    let after: Vec<_> = query.split('&').filter_map(|pair| pair.strip_prefix("after=")).collect();
    assert_eq!(after, [text(next, "after")]);
    // The link leads where the cursor leads.
    let through_link =
        desk.user.get(link.strip_prefix("http://inbox.test").unwrap()).await.expect(200).json();
    let through_cursor = desk.user.get(&format!("{path}{}", after[0])).await.expect(200).json();
    assert_eq!(ids(&through_link), ids(&through_cursor));
    assert_eq!(through_link["paging"]["next"]["after"], through_cursor["paging"]["next"]["after"]);
}
