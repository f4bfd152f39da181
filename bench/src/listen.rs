//! Those who listen: many connections on one thread, each with no more memory and work than reading takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::request;
use crate::seed::TOKEN;

/// How many connect at once.
const AT_ONCE: usize = 200;

/// What stands before the id of a message in what is told of it.
const MARK: &[u8] = b"\"messageId\":\"";

/// Something that was heard: the message it was about, and when its first byte came.
pub type Heard = (u128, Instant);

/// Listeners on a thread of their own.
pub struct Listeners {
    thread: std::thread::JoinHandle<Result<Vec<Heard>>>,
    stop: Arc<AtomicBool>,
    /// How many have been greeted, and how many events all of them have heard.
    pub greeted: Arc<AtomicU64>,
    pub heard: Arc<AtomicU64>,
}

impl Listeners {
    /// Opens a stream for each of these queries.
    pub fn open(address: SocketAddr, queries: Vec<String>) -> Result<Self> {
        ensure!(address.ip().is_loopback(), "load goes to this machine only");
        let (stop, greeted, heard) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default(), Arc::default());
        let (own_stop, own_greeted, own_heard) = (stop.clone(), greeted.clone(), Arc::clone(&heard));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(all(address, queries, own_stop, own_greeted, own_heard))
        });
        Ok(Self { thread, stop, greeted, heard })
    }

    /// Waits until so many have been greeted.
    pub fn wait_for(&self, number: usize) -> Result<()> {
        let began = Instant::now();
        while self.greeted.load(Relaxed) < number as u64 {
            ensure!(!self.thread.is_finished(), "the listeners have ended");
            ensure!(began.elapsed().as_secs() < 60, "only {} listen", self.greeted.load(Relaxed));
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Ok(())
    }

    /// Ends them; what they have heard.
    pub fn stop(self) -> Result<Vec<Heard>> {
        self.stop.store(true, Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the listening thread panicked"))?
    }
}

async fn all(
    address: SocketAddr,
    queries: Vec<String>,
    stop: Arc<AtomicBool>,
    greeted: Arc<AtomicU64>,
    heard: Arc<AtomicU64>,
) -> Result<Vec<Heard>> {
    let notes = std::rc::Rc::new(std::cell::RefCell::new(Vec::with_capacity(1 << 16)));
    let local = tokio::task::LocalSet::new();
    let listening = async {
        let mut listeners = JoinSet::new();
        for (number, query) in queries.into_iter().enumerate() {
            let (notes, counted, heard) = (notes.clone(), greeted.clone(), heard.clone());
            listeners.spawn_local(async move { listen(address, query, &notes, &counted, &heard).await });
            // The kernel's queue of those who wait to be accepted is bounded.
            while (number as u64) > greeted.load(Relaxed) + AT_ONCE as u64 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                if let Some(ended) = listeners.try_join_next() {
                    ended??;
                }
            }
        }
        while !stop.load(Relaxed) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if let Some(ended) = listeners.try_join_next() {
                ended??;
                bail!("a stream has ended");
            }
        }
        anyhow::Ok(())
    };
    local.run_until(listening).await?;
    Ok(notes.take())
}

async fn listen(
    address: SocketAddr,
    query: String,
    notes: &std::cell::RefCell<Vec<Heard>>,
    greeted: &AtomicU64,
    heard: &AtomicU64,
) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*bearer), ("accept", "text/event-stream")];
    stream.write_all(&request("GET", &format!("/antiphon/v1/events{query}"), &headers, b"")).await?;
    // What came of a frame that is not complete yet.
    let mut rest: Vec<u8> = Vec::new();
    let mut open = false;
    loop {
        // Nothing is kept for those to whom nothing is told.
        stream.readable().await?;
        let now = Instant::now();
        let mut buffer = [0; 16 << 10];
        let read = match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => &buffer[..read],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        rest.extend_from_slice(read);
        if !open {
            let Some(at) = memmem::find(&rest, b"retry:") else { continue };
            let head = String::from_utf8_lossy(&rest[..at]);
            ensure!(head.starts_with("HTTP/1.1 200"), "refused: {head}");
            open = true;
            greeted.fetch_add(1, Relaxed);
        }
        let mut from = 0;
        while let Some(at) = memmem::find(&rest[from..], MARK) {
            let start = from + at + MARK.len();
            let Some(id) = rest.get(start..start + 32) else { break };
            let id = u128::from_str_radix(std::str::from_utf8(id)?, 16).context("no message id")?;
            notes.borrow_mut().push((id, now));
            heard.fetch_add(1, Relaxed);
            from = start + 32;
        }
        // The mark may be cut, and so may the id behind it.
        let keep = rest.len().saturating_sub(MARK.len() + 32).max(from);
        rest.drain(..keep);
        if rest.capacity() > 1024 {
            rest.shrink_to(256);
        }
    }
}

/// Lets this process, and those it starts, have so many files open.
pub fn allow_files(number: u64) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < number) {
        let maximum = limit.maximum.map(|maximum| maximum.max(number));
        setrlimit(Resource::Nofile, Rlimit { current: Some(number), maximum })
            .context("so many files may not be open; raise the limit (ulimit -Hn) for this run")?;
    }
    Ok(())
}
