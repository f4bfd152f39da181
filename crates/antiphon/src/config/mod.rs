//! Configuration: flags before environment before `antiphon.toml` before `defaults.toml`, checked whole before anything starts.

mod audit;
mod database;
mod events;
mod files;
mod limits;
mod log;
mod oidc;
mod outbound;
mod secrets;
mod server;
mod stream;
mod tls;
mod webhooks;
mod widget;
mod writer;

use std::path::{Path, PathBuf};

use antiphon_store::{Millis, Postgres};
use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

pub use audit::Audit;
pub use database::Database;
pub use events::Events;
pub use files::Files;
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use oidc::Oidc;
pub use outbound::{Outbound, Place};
pub use secrets::Secrets;
pub use server::{Network, Server};
pub use stream::Stream;
pub use tls::Tls;
pub use webhooks::Webhooks;
pub use widget::Widget;
pub use writer::Writer;

/// A day of domain time.
const DAY: Millis = 24 * 60 * 60 * 1000;

/// Every value with its explanation.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// The file that is read when none is named.
pub const FILE: &str = "antiphon.toml";

/// Everything that can be configured. `defaults.toml` explains each value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: String,
    pub data_dir: PathBuf,
    pub store: String,
    pub demo: bool,
    pub public_url: String,
    pub region: String,
    pub server: Server,
    pub tls: Tls,
    pub limits: Limits,
    pub stream: Stream,
    pub writer: Writer,
    pub database: Database,
    pub secrets: Secrets,
    pub events: Events,
    pub audit: Audit,
    pub webhooks: Webhooks,
    pub outbound: Outbound,
    pub oidc: Oidc,
    pub files: Files,
    pub widget: Widget,
    pub log: Log,
}

/// What the command line may set. Absent values leave the decision to the layers below.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Flags {
    #[serde(skip)]
    pub file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demo: Option<bool>,
}

impl Config {
    /// Reads all layers and checks the result.
    ///
    /// # Errors
    /// One sentence that names the value and says what it should be.
    pub fn load(flags: &Flags) -> anyhow::Result<Self> {
        let named = flags.file.clone().or_else(|| std::env::var_os("ANTIPHON_CONFIG").map(PathBuf::from));
        if let Some(file) = named.as_deref().filter(|file| !file.is_file()) {
            bail!("the configuration file {} does not exist; name one that does", file.display());
        }
        let file = named.unwrap_or_else(|| PathBuf::from(FILE));
        // Variables of no known name are left alone: container platforms invent some of the same prefix.
        let known: Vec<String> = toml_keys();
        let variables = Env::prefixed("ANTIPHON_")
            .filter(move |key| {
                let section = key.as_str().split("__").next().unwrap_or_default();
                known.iter().any(|known| known.eq_ignore_ascii_case(section))
            })
            .split("__");
        let config: Self = Figment::from(Toml::string(DEFAULTS))
            .merge(Toml::file(&file))
            .merge(variables)
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| anyhow::anyhow!("the configuration is not valid: {}", explained(&error)))?;
        config.checked()
    }

    /// The defaults for a data directory, on any free port: where tests begin.
    pub fn for_tests(data_dir: &Path) -> anyhow::Result<Self> {
        let mut config: Self = Figment::from(Toml::string(DEFAULTS)).extract()?;
        config.listen = "127.0.0.1:0".into();
        config.data_dir = data_dir.to_path_buf();
        config.limits.enabled = false;
        config.server.threads = 1;
        config.outbound.allow_near();
        config.checked()
    }

    fn checked(mut self) -> anyhow::Result<Self> {
        if let Some(directory) = self.store.strip_prefix("sqlite:") {
            if !directory.is_empty() {
                self.data_dir = PathBuf::from(directory);
            }
        } else if self.postgres().is_none() {
            bail!(
                "store = {:?} names no engine; write \"sqlite:\", \"sqlite:<directory>\" or \
                 \"postgres://<user>:<password>@<host>/<database>\"",
                Postgres::new(&self.store).shown()
            );
        }
        let url = self.public_url.trim_end_matches('/').to_owned();
        if !url.is_empty() {
            let parsed: http::Uri = url.parse().with_context(|| bad_url(&url))?;
            if !matches!(parsed.scheme_str(), Some("http" | "https"))
                || parsed.authority().is_none()
                || parsed.path() != "/"
            {
                bail!(bad_url(&url));
            }
        }
        self.public_url = url;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !(1..=16).contains(&self.region.len()) || !self.region.bytes().all(plain) {
            bail!(
                "region = {:?} is none; write 1 to 16 small letters and digits, such as \"na1\"",
                self.region
            );
        }
        // The demo is for trying things out, and for tests that send more than a person does.
        self.limits.enabled &= !self.demo;
        if self.demo {
            self.outbound.allow_near();
        }
        self.server.check()?;
        self.tls.check()?;
        self.limits.check()?;
        self.stream.check()?;
        self.writer.check()?;
        self.database.check()?;
        self.secrets.check()?;
        self.events.check()?;
        self.audit.check()?;
        self.webhooks.check()?;
        self.outbound.check()?;
        self.oidc.check()?;
        self.files.check()?;
        self.widget.check()?;
        self.log.check()?;
        Ok(self)
    }

    /// The database, where it is not the embedded one.
    pub fn postgres(&self) -> Option<Postgres> {
        let schemes = ["postgres://", "postgresql://"];
        schemes.iter().any(|scheme| self.store.starts_with(scheme)).then(|| Postgres {
            connections: self.database.connections,
            writers: self.database.writers,
            ..Postgres::new(&self.store)
        })
    }

    /// Where everything is kept, for people.
    pub fn place(&self) -> String {
        self.postgres().map_or_else(|| self.data_dir.display().to_string(), |at| at.shown())
    }

    /// The control socket: whoever may open it is the operator.
    pub fn socket(&self) -> PathBuf {
        self.data_dir.join("antiphon.sock")
    }
}

fn bad_url(url: &str) -> String {
    format!(
        "public_url = {url:?} is no base URL; write scheme and host only, such as \"https://inbox.example.org\""
    )
}

fn toml_keys() -> Vec<String> {
    DEFAULTS
        .lines()
        .filter_map(|line| {
            let name = line
                .split_once(" = ")
                .map(|(name, _)| name)
                .or_else(|| line.strip_prefix('[')?.strip_suffix(']'));
            name.filter(|name| !name.starts_with('#'))
        })
        .map(str::to_owned)
        .collect()
}

/// A figment error in one line: what is wrong, with which value, from where.
fn explained(error: &figment::Error) -> String {
    let first = error.clone().into_iter().next().unwrap_or_else(|| error.clone());
    let path = first.path.join(".");
    let whence = first.metadata.as_ref().map(|m| match &m.source {
        Some(source) => format!(" (in {source})"),
        None => format!(" (in {})", m.name),
    });
    let name = if path.is_empty() { String::new() } else { format!("{path}: ") };
    format!("{name}{}{}", first.kind, whence.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        let dir = Path::new("/tmp/x");
        let config = Config::for_tests(dir).unwrap();
        assert_eq!(config.limits.per_ten_seconds, 190);
        assert_eq!(config.socket(), dir.join("antiphon.sock"));
    }

    #[test]
    fn every_key_is_known_to_the_environment() {
        let keys = toml_keys();
        for key in ["listen", "data_dir", "limits", "per_day", "log"] {
            assert!(keys.iter().any(|k| k == key), "{key}");
        }
    }

    #[test]
    #[expect(clippy::result_large_err, reason = "figment's own error, and a test may be slow to fail")]
    fn layers_and_errors() {
        figment::Jail::expect_with(|jail| {
            jail.create_file("antiphon.toml", "listen = \"1.2.3.4:5\"\n[limits]\nper_day = 7\n")?;
            jail.set_env("ANTIPHON_LIMITS__PER_TEN_SECONDS", "5");
            jail.set_env("ANTIPHON_SERVICE_HOST", "10.1.1.1");
            let flags = Flags { listen: Some("0.0.0.0:9".into()), ..Flags::default() };
            let config = Config::load(&flags).unwrap();
            assert_eq!(config.listen, "0.0.0.0:9");
            assert_eq!((config.limits.per_day, config.limits.per_ten_seconds), (7, 5));

            jail.create_file("antiphon.toml", "[limits]\nper_dya = 7\n")?;
            let error = Config::load(&flags).unwrap_err().to_string();
            assert!(error.contains("per_dya") && error.contains("antiphon.toml"), "{error}");

            jail.create_file("antiphon.toml", "store = \"mysql://me:secret@host/db\"\n")?;
            let error = Config::load(&flags).unwrap_err().to_string();
            assert!(error.contains("sqlite:") && !error.contains("secret"), "{error}");

            jail.create_file(
                "antiphon.toml",
                "store = \"postgres://me:secret@host/db\"\n[database]\nwriters = 2\n",
            )?;
            jail.set_env("ANTIPHON_DATABASE__CONNECTIONS", "9");
            let config = Config::load(&flags).unwrap();
            let at = config.postgres().unwrap();
            assert_eq!((at.connections, at.writers), (9, 2));
            assert_eq!(
                (at.url.as_str(), config.place()),
                ("postgres://me:secret@host/db", "postgres://me@host/db".into())
            );
            jail.set_env("ANTIPHON_STORE", "postgresql:///other");
            assert_eq!(Config::load(&flags).unwrap().place(), "postgresql:///other");
            jail.set_env("ANTIPHON_DATABASE__WRITERS", "0");
            assert!(Config::load(&flags).unwrap_err().to_string().contains("database.writers"));
            jail.set_env("ANTIPHON_DATABASE__WRITERS", "2");
            for (region, fine) in
                [("eu1", true), ("EU", false), ("e-u", false), ("''", false), ("x1234567890123456", false)]
            {
                jail.set_env("ANTIPHON_REGION", region);
                assert_eq!(Config::load(&flags).is_ok(), fine, "{region}");
            }
            jail.set_env("ANTIPHON_REGION", "na1");

            jail.set_env("ANTIPHON_OUTBOUND__ALLOW", r#"["10.0.0.0/8", "bot.internal"]"#);
            let outbound = Config::load(&flags).unwrap().outbound;
            let near: std::net::IpAddr = "10.1.2.3".parse().unwrap();
            assert!(
                outbound.allows("other", near) && outbound.allows("bot.internal", [192, 168, 1, 1].into())
            );
            assert!(!outbound.http && !outbound.allows("other", [127, 0, 0, 1].into()));
            jail.set_env("ANTIPHON_OUTBOUND__ALLOW", r#"["10.0.0.0/99"]"#);
            let error = Config::load(&flags).unwrap_err().to_string();
            assert!(error.contains("outbound.allow") && error.contains("10.0.0.0/99"), "{error}");
            Ok(())
        });
    }
}
