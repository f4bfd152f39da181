//! Two real processes that come and go under load, and clients that try once more on the other one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use antiphon_testkit::{Connection, Program, Running, SEED_TOKEN};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::kit::*;

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");
const CLIENTS: usize = 8;

/// Messages that were acknowledged, by id, and their threads; and how often a client had to try again.
#[derive(Default)]
struct Known {
    acknowledged: Mutex<HashMap<String, String>>,
    again: AtomicUsize,
    over: AtomicBool,
}

/// A client: connections to both nodes, the last one that worked first.
struct Client {
    addresses: [SocketAddr; 2],
    connections: [Option<Connection>; 2],
}

impl Client {
    /// `None` when it did not work, whyever.
    async fn try_once(&mut self, node: usize, path: &str, body: &str) -> Result<String, String> {
        if self.connections[node].is_none() {
            let opened = Connection::open(self.addresses[node], SEED_TOKEN).await;
            self.connections[node] = Some(opened.map_err(|e| format!("connecting: {e}"))?);
        }
        let connection = self.connections[node].as_mut().unwrap();
        match connection.send("POST", path, body.to_owned()).await {
            Ok(reply) if reply.status == 201 => Ok(text(&reply.json(), "id")),
            Ok(reply) => {
                self.connections[node] = None;
                Err(format!("{}: {}", reply.status, reply.text()))
            }
            Err(e) => {
                self.connections[node] = None;
                Err(e.to_string())
            }
        }
    }
}

struct Load {
    known: Arc<Known>,
    clients: JoinSet<()>,
}

impl Load {
    fn begin(bed: &Bed, addresses: [SocketAddr; 2]) -> Self {
        let known = Arc::new(Known::default());
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let (known, threads) = (known.clone(), bed.seed.threads.clone());
            clients.spawn(async move {
                let mut client = Client { addresses, connections: [None, None] };
                let (mut sent, mut node) = (0, number % 2);
                while !known.over.load(Ordering::Relaxed) {
                    let thread = &threads[(number + sent) % threads.len()];
                    sent += 1;
                    let path = format!("{V3}/threads/{thread}/messages");
                    let body = json!({ "type": "COMMENT", "text": format!("client {number}, note {sent}") })
                        .to_string();
                    let id = match client.try_once(node, &path, &body).await {
                        Ok(id) => id,
                        Err(first) => {
                            known.again.fetch_add(1, Ordering::Relaxed);
                            node = 1 - node;
                            let second = client.try_once(node, &path, &body).await;
                            second.unwrap_or_else(|second| panic!("refused twice: {first}; {second}"))
                        }
                    };
                    assert!(known.acknowledged.lock().unwrap().insert(id, thread.clone()).is_none());
                    // Both are used as long as both are there.
                    if sent % 20 == 0 {
                        node = 1 - node;
                    }
                }
            });
        }
        Self { known, clients }
    }

    fn count(&self) -> usize {
        self.known.acknowledged.lock().unwrap().len()
    }

    /// Returns once so many more were acknowledged.
    async fn goes_on(&mut self, more: usize) {
        let (wanted, begun) = (self.count() + more, Instant::now());
        while self.count() < wanted {
            assert!(begun.elapsed() < Duration::from_secs(30), "nothing is acknowledged any more");
            if let Some(Err(e)) = self.clients.try_join_next() {
                std::panic::resume_unwind(e.into_panic());
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it, and finds every acknowledged message exactly once in its thread, and once on the spine.
    async fn judge(mut self, bed: &Bed) {
        self.known.over.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            if let Err(e) = client {
                std::panic::resume_unwind(e.into_panic());
            }
        }
        let node = bed.node();
        let acknowledged = self.known.acknowledged.lock().unwrap().clone();
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        for thread in &bed.seed.threads {
            let mut after = String::new();
            loop {
                let path = format!("{V3}/threads/{thread}/messages?limit=500{after}");
                let page =
                    node.ask(SEED_TOKEN, "GET", &path, &serde_json::Value::Null).await.expect(200).json();
                for message in page["results"].as_array().unwrap() {
                    found.entry(text(message, "id")).or_default().push(thread.clone());
                }
                match page["paging"]["next"]["after"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
        }
        for (id, thread) in &acknowledged {
            assert_eq!(found.get(id), Some(&vec![thread.clone()]), "message {id}");
        }
        let (mut told, mut position) = (HashMap::new(), 0);
        loop {
            let events = node.store().events_after(bed.portal, position, 500).await.unwrap();
            let Some(last) = events.last() else { break };
            assert!((position + 1..).zip(&events).all(|(place, event)| event.position == place), "dense");
            position = last.position;
            for event in &events {
                let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap_or_default();
                if let Some(id) = payload["messageId"].as_str() {
                    *told.entry(id.to_owned()).or_insert(0) += 1;
                }
            }
        }
        assert!(acknowledged.keys().all(|id| told.get(id) == Some(&1)), "each is told once");
        println!(
            "{} acknowledged, {} in all, {} tried again",
            acknowledged.len(),
            found.len(),
            self.known.again.load(Ordering::Relaxed)
        );
        node.store().close().await;
    }
}

/// The programs of two nodes, each with a directory for its socket.
fn programs(bed: &Bed) -> [Program; 2] {
    ["a", "b"].map(|name| {
        let data = bed.home.path().join(name);
        std::fs::create_dir_all(&data).unwrap();
        Program::new(BINARY, data)
            .env("ANTIPHON_STORE", bed.home.store())
            .env("ANTIPHON_SECRETS__KEY", bed.home.key().unwrap())
            .env("ANTIPHON_LIMITS__ENABLED", "false")
            .env("ANTIPHON_SERVER__THREADS", "1")
            .env("ANTIPHON_SERVER__LEAVE_SECONDS", "1")
    })
}

async fn started(programs: &[Program; 2]) -> [Option<Running>; 2] {
    [Some(programs[0].start().await.unwrap()), Some(programs[1].start().await.unwrap())]
}

/// Whether `/readyz` says that it may be asked, on a connection of its own.
async fn ready(address: SocketAddr) -> Option<u16> {
    let mut connection = Connection::open(address, "").await.ok()?;
    Some(connection.get("/readyz").await.ok()?.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_restarted_in_turn_lose_nothing_and_fail_nobody_twice() {
    let bed = Bed::new(16).await;
    let programs = programs(&bed);
    let mut running = started(&programs).await;
    let mut load = Load::begin(&bed, [programs[0].address, programs[1].address]);
    load.goes_on(200).await;
    for round in 0..4 {
        let node = round % 2;
        let address = programs[node].address;
        assert_eq!(ready(address).await, Some(200));
        let stopping = tokio::spawn(running[node].take().unwrap().stop());
        // A balancer is told before anything is refused.
        let begun = Instant::now();
        while ready(address).await.unwrap() == 200 {
            assert!(begun.elapsed() < Duration::from_millis(800), "it never says that it goes");
        }
        load.goes_on(50).await;
        assert!(stopping.await.unwrap().unwrap().success());
        load.goes_on(100).await;
        running[node] = Some(programs[node].start().await.unwrap());
        load.goes_on(100).await;
    }
    load.judge(&bed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nothing_and_the_other_numbers_its_events() {
    let bed = Bed::new(16).await;
    let programs = programs(&bed);
    let mut running = started(&programs).await;
    let mut load = Load::begin(&bed, [programs[0].address, programs[1].address]);
    load.goes_on(200).await;
    for round in 0..4 {
        let node = round % 2;
        let waiting =
            || bed.column("SELECT count(*) FROM unnumbered_events WHERE stamp < (SELECT * FROM killed)");
        bed.column("DROP TABLE IF EXISTS killed");
        running[node].take().unwrap().kill().unwrap();
        let begun = Instant::now();
        bed.column("CREATE TABLE killed AS SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
        while waiting() != ["0"] {
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?} events have no positions", waiting());
            sleep(Duration::from_millis(10)).await;
        }
        println!("numbered after {:?}", begun.elapsed());
        load.goes_on(100).await;
        running[node] = Some(programs[node].start().await.unwrap());
        load.goes_on(100).await;
    }
    load.judge(&bed).await;
}
