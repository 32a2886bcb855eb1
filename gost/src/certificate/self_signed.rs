//! Certificates for simulators, demonstrations and tests.

use std::time::Duration;

use chrono::{DateTime, Utc};
use der::asn1::{BitString, OctetString, SetOfVec};
use der::oid::ObjectIdentifier;
use der::{Any, Encode, Sequence, Tag};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use super::CertificateError;
use crate::hash::streebog256;
use crate::keyfile::algorithm;
use crate::{KeyError, PrivateKey, PublicKey};

/// `id-tc26-signwithdigest-gost3410-12-256` (RFC 9215).
const SIGNATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.3.2");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
/// `SEQUENCE { BOOLEAN TRUE }`: its own issuer, so it must be allowed to issue.
const IS_ISSUER: [u8; 5] = [0x30, 0x03, 0x01, 0x01, 0xff];

/// RFC 5280 `TBSCertificate`; the crate's own has private fields.
#[derive(Sequence)]
struct ToBeSigned {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: Version,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    public_key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Signed {
    content: ToBeSigned,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// The octets of a new certificate.
pub(super) fn der(
    key: &PrivateKey,
    common_name: &str,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
) -> Result<Vec<u8>, CertificateError> {
    if not_after < not_before {
        return Err(CertificateError::Period);
    }
    let validity = Validity::new(time(not_before)?, time(not_after)?);
    let serial = serial_number()?;
    let content = to_be_signed(&key.public_key(), common_name, validity, &serial)
        .map_err(CertificateError::Encoding)?;
    let digest = streebog256(&content.to_der().map_err(CertificateError::Encoding)?);
    let signature = key.sign(&digest).map_err(CertificateError::Signing)?;
    signed(content, signature.as_bytes()).map_err(CertificateError::Encoding)
}

fn to_be_signed(
    key: &PublicKey,
    common_name: &str,
    validity: Validity,
    serial: &[u8],
) -> der::Result<ToBeSigned> {
    let name = name(common_name)?;
    let octets = OctetString::new(key.to_le_xy())?.to_der()?;
    Ok(ToBeSigned {
        version: Version::V3,
        serial_number: SerialNumber::new(serial)?,
        signature: signature_algorithm(),
        issuer: name.clone(),
        validity,
        subject: name,
        public_key: SubjectPublicKeyInfoOwned {
            algorithm: algorithm::identifier(key.parameter_set())?,
            subject_public_key: BitString::from_bytes(&octets)?,
        },
        extensions: vec![Extension {
            extn_id: BASIC_CONSTRAINTS,
            critical: true,
            extn_value: OctetString::new(IS_ISSUER)?,
        }],
    })
}

fn signed(content: ToBeSigned, signature: &[u8]) -> der::Result<Vec<u8>> {
    let signature = BitString::from_bytes(signature)?;
    Signed { content, algorithm: signature_algorithm(), signature }.to_der()
}

fn signature_algorithm() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: SIGNATURE, parameters: None }
}

fn name(common_name: &str) -> der::Result<Name> {
    let value = Any::new(Tag::Utf8String, common_name.as_bytes())?;
    let mut values = SetOfVec::new();
    values.insert(AttributeTypeAndValue { oid: COMMON_NAME, value })?;
    let mut attributes = RdnSequence::default();
    attributes.push(RelativeDistinguishedName::from(values));
    Ok(Name::hazmat_from_rdn_sequence(attributes))
}

/// Positive and of full length (RFC 5280 §4.1.2.2).
fn serial_number() -> Result<[u8; 16], CertificateError> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|_unavailable| CertificateError::Signing(KeyError::NoRandomness))?;
    let [first, ..] = &mut octets;
    *first = *first & 0x7f | 0x40;
    Ok(octets)
}

fn time(moment: DateTime<Utc>) -> Result<Time, CertificateError> {
    let seconds = u64::try_from(moment.timestamp()).map_err(|_before_1970| CertificateError::Period)?;
    let moment = der::DateTime::from_unix_duration(Duration::from_secs(seconds))
        .map_err(|_after_9999| CertificateError::Period)?;
    Ok(Time::from(moment))
}
