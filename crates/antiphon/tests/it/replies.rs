//! Answers at the screen: what is derived from the thread, what stands in front of them, and that each is written once.

use antiphon_testkit::Reply;
use serde_json::{Value, json};

use crate::kit::{Desk, error, text};

/// A desk with a second agent at it.
pub struct Team {
    pub desk: Desk,
    pub mia: String,
    pub leo: String,
}

impl Team {
    pub async fn open() -> Self {
        let desk = Desk::open().await;
        let leo = desk.make("agents", json!({ "name": "Leo" })).await;
        let (mia, leo) = (desk.portal.agent.clone(), format!("A-{}", text(&leo, "id")));
        Self { desk, mia, leo }
    }

    pub async fn reply(&self, thread: &str, agent: &str, body: Value) -> Reply {
        let mut said = json!({ "text": "On its way.", "senderActorId": agent });
        said.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.desk.user.post(&format!("/antiphon/v1/threads/{thread}/replies"), said).await
    }

    pub async fn draft(&self, thread: &str, agent: &str, body: Value) {
        let mut said = json!({ "text": "I think", "senderActorId": agent });
        said.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        self.desk.user.put(&format!("/antiphon/v1/threads/{thread}/draft"), said).await.expect(204);
    }

    /// The newest message or note.
    pub async fn newest(&self, thread: &str) -> String {
        let history = self.desk.history(thread).await;
        let said =
            history.iter().rev().find(|entry| entry["type"] == "MESSAGE" || entry["type"] == "COMMENT");
        text(said.unwrap(), "id")
    }
}

#[tokio::test]
async fn an_answer_is_the_message_that_the_contract_would_have_sent() {
    let team = Team::open().await;
    let desk = &team.desk;
    let thread = desk.chat("ines").await;
    let seen = team.newest(&thread).await;
    let before = desk.position().await;
    let reply = team.reply(&thread, &team.mia, json!({ "seen": seen, "clientId": "4a1f" })).await.expect(201);
    let sent = reply.json();
    let location = format!("/conversations/v3/conversations/threads/{thread}/messages/{}", text(&sent, "id"));
    assert!(reply.header("location").unwrap().ends_with(&location));
    assert_eq!(desk.user.get(&location).await.expect(200).json(), sent);
    assert_eq!(sent["senders"][0]["actorId"], json!(team.mia));
    assert_eq!(sent["channelAccountId"], json!(desk.portal.chat));
    assert_eq!(sent["recipients"][0]["deliveryIdentifier"]["value"], "ines");
    assert_eq!(desk.events(before).await, ["newMessage MESSAGE", &format!("assignedTo={}", team.mia)]);

    // By email it goes to whoever wrote, and to those who had a copy.
    let copy = json!({ "email": "max@example.net", "name": "Max" });
    let letter = json!({ "channelAccountId": desk.portal.email, "sender": { "email": "ines@example.net" }, "cc": [copy],
                         "subject": "Wrong VAT number", "text": "My invoice shows the wrong VAT number." });
    let thread = desk.portal.inject(letter).await;
    let seen = team.newest(&thread).await;
    let sent =
        team.reply(&thread, &team.leo, json!({ "seen": seen, "closeAfter": true })).await.expect(201).json();
    let to: Vec<_> = sent["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["recipientField"].as_str().unwrap(), one["deliveryIdentifier"]["value"].as_str().unwrap())
        })
        .collect();
    assert_eq!(to, [("TO", "ines@example.net"), ("CC", "max@example.net")]);
    assert_eq!((&sent["subject"], &sent["inReplyToId"]), (&json!("Re: Wrong VAT number"), &json!(seen)));
    assert_eq!(desk.thread(&thread).await["status"], "CLOSED");
}

#[tokio::test]
async fn nobody_answers_past_a_newer_message_unless_they_say_so() {
    let team = Team::open().await;
    let thread = team.desk.chat("ines").await;
    let seen = team.newest(&thread).await;
    let own = text(&team.reply(&thread, &team.mia, json!({ "seen": seen })).await.expect(201).json(), "id");
    // What one said oneself is not newer than what one has seen; to a colleague it is.
    team.reply(&thread, &team.mia, json!({ "seen": seen })).await.expect(201);
    let second = team.newest(&thread).await;
    let refused = team.reply(&thread, &team.leo, json!({ "seen": seen })).await.expect(409);
    assert_eq!(
        error(&refused),
        json!({ "status": "error", "category": "CONFLICT", "subCategory": "NEWER_MESSAGE",
                "message": "Somebody wrote in this thread meanwhile. Read it, or send the answer anyway.",
                "context": { "messageId": [second, own], "by": [team.mia] } })
    );
    let note = json!({ "type": "COMMENT", "text": "Look at this", "seen": seen });
    team.reply(&thread, &team.leo, note).await.expect(201);
    let refused = team.reply(&thread, &team.mia, json!({ "seen": second })).await.expect(409).json();
    assert_eq!(refused["context"]["by"], json!([team.leo]), "a note is newer as well");
    let newest = team.newest(&thread).await;
    team.reply(&thread, &team.mia, json!({ "seen": newest })).await.expect(201);
    // Who has seen nothing answers past everything.
    let refused = team.reply(&thread, &team.leo, json!({})).await.expect(409).json();
    assert_eq!(refused["subCategory"], "NEWER_MESSAGE");
    team.reply(&thread, &team.leo, json!({ "anyway": true })).await.expect(201);
    for seen in ["x", &"0".repeat(32)] {
        assert_eq!(
            team.reply(&thread, &team.leo, json!({ "seen": seen })).await.expect(400).problems(),
            ["seen"]
        );
    }
}

#[tokio::test]
async fn nobody_answers_over_a_colleague_unless_they_say_so() {
    let team = Team::open().await;
    let desk = &team.desk;
    let thread = desk.chat("ines").await;
    let seen = team.newest(&thread).await;
    team.draft(&thread, &team.mia, json!({ "type": "COMMENT" })).await;
    team.draft(&thread, &team.leo, json!({})).await;
    let refused = team.reply(&thread, &team.mia, json!({ "seen": seen })).await.expect(409);
    assert_eq!(
        error(&refused),
        json!({ "status": "error", "category": "CONFLICT", "subCategory": "COLLEAGUE_ANSWERING",
                "message": "A colleague is answering in this thread. Ask them, or send the answer anyway.",
                "context": { "actorId": [team.leo] } })
    );
    // A minute later they have thought better of it.
    desk.server.advance(std::time::Duration::from_secs(60));
    team.reply(&thread, &team.mia, json!({ "seen": seen })).await.expect(201);
    let drafts = async |agent: &str| {
        let page =
            desk.user.get(&format!("/antiphon/v1/drafts?senderActorId={agent}")).await.expect(200).json();
        page["results"].as_array().unwrap().len()
    };
    assert_eq!((drafts(&team.mia).await, drafts(&team.leo).await), (0, 1), "who has answered has no draft");
    let seen = team.newest(&thread).await;
    team.draft(&thread, &team.mia, json!({})).await;
    team.reply(&thread, &team.leo, json!({ "seen": seen })).await.expect(409);
    team.reply(&thread, &team.leo, json!({ "seen": seen, "anyway": true })).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_answer_at_once_one_does() {
    let team = Team::open().await;
    for round in 0..25 {
        let thread = team.desk.chat(&format!("ines-{round}")).await;
        let seen = team.newest(&thread).await;
        let answer = |agent: String, name: String| {
            let (thread, seen) = (&thread, &seen);
            let team = &team;
            async move { team.reply(thread, &agent, json!({ "seen": seen, "clientId": name })).await }
        };
        let (mia, leo) = tokio::join!(
            answer(team.mia.clone(), format!("m-{round}")),
            answer(team.leo.clone(), format!("l-{round}"))
        );
        let (won, lost) = if mia.status == 201 { (mia, leo) } else { (leo, mia) };
        let won = won.expect(201).json();
        let lost = lost.expect(409).json();
        assert_eq!(lost["subCategory"], "NEWER_MESSAGE", "{round}");
        assert_eq!(lost["context"]["messageId"], json!([won["id"]]));
        let told = team.desk.told(&thread).await;
        assert_eq!(told.iter().filter(|entry| entry.starts_with("MESSAGE OUTGOING")).count(), 1, "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_answer_however_often_and_at_once_is_written_once() {
    let team = Team::open().await;
    let thread = team.desk.chat("ines").await;
    let seen = team.newest(&thread).await;
    let body = json!({ "seen": seen, "clientId": "0191f2a4-6c1d-7f00-8000-1b2c3d4e5f60" });
    let all = (0..8).map(|_| team.reply(&thread, &team.mia, body.clone()));
    let all = futures_util::future::join_all(all).await;
    let first = all[0].json();
    for reply in &all {
        assert_eq!((reply.status, reply.json()), (201, first.clone()));
    }
    let position = team.desk.position().await;
    // Though somebody wrote since, and whatever it says now.
    team.desk.portal.chat_from("ines", "Hello?").await;
    let again = json!({ "text": "Other", "clientId": body["clientId"] });
    assert_eq!(team.reply(&thread, &team.mia, again).await.expect(201).json(), first);
    let told = team.desk.told(&thread).await;
    assert_eq!(told.iter().filter(|entry| entry.starts_with("MESSAGE OUTGOING")).count(), 1);
    assert!(team.desk.position().await > position);
    // Each agent has names of their own.
    let body = json!({ "anyway": true, "clientId": body["clientId"] });
    assert_ne!(team.reply(&thread, &team.leo, body).await.expect(201).json()["id"], first["id"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_is_said_at_once() {
    let team = Team::open().await;
    let thread = team.desk.chat("ines").await;
    let agent = team.mia.clone();
    for (body, mut named) in [
        (json!({ "senderActorId": null }), vec!["senderActorId"]),
        (json!({ "senderActorId": "A-9999" }), vec!["senderActorId"]),
        (json!({ "text": null, "anyway": true }), vec!["text"]),
        (json!({ "text": " ", "anyway": true }), vec!["text"]),
        (json!({ "type": "WELCOME_MESSAGE", "anyway": true }), vec!["type"]),
        (json!({ "clientId": "two words", "anyway": true }), vec!["clientId"]),
        (json!({ "clientId": "x".repeat(65), "anyway": true }), vec!["clientId"]),
        (json!({ "mentions": ["A-1"], "anyway": true }), vec!["mentions"]),
        (json!({ "type": "COMMENT", "mentions": ["V-1"] }), vec!["mentions"]),
        (json!({ "type": "COMMENT", "mentions": vec!["A-1"; 21] }), vec!["mentions"]),
        (json!({ "channelAccountId": "999", "anyway": true }), vec!["channelAccountId"]),
        (json!({ "attachments": [{ "fileId": "999" }], "anyway": true }), vec!["attachments"]),
        (
            json!({ "attachments": [{ "fileId": "999" }], "clientId": "", "anyway": true }),
            vec!["attachments", "clientId"],
        ),
    ] {
        let reply = team.reply(&thread, &agent, body.clone()).await.expect(400);
        let mut problems = reply.problems();
        problems.sort();
        named.sort_unstable();
        assert_eq!(problems, named, "{body}");
    }
    team.reply("999999", &agent, json!({})).await.expect(404);
    let archived = team.desk.chat("leo").await;
    team.desk.delete(&format!("/threads/{archived}")).await.expect(204);
    team.reply(&archived, &agent, json!({ "anyway": true })).await.expect(404);
    let told = team.desk.told(&thread).await;
    assert!(!told.iter().any(|entry| entry.starts_with("MESSAGE OUTGOING")), "{told:?}");
    let reader = team.desk.portal.read_only().await;
    let body = json!({ "text": "Hi", "senderActorId": agent, "anyway": true });
    reader.post(&format!("/antiphon/v1/threads/{thread}/replies"), body).await.expect(403);
}
