//! What real clients send, replayed: a file of `tests/scenarios` per client, each with requests and the parts of the answers
//! that the client relies on.
//!
//! `$name` in a request or an expectation stands for an id that the set-up or an earlier step kept. An object is expected
//! member by member, a list item by item; `*` is any value, `-` is none at all, and a text that ends in `…` begins so.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::{Desk, text};

#[derive(Deserialize)]
struct Scenario {
    client: String,
    /// Sent with every request.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Method and path.
    send: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    status: u16,
    #[serde(default)]
    expect: Value,
    /// Headers of the answer.
    #[serde(default)]
    answers: BTreeMap<String, String>,
    /// Names for later, and where their values are.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

/// A chat with Ines, an email thread with Omar that has a ticket, and one in the trash.
async fn names(desk: &Desk) -> BTreeMap<String, String> {
    let chat = desk.chat("ines").await;
    let email = desk.portal.email_from("omar@example.net", "Bicycle", "The bell is missing.").await;
    let trashed = desk.chat("lena").await;
    desk.delete(&format!("/threads/{trashed}")).await.expect(204);
    let ticket = text(&desk.make("tickets", json!({ "subject": "Bell" })).await, "id");
    desk.user
        .put(&format!("/antiphon/v1/threads/{email}/ticket"), json!({ "ticketId": ticket }))
        .await
        .expect(200);
    let old = json!({ "type": "HS_EMAIL_ADDRESS", "value": "old@acme.example" });
    let old =
        json!({ "name": "Old", "channelId": 1002, "inboxId": desk.portal.inbox, "deliveryIdentifier": old });
    let old = text(&desk.make("channel-accounts", old).await, "id");
    desk.edit(&format!("channel-accounts/{old}"), json!({ "archived": true })).await;
    let of = async |thread: &str| text(&desk.thread(thread).await, "associatedContactId");
    let (ines, omar) = (of(&chat).await, of(&email).await);
    [
        ("chat", chat),
        ("email", email),
        ("trashed", trashed),
        ("ticket", ticket),
        ("ines", ines),
        ("omar", omar),
        ("agentNumber", desk.portal.agent.trim_start_matches("A-").to_owned()),
        ("agent", desk.portal.agent.clone()),
        ("app", desk.portal.app.clone()),
        ("inbox", desk.portal.inbox.clone()),
        ("oldAccount", old),
        ("chatAccount", desk.portal.chat.clone()),
        ("emailAccount", desk.portal.email.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn filled(text: &str, names: &BTreeMap<String, String>) -> String {
    // Longer names first, so that none is taken for the beginning of another.
    let mut known: Vec<_> = names.iter().collect();
    known.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    known.into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
}

fn filled_value(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => filled(text, names).into(),
        Value::Array(items) => items.iter().map(|item| filled_value(item, names)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, item)| (name.clone(), filled_value(item, names))).collect()
        }
        other => other.clone(),
    }
}

/// What is not as expected.
fn difference(at: &str, expected: &Value, got: Option<&Value>) -> Option<String> {
    match (expected, got) {
        (Value::String(mark), None) if mark == "-" => None,
        (Value::String(mark), Some(_)) if mark == "*" => None,
        (Value::String(text), Some(Value::String(got))) if text.ends_with('…') => (!got
            .starts_with(text.trim_end_matches('…')))
        .then(|| format!("{at}: {got:?} does not begin with {text:?}")),
        (Value::Object(members), Some(got @ Value::Object(_))) => {
            members.iter().find_map(|(name, item)| difference(&format!("{at}/{name}"), item, got.get(name)))
        }
        (Value::Array(items), Some(Value::Array(got))) if items.len() == got.len() => items
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(index, (item, got))| difference(&format!("{at}/{index}"), item, Some(got))),
        (expected, Some(got)) if expected == got => None,
        (expected, got) => Some(format!("{at}: expected {expected}, got {got:?}")),
    }
}

async fn play(path: &Path) {
    let scenario = std::fs::read_to_string(path).unwrap();
    let scenario: Scenario =
        serde_yaml_ng::from_str(&scenario).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let desk = Desk::open().await;
    let mut names = names(&desk).await;
    for (index, step) in scenario.steps.iter().enumerate() {
        let send = filled(&step.send, &names);
        let (method, path) = send.split_once(' ').unwrap();
        let mut user = desk.user.clone();
        for (name, value) in scenario.headers.iter().chain(&step.headers) {
            user = user.with(name.clone().leak(), &filled(value, &names));
        }
        let body = step.body.as_ref().map(|body| filled_value(body, &names).to_string()).unwrap_or_default();
        let reply = user.send(method, path, body).await;
        let what =
            format!("{}, step {}: {send} → {}\n{}", scenario.client, index + 1, reply.status, reply.text());
        assert_eq!(reply.status, step.status, "{what}");
        let got: Value = if reply.body.is_empty() { Value::Null } else { reply.json() };
        if !step.expect.is_null() {
            let fault = difference("", &filled_value(&step.expect, &names), Some(&got));
            assert!(fault.is_none(), "{}\n{what}", fault.unwrap_or_default());
        }
        for (name, value) in &step.answers {
            assert_eq!(reply.header(name), Some(&*filled(value, &names)), "{name}: {what}");
        }
        for (name, pointer) in &step.keep {
            let value = got
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("no {pointer}: {what}"));
            names.insert(name.clone(), value.to_owned());
        }
    }
}

#[tokio::test]
async fn every_client_gets_what_it_relies_on() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 13, "a file for every client");
    for file in files {
        play(&file).await;
    }
}
