//! A database of a test's own.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio_postgres::error::SqlState;

use crate::cluster::dice;
use crate::{Cluster, Row, sql};

/// A database with a name of its own, dropped with this, whoever is still connected.
#[derive(Debug)]
pub struct Database {
    port: u16,
    name: String,
}

/// A connection that was closed a moment ago still counts as a user of its database.
const PATIENCE: Duration = Duration::from_secs(30);

impl Cluster {
    /// A new, empty database.
    pub fn database(&self) -> Result<Database> {
        self.database_like("template0")
    }

    /// A copy of a database nobody is connected to.
    pub fn database_like(&self, template: &str) -> Result<Database> {
        let name = format!("test_{:016x}", dice());
        let create = format!("CREATE DATABASE {name} TEMPLATE \"{template}\"");
        let began = Instant::now();
        loop {
            match self.rows(&create) {
                Err(e) if sql::code(&e) == Some(&SqlState::OBJECT_IN_USE) && began.elapsed() < PATIENCE => {
                    sleep(Duration::from_millis(20));
                }
                made => return made.map(|_| Database { port: self.port(), name }),
            }
        }
    }
}

impl Database {
    /// Where a client finds it.
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// Where a client finds it behind another port of this machine.
    pub fn url_through(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{}", self.name)
    }

    /// Its name in the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL in it. Several statements are one transaction.
    pub fn rows(&self, sql: &str) -> Result<Vec<Row>> {
        sql::rows(self.port, &self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Where the cluster is gone or down, the database goes with its directory.
        let _ =
            sql::rows(self.port, "postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}
