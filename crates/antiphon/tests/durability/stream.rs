//! Many connections that send without pause until the server is gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_testkit::{Connection, SEED_TOKEN};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::oracle::Oracle;

const PREFIX: &str = "/conversations/v3/conversations";

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A thread, and what is needed to answer in it.
#[derive(Debug, Clone)]
pub struct Place {
    pub thread: String,
    pub account: String,
    pub agent: String,
    /// The visitor's address on the account.
    pub visitor: String,
}

/// What to send: an answer or a comment of any size up to 3 KiB, with a text nobody else sends.
pub fn message(place: &Place) -> (String, Value) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let text = format!("proof {number}.{}", "x".repeat(fastrand::usize(..3000)));
    let body = if number.is_multiple_of(5) {
        json!({ "type": "COMMENT", "text": text })
    } else {
        let visitor = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": place.visitor });
        json!({ "type": "MESSAGE", "text": text, "senderActorId": place.agent, "channelId": "1000",
                "channelAccountId": place.account, "recipients": [{ "deliveryIdentifier": visitor }] })
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
            let Ok(mut server) = Connection::open(address, SEED_TOKEN).await else { return };
            while send(&mut server, &oracle, &places[fastrand::usize(..places.len())]).await.is_ok() {}
        });
    }
    senders
}
