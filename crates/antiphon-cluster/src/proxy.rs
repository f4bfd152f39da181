//! A line between a test and a database that can be cut, held up and slowed down, and that knows what goes over it.

mod line;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use crate::{Cluster, Database};
use line::{Line, Mode};

/// A port of 127.0.0.1 behind which a cluster stands. Its threads are its own, so a test may block.
pub struct Proxy {
    port: u16,
    line: Arc<Line>,
    runtime: Option<Runtime>,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// When a connection is cut that has just brought some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before: only so many of these bytes arrive, and both ends are reset.
    At(usize),
    /// After they have arrived: the client is reset at once, while the server still does what it was told.
    After,
    /// Once the server has done what it was told: the client is reset in place of the answer.
    Answer,
}

impl Cluster {
    /// A line to this cluster that can be cut.
    pub fn proxy(&self) -> Result<Proxy> {
        Proxy::start(self.port())
    }
}

impl Proxy {
    /// A line to a port of 127.0.0.1.
    pub fn start(target: u16) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for a proxy")?;
        let port = listener.local_addr()?.port();
        listener.set_nonblocking(true)?;
        let line = Arc::new(Line::to(target));
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        runtime.spawn(line::listen(listener, line.clone()));
        Ok(Self { port, line, runtime: Some(runtime) })
    }

    /// The port clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where a client finds a database over this line.
    pub fn url(&self, database: &Database) -> String {
        database.url_through(self.port)
    }

    /// Connections from now on lead to another port, as when a standby has taken over.
    pub fn lead_to(&self, target: u16) {
        self.line.target.send_replace(target);
    }

    /// Resets all connections there are; new ones are made as before.
    pub fn cut(&self) {
        self.line.resets.send_modify(|resets| *resets += 1);
    }

    /// Nothing goes over the line any more, and nobody is told, as when a cable is pulled. What is sent meanwhile arrives
    /// after [`pass`](Self::pass), as it would be sent again then.
    pub fn hold(&self) {
        self.line.mode.send_replace(Mode::Holds);
    }

    /// Resets new connections at once; those there are stay.
    pub fn refuse(&self) {
        self.line.mode.send_replace(Mode::Refuses);
    }

    /// Everything goes through again.
    pub fn pass(&self) {
        self.line.mode.send_replace(Mode::Passes);
    }

    /// Bytes arrive so much later, each way.
    pub fn delay(&self, delay: Duration) {
        self.line.delay.send_replace(delay);
    }

    /// Shows all bytes to `hook` just before they arrive, until it says how to cut their connection, once. When it holds the
    /// line, these bytes are the first that do not arrive.
    pub fn cut_when(&self, hook: impl FnMut(Way, &[u8]) -> Option<Cut> + Send + 'static) {
        self.line.watch(Box::new(hook));
    }

    /// How many times [`cut_when`](Self::cut_when) has come true.
    pub fn cuts(&self) -> usize {
        *self.line.cuts.borrow()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A runtime may be waited for only outside of others, and tests drop this inside of theirs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
