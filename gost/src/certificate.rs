//! X.509 certificates of signers: what an XAdES signature must say about them, and their public keys.
//!
//! `gis-client` and `gis-sim` read the issuer and the serial number from here and verify signatures with the
//! key. Chains and revocation are not checked: GIS trusts the certificates registered for an organisation, and
//! the tunnel checks the server's. Only GOST R 34.10-2012 keys with 256 bits are taken.

mod name;
mod self_signed;

use chrono::{DateTime, Utc};
use der::Decode;
use der::asn1::{AnyRef, OctetStringRef};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::time::Time;

use crate::keyfile::algorithm::{UnsupportedKey, parameter_set};
use crate::keyfile::pem;
use crate::{KeyError, PrivateKey, PublicKey};

/// Longer serial numbers are refused; RFC 5280 §4.1.2.2 allows 20 octets, but some issuers write more.
const MAX_SERIAL: usize = 64;

/// Why a certificate cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not X.509 in PEM or DER.
    #[error(
        "there is no X.509 certificate in PEM or DER here; give the .cer, .crt or .pem file of the signer"
    )]
    NotACertificate,
    /// The key of the certificate is of another algorithm or on another curve.
    #[error("the certificate {0}")]
    UnsupportedKey(UnsupportedKey),
    /// The public key is no point of its curve.
    #[error("the certificate has a damaged public key ({0}); copy the file again")]
    PublicKey(KeyError),
    /// The serial number has more than 64 octets.
    #[error("the certificate has a serial number of more than 64 octets; ask its issuer for another")]
    SerialNumber,
    /// The time of validity has not begun.
    #[error("the certificate is not valid before {0}; check the clock of this machine or wait")]
    NotYetValid(DateTime<Utc>),
    /// The time of validity is over.
    #[error("the certificate expired on {0}; get a new certificate and register it with GIS ZhKH")]
    Expired(DateTime<Utc>),
    /// The certificate was issued for another key.
    #[error(
        "the certificate does not belong to this private key; give the certificate that was issued for it"
    )]
    OtherKey,
    /// A certificate cannot be made: dates outside of 1970 to 9999, or the wrong way round.
    #[error(
        "a certificate cannot be valid for such a period; give dates from 1970 to 9999, the earlier first"
    )]
    Period,
    /// A certificate cannot be made: its structure does not encode.
    #[error("the certificate cannot be encoded ({0}); give a shorter name")]
    Encoding(der::Error),
    /// A certificate cannot be made: the key does not sign.
    #[error("the certificate cannot be signed: {0}")]
    Signing(KeyError),
}

/// A certificate with a GOST R 34.10-2012 key of 256 bits.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    public_key: PublicKey,
    issuer_name: String,
    subject_name: String,
    serial_decimal: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

/// The subject may be a person and is not shown.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("serial", &self.serial_decimal)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// [`CertificateError`], also when octets follow the certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate =
            CertificateInner::<Raw>::from_der(der).map_err(|_malformed| CertificateError::NotACertificate)?;
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        Ok(Self {
            der: der.to_vec(),
            public_key: public_key(certificate.subject_public_key_info())?,
            issuer_name: name::text(certificate.issuer()),
            subject_name: name::text(certificate.subject()),
            serial_decimal: decimal(certificate.serial_number().as_bytes())?,
            not_before: moment(validity.not_before)?,
            not_after: moment(validity.not_after)?,
        })
    }

    /// Reads a certificate in DER, or the first `CERTIFICATE` block of a PEM text.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pem_or_der(octets: &[u8]) -> Result<Self, CertificateError> {
        match pem::first_block(octets, |label| label == b"CERTIFICATE") {
            Some(block) => Self::from_der(&block.content.ok_or(CertificateError::NotACertificate)?),
            None => Self::from_der(octets),
        }
    }

    /// The octets of the certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as a PEM text.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der).to_string()
    }

    /// The public key of the subject.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The issuer as GIS ZhKH writes and accepts it in `X509IssuerName`: last attribute first, commas without
    /// spaces, `cn`, `o`, `l`, `st`, `c` and `street` by name, everything else by its dotted identifier.
    pub fn issuer_name(&self) -> &str {
        &self.issuer_name
    }

    /// The subject in the same form.
    pub fn subject_name(&self) -> &str {
        &self.subject_name
    }

    /// The serial number as `X509SerialNumber` wants it.
    pub fn serial_decimal(&self) -> &str {
        &self.serial_decimal
    }

    /// The first moment of validity.
    pub fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// The last moment of validity.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    /// Checks the time of validity. Both ends belong to it (RFC 5280 §4.1.2.5).
    ///
    /// # Errors
    /// [`CertificateError::NotYetValid`] or [`CertificateError::Expired`].
    pub fn check_validity(&self, now: DateTime<Utc>) -> Result<(), CertificateError> {
        if now < self.not_before {
            Err(CertificateError::NotYetValid(self.not_before))
        } else if now > self.not_after {
            Err(CertificateError::Expired(self.not_after))
        } else {
            Ok(())
        }
    }

    /// Checks that the certificate was issued for this key.
    ///
    /// # Errors
    /// [`CertificateError::OtherKey`].
    pub fn check_key(&self, key: &PublicKey) -> Result<(), CertificateError> {
        if self.public_key == *key { Ok(()) } else { Err(CertificateError::OtherKey) }
    }

    /// Makes a certificate that signs itself, for simulators, demonstrations and tests: a random serial number,
    /// the common name alone as subject and issuer.
    ///
    /// # Errors
    /// [`CertificateError::Period`], [`CertificateError::Encoding`] or [`CertificateError::Signing`].
    pub fn self_signed(
        key: &PrivateKey,
        common_name: &str,
        not_before: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Self, CertificateError> {
        Self::from_der(&self_signed::der(key, common_name, not_before, not_after)?)
    }
}

/// RFC 9215 §4.3: the key is an OCTET STRING inside of the BIT STRING.
fn public_key(info: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, CertificateError> {
    let parameters = info.algorithm.parameters.as_ref().map(AnyRef::from);
    let set = parameter_set(&info.algorithm.oid, parameters).map_err(CertificateError::UnsupportedKey)?;
    let octets = <&OctetStringRef>::from_der(info.subject_public_key.raw_bytes())
        .map_err(|_malformed| CertificateError::NotACertificate)?;
    let octets = octets.as_bytes().try_into().map_err(|_wrong_length| CertificateError::NotACertificate)?;
    PublicKey::from_le_xy(set, octets).map_err(CertificateError::PublicKey)
}

fn moment(time: Time) -> Result<DateTime<Utc>, CertificateError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(CertificateError::NotACertificate)
}

/// A big-endian two's complement number in decimal digits.
fn decimal(octets: &[u8]) -> Result<String, CertificateError> {
    if octets.len() > MAX_SERIAL {
        return Err(CertificateError::SerialNumber);
    }
    let negative = octets.first().is_some_and(|first| *first >= 0x80);
    let mut digits = vec![0_u32];
    let mut multiply_and_add = |factor: u32, summand: u32| {
        let mut carry = summand;
        for digit in &mut digits {
            carry += *digit * factor;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    };
    for octet in octets {
        // The magnitude of a negative number is its complement plus one.
        multiply_and_add(256, u32::from(if negative { !octet } else { *octet }));
    }
    multiply_and_add(1, u32::from(negative));
    let sign = negative.then_some('-');
    Ok(sign.into_iter().chain(digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10))).collect())
}

#[cfg(test)]
mod tests;
