//! Importing from addresses that others chose: nobody is led to what only this machine reaches, and what never ends or lies about
//! its length leaves nothing behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use antiphon_testkit::{Reaction, TestReceiver, TestServer};
use serde_json::{Value, json};

use crate::files::{finished, objects};
use crate::kit::{Desk, text};
use crate::outbound::telling;

const IMPORT: &str = "/files/v3/files/import-from-url/async";

/// What only an operator's word would open, in every spelling.
const INSIDE: [&str; 18] = [
    "http://127.0.0.1/x",
    "http://127.0.0.1:8085/x",
    "https://127.255.255.254/x",
    "http://[::1]/x",
    "http://[::ffff:127.0.0.1]/x",
    "http://[::ffff:7f00:1]/x",
    "http://0.0.0.0/x",
    "http://[::]/x",
    "http://10.1.2.3/x",
    "http://172.16.0.1/x",
    "http://192.168.1.1/x",
    "http://100.64.0.1/x",
    "http://169.254.169.254/latest/meta-data",
    "http://[fe80::1]/x",
    "http://[fd00:ec2::254]/x",
    "http://[64:ff9b::7f00:1]/x",
    "http://224.0.0.1/x",
    "http://１２７.０.０.１/x",
];

/// What is no address of a file at all.
const NONSENSE: [&str; 18] = [
    "http://2130706433/x",
    "http://0x7f000001/x",
    "http://0x7f.0.0.1/x",
    "http://0177.0.0.1/x",
    "http://127.1/x",
    "http://127.0.0.1.:x/",
    "ftp://files.example/x",
    "file:///etc/passwd",
    "gopher://files.example/x",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "//files.example/x",
    "files.example/x",
    "http://",
    "http:///x",
    "http://user:word@files.example/x",
    "http://user@files.example/x",
    "http://files.example\r\nX-Evil: 1/x",
];

async fn import(desk: &Desk, url: &str) -> Value {
    let task = desk.user.post(IMPORT, json!({ "url": url })).await.expect(202).json();
    finished(desk, &task).await
}

/// Imports what has to fail, and answers why it did.
async fn failed(desk: &Desk, url: &str) -> String {
    let task = import(desk, url).await;
    assert_eq!((&task["status"], &task["numErrors"]), (&json!("COMPLETE"), &json!(1)), "{url}: {task}");
    assert_eq!(task.get("result"), None, "{url}: {task}");
    let kept = desk.server.app().config.data_dir.join("files");
    assert_eq!(objects(&kept), Vec::<String>::new(), "{url}: nothing is left of it");
    format!("{} {}", text(&task["errors"][0], "category"), text(&task["errors"][0], "message"))
}

#[tokio::test]
async fn what_only_this_machine_reaches_is_refused_at_once() {
    let server = TestServer::configured(|config| config.outbound.allow = Vec::new()).await;
    let desk = Desk::on(&server).await;
    for url in INSIDE.iter().chain(&NONSENSE) {
        let refused = desk.user.post(IMPORT, json!({ "url": url })).await;
        assert_eq!(refused.status, 400, "{url}: {}", refused.text());
        assert_eq!(refused.problems(), ["url"], "{url}");
    }
}

#[tokio::test]
async fn no_redirect_leads_inside() {
    let receiver = TestReceiver::start().await;
    let inner = receiver.url("/secret");
    let (lookup, _) = telling(&[&["127.0.0.1"]]);
    // That one host is open to us, by its name alone.
    let allow = vec!["files.example".parse().unwrap()];
    let desk = Desk::on(&TestServer::resolving(|config| config.outbound.allow = allow, lookup).await).await;
    let url = format!("http://files.example:{}/x", receiver.address.port());
    let leads = |to: &str| {
        let to = to.to_owned();
        receiver.react(move |request| match request.target.as_str() {
            "/x" => Reaction::answer(302, &[("location", &to)], ""),
            _ => Reaction::answer(200, &[], "what nobody is to have"),
        });
    };
    let elsewhere = format!("http://other.example:{}/secret", receiver.address.port());
    let wanted: Vec<&str> = INSIDE.iter().chain(&NONSENSE).copied().filter(|url| url.is_ascii()).collect();
    let mut refused = 0;
    for to in wanted.iter().copied().chain([inner.as_str(), elsewhere.as_str()]) {
        // What stands for a path at the same host is asked for there, and a line break is no header.
        if to.starts_with("files.example") || to.contains('\n') || to.starts_with("//") {
            continue;
        }
        leads(to);
        let why = failed(&desk, &url).await;
        assert!(why.starts_with("VALIDATION_ERROR"), "{to}: {why}");
        refused += 1;
    }
    assert_eq!(refused, 34);
    assert!(receiver.received().iter().all(|request| request.target == "/x"), "nobody asked for more");
    leads("/x");
    assert!(failed(&desk, &url).await.contains("more than 5 times"), "in a circle");
    leads("/y?from=http://127.0.0.1/");
    assert_eq!(import(&desk, &url).await["result"]["name"], "y", "and there is a way that is open");
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_looked_at_again() {
    let receiver = TestReceiver::start().await;
    receiver.react(|request| match request.target.as_str() {
        "/x" => Reaction::answer(302, &[("location", "/y"), ("connection", "close")], "").then_close(),
        _ => Reaction::answer(200, &[], "what nobody is to have"),
    });
    let (lookup, asked) = telling(&[&["127.0.0.1"], &["127.0.0.3"]]);
    let allow = vec!["127.0.0.1".parse().unwrap()];
    let desk = Desk::on(&TestServer::resolving(|config| config.outbound.allow = allow, lookup).await).await;
    let why = failed(&desk, &format!("http://files.example:{}/x", receiver.address.port())).await;
    assert!(why.contains("no public address"), "{why}");
    assert_eq!((asked.load(Ordering::SeqCst), receiver.received().len()), (2, 1));
    for inside in ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.2", "64:ff9b::7f00:1"] {
        let (lookup, _) = telling(&[&[inside]]);
        let closed = TestServer::resolving(|config| config.outbound.allow = Vec::new(), lookup).await;
        let why = failed(&Desk::on(&closed).await, "http://files.example/x").await;
        assert!(why.contains("no public address"), "{inside}: {why}");
    }
}

#[tokio::test]
async fn what_never_ends_or_lies_about_its_length_leaves_nothing() {
    let server = TestServer::configured(|config| {
        config.files.max_bytes = 3_000_000;
        config.files.import_seconds = 2;
    })
    .await;
    let desk = Desk::on(&server).await;
    let receiver = TestReceiver::start().await;
    let (ok, drip) = ("HTTP/1.1 200 OK\r\n", Duration::from_millis(20));
    let piece = "x".repeat(100_000);
    let chunk = format!("186a0\r\n{piece}\r\n");
    let long = format!("{ok}content-length: 2000000\r\n\r\n{}", "x".repeat(1_500_000));
    for (reaction, why) in [
        // Too much, said or not.
        (Reaction::raw(format!("{ok}content-length: 3000001\r\n\r\n")).then_hang(), "PAYLOAD_TOO_LARGE"),
        (Reaction::raw(format!("{ok}\r\n")).then_repeat(piece, Duration::ZERO), "PAYLOAD_TOO_LARGE"),
        (
            Reaction::raw(format!("{ok}transfer-encoding: chunked\r\n\r\n"))
                .then_repeat(chunk, Duration::ZERO),
            "PAYLOAD_TOO_LARGE",
        ),
        // Less than was said, with so much there that a part of it was written.
        (Reaction::raw(long.clone()).then_close(), "ended before"),
        (Reaction::raw(long).then_hang(), "longer than 2 s"),
        (
            Reaction::raw(format!("{ok}transfer-encoding: chunked\r\n\r\n5\r\nHello")).then_close(),
            "ended before",
        ),
        // Slowly, for ever; and nothing at all.
        (Reaction::raw(format!("{ok}\r\n")).then_repeat("x", drip), "longer than 2 s"),
        (Reaction::raw(ok).then_repeat("x: y\r\n", drip), "longer than 2 s"),
        (Reaction::hang(), "longer than 2 s"),
        (Reaction::raw("SSH-2.0-OpenSSH\r\n").then_close(), "no HTTP answer"),
        (Reaction::status(404), "status 404"),
        (Reaction::status(302), "VALIDATION_ERROR"),
    ] {
        receiver.react(move |_| reaction.clone());
        let told = failed(&desk, &receiver.url("/x")).await;
        assert!(told.contains(why), "{why}: {told}");
    }
    // A file that is longer than was said is as long as was said.
    receiver
        .react(|_| Reaction::raw("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHello, and more").then_close());
    assert_eq!(import(&desk, &receiver.url("/../a%2F..%2F..%2Fpasswd")).await["result"]["path"], "/passwd");
}
