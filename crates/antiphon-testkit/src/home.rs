//! Where a server under test keeps everything, on the engine under test.

use std::path::{Path, PathBuf};

use antiphon::config::Config;
use antiphon_cluster::{Cluster, Database, Options};
use antiphon_store::{Layout, MasterKey, Postgres, Settings, Store};
use tempfile::TempDir;

use crate::{Program, copy_dir};

/// A directory and, where the engine has them, a database. Both go with it.
pub struct Home {
    directory: TempDir,
    database: Option<Database>,
    cluster: Option<Cluster>,
}

/// The master key of every home on a database: its servers may have several data directories.
fn key() -> MasterKey {
    MasterKey::new(*b"the master key of every test ...")
}

/// The engine under test, as `ANTIPHON_TEST_STORE` names it: `sqlite` (also when it names none), `postgres`, or `partitioned`,
/// which is PostgreSQL with its tables in parts by portal.
fn layout() -> Option<Layout> {
    match std::env::var("ANTIPHON_TEST_STORE").as_deref() {
        Err(_) | Ok("sqlite") => None,
        Ok("postgres") => Some(Layout::Plain),
        Ok("partitioned") => Some(Layout::Partitioned(4)),
        Ok(other) => panic!("ANTIPHON_TEST_STORE={other} names no engine"),
    }
}

impl Home {
    /// An empty one on the engine under test.
    #[expect(clippy::new_without_default, reason = "a directory and a database are not made by default")]
    pub fn new() -> Self {
        layout().map_or_else(Self::embedded, Self::shared)
    }

    /// An empty one on the embedded engine, whatever is under test: for what is about files.
    pub fn embedded() -> Self {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary directory: {e}"));
        Self { directory, database: None, cluster: None }
    }

    /// An empty one on PostgreSQL, whatever is under test.
    pub fn postgres() -> Self {
        Self::shared(Layout::Plain)
    }

    /// An empty one on the engine under test, where nothing is acknowledged before it is synced.
    pub fn durable() -> Self {
        layout().map_or_else(Self::embedded, Self::alone)
    }

    /// An empty one on PostgreSQL, whatever is under test, in a cluster of its own that syncs and may be killed.
    pub fn killable() -> (Self, Cluster) {
        let mut home = Self::alone(Layout::Plain);
        let Some(cluster) = home.cluster.take() else { panic!("it has no cluster") };
        (home, cluster)
    }

    fn alone(layout: Layout) -> Self {
        let cluster = Cluster::start(Options::durable()).unwrap_or_else(|e| panic!("no cluster: {e:#}"));
        let database = cluster.database().unwrap_or_else(|e| panic!("no database: {e:#}"));
        Self { cluster: Some(cluster), ..Self::on(database, layout) }
    }

    fn shared(layout: Layout) -> Self {
        let made = antiphon_cluster::shared().and_then(Cluster::database);
        Self::on(made.unwrap_or_else(|e| panic!("no database: {e:#}")), layout)
    }

    fn on(database: Database, layout: Layout) -> Self {
        let home = Self { database: Some(database), ..Self::embedded() };
        home.keep_key();
        if layout != Layout::Plain {
            // Whoever opens it later takes it as it is.
            let mut settings = home.settings();
            settings.postgres = settings.postgres.map(|at| Postgres { layout: Some(layout), ..at });
            Store::open(settings).unwrap_or_else(|e| panic!("{e}"));
        }
        home
    }

    /// The directory of the home itself.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The server's data directory, inside.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// What `--store` says.
    pub fn store(&self) -> String {
        self.database.as_ref().map_or("sqlite:".into(), Database::url)
    }

    /// The master key that servers of the database need; the embedded engine makes its own.
    pub fn key(&self) -> Option<String> {
        self.database.as_ref().map(|_| key().text())
    }

    /// The database, if it is not the embedded one.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Another one with the same in it. No server may run on this one.
    pub fn copy(&self) -> Self {
        let Some(database) = &self.database else {
            let copy = Self::embedded();
            copy_dir(&self.data(), &copy.data()).unwrap_or_else(|e| panic!("it cannot be copied: {e}"));
            return copy;
        };
        let copied = antiphon_cluster::shared().and_then(|cluster| cluster.database_like(database.name()));
        let copied = copied.unwrap_or_else(|e| panic!("it cannot be copied: {e:#}"));
        let copy = Self { database: Some(copied), ..Self::embedded() };
        copy.keep_key();
        copy
    }

    /// Puts the master key where whoever serves here looks for it.
    fn keep_key(&self) {
        key()
            .write(&self.data().join("secret.key"))
            .unwrap_or_else(|e| panic!("the master key cannot be kept: {e}"));
    }

    /// How a store here is opened.
    pub fn settings(&self) -> Settings {
        let postgres = self.database.as_ref().map(|database| Postgres::new(database.url()));
        Settings { postgres, ..Settings::new(self.data()) }
    }

    /// The tests' usual configuration of a server here.
    pub fn config(&self) -> Config {
        let config = Config::for_tests(&self.data()).unwrap_or_else(|e| panic!("{e:#}"));
        Config { store: self.store(), ..config }
    }

    /// The real program here.
    pub fn program(&self, binary: &str) -> Program {
        let program = Program::new(binary, self.data()).env("ANTIPHON_STORE", self.store());
        match self.key() {
            // Servers that share it have data directories of their own.
            Some(key) => program.env("ANTIPHON_SECRETS__KEY", key),
            None => program,
        }
    }
}
