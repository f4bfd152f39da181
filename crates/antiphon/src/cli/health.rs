//! `antiphon health`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::json;
use tokio::net::TcpStream;

use super::operator::{Operator, exchange, request};
use super::{Common, block_on};
use crate::config::{Config, Flags};

/// Who answers later than this is not well.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub struct Health {
    /// Address the server listens on [default: the configured one]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Health {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = Config::load(&Flags { listen: self.listen, ..common.flags() })?;
        block_on(async {
            tokio::time::timeout(PATIENCE, ask(&config))
                .await
                .with_context(|| format!("the server did not answer within {} s", PATIENCE.as_secs()))?
        })?;
        match common.json {
            true => println!("{}", json!({ "status": "ok" })),
            false => println!("the server answers"),
        }
        Ok(())
    }
}

/// Asks where clients do. A certificate speaks for the name that clients use, which is not known here: with TLS the control
/// socket is asked instead.
async fn ask(config: &Config) -> anyhow::Result<()> {
    if config.tls.enabled() {
        let server = Operator::Running(config.socket());
        return server.call("GET", "/healthz", None, None).await.map(|_| ());
    }
    let address = reachable(&config.listen)?;
    let stream = TcpStream::connect(address).await.with_context(|| format!("nobody answers at {address}"))?;
    let (status, _) = exchange(stream, request("GET", "/healthz", None, None)?)
        .await
        .with_context(|| format!("what listens at {address} gave no answer"))?;
    ensure!(status.is_success(), "the server at {address} is not well: it answers {status}");
    Ok(())
}

/// The address under which this machine reaches a listener: "any" is not one that can be called.
fn reachable(listen: &str) -> anyhow::Result<SocketAddr> {
    let wrong = || format!("listen = {listen:?} is no address; write one such as 127.0.0.1:8085");
    let Some(mut address) = listen.to_socket_addrs().with_context(wrong)?.next() else { bail!(wrong()) };
    ensure!(address.port() != 0, "the port of a server that took any is not known; name it with --listen");
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_address_is_asked_on_this_machine() {
        for (listen, asked) in [
            ("127.0.0.1:8085", "127.0.0.1:8085"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:8085", "[::1]:8085"),
            ("10.1.2.3:8085", "10.1.2.3:8085"),
        ] {
            assert_eq!(reachable(listen).unwrap().to_string(), asked, "{listen}");
        }
        assert!(reachable("0.0.0.0:0").is_err());
        assert!(reachable("nonsense").is_err());
    }
}
