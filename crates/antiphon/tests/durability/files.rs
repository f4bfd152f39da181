//! A file that was acknowledged has its bytes, and one that was not is not seen, whenever the server is killed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use antiphon_testkit::{Reaction, TestReceiver};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const PATH: &str = "/files/v3/files";

const UPLOADERS: usize = 4;
const ROUNDS: usize = 12;

/// What an upload has: so much that it takes several parts now and then.
fn content(n: u64) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(n);
    let length = dice.usize(1..3_000_000);
    let mut bytes = n.to_be_bytes().to_vec();
    bytes.resize(length.max(8), n as u8);
    bytes
}

/// Asks, and reads the whole answer.
async fn ask(address: SocketAddr, line: &str, kind: &str, body: &[u8]) -> std::io::Result<Value> {
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SEED_TOKEN}\r\nConnection: close\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no answer"))?;
    if !head.starts_with("HTTP/1.1 20") {
        return Err(std::io::Error::other(format!("{head} {body}")));
    }
    Ok(serde_json::from_str(body)?)
}

fn id_of(file: &Value) -> String {
    file["id"].as_str().unwrap_or_default().to_owned()
}

/// Sends a file's bytes; its id, if the answer came.
async fn send(address: SocketAddr, line: &str, n: u64) -> std::io::Result<String> {
    let mut body =
        format!("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{n}.bin\"\r\n\r\n")
            .into_bytes();
    body.extend(content(n));
    body.extend(b"\r\n--x--\r\n");
    let file = ask(address, line, "multipart/form-data; boundary=x", &body).await?;
    Ok(id_of(&file))
}

/// Has a file fetched; its id, if it is there by then.
async fn import(address: SocketAddr, source: &str, n: u64) -> std::io::Result<String> {
    let body = json!({ "url": format!("{source}/{n}.bin") }).to_string();
    let line = format!("POST {PATH}/import-from-url/async");
    let task = ask(address, &line, "application/json", body.as_bytes()).await?;
    let line = format!("GET {PATH}/import-from-url/async/tasks/{}/status", id_of(&task));
    loop {
        let state = ask(address, &line, "text/plain", b"").await?;
        if state["status"] == "COMPLETE" {
            assert_eq!(state.get("errors"), None, "{state}");
            return Ok(id_of(&state["result"]));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Which bytes a file has: they say so themselves, and have to be whole.
async fn bytes_of(connection: &mut Connection, id: &str) -> u64 {
    let read = connection.get(&format!("{PATH}/{id}/download")).await.unwrap();
    assert_eq!(read.status, 200, "file {id}: {}", read.text());
    let n = u64::from_be_bytes(*read.body.first_chunk().unwrap());
    assert!(read.body == content(n), "file {id} with the bytes of {n}");
    n
}

/// Uploads, replaces and imports are killed alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_acknowledged_has_its_bytes() {
    let home = Home::durable();
    seeded(&home).await;
    let source = TestReceiver::start().await;
    source.react(|request| {
        let n = request.target.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        let mut answer =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", content(n).len()).into_bytes();
        answer.extend(content(n));
        Reaction::raw(answer)
    });
    let program = unlimited(home.program(BINARY));
    let program = program.env("ANTIPHON_OUTBOUND__ALLOW", r#"["127.0.0.1"]"#);
    let program = program.env("ANTIPHON_OUTBOUND__HTTP", "true");
    let mut server = program.start().await.unwrap();
    // What each file has at least, by its id: what was acknowledged last.
    let known: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    let (mut next, mut seen) = (1, 0);
    for round in 0..ROUNDS {
        let mut uploads = tokio::task::JoinSet::new();
        for _ in 0..UPLOADERS {
            let (first, known, address) = (next, known.clone(), program.address);
            let source = source.url("");
            next += 1_000;
            uploads.spawn(async move {
                let mut last = String::new();
                for n in first..first + 1_000 {
                    let line = match n % 3 {
                        2 => format!("PUT {PATH}/{last}"),
                        _ => format!("POST {PATH}"),
                    };
                    let done = match n % 3 {
                        0 => import(address, source.trim_end_matches('/'), n).await,
                        _ => send(address, &line, n).await,
                    };
                    let Ok(id) = done else { return };
                    known.lock().unwrap().insert(id.clone(), n);
                    last = id;
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..600))).await;
        server.kill().unwrap();
        while let Some(upload) = uploads.join_next().await {
            upload.unwrap();
        }
        server = program.start().await.unwrap();
        let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
        let acknowledged = std::mem::take(&mut *known.lock().unwrap());
        for (id, n) in acknowledged {
            // What replaced it may have come through without an answer.
            let has = bytes_of(&mut connection, &id).await;
            assert!(has >= n, "round {round}: file {id} has the bytes of {has}, not of {n}");
            seen += 1;
        }
        // Whatever is seen is whole, acknowledged or not.
        for file in connection.all(&format!("{PATH}/search?sort=-id&limit=20")).await.unwrap().iter().take(40)
        {
            bytes_of(&mut connection, &id_of(file)).await;
        }
    }
    assert!(seen > ROUNDS, "hardly anything was acknowledged: {seen}");
    server.stop().await.unwrap();
}
