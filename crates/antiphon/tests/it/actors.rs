//! Reading actors, one and many.

use serde_json::{Value, json};

use crate::kit::{Desk, at, error, prefixes, text};

/// One actor of every kind, as it is shown.
async fn everybody(desk: &Desk) -> Vec<Value> {
    let avatar = "https://acme.example/p.png";
    let agent =
        desk.make("agents", json!({ "name": "Jon", "email": "jon@acme.example", "avatar": avatar })).await;
    let bare = desk.make("agents", json!({ "name": "Kim" })).await;
    let bot = desk.make("bots", json!({ "name": "Greeter", "avatar": avatar })).await;
    let llm = desk.make("llms", json!({ "name": "Assistant" })).await;
    let app = desk.make("apps", json!({ "name": "Exporter", "avatar": avatar })).await;
    let contact = desk
        .make(
            "contacts",
            json!({ "name": "Ines", "email": "ines@example.net", "phone": "+31205550178", "avatar": avatar }),
        )
        .await;
    let chat = desk.chat("omar").await;
    let visitor = text(&desk.thread(&chat).await, "associatedContactId");
    vec![
        json!({ "id": agent["actorId"], "type": "AGENT", "name": "Jon", "email": "jon@acme.example", "avatar": avatar }),
        json!({ "id": bare["actorId"], "type": "AGENT", "name": "Kim" }),
        json!({ "id": bot["actorId"], "type": "BOT", "name": "Greeter", "avatar": avatar }),
        json!({ "id": llm["actorId"], "type": "LLM", "name": "Assistant" }),
        json!({ "id": format!("I-{}", text(&app, "id")), "type": "INTEGRATOR", "name": "Exporter", "avatar": avatar }),
        json!({ "id": contact["actorId"], "type": "VISITOR", "name": "Ines", "email": "ines@example.net", "avatar": avatar }),
        json!({ "id": format!("V-{visitor}"), "type": "VISITOR", "name": "omar" }),
        json!({ "id": "S-hubspot", "type": "SYSTEM" }),
        json!({ "id": "E-Lena.Ek@example.org", "type": "EMAIL", "email": "Lena.Ek@example.org" }),
    ]
}

#[tokio::test]
async fn seven_kinds() {
    let desk = Desk::open().await;
    for actor in everybody(&desk).await {
        for prefix in prefixes() {
            let id = text(&actor, "id").replace('@', "%40");
            let read = desk.user.get(&format!("{prefix}/actors/{id}?property=name")).await.expect(200).json();
            assert_eq!(read, actor);
        }
    }
}

#[tokio::test]
async fn nobody() {
    let desk = Desk::open().await;
    for id in [
        "A-999",
        "B-1",
        "L-1",
        "I-999",
        "V-999",
        "S-other",
        "S-HubSpot",
        "E-nonsense",
        "E-",
        "A-",
        "A-x",
        "A-01",
        "V-0",
        "I-99999999999",
        "V-1 ",
    ] {
        let reply = desk.get(&format!("/actors/{}", id.replace(' ', "%20"))).await.expect(404);
        assert_eq!(
            error(&reply),
            json!({ "status": "error", "message": "resource not found", "category": "OBJECT_NOT_FOUND", "context": { "id": [id] } })
        );
    }
    for id in ["71", "a-71", "X-71", "AB-1", "mia@acme.example", "-", "-71", "hubspot"] {
        assert_eq!(desk.get(&format!("/actors/{id}")).await.expect(400).problems(), ["actorId"], "{id}");
    }
}

#[tokio::test]
async fn whoever_is_gone_stays_known() {
    let desk = Desk::open().await;
    let number = desk.portal.agent.strip_prefix("A-").unwrap().to_owned();
    desk.edit(&format!("agents/{number}"), json!({ "active": false })).await;
    let read = desk.get(&format!("/actors/{}", desk.portal.agent)).await.expect(200).json();
    assert_eq!(read["name"], "Mia Chen");
    let app = desk.make("apps", json!({ "name": "Old" })).await;
    desk.edit(&format!("apps/{}", text(&app, "id")), json!({ "active": false })).await;
    assert_eq!(desk.get(&format!("/actors/I-{}", text(&app, "id"))).await.expect(200).json()["name"], "Old");
}

#[tokio::test]
async fn many_at_once() {
    let desk = Desk::open().await;
    let all = everybody(&desk).await;
    let ids: Vec<_> = all.iter().map(|actor| text(actor, "id")).collect();
    let times = |body: &mut Value| {
        for name in ["startedAt", "completedAt", "requestedAt"] {
            assert_eq!(body.as_object_mut().unwrap().remove(name), Some(json!(at(0))));
        }
    };
    for prefix in prefixes() {
        let read = async |inputs: Value| {
            let reply = desk
                .user
                .post(&format!("{prefix}/actors/batch/read?property=name"), json!({ "inputs": inputs }))
                .await;
            let mut body = reply.json();
            if reply.status < 300 {
                times(&mut body);
            }
            (reply.status, body)
        };
        assert_eq!(read(json!(ids)).await, (200, json!({ "status": "COMPLETE", "results": all })));
        assert_eq!(read(json!([])).await, (200, json!({ "status": "COMPLETE", "results": [] })));
        // In the order asked for, each once.
        let twice = json!([ids[3], ids[0], ids[3], ids[0]]);
        assert_eq!(read(twice).await, (200, json!({ "status": "COMPLETE", "results": [all[3], all[0]] })));
        let partial = if prefix.ends_with("/2026-09") { 200 } else { 207 };
        let lost = json!(["V-404404", "B-9", "nonsense", "71", ""]);
        let missing = json!({ "status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not resolve some actors",
                              "context": { "id": lost }, "errors": [], "links": {} });
        let some = json!(["V-404404", ids[0], "B-9", "nonsense", "71", "", ids[1], "B-9"]);
        assert_eq!(
            read(some).await,
            (
                partial,
                json!({ "status": "COMPLETE", "results": [all[0], all[1]], "numErrors": 1, "errors": [missing] })
            )
        );
        assert_eq!(
            read(lost).await,
            (partial, json!({ "status": "COMPLETE", "results": [], "numErrors": 1, "errors": [missing] }))
        );
    }
}

#[tokio::test]
async fn batches_have_a_limit_and_need_inputs() {
    let desk = Desk::open().await;
    let path = "/actors/batch/read";
    let inputs = |count: usize| json!({ "inputs": (0..count).map(|n| format!("E-p{n}@example.org")).collect::<Vec<_>>() });
    assert_eq!(
        desk.post(path, inputs(1000)).await.expect(200).json()["results"].as_array().unwrap().len(),
        1000
    );
    assert_eq!(desk.post(path, inputs(1001)).await.expect(400).problems(), ["inputs"]);
    for body in [json!({}), json!({ "inputs": null }), json!({ "ids": ["A-1"] })] {
        let refused = desk.post(path, body).await.expect(400);
        assert_eq!(refused.problems(), ["inputs"]);
        assert_eq!(refused.json()["message"], "Some required fields were not set: [inputs]");
    }
    for body in [json!({ "inputs": 7 }), json!({ "inputs": [{ "id": "A-1" }] }), json!([])] {
        let refused = desk.post(path, body).await.expect(400).json();
        assert!(text(&refused, "message").starts_with("Invalid input JSON on line 1"), "{refused}");
    }
}
