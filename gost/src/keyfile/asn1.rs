//! The ASN.1 structures of key files: PKCS#8, PKCS#12 and PBES2, as far as this crate reads them.
//!
//! All of them borrow from the input, so that secrets are not copied. Fields that nobody needs are kept as
//! undecoded values; their content is not checked.

use der::asn1::{AnyRef, OctetStringRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Sequence};
use spki::AlgorithmIdentifierRef;

/// RFC 5958 `OneAsymmetricKey`.
#[derive(Sequence)]
pub(super) struct PrivateKeyInfo<'a> {
    pub(super) version: u8,
    pub(super) algorithm: AlgorithmIdentifierRef<'a>,
    pub(super) private_key: &'a OctetStringRef,
    /// `attributes` or, without them, the public key.
    pub(super) attributes: Option<AnyRef<'a>>,
    pub(super) public_key: Option<AnyRef<'a>>,
}

/// RFC 5958 `EncryptedPrivateKeyInfo`.
#[derive(Sequence)]
pub(super) struct EncryptedPrivateKeyInfo<'a> {
    pub(super) algorithm: AlgorithmIdentifierRef<'a>,
    pub(super) ciphertext: &'a OctetStringRef,
}

/// RFC 8018 `PBES2-params`.
#[derive(Sequence)]
pub(super) struct Pbes2Parameters<'a> {
    pub(super) key_derivation: AlgorithmIdentifierRef<'a>,
    pub(super) encryption: AlgorithmIdentifierRef<'a>,
}

/// RFC 8018 `PBKDF2-params`, with the salt given in place.
#[derive(Sequence)]
pub(super) struct Pbkdf2Parameters<'a> {
    pub(super) salt: &'a OctetStringRef,
    pub(super) iterations: u32,
    pub(super) key_length: Option<u16>,
    pub(super) prf: Option<AlgorithmIdentifierRef<'a>>,
}

/// RFC 4357 §10.2 `Gost28147-89-Parameters`.
#[derive(Sequence)]
pub(super) struct Gost28147Parameters<'a> {
    pub(super) iv: &'a OctetStringRef,
    pub(super) substitution_box: ObjectIdentifier,
}

/// RFC 7292 `pkcs-12PbeParams`, also the parameters of CryptoPro's own key protection.
#[derive(Sequence)]
pub(super) struct PbeParameters<'a> {
    pub(super) salt: &'a OctetStringRef,
    pub(super) iterations: u32,
}

/// RFC 7292 `PFX`.
#[derive(Sequence)]
pub(super) struct Pfx<'a> {
    pub(super) version: u8,
    pub(super) auth_safe: ContentInfo<'a>,
    pub(super) mac: Option<MacData<'a>>,
}

/// RFC 5652 `ContentInfo`.
#[derive(Sequence)]
pub(super) struct ContentInfo<'a> {
    pub(super) content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) content: Option<AnyRef<'a>>,
}

impl<'a> ContentInfo<'a> {
    /// The content read as a `T`.
    pub(super) fn content_as<T>(&self) -> der::Result<T>
    where
        T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
    {
        self.content.ok_or_else(|| der::Error::from(der::ErrorKind::Failed))?.decode_as()
    }
}

/// RFC 7292 `MacData`.
#[derive(Sequence)]
pub(super) struct MacData<'a> {
    pub(super) digest: DigestInfo<'a>,
    pub(super) salt: &'a OctetStringRef,
    pub(super) iterations: Option<u32>,
}

/// RFC 2315 `DigestInfo`.
#[derive(Sequence)]
pub(super) struct DigestInfo<'a> {
    pub(super) algorithm: AlgorithmIdentifierRef<'a>,
    pub(super) digest: &'a OctetStringRef,
}

/// RFC 5652 `EncryptedData`.
#[derive(Sequence)]
pub(super) struct EncryptedData<'a> {
    pub(super) version: u8,
    pub(super) content: EncryptedContentInfo<'a>,
    pub(super) attributes: Option<AnyRef<'a>>,
}

/// RFC 5652 `EncryptedContentInfo`.
#[derive(Sequence)]
pub(super) struct EncryptedContentInfo<'a> {
    pub(super) content_type: ObjectIdentifier,
    pub(super) algorithm: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    pub(super) ciphertext: &'a OctetStringRef,
}

/// RFC 7292 `SafeBag`.
#[derive(Sequence)]
pub(super) struct SafeBag<'a> {
    pub(super) id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) value: AnyRef<'a>,
    pub(super) attributes: Option<AnyRef<'a>>,
}

/// RFC 7292 `CertBag`.
#[derive(Sequence)]
pub(super) struct CertificateBag<'a> {
    pub(super) id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) value: &'a OctetStringRef,
}

/// Reads the parameters of an algorithm as a `T`.
pub(super) fn parameters<'a, T>(algorithm: &AlgorithmIdentifierRef<'a>) -> der::Result<T>
where
    T: der::Choice<'a> + der::DecodeValue<'a, Error = der::Error>,
{
    algorithm.parameters.ok_or_else(|| der::Error::from(der::ErrorKind::Failed))?.decode_as()
}

/// Reads a `SEQUENCE OF`, at most `limit` elements.
pub(super) fn sequence_of<'a, T: Decode<'a, Error = der::Error>>(
    octets: &'a [u8],
    limit: usize,
) -> der::Result<Vec<T>> {
    AnyRef::from_der(octets)?.sequence(|reader| {
        let mut elements = Vec::new();
        while !der::Reader::is_finished(reader) {
            if elements.len() == limit {
                return Err(der::ErrorKind::Overlength.into());
            }
            elements.push(T::decode(reader)?);
        }
        Ok(elements)
    })
}

/// Object identifiers of protection schemes and file parts.
pub(super) mod oid {
    use der::oid::ObjectIdentifier;

    const fn oid(dotted: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(dotted)
    }

    pub(in crate::keyfile) const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
    pub(in crate::keyfile) const ENCRYPTED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.6");
    pub(in crate::keyfile) const KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.1");
    pub(in crate::keyfile) const SHROUDED_KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.2");
    pub(in crate::keyfile) const CERTIFICATE_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.3");
    pub(in crate::keyfile) const X509_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.22.1");

    pub(in crate::keyfile) const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");
    pub(in crate::keyfile) const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
    /// `pbeWithSHAAnd40BitRC2-CBC`.
    pub(in crate::keyfile) const SHA1_RC2_40: ObjectIdentifier = oid("1.2.840.113549.1.12.1.6");
    /// CryptoPro's own, outside of any standard.
    pub(in crate::keyfile) const CRYPTOPRO_KEY: ObjectIdentifier = oid("1.2.840.113549.1.12.1.80");

    pub(in crate::keyfile) const GOST_28147: ObjectIdentifier = oid("1.2.643.2.2.21");
    pub(in crate::keyfile) const AES_128_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.2");
    pub(in crate::keyfile) const AES_192_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.22");
    pub(in crate::keyfile) const AES_256_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.42");
}
