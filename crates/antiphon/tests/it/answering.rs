//! A visitor writes, an agent answers: the main job, body by body.

use antiphon_testkit::TestServer;
use serde_json::json;

const PREFIX: &str = "/conversations/v3/conversations";

#[tokio::test]
async fn a_chat_is_answered() {
    let server = TestServer::start().await;
    let portal = server.portal("Acme").await;
    let user = portal.full().await;
    let thread = portal.chat_from("ines", "Where is my parcel?").await;

    let path = format!("{PREFIX}/threads/{thread}/messages");
    let body = json!({ "type": "MESSAGE", "text": "On its way.", "senderActorId": portal.agent,
        "channelId": "1000", "channelAccountId": portal.chat });
    let sent = user.post(&path, body).await.expect(201);
    assert_eq!(sent.header("location").unwrap(), format!("{path}/{}", sent.json()["id"].as_str().unwrap()));
    assert_eq!(user.get(sent.header("location").unwrap()).await.expect(200).json(), sent.json());

    let kinds: Vec<_> = user.all(&path).await.iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(kinds, ["ASSIGNMENT", "MESSAGE", "THREAD_STATUS_CHANGE", "MESSAGE"]);
    let thread = user.get(&format!("{PREFIX}/threads/{thread}")).await.expect(200).json();
    assert_eq!(thread["assignedTo"], json!(portal.agent));
    assert_eq!(thread["latestMessageSentTimestamp"], sent.json()["createdAt"]);
}

#[tokio::test]
async fn each_user_may_do_what_their_token_says() {
    let server = TestServer::start().await;
    let portal = server.portal("Acme").await;
    let thread = portal.chat_from("ines", "Hello?").await;
    let path = format!("{PREFIX}/threads/{thread}/messages");
    let comment = json!({ "type": "COMMENT", "text": "noted" });

    let reader = portal.read_only().await;
    reader.get(&path).await.expect(200);
    reader.post(&path, comment.clone()).await.expect(403);
    let inbound = portal.inbound().await;
    inbound.get(&path).await.expect(403);
    server.user("nobody").get(&path).await.expect(401);
    let stranger = server.portal("Rival").await.full().await;
    stranger.get(&path).await.expect(404);
    stranger.post(&path, comment).await.expect(404);
}
