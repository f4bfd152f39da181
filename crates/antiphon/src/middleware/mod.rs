//! Between socket and rooms: everything that must be known before we know which room, in one pass.
//!
//! The order of checks is the contract's: route, method, token, scope, limits, body; then the door. Nothing here knows
//! what an operation does, and no room knows that this exists.

pub mod body;
pub mod correlation;
pub mod developer;
pub mod error;
pub mod form;
pub mod gzip;
pub mod heads;
pub mod inflow;
pub mod lag;
pub mod limits;
pub mod log;
pub mod origin;
pub mod outflow;
mod owner;
pub mod reply;
pub mod scopes;
mod session;
#[cfg(test)]
mod tests;
pub mod token;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_store::AppId;
use antiphon_wire::error::{Envelope, Problem};
use antiphon_wire::query::Query;
use bytes::Bytes;
use http::header::ALLOW;
use http::header::{HeaderValue, SET_COOKIE};
use http::{Method, Request, Response, request};
use hyper::body::Body;

use crate::app::App;
use crate::apps;
use crate::call::{Answer, Answered, Call, Caller, Conditions, Heads};
use crate::metrics::Shed;
use crate::operation::{Entry, Operation, Payload, Scope, Verb};
use crate::realtime::poll;
use crate::refusal::Refusal;
use crate::routes::{Found, Leaf, Visit};
use crate::widget::session as visitor;
use correlation::Correlation;
use error::Failure;
use form::Form;
use inflow::Inflow;
use limits::Allowance;
use outflow::Outflow;
use reply::Reply;

/// Longest request line, and most bytes of headers. hyper takes several times as much of both before it refuses on its own,
/// without an envelope: a target of 64 KiB, 100 headers, 400 KiB in all.
const REQUEST_LINE: usize = 16 << 10;
const HEADERS: usize = 64 << 10;

/// Pages that are answered however busy it is: by these one sees that it is.
const WATCHED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Whether something is answered however busy it is. Files that the program carries are: one costs hardly more than its refusal,
/// and a browser does not ask for a script again, so a page that is refused one has no chat until somebody reloads it.
fn is_spared(app: &App, path: &str) -> bool {
    WATCHED.contains(&path) || matches!(app.routes.find(path), Some(Found::Page(page, _)) if page.is_file)
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peer {
    /// The connection is encrypted.
    pub secure: bool,
    /// A proxy whose word about its client counts.
    pub trusted: bool,
    /// Where it is: the client's own address, where proxies that count tell it.
    pub address: Option<IpAddr>,
    /// The control socket: whoever may open it is the operator.
    pub operator: bool,
}

/// What is learnt on the way and needed for the way out.
#[derive(Default)]
struct Trail {
    leaf: Option<Leaf>,
    allowance: Option<Allowance>,
    /// The next secret of a session.
    cookie: Option<HeaderValue>,
}

/// Answers one request. Sockets and tests enter here.
pub async fn handle<B>(app: &Arc<App>, peer: &Peer, request: Request<B>) -> Response<Outflow>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let started = Instant::now();
    if lag::late(started) && !is_spared(app, request.uri().path()) {
        let (head, body) = request.into_parts();
        body::discard(&head.headers, body, app.config.server.request()).await;
        return busy(app, &head, Shed::Loop);
    }
    let correlation = Correlation::new();
    let (head, body) = request.into_parts();
    let mut trail = Trail::default();
    let peer = origin::behind(app, peer, &head.headers);
    let mut reply = match answer(app, &peer, &head, body, &mut trail, started).await {
        Ok(reply) => reply,
        Err(failure) => failure.reply(correlation.as_str()),
    };
    // A session that was ended just now is not given another secret.
    if let Some(cookie) = trail.cookie.take()
        && !reply.headers.iter().any(|(name, _)| name == SET_COOKIE)
    {
        reply.headers.push((SET_COOKIE, cookie));
    }
    let took = started.elapsed();
    app.figures.count(trail.leaf.map(|leaf| leaf.figure), reply.status, took);
    log::request(&head, trail.leaf, reply.status, took, &correlation);
    reply::finish(app, &head, &correlation, trail.allowance, reply)
}

/// Answers 503 without looking at what was asked.
pub fn busy(app: &App, head: &request::Parts, reason: Shed) -> Response<Outflow> {
    let correlation = Correlation::new();
    app.figures.count(None, 503, Duration::ZERO);
    app.figures.shed(reason);
    reply::finish(app, head, &correlation, None, Failure::unavailable().reply(correlation.as_str()))
}

async fn answer<B>(
    app: &Arc<App>,
    peer: &Peer,
    head: &request::Parts,
    body: B,
    trail: &mut Trail,
    started: Instant,
) -> Result<Reply, Failure>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = head.uri.path();
    let query = head.uri.query();
    // Method, two blanks and the protocol's name belong to the line.
    if head.method.as_str().len() + path.len() + query.map_or(0, |q| q.len() + 1) + 10 > REQUEST_LINE {
        return Err(Envelope::uri_too_long().into());
    }
    // A colon, a blank and the end of the line belong to each.
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    if headers.sum::<usize>() > HEADERS {
        return Err(Envelope::headers_too_large(HEADERS).into());
    }
    let (mounted, values) = match app.routes.find(path) {
        Some(Found::Operation(mounted, values)) => (mounted, values),
        Some(Found::Page(page, rest)) => {
            return match head.method {
                Method::GET | Method::HEAD => (page.answer)(app, Visit { peer, head, rest }).await,
                Method::OPTIONS => Ok(Reply::none(ALLOW, page.allow())),
                _ => Err(Failure::method(head.method.as_str(), page.allow())),
            };
        }
        None => return Err(Envelope::no_route(path).into()),
    };
    let Some(leaf) = mounted.leaf(&head.method) else {
        return match head.method {
            Method::OPTIONS => Ok(Reply::none(ALLOW, mounted.allow.clone())),
            _ => Err(Failure::method(head.method.as_str(), mounted.allow.clone())),
        };
    };
    trail.leaf = Some(leaf);
    let operation = leaf.operation;
    let form = if operation.live { Form::of(head)? } else { Form::Whole };
    let caller = admitted(app, peer, head, (operation, &form), &values, trail).await?;
    app.uses.note(&caller, app.store.now());
    let left = app.config.server.request().saturating_sub(started.elapsed());
    let (mut place, mut inflow) = (None, None);
    let body = match operation.verb {
        _ if operation.flows_in => {
            inflow = Some(Inflow::of(&head.headers, body, app.config.server.idle()));
            Bytes::new()
        }
        Verb::Get | Verb::Delete if matches!(operation.request, Payload::Nothing) => {
            body::discard(&head.headers, body, left).await;
            Bytes::new()
        }
        _ => {
            place = app
                .room
                .place(&head.headers, &body.size_hint(), operation.body_limit)
                .inspect_err(|_| app.figures.shed(Shed::Bodies))?;
            body::read(&head.headers, body, operation.body_limit, left, operation.or_form).await?
        }
    };
    let reached = origin::of(app, peer, head);
    let heads = match operation.entry {
        Entry::Open | Entry::Address | Entry::SignedIn | Entry::Visitor => heads::of(peer, head, &reached),
        _ => Heads { address: peer.address, ..Heads::default() },
    };
    let call = Call {
        app: app.clone(),
        caller,
        operation: operation.id,
        version: mounted.version,
        path: values,
        uri_path: path.to_owned(),
        origin: reached,
        query: Query::parse(query.unwrap_or_default().as_bytes()),
        conditions: if operation.raw { Conditions::of(&head.headers) } else { Conditions::default() },
        form,
        heads,
        body,
        inflow: inflow.clone(),
    };
    // A change has its own deadline in the writer's queue; cutting it off here could hide one that was made.
    let patience = app.config.server.request() + if operation.live { poll::LONGEST } else { Duration::ZERO };
    let left = patience.saturating_sub(started.elapsed());
    let answered = match operation.verb {
        Verb::Get => tokio::time::timeout(left, guarded((operation.door)(call)))
            .await
            .unwrap_or(Err(Refusal::Unavailable)),
        _ if left.is_zero() => Err(Refusal::Unavailable),
        _ => guarded((operation.door)(call)).await,
    };
    drop(place);
    if let Some(inflow) = inflow {
        inflow.discard(&head.headers).await;
    }
    if matches!(answered, Err(Refusal::Busy)) {
        app.figures.shed(Shed::Queue);
    }
    Ok(answered?.into())
}

/// Token, scope and limits: everything that depends on who calls.
async fn admitted(
    app: &App,
    peer: &Peer,
    head: &request::Parts,
    (operation, form): (&Operation, &Form),
    values: &[String],
    trail: &mut Trail,
) -> Result<Caller, Failure> {
    let sent = values.first().map_or("", String::as_str);
    let named = || apps::named(sent).ok();
    if peer.operator {
        let (caller, owns) = match operation.entry {
            // Whoever asks what is wrong with the store must be answered whatever is wrong with a portal.
            Entry::Scope(Scope::Operator) if token::portal(&head.headers)?.is_none() => {
                (token::operator_in(Arc::new(token::nowhere()), AppId(0)), true)
            }
            Entry::Scope(_) => (token::operator(app, &head.headers).await?, true),
            Entry::Owner => owner::operator(app, &head.headers, named()).await?,
            Entry::App => owner::operator(app, &head.headers, developer::named(head)?).await?,
            Entry::Anyone => (token::operator(app, &head.headers).await?, true),
            Entry::SignedIn => return Err(Envelope::no_agent().into()),
            Entry::Address | Entry::Open => return Ok(token::nobody()),
            Entry::Visitor => return visitor::caller(app, &head.headers).await,
        };
        if !owns {
            return Err(Refusal::not_found(sent).into());
        }
        if caller.portal().0 == 0 && operation.entry != Entry::Scope(Scope::Operator) {
            let message = "This server holds no portal or several; name the one you mean";
            return Err(Envelope::invalid(vec![Problem::new("portal", message)]).into());
        }
        return Ok(caller);
    }
    let by_session = match operation.entry {
        Entry::Address | Entry::Open => return Ok(token::nobody()),
        Entry::Visitor => return visitor::caller(app, &head.headers).await,
        _ if token::is_sent(head) => None,
        _ => session::caller(app, peer, head, (operation, form), trail).await?,
    };
    let (caller, allowed) = match operation.entry {
        Entry::SignedIn => match by_session {
            Some(caller) => (caller, true),
            None => {
                token::caller(app, &head.headers).await?;
                return Err(Envelope::no_agent().into());
            }
        },
        Entry::Scope(scope) => {
            let caller = match by_session {
                Some(caller) => caller,
                None => token::caller(app, &head.headers).await?,
            };
            let allowed = [Some(scope), operation.also];
            let allowed = allowed.into_iter().flatten().any(|scope| scopes::allows(&caller.token, scope));
            (caller, allowed)
        }
        Entry::Owner if let Some(caller) = by_session => owner::administrator(caller, named()),
        Entry::App if let Some(caller) = by_session => {
            match owner::administrator(caller, developer::named(head)?) {
                (caller, true) => (caller, true),
                _ => return Err(Envelope::no_app().into()),
            }
        }
        Entry::Anyone if let Some(caller) = by_session => (caller, true),
        Entry::Owner => owner::caller(app, head, named()).await?,
        Entry::App => (developer::caller(app, head).await?, true),
        Entry::Anyone => (token::caller(app, &head.headers).await?, true),
        Entry::Address | Entry::Open => return Ok(token::nobody()),
        Entry::Visitor => return visitor::caller(app, &head.headers).await,
    };
    if allowed && let Some(most) = operation.family.per_second() {
        let of = (&*caller.token, operation.family);
        let taken = app.limits.take_of_app(&app.store, of, most, app.machine_time()).await;
        return taken
            .map_err(Refusal::from)?
            .map(|()| caller.clone())
            .map_err(|limited| Failure::limited(limited, &caller));
    }
    // Asking for others' apps counts like asking for others' threads: nothing is found there.
    let counts = allowed || operation.entry == Entry::Owner;
    let taken = app.limits.take(&app.store, &caller, app.machine_time(), counts);
    let taken = taken.await.map_err(Refusal::from)?;
    trail.allowance = taken.map(|(allowance, _)| allowance);
    match (operation.entry, taken) {
        (Entry::Scope(scope), _) if !allowed => {
            let docs = format!("{}/docs#scopes", app.public_url);
            Err(Envelope::missing_scopes(scope.names(), &docs).into())
        }
        (_, Some((_, Err(limited)))) => Err(Failure::limited(limited, &caller)),
        _ if !allowed => Err(Refusal::not_found(sent).into()),
        _ => Ok(caller),
    }
}

/// Runs a door. One that panics is a bug of ours: this request is answered 500 and the others go on.
async fn guarded(mut answered: Answered) -> Result<Answer, Refusal> {
    std::future::poll_fn(move |context| {
        std::panic::catch_unwind(AssertUnwindSafe(|| answered.as_mut().poll(context))).unwrap_or_else(
            |panic| {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                std::task::Poll::Ready(Err(Refusal::Internal(format!("a door panicked: {text}"))))
            },
        )
    })
    .await
}
