//! A token of a visitor that was given out is known again, whether it says everything itself or not, and whenever the server is
//! killed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;

const CALLERS: usize = 4;
const ROUNDS: usize = 12;

/// What the visitor with a number is told of: every other one more than a token has room for.
fn story(n: usize) -> String {
    format!("{n} ").repeat(if n.is_multiple_of(2) { 500 } else { 1 })
}

async fn vouch(connection: &mut Connection, n: usize) -> std::io::Result<String> {
    let body = json!({ "email": "a@b.example", "hsCustomerAgentContext": { "story": story(n) } });
    let made = connection.send("POST", "/visitor-identification/v3/tokens/create", body.to_string()).await?;
    Ok(made.expect(200).json()["token"].as_str().unwrap().to_owned())
}

async fn callers(
    address: SocketAddr,
    next: usize,
    known: &Arc<Mutex<Vec<(usize, String)>>>,
) -> tokio::task::JoinSet<()> {
    let mut callers = tokio::task::JoinSet::new();
    for first in (0..CALLERS).map(|caller| next + caller * 10_000) {
        let known = known.clone();
        let mut connection = Connection::open(address, SEED_TOKEN).await.unwrap();
        callers.spawn(async move {
            for n in first..first + 10_000 {
                let Ok(token) = vouch(&mut connection, n).await else { return };
                known.lock().unwrap().push((n, token));
            }
        });
    }
    callers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_given_out_is_known_after_a_kill() {
    let home = Home::durable();
    seeded(&home).await;
    let program = unlimited(home.program(BINARY));
    let mut server = program.start().await.unwrap();
    let known: Arc<Mutex<Vec<(usize, String)>>> = Arc::default();
    let mut seen = 0;
    for round in 0..ROUNDS {
        let mut callers = callers(program.address, round * CALLERS * 10_000, &known).await;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(10..80))).await;
        server.kill().unwrap();
        while callers.join_next().await.transpose().unwrap().is_some() {}
        server = program.start().await.unwrap();
        let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
        let given = std::mem::take(&mut *known.lock().unwrap());
        // The last ones were given out just before the end.
        for (n, token) in given.iter().rev().take(200) {
            let body = json!({ "token": token }).to_string();
            let says = connection.send("POST", "/antiphon/v1/visitor-tokens/verify", body).await.unwrap();
            let says = says.expect(200).json();
            let told = &says["visitor"]["hsCustomerAgentContext"]["story"];
            assert_eq!(told.as_str(), Some(story(*n).as_str()), "round {round}: {says}");
            seen += 1;
        }
    }
    println!("{seen} tokens were known again after {ROUNDS} kills");
    assert!(seen > 100, "only {seen} tokens were given out");
    server.stop().await.unwrap();
}
