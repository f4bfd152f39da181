//! What agents have begun to write.

use serde_json::{Value, json};

use crate::kit::{at, ids};
use crate::replies::Team;

async fn drafts(team: &Team, agent: &str) -> Vec<Value> {
    let page = team.desk.user.get(&format!("/antiphon/v1/drafts?senderActorId={agent}")).await.expect(200);
    page.json()["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_draft_is_its_agents_until_it_is_sent_or_thrown_away() {
    let team = Team::open().await;
    let desk = &team.desk;
    let (one, two) = (desk.chat("ines").await, desk.chat("max").await);
    let path =
        |thread: &str, agent: &str| format!("/antiphon/v1/threads/{thread}/draft?senderActorId={agent}");
    desk.user.get(&path(&one, &team.mia)).await.expect(404);
    let before = desk.position().await;
    let file = json!({ "fileId": "12", "name": "a.pdf", "type": "application/pdf", "size": 7 });
    let body = json!({ "type": "COMMENT", "text": "I\nthink ", "richText": "<p>I<br>think</p>", "attachments": [file],
                       "mentions": [team.leo] });
    team.draft(&one, &team.mia, body).await;
    desk.server.advance(std::time::Duration::from_secs(1));
    team.draft(&two, &team.mia, json!({ "text": null, "richText": "<p>Only <b>this</b></p>" })).await;
    team.draft(&one, &team.leo, json!({})).await;
    let read = desk.user.get(&path(&one, &team.mia)).await.expect(200).json();
    assert_eq!(
        read,
        json!({ "threadId": one, "type": "COMMENT", "text": "I\nthink ", "richText": "<p>I<br>think</p>",
                "attachments": [file], "mentions": [team.leo], "updatedAt": at(0) })
    );
    assert_eq!(
        drafts(&team, &team.mia).await,
        [
            json!({ "threadId": two, "type": "MESSAGE", "preview": "Only this", "updatedAt": at(1000) }),
            json!({ "threadId": one, "type": "COMMENT", "preview": "I think", "updatedAt": at(0) }),
        ]
    );
    assert_eq!(drafts(&team, &team.leo).await.len(), 1);
    assert_eq!(desk.position().await, before, "nobody is told what is in a draft");
    // With nothing in it, it is none.
    team.draft(&two, &team.mia, json!({ "text": " " })).await;
    desk.user.get(&path(&two, &team.mia)).await.expect(404);
    desk.user.delete(&path(&one, &team.mia)).await.expect(204);
    desk.user.delete(&path(&one, &team.mia)).await.expect(204);
    assert!(drafts(&team, &team.mia).await.is_empty());
    desk.user.get(&path(&one, &team.leo)).await.expect(200);
    desk.user.delete(&path("999999", &team.leo)).await.expect(404);
}

#[tokio::test]
async fn what_a_draft_cannot_be() {
    let team = Team::open().await;
    let thread = team.desk.chat("ines").await;
    let path = format!("/antiphon/v1/threads/{thread}/draft");
    for (body, named) in [
        (json!({ "text": "x" }), vec!["senderActorId"]),
        (json!({ "text": "x", "senderActorId": "V-1" }), vec!["senderActorId"]),
        (json!({ "text": "x".repeat(100_001), "senderActorId": team.mia }), vec!["text"]),
        (json!({ "type": "ASSIGNMENT", "senderActorId": team.mia }), vec!["type"]),
        (json!({ "attachments": [{}], "senderActorId": team.mia }), vec!["fileId"]),
        (json!({ "attachments": [{ "fileId": "x" }], "senderActorId": team.mia }), vec!["attachments"]),
        (
            json!({ "attachments": vec![json!({ "fileId": "1" }); 21], "senderActorId": team.mia }),
            vec!["attachments"],
        ),
        (json!({ "mentions": vec!["A-1"; 21], "senderActorId": team.mia }), vec!["mentions"]),
    ] {
        assert_eq!(team.desk.user.put(&path, body).await.expect(400).problems(), named);
    }
    let body = json!({ "text": "x", "senderActorId": team.mia });
    team.desk.user.put("/antiphon/v1/threads/999999/draft", body.clone()).await.expect(404);
    assert_eq!(team.desk.user.get(&path).await.expect(400).problems(), ["senderActorId"]);
    assert_eq!(team.desk.user.get("/antiphon/v1/drafts").await.expect(400).problems(), ["senderActorId"]);
    team.desk.portal.read_only().await.put(&path, body).await.expect(403);
    assert!(drafts(&team, &team.mia).await.is_empty());
    let threads = team.desk.get("/threads").await.expect(200).json();
    assert_eq!(ids(&threads), [thread]);
}
