//! What happens to a thread, row by row: the thread, its history, its events.

use std::time::Duration;

use serde_json::json;

use crate::kit::{Desk, text};

/// A thread and what is new about it since the last look.
struct Watch {
    desk: Desk,
    thread: String,
    entries: usize,
    position: i64,
}

impl Watch {
    async fn step(&mut self, entries: &[&str], events: &[&str]) {
        let history = self.desk.told(&self.thread).await;
        assert_eq!(history[self.entries..], *entries);
        assert_eq!(self.desk.events(self.position).await, events);
        self.entries = history.len();
        self.position = self.desk.position().await;
    }
}

#[tokio::test]
async fn every_row() {
    let desk = Desk::open().await;
    desk.edit(&format!("channel-accounts/{}", desk.portal.chat), json!({ "welcomeMessage": "Hello!" })).await;
    let care = text(&desk.make("inboxes", json!({ "name": "Care" })).await, "id");
    let (agent, app) = (desk.portal.agent.clone(), desk.portal.app.clone());
    let position = desk.position().await;
    let thread = desk.chat("ines").await;
    let visitor = text(&desk.thread(&thread).await, "associatedContactId");
    let path = format!("/threads/{thread}");
    let mut watch = Watch { desk: desk.clone(), thread: thread.clone(), entries: 0, position };
    // First incoming message.
    watch
        .step(
            &[
                "WELCOME_MESSAGE by S-hubspot SYSTEM",
                &format!("MESSAGE INCOMING by V-{visitor} HUBSPOT"),
                "STATUS OPEN by S-hubspot SYSTEM",
            ],
            &["creation", "newMessage WELCOME_MESSAGE", "newMessage MESSAGE"],
        )
        .await;
    // Incoming, open.
    assert_eq!(desk.chat("ines").await, thread);
    watch.step(&[&format!("MESSAGE INCOMING by V-{visitor} HUBSPOT")], &["newMessage MESSAGE"]).await;
    // Incoming, closed.
    desk.patch(&path, json!({ "status": "CLOSED" })).await.expect(200);
    watch.step(&[&format!("STATUS CLOSED by I-{app} INTEGRATION")], &["status=CLOSED"]).await;
    desk.chat("ines").await;
    watch
        .step(
            &[&format!("MESSAGE INCOMING by V-{visitor} HUBSPOT"), "STATUS OPEN by S-hubspot SYSTEM"],
            &["newMessage MESSAGE", "status=OPEN"],
        )
        .await;
    let opened = desk.thread(&thread).await;
    assert_eq!((&opened["status"], opened.get("closedAt")), (&json!("OPEN"), None));
    // Outgoing, unassigned.
    desk.send(&thread, desk.on_chat("Hi")).await;
    watch
        .step(
            &[
                &format!("MESSAGE OUTGOING by I-{app} INTEGRATION"),
                &format!("ASSIGNMENT >{agent} by {agent} SYSTEM"),
            ],
            &["newMessage MESSAGE", &format!("assignedTo={agent}")],
        )
        .await;
    // Outgoing, assigned.
    desk.send(&thread, desk.on_chat("Hi")).await;
    watch.step(&[&format!("MESSAGE OUTGOING by I-{app} INTEGRATION")], &["newMessage MESSAGE"]).await;
    // Comment.
    desk.send(&thread, json!({ "type": "COMMENT", "text": "x" })).await;
    watch.step(&[&format!("COMMENT by I-{app} INTEGRATION")], &["newMessage COMMENT"]).await;
    // Unassigned, assigned.
    desk.delete(&format!("{path}/assignee")).await.expect(204);
    watch.step(&[&format!("ASSIGNMENT {agent}> by I-{app} INTEGRATION")], &["assignedTo="]).await;
    desk.put(&format!("{path}/assignee"), json!({ "actorId": agent })).await.expect(200);
    watch
        .step(&[&format!("ASSIGNMENT >{agent} by I-{app} INTEGRATION")], &[&format!("assignedTo={agent}")])
        .await;
    // Moved: in the history, in no public event.
    for _ in 0..2 {
        desk.user
            .put(&format!("/antiphon/v1/threads/{thread}/inbox"), json!({ "inboxId": care }))
            .await
            .expect(200);
    }
    let moved = format!("INBOX {}>{care} by I-{app} INTEGRATION", desk.portal.inbox);
    watch.step(&[&moved], &[]).await;
    assert_eq!(desk.thread(&thread).await["inboxId"], care);
    // Spam and tickets: in neither.
    desk.user.put(&format!("/antiphon/v1/threads/{thread}/spam"), json!({})).await.expect(200);
    desk.user.delete(&format!("/antiphon/v1/threads/{thread}/spam")).await.expect(204);
    let ticket = desk.make("tickets", json!({ "subject": "x" })).await;
    desk.user
        .put(&format!("/antiphon/v1/threads/{thread}/ticket"), json!({ "ticketId": ticket["id"] }))
        .await
        .expect(200);
    desk.user.delete(&format!("/antiphon/v1/threads/{thread}/ticket")).await.expect(204);
    watch.step(&[], &[]).await;
    // Repeats are nothing.
    desk.patch(&path, json!({ "status": "OPEN" })).await.expect(200);
    desk.put(&format!("{path}/assignee"), json!({ "actorId": agent })).await.expect(200);
    watch.step(&[], &[]).await;
    // Archived, restored.
    desk.delete(&path).await.expect(204);
    desk.patch(&format!("{path}?archived=true"), json!({ "archived": false })).await.expect(200);
    watch.step(&[], &["deletion", "isArchived=false"]).await;
    // Incoming, archived: a new thread.
    desk.delete(&path).await.expect(204);
    let next = desk.chat("ines").await;
    assert_ne!(next, thread);
    let mut watch = Watch { desk: desk.clone(), thread: next.clone(), entries: 0, position: watch.position };
    watch
        .step(
            &[
                "WELCOME_MESSAGE by S-hubspot SYSTEM",
                &format!("MESSAGE INCOMING by V-{visitor} HUBSPOT"),
                "STATUS OPEN by S-hubspot SYSTEM",
            ],
            &["deletion", "creation", "newMessage WELCOME_MESSAGE", "newMessage MESSAGE"],
        )
        .await;
    // Thirty days later.
    desk.server.advance(Duration::from_secs(30 * 24 * 60 * 60));
    antiphon::threads::purge::run(desk.server.app(), desk.server.now()).await.unwrap();
    watch.step(&[], &["privacyDeletion"]).await;
    desk.get(&format!("{path}?archived=true")).await.expect(404);
}

#[tokio::test]
async fn what_became_of_a_message() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let incoming = text(&desk.history(&thread).await[0], "id");
    let sent = desk.send(&thread, desk.on_chat("Hi")).await;
    let message = text(&sent, "id");
    let report = async |id: &str, body| {
        desk.user.put(&format!("/antiphon/v1/threads/{thread}/messages/{id}/status"), body).await
    };
    desk.server.advance(Duration::from_secs(1));
    let read = report(&message, json!({ "statusType": "READ" })).await.expect(200).json();
    let mut expected = sent.clone();
    expected["status"] = json!({ "statusType": "READ" });
    expected["updatedAt"] = read["updatedAt"].clone();
    assert_eq!(read, expected);
    assert!(text(&read, "updatedAt") > text(&sent, "updatedAt"));
    assert_eq!(desk.get(&format!("/threads/{thread}/messages/{message}")).await.expect(200).json(), read);
    let failed = report(
        &message,
        json!({ "statusType": "failed", "failureDetails": { "errorMessage": "No such mailbox" } }),
    )
    .await;
    let failed = failed.expect(200).json();
    assert_eq!(failed["status"]["failureDetails"]["errorMessage"], "No such mailbox");
    assert_eq!(failed["status"]["statusType"], "FAILED");
    report(&message, json!({ "statusType": "RECEIVED" })).await.expect(400);
    report(&message, json!({ "statusType": "LOST" })).await.expect(400);
    report(&incoming, json!({ "statusType": "READ" })).await.expect(400);
    report("00000000000000000000000000000000", json!({ "statusType": "READ" })).await.expect(404);
}

#[tokio::test]
async fn the_spine_forgets_what_is_older_than_three_days() {
    let desk = Desk::open().await;
    let server = &desk.server;
    desk.chat("ines").await;
    let before = desk.position().await;
    server.advance(Duration::from_secs(2 * 86_400));
    desk.chat("ines").await;
    // The newest event is kept, and which one that is is known when all have their numbers.
    desk.position().await;
    let forget = || antiphon::events::retention::run(server.app(), server.app().store.now());
    assert_eq!(forget().await.unwrap(), 0);
    server.advance(Duration::from_secs(86_400 + 1));
    assert_eq!(forget().await.unwrap(), u64::try_from(before).unwrap());
    assert_eq!(desk.events(0).await, ["newMessage MESSAGE"], "what is left begins later");
    server.advance(Duration::from_secs(90 * 86_400));
    forget().await.unwrap();
    let store = &server.app().store;
    assert_eq!(store.check(true, |_| true, |_, _| {}).await.unwrap(), []);
    let position = desk.position().await;
    assert!(desk.events(0).await.len() <= 1, "the newest stays, so that numbers go on");
    desk.chat("ines").await;
    assert_eq!(desk.events(position).await, ["newMessage MESSAGE"]);
}
