//! Who is there.

use std::time::Duration;

use antiphon_testkit::Socket;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::kit::{Desk, at};
use crate::stream::EVENTS;

async fn there(desk: &Desk, query: &str) -> Value {
    desk.user.get(&format!("/antiphon/v1/presence{query}")).await.expect(200).json()["results"].clone()
}

async fn socket(desk: &Desk) -> Socket {
    let address = antiphon_testkit::listen(desk.server.app()).await.unwrap();
    let mut socket = Socket::open(address, desk.user.token(), EVENTS).await.unwrap().unwrap();
    assert_eq!(socket.hear().await.unwrap()["kind"], "position");
    socket
}

#[tokio::test]
async fn whoever_says_so_is_there_until_their_socket_ends() {
    let desk = Desk::open().await;
    let (thread, stranger) = (desk.chat("ines").await, Desk::on(&desk.server).await);
    let (mut says, mut hears) = (socket(&desk).await, socket(&desk).await);
    let agent = &desk.portal.agent;
    let said = json!({ "type": "presence", "threadId": thread, "actorId": agent, "state": "replying" });
    says.say(Message::text(said.to_string())).await;
    assert_eq!(hears.told().await.unwrap()["state"], "replying");
    let shown = json!([{ "actorId": agent, "threadId": thread, "state": "replying", "at": at(0) }]);
    assert_eq!(there(&desk, "").await, shown);
    assert_eq!(there(&desk, &format!("?threadId={thread}")).await, shown);
    assert_eq!(there(&desk, "?threadId=999").await, json!([]));
    assert_eq!(there(&stranger, "").await, json!([]));
    // Typing is no presence.
    let typing = json!({ "type": "typing", "threadId": thread, "actorId": agent });
    says.say(Message::text(typing.to_string())).await;
    assert_eq!(hears.told().await.unwrap()["kind"], "typing");
    assert_eq!(there(&desk, "").await, shown);
    drop(says);
    let away = tokio::time::timeout(Duration::from_secs(5), hears.told()).await.unwrap().unwrap();
    assert_eq!(
        (&away["kind"], &away["state"], &away["threadId"]),
        (&json!("presence"), &json!("away"), &json!(thread))
    );
    assert_eq!(there(&desk, "").await, json!([]));
    assert_eq!(desk.user.get("/antiphon/v1/presence?threadId=x").await.expect(400).problems(), ["threadId"]);
}
