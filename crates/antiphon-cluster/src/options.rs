//! How a cluster is set up.

/// The settings of a [`Cluster`](crate::Cluster). By default it lies in memory, where there is enough, and syncs nothing:
/// what is committed outlives [`kill`](crate::Cluster::kill), as it would not outlive a power cut.
#[derive(Debug, Clone, Default)]
pub struct Options {
    fsync: bool,
    settings: Vec<(String, String)>,
    pub(crate) tls: Option<(Vec<u8>, Vec<u8>)>,
}

/// What makes a server quick that only has to outlive its own processes. Autovacuum would wake up in databases that are
/// dropped a moment later.
const QUICK: [(&str, &str); 3] = [("fsync", "off"), ("autovacuum", "off"), ("max_wal_size", "256MB")];

/// Shared memory lies in the data directory, so that a server which is killed leaves none of it behind.
const FIXED: [(&str, &str); 4] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("max_connections", "200"),
    ("dynamic_shared_memory_type", "mmap"),
];

impl Options {
    /// On the disk and with everything synced, as PostgreSQL comes: for whoever measures.
    pub fn durable() -> Self {
        Self { fsync: true, ..Self::default() }
    }

    /// With a setting of `postgresql.conf`. The last one of a name counts.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// With `ssl` on, by a certificate and its key in PEM, such as [`certificate`](crate::certificate()) makes.
    pub fn tls(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls = Some((certificate.into(), key.into()));
        self
    }

    pub(crate) fn syncs(&self) -> bool {
        self.fsync
    }

    /// All settings, as arguments of `postgres`, but for those that tell clusters apart.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let quick: &[_] = if self.fsync { &[] } else { &QUICK };
        let tls = [("ssl", "on"), ("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")];
        let tls: &[_] = if self.tls.is_some() { &tls } else { &[] };
        let fixed = FIXED.iter().chain(quick).chain(tls).map(|(name, value)| format!("--{name}={value}"));
        fixed.chain(self.settings.iter().map(|(name, value)| format!("--{name}={value}"))).collect()
    }
}
