//! Limits hold over all nodes, however requests are spread, and are used by nine tenths at least.

use std::time::{Duration, Instant};

use antiphon_testkit::SEED_TOKEN;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::kit::*;

const LIMIT: usize = 190;
const WINDOW: Duration = Duration::from_secs(10);

/// When a request was sent, when it was answered, and whether it was let in.
type Asked = (Instant, Instant, bool);

/// Asks a node again and again.
async fn keep_asking(node: Node, token: String, path: &str, pause: Duration, until: Instant) -> Vec<Asked> {
    let mut asked = Vec::new();
    while Instant::now() < until {
        let sent = Instant::now();
        let reply = node.ask(&token, "GET", path, &Value::Null).await;
        assert!(matches!(reply.status, 200 | 429), "{}", reply.text());
        if reply.status == 429 {
            let left = reply.header("x-hubspot-ratelimit-remaining");
            assert!(left.is_none_or(|left| left == "0"), "{left:?}");
            let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=10).contains(&wait));
        }
        asked.push((sent, Instant::now(), reply.status == 200));
        sleep(pause).await;
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_seconds_roll_over_all_nodes() {
    let bed = Bed::new(1).await;
    let nodes = [
        bed.node_with(|config| config.limits.enabled = true),
        bed.node_with(|config| config.limits.enabled = true),
    ];
    let app =
        text(&nodes[0].operate("GET", "apps", &Value::Null).await.expect(200).json()["results"][0], "id");
    let until = Instant::now() + Duration::from_secs(13);
    // Milliseconds between one's requests and the next, on each node.
    let mut splits = JoinSet::new();
    for pauses in [[20, 20], [15, 900], [150, 30], [15, 6_000]] {
        let token = json!({ "label": "many", "appId": app, "scopes": ["conversations.read"] });
        let token = text(&nodes[0].operate("POST", "tokens", &token).await.expect(201).json(), "token");
        let nodes = nodes.clone();
        splits.spawn(async move {
            let channels = format!("{V3}/channels");
            let [one, other] = nodes.map(|node| node.clone());
            let (one, other) = tokio::join!(
                keep_asking(one, token.clone(), &channels, Duration::from_millis(pauses[0]), until),
                keep_asking(other, token, &channels, Duration::from_millis(pauses[1]), until),
            );
            (pauses, [one, other].concat())
        });
    }
    while let Some(split) = splits.join_next().await {
        let (pauses, asked) = split.unwrap();
        let first = asked.iter().map(|(sent, ..)| *sent).min().unwrap();
        let let_in: Vec<_> = asked.iter().filter(|(.., let_in)| *let_in).collect();
        let begun = let_in.iter().filter(|(_, answered, _)| *answered < first + WINDOW).count();
        println!("{pauses:?}: {begun} of {LIMIT} in the first ten seconds, {} asked", asked.len());
        assert!(begun as f64 >= 0.9 * LIMIT as f64 && begun <= LIMIT, "{pauses:?}: {begun} of {LIMIT}");
        for (from, ..) in &let_in {
            let inside =
                let_in.iter().filter(|(sent, answered, _)| sent >= from && *answered < *from + WINDOW);
            assert!(inside.count() <= LIMIT, "{pauses:?}");
        }
        assert!(asked.len() > LIMIT + 50, "nobody was ever refused");
        assert!(let_in.len() > LIMIT, "what was used comes back");
    }
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_limit_is_the_portals_on_every_node_and_outlives_them() {
    const DAY: u64 = 1_500;
    let bed = Bed::new(1).await;
    let node = || {
        bed.node_with(|config| {
            config.limits.enabled = true;
            config.limits.per_ten_seconds = 1_000_000;
            config.limits.per_day = DAY;
        })
    };
    let ask = async |node: &Node| node.ask(SEED_TOKEN, "GET", &format!("{V3}/channels"), &Value::Null).await;
    let mut let_in = 0;
    for _ in 0..2 {
        let nodes = [node(), node()];
        for round in 0..400 {
            let reply = ask(&nodes[usize::from(round % 4 == 0)]).await.expect(200);
            let_in += 1;
            let left: u64 = reply.header("x-hubspot-ratelimit-daily-remaining").unwrap().parse().unwrap();
            let truth = DAY - let_in;
            // What others hold may be used already.
            assert!((truth - 10..=truth + 1).contains(&left), "{left} instead of {truth}");
        }
        for node in nodes {
            node.store().close().await;
        }
    }
    let draws = bed.column("SELECT max(revision) FROM allowances WHERE key <> 'day'");
    assert!(draws[0].parse::<usize>().unwrap() < 10, "{draws:?} writes for {let_in} requests");
    let nodes = [node(), node()];
    let mut refused = [false; 2];
    while refused != [true; 2] {
        for (place, node) in nodes.iter().enumerate() {
            let reply = ask(node).await;
            match reply.status {
                200 => let_in += 1,
                _ => {
                    assert_eq!(reply.expect(429).json()["policyName"], "DAILY");
                    refused[place] = true;
                }
            }
        }
    }
    println!("{let_in} of {DAY}");
    assert!(let_in <= DAY && let_in as f64 >= 0.9 * DAY as f64, "{let_in} of {DAY}");
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_seconds_are_its_own_on_all_nodes_together() {
    const SUBSCRIPTIONS: &str = "/webhooks-journal/subscriptions/2026-03";
    const MOST: usize = 50;
    let second = Duration::from_secs(1);
    let bed = Bed::new(1).await;
    let nodes = [
        bed.node_with(|config| config.limits.enabled = true),
        bed.node_with(|config| config.limits.enabled = true),
    ];
    let app =
        text(&nodes[0].operate("GET", "apps", &Value::Null).await.expect(200).json()["results"][0], "id");
    let scope = "webhooks-journal-subscription-read";
    let token = json!({ "label": "many", "appId": app, "scopes": [scope] });
    let token = text(&nodes[0].operate("POST", "tokens", &token).await.expect(201).json(), "token");
    let until = Instant::now() + 5 * second;
    let mut asking = JoinSet::new();
    for node in &nodes {
        // Two tokens' worth of asking on each, so that it is refused on each.
        for _ in 0..2 {
            let (node, token) = (node.clone(), token.clone());
            let pause = Duration::from_millis(15);
            asking.spawn(async move { keep_asking(node, token, SUBSCRIPTIONS, pause, until).await });
        }
    }
    let asked: Vec<Asked> = asking.join_all().await.concat();
    let let_in: Vec<_> = asked.iter().filter(|(.., let_in)| *let_in).collect();
    println!("{} of {} in five seconds", let_in.len(), asked.len());
    for (from, ..) in &let_in {
        let inside = let_in.iter().filter(|(sent, answered, _)| sent >= from && *answered < *from + second);
        assert!(inside.count() <= MOST);
    }
    assert!(asked.len() > 6 * MOST, "nobody was ever refused: {}", asked.len());
    assert!(let_in.len() as f64 > 0.8 * 5.0 * MOST as f64, "{}", let_in.len());
    // None of it counted for the account.
    let reply = nodes[0].ask(SEED_TOKEN, "GET", &format!("{V3}/channels"), &Value::Null).await.expect(200);
    let left: usize = reply.header("x-hubspot-ratelimit-daily-remaining").unwrap().parse().unwrap();
    let most: usize = reply.header("x-hubspot-ratelimit-daily").unwrap().parse().unwrap();
    assert!(most - left < let_in.len(), "{left} of {most}");
    for node in nodes {
        node.store().close().await;
    }
}
