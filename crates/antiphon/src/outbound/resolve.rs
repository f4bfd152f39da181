//! From a name to the addresses that may be connected to. What is looked at here is what is connected to: nobody asks again.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::watch;
use tower_service::Service;

use super::Failure;
use super::address::permits;
use crate::config;

type Future<T> = Pin<Box<dyn std::future::Future<Output = T> + Send>>;

/// How the addresses of a name are found out.
pub type Lookup = Arc<dyn Fn(&str) -> Future<io::Result<Vec<IpAddr>>> + Send + Sync>;

/// This machine's way.
pub fn system() -> Lookup {
    Arc::new(|name| {
        let name = name.to_owned();
        Box::pin(
            async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect()) },
        )
    })
}

/// Addresses, once they are known.
type Found = watch::Receiver<Option<Vec<IpAddr>>>;

/// A lookup may take far longer than anybody waits for it, and holds a thread all the time. So there is only one of a name at
/// a time, which everybody waits for.
#[derive(Clone)]
pub struct Resolver {
    lookup: Lookup,
    config: Arc<config::Outbound>,
    pending: Arc<Mutex<HashMap<String, Found>>>,
}

impl Resolver {
    pub fn new(config: &config::Outbound, lookup: Lookup) -> Self {
        Self { lookup, config: Arc::new(config.clone()), pending: Arc::default() }
    }

    /// Every address of a name. None, if that cannot be found out.
    async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let mut found = self.asked(name);
        let found = found.wait_for(Option::is_some).await;
        found.ok().and_then(|found| found.clone()).unwrap_or_default()
    }

    fn asked(&self, name: &str) -> Found {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = pending.get(name).filter(|found| found.has_changed().is_ok()) {
            return found.clone();
        }
        let (tell, found) = watch::channel(None);
        pending.insert(name.to_owned(), found.clone());
        let (lookup, pending, name) = ((self.lookup)(name), self.pending.clone(), name.to_owned());
        tokio::spawn(async move {
            let addresses = lookup.await.unwrap_or_default();
            pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            tell.send_replace(Some(addresses));
        });
        found
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Failure;
    type Future = Future<Result<Self::Response, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            let mut addresses = resolver.addresses(name.as_str()).await;
            if addresses.is_empty() {
                return Err(Failure::Unresolved(name.as_str().into()));
            }
            addresses.retain(|address| permits(&resolver.config, name.as_str(), *address));
            if addresses.is_empty() {
                return Err(Failure::Private(name.as_str().into()));
            }
            // The port is the caller's business.
            let addresses: Vec<_> = addresses.into_iter().map(|address| (address, 0).into()).collect();
            Ok(addresses.into_iter())
        })
    }
}
