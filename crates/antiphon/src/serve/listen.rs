//! Addresses: taken once, shared by all event loops.

use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::fs::Mode;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections the kernel keeps for one listener until they are accepted.
const BACKLOG: i32 = 1024;

/// A client that takes nothing of its answer for so long is cut off by the kernel.
const STALLED: Duration = Duration::from_secs(60);

/// Sockets that have an address and do not listen yet: nobody is answered before the store is open.
pub struct Bound {
    pub address: SocketAddr,
    sockets: Vec<Socket>,
}

impl Bound {
    /// Begins to listen.
    pub fn listen(self) -> anyhow::Result<Vec<std::net::TcpListener>> {
        self.sockets
            .into_iter()
            .map(|socket| {
                socket.listen(BACKLOG).with_context(|| taken(self.address))?;
                Ok(socket.into())
            })
            .collect()
    }
}

/// Takes an address for so many listeners.
///
/// # Errors
/// One sentence that says what to do.
pub fn bind(listen: &str, loops: usize) -> anyhow::Result<Bound> {
    let wrong = || format!("listen = {listen:?} is no address; write one such as 127.0.0.1:8085");
    let Some(wanted) = listen.to_socket_addrs().with_context(wrong)?.next() else { bail!(wrong()) };
    // Sharing a port needs an option that would also let a second server share it unnoticed. This socket does without,
    // so it fails when anybody listens there, and it keeps the port until the others have it.
    let guard =
        socket(wanted, false).and_then(|guard| bound(guard, wanted)).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => anyhow::anyhow!(taken(wanted)),
            ErrorKind::PermissionDenied => {
                anyhow::anyhow!(
                    "{wanted} needs privileges that antiphon lacks; choose a port above 1023 with --listen"
                )
            }
            ErrorKind::AddrNotAvailable => {
                anyhow::anyhow!("{wanted} is no address of this machine; choose one that is with --listen")
            }
            _ => anyhow::anyhow!(
                "{wanted} cannot be listened on ({error}); choose another address with --listen"
            ),
        })?;
    let address = guard.local_addr()?.as_socket().unwrap_or(wanted);
    if loops < 2 {
        return Ok(Bound { address, sockets: vec![guard] });
    }
    let sockets = (0..loops).map(|_| bound(socket(address, true)?, address)).collect::<std::io::Result<_>>();
    Ok(Bound { address, sockets: sockets.with_context(|| taken(address))? })
}

fn taken(address: SocketAddr) -> String {
    format!(
        "{address} is already in use; stop the program that listens there or choose another address with --listen"
    )
}

fn socket(address: SocketAddr, shared: bool) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    // Both options pass to every connection that is accepted here.
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(STALLED))?;
    Ok(socket)
}

fn bound(socket: Socket, address: SocketAddr) -> std::io::Result<Socket> {
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Opens the control socket, for this user alone, in a directory that is made when it is missing. A server without control
/// socket is better than none.
///
/// # Errors
/// When another server listens there: on PostgreSQL no lock keeps two from one directory.
pub fn control(path: &Path) -> anyhow::Result<Option<UnixListener>> {
    if UnixStream::connect(path).is_ok() {
        let directory = path.parent().unwrap_or(path).display();
        bail!("another antiphon serves from {directory}; stop that one or choose another --data-dir");
    }
    std::fs::remove_file(path).ok();
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let before = rustix::process::umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    let listener = made.and(listener).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    let told = |error: &std::io::Error| {
        tracing::warn!(%error, "there is no control socket; commands need the server to be stopped");
    };
    Ok(listener.inspect_err(told).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_even_by_our_own_kind() {
        let first = bind("127.0.0.1:0", 3).unwrap();
        let address = first.address;
        let listeners = first.listen().unwrap();
        assert_eq!(listeners.len(), 3);
        let error = bind(&address.to_string(), 3).err().unwrap().to_string();
        assert!(error.contains("already in use") && error.contains("--listen"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_explained() {
        assert!(bind("nonsense", 1).err().unwrap().to_string().contains("127.0.0.1:8085"));
        assert!(bind("203.0.113.7:80", 1).err().unwrap().to_string().contains("--listen"));
    }
}
