//! Threads as agents see them: lists, tags, snoozes, views and counts.

use std::time::Duration;

use antiphon::jobs;
use antiphon_testkit::EPOCH;
use serde_json::{Value, json};

use crate::kit::{Desk, at, ids, text};

const OWN: &str = "/antiphon/v1";

async fn get(desk: &Desk, path: &str) -> Value {
    desk.user.get(&format!("{OWN}{path}")).await.expect(200).json()
}

async fn put(desk: &Desk, path: &str, body: Value) -> Value {
    desk.user.put(&format!("{OWN}{path}"), body).await.expect(200).json()
}

/// Ids of the threads of a list, read in pages of two.
async fn listed(desk: &Desk, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut path = format!("/threads?limit=2&{query}");
    loop {
        let page = get(desk, &path).await;
        all.extend(ids(&page));
        let Some(after) = page["paging"]["next"]["after"].as_str() else { return all };
        path = format!("/threads?limit=2&{query}&after={after}");
    }
}

/// What is counted, and what is listed, agree in every list that an inbox has.
async fn counted(desk: &Desk) -> Value {
    let counts = get(desk, "/views/counts").await;
    for (list, query) in [
        ("unassigned", "state=OPEN&assignee=unassigned"),
        ("open", "state=OPEN"),
        ("snoozed", "state=SNOOZED"),
        ("closed", "state=CLOSED"),
        ("spam", "state=SPAM"),
        ("archived", "state=ARCHIVED"),
    ] {
        assert_eq!(counts["all"][list], json!(listed(desk, query).await.len()), "{list}");
        for inbox in counts["inboxes"].as_array().unwrap() {
            let query = format!("{query}&inboxId={}", text(inbox, "inboxId"));
            assert_eq!(inbox[list], json!(listed(desk, &query).await.len()), "{list} of an inbox");
        }
    }
    assert_eq!(counts["all"]["mine"], 0, "no agent is asking");
    let findings = desk.server.app().store.check(true, |_| true, |_, _| ()).await.unwrap();
    assert_eq!(findings, []);
    counts["all"].clone()
}

#[tokio::test]
async fn a_thread_is_shown_with_what_an_inbox_needs() {
    let desk = Desk::open().await;
    let letter = json!({ "channelAccountId": desk.portal.email, "sender": { "name": "Leo Vance", "email": "leo@example.net" },
                         "subject": "Re: Bicycle", "text": "Hello,\n\n  it   squeaks. Kind regards" });
    let thread = desk.portal.inject(letter).await;
    let shown = get(&desk, &format!("/threads/{thread}")).await;
    let contact = shown["contact"].clone();
    let id = text(&contact, "id");
    assert_eq!(
        shown,
        json!({
            "id": thread, "state": "OPEN", "status": "OPEN", "inboxId": desk.portal.inbox, "channelId": "1002",
            "channelAccountId": desk.portal.email, "subject": "Bicycle", "preview": "Hello, it squeaks. Kind regards",
            "contact": { "id": id, "actorId": format!("V-{id}"), "name": "Leo Vance", "email": "leo@example.net",
                         "contact": true },
            "tags": [], "spam": false, "archived": false, "createdAt": at(0), "latestMessageTimestamp": at(0),
            "latestEntryTimestamp": at(1), "latestDirection": "INCOMING", "unread": false, "readBy": [],
        })
    );
    // HubSpot's shape knows nothing of it.
    let plain = desk.thread(&thread).await;
    assert!(plain.get("preview").is_none() && plain.get("tags").is_none() && plain.get("state").is_none());
    desk.server.advance(Duration::from_secs(1));
    let chat = desk.chat("ines").await;
    desk.send(&chat, desk.on_chat(&"word ".repeat(60))).await;
    let answered = get(&desk, &format!("/threads/{chat}")).await;
    assert_eq!(answered["preview"].as_str().unwrap().chars().count(), 140);
    assert_eq!(
        (&answered["latestDirection"], &answered["assignedTo"]),
        (&json!("OUTGOING"), &json!(desk.portal.agent))
    );
    assert!(answered["contact"].get("email").is_none());
    let page = get(&desk, "/threads").await;
    assert_eq!(ids(&page), [chat.clone(), thread.clone()]);
    let mut first = answered.clone();
    first.as_object_mut().unwrap().remove("readBy");
    assert_eq!(page["results"][0], first);
    assert_eq!(desk.user.get(&format!("{OWN}/threads/777777")).await.status, 404);
    desk.delete(&format!("/threads/{chat}")).await.expect(204);
    assert_eq!(get(&desk, &format!("/threads/{chat}")).await["state"], "ARCHIVED");
}

#[tokio::test]
async fn every_change_of_a_thread_moves_it_between_lists_and_is_counted() {
    let desk = Desk::open().await;
    let care = text(&desk.make("inboxes", json!({ "name": "Care" })).await, "id");
    let mut threads = Vec::new();
    for name in ["ines", "omar", "lena", "ada", "leo"] {
        desk.server.advance(Duration::from_secs(1));
        threads.push(desk.chat(name).await);
    }
    let start = json!({ "channelAccountId": desk.portal.email, "recipient": { "email": "sam@example.net" } });
    let silent = text(&desk.make("threads", start).await, "id");
    let mut newest: Vec<_> = threads.iter().rev().cloned().collect();
    // Nothing was said in it, so it is as new as it is.
    newest.insert(0, silent.clone());
    assert_eq!(listed(&desk, "").await, newest);
    assert_eq!(listed(&desk, "state=OPEN").await, newest);
    let open = counted(&desk).await;
    assert_eq!((&open["open"], &open["unassigned"]), (&json!(6), &json!(6)));

    let [ines, omar, lena, ada, leo] = &threads[..] else { panic!() };
    let agent = json!({ "actorId": desk.portal.agent });
    desk.put(&format!("/threads/{ines}/assignee"), agent).await.expect(200);
    desk.patch(&format!("/threads/{omar}"), json!({ "status": "CLOSED" })).await.expect(200);
    desk.portal.operator().put(&format!("{OWN}/threads/{lena}/spam"), json!({})).await.expect(200);
    desk.delete(&format!("/threads/{ada}")).await.expect(204);
    desk.portal
        .operator()
        .put(&format!("{OWN}/threads/{leo}/inbox"), json!({ "inboxId": care }))
        .await
        .expect(200);
    put(&desk, &format!("/threads/{silent}/snooze"), json!({ "until": at(3_600_000) })).await;
    let counts = counted(&desk).await;
    assert_eq!(
        counts,
        json!({ "unassigned": 1, "mine": 0, "open": 2, "snoozed": 1, "closed": 1, "spam": 1, "archived": 1 })
    );
    assert_eq!(listed(&desk, &format!("assignee={}", desk.portal.agent)).await, [ines.as_str()]);
    assert_eq!(listed(&desk, &format!("inboxId={care}")).await, [leo.as_str()]);
    assert_eq!(listed(&desk, "state=CLOSED,SPAM").await, [lena.clone(), omar.clone()]);
    assert_eq!(listed(&desk, &format!("channelAccountId={}", desk.portal.email)).await, [silent.as_str()]);
    let contact = text(&desk.thread(omar).await, "associatedContactId");
    assert_eq!(listed(&desk, &format!("contactId={contact}")).await, [omar.as_str()]);
    assert_eq!(listed(&desk, &format!("contactId={contact}&state=OPEN")).await, [] as [String; 0]);

    // Whatever is said comes first.
    desk.server.advance(Duration::from_secs(60));
    desk.send(ines, desk.on_chat("Hi")).await;
    assert_eq!(listed(&desk, "state=OPEN").await, [ines.clone(), leo.clone()]);
    desk.portal.chat_from("omar", "Still there?").await;
    assert_eq!(listed(&desk, "state=OPEN").await[0], *omar, "writing opens it again");
    counted(&desk).await;
    // Time goes by, and the trash is emptied.
    jobs::run_due(desk.server.app(), EPOCH + 40 * 24 * 60 * 60 * 1000).await.unwrap();
    let counts = counted(&desk).await;
    assert_eq!((&counts["archived"], &counts["snoozed"], &counts["open"]), (&json!(0), &json!(0), &json!(4)));
}

#[tokio::test]
async fn a_snooze_ends_when_its_moment_comes_or_the_visitor_writes() {
    let desk = Desk::open().await;
    let (ines, omar) = (desk.chat("ines").await, desk.chat("omar").await);
    let until = at(3_600_000);
    for thread in [&ines, &omar] {
        let shown = put(&desk, &format!("/threads/{thread}/snooze"), json!({ "until": until })).await;
        assert_eq!((&shown["state"], &shown["snoozedUntil"]), (&json!("SNOOZED"), &json!(until)));
    }
    let before = desk.position().await;
    put(&desk, &format!("/threads/{ines}/snooze"), json!({ "until": until })).await;
    assert_eq!(desk.position().await, before, "a repeat is nothing");
    desk.send(&ines, desk.on_chat("We look into it")).await;
    assert_eq!(listed(&desk, "state=SNOOZED").await.len(), 2, "an answer does not wake");
    desk.portal.chat_from("ines", "And?").await;
    assert_eq!(listed(&desk, "state=SNOOZED").await, [omar.as_str()]);
    let shown = get(&desk, &format!("/threads/{ines}")).await;
    assert!(shown.get("snoozedUntil").is_none() && shown["state"] == "OPEN");

    let early = EPOCH + 3_599_999;
    jobs::run_due(desk.server.app(), early).await.unwrap();
    assert_eq!(listed(&desk, "state=SNOOZED").await, [omar.as_str()]);
    let before = desk.position().await;
    jobs::run_due(desk.server.app(), early + 1).await.unwrap();
    assert_eq!(listed(&desk, "state=SNOOZED").await, [] as [String; 0]);
    let events = desk.user.get(&format!("{OWN}/events?after={before}")).await.expect(200).json();
    let event = &events["results"][0];
    assert_eq!(
        (&event["kind"], &event["objectId"], &event["payload"]["propertyName"]),
        (&json!("antiphon.threadTouched"), &json!(omar.parse::<i64>().unwrap()), &json!("snoozedUntil"))
    );
    assert_eq!(
        jobs::run_due(desk.server.app(), early + 1).await.unwrap().iter().map(|(_, n)| n).sum::<u64>(),
        0
    );

    for (body, named) in [
        (json!({}), "until"),
        (json!({ "until": "tomorrow" }), "until"),
        (json!({ "until": at(-1) }), "until"),
        (json!({ "until": "2031-01-01T00:00:00Z" }), "until"),
    ] {
        let refused = desk.user.put(&format!("{OWN}/threads/{ines}/snooze"), body).await.expect(400);
        assert_eq!(refused.problems(), [named]);
    }
    put(&desk, &format!("/threads/{ines}/snooze"), json!({ "until": until })).await;
    desk.user.delete(&format!("{OWN}/threads/{ines}/snooze")).await.expect(204);
    assert_eq!(listed(&desk, "state=SNOOZED").await, [] as [String; 0]);
    counted(&desk).await;
}

#[tokio::test]
async fn tags_find_threads_again() {
    let desk = Desk::open().await;
    let make = async |name: &str, color: &str| {
        let tag = desk.user.post(&format!("{OWN}/tags"), json!({ "name": name, "color": color })).await;
        text(&tag.expect(201).json(), "id")
    };
    let (vip, bug) = (make("VIP", "purple").await, make("Bug", "RED").await);
    let twin = desk.user.post(&format!("{OWN}/tags"), json!({ "name": "vip" })).await.expect(400);
    assert_eq!(twin.problems(), ["name"]);
    let wrong = json!({ "name": "x", "color": "#ff0000" });
    assert_eq!(desk.user.post(&format!("{OWN}/tags"), wrong).await.expect(400).problems(), ["color"]);
    let tags = get(&desk, "/tags").await;
    assert_eq!(
        tags["results"][0],
        json!({ "id": vip, "name": "VIP", "color": "PURPLE", "archived": false, "createdAt": at(0) })
    );

    let mut threads = Vec::new();
    for name in ["ines", "omar", "lena"] {
        desk.server.advance(Duration::from_secs(1));
        threads.push(desk.chat(name).await);
    }
    let [ines, omar, lena] = &threads[..] else { panic!() };
    for thread in [ines, omar, lena] {
        put(&desk, &format!("/threads/{thread}/tags"), json!({ "add": [vip, bug] })).await;
    }
    let shown = put(&desk, &format!("/threads/{omar}/tags"), json!({ "remove": [bug, "777"] })).await;
    assert_eq!(shown["tags"], json!([vip]));
    let endless: Vec<i64> = (1..=101).collect();
    let endless = json!({ "add": endless, "remove": endless });
    let refused = desk.user.put(&format!("{OWN}/threads/{omar}/tags"), endless).await.expect(400);
    assert_eq!(refused.problems(), ["add", "remove"], "whoever waits for a change does not wait for that");
    assert_eq!(listed(&desk, &format!("tagId={vip}")).await, [lena.clone(), omar.clone(), ines.clone()]);
    assert_eq!(listed(&desk, &format!("tagId={bug}")).await, [lena.clone(), ines.clone()]);
    // They move with what is said, and with everything else that lists ask for.
    desk.server.advance(Duration::from_secs(1));
    desk.send(ines, desk.on_chat("Hi")).await;
    assert_eq!(listed(&desk, &format!("tagId={bug}")).await, [ines.clone(), lena.clone()]);
    desk.patch(&format!("/threads/{lena}"), json!({ "status": "CLOSED" })).await.expect(200);
    assert_eq!(listed(&desk, &format!("tagId={bug}&state=OPEN")).await, [ines.as_str()]);
    let contact = text(&desk.thread(lena).await, "associatedContactId");
    assert_eq!(listed(&desk, &format!("tagId={bug}&contactId={contact}")).await, [lena.as_str()]);
    counted(&desk).await;

    desk.user.delete(&format!("{OWN}/tags/{bug}")).await.expect(204);
    let refused =
        desk.user.put(&format!("{OWN}/threads/{omar}/tags"), json!({ "add": [bug] })).await.expect(400);
    assert_eq!(refused.problems(), ["add"]);
    assert_eq!(listed(&desk, &format!("tagId={bug}")).await.len(), 2, "threads keep it");
    let archived = get(&desk, "/tags?archived=true").await;
    assert_eq!(ids(&archived), [bug.as_str()]);
    assert_eq!(ids(&get(&desk, "/tags?archived=false").await), [vip.as_str()]);
    let back = json!({ "archived": false, "name": "Defect", "color": "TEAL" });
    let back = desk.user.patch(&format!("{OWN}/tags/{bug}"), back).await.expect(200).json();
    assert_eq!(
        (&back["name"], &back["color"], &back["archived"]),
        (&json!("Defect"), &json!("TEAL"), &json!(false))
    );
    desk.delete(&format!("/threads/{ines}")).await.expect(204);
    jobs::run_due(desk.server.app(), EPOCH + 40 * 24 * 60 * 60 * 1000).await.unwrap();
    assert_eq!(listed(&desk, &format!("tagId={bug}")).await, [lena.as_str()]);
    counted(&desk).await;
}

#[tokio::test]
async fn a_view_shows_what_its_filter_says_and_counts_it() {
    let desk = Desk::open().await;
    let tag = text(&desk.make("tags", json!({ "name": "VIP" })).await, "id");
    let (ines, omar) = (desk.chat("ines").await, desk.chat("omar").await);
    put(&desk, &format!("/threads/{ines}/tags"), json!({ "add": [tag] })).await;
    let agent = json!({ "actorId": desk.portal.agent });
    desk.put(&format!("/threads/{omar}/assignee"), agent).await.expect(200);
    let filter = json!({ "inboxIds": [desk.portal.inbox], "channelAccountIds": [desk.portal.chat], "states": ["OPEN"],
                         "assignee": "unassigned", "tagId": tag });
    let made = desk
        .user
        .post(&format!("{OWN}/views"), json!({ "name": "VIPs", "filter": filter }))
        .await
        .expect(201);
    let view = made.json();
    let id = text(&view, "id");
    let mut said = filter.clone();
    said["assignee"] = json!("UNASSIGNED");
    assert_eq!(
        view,
        json!({ "id": id, "name": "VIPs", "shared": true, "position": 0, "filter": said, "createdAt": at(0) })
    );
    let other = json!({ "name": "Agent's", "filter": { "assignee": desk.portal.agent } });
    let other = desk.user.post(&format!("{OWN}/views"), other).await.expect(201).json();
    assert_eq!(other["position"], 1);
    let other = text(&other, "id");
    assert_eq!(listed(&desk, &format!("viewId={id}")).await, [ines.as_str()]);
    assert_eq!(listed(&desk, &format!("viewId={other}")).await, [omar.as_str()]);
    let counts = get(&desk, "/views/counts").await;
    assert_eq!(counts["views"], json!([{ "id": id, "count": 1 }, { "id": other, "count": 1 }]));
    let mixed = desk.user.get(&format!("{OWN}/threads?viewId={id}&state=OPEN")).await.expect(400);
    assert_eq!(mixed.problems(), ["state"]);

    let changed = json!({ "filter": { "assignee": "ME" }, "position": 7 });
    let changed = desk.user.patch(&format!("{OWN}/views/{id}"), changed).await.expect(200).json();
    assert_eq!((&changed["position"], &changed["filter"]["assignee"]), (&json!(7), &json!("ME")));
    assert_eq!(changed["filter"]["states"], json!([]));
    assert_eq!(listed(&desk, &format!("viewId={id}")).await, [] as [String; 0], "nobody has none");
    for (body, named) in [
        (json!({}), vec!["name"]),
        (json!({ "name": "x", "shared": false }), vec!["shared"]),
        (json!({ "name": "x", "filter": { "states": ["PENDING"] } }), vec!["filter.states"]),
        (json!({ "name": "x", "filter": { "assignee": "V-1" } }), vec!["filter.assignee"]),
        (
            json!({ "name": "x", "filter": { "inboxIds": ["x"], "tagId": "y" } }),
            vec!["filter.inboxIds", "filter.tagId"],
        ),
        (json!({ "name": "x", "position": -1 }), vec!["position"]),
    ] {
        let refused = desk.user.post(&format!("{OWN}/views"), body).await.expect(400);
        assert_eq!(refused.problems(), named);
    }
    desk.user.delete(&format!("{OWN}/views/{other}")).await.expect(204);
    assert_eq!(desk.user.delete(&format!("{OWN}/views/{other}")).await.status, 404);
    assert_eq!(ids(&get(&desk, "/views").await), [id]);
}

#[tokio::test]
async fn an_agent_has_threads_and_views_of_their_own_and_reads() {
    let desk = Desk::open().await;
    let mia = Desk { user: desk.portal.signed_in("AGENT").await, ..desk.clone() };
    let jon = Desk { user: desk.portal.colleague("Jon", "AGENT").await, ..desk.clone() };
    let (ines, omar) = (desk.chat("ines").await, desk.chat("omar").await);
    let agent = json!({ "actorId": desk.portal.agent });
    desk.put(&format!("/threads/{ines}/assignee"), agent).await.expect(200);
    assert_eq!(listed(&mia, "assignee=me").await, [ines.as_str()]);
    assert_eq!(listed(&jon, "assignee=me").await, [] as [String; 0]);
    let own = json!({ "name": "Mine", "filter": { "assignee": "me", "states": ["OPEN"] } });
    let own = mia.user.post(&format!("{OWN}/views"), own).await.expect(201).json();
    let view = text(&own, "id");
    assert_eq!(
        (&own["shared"], &own["ownerAgentId"]),
        (&json!(false), &json!(desk.portal.agent.replace("A-", "")))
    );
    assert_eq!(listed(&mia, &format!("viewId={view}")).await, [ines.as_str()]);
    let counts = get(&mia, "/views/counts").await;
    assert_eq!((&counts["views"], &counts["all"]["mine"]), (&json!([{ "id": view, "count": 1 }]), &json!(1)));
    for other in [&jon, &desk] {
        assert_eq!(get(other, "/views").await["results"], json!([]));
        assert_eq!(get(other, "/views/counts").await["views"], json!([]));
        other.user.get(&format!("{OWN}/threads?viewId={view}")).await.expect(400);
        other.user.patch(&format!("{OWN}/views/{view}"), json!({ "name": "Jon's" })).await.expect(404);
        other.user.delete(&format!("{OWN}/views/{view}")).await.expect(404);
    }
    mia.user.patch(&format!("{OWN}/views/{view}"), json!({ "shared": true })).await.expect(200);
    assert_eq!(
        get(&jon, "/views/counts").await["views"],
        json!([{ "id": view, "count": 0 }]),
        "Jon has none"
    );

    let unread = async |desk: &Desk| {
        let page = get(desk, "/threads").await;
        let all = page["results"].as_array().unwrap().iter().filter(|thread| thread["unread"] == true);
        all.map(|thread| text(thread, "id")).collect::<Vec<_>>()
    };
    assert_eq!(unread(&mia).await, [omar.as_str(), ines.as_str()]);
    assert_eq!(unread(&desk).await, [] as [String; 0], "programs read nothing");
    let last = desk.history(&omar).await.pop().unwrap();
    let read = json!({ "messageId": last["id"] });
    mia.user.put(&format!("{OWN}/threads/{omar}/read"), read).await.expect(204);
    assert_eq!(unread(&mia).await, [ines.as_str()]);
    assert_eq!(unread(&jon).await, [omar.as_str(), ines.as_str()]);
    let shown = get(&jon, &format!("/threads/{omar}")).await;
    assert_eq!(
        (&shown["readBy"], &shown["unread"]),
        (&json!([{ "actorId": desk.portal.agent, "messageId": last["id"], "at": at(0) }]), &json!(true))
    );
    desk.server.advance(Duration::from_secs(1));
    desk.portal.chat_from("omar", "Hello?").await;
    assert_eq!(unread(&mia).await, [omar.as_str(), ines.as_str()]);
    // Who may only read changes nothing.
    let ada = desk.portal.colleague("Ada", "READ_ONLY").await;
    for (method, path) in [("POST", "/tags"), ("POST", "/views")] {
        ada.send(method, &format!("{OWN}{path}"), json!({ "name": "x" }).to_string()).await.expect(403);
    }
    let until = json!({ "until": at(3_600_000) });
    ada.put(&format!("{OWN}/threads/{omar}/snooze"), until).await.expect(403);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_at_once() {
    let desk = Desk::open().await;
    desk.chat("ines").await;
    for (query, named) in [
        ("state=PENDING", vec!["state"]),
        ("assignee=nobody", vec!["assignee"]),
        ("assignee=me", vec!["assignee"]),
        ("sort=id", vec!["sort"]),
        ("viewId=5", vec!["viewId"]),
        ("limit=0&after=x&tagId=y", vec!["limit", "after", "tagId"]),
    ] {
        let refused = desk.user.get(&format!("{OWN}/threads?{query}")).await.expect(400);
        assert_eq!(refused.problems(), named, "{query}");
    }
    assert_eq!(ids(&get(&desk, "/threads?limit=9999&sort=latest&assignee=ANY").await).len(), 1);
    assert_eq!(get(&desk, "/threads?tagId=0").await["results"], json!([]));
    assert_eq!(get(&desk, "/threads?contactId=-4").await["results"], json!([]));
}
