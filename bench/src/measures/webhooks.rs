//! Ten apps that are told of everything: how soon, how much, and what that costs those who send.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use memchr::memmem;
use serde_json::{Value, json};

use super::stream::{LISTENERS, listeners};
use super::{ask, compared, milliseconds, per_second, rate, sample, sends, small};
use crate::Bench;
use crate::load::{Client, Load, Requests, confine, cores, fetch};
use crate::receiver::{Receiver, message};
use crate::report::{Line, Mark, Report, Unit, median, progress};
use crate::server::Server;

/// Where the answer to a send has the id of its message.
const ID: &[u8] = b"\"id\":\"";

const APPS: usize = 10;

/// What apps can be told of conversations: all of it.
const EVENTS: [(&str, Option<&str>); 7] = [
    ("conversation.creation", None),
    ("conversation.newMessage", None),
    ("conversation.propertyChange", Some("status")),
    ("conversation.propertyChange", Some("assignedTo")),
    ("conversation.propertyChange", Some("isArchived")),
    ("conversation.deletion", None),
    ("conversation.privacyDeletion", None),
];

/// Messages a second when it is asked how soon they arrive, and when it is asked how many do: a little more than the goal.
const FEW: f64 = 100.0;
const MANY: f64 = 550.0;

/// Deliveries a second that are asked for.
const GOAL: f64 = 5_000.0;

/// How long everything may take to arrive once nothing more is sent.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let all: Vec<usize> = (0..cores()).collect();
    // The receiver has a core for itself, as it would have a machine; everybody else has the others, with apps and without.
    let aside = (all.len() > 2).then(|| all.len() - 1);
    let receiver = Receiver::start(aside)?;
    confine(None, &all[..aside.unwrap_or(all.len())])?;
    let measured = measure(bench, &receiver, report);
    confine(None, &all)?;
    measured
}

fn measure(bench: &Bench, receiver: &Receiver, report: &mut Report) -> Result<()> {
    let recipe = small();
    let requests = sends(&recipe.threads());
    let told = bench.server(&recipe, "webhooks")?;
    subscribe(&told, receiver)?;
    // The first requests make their connections.
    paced(&told, &requests, FEW, Duration::from_secs(1), receiver)?;

    let few = (0..bench.rounds)
        .map(|_| paced(&told, &requests, FEW, bench.turn, receiver))
        .collect::<Result<Vec<_>>>()?;
    let p99 = median(few.iter().map(|turn| turn.quantile(0.99)).collect());
    let sent = median(few.iter().map(|turn| turn.since_asked).collect());
    report.add(Line {
        what: format!("commit to webhook, p99 at {FEW:.0} messages/s to {APPS} apps"),
        ours: milliseconds(p99),
        theirs: format!("{} since the send was asked for", milliseconds(sent)),
        figure: p99,
        unit: Unit::Milliseconds,
        goal: Some(Mark::AtMost(300.0)),
    });

    let many = paced(&told, &requests, MANY, bench.turn * bench.rounds as u32, receiver)?;
    report.add(Line {
        what: format!("events delivered to {APPS} apps at {:.0} messages/s", many.rate),
        ours: per_second(many.delivered),
        theirs: per_second(GOAL),
        figure: many.delivered / GOAL,
        unit: Unit::Percent,
        goal: Some(Mark::AtLeast(1.0)),
    });
    let (first, last) = many.ends();
    report.add(Line {
        what: "commit to webhook at that rate: p50 at the end, against the beginning".into(),
        ours: milliseconds(last),
        theirs: milliseconds(first),
        figure: last / first,
        unit: Unit::Times,
        goal: Some(Mark::AtMost(1.10)),
    });
    report.add(Line {
        what: "commit to webhook, p99 at that rate".into(),
        ours: milliseconds(many.quantile(0.99)),
        theirs: format!("{} at {FEW:.0} messages/s", milliseconds(p99)),
        figure: many.quantile(0.99),
        unit: Unit::Milliseconds,
        goal: None,
    });

    let plain = bench.server(&recipe, "unsubscribed")?;
    let listening = listeners(told.address, &sample(&recipe.threads(), 100))?;
    for connections in [64, 256] {
        let load = |server: &Server| bench.load(server.address, connections, &requests);
        let (with, without) = (load(&told), load(&plain));
        for load in [&with, &without] {
            Load { time: Duration::from_millis(500), ..load.clone() }.run()?;
        }
        let (mut ours, mut theirs, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..bench.rounds {
            // Neither delivers what is behind nor writes back its log while the other is measured.
            turn(&told, &plain)?;
            theirs.push(without.run()?);
            turn(&plain, &told)?;
            let (before, _) = receiver.taken();
            ours.push(with.run()?);
            delivered.push((receiver.taken().0 - before) as f64 / bench.turn.as_secs_f64());
            receiver.arrivals();
        }
        plain.pause(false)?;
        report.add(compared(
            format!(
                "sends at {connections} connections with {LISTENERS} listeners and {APPS} apps that got {:.0} events/s, against none",
                median(delivered)
            ),
            rate(&ours),
            rate(&theirs),
            Some(Mark::AtLeast(0.90)),
        ));
    }
    plain.stop()?;
    listening.stop()?;

    told.stop()
}

/// Holds one server still and lets the other go on.
pub(super) fn turn(ends: &Server, begins: &Server) -> Result<()> {
    // Whoever is held still with requests at hand finds them late afterwards, and turns them away.
    const CALM: Duration = Duration::from_millis(50);
    std::thread::sleep(CALM);
    ends.pause(true)?;
    begins.pause(false)?;
    std::thread::sleep(CALM);
    Ok(())
}

/// Makes the apps, which are told of everything at the receiver.
fn subscribe(server: &Server, receiver: &Receiver) -> Result<()> {
    let send = |method: &str, path: &str, body: Value| -> Result<Value> {
        let answer = fetch(server.address, &ask(method, path, body.to_string().as_bytes()))?;
        Ok(serde_json::from_slice(&answer)?)
    };
    for app in 0..APPS {
        let made = send("POST", "/antiphon/v1/apps", json!({ "name": format!("Told {app}") }))?;
        let (id, key) =
            (made["id"].as_str().context("no id")?, made["developerKey"].as_str().context("no key")?);
        let path = |rest: &str| format!("/webhooks/v3/{id}/{rest}?hapikey={key}");
        let url = format!("http://{}/hooks/{app}", receiver.address);
        send("PUT", &path("settings"), json!({ "targetUrl": url }))?;
        for (event, property) in EVENTS {
            let mut wanted = json!({ "eventType": event, "active": true });
            if let Some(property) = property {
                wanted["propertyName"] = property.into();
            }
            send("POST", &path("subscriptions"), wanted)?;
        }
    }
    Ok(())
}

/// What a turn of sends at an even pace showed.
struct Turn {
    /// Messages a second.
    rate: f64,
    /// Events that arrived in a second, from the second on in which the first did.
    delivered: f64,
    /// From each answer to each arrival in milliseconds, in the order of the answers.
    delays: Vec<f64>,
    /// The p99 from asking to arrival.
    since_asked: f64,
}

impl Turn {
    fn quantile(&self, q: f64) -> f64 {
        quantile(self.delays.clone(), q)
    }

    /// The middle delay in the first fifth and in the last one.
    fn ends(&self) -> (f64, f64) {
        let fifth = self.delays.len() / 5;
        let middle = |part: &[f64]| median(part.to_vec());
        (middle(&self.delays[..fifth]), middle(&self.delays[self.delays.len() - fifth..]))
    }
}

fn quantile(mut figures: Vec<f64>, q: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let at = ((figures.len() as f64 * q) as usize).min(figures.len().saturating_sub(1));
    figures.get(at).copied().unwrap_or(f64::NAN)
}

/// A message that was sent.
struct Sent {
    asked: Instant,
    answered: Instant,
}

/// Sends at an even pace, whatever answers take, and waits until everything has arrived everywhere.
fn paced(
    server: &Server,
    requests: &Requests,
    per_second: f64,
    time: Duration,
    receiver: &Receiver,
) -> Result<Turn> {
    const CONNECTIONS: usize = 32;
    receiver.arrivals();
    let (began, events) = (Instant::now(), receiver.taken().0);
    let next = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (sent, halves) = runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (next, requests, address) = (next.clone(), requests.clone(), server.address);
            clients.spawn(async move {
                let mut client = Client::connect(address).await?;
                let (mut dice, mut sent) = (fastrand::Rng::new(), Vec::new());
                loop {
                    let due =
                        Duration::from_secs_f64(next.fetch_add(1, Ordering::Relaxed) as f64 / per_second);
                    if due >= time {
                        return anyhow::Ok(sent);
                    }
                    tokio::time::sleep_until((began + due).into()).await;
                    let (request, mut body) = (requests.one(&mut dice), Vec::new());
                    let asked = Instant::now();
                    let status = client.ask(&request, Some(&mut body)).await?;
                    let answered = Instant::now();
                    ensure!((200..300).contains(&status), "a send was answered with {status}");
                    let id = memmem::find(&body, ID).and_then(|at| message(&body[at + ID.len()..]));
                    sent.push((id.context("a message without an id")?, Sent { asked, answered }));
                }
            });
        }
        // Events arrive from a fifth of a second on, and are counted while as many are sent as arrive.
        let half = time / 2;
        tokio::time::sleep_until((began + half).into()).await;
        let before = (Instant::now(), receiver.taken().0);
        tokio::time::sleep_until((began + time).into()).await;
        let after = (Instant::now(), receiver.taken().0);
        let mut sent = HashMap::new();
        while let Some(client) = clients.join_next().await {
            sent.extend(client??);
        }
        anyhow::Ok((sent, (before, after)))
    })?;
    let ((from, before), (to, after)) = halves;
    let delivered = (after - before) as f64 / to.duration_since(from).as_secs_f64();
    let mut arrivals: Vec<(&Sent, Instant)> = Vec::new();
    let ended = Instant::now();
    loop {
        arrivals.extend(receiver.arrivals().into_iter().filter_map(|(id, at)| Some((sent.get(&id)?, at))));
        if arrivals.len() >= APPS * sent.len() {
            break;
        }
        ensure!(ended.elapsed() < PATIENCE, "{} of {} events arrived", arrivals.len(), APPS * sent.len());
        std::thread::sleep(Duration::from_millis(10));
    }
    ensure!(
        arrivals.len() == APPS * sent.len(),
        "{} events of {} messages arrived",
        arrivals.len(),
        sent.len()
    );
    progress(&format!("{} messages, {} events", sent.len(), receiver.taken().0 - events));
    arrivals.sort_by_key(|(sent, _)| sent.answered);
    let delay = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1000.0;
    Ok(Turn {
        rate: sent.len() as f64 / time.as_secs_f64(),
        delivered,
        delays: arrivals.iter().map(|(sent, at)| delay(sent.answered, *at)).collect(),
        since_asked: quantile(arrivals.iter().map(|(sent, at)| delay(sent.asked, *at)).collect(), 0.99),
    })
}
