//! Ready-made words.

use serde_json::{Value, json};

use crate::kit::{at, ids, text, with};
use crate::replies::Team;

const PATH: &str = "/antiphon/v1/canned-replies";

async fn list(team: &Team, query: &str) -> Value {
    team.desk.user.get(&format!("{PATH}?{query}")).await.expect(200).json()
}

#[tokio::test]
async fn words_are_everybodys_or_an_agents_own() {
    let team = Team::open().await;
    let (user, position) = (&team.desk.user, team.desk.position().await);
    let make = async |body: Value| user.post(PATH, body).await.expect(201).json();
    let shared =
        make(json!({ "name": "Greeting", "shortcut": "/Hi", "text": "Hello {{contact.firstName}}" })).await;
    assert_eq!(
        shared,
        json!({ "id": shared["id"], "name": "Greeting", "shortcut": "hi", "text": "Hello {{contact.firstName}}",
                "richText": "<div>Hello {{contact.firstName}}</div>", "shared": true, "createdAt": at(0), "updatedAt": at(0) })
    );
    let own = make(json!({ "name": "Mine", "shortcut": "hi", "richText": "<p onclick=\"x()\">Hello<script>x()</script></p>",
                           "senderActorId": team.mia }))
    .await;
    assert_eq!((&own["shared"], &own["ownerActorId"]), (&json!(false), &json!(team.mia)));
    assert_eq!(own["richText"], "<p>Hello</p>", "nothing in it runs at a colleague's");
    assert_eq!(own["text"], "Hello");
    let (shared, own) = (text(&shared, "id"), text(&own, "id"));
    assert_eq!(ids(&list(&team, &format!("senderActorId={}", team.mia)).await), [&*shared, &*own]);
    assert_eq!(ids(&list(&team, &format!("senderActorId={}", team.leo)).await), [&*shared]);
    assert_eq!(ids(&list(&team, "").await), [&*shared]);
    let page = list(&team, &format!("senderActorId={}&limit=1", team.mia)).await;
    let after = page["paging"]["next"]["after"].as_str().unwrap();
    assert_eq!(
        ids(&list(&team, &format!("senderActorId={}&limit=1&after={after}", team.mia)).await),
        [&*own]
    );

    // What a colleague has to themselves is not there for others.
    let edit = async |id: &str, body: Value| user.patch(&format!("{PATH}/{id}"), body).await;
    edit(&own, json!({ "name": "Other", "senderActorId": team.leo })).await.expect(404);
    user.delete(&format!("{PATH}/{own}?senderActorId={}", team.leo)).await.expect(404);
    let taken = edit(&own, json!({ "shared": true, "senderActorId": team.mia })).await.expect(400);
    assert_eq!(taken.problems(), ["shortcut"]);
    team.desk.server.advance(std::time::Duration::from_secs(1));
    let edited = edit(&own, json!({ "shared": true, "shortcut": "", "senderActorId": team.mia }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&edited["shared"], edited.get("shortcut"), &edited["updatedAt"]),
        (&json!(true), None, &json!(at(1000)))
    );
    assert_eq!(ids(&list(&team, "").await), [&*shared, &*own]);
    user.delete(&format!("{PATH}/{shared}")).await.expect(204);
    user.delete(&format!("{PATH}/{shared}")).await.expect(404);
    let told = format!("/antiphon/v1/events?after={position}&type=antiphon.cannedReplyChanged");
    let told = team.desk.portal.operator().get(&told).await.expect(200).json();
    let told: Vec<_> = told["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| text(&event["payload"], "cannedReplyId"))
        .collect();
    assert_eq!(told, [&shared, &own, &own, &shared].map(Clone::clone));
}

#[tokio::test]
async fn what_words_cannot_be() {
    let team = Team::open().await;
    let good = json!({ "name": "Greeting", "shortcut": "hi", "text": "Hello" });
    team.desk.user.post(PATH, good.clone()).await.expect(201);
    for (changed, named) in [
        (json!({}), vec!["shortcut"]),
        (json!({ "name": null, "text": null }), vec!["name", "text"]),
        (json!({ "name": "" }), vec!["name"]),
        (json!({ "name": "x".repeat(256) }), vec!["name"]),
        (json!({ "text": " " }), vec!["text"]),
        (json!({ "text": "x".repeat(10_001), "richText": "x".repeat(50_001) }), vec!["richText", "text"]),
        (json!({ "shortcut": "two words" }), vec!["shortcut"]),
        (json!({ "shortcut": "x".repeat(41) }), vec!["shortcut"]),
        (json!({ "shared": false }), vec!["shared"]),
        (json!({ "senderActorId": "A-9999" }), vec!["senderActorId"]),
    ] {
        let mut problems =
            team.desk.user.post(PATH, with(good.clone(), changed.clone())).await.expect(400).problems();
        problems.sort();
        assert_eq!(problems, named, "{changed}");
    }
    team.desk.user.patch(&format!("{PATH}/999"), json!({})).await.expect(404);
    team.desk.user.patch(&format!("{PATH}/x"), json!({})).await.expect(404);
    team.desk.portal.read_only().await.post(PATH, good).await.expect(403);
}
