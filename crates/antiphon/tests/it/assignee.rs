//! Giving a thread to somebody, and taking it away.

use serde_json::{Value, json};

use crate::kit::{Desk, error, prefixes, text};

#[tokio::test]
async fn whoever_can_look_after_a_thread() {
    let desk = Desk::open().await;
    let number = desk.portal.agent.strip_prefix("A-").unwrap().to_owned();
    let bot = text(&desk.make("bots", json!({ "name": "Greeter" })).await, "actorId");
    let llm = text(&desk.make("llms", json!({ "name": "Assistant" })).await, "actorId");
    for prefix in prefixes() {
        for method in ["PUT", "POST"] {
            let id = desk.chat(&format!("{prefix}{method}")).await;
            let path = format!("{prefix}/threads/{id}/assignee");
            for (named, actor) in [
                (json!(desk.portal.agent), &desk.portal.agent),
                (json!(bot), &bot),
                (json!(number), &desk.portal.agent),
                (json!(llm), &llm),
                (json!("mia@acme.example"), &desk.portal.agent),
                (json!(bot), &bot),
                (json!("MIA@Acme.Example"), &desk.portal.agent),
                (json!(bot), &bot),
                (number.parse::<i64>().unwrap().into(), &desk.portal.agent),
            ] {
                let assigned = desk
                    .user
                    .send(method, &path, json!({ "actorId": named }).to_string())
                    .await
                    .expect(200)
                    .json();
                assert_eq!(assigned["assignedTo"], **actor, "{named}");
                assert_eq!(assigned, desk.thread(&id).await);
            }
            desk.user.delete(&path).await.expect(204);
            assert!(desk.thread(&id).await.get("assignedTo").is_none());
        }
    }
}

#[tokio::test]
async fn whoever_cannot() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let visitor = text(&desk.thread(&id).await, "associatedContactId");
    let gone = desk.make("agents", json!({ "name": "Jon", "email": "jon@acme.example" })).await;
    desk.edit(&format!("agents/{}", text(&gone, "id")), json!({ "active": false })).await;
    let position = desk.position().await;
    for named in [
        json!(format!("V-{visitor}")),
        json!("E-mia@acme.example"),
        json!(format!("I-{}", desk.portal.app)),
        json!("S-hubspot"),
        json!("A-999"),
        json!("B-999"),
        json!("L-999"),
        json!(999),
        gone["actorId"].clone(),
        gone["id"].clone(),
        json!("jon@acme.example"),
        json!("nobody@acme.example"),
        json!("A-"),
        json!("A-x"),
        json!("Q-1"),
        json!("mia"),
        json!(""),
        Value::Null,
    ] {
        let refused =
            desk.put(&format!("/threads/{id}/assignee"), json!({ "actorId": named })).await.expect(400);
        assert_eq!(refused.problems(), ["actorId"], "{named}");
    }
    let missing = desk.put(&format!("/threads/{id}/assignee"), json!({})).await.expect(400);
    assert_eq!(
        error(&missing),
        json!({ "status": "error", "category": "VALIDATION_ERROR",
                "message": "Some required fields were not set: [actorId]",
                "errors": [{ "in": "actorId", "message": "Some required fields were not set: [actorId]", "code": "REQUIRED_FIELD" }] })
    );
    assert!(desk.events(position).await.is_empty());
    assert!(desk.thread(&id).await.get("assignedTo").is_none());
}

#[tokio::test]
async fn every_change_is_in_the_history_and_a_repeat_is_nothing() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let jon =
        text(&desk.make("agents", json!({ "name": "Jon", "email": "jon@acme.example" })).await, "actorId");
    let (mia, app) = (desk.portal.agent.clone(), desk.portal.app.parse::<i64>().unwrap());
    let position = desk.position().await;
    let path = format!("/threads/{id}/assignee");
    desk.delete(&path).await.expect(204);
    for named in [&mia, &mia, &jon, &jon] {
        desk.put(&path, json!({ "actorId": named })).await.expect(200);
    }
    desk.delete(&path).await.expect(204);
    desk.delete(&path).await.expect(204);
    assert_eq!(
        desk.events(position).await,
        [format!("assignedTo={mia}"), format!("assignedTo={jon}"), "assignedTo=".into()]
    );
    let history = desk.history(&id).await.split_off(2);
    let entry = |index: usize, changes: Value| {
        let mut entry = json!({ "type": "ASSIGNMENT", "conversationsThreadId": id, "createdBy": format!("I-{app}"),
            "client": { "clientType": "INTEGRATION", "integrationAppId": app },
            "senders": [{ "actorId": "S-hubspot" }], "recipients": [], "archived": false });
        let history: &Value = &history[index];
        for (name, value) in changes.as_object().unwrap() {
            entry[name] = value.clone();
        }
        for name in ["id", "createdAt"] {
            entry[name] = history[name].clone();
        }
        assert_eq!(*history, entry);
    };
    assert_eq!(history.len(), 3);
    entry(0, json!({ "assignedTo": mia }));
    entry(1, json!({ "assignedFrom": mia, "assignedTo": jon }));
    entry(2, json!({ "assignedFrom": jon }));
}

#[tokio::test]
async fn closed_threads_can_be_assigned_and_archived_ones_cannot() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let (thread, path) = (format!("/threads/{id}"), format!("/threads/{id}/assignee"));
    desk.patch(&thread, json!({ "status": "CLOSED" })).await.expect(200);
    let assigned = desk.put(&path, json!({ "actorId": desk.portal.agent })).await.expect(200).json();
    assert_eq!((&assigned["status"], &assigned["assignedTo"]), (&json!("CLOSED"), &json!(desk.portal.agent)));
    desk.patch(&thread, json!({ "status": "OPEN" })).await.expect(200);
    let closed = desk.patch(&thread, json!({ "status": "CLOSED" })).await.expect(200).json();
    assert_eq!(closed["assignedTo"], desk.portal.agent, "closing does not unassign");
    desk.delete(&thread).await.expect(204);
    desk.put(&path, json!({ "actorId": desk.portal.agent })).await.expect(404);
    desk.put(&path, json!({ "actorId": "nonsense" })).await.expect(404);
    desk.delete(&path).await.expect(404);
}
