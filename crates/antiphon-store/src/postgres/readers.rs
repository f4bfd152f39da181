//! Connections for whoever reads: few, and shared by everybody.

use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, Pool, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio::runtime::Handle;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::Place;
use super::failure::{Failure, Result};
use crate::StoreError;

/// Makes connections in the engine's own runtime: they outlive the event loop that asked for them first.
pub(super) struct Maker {
    place: Place,
    runtime: Handle,
}

impl managed::Manager for Maker {
    type Type = ClientWrapper;
    type Error = Failure;

    async fn create(&self) -> Result<ClientWrapper> {
        let place = self.place.clone();
        let made = self.runtime.spawn(async move { place.connect().await });
        Ok(made.await.map_err(|_| Failure::Lost("it is closing".into()))??.client)
    }

    async fn recycle(&self, client: &mut ClientWrapper, _: &Metrics) -> RecycleResult<Failure> {
        match client.is_closed() {
            true => Err(RecycleError::message("the connection ended")),
            false => Ok(()),
        }
    }
}

/// A connection that was borrowed.
pub(super) type Borrowed = Object<Maker>;

/// Ends a connection that is lost, instead of lending it to the next.
pub(super) fn discard(borrowed: Borrowed) {
    drop(Object::take(borrowed));
}

/// A connection that is not given back.
pub(super) fn own(borrowed: Borrowed) -> ClientWrapper {
    Object::take(borrowed)
}

pub(super) struct Readers(Pool<Maker>);

impl Readers {
    pub(super) fn new(place: Place, runtime: Handle, most: usize, patience: Duration) -> Result<Self> {
        let pool = Pool::builder(Maker { place, runtime })
            .max_size(most)
            .wait_timeout(Some(patience))
            .runtime(Runtime::Tokio1)
            .build();
        pool.map(Self).map_err(|e| Failure::Told(StoreError::Engine(e.to_string())))
    }

    /// A connection of one's own until it is dropped.
    pub(super) async fn get(&self) -> Result<Borrowed> {
        self.0.get().await.map_err(|e| match e {
            managed::PoolError::Backend(e) => e,
            managed::PoolError::Timeout(_) => Failure::Told(StoreError::Busy),
            managed::PoolError::Closed => Failure::Told(StoreError::Unavailable("it is closed".into())),
            managed::PoolError::NoRuntimeSpecified | managed::PoolError::PostCreateHook(_) => {
                Failure::Told(StoreError::Engine("the pool is not set up".into()))
            }
        })
    }

    /// Refuses further reads.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

/// What statements are given.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Runs a statement that was prepared before, or is now.
pub(super) async fn rows(client: &ClientWrapper, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

/// As [`rows`], for a statement that answers one row at most.
pub(super) async fn row(client: &ClientWrapper, sql: &str, values: Values<'_>) -> Result<Option<Row>> {
    Ok(rows(client, sql, values).await?.into_iter().next())
}

/// As [`rows`], for a statement that answers nothing; how many rows it wrote.
pub(super) async fn execute(client: &ClientWrapper, sql: &str, values: Values<'_>) -> Result<u64> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, values).await?)
}
