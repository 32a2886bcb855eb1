//! Where the database is, read from a URL into types that cannot be wrong. The URL may hold a password: it is not kept
//! and shown nowhere.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use url::Url;

use crate::store::error::OpenError;

/// Enough for readers while somebody writes; every SQLite connection costs up to 2 MB of cache.
const LITE_POOL: usize = 4;
const PG_POOL: usize = 8;

/// Where the database is and how many connections may be open.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    pub(super) place: Place,
    pub(super) pool_size: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    Lite(LitePath),
    Pg(Box<PgPlace>),
}

/// The path of the file.
#[derive(Debug, Clone)]
pub(super) struct LitePath(String);

impl LitePath {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone)]
pub(super) struct PgPlace {
    pub(super) config: Config,
    pub(super) tls: Tls,
}

/// How far the server's certificate is believed; the meanings of libpq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    /// No TLS.
    Off,
    /// TLS with whatever certificate the server shows: keeps out those who listen, not those who stand between.
    Unverified,
    /// The certificate must be the host's, by the usual authorities or by those of a PEM file.
    Verified {
        /// A PEM file.
        roots: Option<PathBuf>,
    },
}

impl DatabaseSettings {
    /// Reads `sqlite:///path`, `sqlite://relative.db` or `postgres://user@host/db?sslmode=…&sslrootcert=…`.
    ///
    /// # Errors
    /// The URL is none of these.
    pub fn parse(url: &str, pool_size: Option<NonZeroUsize>) -> Result<Self, OpenError> {
        let place = match url.strip_prefix("sqlite://") {
            Some("") => return Err(OpenError::Url("sqlite:// needs a path".to_owned())),
            Some(path) => Place::Lite(LitePath(path.to_owned())),
            None => Place::Pg(Box::new(postgres(url)?)),
        };
        let usual = match &place {
            Place::Lite(_) => LITE_POOL,
            Place::Pg(_) => PG_POOL,
        };
        Ok(Self { place, pool_size: pool_size.map_or(usual, NonZeroUsize::get) })
    }

    /// Whether this is SQLite: one process, all roles.
    #[must_use]
    pub const fn is_embedded(&self) -> bool {
        matches!(self.place, Place::Lite(_))
    }
}

/// tokio-postgres knows neither `verify-full` nor `sslrootcert`: they are taken out of the URL.
fn postgres(url: &str) -> Result<PgPlace, OpenError> {
    let mut url = Url::parse(url).map_err(|error| OpenError::Url(error.to_string()))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(OpenError::Url(format!("{}:// is neither sqlite:// nor postgres://", url.scheme())));
    }
    let mut mode = "prefer".to_owned();
    let mut roots = None;
    let mut rest = Vec::new();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "sslmode" => mode = value.into_owned(),
            "sslrootcert" => roots = Some(PathBuf::from(value.into_owned())),
            _ => rest.push((name.into_owned(), value.into_owned())),
        }
    }
    url.set_query(None);
    if !rest.is_empty() {
        url.query_pairs_mut().extend_pairs(rest);
    }
    let mut config: Config = url.as_str().parse().map_err(|error: tokio_postgres::Error| {
        OpenError::Url(
            std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        )
    })?;
    let (ssl_mode, tls) = tls(&mode, roots)?;
    config
        .ssl_mode(ssl_mode)
        .application_name("debtgate")
        .connect_timeout(Duration::from_secs(5))
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(Duration::from_secs(30));
    Ok(PgPlace { config, tls })
}

fn tls(mode: &str, roots: Option<PathBuf>) -> Result<(SslMode, Tls), OpenError> {
    match (mode, roots) {
        ("disable", _) => Ok((SslMode::Disable, Tls::Off)),
        ("prefer", _) => Ok((SslMode::Prefer, Tls::Unverified)),
        ("require", None) => Ok((SslMode::Require, Tls::Unverified)),
        ("require" | "verify-full", roots) => Ok((SslMode::Require, Tls::Verified { roots })),
        (other, _) => {
            Err(OpenError::Url(format!("sslmode={other} is none of disable, prefer, require, verify-full")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let file = |url: &str| match DatabaseSettings::parse(url, None).unwrap().place {
            Place::Lite(path) => path.as_str().to_owned(),
            Place::Pg(_) => panic!("{url} is SQLite"),
        };
        assert_eq!(file("sqlite:///var/lib/debtgate.db"), "/var/lib/debtgate.db");
        assert_eq!(file("sqlite://debtgate.db"), "debtgate.db");
        for wrong in [
            "sqlite://",
            "mysql://host/db",
            "debtgate.db",
            "postgres://host/db?sslmode=allow",
            "postgres://host/db?tea=1",
        ] {
            assert!(matches!(DatabaseSettings::parse(wrong, None), Err(OpenError::Url(_))), "{wrong}");
        }
    }

    #[test]
    fn tls_follows_libpq() {
        let ca = || Some(PathBuf::from("/ca.pem"));
        let cases = [
            ("", SslMode::Prefer, Tls::Unverified),
            ("?sslmode=disable", SslMode::Disable, Tls::Off),
            ("?sslmode=require&connect_timeout=3", SslMode::Require, Tls::Unverified),
            ("?sslmode=require&sslrootcert=/ca.pem", SslMode::Require, Tls::Verified { roots: ca() }),
            ("?sslmode=verify-full", SslMode::Require, Tls::Verified { roots: None }),
            ("?sslrootcert=/ca.pem&sslmode=verify-full", SslMode::Require, Tls::Verified { roots: ca() }),
        ];
        for (query, mode, tls) in cases {
            let place = postgres(&format!("postgres://user:secret@host:5433/db{query}")).unwrap();
            assert_eq!((place.config.get_ssl_mode(), place.tls), (mode, tls), "{query}");
            assert_eq!(place.config.get_ports(), [5433], "{query}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let settings = DatabaseSettings::parse("postgres://user:tea4two@host/db", None).unwrap();
        assert!(!format!("{settings:?}").contains("tea4two"));
        let error = DatabaseSettings::parse("postgres://user:tea4two@host/db?port=x", None).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("tea4two"));
    }
}
