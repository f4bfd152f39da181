//! Publishing on a channel of an app's own, against sending on one of the server's: what either costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use antiphon_cluster::{Cluster, Options};
use antiphon_store::{Postgres, Settings};
use anyhow::{Context, Result};
use memchr::memmem;
use serde_json::{Value, json};

use super::webhooks::turn;
use super::{per_second, rate, sends, small, token};
use crate::Bench;
use crate::load::{Load, Requests, fetch, request};
use crate::report::{Line, Mark, Report, Unit, progress};
use crate::seed::{self, INBOX, Recipe};
use crate::server::Server;

/// Room for a number, and for a time.
const NUMBER: &str = "number----------";
const TIME: &str = "time--------------------";

const CHANNELS: &str = "/conversations/v3/custom-channels";

/// What publishing may cost against sending.
const MOST: f64 = 1.3;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let recipe = small();
    let (server, other) = (bench.server(&recipe, "publishes")?, bench.server(&recipe, "sends-beside")?);
    beside(bench, report, &recipe, (server, other), "")?;
    postgres(bench, report, &recipe)
}

/// The same on PostgreSQL, of which both have the same one.
fn postgres(bench: &Bench, report: &mut Report, recipe: &Recipe) -> Result<()> {
    let cluster =
        Cluster::start(Options::durable().set("checkpoint_timeout", "1h").set("max_wal_size", "16GB"))?;
    let database = cluster.database()?;
    let directory = |name: &str| {
        let directory = bench.root.join("run").join(name);
        std::fs::create_dir_all(&directory).map(|()| directory)
    };
    let store = Settings {
        postgres: Some(Postgres { writers: 1, ..Postgres::new(database.url()) }),
        durable: false,
        queue: 4096,
        ..Settings::new(&directory("channels-postgres")?)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(recipe.fill(store))?;
    database.rows("VACUUM ANALYZE")?;
    let copy = cluster.database_like(database.name())?;
    let server = Server::antiphon_on(&bench.server, &directory("publishes-postgres")?, &database.url())?;
    let other = Server::antiphon_on(&bench.server, &directory("sends-postgres")?, &copy.url())?;
    beside(bench, report, recipe, (server, other), "PostgreSQL: ")
}

fn beside(
    bench: &Bench,
    report: &mut Report,
    recipe: &Recipe,
    (server, other): (Server, Server),
    on: &str,
) -> Result<()> {
    let threads = recipe.threads();
    let next = Arc::new(AtomicU64::new(0));
    let publishes = publishes(&server, threads.len() as u64, &next)?;
    let sends = sends(&threads);
    // The first message of a conversation makes its thread and its visitor.
    while next.load(Ordering::Relaxed) < threads.len() as u64 {
        Load { time: Duration::from_secs(1), ..bench.load(server.address, 64, &publishes) }.run()?;
    }
    progress(&format!("{} conversations", threads.len()));
    for connections in [64, 1] {
        let publishing = bench.load(server.address, connections, &publishes);
        let sending = bench.load(other.address, connections, &sends);
        let (mut published, mut sent) = (Vec::new(), Vec::new());
        for _ in 0..bench.rounds {
            turn(&other, &server)?;
            published.push(publishing.run()?);
            turn(&server, &other)?;
            sent.push(sending.run()?);
        }
        server.pause(false)?;
        let (published, sent) = (rate(&published), rate(&sent));
        report.add(Line {
            what: format!(
                "{on}what publishing an incoming message costs at {connections} connections, against sending one"
            ),
            ours: per_second(published),
            theirs: per_second(sent),
            figure: sent / published,
            unit: Unit::Times,
            goal: Some(Mark::AtMost(MOST)),
        });
    }
    other.stop()?;
    server.stop()
}

/// Makes a channel with an account, and requests that publish there: one for each of so many conversations, and from then on
/// in any of them.
fn publishes(server: &Server, conversations: u64, next: &Arc<AtomicU64>) -> Result<Requests> {
    let token =
        token(server, &["conversations.custom_channels.read", "conversations.custom_channels.write"])?;
    let bearer = format!("Bearer {token}");
    let make = |path: &str, body: Value| -> Result<String> {
        let path = format!("{CHANNELS}{path}");
        let body = body.to_string();
        let made =
            fetch(server.address, &request("POST", &path, &[("authorization", &bearer)], body.as_bytes()))?;
        let made: Value = serde_json::from_slice(&made)?;
        Ok(made["id"].as_str().context("no id")?.to_owned())
    };
    let identifier = |value: &str| json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": value });
    let capabilities = json!({
        "deliveryIdentifierTypes": ["CHANNEL_SPECIFIC_OPAQUE_ID"], "richText": ["HYPERLINK"],
        "threadingModel": "INTEGRATION_THREAD_ID",
    });
    let channel = make("", json!({ "name": "Relay", "capabilities": capabilities }))?;
    let account = make(
        &format!("/{channel}/channel-accounts"),
        json!({
            "inboxId": INBOX.to_string(), "name": "Relay", "authorized": true,
            "deliveryIdentifier": identifier("relay"),
        }),
    )?;
    let path = format!("{CHANNELS}/{channel}/messages");
    // Printed now, with room for what is another one every time.
    let prepared = (0..conversations).map(|conversation| {
        let text = seed::text(conversation);
        let body = json!({
            "channelAccountId": account, "messageDirection": "INCOMING",
            "integrationThreadId": format!("conversation-{conversation}"),
            "integrationIdempotencyId": NUMBER, "timestamp": TIME,
            "text": text, "richText": format!("<div>{text}</div>"),
            "senders": [{ "name": "Ineke V.", "deliveryIdentifier": identifier(&format!("visitor-{conversation}")) }],
            "recipients": [{ "deliveryIdentifier": identifier("relay") }],
        });
        let request = request("POST", &path, &[("authorization", &bearer)], body.to_string().as_bytes());
        let at = |room: &str| memmem::find(&request, room.as_bytes()).context("no room");
        Ok((at(NUMBER)?, at(TIME)?, request))
    });
    let (prepared, next) = (prepared.collect::<Result<Vec<_>>>()?, next.clone());
    Ok(Requests::made_by(move |dice, out| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let conversation = if number < conversations { number } else { dice.u64(..conversations) };
        let (number_at, time_at, request) = &prepared[conversation as usize];
        let begins = out.len();
        out.extend_from_slice(request);
        let mut put = |at: &usize, text: String| {
            out[begins + at..][..text.len()].copy_from_slice(text.as_bytes());
        };
        put(number_at, format!("{number:016}"));
        put(time_at, format!("{:.3}", jiff::Timestamp::now()));
    }))
}
