//! The settings of the connection to GIS, checked before the first call.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::signature::CertificateDigest;

/// How GIS is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// `http://host:port` of the local GOST TLS tunnel, perhaps with a path before the service's own.
    pub base_url: String,
    /// The `Host` header, when the tunnel or GIS needs the real name instead of the tunnel's.
    pub host: Option<String>,
    /// HTTP Basic credentials; the test stands ask for them, production does not.
    pub basic: Option<BasicAuth>,
    /// The longest time of one call, from its start to the last byte of the reply.
    pub timeout: Duration,
    /// The longest time until the tunnel accepts a connection.
    pub connect_timeout: Duration,
    /// The longest reply in bytes, files aside; acknowledgements may have 1 MiB at most. The signature of a result
    /// beyond 16 MiB or 100 000 nodes of XML cannot be checked: [`VerifyReplies::Require`] refuses it.
    pub max_reply_bytes: u64,
    /// What to do about the signatures of finished results.
    pub verify_replies: VerifyReplies,
    /// The certificates that GIS signs its results with. While the list is empty, a signature by anybody's key is
    /// good, which shows damage but no forgery.
    pub reply_signers: Vec<CertificateDigest>,
    /// Whether HTTP 429 and 503 prove that a package of answers was not taken. A package with a Revoke in it
    /// counts as maybe sent all the same.
    pub busy_means_not_sent: bool,
}

impl HttpSettings {
    /// The usual settings for an address: 180 s a call, 10 s to connect, replies up to 64 MiB.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            host: None,
            basic: None,
            timeout: Duration::from_secs(180),
            connect_timeout: Duration::from_secs(10),
            max_reply_bytes: 64 * 1024 * 1024,
            verify_replies: VerifyReplies::default(),
            reply_signers: Vec::new(),
            busy_means_not_sent: true,
        }
    }

    /// The address without a slash at its end.
    pub(super) fn checked_address(&self) -> Result<String, InvalidSettings> {
        // First of all, before an error prints the address; without looking for the place, which a wrong address hides.
        if self.base_url.contains('@') {
            return Err(InvalidSettings::CredentialsInAddress);
        }
        let wrong = || InvalidSettings::Address { address: self.base_url.clone() };
        let url = Url::parse(&self.base_url).map_err(|source| InvalidSettings::NotAnAddress { source })?;
        match url.scheme() {
            "http" => {}
            "https" => return Err(InvalidSettings::Https),
            _ => return Err(wrong()),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    pub(super) fn checked_host(&self) -> Result<Option<HeaderValue>, InvalidSettings> {
        let Some(host) = &self.host else { return Ok(None) };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        match HeaderValue::from_str(host) {
            Ok(value) if !host.is_empty() && host.bytes().all(plain) => Ok(Some(value)),
            Ok(_) | Err(_) => Err(InvalidSettings::Host),
        }
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address that nobody has checked yet may hold a password.
        let address = if self.base_url.contains('@') { "***" } else { &self.base_url };
        formatter
            .debug_struct("HttpSettings")
            .field("base_url", &address)
            .field("host", &self.host)
            .field("timeout", &self.timeout)
            .field("verify_replies", &self.verify_replies)
            .finish_non_exhaustive()
    }
}

/// A user name and a password for HTTP Basic. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BasicAuth(***)")
    }
}

/// What to do about the signature that GIS puts on a finished result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerifyReplies {
    /// It is not looked at.
    Off,
    /// A signature that is absent, does not verify or is not by one of [`HttpSettings::reply_signers`] is logged, and
    /// the result counts.
    #[default]
    Warn,
    /// A result without a signature that verifies and is by one of [`HttpSettings::reply_signers`] does not count.
    Require,
}

/// Why no connection can be made with these settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// The address is no URL.
    #[error("gis.base_url is not an address; http://host:port of the GOST TLS tunnel is needed")]
    NotAnAddress {
        /// What is wrong with it.
        source: <Url as std::str::FromStr>::Err,
    },
    /// The address has another scheme, a query or a fragment.
    #[error("gis.base_url {address:?} is not http://host:port of the GOST TLS tunnel")]
    Address {
        /// The address.
        address: String,
    },
    /// The address asks for TLS.
    #[error(
        "gis.base_url begins with https, but GIS speaks GOST TLS only and so do no ordinary libraries; start a \
         local GOST TLS tunnel (stunnel) and give its http address"
    )]
    Https,
    /// The address holds an `@`, which stands behind a user name.
    #[error("gis.base_url holds a user name or a password; give them in gis.basic")]
    CredentialsInAddress,
    /// The `Host` header cannot be sent.
    #[error("gis.host is not a host name with an optional port")]
    Host,
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    Client {
        /// What the client said.
        source: reqwest::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(base_url: &str) -> Result<String, InvalidSettings> {
        HttpSettings::new(base_url).checked_address()
    }

    #[test]
    fn the_address_of_a_tunnel_is_taken() {
        for (given, used) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
            ("http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
            ("http://tunnel/gis/", "http://tunnel/gis"),
            ("http://[::1]:8081", "http://[::1]:8081"),
        ] {
            assert_eq!(address(given).unwrap(), used);
        }
    }

    #[test]
    fn other_addresses_are_refused_with_a_reason() {
        assert!(matches!(address("https://api.dom.gosuslugi.ru"), Err(InvalidSettings::Https)));
        assert!(matches!(address("127.0.0.1:8081"), Err(InvalidSettings::NotAnAddress { .. })));
        assert!(matches!(address("ftp://tunnel"), Err(InvalidSettings::Address { .. })));
        assert!(matches!(address("http://tunnel/?a=b"), Err(InvalidSettings::Address { .. })));
        for with_secret in [
            "http://user:secret@tunnel",
            "ftp://user:secret@tunnel",
            "http://user:secret@tunnel/?a=b",
            "user:secret@tunnel:8081",
            "http://user:secret@tun nel",
        ] {
            assert!(
                matches!(address(with_secret), Err(InvalidSettings::CredentialsInAddress)),
                "{with_secret}"
            );
            assert!(!format!("{:?}", HttpSettings::new(with_secret)).contains("secret"), "{with_secret}");
        }
        assert!(address("https://tunnel").unwrap_err().to_string().contains("tunnel (stunnel)"));
    }

    #[test]
    fn the_host_header_is_a_host_name() {
        let host = |name: &str| {
            HttpSettings { host: Some(name.to_owned()), ..HttpSettings::new("http://x") }.checked_host()
        };
        assert_eq!(host("api.dom.gosuslugi.ru:443").unwrap().unwrap(), "api.dom.gosuslugi.ru:443");
        for name in ["", "a b", "a\r\nX: y", "http://a/", "дом.рф"] {
            assert!(matches!(host(name), Err(InvalidSettings::Host)), "{name:?}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let basic = BasicAuth { user: "somebody".to_owned(), password: "secret".to_owned() };
        let settings = HttpSettings { basic: Some(basic), ..HttpSettings::new("http://x") };
        let text = format!("{settings:?}");
        assert!(!text.contains("somebody") && !text.contains("secret"));
    }
}
