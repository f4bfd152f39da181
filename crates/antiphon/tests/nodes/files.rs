//! A file that one node took is a file on every node, until its time has come; and what two nodes sweep at once goes once.

use std::path::Path;
use std::time::{Duration, Instant};

use antiphon::files::sweep;
use antiphon::middleware::{Peer, handle};
use antiphon_testkit::{Reply, SEED_TOKEN};
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::kit::*;

const PATH: &str = "/files/v3/files";

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn upload(node: &Node, name: &str, options: Value) -> Value {
    let head = |name: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"");
    let file = format!("{}; filename=\"{name}\"\r\n\r\nbytes of {name}\r\n", head("file"));
    let body = format!("{}\r\n\r\n{options}\r\n{file}--x--\r\n", head("options"));
    let request = Request::post(PATH)
        .header("host", "inbox.test")
        .header("authorization", format!("Bearer {SEED_TOKEN}"))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Full::from(body))
        .unwrap();
    let (head, body) = handle(&node.0, &Peer::default(), request).await.into_parts();
    Reply::new(head.status, head.headers, body.collect().await.unwrap().to_bytes()).expect(201).json()
}

async fn status(node: &Node, path: &str) -> u16 {
    node.ask(SEED_TOKEN, "GET", path, &Value::Null).await.status
}

fn objects(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { objects(&entry.path()) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_time_has_come_is_gone_on_every_node_and_swept_once() {
    let bed = Bed::new(0).await;
    let nodes = [bed.node(), bed.node()];
    let kept = nodes[0].0.config.data_dir.join("files");
    let mut gone = Vec::new();
    for (name, options) in [
        ("ttl.txt", json!({ "ttl": "PT2S" })),
        ("moment.txt", json!({ "expiresAt": nodes[0].store().now() + 2_000 })),
    ] {
        let made = upload(&nodes[0], name, options).await;
        gone.push(format!("{PATH}/{}", text(&made, "id")));
    }
    let later = upload(&nodes[1], "later.txt", json!({ "ttl": "P1Y" })).await;
    let later = format!("{PATH}/{}", text(&later, "id"));
    for node in &nodes {
        for path in gone.iter().chain([&later]) {
            assert_eq!(status(node, &format!("{path}/download")).await, 200);
        }
    }
    let begun = Instant::now();
    while status(&nodes[1], &gone[0]).await == 200 || status(&nodes[1], &gone[1]).await == 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "they stay");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for node in &nodes {
        for path in &gone {
            assert_eq!(status(node, &format!("{path}/download")).await, 404);
            assert_eq!(status(node, &format!("{path}/signed-url")).await, 404);
        }
        let page = node.ask(SEED_TOKEN, "GET", &format!("{PATH}/search"), &Value::Null).await;
        assert_eq!(page.expect(200).json()["results"].as_array().unwrap().len(), 1, "lists leave them out");
    }
    // Swept by both at once: archived now, without bytes after a month, erased a day later.
    let now = nodes[0].store().now();
    for (days, left) in [(0, 3), (31, 3), (33, 1), (34, 1)] {
        let at = now + days * DAY;
        let (one, other) = tokio::join!(sweep::run(&nodes[0].0, at), sweep::run(&nodes[1].0, at));
        one.unwrap();
        other.unwrap();
        assert_eq!(objects(&kept), left, "after {days} days");
    }
    assert_eq!(bed.column("SELECT count(*) FROM blobs"), ["1"]);
    let archived = bed.column("SELECT count(*) FROM files WHERE archived_at IS NOT NULL AND blob IS NULL");
    assert_eq!(archived, ["2"]);
    let events = nodes[1].store().events_after(bed.portal, 0, 1_000).await.unwrap();
    let changed = |path: &str| {
        let id: i64 = path.rsplit_once('/').unwrap().1.parse().unwrap();
        events
            .iter()
            .filter(|event| event.object == antiphon_store::ObjectKind::File && event.object_id == id)
            .count()
    };
    assert_eq!(gone.iter().map(|path| changed(path)).collect::<Vec<_>>(), [2, 2], "made, and deleted once");
    assert_eq!(status(&nodes[0], &format!("{later}/download")).await, 200);
    for node in nodes {
        node.store().close().await;
    }
}
