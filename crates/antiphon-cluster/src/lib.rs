//! A private PostgreSQL for tests and benchmarks: clusters in temporary directories, databases in them, standbys, and a
//! line that can be cut. It never touches a cluster or a port of the system's, and leaves nothing running: a cluster ends
//! with its last user, however that one ended.
//!
//! ```no_run
//! let database = antiphon_cluster::shared()?.database()?;
//! let url = database.url(); // postgres://postgres@127.0.0.1:…/…, gone when `database` is
//! # anyhow::Ok(())
//! ```
//!
//! Everything here waits on the calling thread and may be called inside and outside of an asynchronous runtime.

mod certificate;
mod cluster;
mod database;
mod install;
mod options;
mod process;
mod proxy;
mod shared;
mod sql;
mod standby;

pub use certificate::certificate;
pub use cluster::Cluster;
pub use database::Database;
pub use install::install;
pub use options::Options;
pub use proxy::{Cut, Proxy, Way};
pub use shared::shared;
pub use sql::Row;
