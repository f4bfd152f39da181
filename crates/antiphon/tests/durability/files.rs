//! A file that was acknowledged has its bytes, and one that was not is not seen, whenever the server is killed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

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

/// Uploads a file; its id, if the answer came.
async fn upload(address: SocketAddr, n: u64) -> std::io::Result<String> {
    let mut body =
        format!("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{n}.bin\"\r\n\r\n")
            .into_bytes();
    body.extend(content(n));
    body.extend(b"\r\n--x--\r\n");
    let head = format!(
        "POST /files/v3/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SEED_TOKEN}\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no answer"))?;
    if !head.starts_with("HTTP/1.1 201") {
        return Err(std::io::Error::other(format!("{head} {body}")));
    }
    let file: serde_json::Value = serde_json::from_str(body)?;
    Ok(file["id"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_acknowledged_has_its_bytes() {
    let home = Home::durable();
    seeded(&home).await;
    let program = unlimited(home.program(BINARY));
    let mut server = program.start().await.unwrap();
    let known: Arc<Mutex<Vec<(u64, String)>>> = Arc::default();
    let mut next = 1;
    for round in 0..ROUNDS {
        let mut uploads = tokio::task::JoinSet::new();
        for _ in 0..UPLOADERS {
            let (first, known, address) = (next, known.clone(), program.address);
            next += 1_000;
            uploads.spawn(async move {
                for n in first..first + 1_000 {
                    let Ok(id) = upload(address, n).await else { return };
                    known.lock().unwrap().push((n, id));
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..400))).await;
        server.kill().unwrap();
        while uploads.join_next().await.is_some() {}
        server = program.start().await.unwrap();
        let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
        let acknowledged = std::mem::take(&mut *known.lock().unwrap());
        for (n, id) in acknowledged {
            let read = connection.get(&format!("/files/v3/files/{id}/download")).await.unwrap();
            assert_eq!(read.status, 200, "round {round}, file {n}");
            assert!(read.body == content(n), "round {round}, file {n}");
        }
        // Whatever is seen is whole, acknowledged or not.
        for file in connection.all("/files/v3/files/search?sort=-id&limit=20").await.unwrap().iter().take(40)
        {
            let n: u64 = file["name"].as_str().unwrap().parse().unwrap();
            let read = connection
                .get(&format!("/files/v3/files/{}/download", file["id"].as_str().unwrap()))
                .await
                .unwrap();
            assert!(read.status == 200 && read.body == content(n), "round {round}, file {n}");
        }
    }
    server.stop().await.unwrap();
}
