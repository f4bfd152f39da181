//! Where the database is, and how a connection to it is made.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use deadpool_postgres::ClientWrapper;
use futures_util::future::poll_fn;
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::mpsc;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Config, Connection, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, Result};
use crate::secrets::Seals;
use crate::{OpenError, StoreError};

/// The oldest server that has everything used here.
const OLDEST_SERVER: i32 = 140_000;

/// How long it may take to connect to a host and to be greeted by it.
const GREETING: Duration = Duration::from_secs(4);

/// How soon a connection is found to be lost that was lost before it was asked.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// Where the database is. Made from a URL as `psql` takes it.
#[derive(Clone)]
pub(super) struct Place {
    config: Config,
    tls: MakeRustlsConnect,
    durable: bool,
    /// What opens the secrets there; nothing before the master key was compared.
    pub seals: Seals,
}

/// How strictly the server has to prove who it is.
enum Proof {
    /// Encryption alone.
    None,
    /// Its certificate has to be signed by one of these roots, and to carry the host's name.
    Full(RootCertStore),
}

impl Place {
    /// Reads a URL: `postgres://user:password@host:port/database?sslmode=…`, with the parameters that libpq knows for TLS.
    pub(super) fn parse(
        url: &str,
        durable: bool,
        statement_timeout: Duration,
    ) -> std::result::Result<Self, OpenError> {
        let wrong = |why: String| OpenError::Engine(shown(url), why);
        let (bare, parameters) = url.split_once('?').unwrap_or((url, ""));
        let (mut kept, mut mode, mut root, mut certificate, mut key) =
            (Vec::new(), "prefer", None, None, None);
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("sslmode", value) => mode = value,
                ("sslrootcert", value) => root = Some(value.to_owned()),
                ("sslcert", value) => certificate = Some(value.to_owned()),
                ("sslkey", value) => key = Some(value.to_owned()),
                _ => kept.push(parameter),
            }
        }
        let plain = if kept.is_empty() { bare.to_owned() } else { format!("{bare}?{}", kept.join("&")) };
        let mut config: Config = plain.parse().map_err(|e| wrong(format!("the URL is not valid: {e}")))?;
        let (ssl_mode, verified) = match mode {
            "disable" => (SslMode::Disable, false),
            "allow" | "prefer" => (SslMode::Prefer, false),
            "require" => (SslMode::Require, root.is_some()),
            "verify-ca" | "verify-full" => (SslMode::Require, true),
            other => {
                return Err(wrong(format!(
                    "sslmode={other} is not known; write verify-full, require or disable"
                )));
            }
        };
        config.ssl_mode(ssl_mode);
        let proof = if verified { Proof::Full(roots(root.as_deref()).map_err(wrong)?) } else { Proof::None };
        let tls = tls(proof, certificate.as_deref(), key.as_deref()).map_err(wrong)?;
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        // Every statement looks rows up by an index. Its plan is kept while tables grow, so none may be made for a table that
        // is still small. A warning is how the server says that a standby has not confirmed: whatever is set elsewhere, it has to come.
        let session = format!(
            "-c statement_timeout={} -c idle_in_transaction_session_timeout=5000 -c lock_timeout=8000 -c jit=off \
             -c enable_seqscan=off -c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 {} \
             -c client_min_messages=notice",
            statement_timeout.as_millis(),
            config.get_options().unwrap_or_default()
        );
        config.options(session);
        if config.get_application_name().is_none() {
            config.application_name("antiphon");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        // A peer that vanished without a word is noticed within seconds, whether or not something is being sent.
        config.tcp_user_timeout(Duration::from_secs(4));
        config.keepalives_idle(Duration::from_secs(2));
        config.keepalives_interval(Duration::from_secs(1));
        config.keepalives_retries(2);
        Ok(Self { config, tls, durable, seals: Seals::default() })
    }

    /// Opens a connection and looks whom it leads to. Its traffic runs in a task of the runtime that this is called in.
    pub(super) async fn connect(&self) -> Result<Session> {
        self.listen(None).await
    }

    /// Opens a connection that passes on what is notified on it.
    pub(super) async fn listen(&self, notices: Option<mpsc::UnboundedSender<String>>) -> Result<Session> {
        let hosts = self.config.get_hosts().len().max(1) as u32;
        answered(GREETING * hosts, self.greeted(notices)).await
    }

    async fn greeted(&self, notices: Option<mpsc::UnboundedSender<String>>) -> Result<Session> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        let warned = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(drive(connection, warned.clone(), notices));
        let client = ClientWrapper::new(client, task);
        // Where each table is one, a statement is planned once: planning a page of history anew each time takes longer than
        // reading it. Of many partitions, the planner should see the one that is meant; Citus has to.
        let row = client
            .query_one(
                "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), \
                 current_setting('synchronous_commit'), backend_start, pid, set_config('plan_cache_mode', \
                 CASE WHEN to_regclass('pg_dist_partition') IS NULL AND NOT EXISTS (SELECT FROM pg_partitioned_table) \
                 THEN 'force_generic_plan' ELSE current_setting('plan_cache_mode') END, false) \
                 FROM pg_stat_activity WHERE pid = pg_backend_pid()",
                &[],
            )
            .await?;
        let (version, encoding): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
        if version < OLDEST_SERVER {
            return Err(Failure::Told(StoreError::Engine(format!(
                "PostgreSQL {} is too old; run {} or newer",
                version / 10_000,
                OLDEST_SERVER / 10_000
            ))));
        }
        if encoding != "UTF8" {
            let why = format!("the database is encoded in {encoding}; make one with ENCODING 'UTF8'");
            return Err(Failure::Told(StoreError::Engine(why)));
        }
        // Nothing is acknowledged before its sync, whatever the server thinks is enough.
        match (self.durable, row.try_get(2)?) {
            (true, "off") => client.batch_execute("SET synchronous_commit = on").await?,
            (false, _) => client.batch_execute("SET synchronous_commit = off").await?,
            _ => {}
        }
        Ok(Session {
            client,
            seals: self.seals.clone(),
            warned,
            backend_start: row.try_get(3)?,
            pid: row.try_get(4)?,
            statements: HashMap::new(),
        })
    }
}

/// Waits for a server that may be halted, or out of reach without anybody being told. Its own limits come first while it
/// is well.
pub(super) async fn answered<T>(patience: Duration, what: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Err(Failure::Lost("the database does not answer".into()));
    tokio::time::timeout(patience, what).await.unwrap_or_else(late)
}

/// A connection, and by which name the server knows it.
pub(super) struct Session {
    pub client: ClientWrapper,
    pub seals: Seals,
    /// Set by any warning of the server. While committing there is only one: that the standby has not confirmed.
    warned: Arc<AtomicBool>,
    pub pid: i32,
    pub backend_start: SystemTime,
    statements: HashMap<&'static str, Statement>,
}

impl Session {
    /// Prepares statements, so that they can be sent at once later.
    pub(super) async fn prepare(&mut self, all: &[&'static str]) -> Result<()> {
        for sql in all {
            let statement = self.client.prepare_cached(sql).await?;
            self.statements.insert(sql, statement);
        }
        Ok(())
    }

    /// A statement that was prepared.
    pub(super) fn statement(&self, sql: &str) -> Result<&Statement> {
        let missing = || Failure::Told(StoreError::Engine("a statement was not prepared".into()));
        self.statements.get(sql).ok_or_else(missing)
    }

    /// Whether the server has warned since this was asked last.
    pub(super) fn warned(&self) -> bool {
        self.warned.swap(false, Ordering::AcqRel)
    }
}

/// Carries the traffic of a connection until it ends.
async fn drive<S>(
    mut connection: Connection<Socket, S>,
    warned: Arc<AtomicBool>,
    notices: Option<mpsc::UnboundedSender<String>>,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                let grave = matches!(
                    notice.parsed_severity(),
                    Some(Severity::Warning | Severity::Error | Severity::Fatal)
                );
                warned.fetch_or(grave, Ordering::AcqRel);
                tracing::debug!(code = notice.code().code(), notice = notice.message(), "the database says");
            }
            Some(Ok(AsyncMessage::Notification(notification))) => {
                if let Some(notices) = &notices {
                    // Whoever listened may be gone; the connection then ends with its client.
                    let _ = notices.send(notification.payload().to_owned());
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection to the database ended");
                return;
            }
            None => return,
        }
    }
}

fn roots(file: Option<&str>) -> std::result::Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match file {
        None | Some("system") => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let bad = |e: String| {
                format!("sslrootcert={file} cannot be read ({e}); name a file of PEM certificates")
            };
            let pem = fs::read(file).map_err(|e| bad(e.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|e| bad(e.to_string()))?;
                roots.add(certificate).map_err(|e| bad(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(bad("it holds no certificate".into()));
            }
        }
    }
    Ok(roots)
}

fn tls(
    proof: Proof,
    certificate: Option<&str>,
    key: Option<&str>,
) -> std::result::Result<MakeRustlsConnect, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |e: rustls::Error| format!("TLS cannot be set up: {e}");
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = match proof {
        Proof::Full(roots) => builder.with_root_certificates(roots),
        Proof::None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Unproven(provider))),
    };
    let config = match (certificate, key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let read = |file: &str| fs::read(file).map_err(|e| format!("{file} cannot be read: {e}"));
            let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificate)?)
                .map(|one| one.map(CertificateDer::into_owned))
                .collect();
            let chain = chain.map_err(|e| format!("sslcert={certificate} holds no PEM certificate: {e}"))?;
            let key = PrivateKeyDer::from_pem_slice(&read(key)?)
                .map_err(|e| format!("sslkey={key} holds no PEM key: {e}"))?;
            builder.with_client_auth_cert(chain, key).map_err(failed)?
        }
        _ => return Err("sslcert and sslkey go together; give both".into()),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// For `sslmode=require`, which asks for encryption and for nothing else, as it does in every client of PostgreSQL.
#[derive(Debug)]
struct Unproven(Arc<CryptoProvider>);

impl ServerCertVerifier for Unproven {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A URL without its password and parameters, which may hold one too.
pub(crate) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    // Passwords with signs that belong encoded are met in practice: whatever is before the last `@` may be one.
    let (user, place) = rest.rsplit_once('@').map_or(("", rest), |(user, place)| (user, place));
    let user = user.split(':').next().unwrap_or_default();
    let place = place.split('?').next().unwrap_or_default();
    match (scheme, user) {
        ("", "") => place.to_owned(),
        ("", _) => format!("…@{place}"),
        (_, "") => format!("{scheme}://{place}"),
        _ => format!("{scheme}://{user}@{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, expected) in [
            ("postgres://me:secret@host:5432/db?sslmode=require", "postgres://me@host:5432/db"),
            ("postgres://me:se?c/r@et@host/db", "postgres://me@host/db"),
            ("postgresql://host/db?user=me&password=secret", "postgresql://host/db"),
            ("postgres://:secret@host/db", "postgres://host/db"),
            ("me:secret@host/db", "…@host/db"),
            ("sqlite:./data", "sqlite:./data"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
