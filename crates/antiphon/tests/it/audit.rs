//! Every administrative act is noted: who, what and when, and no secret. The table of operations says what is one.

use std::collections::BTreeSet;

use antiphon::routes::{Entry, OPERATIONS, Operation, Scope, Verb};
use antiphon_testkit::{TestServer, User};
use serde_json::{Value, json};

use crate::coverage::prepare;
use crate::kit::{Desk, text};

const OWN: &str = "/antiphon/v1";

/// Administrative writes that leave no note, each with its reason.
const SILENT: [(&str, &str); 3] = [
    ("checks.make", "it only reads"),
    ("visitors.tokens.verify", "it only reads what a token says"),
    ("agents.totp.reset", "nobody has an authenticator here, and what changes nothing is nothing"),
];

/// What is no change and is noted nevertheless: personal data leaves the server.
const HANDED_OUT: [&str; 1] = ["contacts.export"];

/// Whether it is an administrative act. What agents do all day is none: the threads' histories tell that.
fn is_act(operation: &Operation) -> bool {
    let of_administrators = matches!(operation.entry, Entry::Scope(Scope::Admin | Scope::Operator));
    let writes = operation.verb != Verb::Get || HANDED_OUT.contains(&operation.id);
    of_administrators && writes && operation.also != Some(Scope::Agent)
}

/// What is noted of an operation, in a portal and of the server.
async fn noted(operator: &User, operation: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for log in ["audit", "audit/server"] {
        let path = format!("{OWN}/{log}?limit=500&action={operation}");
        let page = operator.get(&path).await.expect(200).json();
        all.extend(page["results"].as_array().unwrap().clone());
    }
    all
}

/// Sees to it that a call has something to change: what is so already is not noted.
async fn stirred(desk: &Desk, operation: &str, path: &str) {
    let (operator, app) = (desk.portal.operator(), format!("{OWN}/apps/{}", desk.portal.app));
    match operation {
        "apps.webhook.resume" => {
            operator.post(&format!("{app}/webhook/pause"), json!({ "why": "It moves" })).await.expect(200);
        }
        "apps.webhook.subscriptions.update" => {
            operator.patch(path, json!({ "active": false })).await.expect(200);
        }
        "apps.uninstall" => {
            let user: i64 = desk.portal.agent[2..].parse().unwrap();
            let install = json!({ "userId": user, "scopes": ["oauth"] });
            operator.post(&format!("{app}/install"), install).await.expect(201);
        }
        _ => {}
    }
}

/// Texts of an answer that nobody is to read twice.
fn secrets(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::Array(all) => all.iter().for_each(|one| secrets(one, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.to_lowercase();
                let is_one = ["token", "secret", "key", "password"].iter().any(|word| name.ends_with(word));
                match value.as_str() {
                    Some(value) if is_one && value.len() > 8 => found.push(value.to_owned()),
                    Some(value) => {
                        found.extend(value.split_once("#token=").map(|(_, token)| token.to_owned()))
                    }
                    None => secrets(value, found),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_administrative_act_is_noted_and_no_secret_is() {
    let server = TestServer::start().await;
    let (mut acts, mut hidden, mut wrong) = (0, 0, Vec::new());
    for operation in OPERATIONS.iter().copied().flatten().filter(|one| is_act(one)) {
        let (prefix, _) = operation.family.prefixes()[0];
        let prepared = prepare(&server, operation, prefix).await;
        stirred(&prepared.desk, operation.id, &prepared.path).await;
        let operator = prepared.desk.portal.operator();
        let ids = |all: &[Value]| all.iter().map(|one| text(one, "id")).collect::<BTreeSet<_>>();
        let before = ids(&noted(operator, operation.id).await);
        let answer = prepared.send().await.unwrap();
        let noted = noted(operator, operation.id).await;
        let new: Vec<_> = noted.iter().filter(|one| !before.contains(&text(one, "id"))).collect();
        if let Some((_, why)) = SILENT.iter().find(|(id, _)| *id == operation.id) {
            assert!(new.is_empty(), "{} is noted, though {why}", operation.id);
            continue;
        }
        let [note] = new[..] else {
            wrong.push(format!("{} leaves {} notes", operation.id, new.len()));
            continue;
        };
        let by_operator = operation.entry == Entry::Scope(Scope::Operator);
        let who = if by_operator { "operator".to_owned() } else { format!("I-{}", prepared.desk.portal.app) };
        let on = note["changes"].as_array().unwrap();
        if note["actor"] != json!(who) || on.is_empty() || on.iter().any(|one| !one["object"].is_string()) {
            wrong.push(format!("{} says not who did what: {note}", operation.id));
        }
        let mut found = Vec::new();
        if answer.body.first() == Some(&b'{') {
            secrets(&answer.json(), &mut found);
        }
        hidden += found.len();
        for secret in found {
            if note.to_string().contains(&secret) {
                wrong.push(format!("{} tells a secret: {note}", operation.id));
            }
        }
        acts += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(acts > 40 && hidden > 5, "{acts} acts, {hidden} secrets");
}

#[tokio::test]
async fn the_servers_own_log_is_the_operators() {
    let server = TestServer::start().await;
    let desk = Desk::on(&server).await;
    let operator = desk.portal.operator();
    operator.post(&format!("{OWN}/keys/rotate"), json!({ "overlapSeconds": 60 })).await.expect(201);
    let path = format!("{OWN}/audit/server");
    let page = operator.get(&format!("{path}?action=keys.rotate")).await.expect(200).json();
    assert_eq!(page["results"].as_array().unwrap().len(), 1);
    let said = json!([{ "object": "SIGNING_KEY", "after": { "overlapSeconds": 60 } }]);
    assert_eq!((&page["results"][0]["changes"], &page["results"][0]["actor"]), (&said, &json!("operator")));
    // No portal sees it, whoever asks there.
    let administrator = desk.portal.signed_in("ADMIN").await;
    for user in [&desk.user, &administrator] {
        user.get(&path).await.expect(403);
        let own = user.get(&format!("{OWN}/audit?limit=500")).await.expect(200).text();
        assert!(!own.contains("keys.rotate"), "{own}");
    }
    // It is forgotten as the others are.
    server.advance(std::time::Duration::from_secs(401 * 24 * 60 * 60));
    antiphon::audit::sweep(server.app(), server.now()).await.unwrap();
    assert_eq!(operator.get(&path).await.expect(200).json()["results"], json!([]));
}

#[tokio::test]
async fn who_erases_somebody_is_noted_and_not_who_was_erased() {
    let desk = Desk::open().await;
    let ada = desk.portal.colleague("Ada", "ADMIN").await;
    let her = json!({ "name": "Ines Quillfeather", "email": "ines@quillfeather.example" });
    let id = text(&desk.make("contacts", her).await, "id");
    let path = format!("{OWN}/contacts/{id}");
    ada.get(&format!("{path}/export")).await.expect(200);
    ada.post(&format!("{path}/erase"), json!({})).await.expect(202);
    // Whoever asks again has done nothing.
    ada.post(&format!("{path}/erase"), json!({})).await.expect(202);
    let all = ada.get(&format!("{OWN}/audit?limit=500")).await.expect(200);
    let told: Vec<Value> = all.json()["results"].as_array().unwrap().clone();
    let of = |action: &str| told.iter().filter(|one| one["action"] == action).collect::<Vec<_>>();
    for action in ["contacts.export", "contacts.erase"] {
        assert_eq!(of(action).len(), 1, "{action}");
        assert_eq!(of(action)[0]["changes"], json!([{ "object": "CONTACT", "id": id }]));
        assert_ne!(of(action)[0]["actor"], json!("operator"));
    }
    assert!(!all.text().to_lowercase().contains("quillfeather"), "{}", all.text());
}
