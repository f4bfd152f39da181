//! What agents may do who are signed in, by their roles; and that somebody stays who may do everything.

use antiphon::routes::{Entry, OPERATIONS, Routes, Scope, Verb};
use antiphon::sessions::role;
use antiphon_store::Role;
use antiphon_testkit::PASSWORD;
use serde_json::{Value, json};

use crate::forgery::filled;
use crate::kit::{Desk, text};

#[tokio::test]
async fn roles_write_what_is_theirs_and_nothing_else() {
    let desk = Desk::open().await;
    let routes = Routes::new().unwrap();
    for role in [Role::ReadOnly, Role::Agent] {
        let user = desk.portal.signed_in(role::name(role)).await;
        let mut refused = 0;
        for mounted in routes.mounted() {
            for leaf in &mounted.leaves {
                let operation = leaf.operation;
                let Entry::Scope(scope) = operation.entry else { continue };
                let may = [Some(scope), operation.also]
                    .into_iter()
                    .flatten()
                    .any(|one| role::scopes(role).contains(&one));
                if may || operation.verb == Verb::Get {
                    // Those who only read are let through to nothing that writes: reading many at once is a POST.
                    let reads =
                        operation.verb == Verb::Get || matches!(scope, Scope::Read | Scope::FilesRead);
                    assert!(role == Role::Agent || reads, "{} {}", operation.verb.name(), operation.id);
                    continue;
                }
                let reply = user.send(operation.verb.name(), &filled(&mounted.template), "{}").await;
                assert_eq!(reply.status, 403, "{} {}: {}", role::name(role), operation.id, reply.text());
                refused += 1;
            }
        }
        assert!(refused > 50, "{refused}");
    }
    // What is read by a POST changes nothing.
    let reading: Vec<_> = OPERATIONS
        .iter()
        .flat_map(|family| family.iter())
        .filter(|one| {
            one.verb != Verb::Get && matches!(one.entry, Entry::Scope(Scope::Read | Scope::FilesRead))
        })
        .map(|one| one.id)
        .collect();
    assert_eq!(reading, ["actors.batch"], "whoever only reads can call these");
    // An agent who is not an administrator owns no app, and has no way to one.
    let agent = desk.portal.colleague("Kim", "AGENT").await;
    for operation in OPERATIONS.iter().flat_map(|family| family.iter()) {
        if !matches!(operation.entry, Entry::Owner | Entry::App) {
            continue;
        }
        for (prefix, _) in operation.family.prefixes() {
            let path = filled(&format!("{prefix}{}", operation.path));
            let reply = agent.send(operation.verb.name(), &path, "{}").await;
            assert!(matches!(reply.status, 403 | 404), "{}: {} {}", operation.id, reply.status, reply.text());
        }
    }
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let desk = Desk::open().await;
    let mia = desk.portal.signed_in("ADMIN").await;
    let id = desk.portal.agent[2..].to_owned();
    let ways = async |id: &str| -> Vec<(&'static str, String, Value)> {
        vec![
            ("PATCH", format!("/antiphon/v1/agents/{id}"), json!({ "active": false })),
            ("PATCH", format!("/antiphon/v1/agents/{id}"), json!({ "email": "" })),
            (
                "PUT",
                format!("/antiphon/v1/agents/{id}/login"),
                json!({ "password": PASSWORD, "role": "AGENT" }),
            ),
            ("POST", "/antiphon/v1/invitations".into(), json!({ "agentId": id, "role": "READ_ONLY" })),
        ]
    };
    // Neither by a session nor by a token.
    for user in [&mia, &desk.user] {
        for (method, path, body) in ways(&id).await {
            let reply = user.send(method, &path, body.to_string()).await;
            assert_eq!(reply.status, 400, "{method} {path}: {}", reply.text());
            assert!(reply.text().contains("last administrator"), "{}", reply.text());
        }
    }
    let shown = mia.get("/antiphon/v1/session").await.expect(200).json();
    assert_eq!(shown["agent"]["role"], "ADMIN");
    // With another one there is nothing to be afraid of; then that one stays.
    desk.portal.colleague("Tom", "ADMIN").await;
    let agents = desk.user.get("/antiphon/v1/agents").await.expect(200).json();
    let tom = agents["results"].as_array().unwrap().iter().find(|one| one["name"] == "Tom").unwrap();
    let toms = text(tom, "id");
    let lesser = json!({ "agentId": id, "role": "AGENT" });
    mia.post("/antiphon/v1/invitations", lesser).await.expect(201);
    for (method, path, body) in ways(&toms).await {
        let reply = desk.user.send(method, &path, body.to_string()).await;
        assert_eq!(reply.status, 400, "{method} {path}: {}", reply.text());
    }
    // The operator can make another one at any time, and may do as they like.
    desk.edit(&format!("agents/{toms}"), json!({ "active": false })).await;
}
