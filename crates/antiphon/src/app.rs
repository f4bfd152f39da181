//! What every room may reach.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use antiphon_store::Store;
use bytes::Bytes;

use crate::backups::Progress;
use crate::config::Config;
use crate::files::bytes::Kept;
use crate::keys::Keys;
use crate::metrics::Figures;
use crate::middleware::body::Room;
use crate::middleware::limits::Limits;
use crate::moves;
use crate::oauth::login::Logins;
use crate::outbound::Outbound;
use crate::realtime::Realtime;
use crate::routes::Routes;
use crate::sessions::oidc::Issuer;
use crate::tokens::uses::Uses;
use crate::webhooks::figures::Webhooks;
use crate::widget::floods::Floods;

/// The running program: the store and, around it, what is configured.
pub struct App {
    pub store: Store,
    /// Scheme and host under which clients reach the server, without a trailing slash.
    pub public_url: String,
    pub config: Config,
    pub routes: Routes,
    pub limits: Limits,
    pub figures: Figures,
    /// With which the server signs.
    pub keys: Keys,
    /// When tokens were used.
    pub uses: Uses,
    /// Passwords that are being tried.
    pub logins: Logins,
    /// Where agents can sign in, too.
    pub issuer: Option<Issuer>,
    /// The way to receivers elsewhere.
    pub outbound: Outbound,
    /// How this node's webhooks stand.
    pub webhooks: Webhooks,
    /// Who listens to what happens.
    pub realtime: Realtime,
    /// How often visitors do what they may.
    pub floods: Arc<Floods>,
    /// Where the bytes of files are.
    pub kept: Kept,
    /// Memory for large bodies.
    pub room: Room,
    /// The OpenAPI document, printed when it is first asked for.
    pub(crate) openapi: OnceLock<Bytes>,
    pub(crate) open_connections: AtomicUsize,
    /// How far the latest backup and the latest check are.
    pub(crate) backup: Progress,
    /// How far the latest move is.
    pub(crate) moving: moves::Progress,
    pub(crate) check: Progress,
    stopping: AtomicBool,
}

impl App {
    /// Puts the program together around an open store.
    ///
    /// # Errors
    /// When the table of operations contradicts itself.
    pub fn new(store: Store, config: Config, public_url: String) -> anyhow::Result<Self> {
        let routes = Routes::new()?;
        let keys = Keys::new(&store.signing_keys_found(), store.now());
        Ok(Self {
            keys,
            logins: Logins::default(),
            uses: Uses::default(),
            store,
            public_url,
            limits: Limits::new(&config.limits),
            figures: Figures::new(config.server.loops(), &routes),
            issuer: Issuer::new(&config)?,
            outbound: Outbound::new(&config.outbound)?,
            webhooks: Webhooks::default(),
            realtime: Realtime::default(),
            floods: Arc::default(),
            kept: Kept::open(&config)?,
            room: Room::default(),
            openapi: OnceLock::new(),
            open_connections: AtomicUsize::new(0),
            backup: Progress::default(),
            moving: moves::Progress::default(),
            check: Progress::default(),
            stopping: AtomicBool::new(false),
            routes,
            config,
        })
    }

    /// Machine time in milliseconds, for limits: it moves on even where domain time is held still.
    #[expect(
        clippy::disallowed_methods,
        reason = "limits and leases go by the machine, whatever the domain clock says"
    )]
    pub fn machine_time(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    /// Whether the server has been told to stop.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.open_connections.load(Ordering::Relaxed)
    }
}
