//! How far agents have read.

use antiphon_store::ReadMark;
use serde_json::{Value, json};

use crate::kit::{Desk, text};

async fn read(desk: &Desk, thread: &str, body: Value) -> antiphon_testkit::Reply {
    desk.user.put(&format!("/antiphon/v1/threads/{thread}/read"), body).await
}

async fn marks(desk: &Desk, thread: &str) -> Vec<ReadMark> {
    let (portal, thread) = (desk.portal.id.parse().unwrap(), thread.parse().unwrap());
    let store = &desk.server.app().store;
    store.reads_on(antiphon_store::PortalId(portal), antiphon_store::ThreadId(thread), 100).await.unwrap()
}

#[tokio::test]
async fn an_agent_has_read_up_to_an_entry_and_others_hear_of_it_once() {
    let desk = Desk::open().await;
    let (thread, other) = (desk.chat("ines").await, desk.chat("leo").await);
    let history = desk.history(&thread).await;
    let (first, last) = (text(&history[0], "id"), text(history.last().unwrap(), "id"));
    let before = desk.position().await;
    for message in [&last, &last, &first] {
        let body = json!({ "messageId": message, "senderActorId": desk.portal.agent });
        read(&desk, &thread, body).await.expect(204);
    }
    let marks = marks(&desk, &thread).await;
    assert_eq!(marks.len(), 1);
    assert_eq!((&marks[0].reader, marks[0].message_id.to_string()), (&desk.portal.agent, last.clone()));
    let told = format!("/antiphon/v1/events?after={before}&type=antiphon.threadRead");
    let told = desk.user.get(&told).await.expect(200).json();
    let told: Vec<_> = told["results"].as_array().unwrap().iter().map(|event| &event["payload"]).collect();
    assert_eq!(told, [&json!({ "reader": desk.portal.agent, "messageId": last })]);
    assert_eq!(told.len(), 1);
    assert!(desk.events(before).await.is_empty(), "it is no public event");

    for (body, named) in [
        (json!({ "messageId": last }), vec!["senderActorId"]),
        (json!({ "messageId": last, "senderActorId": "A-9999" }), vec!["senderActorId"]),
        (json!({ "messageId": last, "senderActorId": "V-1" }), vec!["senderActorId"]),
        (json!({ "senderActorId": desk.portal.agent }), vec!["messageId"]),
        (json!({}), vec!["senderActorId", "messageId"]),
        (json!({ "messageId": "x", "senderActorId": desk.portal.agent }), vec!["messageId"]),
        (json!({ "messageId": "0".repeat(32), "senderActorId": desk.portal.agent }), vec!["messageId"]),
    ] {
        assert_eq!(read(&desk, &thread, body).await.expect(400).problems(), named);
    }
    // An entry of another thread is none of this one.
    let body = json!({ "messageId": last, "senderActorId": desk.portal.agent });
    assert_eq!(read(&desk, &other, body.clone()).await.expect(400).problems(), ["messageId"]);
    read(&desk, "999999", body.clone()).await.expect(404);
    let path = format!("/antiphon/v1/threads/{thread}/read");
    desk.portal.read_only().await.put(&path, body).await.expect(403);
}
