//! The database is killed under the server or cut off from it, and the server goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_cluster::{Cut, Proxy, Way};
use antiphon_testkit::{Connection, Home, Program, SEED_TOKEN};

use crate::oracle::Oracle;
use crate::stream::{Place, flood, message, send};
use crate::{BINARY, GROUPS, PLACES, SENDERS, becomes, judge, seeded, unlimited};

/// Asks until the server says that it takes changes, or that it does not.
async fn ready(program: &Program, status: u16) {
    let since = Instant::now();
    loop {
        if let Ok(mut server) = Connection::open(program.address, "").await {
            assert_eq!(server.get("/healthz").await.unwrap().status, 200);
            if server.get("/readyz").await.unwrap().status == status {
                return;
            }
        }
        assert!(since.elapsed() < Duration::from_secs(20), "/readyz never becomes {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_of_the_database_lose_nothing() {
    let (home, cluster) = Home::killable();
    let places = seeded(&home).await;
    let program = unlimited(home.program(BINARY));
    let mut server = program.start().await.unwrap();
    let oracle = Arc::new(Oracle::default());
    for round in 0..20 {
        let here = &places[round % GROUPS * PLACES..][..PLACES];
        let mut senders = flood(program.address, &oracle, here, SENDERS);
        tokio::time::sleep(Duration::from_micros(fastrand::u64(1_000..400_000))).await;
        cluster.kill().unwrap();
        ready(&program, 503).await;
        cluster.start_again().unwrap();
        ready(&program, 200).await;
        senders.shutdown().await;
        judge(&program, &oracle, here).await.unwrap_or_else(|e| panic!("after kill {round}: {e}"));
        assert!(server.runs());
    }
    judge(&program, &oracle, &places).await.unwrap();
    println!("{} acknowledged messages survived 20 kills of the database", oracle.count());
    assert!(oracle.count() > 200, "only {} messages were acknowledged", oracle.count());
    assert!(server.stop().await.unwrap().success());
}

/// A home on PostgreSQL, the line between the two, and the program that uses it.
async fn behind_a_line() -> (Home, Arc<Proxy>, Program, Vec<Place>) {
    let home = Home::postgres();
    let places = seeded(&home).await;
    let line = Arc::new(antiphon_cluster::shared().unwrap().proxy().unwrap());
    let program = unlimited(home.program(BINARY).env("ANTIPHON_STORE", line.url(home.database().unwrap())));
    (home, line, program, places)
}

/// Whether these bytes commit changes.
fn commits(way: Way, bytes: &[u8]) -> bool {
    let commit = b"COMMIT /* changes */";
    way == Way::ToServer && bytes.windows(commit.len()).any(|words| words == commit)
}

/// Cut off in the middle of a commit and kept from asking, the server does not know, and so does not say: neither that
/// the message was sent nor that it was not. Whatever else is asked is 503 with a time to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_what_is_not_known() {
    let (_home, line, program, places) = behind_a_line().await;
    let mut server = program.start().await.unwrap();
    let oracle = Oracle::default();
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    for (cut, place) in [(Cut::Answer, &places[0]), (Cut::At(10), &places[1])] {
        becomes(201, &mut connection, &oracle, place).await;
        let refusing = Arc::downgrade(&line);
        line.cut_when(move |way, bytes| {
            commits(way, bytes).then(|| {
                refusing.upgrade().as_deref().map(Proxy::refuse);
                cut
            })
        });
        let (begun, cuts) = (Instant::now(), line.cuts());
        let told = send(&mut connection, &oracle, place).await;
        assert!(told.is_err(), "it was answered with {told:?}");
        assert!(begun.elapsed() > Duration::from_secs(8), "it did not try to find out");
        assert_eq!(line.cuts(), cuts + 1);

        line.cut();
        connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
        for (method, body) in [("GET", String::new()), ("POST", message(&places[2]).1.to_string())] {
            let path = format!("/conversations/v3/conversations/threads/{}/messages", places[2].thread);
            let reply = connection.send(method, &path, body).await.unwrap();
            assert_eq!(reply.status, 503, "{}", reply.text());
            assert!(reply.header("retry-after").is_some(), "{:?}", reply.headers);
        }
        line.pass();
    }
    becomes(201, &mut connection, &oracle, &places[0]).await;
    judge(&program, &oracle, &places[..3]).await.unwrap();
    assert!(server.runs());
    assert!(server.stop().await.unwrap().success());
}

/// As long as it can be found out what became of a commit, nobody notices anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_cuts_lose_nothing() {
    let (_home, line, program, places) = behind_a_line().await;
    let server = program.start().await.unwrap();
    let oracle = Arc::new(Oracle::default());
    let mut senders = flood(program.address, &oracle, &places[..PLACES], SENDERS);
    for round in 0..200 {
        let (cuts, begun) = (line.cuts(), Instant::now());
        let (cut, mut left) = ([Cut::At(0), Cut::After, Cut::Answer][round % 3], fastrand::usize(..3));
        line.cut_when(move |way, bytes| {
            left -= usize::from(left > 0 && commits(way, bytes));
            (left == 0 && commits(way, bytes)).then_some(cut)
        });
        while line.cuts() == cuts {
            assert!(begun.elapsed() < Duration::from_secs(10), "nothing is sent after {round} cuts");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(senders.len(), SENDERS);
    assert!(senders.try_join_next().is_none(), "somebody was not answered");
    senders.shutdown().await;
    judge(&program, &oracle, &places).await.unwrap();
    println!("{} acknowledged messages survived 200 cuts", oracle.count());
    assert!(server.stop().await.unwrap().success());
}
