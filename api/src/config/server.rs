//! `[server]`, `[database]`, `[files]`, `[telemetry]`, `[testing]`: where we listen, keep and tell.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use debt_core::crash::Point;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::section::Section;
use super::value::{self, Read};

/// Most threads or connections that anybody needs; a larger number is a slip of the finger.
const MOST: u32 = 1024;

/// Where we listen.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The address of the interface.
    pub listen: SocketAddr,
    /// The address of `/metrics` and health; none when not asked for.
    pub internal_listen: Option<SocketAddr>,
    /// How clients call us, without a slash at the end; it stands in links and in the types of problems.
    pub public_url: Url,
    /// Whose pages may call us from a browser, as a browser writes them.
    pub cors_origins: Vec<String>,
    /// Whether Swagger UI is served.
    pub docs: bool,
    /// Threads of the HTTP side; one a core when not said.
    pub workers: Option<NonZero<u32>>,
}

impl ServerSettings {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let listen = section.or("listen", SocketAddr::from(([127, 0, 0, 1], 8080)), value::socket);
        let internal_listen = section.optional("internal_listen", value::socket);
        if internal_listen == Some(listen) && listen.port() != 0 {
            section.wrong("internal_listen", "must differ from server.listen");
        }
        let public_url = section
            .optional("public_url", value::web_address)
            .or_else(|| Url::parse(&format!("http://{listen}")).ok());
        let settings = public_url.map(|public_url| Self {
            listen,
            internal_listen,
            public_url,
            cors_origins: section.or("cors_origins", Vec::new(), value::list(browser_origin)),
            docs: section.or("docs", true, value::switch),
            workers: section.optional("workers", value::count(MOST)),
        });
        section.finish();
        settings
    }

    /// The public address with a path behind it.
    #[must_use]
    pub fn public(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// An origin as browsers write it: scheme, host, perhaps a port. `*` would let every page use a token it got hold of.
fn browser_origin(node: &super::tree::Node) -> Read<String> {
    let url = value::web_address(node)?;
    match url.path() {
        "/" => Ok(url.origin().ascii_serialization()),
        _ => Err("must be scheme, host and port alone, such as \"https://billing.example.ru\"".to_owned()),
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// Which one and where.
    pub url: DatabaseUrl,
    /// Most connections at once; when not said, what suits the kind of database.
    pub pool: Option<NonZero<u32>>,
}

/// The two kinds of database.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// The address of PostgreSQL, which may hold a password.
    Postgres(SecretString),
}

impl DatabaseSettings {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let base = section.base("url");
        let given = section.secret("url", "url_file");
        let text = match given.map(|secret| secret.read()) {
            None => Some(SecretString::from("sqlite://debtgate.db")),
            Some(Ok(text)) => Some(text),
            Some(Err(error)) => {
                section.wrong("url_file", format!("{error}: {}", error.source));
                None
            }
        };
        let url = text.and_then(|text| match database_url(&text, base) {
            Ok(url) => Some(url),
            Err(text) => {
                section.wrong("url", text);
                None
            }
        });
        let pool = section.optional("pool", value::count(MOST));
        section.finish();
        Some(Self { url: url?, pool })
    }
}

fn database_url(text: &SecretString, base: &Path) -> Read<DatabaseUrl> {
    let text = text.expose_secret();
    if let Some(path) = text.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
        return Ok(DatabaseUrl::Sqlite(base.join(path)));
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => {
            Ok(DatabaseUrl::Postgres(text.into()))
        }
        Ok(_) | Err(_) => Err("allowed: sqlite:///path/debtgate.db or postgres://user@host/db".to_owned()),
    }
}

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesUrl {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of S3 with a prefix, `s3://bucket/prefix`; address and keys come from the `AWS_…` variables.
    S3(Url),
}

impl FilesUrl {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let base = section.base("url");
        let url = section.or("url", Self::Folder(base.join("files")), |node| {
            let text = value::text(node)?;
            if let Some(path) = text.strip_prefix("file://").filter(|path| !path.is_empty()) {
                return Ok(Self::Folder(base.join(path)));
            }
            match Url::parse(&text) {
                Ok(url) if url.scheme() == "s3" && url.has_host() && url.username().is_empty() => {
                    Ok(Self::S3(url))
                }
                Ok(_) | Err(_) => Err("allowed: file:///folder or s3://bucket/prefix".to_owned()),
            }
        });
        section.finish();
        Some(url)
    }
}

/// What we tell about ourselves.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// Where traces go, an OTLP endpoint over HTTP.
    pub otlp_endpoint: Option<Url>,
    /// How the log looks.
    pub log: LogFormat,
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl TelemetrySettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let settings = Self {
            otlp_endpoint: section.optional("otlp_endpoint", value::web_address),
            log: section.or("log", LogFormat::Text, value::one_of(&formats)),
        };
        section.finish();
        settings
    }
}

/// For tests of clients and our own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestingSettings {
    /// A clock that stands at this time and moves when told to; jobs run when told to.
    pub clock: Option<DateTime<Utc>>,
    /// Where the process dies.
    pub crash_at: Option<Point>,
}

impl TestingSettings {
    /// Whoever reaches the server could move such a clock or stop it by a post, so it must be reached from this machine
    /// alone.
    pub(super) fn read(mut section: Section<'_>, server: Option<&ServerSettings>) -> Self {
        let clock = section.optional("clock", value::parsed("a time such as \"2026-11-02T06:15:00Z\""));
        let points: Vec<_> = Point::ALL.iter().map(|point| (point.as_str(), *point)).collect();
        let crash_at = section.optional("crash_at", value::one_of(&points));
        let local = server.is_none_or(|server| {
            let internal = server.internal_listen.is_none_or(|address| address.ip().is_loopback());
            internal && server.listen.ip().is_loopback()
        });
        for (key, set) in [("clock", clock.is_some()), ("crash_at", crash_at.is_some())] {
            if set && !local {
                let text =
                    "allowed only while server.listen and server.internal_listen are loopback addresses";
                section.wrong(key, text);
            }
        }
        section.finish();
        Self { clock, crash_at }
    }
}
