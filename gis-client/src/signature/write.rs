//! Makes the signature of an outgoing message.
//!
//! The message is in canonical form already, so its bytes are hashed as they stand. `SignedInfo` and
//! `SignedProperties` are written twice by the same functions: once on their own, as canonicalization sees them, to
//! be hashed, and once in their place in the message.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gost::hash::streebog256;

use super::{ENVELOPED, EXCLUSIVE, GOST_2012_256, SIGNED_ID, SIGNED_PROPERTIES, STREEBOG_256};
use crate::envelope::{Header, date_time};
use crate::signer::{Signer, SignerError};
use crate::text::is_xml_character;
use crate::xml::Namespace::{Base, Drs, Ds, Xades};
use crate::xml::{Attribute, Writer};

/// A message that has all but its signature.
pub(crate) struct Unsigned {
    /// The message.
    pub(crate) document: String,
    /// The signed element in it, in canonical form.
    pub(crate) signed: Range<usize>,
    /// Where the signature belongs: behind the start tag of the signed element.
    pub(crate) signature_at: usize,
}

/// Signs a message.
pub(crate) async fn sign(
    message: Unsigned,
    header: &Header,
    signer: &dyn Signer,
) -> Result<String, SignerError> {
    let Unsigned { mut document, signed, signature_at } = message;
    let content = document.as_bytes().get(signed).unwrap_or_default();
    let mut signature = Signature {
        id: format!("xmldsig-{}", header.message),
        signing_time: date_time(header.sent_at),
        certificate: signer.certificate(),
        content_digest: digest(content),
        properties_digest: String::new(),
        value: String::new(),
    };
    signature.properties_digest = digest(alone(|writer| signature.write_properties(writer)).as_bytes());
    let signed_info = alone(|writer| signature.write_signed_info(writer));
    let value = signer.sign(&streebog256(signed_info.as_bytes())).await?;
    signature.value = STANDARD.encode(value.as_bytes());

    let mut writer = Writer::inside(&[Base, Drs]);
    signature.write(&mut writer);
    document.insert_str(signature_at, &writer.finish());
    Ok(document)
}

fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(streebog256(bytes))
}

/// An element as canonicalization sees it when it is the one that is signed.
fn alone(write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.finish()
}

struct Signature<'a> {
    /// The MessageGUID makes it unique: it is new for every message.
    id: String,
    signing_time: String,
    certificate: &'a gost::Certificate,
    content_digest: String,
    properties_digest: String,
    value: String,
}

impl Signature<'_> {
    fn properties_id(&self) -> String {
        format!("{}-signedprops", self.id)
    }

    fn write(&self, writer: &mut Writer) {
        writer.element_with(Ds, "Signature", &[Attribute::plain("Id", &self.id)], |writer| {
            self.write_signed_info(writer);
            writer.text(Ds, "SignatureValue", &self.value);
            writer.element(Ds, "KeyInfo", |writer| {
                writer.element(Ds, "X509Data", |writer| {
                    writer.text(Ds, "X509Certificate", &STANDARD.encode(self.certificate.der()));
                });
            });
            writer.element(Ds, "Object", |writer| {
                let target = format!("#{}", self.id);
                let target = [Attribute::plain("Target", &target)];
                writer.element_with(Xades, "QualifyingProperties", &target, |writer| {
                    self.write_properties(writer)
                });
            });
        });
    }

    fn write_signed_info(&self, writer: &mut Writer) {
        writer.element(Ds, "SignedInfo", |writer| {
            write_algorithm(writer, "CanonicalizationMethod", EXCLUSIVE);
            write_algorithm(writer, "SignatureMethod", GOST_2012_256);
            let content = format!("#{SIGNED_ID}");
            let content = [Attribute::plain("URI", &content)];
            write_reference(writer, &content, &[ENVELOPED, EXCLUSIVE], &self.content_digest);
            let properties = format!("#{}", self.properties_id());
            let properties =
                [Attribute::plain("URI", &properties), Attribute::plain("Type", SIGNED_PROPERTIES)];
            write_reference(writer, &properties, &[EXCLUSIVE], &self.properties_digest);
        });
    }

    fn write_properties(&self, writer: &mut Writer) {
        let id = self.properties_id();
        writer.element_with(Xades, "SignedProperties", &[Attribute::plain("Id", &id)], |writer| {
            writer.element(Xades, "SignedSignatureProperties", |writer| {
                writer.text(Xades, "SigningTime", &self.signing_time);
                writer.element(Xades, "SigningCertificate", |writer| {
                    writer.element(Xades, "Cert", |writer| self.write_certificate(writer));
                });
            });
        });
    }

    fn write_certificate(&self, writer: &mut Writer) {
        writer.element(Xades, "CertDigest", |writer| {
            write_algorithm(writer, "DigestMethod", STREEBOG_256);
            writer.text(Ds, "DigestValue", &digest(self.certificate.der()));
        });
        writer.element(Xades, "IssuerSerial", |writer| {
            writer.text(Ds, "X509IssuerName", &writable(self.certificate.issuer_name()));
            writer.text(Ds, "X509SerialNumber", self.certificate.serial_decimal());
        });
    }
}

fn write_algorithm(writer: &mut Writer, name: &str, algorithm: &str) {
    writer.element_with(Ds, name, &[Attribute::plain("Algorithm", algorithm)], |_| {});
}

fn write_reference(writer: &mut Writer, target: &[Attribute<'_>], transforms: &[&str], digest: &str) {
    writer.element_with(Ds, "Reference", target, |writer| {
        writer.element(Ds, "Transforms", |writer| {
            transforms.iter().for_each(|transform| write_algorithm(writer, "Transform", transform));
        });
        write_algorithm(writer, "DigestMethod", STREEBOG_256);
        writer.text(Ds, "DigestValue", digest);
    });
}

/// A name of a certificate may hold characters that XML cannot carry. The digest identifies the certificate, so the
/// name may stand with replacements.
fn writable(name: &str) -> String {
    name.chars().map(|character| if is_xml_character(character) { character } else { '\u{fffd}' }).collect()
}
