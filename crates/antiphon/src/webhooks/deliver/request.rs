//! One request to an app: printed, signed, sent, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use antiphon_store::{Attempt, Millis, StoreError, Told};
use bytes::Bytes;
use http::Method;

use super::queue::Item;
use super::{body, channel};
use crate::app::App;
use crate::outbound::TargetUrl;
use crate::webhooks::sent;
use crate::webhooks::sign::{self, Older};

/// How long a store that cannot be read is left alone.
const REST: Duration = Duration::from_millis(250);

/// Said in place of a receiver to whom there is nothing to tell any more.
const NOTHING: u16 = 204;

/// What came of a request.
#[derive(Default)]
pub struct Landed {
    pub batch: Vec<Item>,
    /// What it had no room for.
    pub rest: Vec<Item>,
    /// For the log; their numbers are given later.
    pub attempts: Vec<Attempt>,
    /// Absent when no whole answer came.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    /// Why it failed, for people; empty when it did not.
    pub error: String,
    /// The secret with which it was signed last.
    pub secret: String,
    /// Whether nothing was sent, since nobody is told any more.
    pub closed: bool,
}

/// The secrets that a receiver may know its app by.
///
/// While a secret is being replaced nobody knows which one the receiver checks with. It gets the one it took last, at first
/// the old one, and when it refuses that, the other at once.
#[derive(Debug, Default)]
pub struct Secrets {
    took: Option<String>,
}

impl Secrets {
    /// Those of an app, in the order in which they are tried.
    pub fn of(&self, app: &antiphon_store::App, now: Millis) -> Vec<String> {
        let old = app.old_secret.iter().filter(|old| now < old.until).map(|old| &old.value);
        let mut all: Vec<String> = old.chain([&app.client_secret]).cloned().collect();
        if all.len() > 1 && self.took.as_ref() == Some(&app.client_secret) {
            all.reverse();
        }
        all
    }

    /// Notes which one was taken.
    pub fn took(&mut self, secret: &str) {
        if self.took.as_deref() != Some(secret) {
            self.took = Some(secret.to_owned());
        }
    }
}

/// Whether an answer may mean that the signature was not accepted.
fn refused(status: Option<u16>) -> bool {
    matches!(status, Some(400..=407 | 409..=428 | 430..=499))
}

/// Sends a batch, or as much of it as one request has room for.
pub async fn fly(
    app: Arc<App>,
    told: Told,
    url: String,
    secrets: Vec<String>,
    mut batch: Vec<Item>,
) -> Landed {
    let (body, printed) = loop {
        match print(&app, told, &batch).await {
            Ok(printed) => break printed,
            Err(error) => {
                tracing::warn!(app.id = told.app.0, %error, "its events wait");
                tokio::time::sleep(REST).await;
            }
        }
    };
    let rest = batch.split_off(printed);
    let Some(body) = body.map(Bytes::from) else {
        let secret = secrets.into_iter().next().unwrap_or_default();
        return Landed { batch, rest, status: Some(NOTHING), secret, ..Landed::default() };
    };
    let events = batch.iter().map(|item| (item.event.position, item.subscription.id, item.attempts));
    let events = sent::print(events);
    let older = if told.app.channel().is_some() { Older::V2 } else { Older::V1 };
    let mut landed = post(&app, &url, older, secrets, body).await;
    for attempt in &mut landed.attempts {
        attempt.events.clone_from(&events);
    }
    Landed { batch, rest, ..landed }
}

/// Gives up a batch that nobody is told of any more.
pub async fn close(app: Arc<App>, told: Told, batch: Vec<Item>, why: &'static str) -> Landed {
    let error = format!("{why}, so nobody is told of it any more");
    for item in &batch {
        while !channel::given_up(&app, told, item, &error).await {
            tokio::time::sleep(REST).await;
        }
    }
    Landed { batch, error, closed: true, ..Landed::default() }
}

/// The body of a request, if there is anything to tell, and for how many events it had room.
async fn print(app: &App, told: Told, batch: &[Item]) -> Result<(Option<Vec<u8>>, usize), StoreError> {
    match (told.app.channel(), batch.first()) {
        (Some(_), Some(first)) => Ok((channel::print(app, told, first).await?, 1)),
        _ => {
            body::print(app, told.portal, told.app, batch).await.map(|(body, printed)| (Some(body), printed))
        }
    }
}

/// Sends a body, signed with one secret after another until it is not refused.
pub async fn post(app: &App, url: &str, older: Older, secrets: Vec<String>, body: Bytes) -> Landed {
    let mut landed = Landed::default();
    for secret in secrets {
        if !(landed.attempts.is_empty() || refused(landed.status)) {
            break;
        }
        let attempt = send(app, url, (older, &secret), body.clone(), &mut landed).await;
        landed.attempts.push(attempt);
        landed.secret = secret;
    }
    landed
}

async fn send(
    app: &App,
    url: &str,
    (older, secret): (Older, &str),
    body: Bytes,
    landed: &mut Landed,
) -> Attempt {
    let mut attempt = Attempt {
        id: 0,
        at: app.store.now(),
        url: url.to_owned(),
        succeeded: false,
        status: None,
        error: None,
        millis: 0,
        excerpt: String::new(),
        events: String::new(),
    };
    (landed.status, landed.retry_after, landed.error) = (None, None, String::new());
    match TargetUrl::parse(url) {
        Ok(target) => {
            let signed = sign::headers(older, secret, &Method::POST, &target, &body, app.machine_time());
            let mut headers = vec![("content-type", "application/json".to_owned())];
            headers.extend(signed);
            let sent = app.outbound.send(Method::POST, &target, &headers, body).await;
            attempt.millis = i64::try_from(sent.took.as_millis()).unwrap_or(i64::MAX);
            match sent.outcome {
                Ok(answer) => {
                    attempt.succeeded = (200..300).contains(&answer.status);
                    attempt.status = Some(answer.status.into());
                    attempt.excerpt = answer.excerpt;
                    (landed.status, landed.retry_after) = (Some(answer.status), answer.retry_after);
                    if !attempt.succeeded {
                        landed.error = format!("The receiver answered {}", answer.status);
                    }
                }
                Err(failure) => landed.error = failure.to_string(),
            }
        }
        Err(error) => landed.error = error.to_string(),
    }
    attempt.error = (!landed.error.is_empty()).then(|| landed.error.clone());
    attempt
}
