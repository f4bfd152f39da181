//! Agents who work on the same threads, each led to another node.

use std::time::{Duration, Instant};

use antiphon_testkit::{Reply, SEED_TOKEN, Socket, listen};
use antiphon_wire::timestamp::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::*;

const OWN: &str = "/antiphon/v1";

/// Two agents, each at a node of their own.
struct Two {
    bed: Bed,
    nodes: [Node; 2],
    actors: [String; 2],
    browsers: [Browser; 2],
}

impl Two {
    async fn new(chats: usize) -> Self {
        let bed = Bed::new(chats).await;
        let nodes = [bed.node(), bed.node()];
        let actors = [bed.agent(&nodes[0], "Leo").await, bed.agent(&nodes[1], "Ada").await];
        // Each signs in on the node on which they do not work.
        let browsers = [Browser::sign_in(&nodes[1], "Leo").await, Browser::sign_in(&nodes[0], "Ada").await];
        Self { bed, nodes, actors, browsers }
    }

    async fn ask(&self, who: usize, method: &str, path: &str, body: &Value) -> Reply {
        self.browsers[who].ask(&self.nodes[who], method, &format!("{OWN}/{path}"), body).await
    }

    async fn reply(&self, who: usize, thread: &str, body: &Value) -> Reply {
        self.ask(who, "POST", &format!("threads/{thread}/replies"), body).await
    }

    /// The messages of a thread as one of them is shown them, oldest first.
    async fn messages(&self, who: usize, thread: &str) -> Vec<Value> {
        let path = format!("{V3}/threads/{thread}/messages?sort=createdAt&limit=100");
        let page = self.browsers[who].ask(&self.nodes[who], "GET", &path, &Value::Null).await;
        let page = page.expect(200).json();
        let said = page["results"].as_array().unwrap().iter().filter(|entry| entry["type"] == "MESSAGE");
        said.cloned().collect()
    }

    async fn newest(&self, who: usize, thread: &str) -> String {
        text(self.messages(who, thread).await.last().unwrap(), "id")
    }

    async fn end(self) {
        for node in &self.nodes {
            node.store().close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_past_what_a_colleague_said_on_the_other_node() {
    let two = Two::new(1).await;
    let thread = &two.bed.seed.threads[0];
    for round in 0..10 {
        let (one, other) = (round % 2, (round + 1) % 2);
        let seen = two.newest(one, thread).await;
        let said =
            two.reply(other, thread, &json!({ "text": "On it.", "seen": seen })).await.expect(201).json();
        let answer = json!({ "text": "It is on its way.", "seen": seen });
        let refused = two.reply(one, thread, &answer).await.expect(409).json();
        assert_eq!(refused["subCategory"], "NEWER_MESSAGE");
        assert_eq!(refused["context"], json!({ "messageId": [said["id"]], "by": [two.actors[other]] }));
        let answer = json!({ "text": "It is on its way.", "seen": said["id"] });
        two.reply(one, thread, &answer).await.expect(201);
    }
    two.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_over_a_colleague_who_writes_on_the_other_node() {
    let two = Two::new(1).await;
    let thread = &two.bed.seed.threads[0];
    let draft = format!("threads/{thread}/draft");
    for round in 0..10 {
        let (one, other) = (round % 2, (round + 1) % 2);
        let seen = two.newest(one, thread).await;
        two.ask(other, "PUT", &draft, &json!({ "text": "I think" })).await.expect(204);
        two.ask(one, "GET", &draft, &Value::Null).await.expect(404);
        let answer = json!({ "text": "It is on its way.", "seen": seen });
        let refused = two.reply(one, thread, &answer).await.expect(409).json();
        assert_eq!(refused["subCategory"], "COLLEAGUE_ANSWERING");
        assert_eq!(refused["context"], json!({ "actorId": [two.actors[other]] }));
        if round % 4 < 2 {
            two.ask(other, "DELETE", &draft, &Value::Null).await.expect(204);
            two.reply(one, thread, &answer).await.expect(201);
        } else {
            // Whoever answers has no draft any more, on either node.
            two.reply(other, thread, &answer).await.expect(201);
            let browser = &two.browsers[other];
            browser.get(&two.nodes[one], &draft).await.expect(404);
        }
    }
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_answer_at_once_on_two_nodes_one_does() {
    let two = Two::new(20).await;
    let mut won = [0, 0];
    for (round, thread) in two.bed.seed.threads.iter().enumerate() {
        let seen = two.newest(round % 2, thread).await;
        let answer = |who: usize| json!({ "text": format!("It is {who}."), "seen": seen, "clientId": format!("{who}-{round}") });
        let answers = [answer(0), answer(1)];
        let (a, b) = tokio::join!(two.reply(0, thread, &answers[0]), two.reply(1, thread, &answers[1]));
        let winner = usize::from(a.status != 201);
        won[winner] += 1;
        let (first, second) = if winner == 0 { (a, b) } else { (b, a) };
        let first = first.expect(201).json();
        let refused = second.expect(409).json();
        assert_eq!(refused["subCategory"], "NEWER_MESSAGE", "round {round}");
        assert_eq!(refused["context"], json!({ "messageId": [first["id"]], "by": [two.actors[winner]] }));
        let outgoing = |entry: &&Value| entry["direction"] == "OUTGOING";
        for who in [0, 1] {
            assert_eq!(two.messages(who, thread).await.iter().filter(outgoing).count(), 1);
        }
        // Whoever did not hear the answer asks again, at another node, and is told what was written.
        let path = format!("{OWN}/threads/{thread}/replies");
        let browser = &two.browsers[winner];
        let again = browser.ask(&two.nodes[1 - winner], "POST", &path, &answers[winner]).await.expect(201);
        assert_eq!(again.json()["id"], first["id"]);
    }
    println!("{won:?}");
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_answer_that_comes_to_both_nodes_at_once_is_written_once() {
    let two = Two::new(20).await;
    for (round, thread) in two.bed.seed.threads.iter().enumerate() {
        let seen = two.newest(0, thread).await;
        let answer = json!({ "text": "Once.", "seen": seen, "clientId": format!("once-{round}") });
        let path = format!("{OWN}/threads/{thread}/replies");
        let asked = (0..4).map(|n| two.browsers[0].ask(&two.nodes[n % 2], "POST", &path, &answer));
        let told: Vec<Value> =
            join_all(asked).await.into_iter().map(|reply| reply.expect(201).json()["id"].clone()).collect();
        assert!(told.iter().all(|id| *id == told[0]), "{told:?}");
        assert_eq!(two.messages(1, thread).await.len(), 2);
    }
    two.end().await;
}

/// A reader's report and a carrier's report that come to two nodes at once are both weighed: what was read stays read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reports_of_one_message_on_two_nodes_do_not_undo_each_other() {
    let two = Two::new(1).await;
    let thread = &two.bed.seed.threads[0];
    for round in 0..40 {
        let answer = json!({ "text": "Here it is.", "seen": two.newest(0, thread).await });
        let sent = two.reply(0, thread, &answer).await.expect(201).json();
        let path = format!("{OWN}/threads/{thread}/messages/{}/status", text(&sent, "id"));
        let report = async |node: usize, status: &str| {
            let report = json!({ "statusType": status });
            let reply = two.nodes[node].ask(SEED_TOKEN, "PUT", &path, &report).await.expect(200).json();
            text(&reply["status"], "statusType")
        };
        // It has failed, so that each of the two has something to change.
        report(0, "FAILED").await;
        let (near, far) = (round % 2, (round + 1) % 2);
        tokio::join!(report(near, "READ"), report(far, "SENT"));
        let shown = two.messages(far, thread).await;
        assert_eq!(shown.last().unwrap()["status"]["statusType"], "READ", "round {round}");
    }
    two.end().await;
}

/// Hears what the others say, once every node hears every other.
async fn socket(two: &Two, who: usize) -> Socket {
    let address = listen(&two.nodes[who].0).await.unwrap();
    let headers = two.browsers[who].headers();
    let opened = Socket::open_with(address, &headers, "/antiphon/v1/events").await.unwrap();
    let mut socket = opened.unwrap_or_else(|reply| panic!("{}", reply.text()));
    assert_eq!(socket.hear().await.unwrap()["kind"], "position");
    while !matches!(two.nodes[who].store().lease(&format!("ears {who}")).await, Ok(Some(_))) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    socket
}

async fn say(socket: &mut Socket, said: Value) {
    socket.say(Message::text(said.to_string())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_and_who_types_is_seen_on_the_other_node() {
    let two = Two::new(1).await;
    let thread = &two.bed.seed.threads[0];
    let mut sockets = [socket(&two, 0).await, socket(&two, 1).await];
    let there = async |node: usize| {
        let page = two.browsers[node].get(&two.nodes[node], &format!("presence?threadId={thread}")).await;
        let page = page.expect(200).json();
        let all = page["results"].as_array().unwrap().iter();
        all.map(|one| (text(one, "actorId"), text(one, "state"))).collect::<Vec<_>>()
    };
    let mut slowest = Duration::ZERO;
    for round in 0..6 {
        let (one, other) = (round % 2, (round + 1) % 2);
        for (kind, state) in [("presence", "viewing"), ("typing", "started"), ("presence", "replying")] {
            let begun = Instant::now();
            say(&mut sockets[one], json!({ "type": kind, "threadId": thread, "state": state })).await;
            let told = sockets[other].told().await.unwrap();
            slowest = slowest.max(begun.elapsed());
            let said = (&told["kind"], &told["actorId"], &told["threadId"], &told["state"]);
            assert_eq!(said, (&json!(kind), &json!(two.actors[one]), &json!(thread), &json!(state)));
        }
        let replying = (two.actors[one].clone(), "replying".to_owned());
        for node in [0, 1] {
            assert!(there(node).await.contains(&replying), "round {round} at node {node}");
        }
    }
    println!("told on the other node within {slowest:?}");
    // Whoever closes the page is gone, there too.
    let [leaves, mut stays] = sockets;
    drop(leaves);
    let told = stays.told().await.unwrap();
    assert_eq!((&told["actorId"], &told["state"]), (&json!(two.actors[0]), &json!("away")));
    for node in [0, 1] {
        assert_eq!(there(node).await, [(two.actors[1].clone(), "replying".to_owned())]);
    }
    two.end().await;
}

/// What a node counts, for an agent, and that its lists are as long.
async fn counted(two: &Two, who: usize, view: &str) -> Value {
    let counts = two.ask(who, "GET", "views/counts", &Value::Null).await.expect(200).json();
    let listed = async |query: &str| {
        let page = two.ask(who, "GET", &format!("threads?limit=100&{query}"), &Value::Null).await;
        page.expect(200).json()["results"].as_array().unwrap().len()
    };
    for (list, query) in [
        ("unassigned", "state=OPEN&assignee=unassigned"),
        ("mine", "state=OPEN&assignee=me"),
        ("open", "state=OPEN"),
        ("snoozed", "state=SNOOZED"),
        ("closed", "state=CLOSED"),
        ("spam", "state=SPAM"),
    ] {
        assert_eq!(counts["all"][list], json!(listed(query).await), "{list} at node {who}");
    }
    let count = json!([{ "id": view, "count": listed(&format!("viewId={view}")).await }]);
    assert_eq!(counts["views"], count, "at node {who}");
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_nodes_count_the_same_whoever_moves_threads_and_where() {
    const CHATS: usize = 12;
    let two = Two::new(CHATS).await;
    let tag = json!({ "name": "urgent", "color": "RED" });
    let tag = text(
        &two.nodes[0].ask(SEED_TOKEN, "POST", &format!("{OWN}/tags"), &tag).await.expect(201).json(),
        "id",
    );
    let view = json!({ "name": "Urgent", "shared": true, "filter": { "tagId": tag, "states": ["OPEN"] } });
    let view = text(&two.ask(1, "POST", "views", &view).await.expect(201).json(), "id");
    let until = json!(Timestamp(two.nodes[0].store().now() + 24 * 60 * 60 * 1000));
    // Each thread is moved by both at once, again and again.
    let mut moving = JoinSet::new();
    for (n, thread) in two.bed.seed.threads.iter().enumerate() {
        for who in [0, 1] {
            let (node, browser, actor) =
                (two.nodes[who].clone(), two.browsers[who].clone(), two.actors[who].clone());
            let (thread, tag, until) = (format!("{OWN}/threads/{thread}"), tag.clone(), until.clone());
            let v3 = format!("{V3}/threads/{}", two.bed.seed.threads[n]);
            moving.spawn(async move {
                let moves: [(&str, String, Value); 8] = [
                    ("PUT", format!("{v3}/assignee"), json!({ "actorId": actor })),
                    ("PUT", format!("{thread}/tags"), json!({ "add": [tag] })),
                    ("PATCH", v3.clone(), json!({ "status": "CLOSED" })),
                    ("PATCH", v3, json!({ "status": "OPEN" })),
                    ("PUT", format!("{thread}/snooze"), json!({ "until": until })),
                    ("DELETE", format!("{thread}/snooze"), Value::Null),
                    ("PUT", format!("{thread}/spam"), Value::Null),
                    ("DELETE", format!("{thread}/spam"), Value::Null),
                ];
                for turn in 0..12 {
                    let (method, path, body) = &moves[(turn * 3 + n + who * 5) % moves.len()];
                    let reply = browser.ask(&node, method, path, body).await;
                    // What is closed, or spam, waits for nothing.
                    let refused = reply.status == 400 && path.ends_with("/snooze");
                    assert!(reply.status < 300 || refused, "{method} {path}: {}", reply.text());
                }
            });
        }
    }
    moving.join_all().await;
    let [one, other] = [counted(&two, 0, &view).await, counted(&two, 1, &view).await];
    let without_mine = |mut counts: Value| {
        let own = counts["all"]["mine"].take().as_i64().unwrap();
        for inbox in counts["inboxes"].as_array_mut().unwrap() {
            inbox["mine"].take();
        }
        (counts, own)
    };
    let ((one, _), (other, _)) = (without_mine(one), without_mine(other));
    assert_eq!(one, other);
    let kinds = ["open", "snoozed", "closed", "spam"].map(|kind| one["all"][kind].as_u64().unwrap());
    assert_eq!(kinds.iter().sum::<u64>(), CHATS as u64, "{one}");
    let findings = two.nodes[0].store().check(true, |_| true, |_, _| ()).await.unwrap();
    assert_eq!(findings, []);
    // And from one moment to the next.
    for (round, thread) in two.bed.seed.threads.iter().enumerate() {
        let spam = if round % 3 == 0 { "PUT" } else { "DELETE" };
        let path = format!("{OWN}/threads/{thread}/spam");
        two.nodes[round % 2].ask(SEED_TOKEN, spam, &path, &Value::Null).await;
        counted(&two, (round + 1) % 2, &view).await;
    }
    two.end().await;
}
