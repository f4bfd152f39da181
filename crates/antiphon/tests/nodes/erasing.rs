//! A person who is erased on one node is gone on all, and whichever of them goes on with it, the end comes once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon::app::App;
use antiphon::contacts::erase;
use antiphon_store::{Settings, Store};
use antiphon_testkit::PUBLIC_URL;
use serde_json::{Value, json};

use crate::kit::*;

/// A node where time goes by twenty times as fast.
fn node(bed: &Bed, begun: Instant) -> Node {
    let clock = move || 1_900_000_000_000 + 20 * begun.elapsed().as_millis() as i64;
    let settings = Settings { clock: Some(Arc::new(clock)), ..bed.home.settings() };
    let store = Store::open(settings).unwrap();
    Node(Arc::new(App::new(store, bed.home.config(), PUBLIC_URL.into()).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_on_one_node_is_gone_on_the_other_and_erased_once() {
    let (bed, begun) = (Bed::new(3).await, Instant::now());
    let (near, far) = (node(&bed, begun), node(&bed, begun));
    let her = json!({ "name": "Ines Quillfeather", "email": "ines.quillfeather@example.net" });
    let id = text(&near.operate("POST", "contacts", &her).await.expect(201).json(), "id");
    let words = json!({ "channelAccountId": bed.seed.account, "text": "I am Ines Quillfeather",
                        "sender": { "contactId": id, "identifier": { "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "quill-tab" } } });
    let thread = text(&far.operate("POST", "messages/incoming", &words).await.expect(201).json(), "threadId");
    let path = format!("contacts/{id}");
    far.operate("GET", &path, &Value::Null).await.expect(200);
    near.operate("POST", &format!("{path}/erase"), &json!({})).await.expect(202);
    far.operate("GET", &path, &Value::Null).await.expect(404);
    far.operate("POST", "messages/incoming", &words).await.expect(400);
    let state = async |node: &Node| {
        text(&node.operate("GET", &format!("{path}/erase"), &Value::Null).await.expect(200).json(), "state")
    };
    assert_eq!(state(&far).await, "RUNNING");
    while state(&far).await != "COMPLETE" {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        let (one, other) = tokio::join!(erase::take_up(&near.0), erase::take_up(&far.0));
        one.unwrap();
        other.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let token = antiphon_testkit::SEED_TOKEN;
    near.ask(token, "GET", &format!("{V3}/threads/{thread}"), &Value::Null).await.expect(404);
    for (table, words) in
        [("visitors", "t::text"), ("identities", "t::text"), ("messages", "encode(t.doc, 'escape')")]
    {
        let found = bed.column(&format!("SELECT {words} FROM {table} t WHERE {words} ILIKE '%quill%'"));
        assert_eq!(found, Vec::<String>::new(), "{table}");
    }
    let events = near.store().events_after(bed.portal, 0, 10_000).await.unwrap();
    let told = events.iter().filter(|event| event.payload == r#"{"contact":"erased"}"#).count();
    let purged = events.iter().filter(|event| event.kind == antiphon_store::EventKind::ThreadPurged).count();
    assert_eq!((told, purged), (1, 1));
    for node in [near, far] {
        node.store().close().await;
    }
}
