//! Messages that were not delivered, sent again.

use std::time::Duration;

use antiphon_testkit::Teller;
use serde_json::json;

use crate::carried::Carried;
use crate::kit::{Desk, at, text};

#[tokio::test]
async fn a_failed_message_is_sent_again_where_it_is() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let id = text(&desk.send(&thread, desk.on_chat("Hi")).await, "id");
    let path = format!("/antiphon/v1/threads/{thread}/messages/{id}");
    let retry = async || desk.user.post(&format!("{path}/retry"), json!({})).await;
    retry().await.expect(409);
    let failed = json!({ "statusType": "FAILED", "failureDetails": { "errorMessage": "Mailbox full" } });
    desk.portal.operator().put(&format!("{path}/status"), failed).await.expect(200);
    desk.server.advance(Duration::from_secs(2));
    let (before, told) = (desk.position().await, desk.told(&thread).await);
    let again = retry().await.expect(200).json();
    assert_eq!((&again["id"], &again["status"]), (&json!(id), &json!({ "statusType": "SENT" })));
    assert_eq!(again["updatedAt"], json!(at(2000)));
    assert_eq!(desk.get(&format!("/threads/{thread}/messages/{id}")).await.expect(200).json(), again);
    assert_eq!(desk.told(&thread).await, told, "it is no second message");
    assert!(desk.events(before).await.is_empty(), "and no second event of one");
    let heard = format!("/antiphon/v1/events?after={before}&type=antiphon.messageRetried");
    let heard = desk.user.get(&heard).await.expect(200).json();
    assert_eq!(heard["results"][0]["payload"], json!({ "messageId": id, "messageType": "MESSAGE" }));
    retry().await.expect(409);
    let first = text(&desk.history(&thread).await[0], "id");
    let of_visitor = format!("/antiphon/v1/threads/{thread}/messages/{first}/retry");
    desk.user.post(&of_visitor, json!({})).await.expect(409);
    let other = desk.chat("max").await;
    desk.user.post(&format!("/antiphon/v1/threads/{other}/messages/{id}/retry"), json!({})).await.expect(404);
    desk.portal.read_only().await.post(&format!("{path}/retry"), json!({})).await.expect(403);
}

#[tokio::test]
async fn an_app_is_told_again_to_carry_it() {
    let carried = Carried::new().await;
    let desk = &carried.brought.desk;
    let teller = Teller::start(&desk.server);
    let thread = carried.incoming("berth").await;
    let id = text(&carried.answer(&thread, "It is.").await, "id");
    carried.until("told", async || carried.told() == [id.clone()]).await;
    let path = format!("/antiphon/v1/threads/{thread}/messages/{id}");
    let failed = json!({ "statusType": "FAILED", "failureDetails": { "errorMessage": "No signal" } });
    desk.portal.operator().put(&format!("{path}/status"), failed).await.expect(200);
    let again = desk.user.post(&format!("{path}/retry"), json!({})).await.expect(200).json();
    assert_eq!(again["status"]["statusType"], "SENT");
    carried.until("told again", async || carried.told() == [id.clone(), id.clone()]).await;
    let last = carried.receiver.received().pop().unwrap().json();
    assert_eq!(
        (&last["type"], &last["message"]["id"]),
        (&json!("OUTGOING_CHANNEL_MESSAGE_CREATED"), &json!(id))
    );
    teller.stop().await;
}
