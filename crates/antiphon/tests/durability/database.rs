//! The database is killed under the server, which goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Home, Program};

use crate::oracle::Oracle;
use crate::stream::flood;
use crate::{BINARY, GROUPS, PLACES, SENDERS, judge, seeded, unlimited};

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
