//! What one node has said is so on every other from the next request on.

use std::time::Duration;

use antiphon_testkit::SEED_TOKEN;
use serde_json::{Value, json};

use crate::kit::*;

const ROUNDS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_on_one_node_is_refused_on_the_other_at_once() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let app =
        text(&nodes[0].operate("GET", "apps", &Value::Null).await.expect(200).json()["results"][0], "id");
    let threads = format!("{V3}/threads");
    for round in 0..ROUNDS {
        let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let token = json!({ "label": "short", "appId": app, "scopes": ["conversations.read"] });
        let token = here.operate("POST", "tokens", &token).await.expect(201).json();
        let (id, secret) = (text(&token, "id"), text(&token, "token"));
        let ask = async || there.ask(&secret, "GET", &threads, &Value::Null).await;
        ask().await.expect(200);
        let path = format!("apps/{app}");
        here.operate("PATCH", &path, &json!({ "active": false })).await.expect(200);
        assert_eq!(ask().await.expect(403).json()["category"], "BANNED");
        here.operate("PATCH", &path, &json!({ "active": true })).await.expect(200);
        ask().await.expect(200);
        here.operate("DELETE", &format!("tokens/{id}"), &Value::Null).await.expect(204);
        assert_eq!(ask().await.expect(401).json()["category"], "INVALID_AUTHENTICATION");
    }
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_one_node_archived_takes_nothing_on_the_other() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let inboxes = nodes[0].ask(SEED_TOKEN, "GET", &format!("{V3}/inboxes"), &Value::Null).await;
    let inbox = text(&inboxes.expect(200).json()["results"][0], "id");
    for round in 0..ROUNDS {
        let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let account = json!({ "name": format!("Website {round}"), "channelId": 1000, "inboxId": inbox });
        let account =
            text(&here.operate("POST", "channel-accounts", &account).await.expect(201).json(), "id");
        let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "ines" });
        let said =
            json!({ "channelAccountId": account, "sender": { "identifier": identifier }, "text": "Hello" });
        there.operate("POST", "messages/incoming", &said).await.expect(201);
        here.operate("DELETE", &format!("channel-accounts/{account}"), &Value::Null).await.expect(204);
        let refused = there.operate("POST", "messages/incoming", &said).await;
        assert!((400..500).contains(&refused.status), "{}", refused.text());
    }
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_commits_is_on_the_others_spine() {
    let bed = Bed::new(1).await;
    let nodes = [bed.node(), bed.node()];
    let mut position = nodes[0].store().event_position(bed.portal).await.unwrap();
    let path = format!("{V3}/threads/{}/messages", bed.seed.threads[0]);
    for round in 0..ROUNDS {
        let (here, there) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let said = json!({ "type": "COMMENT", "text": format!("note {round}") });
        if round % 4 < 2 {
            // Whoever waits is woken; whoever looks afterwards sees it.
            let waits =
                tokio::time::timeout(Duration::from_secs(5), there.store().events_wait(bed.portal, position));
            let (said, woken) = tokio::join!(here.ask(SEED_TOKEN, "POST", &path, &said), waits);
            said.expect(201);
            woken.unwrap().unwrap();
        } else {
            here.ask(SEED_TOKEN, "POST", &path, &said).await.expect(201);
        }
        let events = format!("/antiphon/v1/events?after={position}");
        let events = there.ask(SEED_TOKEN, "GET", &events, &Value::Null).await.expect(200).json();
        let events = events["results"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        position += 1;
        assert_eq!(events[0]["position"], position);
    }
    for node in nodes {
        node.store().close().await;
    }
}
