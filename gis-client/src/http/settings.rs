//! The settings of the connection to GIS, checked before the first call.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

/// How GIS is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The longest reply in bytes, files aside.
    pub max_reply_bytes: u64,
    /// What to do about the signatures of finished results.
    pub verify_replies: VerifyReplies,
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
            busy_means_not_sent: true,
        }
    }

    /// The address without a slash at its end.
    pub(super) fn checked_address(&self) -> Result<String, InvalidSettings> {
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
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidSettings::CredentialsInAddress);
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
    /// A signature that is absent or does not verify is logged, and the result counts.
    #[default]
    Warn,
    /// A result without a signature that verifies does not count.
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
    /// The address holds a user name.
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
        assert!(matches!(address("http://user:secret@tunnel"), Err(InvalidSettings::CredentialsInAddress)));
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
