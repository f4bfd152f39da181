//! The program on PostgreSQL, whatever engine the other tests are on: how it starts, what it says, what it never shows.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Options};
use antiphon_testkit::{Connection, Home, SEED_TOKEN, seed};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

async fn run(home: &Home, store: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--data-dir").arg(home.data());
    command.env("ANTIPHON_STORE", store).env("ANTIPHON_DATABASE__WAIT_SECONDS", "0");
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// What it complains about, which is one sentence.
async fn refused(home: &Home, store: &str, arguments: &[&str]) -> String {
    let output = run(home, store, arguments).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    let told = said.lines().last().unwrap_or_default();
    assert!(told.starts_with("antiphon: "), "{said}");
    told.to_owned()
}

async fn done(home: &Home, arguments: &[&str]) -> String {
    let output = run(home, &home.store(), arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_had_is_a_sentence_without_the_password() {
    let home = Home::postgres();
    let nobody = "postgres://me:secret@127.0.0.1:1/db?password=secret";
    for arguments in [&["serve"][..], &["serve", "--demo"], &["migrate"], &["portal", "list"]] {
        let said = refused(&home, nobody, arguments).await;
        assert!(said.contains("postgres://me@127.0.0.1:1/db cannot be reached"), "{said}");
        assert!(said.contains("start the database") && !said.contains("secret"), "{said}");
    }
    let other = home.store().replace("/test_", "/none_");
    let said = refused(&home, &other, &["serve"]).await;
    assert!(said.contains("does not exist") && said.contains("cannot be opened"), "{said}");
    let said = refused(&home, "postgres://host/db?sslmode=yes", &["serve"]).await;
    assert!(said.contains("verify-full"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_starting_is_waited_for() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let database = cluster.database().unwrap();
    cluster.stop().unwrap();
    let home = Home::embedded();
    let program = home.program(BINARY).env("ANTIPHON_STORE", database.url());
    let mut server = program.spawn().unwrap();
    let since = Instant::now();
    while !server.log().contains("the database cannot be reached yet") {
        assert!(server.runs() && since.elapsed() < Duration::from_secs(20), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.start_again().unwrap();
    loop {
        if let Ok(mut connection) = Connection::open(program.address, "").await
            && connection.get("/readyz").await.is_ok_and(|reply| reply.status == 200)
        {
            break;
        }
        assert!(server.runs() && since.elapsed() < Duration::from_secs(60), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The directory holds the socket, the master key and what is uploaded, and one server has it.
    let second = refused(&home, &database.url(), &["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(second.contains("another antiphon serves from"), "{second}");
    let names = std::fs::read_dir(home.data()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        ["antiphon.sock", "files", "secret.key"]
    );
    assert!(server.stop().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_is_laid_out_as_asked_and_keeps_it() {
    let home = Home::postgres();
    assert!(done(&home, &["migrate", "--partitions", "3"]).await.contains("has the schema of antiphon"));
    let parts = "SELECT 1 FROM pg_inherits WHERE inhparent = to_regclass('messages')";
    assert_eq!(home.database().unwrap().rows(parts).unwrap().len(), 3);
    let told: Value = serde_json::from_str(&done(&home, &["migrate", "--json"]).await).unwrap();
    assert_eq!(told, json!({ "status": "migrated", "store": home.store() }));
    let said = refused(&home, &home.store(), &["migrate", "--partitions", "8"]).await;
    assert!(said.contains("has 3 partitions already") && said.contains("a new database for 8"), "{said}");
    let said = refused(&home, "sqlite:", &["migrate", "--citus"]).await;
    assert!(said.contains("--store postgres://"), "{said}");
    // Nothing is left behind in a database that cannot be laid out that way.
    let plain = Home::postgres();
    let said = refused(&plain, &plain.store(), &["migrate", "--citus"]).await;
    assert!(said.contains("CREATE EXTENSION citus"), "{said}");
    done(&plain, &["migrate"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_one_file_and_goes_into_another_database() {
    let home = Home::postgres();
    seed(&home, 2).await.unwrap();
    let file = home.path().join("backup");
    assert!(done(&home, &["backup", file.to_str().unwrap()]).await.contains("bytes are in"));
    let said = refused(&home, &home.store(), &["restore", file.to_str().unwrap()]).await;
    assert!(said.contains("holds a store already"), "{said}");
    let other = Home::postgres();
    assert!(done(&other, &["restore", file.to_str().unwrap()]).await.contains("was verified and is now in"));
    assert_eq!(done(&home, &["portal", "list"]).await, done(&other, &["portal", "list"]).await);
    done(&other, &["doctor", "--deep"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_was_changed_behind_its_back() {
    let home = Home::postgres();
    let thread = seed(&home, 2).await.unwrap().threads.remove(0);
    // Whoever asks for the newest event has all of them numbered.
    let store = antiphon_store::Store::open(home.settings()).unwrap();
    assert!(store.event_position(antiphon_store::PortalId(1)).await.unwrap() > 3);
    store.close().await;
    let report = async |fine: bool| -> Value {
        let output = run(&home, &home.store(), &["doctor", "--deep", "--json"]).await;
        assert_eq!(output.status.success(), fine, "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let sound = report(true).await;
    assert_eq!((&sound["database"], &sound["findings"]), (&json!(home.store()), &json!([])));
    for (change, check, what) in [
        (
            "UPDATE messages SET doc = substr(doc, 1, length(doc) - 1) WHERE key >> 24 = {t} AND key % 2 = 0",
            "documents",
            "cannot be read",
        ),
        ("DELETE FROM messages WHERE key = {t}::bigint << 24", "entries", "entries and has"),
        (
            "UPDATE messages SET key = key + (1000::bigint << 24) WHERE key = ({t}::bigint << 24) + 1",
            "entries",
            "belong to no thread",
        ),
        ("UPDATE messages SET format = 9 WHERE key >> 24 = {t} + 1", "formats", "upgrade this binary"),
        ("DELETE FROM events WHERE position = 2", "events", "are not those from 1 to"),
        ("UPDATE counters SET next_visitor = 1", "ids", "ids of its visitors again"),
        ("UPDATE tallies SET bytes = bytes + 1 WHERE slot = 0", "usage", "bytes and has"),
    ] {
        home.database().unwrap().rows(&change.replace("{t}", &thread)).unwrap();
        let findings = report(false).await["findings"].take();
        let found = |finding: &Value| {
            finding["check"] == check && finding["message"].as_str().unwrap().contains(what)
        };
        assert!(findings.as_array().unwrap().iter().any(found), "{change}: {findings}");
    }
    // With all that, it still serves what is left.
    let program = home.program(BINARY);
    let server = program.start().await.unwrap();
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    assert_eq!(connection.get("/conversations/v3/conversations/threads").await.unwrap().status, 200);
    drop(server);
}
