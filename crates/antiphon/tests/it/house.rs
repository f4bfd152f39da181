//! `antiphon move`: the demo goes into a database and back, and every answer stays what it was.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use antiphon_testkit::{Connection, Home, Program};
use serde_json::{Value, json};

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
    let keyless = root.path().join("keyless");
    let serving = Program::new(BINARY, &keyless).env("ANTIPHON_STORE", database.url());
    let refused = serving.start().await.err().unwrap().to_string();
    assert!(refused.contains("keyless/secret.key is not there"), "{refused}");

    let doctor =
        Command::new(BINARY).arg("portal").arg("list").arg("--data-dir").arg(&home).output().unwrap();
    let said = String::from_utf8(doctor.stderr).unwrap();
    assert!(
        !doctor.status.success() && said.contains("has moved to postgres://postgres@127.0.0.1:"),
        "{said}"
    );

    // A directory brings its key along; what is moved out of a database needs whoever serves it to know it.
    std::fs::create_dir_all(&back).unwrap();
    std::fs::copy(home.join("secret.key"), back.join("secret.key")).unwrap();
    let moved = go(&database.url(), &sqlite(&back), &[]).await;
    let said = String::from_utf8(moved.stderr.clone()).unwrap();
    assert!(moved.status.success(), "{said}");
    assert!(String::from_utf8(moved.stdout).unwrap().contains("are the same at both ends"));
    let program = Program::new(BINARY, &back).arg("--demo");
    let server = program.start().await.unwrap();
    for (before, after) in before.iter().zip(answers(&program).await) {
        assert_eq!(before, &after);
    }
    assert!(server.stop().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_moves_its_store_while_it_answers() {
    let home = Home::embedded();
    let (data, back) = (home.path().join("home"), home.path().join("back"));
    let database = antiphon_cluster::shared().unwrap().database().unwrap();
    // A machine that is busy with other tests is no reason to turn requests away.
    let unlimited = |program: Program| {
        program.env("ANTIPHON_SERVER__LAG_MILLIS", "5000").env("ANTIPHON_LIMITS__ENABLED", "false")
    };
    let program = unlimited(Program::new(BINARY, &data)).arg("--demo");
    let server = program.start().await.unwrap();
    let online = |to: String| {
        let data = data.clone();
        async move {
            let mut command = Command::new(BINARY);
            command.args(["move", "--online", "--to", &to, "--data-dir"]).arg(&data);
            let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
            String::from_utf8(output.stdout).unwrap()
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (stop, address) = (stop.clone(), program.address);
            tokio::spawn(async move {
                let mut connection = Connection::open(address, "pat-demo-antiphon").await.unwrap();
                let mut told = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let text = format!("client {client} says {}", told.len());
                    let email = format!("client{client}@example.org");
                    let key = text.clone();
                    let body = json!({
                        "channelAccountId": "3",
                        "sender": { "email": email },
                        "text": text,
                        "idempotencyKey": key,
                    });
                    let path = "/antiphon/v1/messages/incoming";
                    let reply = connection.send("POST", path, body.to_string()).await.unwrap();
                    assert!(reply.status == 200 || reply.status == 201, "{}", reply.text());
                    let reply = reply.json();
                    let (thread, id) = (reply["threadId"].clone(), reply["messageId"].clone());
                    let (thread, id) = (thread.as_str().unwrap().to_owned(), id.as_str().unwrap().to_owned());
                    let path = format!("/conversations/v3/conversations/threads/{thread}/messages/{id}");
                    let reply = connection.get(&path).await.unwrap();
                    assert_eq!(
                        (reply.status, &reply.json()["text"]),
                        (200, &json!(text)),
                        "{}",
                        reply.text()
                    );
                    told.push((body, path, id));
                }
                told
            })
        })
        .collect();
    // Into a database and back into a directory, without a word to the clients.
    assert!(online(database.url()).await.contains("are the same at both ends"));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    online(sqlite(&back)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for client in clients {
        let all = client.await.unwrap();
        assert!(all.len() > 10, "{}", all.len());
        told.extend(all);
    }
    let before = answers(&program).await;
    assert!(server.stop().await.unwrap().success());

    // Neither of the places that were left is served again.
    let program = Program::new(BINARY, &data);
    let refused = program.start().await.err().unwrap().to_string();
    assert!(refused.contains("has moved to postgres://"), "{refused}");
    let program = unlimited(Program::new(BINARY, &back)).arg("--demo");
    let server = program.start().await.unwrap();
    for (before, after) in before.iter().zip(answers(&program).await) {
        assert_eq!(before, &after);
    }
    let mut connection = Connection::open(program.address, "pat-demo-antiphon").await.unwrap();
    for (body, path, id) in told {
        let kept = connection.get(&path).await.unwrap();
        assert_eq!((kept.status, &kept.json()["text"]), (200, &body["text"]), "{}", kept.text());
        // What was sent before the move is known again after it.
        let again =
            connection.send("POST", "/antiphon/v1/messages/incoming", body.to_string()).await.unwrap();
        assert_eq!(again.json()["messageId"], json!(id));
    }
    assert!(server.stop().await.unwrap().success());
    let doctor = Command::new(BINARY).args(["doctor", "--deep", "--data-dir"]).arg(&back).output().unwrap();
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stderr));
}
