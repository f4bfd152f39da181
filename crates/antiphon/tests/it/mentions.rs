//! Notes in which agents are called.

use serde_json::{Value, json};

use crate::kit::{at, text};
use crate::replies::Team;

async fn mentions(team: &Team, query: &str) -> Value {
    team.desk.user.get(&format!("/antiphon/v1/mentions?{query}")).await.expect(200).json()
}

async fn unseen(team: &Team, agent: &str) -> i64 {
    let path = format!("/antiphon/v1/mentions/unseen?senderActorId={agent}");
    team.desk.user.get(&path).await.expect(200).json()["unseen"].as_i64().unwrap()
}

#[tokio::test]
async fn whoever_is_called_hears_of_it_until_they_have_read_it() {
    let team = Team::open().await;
    let desk = &team.desk;
    let threads = [desk.chat("ines").await, desk.chat("max").await];
    let before = desk.position().await;
    let mut notes = Vec::new();
    for (n, thread) in [(0, &threads[0]), (1, &threads[1]), (2, &threads[0])] {
        let note = json!({ "type": "COMMENT", "text": format!("Can you\n look at {n}?"), "mentions": [team.leo, team.leo, team.mia] });
        notes.push(text(&team.reply(thread, &team.mia, note).await.expect(201).json(), "id"));
        desk.server.advance(std::time::Duration::from_secs(1));
    }
    let told = format!("/antiphon/v1/events?after={before}&type=antiphon.mentioned");
    let told = desk.user.get(&told).await.expect(200).json();
    assert_eq!(
        told["results"][0]["payload"],
        json!({ "messageId": notes[0], "actorIds": [team.leo], "by": team.mia })
    );
    assert_eq!(told["results"].as_array().unwrap().len(), 3);
    let page = mentions(&team, &format!("senderActorId={}&limit=2", team.leo)).await;
    assert_eq!(
        page["results"][0],
        json!({ "threadId": threads[0], "messageId": notes[2], "by": team.mia, "at": at(2000), "seen": false,
                "text": "Can you look at 2?" })
    );
    assert_eq!(page["results"][1]["messageId"], json!(notes[1]));
    let after = page["paging"]["next"]["after"].as_str().unwrap();
    let rest = mentions(&team, &format!("senderActorId={}&limit=2&after={after}", team.leo)).await;
    assert_eq!(rest["results"][0]["messageId"], json!(notes[0]));
    assert!(rest.get("paging").is_none());
    assert_eq!((unseen(&team, &team.leo).await, unseen(&team, &team.mia).await), (3, 0));
    let read = json!({ "messageId": notes[0], "senderActorId": team.leo });
    desk.user.put(&format!("/antiphon/v1/threads/{}/read", threads[0]), read).await.expect(204);
    assert_eq!(unseen(&team, &team.leo).await, 2);
    // Whoever answers has read it.
    team.reply(&threads[0], &team.leo, json!({ "seen": notes[2] })).await.expect(201);
    assert_eq!(unseen(&team, &team.leo).await, 1);
    let seen: Vec<_> = mentions(&team, &format!("senderActorId={}", team.leo)).await["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["seen"].clone())
        .collect();
    assert_eq!(seen, [true, false, true]);

    for query in ["", "senderActorId=V-1"] {
        let reply = desk.user.get(&format!("/antiphon/v1/mentions?{query}")).await.expect(400);
        assert_eq!(reply.problems(), ["senderActorId"]);
    }
    let path = format!("/antiphon/v1/mentions?senderActorId={}&after=nonsense&limit=0", team.leo);
    let mut problems = desk.user.get(&path).await.expect(400).problems();
    problems.sort();
    assert_eq!(problems, ["after", "limit"]);
}
