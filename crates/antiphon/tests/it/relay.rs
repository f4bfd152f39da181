//! `examples/relay` against the demo, as its README has it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Home};
use serde_json::{Value, json};

use crate::kit::text;

/// A relay that runs, until it is dropped.
struct Relay {
    process: Child,
    address: std::net::SocketAddr,
}

impl Relay {
    fn start(antiphon: std::net::SocketAddr) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/relay/relay.py");
        let mut process = Command::new("python3")
            .arg(script)
            .env("ANTIPHON_URL", format!("http://{antiphon}"))
            .env("RELAY_PORT", "0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // relay on http://127.0.0.1:8090, channel 1000000
        let address = line.split_once("http://").and_then(|(_, rest)| rest.split(',').next());
        let address = address.unwrap_or_else(|| panic!("it said {line:?}")).parse().unwrap();
        Self { process, address }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut connection = Connection::open(self.address, "none").await.unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = connection.send(method, path, body).await.unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_relay_talk_with_agents() {
    let home = Home::new();
    let program = home.program(env!("CARGO_BIN_EXE_antiphon")).arg("--demo");
    let server = program.start().await.unwrap();
    let mut antiphon = Connection::open(program.address, "pat-demo-antiphon").await.unwrap();
    let start = || tokio::task::block_in_place(|| Relay::start(program.address));
    let relay = start();

    // What is said twice with one id is there once.
    let say = json!({ "user": "ineke", "text": "Is berth 4 free tonight?", "id": "1" });
    let (status, said) = relay.ask("POST", "/say", say.clone()).await;
    assert_eq!((status, relay.ask("POST", "/say", say).await.1), (201, said.clone()));
    let thread = format!("/conversations/v3/conversations/threads/{}", text(&said, "thread"));
    let shown: Value = serde_json::from_slice(&antiphon.get(&thread).await.unwrap().body).unwrap();
    let messages = format!("{thread}/messages");

    let agents = antiphon.get("/antiphon/v1/agents").await.unwrap();
    let agents: Value = serde_json::from_slice(&agents.body).unwrap();
    let answer = json!({ "type": "MESSAGE", "text": "Yes, until nine.", "senderActorId": agents["results"][0]["actorId"],
                         "channelId": shown["originalChannelId"], "channelAccountId": shown["originalChannelAccountId"] });
    let sent = antiphon.send("POST", &messages, answer.to_string()).await.unwrap();
    assert_eq!(sent.status, 201, "{}", sent.text());
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();

    let begun = Instant::now();
    let read = loop {
        let (_, read) = relay.ask("GET", "/read/ineke", Value::Null).await;
        if read != json!([]) {
            break read;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the relay was not told of the answer");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let from = agents["results"][0]["name"].clone();
    assert_eq!(read, json!([{ "id": sent["id"], "from": from, "text": "Yes, until nine." }]));
    let seen = antiphon.get(&format!("{messages}/{}", text(&sent, "id"))).await.unwrap();
    let seen: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(seen["status"], json!({ "statusType": "READ" }));

    // Nobody but the server tells it anything.
    let event = json!({ "type": "OUTGOING_CHANNEL_MESSAGE_CREATED", "eventId": "x" });
    assert_eq!(relay.ask("POST", "/events", event).await.0, 401);

    // One that runs again finds its channel and its account, and goes on in the same conversation.
    drop(relay);
    let relay = start();
    let (_, again) = relay.ask("POST", "/say", json!({ "user": "ineke", "text": "Thanks!" })).await;
    assert_eq!(again["thread"], said["thread"]);
    drop(relay);
    assert!(server.stop().await.unwrap().success());
}
