//! The live stream: what happens in a portal, told to those who listen, as it happens.
//!
//! It reads the spine like everybody else and tells nothing on the side. A portal somebody listens to has a hub, which reads
//! each event once, prints it once and puts it into the queues of those it concerns. Whoever begins in the past reads that
//! alone until it has come to where the hub is. Typing and presence pass through, and are kept nowhere.

pub mod filter;
pub mod follower;
pub mod frames;
pub mod hub;
mod index;
pub mod listener;
pub mod poll;
pub mod present;
pub mod print;
pub mod socket;
pub mod spine;
pub mod sse;
pub mod talk;

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use antiphon_store::{PortalId, Token};

use crate::app::App;
use crate::call::{Call, Caller};
use crate::metrics::Shed;
use crate::operation::Scope;
use crate::refusal::Refusal;
use crate::sessions::{self, SignedIn};
use filter::Kinds;
use hub::Hub;

/// How somebody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Stream,
    Socket,
    Poll,
    /// A visitor's stream.
    Visitor,
}

const WAYS: [(Way, &str); 4] =
    [(Way::Stream, "sse"), (Way::Socket, "websocket"), (Way::Poll, "poll"), (Way::Visitor, "visitor")];

/// All hubs, and figures about those who listen.
#[derive(Default)]
pub struct Realtime {
    hubs: Mutex<HashMap<PortalId, Arc<Hub>>>,
    closed: AtomicBool,
    listeners: [AtomicUsize; WAYS.len()],
    cut_off: AtomicU64,
    /// Who is there.
    pub(crate) present: present::Present,
    /// Age of the oldest event of a hub's latest round when it was handed on, in milliseconds.
    lag: AtomicI64,
}

impl Realtime {
    fn hubs(&self) -> MutexGuard<'_, HashMap<PortalId, Arc<Hub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all streams with the point at which they can be resumed.
    pub fn close(&self) {
        let hubs = self.hubs();
        self.closed.store(true, Relaxed);
        hubs.values().for_each(|hub| hub.close());
    }

    /// Has those looked at at once who listen in a portal: some may be allowed to no more. Other nodes look soon by themselves.
    pub fn look(&self, portal: PortalId) {
        if let Some(hub) = self.hubs().get(&portal) {
            hub.look();
        }
    }

    /// How many listen beside one who does, where visitors count by themselves: however many come, apps and agents hear.
    fn listening(&self, way: Way) -> usize {
        let count = |way: Way| self.listeners[way as usize].load(Relaxed);
        match way {
            Way::Visitor => count(Way::Visitor),
            Way::Stream | Way::Socket | Way::Poll => {
                count(Way::Stream) + count(Way::Socket) + count(Way::Poll)
            }
        }
    }

    /// Figures for Prometheus.
    pub fn figures(&self, out: &mut String) -> std::fmt::Result {
        let name = "antiphon_stream_listeners";
        writeln!(out, "# HELP {name} Those who listen to what happens, by how.\n# TYPE {name} gauge")?;
        for (way, label) in WAYS {
            let count = self.listeners[way as usize].load(Relaxed);
            writeln!(out, "{name}{{kind=\"{label}\"}} {count}")?;
        }
        let lag = self.lag.load(Relaxed) as f64 / 1000.0;
        for (name, kind, help, value) in [
            ("hubs", "gauge", "Portals somebody listens to.", self.hubs().len() as f64),
            (
                "cut_off_total",
                "counter",
                "Listeners cut off because they did not read.",
                self.cut_off.load(Relaxed) as f64,
            ),
            ("lag_seconds", "gauge", "Age of the latest events when they were handed on.", lag),
        ] {
            writeln!(
                out,
                "# HELP antiphon_stream_{name} {help}\n# TYPE antiphon_stream_{name} {kind}\nantiphon_stream_{name} {value}"
            )?;
        }
        Ok(())
    }
}

/// Keeps count of one who listens.
struct Counted(Arc<App>, Way);

impl Counted {
    fn new(app: &Arc<App>, way: Way) -> Result<Self, Refusal> {
        let counted = Self(app.clone(), way);
        app.realtime.listeners[way as usize].fetch_add(1, Relaxed);
        let most = match way {
            Way::Visitor => app.config.widget.streams,
            Way::Stream | Way::Socket | Way::Poll => app.config.stream.listeners,
        };
        if app.realtime.listening(way) > most {
            app.figures.shed(Shed::Listeners);
            return Err(Refusal::Unavailable);
        }
        Ok(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.realtime.listeners[self.1 as usize].fetch_sub(1, Relaxed);
    }
}

/// By what somebody listens.
#[derive(Debug, Clone)]
pub struct Pass {
    token: Arc<Token>,
    agent: Option<SignedIn>,
}

impl Pass {
    /// That of a caller. The operator needs none.
    pub fn of(caller: &Caller) -> Option<Self> {
        (!caller.operator).then(|| Self { token: caller.token.clone(), agent: caller.agent })
    }
}

/// What a pass still lets somebody see; `None` once that is nothing.
async fn sees(app: &App, pass: &Pass) -> Result<Option<Kinds>, antiphon_store::StoreError> {
    let token = &pass.token;
    if let Some(agent) = pass.agent {
        let role = sessions::still(&app.store, token.portal_id, agent).await?;
        // Whoever has another role begins anew.
        return Ok(role.filter(|role| *role == agent.role).map(|_| Kinds::visible(token)));
    }
    if let Some(directory) = app.store.directory(token.portal_id).await?
        && let Some(opens) = crate::oauth::access::still_opens(token, &directory, app.store.now())
    {
        let active = directory.app(token.app_id).is_some_and(|app| app.active);
        let reads = crate::middleware::scopes::allows(token, Scope::Read);
        return Ok((opens && active && reads).then(|| Kinds::visible(token)));
    }
    let Some((token, directory)) = app.store.token_by_hash(&token.hash).await? else { return Ok(None) };
    let ended = token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= app.store.now());
    let active = directory.app(token.app_id).is_some_and(|app| app.active);
    Ok((!ended && active && crate::middleware::scopes::allows(&token, Scope::Read))
        .then(|| Kinds::visible(&token)))
}

/// The resume point of a stream: what the client saw last, or what it names.
fn resume(call: &Call, last: Option<&str>) -> Result<Option<i64>, Refusal> {
    let after = call.query.int("after").map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let Some(last) = last else { return Ok(after.map(|after| after.max(0))) };
    let seen: Option<i64> = last.parse().ok().filter(|position| *position >= 0);
    let wrong =
        || Refusal::invalid("Last-Event-ID", "that is the id of no event; leave it out to begin at now");
    seen.map(Some).ok_or_else(wrong)
}
