//! CryptoPro containers: the folder `xxxxxxxx.000` with six small files, as on USB sticks and passive tokens.
//!
//! The private key is kept multiplied by a mask, twice, under two masks. `header.key` names the curve, may hold
//! the certificate, and has the first octets of the public key: a key that does not lead to them is refused, so
//! a damaged copy cannot be taken for a good one. No document describes the format; open readers agree on it.

use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::{Decode, Encode, Reader, Sequence, Tag, Tagged};
use spki::AlgorithmIdentifierRef;

use super::algorithm::{UnsupportedKey, parameter_set};
use super::check_size;
use super::cipher::{Block, Cipher, SubstitutionBox};
use super::error::KeyFault;
use super::kdf::cryptopro_container_key;
use crate::{Certificate, ParameterSet, PrivateKey};

const TABLE: SubstitutionBox = SubstitutionBox::Tc26Z;
/// The bit of the key's flags that lets it leave the container.
const EXPORTABLE: usize = 0;

const DAMAGED_HEADER: KeyFault = KeyFault::Damaged("header.key");
const DAMAGED_KEY: KeyFault = KeyFault::Damaged("masks.key or primary.key, and the second copy of them");

/// The files of a container, by their names. An empty slice stands for a file that is not there.
#[derive(Clone, Copy, Default)]
pub struct ContainerFiles<'a> {
    /// `header.key`: flags, curve, certificate.
    pub header: &'a [u8],
    /// `masks.key`: the mask and the salt of the password.
    pub masks: &'a [u8],
    /// `primary.key`: the masked key, encrypted.
    pub primary: &'a [u8],
    /// `masks2.key`, of the second copy.
    pub masks2: &'a [u8],
    /// `primary2.key`, of the second copy.
    pub primary2: &'a [u8],
}

impl std::fmt::Debug for ContainerFiles<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ContainerFiles(***)")
    }
}

/// Opens a container: its key, and the certificate that belongs to it if there is one inside.
///
/// A container without a password takes the empty one.
///
/// # Errors
/// [`KeyFault`], among others for a key that is marked as not exportable.
pub fn parse_container(
    files: &ContainerFiles<'_>,
    password: &str,
) -> Result<(PrivateKey, Option<Certificate>), KeyFault> {
    let ContainerFiles { header, masks, primary, masks2, primary2 } = *files;
    [header, masks, primary, masks2, primary2].into_iter().try_for_each(check_size)?;
    let header = Header::parse(header)?;
    let copies = [(masks, primary), (masks2, primary2)];
    let key = copies
        .into_iter()
        .filter_map(|(masks, primary)| unmasked(masks, primary, header.set, password))
        .find(|key| header.leads_to(key))
        .ok_or_else(|| header.fault(&[masks, masks2], password))?;
    let public = key.public_key();
    let certificate = header.certificates.into_iter().find(|certificate| *certificate.public_key() == public);
    Ok((key, certificate))
}

/// The key of one copy; `None` if the copy is damaged or absent.
fn unmasked(masks: &[u8], primary: &[u8], set: ParameterSet, password: &str) -> Option<PrivateKey> {
    let masks = Masks::from_der(masks).ok()?;
    let primary = Primary::from_der(primary).ok()?;
    let mask = masks.mask.as_bytes().try_into().ok()?;
    let encrypted = primary.key.as_bytes().try_into().ok()?;
    let key = cryptopro_container_key(password, masks.salt.as_bytes());
    let masked = Cipher::new(&key, TABLE).decrypt_key(encrypted);
    PrivateKey::from_quotient(set, &masked, mask).ok()
}

#[derive(Sequence)]
struct Masks<'a> {
    mask: &'a OctetStringRef,
    salt: &'a OctetStringRef,
    mac: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Primary<'a> {
    key: &'a OctetStringRef,
}

/// `header.key`: the content, and a MAC of it under a key that everybody knows.
#[derive(Sequence)]
struct HeaderFile<'a> {
    content: AnyRef<'a>,
    mac: &'a OctetStringRef,
}

#[derive(Sequence)]
struct KeyAttributes<'a> {
    flags: BitStringRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    algorithm: AlgorithmIdentifierRef<'a>,
}

/// What is needed of the header's content.
struct Header<'a> {
    /// Whether the MAC of the content holds. It explains a failure and is no reason for one: a key that leads to
    /// the public key is the right one whatever a MAC says.
    intact: bool,
    set: ParameterSet,
    password_mac: Option<&'a [u8]>,
    public_start: &'a Block,
    certificates: Vec<Certificate>,
}

impl<'a> Header<'a> {
    fn parse(file: &'a [u8]) -> Result<Self, KeyFault> {
        let file = HeaderFile::from_der(file).map_err(|_malformed| DAMAGED_HEADER)?;
        let content = file.content.to_der().map_err(|_malformed| DAMAGED_HEADER)?;
        let intact = Cipher::new(&[0; 32], TABLE).verify_mac(&content, file.mac.as_bytes());
        Self::parse_content(file.content, intact).map_err(|fault| {
            // Containers of GOST R 34.10-2001 are older than this substitution box: their MAC says nothing.
            let of_2001 = matches!(fault, KeyFault::UnsupportedKey(UnsupportedKey::Gost2001));
            if intact || of_2001 { fault } else { DAMAGED_HEADER }
        })
    }

    /// Fields are told apart by their tags; unknown ones are passed over.
    fn parse_content(content: AnyRef<'a>, intact: bool) -> Result<Self, KeyFault> {
        let fields = fields(content).map_err(|_malformed| DAMAGED_HEADER)?;
        let attributes = fields.iter().find(|field| field.tag() == Tag::Sequence).ok_or(DAMAGED_HEADER)?;
        let attributes: KeyAttributes<'_> = attributes.decode_as().map_err(|_malformed| DAMAGED_HEADER)?;
        let set = parameter_set(&attributes.algorithm.oid, attributes.algorithm.parameters)?;
        if attributes.flags.get(EXPORTABLE) != Some(true) {
            return Err(KeyFault::NotExportable);
        }
        let tagged = |number| fields.iter().find(|field| is_tagged(field, number)).map(|field| field.value());
        Ok(Self {
            intact,
            set,
            password_mac: tagged(2),
            public_start: tagged(10).and_then(|x| x.try_into().ok()).ok_or(DAMAGED_HEADER)?,
            certificates: [5, 6]
                .into_iter()
                .filter_map(tagged)
                .filter_map(|der| Certificate::from_der(der).ok())
                .collect(),
        })
    }

    fn leads_to(&self, key: &PrivateKey) -> bool {
        key.public_key().to_le_xy().starts_with(self.public_start)
    }

    /// Why no copy gave the key.
    fn fault(&self, masks: &[&[u8]], password: &str) -> KeyFault {
        if !self.intact {
            return DAMAGED_HEADER;
        }
        let password_is_wrong = match self.password_mac {
            Some(mac) => {
                let key = cryptopro_container_key(password, self.public_start);
                !Cipher::new(&key, TABLE).verify_mac(&[0; 16], mac)
            }
            // Nothing but the password is left to blame when the masks are whole.
            None => masks.iter().filter(|masks| !masks.is_empty()).all(|masks| mask_is_intact(masks)),
        };
        if password_is_wrong { KeyFault::WrongPassword } else { DAMAGED_KEY }
    }
}

/// Whether the MAC of a mask, whose key is the mask itself, holds.
fn mask_is_intact(masks: &[u8]) -> bool {
    let Ok(masks) = Masks::from_der(masks) else { return false };
    let Ok(mask) = masks.mask.as_bytes().try_into() else { return false };
    Cipher::new(mask, TABLE).verify_mac(masks.salt.as_bytes(), masks.mac.as_bytes())
}

fn fields(content: AnyRef<'_>) -> der::Result<Vec<AnyRef<'_>>> {
    content.sequence(|reader| {
        let mut fields = Vec::new();
        while !reader.is_finished() {
            fields.push(AnyRef::decode(reader)?);
        }
        Ok(fields)
    })
}

fn is_tagged(field: &AnyRef<'_>, number: u32) -> bool {
    field.tag().is_context_specific() && field.tag().number().value() == number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An invented key under the password `test`.
    const MASKS: &str = "30360420274aad6cb6dd210faf94acd3cf92c190237cb11f5d108cf25930263938b370a1040cb5769fa0f1483f95a90d\
         9df20404469610ba";
    const PRIMARY: &str = "30220420bdf5119f62d8d6067a3c54ed100082f3874631f343da3cb9b215d32ef58382da";
    const KEY: &str = "a46f8291b221fb007e5143d215c6279d3196018c426a6e5952b593a91c952ac9";

    #[test]
    fn a_key_is_decrypted_and_unmasked() {
        let (masks, primary) = (hex::decode(MASKS).unwrap(), hex::decode(PRIMARY).unwrap());
        let read = |password| {
            let key = unmasked(&masks, &primary, ParameterSet::CryptoProXchA, password)?;
            Some(hex::encode(key.to_le_octets().as_slice()))
        };
        assert_eq!(read("test").as_deref(), Some(KEY));
        assert_ne!(read("").as_deref(), Some(KEY));
    }

    /// A header under a wrong MAC, with nothing but the algorithm of its key.
    fn refusal_of(algorithm: &str) -> KeyFault {
        let attributes = KeyAttributes {
            flags: BitStringRef::from_bytes(&[0]).unwrap(),
            algorithm: AlgorithmIdentifierRef { oid: algorithm.parse().unwrap(), parameters: None },
        };
        let attributes = attributes.to_der().unwrap();
        let content = [AnyRef::from_der(&attributes).unwrap()].to_der().unwrap();
        let mac = OctetStringRef::new(&[0; 4]).unwrap();
        let header = HeaderFile { content: AnyRef::from_der(&content).unwrap(), mac }.to_der().unwrap();
        parse_container(&ContainerFiles { header: &header, ..ContainerFiles::default() }, "").unwrap_err()
    }

    #[test]
    fn a_container_of_gost_2001_is_refused_by_name_whatever_its_mac() {
        let fault = refusal_of("1.2.643.2.2.98");
        assert!(matches!(fault, KeyFault::UnsupportedKey(UnsupportedKey::Gost2001)), "{fault}");
        for other in ["1.2.643.7.1.1.6.1", "1.2.643.7.1.1.6.2", "1.2.643.2.2.99"] {
            assert!(matches!(refusal_of(other), KeyFault::Damaged("header.key")), "{other}");
        }
    }

    #[test]
    fn a_damaged_mask_is_noticed() {
        let masks = hex::decode(MASKS).unwrap();
        assert!(mask_is_intact(&masks));
        // The mask, the salt, the MAC.
        for place in [20, 40, masks.len() - 1] {
            let mut masks = masks.clone();
            masks[place] ^= 1;
            assert!(!mask_is_intact(&masks), "{place}");
        }
    }

    #[test]
    fn a_header_that_makes_no_sense_is_called_damaged() {
        for header in [&[][..], b"text", &[0x30, 0x00], &[0x30, 0x04, 0x30, 0x00, 0x04, 0x00]] {
            let files = ContainerFiles { header, ..ContainerFiles::default() };
            assert!(matches!(parse_container(&files, ""), Err(KeyFault::Damaged("header.key"))));
        }
    }
}
