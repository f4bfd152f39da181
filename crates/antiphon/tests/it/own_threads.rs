//! Our own calls on threads: starting, injecting, moving, marking, linking, and what became of a message.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Desk, at, text};

async fn put(desk: &Desk, path: String, body: Value) -> Value {
    desk.portal.operator().put(&format!("/antiphon/v1/{path}"), body).await.expect(200).json()
}

async fn delete(desk: &Desk, path: String) {
    desk.user.delete(&format!("/antiphon/v1/{path}")).await.expect(204);
}

#[tokio::test]
async fn a_ticket_shows_as_an_association() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let ticket = text(&desk.make("tickets", json!({ "subject": "Bicycle" })).await, "id");
    let path = format!("threads/{thread}/ticket");
    let linked = put(&desk, path.clone(), json!({ "ticketId": ticket })).await;
    let shown = json!({ "associatedTicketId": ticket });
    assert_eq!(linked["threadAssociations"], shown);
    let read = format!("/threads/{thread}?association=TICKET");
    assert_eq!(desk.get(&read).await.expect(200).json()["threadAssociations"], shown);
    delete(&desk, path).await;
    assert!(desk.get(&read).await.expect(200).json().get("threadAssociations").is_none());
}

#[tokio::test]
async fn a_move_and_a_mark_are_no_public_events() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let care = text(&desk.make("inboxes", json!({ "name": "Care" })).await, "id");
    let before = desk.position().await;
    let moved = put(&desk, format!("threads/{thread}/inbox"), json!({ "inboxId": care })).await;
    assert_eq!(moved["inboxId"], json!(care));
    let history = desk.history(&thread).await;
    let entry = history.last().unwrap();
    assert_eq!(
        (&entry["type"], &entry["fromInboxId"], &entry["toInboxId"]),
        (&json!("THREAD_INBOX_CHANGE"), &json!(desk.portal.inbox), &json!(care))
    );
    let told = history.len();
    put(&desk, format!("threads/{thread}/inbox"), json!({ "inboxId": care })).await;
    assert_eq!(put(&desk, format!("threads/{thread}/spam"), json!({})).await["spam"], true);
    assert_eq!(desk.thread(&thread).await["spam"], true);
    delete(&desk, format!("threads/{thread}/spam")).await;
    assert_eq!(desk.thread(&thread).await["spam"], false);
    assert_eq!(desk.history(&thread).await.len(), told, "neither a repeat nor a mark is told");
    assert!(desk.events(before).await.is_empty());
}

#[tokio::test]
async fn what_became_of_a_message_is_shown_on_it() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let sent = desk.send(&thread, desk.on_chat("Hi")).await;
    assert_eq!(sent["updatedAt"], sent["createdAt"]);
    let id = text(&sent, "id");
    let path = format!("threads/{thread}/messages/{id}/status");
    for (second, body, status) in [
        (1, json!({ "statusType": "READ" }), json!({ "statusType": "READ" })),
        (
            2,
            json!({ "statusType": "FAILED", "failureDetails": { "errorMessage": "Mailbox full" } }),
            json!({ "statusType": "FAILED", "failureDetails": { "errorMessage": "Mailbox full", "errorMessageTokens": {} } }),
        ),
    ] {
        desk.server.advance(Duration::from_secs(1));
        let message = put(&desk, path.clone(), body).await;
        assert_eq!((&message["status"], &message["updatedAt"]), (&status, &json!(at(second * 1000))));
        let read = desk.get(&format!("/threads/{thread}/messages/{id}")).await.expect(200).json();
        assert_eq!(read, message);
    }
}

#[tokio::test]
async fn a_thread_begins_with_or_without_a_word() {
    let desk = Desk::open().await;
    let silent = json!({ "channelAccountId": desk.portal.email, "recipient": { "name": "Leo", "email": "leo@example.net" },
                         "subject": "Your order", "integrationThreadId": "order-7" });
    let thread = desk.make("threads", silent.clone()).await;
    let id = text(&thread, "id");
    assert_eq!((&thread["status"], &thread["inboxId"]), (&json!("OPEN"), &json!(desk.portal.inbox)));
    assert!(desk.told(&id).await.iter().all(|entry| !entry.starts_with("MESSAGE")));
    // Its name is taken, and brings answers here.
    let twin = desk.user.post("/antiphon/v1/threads", silent).await.expect(400);
    assert_eq!(twin.problems(), ["integrationThreadId"]);
    let answer = json!({ "channelAccountId": desk.portal.email, "sender": { "email": "leo@example.net" }, "text": "Yes?",
                         "integrationThreadId": "order-7" });
    assert_eq!(desk.portal.inject(answer).await, id);

    let first = json!({ "type": "MESSAGE", "text": "Your order is ready.", "subject": "Your order", "senderActorId": desk.portal.agent });
    let spoken = json!({ "channelAccountId": desk.portal.email, "recipient": { "email": "ada@example.net" }, "message": first });
    let started = desk.user.post("/antiphon/v1/threads", spoken).await.expect(201);
    let id = text(&started.json(), "id");
    let location = format!("/conversations/v3/conversations/threads/{id}");
    assert!(started.header("location").is_some_and(|sent| sent.ends_with(&location)));
    let history = desk.history(&id).await;
    let message = history.iter().find(|entry| entry["type"] == "MESSAGE").unwrap();
    assert_eq!(message["direction"], "OUTGOING");
    assert_eq!(message["recipients"][0]["deliveryIdentifier"]["value"], "ada@example.net");
}

#[tokio::test]
async fn the_same_key_writes_one_message() {
    let desk = Desk::open().await;
    let letter = json!({ "channelAccountId": desk.portal.email, "sender": { "email": "leo@example.net" }, "text": "Hello",
                         "idempotencyKey": "leo-1" });
    let first = desk.make("messages/incoming", letter.clone()).await;
    let position = desk.position().await;
    let again = desk.make("messages/incoming", letter).await;
    assert_eq!((&first["repeated"], &again["repeated"]), (&json!(false), &json!(true)));
    assert_eq!((&first["threadId"], &first["messageId"]), (&again["threadId"], &again["messageId"]));
    assert_eq!(desk.position().await, position);
}

#[tokio::test]
async fn the_spine_is_read_piece_by_piece() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let newest = desk.position().await;
    let (mut after, mut kinds) = (0, Vec::new());
    loop {
        let page =
            desk.user.get(&format!("/antiphon/v1/events?limit=3&after={after}")).await.expect(200).json();
        let results = page["results"].as_array().unwrap();
        for event in results {
            after += 1;
            assert_eq!(event["position"], after, "dense, from 1");
            kinds.push((text(event, "kind"), event["objectId"].as_i64().unwrap()));
        }
        assert_eq!(page["position"], after, "everything up to there was looked at");
        if results.is_empty() {
            break;
        }
    }
    assert_eq!(after, newest);
    for kind in ["conversation.creation", "conversation.newMessage"] {
        assert!(kinds.contains(&(kind.to_owned(), thread.parse().unwrap())), "{kind}: {kinds:?}");
    }
    let beyond = format!("/antiphon/v1/events?after={}", newest + 10);
    assert_eq!(desk.user.get(&beyond).await.expect(200).json(), json!({ "results": [], "position": newest }));
}
