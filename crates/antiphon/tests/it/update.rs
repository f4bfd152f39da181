//! `PATCH` and `DELETE` of a thread, row by row.

use std::time::Duration;

use antiphon_store::Quota;
use serde_json::{Value, json};

use crate::kit::{Desk, at, error, text};

/// A thread in one of the states that the table knows.
async fn thread_in(desk: &Desk, state: &str) -> String {
    let id = desk.chat(&format!("visitor-{}", desk.position().await)).await;
    let path = format!("/threads/{id}");
    if state.contains("closed") {
        desk.patch(&path, json!({ "status": "CLOSED" })).await.expect(200);
    }
    if state.contains("archived") {
        desk.delete(&path).await.expect(204);
    }
    id
}

#[tokio::test]
async fn every_row() {
    let desk = Desk::open().await;
    let closed_by_app = vec![format!("STATUS CLOSED by I-{} INTEGRATION", desk.portal.app)];
    let opened_by_app = vec![format!("STATUS OPEN by I-{} INTEGRATION", desk.portal.app)];
    let none = Vec::<String>::new();
    type Row<'a> = (&'a str, &'a str, Value, u16, (&'a str, bool), &'a Vec<String>, &'a [&'a str]);
    let rows: &[Row] = &[
        (
            "open",
            "",
            json!({ "status": "CLOSED" }),
            200,
            ("CLOSED", false),
            &closed_by_app,
            &["status=CLOSED"],
        ),
        (
            "open",
            "",
            json!({ "status": "closed" }),
            200,
            ("CLOSED", false),
            &closed_by_app,
            &["status=CLOSED"],
        ),
        (
            "open",
            "?archived=false",
            json!({ "status": "CLOSED" }),
            200,
            ("CLOSED", false),
            &closed_by_app,
            &["status=CLOSED"],
        ),
        ("closed", "", json!({ "status": "OPEN" }), 200, ("OPEN", false), &opened_by_app, &["status=OPEN"]),
        ("open", "", json!({ "status": "OPEN" }), 200, ("OPEN", false), &none, &[]),
        ("closed", "", json!({ "status": "CLOSED" }), 200, ("CLOSED", false), &none, &[]),
        ("open", "", json!({ "archived": false }), 200, ("OPEN", false), &none, &[]),
        ("closed", "", json!({ "archived": false }), 200, ("CLOSED", false), &none, &[]),
        ("open", "", json!({ "archived": true }), 200, ("OPEN", true), &none, &["deletion"]),
        (
            "open",
            "",
            json!({ "archived": true, "status": "CLOSED" }),
            200,
            ("CLOSED", true),
            &closed_by_app,
            &["status=CLOSED", "deletion"],
        ),
        (
            "open",
            "",
            json!({ "archived": false, "status": "CLOSED" }),
            200,
            ("CLOSED", false),
            &closed_by_app,
            &["status=CLOSED"],
        ),
        ("open", "?archived=true", json!({ "status": "CLOSED" }), 404, ("OPEN", false), &none, &[]),
        ("open", "?archived=true", json!({ "archived": false }), 404, ("OPEN", false), &none, &[]),
        ("open", "?archived=true", json!({}), 404, ("OPEN", false), &none, &[]),
        (
            "archived",
            "?archived=true",
            json!({ "archived": false }),
            200,
            ("OPEN", false),
            &none,
            &["isArchived=false"],
        ),
        (
            "archived",
            "?archived=True",
            json!({ "archived": false }),
            200,
            ("OPEN", false),
            &none,
            &["isArchived=false"],
        ),
        (
            "closed archived",
            "?archived=true",
            json!({ "archived": false }),
            200,
            ("CLOSED", false),
            &none,
            &["isArchived=false"],
        ),
        (
            "archived",
            "?archived=true",
            json!({ "archived": false, "status": "CLOSED" }),
            200,
            ("CLOSED", false),
            &closed_by_app,
            &["isArchived=false", "status=CLOSED"],
        ),
        (
            "closed archived",
            "?archived=true",
            json!({ "archived": false, "status": "OPEN" }),
            200,
            ("OPEN", false),
            &opened_by_app,
            &["isArchived=false", "status=OPEN"],
        ),
        ("archived", "?archived=true", json!({ "status": "CLOSED" }), 400, ("OPEN", true), &none, &[]),
        ("archived", "?archived=true", json!({ "status": "OPEN" }), 400, ("OPEN", true), &none, &[]),
        (
            "archived",
            "?archived=true",
            json!({ "status": "CLOSED", "archived": true }),
            400,
            ("OPEN", true),
            &none,
            &[],
        ),
        ("archived", "?archived=true", json!({ "archived": true }), 200, ("OPEN", true), &none, &[]),
        ("archived", "", json!({ "archived": false }), 404, ("OPEN", true), &none, &[]),
        ("archived", "?archived=false", json!({ "status": "CLOSED" }), 404, ("OPEN", true), &none, &[]),
        ("open", "", json!({}), 400, ("OPEN", false), &none, &[]),
        ("open", "", json!({ "assignedTo": "A-1" }), 400, ("OPEN", false), &none, &[]),
        ("open", "", json!({ "inboxId": "7" }), 400, ("OPEN", false), &none, &[]),
        ("open", "", json!({ "status": null, "archived": null }), 400, ("OPEN", false), &none, &[]),
        ("open", "", json!({ "status": "PENDING" }), 400, ("OPEN", false), &none, &[]),
        (
            "open",
            "",
            json!({ "status": "CLOSED", "inboxId": "7", "spam": true }),
            200,
            ("CLOSED", false),
            &closed_by_app,
            &["status=CLOSED"],
        ),
        ("archived", "?archived=true", json!({}), 400, ("OPEN", true), &none, &[]),
    ];
    for (index, (state, query, body, status, (after_status, archived), entries, events)) in
        rows.iter().enumerate()
    {
        let id = thread_in(&desk, state).await;
        let before = desk.thread(&id).await;
        let position = desk.position().await;
        desk.server.advance(Duration::from_secs(1));
        let reply = desk.patch(&format!("/threads/{id}{query}"), body.clone()).await;
        assert_eq!(reply.status, *status, "row {index} {body}: {}", reply.text());
        let after = desk.thread(&id).await;
        assert_eq!(
            (&after["status"], &after["archived"]),
            (&json!(after_status), &json!(archived)),
            "row {index}"
        );
        assert_eq!(after.get("closedAt").is_some(), *after_status == "CLOSED", "row {index}");
        if *status == 200 {
            assert_eq!(reply.json(), after, "row {index}");
        } else {
            assert_eq!(after, before, "row {index}");
        }
        if *status == 404 {
            assert_eq!(error(&reply)["context"]["id"], json!([id]));
        }
        assert_eq!(desk.events(position).await, *events, "row {index}");
        let restored =
            desk.patch(&format!("/threads/{id}?archived=true"), json!({ "archived": false })).await;
        assert_eq!(restored.status, if *archived { 200 } else { 404 });
        let mut history = desk.told(&id).await;
        let skip = if state.contains("closed") { 3 } else { 2 };
        assert_eq!(history.split_off(skip), **entries, "row {index}");
    }
}

#[tokio::test]
async fn what_names_nothing_names_both_fields() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let refused = desk.patch(&format!("/threads/{id}"), json!({ "inboxId": "7" })).await.expect(400).json();
    let told = refused.to_string();
    assert!(told.contains("status") && told.contains("archived"), "{told}");
    let refused = desk.patch(&format!("/threads/{id}"), json!({ "status": "PENDING" })).await.expect(400);
    assert_eq!(refused.problems(), ["status"]);
    // A wrong type is bad JSON, whether or not the thread is there.
    for id in [&id, "999"] {
        let refused =
            desk.patch(&format!("/threads/{id}"), json!({ "archived": "perhaps" })).await.expect(400);
        assert!(
            text(&refused.json(), "message").starts_with("Invalid input JSON on line 1"),
            "{}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn closing_is_dated_and_reopening_takes_the_date_away() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    desk.server.advance(Duration::from_secs(10));
    let closed =
        desk.patch(&format!("/threads/{id}"), json!({ "status": "CLOSED" })).await.expect(200).json();
    assert_eq!(closed["closedAt"], at(10_000));
    desk.server.advance(Duration::from_secs(10));
    let again = desk.patch(&format!("/threads/{id}"), json!({ "status": "CLOSED" })).await.expect(200).json();
    assert_eq!(again, closed);
    let opened = desk.patch(&format!("/threads/{id}"), json!({ "status": "OPEN" })).await.expect(200).json();
    assert!(opened.get("closedAt").is_none());
    let history = desk.history(&id).await;
    let app = desk.portal.app.parse::<i64>().unwrap();
    assert_eq!(
        history[2],
        json!({ "type": "THREAD_STATUS_CHANGE", "id": history[2]["id"], "conversationsThreadId": id,
                "createdAt": at(10_000), "createdBy": format!("I-{app}"),
                "client": { "clientType": "INTEGRATION", "integrationAppId": app },
                "senders": [{ "actorId": "S-hubspot" }], "recipients": [], "archived": false, "newStatus": "CLOSED" })
    );
}

#[tokio::test]
async fn the_response_has_no_associations() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let ticket = desk.make("tickets", json!({ "subject": "VAT" })).await;
    desk.portal
        .operator()
        .put(&format!("/antiphon/v1/threads/{id}/ticket"), json!({ "ticketId": ticket["id"] }))
        .await;
    let patched =
        desk.patch(&format!("/threads/{id}?association=TICKET"), json!({ "status": "CLOSED" })).await;
    assert!(patched.expect(200).json().get("threadAssociations").is_none());
}

#[tokio::test]
async fn deleting_is_soft_for_thirty_days_and_not_a_millisecond_less() {
    let desk = Desk::open().await;
    let (id, other) = (desk.chat("ines").await, desk.chat("omar").await);
    let message = text(&desk.history(&id).await[0], "id");
    let before = desk.thread(&id).await;
    let history = desk.history(&id).await;
    let position = desk.position().await;
    desk.delete(&format!("/threads/{id}")).await.expect(204);
    assert_eq!(desk.events(position).await, ["deletion"]);
    desk.get(&format!("/threads/{id}")).await.expect(404);
    desk.get(&format!("/threads/{id}/messages")).await.expect(404);
    desk.post(&format!("/threads/{id}/messages"), desk.on_chat("Hi")).await.expect(404);
    desk.put(&format!("/threads/{id}/assignee"), json!({ "actorId": desk.portal.agent })).await.expect(404);
    desk.delete(&format!("/threads/{id}/assignee")).await.expect(404);
    assert_eq!(desk.found("?archived=true").await, [id.as_str()]);
    assert_eq!(desk.found("").await, [other.as_str()]);
    let trashed = desk.get(&format!("/threads/{id}/messages?archived=true")).await.expect(200).json();
    assert!(trashed["results"].as_array().unwrap().iter().all(|one| one["archived"] == true));
    assert_eq!(
        desk.get(&format!("/threads/{id}/messages/{message}")).await.expect(200).json()["archived"],
        true
    );
    desk.get(&format!("/threads/{id}/messages/{message}/original-content")).await.expect(200);

    // Deleting again does not restart the clock.
    let day = Duration::from_secs(24 * 60 * 60);
    desk.server.advance(day * 29);
    desk.delete(&format!("/threads/{id}")).await.expect(204);
    assert_eq!(desk.events(position).await, ["deletion"]);
    let purge = async || antiphon::threads::purge::run(desk.server.app(), desk.server.now()).await.unwrap();
    desk.server.advance(day - Duration::from_millis(1));
    assert_eq!(purge().await, 0);
    let restored = desk
        .patch(&format!("/threads/{id}?archived=true"), json!({ "archived": false }))
        .await
        .expect(200)
        .json();
    assert_eq!(restored, before, "restoring brings everything back unchanged");
    assert_eq!(desk.history(&id).await, history);

    desk.delete(&format!("/threads/{id}")).await.expect(204);
    desk.server.advance(day * 30);
    assert_eq!(purge().await, 1);
    for query in ["", "?archived=true"] {
        desk.get(&format!("/threads/{id}{query}")).await.expect(404);
        desk.get(&format!("/threads/{id}/messages{query}")).await.expect(404);
        desk.patch(&format!("/threads/{id}{query}"), json!({ "archived": false })).await.expect(404);
    }
    desk.get(&format!("/threads/{id}/messages/{message}")).await.expect(404);
    desk.get(&format!("/threads/{id}/messages/{message}/original-content")).await.expect(404);
    desk.delete(&format!("/threads/{id}")).await.expect(404);
    assert!(desk.found("?archived=true").await.is_empty());
    assert_eq!(desk.events(position).await, ["deletion", "isArchived=false", "deletion", "privacyDeletion"]);
    // The id is never used again.
    assert!(desk.chat("lena").await.parse::<i64>().unwrap() > other.parse::<i64>().unwrap());
}

#[tokio::test]
async fn the_trash_of_every_portal_is_emptied() {
    let first = Desk::open().await;
    let store = &first.server.app().store;
    for n in 0..120 {
        let made = store.portal_create(None, format!("Portal {n}"), "UTC".into(), Quota::default()).await;
        made.unwrap().unwrap();
    }
    let last = Desk::on(&first.server).await;
    for desk in [&first, &last] {
        let id = desk.chat("lena").await;
        desk.delete(&format!("/threads/{id}")).await.expect(204);
    }
    first.server.advance(Duration::from_secs(30 * 24 * 60 * 60));
    let purge = async || antiphon::threads::purge::run(first.server.app(), first.server.now()).await.unwrap();
    assert_eq!(purge().await, 2);
    assert!(first.found("?archived=true").await.is_empty() && last.found("?archived=true").await.is_empty());
    assert_eq!(purge().await, 0);
}
