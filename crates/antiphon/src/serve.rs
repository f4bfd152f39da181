//! Builds the program once, opens its doors to the outside and closes them gently.
//!
//! One event loop per core, each with a listener of its own on the same address: a connection lives and dies on one
//! core, and no request waits for another core's queue. One more thread serves the control socket and runs the jobs.

pub mod connection;
pub mod listen;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_store::{OpenError, Settings, Store};
use anyhow::Context;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot, watch};

use crate::app::App;
use crate::config::Config;
use crate::middleware::{Peer, lag};
use crate::tokens::uses;
use crate::webhooks::deliver;
use crate::{jobs, journal, keys, metrics};
use connection::Door;

/// How the store of a configuration is opened.
pub fn settings(config: &Config) -> Settings {
    Settings {
        postgres: config.postgres(),
        key: config.secrets.source(&config.data_dir),
        queue: config.writer.queue,
        batch: config.writer.batch,
        wal_bytes: config.writer.wal_bytes,
        deadline: config.server.request(),
        // Not in the configuration, since nobody should want it: it shows that the durability tests can fail.
        durable: std::env::var_os("ANTIPHON_UNSAFE_NO_SYNC").is_none(),
        ..Settings::new(&config.data_dir)
    }
}

/// How often a database that cannot be reached is tried.
const AGAIN: Duration = Duration::from_secs(1);

/// Opens the store of a configuration. A database that is only starting is waited for.
///
/// # Errors
/// One sentence that says what to do.
pub async fn open(config: &Config, settings: &Settings) -> anyhow::Result<Store> {
    let give_up = Instant::now() + config.database.patience();
    loop {
        match Store::open(settings.clone()) {
            Err(OpenError::Unreachable(place, error)) if Instant::now() + AGAIN < give_up => {
                tracing::warn!(place, error, "the database cannot be reached yet; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            opened => return Ok(opened?),
        }
    }
}

/// A server that serves.
pub struct Server {
    /// Under which it is reached, without a trailing slash.
    pub url: String,
    pub app: Arc<App>,
    stop: watch::Sender<bool>,
    done: Vec<oneshot::Receiver<()>>,
}

impl Server {
    /// Binds, opens the store and serves. Port 0 in `config.listen` takes any free port; `url` says which.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub async fn start(config: Config, settings: Settings) -> anyhow::Result<Self> {
        // The address comes first: a port that is taken must not cost the opening of a large store.
        let bound = listen::bind(&config.listen, config.server.loops())?;
        let tls = connection::tls(&config.tls)?;
        let url = format!("{}://{}", if tls.is_some() { "https" } else { "http" }, bound.address);
        let public_url = if config.public_url.is_empty() { url.clone() } else { config.public_url.clone() };
        let store = open(&config, &settings).await?;
        if config.postgres().is_some() && config.files.url.is_empty() {
            tracing::warn!(
                "the bytes of files are kept in this node's data directory, where other nodes of its database do not find \
                 them; name a place for all of them in files.url"
            );
        }
        let control = listen::control(&config.socket())?;
        let app = Arc::new(App::new(store, config, public_url)?);
        let (stop, _) = watch::channel(false);
        let mut server = Self { url, app, stop, done: Vec::new() };
        let listeners = bound.listen()?;
        for (shard, listener) in listeners.into_iter().enumerate() {
            let door = Door { app: server.app.clone(), tls: tls.clone() };
            let most_lag = server.app.config.server.lag();
            server.thread(format!("http-{shard}"), move |stop| async move {
                metrics::use_shard(shard);
                lag::watch(most_lag, Instant::now());
                match TcpListener::from_std(listener) {
                    Ok(listener) => serve(&door, listener, stop).await,
                    Err(error) => tracing::error!(%error, "an event loop cannot listen"),
                }
            })?;
        }
        let app = server.app.clone();
        server.thread("control".into(), move |stop| async move {
            let door = Door { app: app.clone(), tls: None };
            let socket = async {
                if let Some(listener) = control {
                    serve_control(&door, listener, stop.clone()).await;
                }
            };
            let journal = journal::write::drive(&app, stop.clone());
            let keys = keys::follow(&app, stop.clone());
            let uses = uses::drive(&app, stop.clone());
            tokio::join!(socket, jobs::drive(&app, stop.clone()), journal, keys, uses);
        })?;
        let app = server.app.clone();
        server.thread("webhooks".into(), move |stop| deliver::run(app, stop))?;
        Ok(server)
    }

    fn thread<F, W>(&mut self, name: String, work: W) -> anyhow::Result<()>
    where
        W: FnOnce(watch::Receiver<bool>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        // Every loop gets a channel of its own: what it asks with every wake-up is then in nobody else's cache.
        let (own_stop, stop) = watch::channel(false);
        let mut heard = self.stop.subscribe();
        let (done, finished) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .event_interval(lag::LOOK)
            .global_queue_interval(lag::ANSWERS)
            .on_thread_unpark(|| lag::rested(Instant::now()))
            .build()?;
        std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                runtime.block_on(async move {
                    let relay = async {
                        told(&mut heard).await;
                        own_stop.send_replace(true);
                    };
                    tokio::join!(relay, work(stop));
                });
                // Whoever does not wait for the end has no interest in it.
                done.send(()).ok();
            })
            .context("a thread cannot be started")?;
        self.done.push(finished);
        Ok(())
    }

    /// Says that it goes, stops accepting, finishes what was accepted, and closes the store.
    pub async fn stop(mut self) {
        self.app.stop();
        tokio::time::sleep(self.app.config.server.leave()).await;
        self.app.realtime.close();
        self.stop.send_replace(true);
        for done in std::mem::take(&mut self.done) {
            // A thread that panicked is done too.
            done.await.ok();
        }
        self.app.uses.write(&self.app.store).await;
        self.app.store.close().await;
        std::fs::remove_file(self.app.config.socket()).ok();
    }
}

/// Waits until it is time to stop. A sender that is gone means the same.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

/// Accepts until told to stop, then waits for the connections to finish.
async fn serve(door: &Door, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    // Every connection holds a sender; when the last is gone, so is the last connection.
    let (alive, mut gone) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => door.open(stream, address, stop.clone(), alive.clone()),
            Err(error) => pause(&error).await,
        }
    }
    // What the kernel had taken in already was accepted as far as its client can tell.
    while let Some(Ok((stream, address))) = if_ready(listener.accept()).await {
        door.open(stream, address, stop.clone(), alive.clone());
    }
    drop((listener, alive));
    let patience = Duration::from_secs(door.app.config.server.stop_seconds);
    tokio::time::timeout(patience, gone.recv()).await.ok();
}

async fn serve_control(
    door: &Door,
    listener: std::os::unix::net::UnixListener,
    mut stop: watch::Receiver<bool>,
) {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the control socket cannot be served"),
    };
    let (alive, mut gone) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let peer = Peer { operator: true, ..Peer::default() };
                tokio::spawn(connection::plain(door.app.clone(), peer, stream, stop.clone(), alive.clone()));
            }
            Err(error) => pause(&error).await,
        }
    }
    drop(alive);
    let patience = Duration::from_secs(door.app.config.server.stop_seconds);
    tokio::time::timeout(patience, gone.recv()).await.ok();
}

/// Accepting fails when file handles run out; trying again at once would only spin.
async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// The value of a future that is ready, without waiting for one that is not.
async fn if_ready<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}
