//! What holds for tokens and passwords on all nodes together.

use std::time::{Duration, Instant};

use antiphon::app::App;
use antiphon::oauth::login::{Tried, tried};
use antiphon_store::Directory;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::kit::*;

const PASSWORD: &str = "correct horse";

/// An app that is let in: its id, its client id and secret, and a token.
async fn installed(bed: &Bed, node: &Node) -> (String, String, String, String) {
    let made = node.operate("POST", "apps", &json!({ "name": "Relay" })).await.expect(201).json();
    let app = text(&made, "id");
    let client = node.operate("GET", &format!("apps/{app}/oauth"), &Value::Null).await.expect(200).json();
    let agent: i64 = bed.seed.agent.trim_start_matches("A-").parse().unwrap();
    let install = json!({ "userId": agent, "scopes": ["conversations.read"] });
    let given = node.operate("POST", &format!("apps/{app}/install"), &install).await.expect(201).json();
    (app, text(&client, "clientId"), text(&made, "clientSecret"), text(&given, "access_token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_ten_seconds_are_its_own_on_all_nodes_together() {
    const LIMIT: usize = 110;
    let window = Duration::from_secs(10);
    let bed = Bed::new(1).await;
    let nodes = [0, 1].map(|_| bed.node_with(|config| config.limits.enabled = true));
    let (.., token) = installed(&bed, &nodes[0]).await;
    let until = Instant::now() + Duration::from_secs(12);
    let mut asking = JoinSet::new();
    for node in &nodes {
        let (node, token) = (node.clone(), token.clone());
        asking.spawn(async move {
            let mut asked = Vec::new();
            while Instant::now() < until {
                let sent = Instant::now();
                let reply = node.ask(&token, "GET", &format!("{V3}/channels"), &Value::Null).await;
                assert!(matches!(reply.status, 200 | 429), "{}", reply.text());
                assert_eq!(reply.header("x-hubspot-ratelimit-max"), Some("110"));
                assert_eq!(reply.header("x-hubspot-ratelimit-daily"), None);
                asked.push((sent, Instant::now(), reply.status == 200));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            asked
        });
    }
    let asked = asking.join_all().await.concat();
    let let_in: Vec<_> = asked.iter().filter(|(.., let_in)| *let_in).collect();
    let first = asked.iter().map(|(sent, ..)| *sent).min().unwrap();
    let begun = let_in.iter().filter(|(_, answered, _)| *answered < first + window).count();
    println!("{begun} of {LIMIT} in the first ten seconds, {} asked", asked.len());
    assert!(begun as f64 >= 0.9 * LIMIT as f64 && begun <= LIMIT, "{begun} of {LIMIT}");
    for (from, ..) in &let_in {
        let inside = let_in.iter().filter(|(sent, answered, _)| sent >= from && *answered < *from + window);
        assert!(inside.count() <= LIMIT);
    }
    assert!(asked.len() > LIMIT + 50 && let_in.len() > LIMIT, "{} of {}", let_in.len(), asked.len());
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_counted_on_all_nodes_together() {
    let bed = Bed::new(0).await;
    let nodes = [bed.node(), bed.node()];
    let login = format!("agents/{}/login", bed.seed.agent.trim_start_matches("A-"));
    nodes[0].operate("PUT", &login, &json!({ "password": PASSWORD })).await.expect(204);
    let mut trying = JoinSet::new();
    for turn in 0..16 {
        let node = nodes[turn % 2].clone();
        trying.spawn(async move {
            let directory = node.store().directory(antiphon_store::PortalId(1)).await.unwrap().unwrap();
            matches!(attempt(&node.0, &directory, "wrong").await, Tried::Wrong)
        });
    }
    let tried = trying.join_all().await;
    assert_eq!(tried.iter().filter(|tried| **tried).count(), 5, "however many come at once, and where");
    let directory = nodes[0].store().directory(bed.portal).await.unwrap().unwrap();
    for node in &nodes {
        assert!(matches!(attempt(&node.0, &directory, PASSWORD).await, Tried::TooOften(1..=5)));
    }
    // The rightful one waits for no longer than it was told.
    let begun = Instant::now();
    let waited = loop {
        match attempt(&nodes[1].0, &directory, PASSWORD).await {
            Tried::In(_) => break begun.elapsed(),
            Tried::TooOften(wait) => tokio::time::sleep(Duration::from_secs(wait.try_into().unwrap())).await,
            Tried::Wrong => panic!("the right password is wrong"),
        }
    };
    assert!(waited < Duration::from_secs(7), "{waited:?}");
    for node in &nodes {
        assert!(
            matches!(attempt(&node.0, &directory, "wrong").await, Tried::Wrong),
            "everything is forgotten"
        );
    }
    for node in nodes {
        node.store().close().await;
    }
}

async fn attempt(app: &App, directory: &Directory, password: &str) -> Tried {
    tried(app, directory, ("mia@acme.example", password), None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_are_counted_on_all_nodes_together() {
    let bed = Bed::new(0).await;
    let nodes = [bed.node(), bed.node()];
    let (_, client, secret, _) = installed(&bed, &nodes[0]).await;
    let token = async |node: &Node, secret: &str| {
        let body =
            json!({ "grant_type": "client_credentials", "client_id": client, "client_secret": secret });
        node.ask("none", "POST", "/oauth/v3/token", &body).await
    };
    for turn in 0..5 {
        token(&nodes[turn % 2], "wrong").await.expect(400);
    }
    for node in &nodes {
        let refused = token(node, "wrong").await.expect(429);
        let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=5).contains(&wait));
        token(node, &secret).await.expect(200);
    }
    for node in nodes {
        node.store().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_on_one_node_is_known_on_the_other_once_it_is_written() {
    let bed = Bed::new(0).await;
    let nodes = [bed.node(), bed.node()];
    let token = json!({ "label": "x", "scopes": ["conversations.read"] });
    let made = nodes[0].operate("POST", "tokens", &token).await.expect(201).json();
    let used = async |node: &Node| {
        let list = node.operate("GET", "tokens", &Value::Null).await.expect(200).json();
        let all = list["results"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["id"] == made["id"]).unwrap()["lastUsedAt"].clone()
    };
    let revision = async || nodes[1].store().directory(bed.portal).await.unwrap().unwrap().revision;
    let before = revision().await;
    nodes[0].ask(&text(&made, "token"), "GET", &format!("{V3}/threads"), &Value::Null).await.expect(200);
    assert_eq!((used(&nodes[0]).await.is_string(), used(&nodes[1]).await), (true, Value::Null));
    assert_eq!(nodes[0].0.uses.write(nodes[0].store()).await, 1);
    let at = used(&nodes[1]).await;
    assert_eq!(at, used(&nodes[0]).await);
    // One that knows of an earlier minute only moves nothing back.
    let hash = antiphon::middleware::token::hash(&text(&made, "token"));
    nodes[1].0.uses.used(bed.portal, antiphon_store::Used::Token(hash), 60_000);
    nodes[1].0.uses.write(nodes[1].store()).await;
    assert_eq!((used(&nodes[0]).await, used(&nodes[1]).await), (at.clone(), at));
    assert_eq!(revision().await, before, "nobody reads a directory anew for it");
    for node in nodes {
        node.store().close().await;
    }
}
