//! Clusters of one test, and the one all share.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Options, shared};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

fn one(rows: &[antiphon_cluster::Row]) -> &str {
    rows[0][0].as_deref().unwrap()
}

/// One test of this file in another process, whose first line that begins with `cluster ` is waited for.
fn elsewhere(test: &str) -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("ANTIPHON_ELSEWHERE", "1");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
    let line = lines.find_map(|line| line.split_once("cluster ").map(|(_, rest)| rest.to_owned()));
    (child, line.expect("the other process said nothing"))
}

fn we_are_elsewhere() -> bool {
    std::env::var_os("ANTIPHON_ELSEWHERE").is_some()
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_cluster_starts_answers_and_leaves_nothing() {
    let cluster = Cluster::start(Options::default().set("work_mem", "5MB")).unwrap();
    assert_eq!(one(&cluster.rows("SHOW work_mem").unwrap()), "5MB");
    assert_eq!(one(&cluster.rows("SHOW fsync").unwrap()), "off");
    assert_eq!(one(&cluster.rows("SELECT 'a' < 'B' COLLATE \"default\"").unwrap()), "t");
    let (data, port) = (cluster.data(), cluster.port());
    drop(cluster);
    assert!(!data.exists() && !data.parent().unwrap().exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn a_database_is_there_until_it_is_dropped() {
    let cluster = shared().unwrap();
    let template = cluster.database().unwrap();
    template.rows("CREATE TABLE words (word text); INSERT INTO words VALUES ('hello')").unwrap();
    let copy = cluster.database_like(template.name()).unwrap();
    assert_eq!(one(&copy.rows("SELECT word FROM words").unwrap()), "hello");

    // Somebody who is still connected does not keep it.
    let (client, connection) = tokio_postgres::connect(&copy.url(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.simple_query("SELECT 1").await.unwrap();
    let name = copy.name().to_owned();
    drop(copy);
    assert!(connection.await.unwrap().is_err());
    let there = cluster.rows(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")).unwrap();
    assert_eq!(one(&there), "0");
}

#[test]
fn many_make_databases_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(shared().unwrap().database().unwrap()));
        }
    });
}

#[test]
fn processes_share_a_cluster() {
    let cluster = shared().unwrap();
    let data = cluster.data().display().to_string();
    println!("cluster {data}");
    if !we_are_elsewhere() {
        let (mut other, found) = elsewhere("processes_share_a_cluster");
        assert_eq!(found, data);
        assert!(other.wait().unwrap().success());
        assert!(cluster.rows("SELECT 1").is_ok(), "it stays when one of its users goes");
        assert!(cluster.stop().is_err(), "it is not one user's to stop");
    }
}

#[test]
fn the_cluster_of_a_killed_process_is_removed() {
    if we_are_elsewhere() {
        let cluster = Cluster::start(Options::default()).unwrap();
        cluster.pause().unwrap();
        println!("cluster {} {}", cluster.port(), cluster.data().display());
        std::thread::sleep(Duration::from_secs(60));
    }
    let (mut other, found) = elsewhere("the_cluster_of_a_killed_process_is_removed");
    let (port, data) = found.split_once(' ').unwrap();
    let (port, data): (u16, PathBuf) = (port.parse().unwrap(), data.into());
    assert!(data.exists());
    other.kill().unwrap();
    other.wait().unwrap();
    wait_until("the directory is removed", || !data.parent().unwrap().exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_crash_keeps_what_was_committed() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let database = cluster.database().unwrap();
    database.rows("CREATE TABLE words (word text)").unwrap();
    database.rows("INSERT INTO words VALUES ('kept')").unwrap();
    cluster.kill().unwrap();
    assert!(database.rows("SELECT 1").is_err());
    cluster.start_again().unwrap();
    assert_eq!(one(&database.rows("SELECT word FROM words").unwrap()), "kept");
    assert!(cluster.log().contains("was not properly shut down"), "{}", cluster.log());

    cluster.stop().unwrap();
    cluster.start_again().unwrap();
    assert_eq!(one(&database.rows("SELECT word FROM words").unwrap()), "kept");
}

#[test]
fn a_paused_cluster_answers_when_it_is_resumed() {
    let cluster = Cluster::start(Options::default()).unwrap();
    cluster.pause().unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| cluster.rows("SELECT 1"));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!asked.is_finished());
        cluster.resume().unwrap();
        assert!(asked.join().unwrap().is_ok());
    });
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let error = Cluster::start(Options::default().set("work_mem", "a lot")).unwrap_err();
    assert!(format!("{error:#}").contains("work_mem"), "{error:#}");
}

#[test]
fn a_standby_follows_and_takes_over() {
    let cluster = Cluster::start(Options::default()).unwrap();
    let database = cluster.database().unwrap();
    let standby = cluster.standby().unwrap();
    let line = cluster.proxy().unwrap();
    let ask = |sql: &str| sql_over(&line.url(&database), sql);

    ask("CREATE TABLE words (word text)").unwrap();
    ask("INSERT INTO words VALUES ('followed')").unwrap();
    cluster.wait_for(&standby).unwrap();
    cluster.kill().unwrap();
    assert!(ask("SELECT 1").is_err());

    line.lead_to(standby.port());
    let refused = ask("INSERT INTO words VALUES ('too early')").unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
    standby.promote().unwrap();
    ask("INSERT INTO words VALUES ('later')").unwrap();
    assert_eq!(ask("SELECT word FROM words ORDER BY word").unwrap(), ["followed", "later"]);
}

/// The first column of an answer.
fn sql_over(url: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let messages = client.simple_query(sql).await?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(rows.collect())
    })
}

#[test]
fn a_durable_cluster_is_as_postgresql_comes() {
    let cluster = Cluster::start(Options::durable()).unwrap();
    for setting in ["fsync", "synchronous_commit", "full_page_writes", "autovacuum"] {
        assert_eq!(one(&cluster.rows(&format!("SHOW {setting}")).unwrap()), "on", "{setting}");
    }
    assert!(cluster.data().starts_with(std::env::temp_dir()));
}
