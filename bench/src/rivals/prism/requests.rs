//! A request for every operation that can be sent again and again, to us and to Prism alike. What writes is asked about
//! another thread, or with other words, every time: a repeat that changes nothing would flatter us.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::load::{Load, Requests, fetch};
use crate::measures::{BASE, ask};
use crate::seed::{ACCOUNT, AGENT, APP, CHANNEL, INBOX, send_body, visitor_identifier};
use crate::server::Server;

const OWN: &str = "/antiphon/v1";
/// The prefixes whose operations are measured; the other versions are the same code.
const PREFIXES: [&str; 2] = [BASE, OWN];
/// What the objects are called that are made here.
const NAME: &str = "Another";
/// Most objects that one operation is asked about in turn.
const MOST: usize = 10_000;

/// What requests are about.
pub struct Desk<'a> {
    server: &'a Server,
    threads: Vec<i64>,
    /// A message of the first thread.
    message: String,
}

impl<'a> Desk<'a> {
    pub fn of(server: &'a Server, threads: Vec<i64>) -> Result<Self> {
        let first = *threads.first().context("no threads")?;
        let page = get(server, &format!("{BASE}/threads/{first}/messages?limit=1"))?;
        let message =
            page["results"][0]["id"].as_str().context("the first thread has no message")?.to_owned();
        Ok(Self { server, threads, message })
    }

    /// The id of an object made for one operation alone.
    fn made(&self, collection: &str) -> Result<String> {
        let body = new(collection, fresh()).context("nothing of this kind can be made")?.to_string();
        let made = ask("POST", &format!("{OWN}/{collection}"), body.as_bytes());
        let made: Value = serde_json::from_slice(&fetch(self.server.address, &made)?)?;
        Ok(made["id"].as_str().context("what was made has no id")?.to_owned())
    }

    /// The ids of many objects that are made for this.
    fn many_made(&self, collection: &str) -> Result<Vec<String>> {
        let mut ids = vec![self.made(collection)?];
        let (path, of) = (format!("{OWN}/{collection}"), collection.to_owned());
        let make = Requests::made_by(move |_, out| {
            let body = new(&of, fresh()).unwrap_or_default().to_string();
            out.extend_from_slice(&ask("POST", &path, body.as_bytes()));
        });
        let (address, time) = (self.server.address, Duration::from_secs(1));
        Load { address, connections: super::CONNECTIONS, time, requests: make, core: None }.run()?;
        let family = if ["inboxes", "channel-accounts"].contains(&collection) { BASE } else { OWN };
        let first = format!("{family}/{collection}?limit=500");
        let mut path = first.clone();
        while ids.len() < MOST {
            let page = get(self.server, &path)?;
            let ours = |one: &&Value| {
                [&one["name"], &one["label"]].iter().any(|n| n.as_str().is_some_and(|n| n.starts_with(NAME)))
            };
            let results = page["results"].as_array().into_iter().flatten();
            ids.extend(results.filter(ours).filter_map(|one| one["id"].as_str()).map(str::to_owned));
            let Some(after) = page["paging"]["next"]["after"].as_str() else { break };
            path = format!("{first}&after={after}");
        }
        Ok(ids)
    }
}

fn get(server: &Server, path: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&fetch(server.address, &ask("GET", path, b""))?)?)
}

/// A number that was not drawn before.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

pub struct Operation {
    method: String,
    path: String,
}

pub fn operations(document: &Value) -> Vec<Operation> {
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
    // What adds to the directory comes late and what takes away comes last, so that nothing is measured on less.
    found.sort_by_key(|operation| match (operation.method.as_str(), operation.path.rsplit('/').next()) {
        ("GET", _) => 0,
        // A thread in another inbox cannot be answered over its account.
        ("PUT", Some("inbox")) => 4,
        ("PUT", _) => 1,
        ("PATCH", _) => 2,
        ("POST", _) => 3,
        ("DELETE", Some("{threadId}")) => 6,
        _ => 5,
    });
    found
}

/// What a request is about: a thread, a number that was not drawn before, and whether it is an odd time that the
/// thread is asked about.
struct Turn {
    thread: i64,
    number: u64,
    odd: bool,
}

type Body = Box<dyn Fn(&Turn) -> Value + Send + Sync>;

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path.strip_prefix(BASE).unwrap_or(&self.path))
    }

    /// Its requests.
    ///
    /// # Errors
    /// Why there are none that can be repeated.
    pub fn requests(&self, desk: &Desk<'_>) -> Result<Requests> {
        let (paths, method) = (self.paths(desk)?, self.method.clone());
        // A thread that is marked already is unmarked by the other of the two operations.
        let spam = self.path.ends_with("/spam");
        let body = match method.as_str() {
            "GET" | "DELETE" => None,
            _ if spam => None,
            _ => Some(self.body(desk)?),
        };
        let (threads, first) = (desk.threads.clone(), fresh());
        Ok(Requests::made_by(move |_, out| {
            let number = fresh();
            let nth = (number - first) as usize;
            let odd = nth / threads.len() % 2 == 1;
            let turn = Turn { thread: threads[nth % threads.len()], number, odd };
            let method = match method.as_str() {
                "PUT" if spam && odd => "DELETE",
                "DELETE" if spam && odd => "PUT",
                method => method,
            };
            let path = paths[nth % paths.len()].replace("{threadId}", &turn.thread.to_string());
            let body = body.as_ref().map(|body| body(&turn).to_string()).unwrap_or_default();
            out.extend_from_slice(&ask(method, &path, body.as_bytes()));
        }))
    }

    /// Its path with everything filled in but the thread, for every object that it is asked about in turn.
    fn paths(&self, desk: &Desk<'_>) -> Result<Vec<String>> {
        let mut path = self.path.clone();
        if path.contains("{messageId}") {
            path = path
                .replace("{messageId}", &desk.message)
                .replace("{threadId}", &desk.threads[0].to_string());
        }
        for (name, value) in [
            ("{actorId}", format!("A-{AGENT}")),
            ("{channelId}", CHANNEL.to_string()),
            ("{visitorId}", "1".to_owned()),
        ] {
            path = path.replace(name, &value);
        }
        if path.starts_with(BASE) {
            path = path.replace("{inboxId}", &INBOX.to_string());
            path = path.replace("{channelAccountId}", &ACCOUNT.to_string());
        }
        let open = path.replace("{threadId}", "");
        let (Some(from), Some(to)) = (open.find('{'), open.find('}')) else { return Ok(vec![path]) };
        let parameter = open[from..=to].to_owned();
        let collection = path.strip_prefix(OWN).and_then(|rest| rest.split('/').nth(1)).unwrap_or_default();
        let ids = match self.method.as_str() {
            "DELETE" => desk.many_made(collection)?,
            _ => vec![desk.made(collection)?],
        };
        Ok(ids.iter().map(|id| path.replace(&parameter, id)).collect())
    }

    fn body(&self, desk: &Desk<'_>) -> Result<Body> {
        let same = |value: Value| -> Body { Box::new(move |_| value.clone()) };
        let name = self.name();
        Ok(match (self.method.as_str(), name.split(' ').nth(1).unwrap_or_default()) {
            ("POST", "/threads/{threadId}/messages") => Box::new(|turn| {
                let Turn { thread, number, .. } = *turn;
                serde_json::from_slice(&send_body(thread, number)).unwrap_or_default()
            }),
            ("PATCH", "/threads/{threadId}") => {
                Box::new(|turn| json!({"status": if turn.odd { "OPEN" } else { "CLOSED" }}))
            }
            ("PUT" | "POST", "/threads/{threadId}/assignee") => {
                let agents = [desk.made("agents")?, AGENT.to_string()];
                Box::new(move |turn| json!({"actorId": format!("A-{}", agents[usize::from(turn.odd)])}))
            }
            ("POST", "/actors/batch/read") => same(json!({"inputs": [format!("A-{AGENT}"), "V-1"]})),
            ("POST", "/antiphon/v1/threads") => Box::new(|turn| {
                let Turn { thread, number, .. } = *turn;
                json!({
                    "channelAccountId": ACCOUNT.to_string(), "recipient": {"contactId": thread.to_string()},
                    "message": serde_json::from_slice::<Value>(&send_body(thread, number)).unwrap_or_default(),
                })
            }),
            ("POST", "/antiphon/v1/messages/incoming") => Box::new(|turn| {
                let Turn { thread, number, .. } = *turn;
                let identifier = visitor_identifier(antiphon_store::VisitorId(thread));
                json!({
                    "channelAccountId": ACCOUNT.to_string(), "text": format!("Is anybody there? {number}"),
                    "sender": {"identifier": {"type": identifier.kind, "value": identifier.value}},
                })
            }),
            ("PUT", "/antiphon/v1/threads/{threadId}/inbox") => {
                let inboxes = [desk.made("inboxes")?, INBOX.to_string()];
                Box::new(move |turn| json!({"inboxId": inboxes[usize::from(turn.odd)]}))
            }
            ("PUT", "/antiphon/v1/threads/{threadId}/ticket") => {
                same(json!({"ticketId": desk.made("tickets")?}))
            }
            ("PUT", path) if path.ends_with("/status") => same(json!({"statusType": "READ"})),
            ("POST", path) if path.ends_with("/rotate") => same(json!({"atOnce": false})),
            ("POST", "/antiphon/v1/backups" | "/antiphon/v1/checks") => {
                bail!("only over the control socket, and each copies or reads the whole store")
            }
            ("PATCH", path) if path.starts_with("/antiphon/v1/tickets") => {
                Box::new(|turn| json!({"subject": format!("{NAME} {}", turn.number)}))
            }
            ("PATCH", path) if path.starts_with(OWN) => {
                Box::new(|turn| json!({"name": format!("{NAME} {}", turn.number)}))
            }
            ("POST", path) if path.starts_with(OWN) => {
                let collection = path.trim_start_matches(OWN).trim_start_matches('/').to_owned();
                new(&collection, 0).context("the benchmark knows no request for it")?;
                Box::new(move |turn| new(&collection, turn.number).unwrap_or_default())
            }
            _ => bail!("the benchmark knows no request for it"),
        })
    }
}

/// What makes an object of ours.
fn new(collection: &str, number: u64) -> Option<Value> {
    let name = format!("{NAME} {number}");
    Some(match collection {
        "inboxes" | "agents" | "bots" | "llms" | "apps" => json!({"name": name}),
        "contacts" => json!({"name": name, "email": format!("another-{number}@bench.example")}),
        "portals" => json!({"name": name, "timeZone": "UTC"}),
        "tickets" => json!({"subject": name}),
        "files" => {
            let url = format!("https://bench.example/{number}.pdf");
            json!({"name": "a.pdf", "mediaType": "application/pdf", "url": url})
        }
        "channel-accounts" => {
            json!({"name": name, "channelId": CHANNEL.to_string(), "inboxId": INBOX.to_string()})
        }
        "tokens" => json!({"label": name, "appId": APP.to_string(), "scopes": ["conversations.read"]}),
        _ => return None,
    })
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
