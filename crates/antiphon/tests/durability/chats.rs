//! What a visitor said, and what an agent answered, is there after a kill once it was acknowledged; and whoever does not know
//! asks again with the same id and gets the first message.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use antiphon_testkit::{Reply, Running};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;

const VISITORS: usize = 6;
const ROUNDS: usize = 12;

const WIDGET: &str = "/widget/v1";

/// The one of the seed.
const PORTAL: i64 = 1;

/// Visitors who come from one address, all of them.
const UNLIMITED: [&str; 8] = [
    "SESSIONS_PER_MINUTE",
    "REQUESTS_PER_MINUTE",
    "REQUESTS_PER_MINUTE_OF_ADDRESS",
    "MESSAGES_PER_MINUTE",
    "MESSAGES_PER_MINUTE_OF_ADDRESS",
    "THREADS_PER_HOUR",
    "THREADS_PER_HOUR_OF_ADDRESS",
    "STREAMS",
];

/// A server whose seeded account is a chat on web pages; and the account and its agent.
async fn open(home: &Home) -> (Program, Running, [String; 2]) {
    let place = seeded(home).await.swap_remove(0);
    let mut program = unlimited(home.program(BINARY));
    for limit in UNLIMITED {
        program = program.env(format!("ANTIPHON_WIDGET__{limit}"), "1000000");
    }
    let server = program.start().await.unwrap();
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    let settings = format!("/antiphon/v1/channel-accounts/{}/chat", place.account);
    connection.send("PUT", &settings, "{}").await.unwrap().expect(200);
    (program, server, [place.account, place.agent])
}

/// Something that was sent, and what was answered if anything was.
#[derive(Debug, Clone)]
struct Sent {
    path: String,
    body: Value,
    answer: Option<(String, i64)>,
}

/// A conversation, as the two who have it know it.
#[derive(Debug, Clone, Default)]
struct Talk {
    session: String,
    thread: Option<i64>,
    said: Vec<Sent>,
    replied: Vec<Sent>,
}

/// The id of a message and its thread, from either answer.
fn read(answer: &Value) -> (String, i64) {
    let said = answer.get("message").unwrap_or(answer);
    let thread = &answer["thread"]["id"];
    let thread = thread.as_i64().or_else(|| said["conversationsThreadId"].as_str()?.parse().ok());
    (said["id"].as_str().unwrap().to_owned(), thread.unwrap())
}

fn said(thread: Option<i64>, number: usize) -> Sent {
    let id = uuid::Uuid::new_v4().to_string();
    // Every other first message asks for a thread of its own.
    let body = json!({ "text": format!("said {id}"), "clientId": id, "threadId": thread,
                       "newThread": thread.is_none() && number.is_multiple_of(2) });
    Sent { path: format!("{WIDGET}/messages"), body, answer: None }
}

fn replied(thread: i64, agent: &str) -> Sent {
    let id = uuid::Uuid::new_v4().to_string();
    let body = json!({ "type": "MESSAGE", "text": format!("replied {id}"), "clientId": id, "senderActorId": agent,
                       "anyway": true });
    Sent { path: format!("/antiphon/v1/threads/{thread}/replies"), body, answer: None }
}

/// Sends something, and notes that it was sent before it is.
async fn send(connection: &mut Connection, sent: Sent, all: &mut Vec<Sent>) -> Option<(String, i64)> {
    let (path, body) = (sent.path.clone(), sent.body.to_string());
    all.push(sent);
    let reply: Reply = connection.send("POST", &path, body).await.ok()?;
    let answer = read(&reply.expect(201).json());
    all.last_mut()?.answer = Some(answer.clone());
    Some(answer)
}

/// Two who talk until the server is gone. Each answer that is heard is counted.
async fn talk(address: SocketAddr, place: [String; 2], number: usize, heard: Arc<Semaphore>) -> Talk {
    let mut talk = Talk::default();
    converse(address, &place, number, &heard, &mut talk).await;
    talk
}

async fn converse(
    address: SocketAddr,
    [account, agent]: &[String; 2],
    number: usize,
    heard: &Semaphore,
    talk: &mut Talk,
) -> Option<()> {
    let mut anybody = Connection::open(address, "").await.ok()?;
    let body = json!({ "accountId": account }).to_string();
    let begun = anybody.send("POST", &format!("{WIDGET}/{PORTAL}/sessions"), body).await.ok()?;
    talk.session = begun.expect(201).json()["session"].as_str()?.to_owned();
    let mut visitor = Connection::open(address, &talk.session).await.ok()?;
    let mut desk = Connection::open(address, SEED_TOKEN).await.ok()?;
    loop {
        let (_, thread) = send(&mut visitor, said(talk.thread, number), &mut talk.said).await?;
        heard.add_permits(1);
        assert!(talk.thread.is_none_or(|known| known == thread));
        talk.thread = Some(thread);
        send(&mut desk, replied(thread, agent), &mut talk.replied).await?;
        heard.add_permits(1);
    }
}

/// Everything is sent once more, as by somebody who has not heard; what was acknowledged is answered as it was, and all of it is
/// there once, in one thread.
async fn judge(address: SocketAddr, talk: &Talk) -> usize {
    let mut visitor = Connection::open(address, &talk.session).await.unwrap();
    let mut desk = Connection::open(address, SEED_TOKEN).await.unwrap();
    let (mut ids, mut acknowledged) = (HashMap::new(), 0);
    for (connection, all) in [(&mut visitor, &talk.said), (&mut desk, &talk.replied)] {
        for sent in all {
            let again = connection.send("POST", &sent.path, sent.body.to_string()).await.unwrap();
            let again = read(&again.expect(201).json());
            if let Some(first) = &sent.answer {
                assert_eq!(&again, first, "{} was answered otherwise before", sent.body);
                acknowledged += 1;
            }
            let (id, thread) = again;
            assert!(ids.insert(id, sent.body["text"].clone()).is_none());
            assert!(talk.thread.is_none_or(|known| known == thread), "{} went elsewhere", sent.body);
        }
    }
    let threads = visitor.get(&format!("{WIDGET}/threads")).await.unwrap().expect(200).json();
    let threads = threads["results"].as_array().unwrap();
    assert_eq!(threads.len(), usize::from(!talk.said.is_empty()), "{threads:?}");
    let Some(thread) = threads.first() else { return acknowledged };
    let thread = thread["id"].as_i64().unwrap();
    let mut before = String::new();
    let mut there = Vec::new();
    loop {
        let path = format!("{WIDGET}/threads/{thread}/messages?limit=50{before}");
        let page = visitor.get(&path).await.unwrap().expect(200).json();
        let results = page["results"].as_array().unwrap();
        there.extend(results.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one["text"].clone())));
        if page["more"] != json!(true) {
            break;
        }
        before = format!("&before={}", results[0]["id"].as_str().unwrap());
    }
    assert_eq!(there.len(), ids.len(), "{there:?}");
    assert_eq!(there.into_iter().collect::<HashMap<_, _>>(), ids);
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitors_and_agents_are_killed_in_the_middle_of_talking_and_nothing_is_lost_or_twice() {
    let home = Home::durable();
    let (program, mut server, place) = open(&home).await;
    let (mut acknowledged, mut unknown) = (0, 0);
    for round in 0..ROUNDS {
        let (mut talks, heard) = (JoinSet::new(), Arc::new(Semaphore::new(0)));
        for number in 0..VISITORS {
            talks.spawn(talk(program.address, place.clone(), number, heard.clone()));
        }
        // In the middle of it, however fast the machine is; now and then right at the beginning.
        let some = heard.acquire_many(fastrand::u32(1..40));
        drop(tokio::time::timeout(Duration::from_secs(60), some).await.unwrap());
        server.kill().unwrap();
        let talks = talks.join_all().await;
        server = program.start().await.unwrap();
        for talk in talks.iter().filter(|talk| !talk.session.is_empty()) {
            acknowledged += judge(program.address, talk).await;
            let all = talk.said.iter().chain(&talk.replied);
            unknown += all.filter(|sent| sent.answer.is_none()).count();
        }
        println!("round {round}: {acknowledged} acknowledged, {unknown} in the air when the server died");
    }
    assert!(acknowledged > 100, "only {acknowledged} messages were acknowledged");
    assert!(unknown > VISITORS, "hardly anything was in the air: {unknown}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_message_that_is_sent_many_times_at_once_begins_one_thread() {
    let home = Home::durable();
    let (program, server, [account, _]) = open(&home).await;
    let mut connection = Connection::open(program.address, SEED_TOKEN).await.unwrap();
    for number in 0..10 {
        let body = json!({ "accountId": account }).to_string();
        let begun = connection.send("POST", &format!("{WIDGET}/{PORTAL}/sessions"), body).await.unwrap();
        let session = begun.expect(201).json()["session"].as_str().unwrap().to_owned();
        let (sent, answers) = (said(None, number), Arc::new(Mutex::new(Vec::new())));
        let mut sending = JoinSet::new();
        for _ in 0..8 {
            let (sent, session, answers) = (sent.clone(), session.clone(), answers.clone());
            let address = program.address;
            sending.spawn(async move {
                let mut window = Connection::open(address, &session).await.unwrap();
                let reply = window.send("POST", &sent.path, sent.body.to_string()).await.unwrap();
                answers.lock().unwrap().push(read(&reply.expect(201).json()));
            });
        }
        sending.join_all().await;
        let mut answers = std::mem::take(&mut *answers.lock().unwrap());
        assert_eq!(answers.len(), 8);
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    server.stop().await.unwrap();
}
