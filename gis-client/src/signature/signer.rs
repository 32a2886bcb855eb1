//! Names a certificate by its digest, to say in the settings whose signatures count.

use std::fmt;
use std::str::FromStr;

use gost::Certificate;
use gost::hash::streebog256;

/// Streebog-256 of a certificate in DER, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateDigest([u8; 32]);

/// A text that is no digest of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits; give the Streebog-256 digest of the certificate in DER")]
pub struct InvalidCertificateDigest;

impl CertificateDigest {
    /// The digest of this certificate.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self(streebog256(certificate.der()))
    }
}

impl FromStr for CertificateDigest {
    type Err = InvalidCertificateDigest;

    fn from_str(text: &str) -> Result<Self, InvalidCertificateDigest> {
        let mut octets = [0; 32];
        match hex::decode_to_slice(text, &mut octets) {
            Ok(()) => Ok(Self(octets)),
            Err(_not_hexadecimal) => Err(InvalidCertificateDigest),
        }
    }
}

impl fmt::Display for CertificateDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CertificateDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_both_ways() {
        let text = "0123456789abcdef".repeat(4);
        assert_eq!(text.parse::<CertificateDigest>().unwrap().to_string(), text);
        for wrong in ["", "01", &text[1..], &format!("{text}00"), &"xy".repeat(32), &"ё".repeat(32)] {
            assert_eq!(wrong.parse::<CertificateDigest>(), Err(InvalidCertificateDigest), "{wrong:?}");
        }
    }
}
