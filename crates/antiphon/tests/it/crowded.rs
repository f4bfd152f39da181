//! Webhooks when there is much to tell: of one thread, or in one request.

use std::collections::BTreeSet;
use std::time::Duration;

use antiphon_store::{DirectoryChange, Expand, Subscription};
use antiphon_testkit::{Reaction, Received, Teller};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::deliveries::{Told, events};

/// More events than are read ahead of what is sent.
const MUCH: usize = 2_500;

/// Most bytes of a request.
const MOST_BYTES: usize = 1_000_000;

fn object(event: &Value) -> String {
    event["objectId"].to_string()
}

fn is_about(request: &Received, object: &str) -> bool {
    request.json().as_array().unwrap().iter().any(|event| self::object(event) == object)
}

#[tokio::test]
async fn a_thread_of_which_much_waits_keeps_nobody_else_waiting() {
    let told = Told::of_messages().await;
    let busy = told.portal.chat_from("busy", "0").await;
    let more = (1..MUCH).map(|_| told.portal.chat_from("busy", "Hello"));
    futures_util::stream::iter(more).buffer_unordered(32).for_each(async |_| {}).await;
    for number in 0..20 {
        told.portal.chat_from(&format!("v{number}"), "Hello").await;
    }
    let slow = busy.clone();
    told.receiver.react(move |request| {
        let patience = Duration::from_millis(if is_about(request, &slow) { 1_500 } else { 0 });
        Reaction::status(200).after(patience)
    });
    let teller = Teller::start(&told.server);
    let about_it = |all: &[Received]| all.iter().filter(|request| is_about(request, &busy)).count();
    let others = |all: &[Received]| events(all).iter().filter(|event| object(event) != busy).count();
    told.until("told", async || others(&told.receiver.received()) == 20).await;
    assert!(about_it(&told.receiver.received()) < 3, "they waited for it");
    // While its own requests are under way, others gather as they always do.
    let before = told.receiver.received().len();
    for number in 0..5 {
        told.portal.chat_from(&format!("v{number}"), "Hello again").await;
    }
    told.until("told", async || others(&told.receiver.received()) == 25).await;
    let later = &told.receiver.received()[before..];
    let requests = later.iter().filter(|request| !is_about(request, &busy)).count();
    assert!(requests < 4, "{requests} requests of 5 events");
    // Of the busy one nothing is left out, and nothing comes twice or too early.
    told.receiver.react(|_| Reaction::status(200));
    let of_it = |all: &[Received]| -> Vec<i64> {
        let of_it = events(all).into_iter().filter(|event| object(event) == busy);
        of_it.map(|event| event["eventId"].as_i64().unwrap()).collect()
    };
    told.until("told", async || of_it(&told.receiver.received()).len() >= MUCH).await;
    let all = of_it(&told.receiver.received());
    assert_eq!(all.len(), MUCH);
    assert!(all.is_sorted_by(|a, b| a < b));
    teller.stop().await;
}

/// A subscription that wants everything about new messages.
async fn of_whole_messages() -> Told {
    let told = Told::of(&[]).await;
    let plain = told.subscription(1, "conversation.newMessage", None, false, true);
    let expand = Expand { message: true, thread: true, contact: true };
    told.direct(DirectoryChange::Subscription(Subscription { expand, ..plain })).await;
    told
}

#[tokio::test]
async fn what_is_too_much_for_one_request_goes_with_several() {
    let told = of_whole_messages().await;
    let words = "many words ".repeat(6_000);
    for number in 0..30 {
        told.portal.chat_from(&format!("v{}", number % 3), &format!("{number} {words}")).await;
    }
    let teller = Teller::start(&told.server);
    told.until("told", async || events(&told.receiver.received()).len() >= 30).await;
    let received = told.receiver.received();
    assert!((3..30).contains(&received.len()), "{} requests", received.len());
    assert!(received.iter().all(|request| request.body.len() <= MOST_BYTES));
    let all = events(&received);
    assert!(all.iter().all(|event| event["message"]["text"].as_str().unwrap().len() > 60_000));
    assert!(all.iter().all(|event| event.get("expansionOmitted").is_none()));
    let ids: Vec<_> = all.iter().map(|event| event["eventId"].as_i64().unwrap()).collect();
    assert_eq!(BTreeSet::from_iter(&ids).len(), 30);
    let mut of_each = std::collections::BTreeMap::<String, Vec<i64>>::new();
    for (event, id) in all.iter().zip(&ids) {
        of_each.entry(event["objectId"].to_string()).or_default().push(*id);
    }
    assert!(of_each.values().all(|ids| ids.is_sorted()), "a thread is told in order");
    teller.stop().await;
}

#[tokio::test]
async fn what_is_too_large_for_any_request_goes_without_and_says_so() {
    let told = of_whole_messages().await;
    told.portal.chat_from("before", "Hello").await;
    // Each of these is six characters more in its HTML, and two in JSON.
    let thread = told.portal.chat_from("large", &"\"".repeat(150_000)).await;
    told.portal.chat_from("after", "Hello").await;
    let user = told.portal.full().await;
    let path = format!("/conversations/v3/conversations/threads/{thread}/messages");
    let size = user.get(&path).await.expect(200).text().len();
    assert!(size > MOST_BYTES, "it is no more than {size} bytes");
    let teller = Teller::start(&told.server);
    told.until("told", async || events(&told.receiver.received()).len() == 3).await;
    let all = events(&told.receiver.received());
    let large = all.iter().find(|event| object(event) == thread).unwrap();
    assert_eq!(large["expansionOmitted"], true);
    for member in ["message", "thread", "contact"] {
        assert_eq!(large.get(member), None);
    }
    assert!(large["messageId"].is_string());
    let rest = all.iter().filter(|event| object(event) != thread);
    assert!(rest.clone().all(|event| event["message"]["text"] == "Hello"));
    assert!(rest.clone().all(|event| event.get("expansionOmitted").is_none()));
    teller.stop().await;
    assert_eq!(told.attempts().await.len(), told.receiver.received().len());
}

#[tokio::test]
async fn what_somebody_has_sent_again_keeps_nothing_of_its_thread_waiting() {
    let told = Told::of(&[("conversation.newMessage", None, true)]).await;
    let teller = Teller::start(&told.server);
    told.portal.chat_from("v1", "first").await;
    told.portal.chat_from("v2", "second").await;
    told.until("told", async || events(&told.receiver.received()).len() == 2).await;
    let old: Vec<Value> =
        events(&told.receiver.received()).iter().map(|event| event["eventId"].clone()).collect();
    // Of the first thread the receiver says nothing, of the other it takes nothing, as long as it is the old event.
    let unwanted = old.clone();
    told.receiver.react(move |request| {
        let has = |id: &Value| request.json().as_array().unwrap().iter().any(|event| event["eventId"] == *id);
        match (has(&unwanted[0]), has(&unwanted[1])) {
            (true, _) => Reaction::hang(),
            (_, true) => Reaction::status(500),
            _ => Reaction::status(200),
        }
    });
    for id in &old {
        let path = format!("/antiphon/v1/apps/{}/webhook/events/{id}/resend", told.portal.app);
        told.portal.operator().post(&path, json!({})).await.expect(200);
    }
    told.until("sent again", async || {
        let again = events(&told.receiver.received());
        old.iter().all(|id| again.iter().filter(|event| event["eventId"] == *id).count() == 2)
    })
    .await;
    let begun = std::time::Instant::now();
    told.portal.chat_from("v1", "new").await;
    told.portal.chat_from("v2", "new").await;
    let is_new = |event: &Value| !old.contains(&event["eventId"]);
    told.until("told", async || {
        events(&told.receiver.received()).iter().filter(|one| is_new(one)).count() == 2
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(3), "they waited for what was sent again");
    // The old one goes on being tried, and waits for nobody either.
    told.receiver.react(|_| Reaction::status(200));
    told.until("taken", async || {
        told.server.advance(Duration::from_secs(120));
        teller.wake();
        told.deliveries(antiphon_store::DeliveryState::Waiting).await.is_empty()
    })
    .await;
    teller.stop().await;
}
