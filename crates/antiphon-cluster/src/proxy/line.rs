//! What goes on between the two ends of a proxy.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Cut, Way};

pub(super) type Hook = Box<dyn FnMut(Way, &[u8]) -> Option<Cut> + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Passes,
    Holds,
    Refuses,
}

pub(super) struct Line {
    pub(super) target: watch::Sender<u16>,
    pub(super) mode: watch::Sender<Mode>,
    pub(super) delay: watch::Sender<Duration>,
    /// How often all connections were reset.
    pub(super) resets: watch::Sender<usize>,
    /// How often the hook has cut one.
    pub(super) cuts: watch::Sender<usize>,
    hook: Mutex<Option<Hook>>,
}

pub(super) async fn listen(listener: TcpListener, line: Arc<Line>) {
    loop {
        if let Ok((client, _)) = listener.accept().await {
            let line = line.clone();
            tokio::spawn(async move { line.serve(client).await });
        }
    }
}

impl Line {
    pub(super) fn to(target: u16) -> Self {
        Self {
            target: watch::Sender::new(target),
            mode: watch::Sender::new(Mode::Passes),
            delay: watch::Sender::new(Duration::ZERO),
            resets: watch::Sender::new(0),
            cuts: watch::Sender::new(0),
            hook: Mutex::new(None),
        }
    }

    pub(super) fn watch(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    async fn serve(&self, mut client: TcpStream) {
        let mut resets = self.resets.subscribe();
        let server = tokio::select! { server = self.reach() => server, _ = resets.changed() => None };
        let Some(mut server) = server else { return reset(client) };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ended = tokio::select! {
            ended = self.relay(&mut client, &mut server) => ended,
            _ = resets.changed() => Err(Cut::At(0)),
        };
        match ended {
            Ok(()) => {}
            Err(Cut::At(_)) => {
                reset(client);
                reset(server);
            }
            Err(Cut::After) => {
                reset(client);
                finish(server).await;
            }
            Err(Cut::Answer) => {
                finish(server).await;
                reset(client);
            }
        }
    }

    async fn reach(&self) -> Option<TcpStream> {
        self.open().await;
        if *self.mode.borrow() == Mode::Refuses {
            return None;
        }
        let target = *self.target.borrow();
        TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await.ok()
    }

    /// Waits while nothing goes over the line.
    async fn open(&self) {
        // It cannot fail: the sender is ours.
        let _ = self.mode.subscribe().wait_for(|mode| *mode != Mode::Holds).await;
    }

    /// Until both ends have said all they have to say.
    async fn relay(&self, client: &mut TcpStream, server: &mut TcpStream) -> Result<(), Cut> {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let there = self.carry(Way::ToServer, from_client, to_server);
        let back = self.carry(Way::ToClient, from_server, to_client);
        tokio::try_join!(there, back).map(|_| ())
    }

    /// Reads on while earlier bytes are under way, so that a delay is a distance and not a narrow pass.
    async fn carry(&self, way: Way, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Cut> {
        let (send, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(64);
        let depart = async move {
            loop {
                self.open().await;
                let mut bytes = Vec::with_capacity(16 << 10);
                if from.read_buf(&mut bytes).await.map_err(lost)? == 0 {
                    return Ok(());
                }
                let due = Instant::now() + *self.delay.borrow();
                let _ = send.send((due, bytes)).await;
            }
        };
        let arrive = async {
            while let Some((due, bytes)) = under_way.recv().await {
                sleep_until(due).await;
                self.open().await;
                let cut = self.verdict(way, &bytes);
                // The hook may have held the line.
                self.open().await;
                let arriving = match cut {
                    Some(Cut::At(count)) => &bytes[..count.min(bytes.len())],
                    _ => &bytes,
                };
                to.write_all(arriving).await.map_err(lost)?;
                cut.map_or(Ok(()), Err)?;
            }
            self.open().await;
            to.shutdown().await.map_err(lost)
        };
        tokio::try_join!(depart, arrive).map(|_| ())
    }

    fn verdict(&self, way: Way, bytes: &[u8]) -> Option<Cut> {
        let mut hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = hook.as_mut()?(way, bytes)?;
        *hook = None;
        self.cuts.send_modify(|cuts| *cuts += 1);
        Some(cut)
    }
}

/// An end that failed takes the other one with it.
fn lost(_: std::io::Error) -> Cut {
    Cut::At(0)
}

fn reset(stream: TcpStream) {
    // Closed without a farewell, it is reset.
    let _ = stream.set_zero_linger();
}

/// Lets the server do what it was told, and throws away what it answers.
async fn finish(mut server: TcpStream) {
    let _ = server.shutdown().await;
    let _ = tokio::io::copy(&mut server, &mut tokio::io::sink()).await;
}
