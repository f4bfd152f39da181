//! Many connections that send without pause until the server is gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_testkit::Connection;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::oracle::Oracle;

/// Full rights in the demo portal.
pub const TOKEN: &str = "pat-demo-antiphon";
const PREFIX: &str = "/conversations/v3/conversations";

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A thread, and what is needed to answer in it.
#[derive(Debug, Clone)]
pub struct Place {
    pub thread: String,
    pub account: String,
    pub agent: String,
}

/// Open live-chat threads of the demo portal.
pub async fn places(server: &mut Connection, count: usize) -> Vec<Place> {
    let accounts = server.all(&format!("{PREFIX}/channel-accounts?channelId=1000")).await.unwrap();
    let usable: Vec<&str> = accounts
        .iter()
        .filter(|account| account["active"] == true && account["authorized"] == true)
        .filter_map(|account| account["id"].as_str())
        .collect();
    let threads = server.all(&format!("{PREFIX}/threads?threadStatus=OPEN&limit=500")).await.unwrap();
    let agent =
        threads.iter().find_map(|thread| thread["assignedTo"].as_str().filter(|id| id.starts_with("A-")));
    let agent = agent.expect("a thread with an agent").to_owned();
    let places: Vec<Place> = threads
        .iter()
        .filter_map(|thread| Some((thread["id"].as_str()?, thread["originalChannelAccountId"].as_str()?)))
        .filter(|(_, account)| usable.contains(account))
        .map(|(thread, account)| Place {
            thread: thread.into(),
            account: account.into(),
            agent: agent.clone(),
        })
        .take(count)
        .collect();
    assert_eq!(places.len(), count, "the demo has too few open chats");
    places
}

/// What to send: an answer or a comment of any size up to 3 KiB, with a text nobody else sends.
pub fn message(place: &Place) -> (String, Value) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let text = format!("proof {number}.{}", "x".repeat(fastrand::usize(..3000)));
    let body = if number.is_multiple_of(5) {
        json!({ "type": "COMMENT", "text": text })
    } else {
        json!({ "type": "MESSAGE", "text": text, "senderActorId": place.agent, "channelId": "1000",
                "channelAccountId": place.account })
    };
    (text, body)
}

/// Sends one message and tells the oracle. `Ok(status)`, or an error when the server is gone.
pub async fn send(server: &mut Connection, oracle: &Oracle, place: &Place) -> std::io::Result<u16> {
    let (text, body) = message(place);
    oracle.sending(&place.thread, &text);
    let path = format!("{PREFIX}/threads/{}/messages", place.thread);
    let reply = server.send("POST", &path, body.to_string()).await?;
    match reply.status {
        201 => oracle.acknowledged(&text, reply.json()),
        503 => {}
        other => panic!("{other}: {}", reply.text()),
    }
    Ok(reply.status)
}

/// Sends on many connections until each of them is broken.
pub fn flood(address: SocketAddr, oracle: &Arc<Oracle>, places: &[Place], connections: usize) -> JoinSet<()> {
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let (oracle, places) = (oracle.clone(), places.to_vec());
        senders.spawn(async move {
            let Ok(mut server) = Connection::open(address, TOKEN).await else { return };
            while send(&mut server, &oracle, &places[fastrand::usize(..places.len())]).await.is_ok() {}
        });
    }
    senders
}
