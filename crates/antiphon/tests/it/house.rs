//! `antiphon move`: the demo goes into a database and back, and every answer stays what it was.

use std::path::Path;
use std::process::{Command, Output};

use antiphon_testkit::{Connection, Home, Program};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

async fn go(from: &str, to: &str, more: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["move", "--from", from, "--to", to]).args(more);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

fn sqlite(dir: &Path) -> String {
    format!("sqlite:{}", dir.display())
}

/// Answers to everything that the demo is asked in its welcome, and more.
async fn answers(program: &Program) -> Vec<String> {
    let mut connection = Connection::open(program.address, "pat-demo-antiphon").await.unwrap();
    let base = "/conversations/v3/conversations";
    let mut answers = Vec::new();
    let mut paths: Vec<String> = ["inboxes", "channels", "channel-accounts", "actors", "threads?limit=500"]
        .iter()
        .map(|path| format!("{base}/{path}"))
        .collect();
    paths.push(format!("{base}/threads?archived=true"));
    paths.push(format!("{base}/threads?sort=-latestMessageTimestamp"));
    for own in ["contacts", "agents", "tickets", "events", "apps", "tokens", "portals"] {
        paths.push(format!("/antiphon/v1/{own}"));
    }
    for id in 1..40 {
        paths.push(format!("{base}/threads/{id}"));
        paths.push(format!("{base}/threads/{id}/messages?limit=100"));
    }
    for path in paths {
        let reply = connection.get(&path).await.unwrap();
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
        if let Some(object) = body.as_object_mut() {
            object.remove("correlationId");
        }
        answers.push(format!("{path} {} {body}", reply.status));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_moves_into_a_database_and_back() {
    let root = Home::embedded();
    let (home, back) = (root.path().join("home"), root.path().join("back"));
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    let program = Program::new(BINARY, &home).arg("--demo");
    let server = program.start().await.unwrap();
    let before = answers(&program).await;
    assert!(before.iter().filter(|answer| answer.contains(" 200 ")).count() > 30, "{before:#?}");

    let refused = go(&sqlite(&home), &database.url(), &[]).await;
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("is being served; stop"), "{said}");
    assert!(server.stop().await.unwrap().success());

    let moved = go(&sqlite(&home), &database.url(), &["--json"]).await;
    let progress = String::from_utf8(moved.stderr).unwrap();
    assert!(moved.status.success(), "{progress}");
    assert!(progress.contains("\"copying\"") && progress.contains("\"comparing\""), "{progress}");
    let report: Value = serde_json::from_slice(&moved.stdout).unwrap();
    assert_eq!(report["status"], "moved");
    assert!(report["rows"].as_u64().unwrap() > 100, "{report}");

    let doctor =
        Command::new(BINARY).arg("portal").arg("list").arg("--data-dir").arg(&home).output().unwrap();
    let said = String::from_utf8(doctor.stderr).unwrap();
    assert!(
        !doctor.status.success() && said.contains("has moved to postgres://postgres@127.0.0.1:"),
        "{said}"
    );

    let moved = go(&database.url(), &sqlite(&back), &[]).await;
    let said = String::from_utf8(moved.stderr.clone()).unwrap();
    assert!(moved.status.success(), "{said}");
    assert!(String::from_utf8(moved.stdout).unwrap().contains("are the same at both ends"));
    let program = Program::new(BINARY, &back);
    let server = program.start().await.unwrap();
    for (before, after) in before.iter().zip(answers(&program).await) {
        assert_eq!(before, &after);
    }
    assert!(server.stop().await.unwrap().success());
}
