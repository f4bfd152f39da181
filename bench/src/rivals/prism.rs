//! Prism, mocking our own OpenAPI document: it stores nothing and looks nothing up, and still has to be far behind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::finish;
use crate::Bench;
use crate::load::{Load, Requests, fetch, request, try_fetch};
use crate::measures::{BASE, ask, large, per_second, rate};
use crate::report::{Line, Mark, Report, Unit, progress};
use crate::seed::{ACCOUNT, AGENT, CHANNEL, INBOX, send_body, visitor_identifier};
use crate::server::{Server, free_address};

const CONNECTIONS: usize = 64;
/// The prefixes whose operations are measured; the other versions are the same code.
const PREFIXES: [&str; 2] = [BASE, "/antiphon/v1"];

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let prism = install(&bench.root)?;
    let ours = bench.server(&large(), "rivals")?;
    let document = fetch(ours.address, &request("GET", "/openapi.json", &[], b""))?;
    let theirs = start(&prism, &bench.root, &document)?;
    let document: Value = serde_json::from_slice(&document)?;
    let message = a_message(&ours)?;
    for (n, operation) in operations(&document).into_iter().enumerate() {
        // Each on a thread of its own, so that one operation's effects are not another's.
        let Some(request) = operation.request(&ours, n as i64 + 10, &message) else {
            report.skip(format!("{}, for which the benchmark knows no request", operation.name()));
            continue;
        };
        let answers =
            [&ours, &theirs].map(|server| try_fetch(server.address, &request).map(|(status, _)| status));
        let [ok, mocked] = answers;
        let (ok, mocked) = (ok?, mocked?);
        if !(200..300).contains(&ok) || !(200..300).contains(&mocked) {
            report.skip(format!("{}: we answered {ok}, Prism {mocked}", operation.name()));
            continue;
        }
        progress(&operation.name());
        let requests = Requests::any_of(vec![request]);
        let load = |server: &Server| Load {
            time: bench.turn / 4,
            ..bench.load(server.address, CONNECTIONS, &requests)
        };
        let outcomes = bench.interleave(&[load(&ours), load(&theirs)])?;
        let (ours, theirs) = (rate(&outcomes[0]), rate(&outcomes[1]));
        report.add(Line {
            what: format!("{}, against Prism", operation.name()),
            ours: per_second(ours),
            theirs: per_second(theirs),
            figure: ours / theirs,
            unit: Unit::Times,
            goal: Some(Mark::AtLeast(15.0)),
        });
    }
    ours.stop()
}

fn install(root: &Path) -> Result<PathBuf> {
    let folder = root.join("npm");
    let prism = folder.join("node_modules/.bin/prism");
    if !prism.exists() {
        progress("installing Prism from npm");
        std::fs::create_dir_all(&folder)?;
        let mut install = Command::new("npm");
        install.current_dir(&folder).args([
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            ".",
            "@stoplight/prism-cli",
        ]);
        finish(install, &root.join("npm.log"))?;
    }
    Ok(prism)
}

fn start(prism: &Path, root: &Path, document: &[u8]) -> Result<Server> {
    let file = root.join("run/openapi.json");
    std::fs::write(&file, document)?;
    let address = free_address()?;
    let mut mock = Command::new(prism);
    mock.args([
        "mock",
        "--host",
        "127.0.0.1",
        "--port",
        &address.port().to_string(),
        "--verboseLevel",
        "error",
    ])
    .arg(&file);
    progress("starting Prism");
    let server =
        Server::start_answering(mock, address, &root.join("run/prism.log"), Duration::from_secs(60))?;
    Ok(server)
}

fn a_message(server: &Server) -> Result<(i64, String)> {
    let page: Value = serde_json::from_slice(&fetch(
        server.address,
        &ask("GET", &format!("{BASE}/threads/1/messages?limit=1"), b""),
    )?)?;
    let id = page["results"][0]["id"].as_str().context("thread 1 has no message")?;
    Ok((1, id.to_string()))
}

struct Operation {
    method: String,
    path: String,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        if PREFIXES.iter().any(|prefix| path.starts_with(&format!("{prefix}/"))) {
            for method in item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase()) {
                if ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                    found.push(Operation { method, path: path.clone() });
                }
            }
        }
    }
    // What adds to the directory comes late and what takes away comes last, so that nothing is measured on less or more.
    found.sort_by_key(|operation| {
        ["GET", "PUT", "PATCH", "POST", "DELETE"].iter().position(|m| *m == operation.method)
    });
    found
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path.strip_prefix(BASE).unwrap_or(&self.path))
    }

    /// A request that can be sent again and again; `None` where there is none.
    fn request(&self, ours: &Server, thread: i64, message: &(i64, String)) -> Option<Vec<u8>> {
        let mut path = self.path.replace("{messageId}", &message.1);
        let thread = if path == self.path { thread } else { message.0 };
        path = path.replace("{threadId}", &thread.to_string());
        if let Some((collection, _)) =
            path.strip_prefix("/antiphon/v1/").and_then(|rest| rest.split_once("/{"))
        {
            let id = made(ours, collection)?;
            path = match (path.find('{'), path.find('}')) {
                (Some(from), Some(to)) => [&path[..from], &id, &path[to + 1..]].concat(),
                _ => path,
            };
        }
        for (name, value) in [
            ("{actorId}", format!("A-{AGENT}")),
            ("{inboxId}", INBOX.to_string()),
            ("{channelId}", CHANNEL.to_string()),
            ("{channelAccountId}", ACCOUNT.to_string()),
        ] {
            path = path.replace(name, &value);
        }
        let body = match self.method.as_str() {
            _ if path.contains('{') => return None,
            "GET" | "DELETE" => Vec::new(),
            method => self.body(ours, method, thread)?,
        };
        Some(ask(&self.method, &path, &body))
    }

    fn body(&self, ours: &Server, method: &str, thread: i64) -> Option<Vec<u8>> {
        let identifier = visitor_identifier(antiphon_store::VisitorId(thread));
        let sender = json!({"deliveryIdentifier": {"type": identifier.kind, "value": identifier.value}});
        let account = ACCOUNT.to_string();
        let send = || serde_json::from_slice::<Value>(&send_body(thread, 1)).unwrap_or_default();
        let name = self.name();
        let body = match (method, name.split(' ').nth(1)?) {
            ("POST", "/threads/{threadId}/messages") => send(),
            ("PATCH", "/threads/{threadId}") => json!({"status": "OPEN"}),
            ("PUT" | "POST", "/threads/{threadId}/assignee") => json!({"actorId": format!("A-{AGENT}")}),
            ("POST", "/actors/batch/read") => json!({"inputs": [format!("A-{AGENT}"), "V-1"]}),
            ("POST", "/antiphon/v1/threads") => {
                json!({"channelAccountId": account, "recipient": {"contactId": thread.to_string()}, "message": send()})
            }
            ("POST", "/antiphon/v1/messages/incoming") => {
                json!({"channelAccountId": account, "sender": sender, "text": "Is anybody there?"})
            }
            ("PUT", "/antiphon/v1/threads/{threadId}/inbox") => json!({"inboxId": INBOX.to_string()}),
            ("PUT", "/antiphon/v1/threads/{threadId}/spam") => json!({"spam": true}),
            ("PUT", "/antiphon/v1/threads/{threadId}/ticket") => json!({"ticketId": made(ours, "tickets")?}),
            ("PUT", path) if path.ends_with("/status") => json!({"statusType": "READ"}),
            ("POST", path) if path.ends_with("/rotate") => json!({"atOnce": false}),
            ("PATCH", path) if path.starts_with("/antiphon/v1/") => json!({"name": "Another"}),
            ("POST", path) => new(path.strip_prefix("/antiphon/v1/")?)?,
            _ => return None,
        };
        Some(body.to_string().into_bytes())
    }
}

/// What makes an object of ours.
fn new(collection: &str) -> Option<Value> {
    Some(match collection {
        "inboxes" | "agents" | "bots" | "llms" | "apps" | "contacts" => json!({"name": "Another"}),
        "portals" => json!({"name": "Another", "timeZone": "UTC"}),
        "tickets" => json!({"subject": "Another"}),
        "files" => {
            json!({"name": "a.pdf", "mediaType": "application/pdf", "url": "https://bench.example/a.pdf"})
        }
        "channel-accounts" => {
            json!({"name": "Another", "channelId": CHANNEL.to_string(), "inboxId": INBOX.to_string()})
        }
        "tokens" => json!({"label": "Another", "appId": "4410", "scopes": ["conversations.read"]}),
        _ => return None,
    })
}

/// The id of an object made for one operation alone.
fn made(ours: &Server, collection: &str) -> Option<String> {
    let body = new(collection)?.to_string();
    let made =
        fetch(ours.address, &ask("POST", &format!("/antiphon/v1/{collection}"), body.as_bytes())).ok()?;
    let made: Value = serde_json::from_slice(&made).ok()?;
    Some(made["id"].as_str()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_measured_prefixes_are_taken() -> Result<()> {
        let document = json!({"paths": {
            "/conversations/v3/conversations/threads/{threadId}": {"get": {}, "patch": {}, "parameters": []},
            "/conversations/conversations/2026-09/threads": {"get": {}},
        }});
        let names: Vec<_> = operations(&document).iter().map(Operation::name).collect();
        anyhow::ensure!(names == ["GET /threads/{threadId}", "PATCH /threads/{threadId}"], "{names:?}");
        Ok(())
    }
}
