use super::*;
use crate::keyfile::{UnsupportedKey, parse_pem_key, write_pkcs8_pem};
use der::oid::ObjectIdentifier;

/// R 50.1.112-2016 appendix A: a masked key and its mask, and the key itself.
const MASKED: &str = "461b46ef3acfed4914a0dc3c337d51b4c61b6922f5e9d3aa8b382a9514d23f48\
                      0e997551789a035603230523940a7ef351a42e6cadf05c3a1adfd7e496724806";
const KEY: &str = "5222ef9c5522b453eba66b00fd0007230850996a24418f5b64195db0a334ea2b";
const SET: ParameterSet = ParameterSet::CryptoProXchA;

fn octets(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).unwrap()
}

fn pkcs8(private: &[u8]) -> Vec<u8> {
    let algorithm = identifier(SET).unwrap();
    PrivateKeyInfo {
        version: 0,
        algorithm: spki::AlgorithmIdentifier {
            oid: algorithm.oid,
            parameters: algorithm.parameters.as_ref().map(AnyRef::from),
        },
        private_key: OctetStringRef::new(private).unwrap(),
        attributes: None,
        public_key: None,
    }
    .to_der()
    .unwrap()
}

#[test]
fn all_encodings_of_the_private_octets_give_the_same_key() {
    let raw = octets(KEY);
    let mut big_endian = raw.clone();
    big_endian.reverse();
    let cases = [
        ("raw", raw.clone()),
        ("octets in octets", [&[0x04, 0x20], raw.as_slice()].concat()),
        ("integer", [&[0x02, 0x20], big_endian.as_slice()].concat()),
        ("masked", octets(MASKED)),
        ("masked in octets", [&[0x04, 0x40], octets(MASKED).as_slice()].concat()),
        ("masked twice", [octets(MASKED), octets(&format!("01{}", "00".repeat(31)))].concat()),
    ];
    for (name, private) in cases {
        let key = parse_pem_key(&pkcs8(&private), None).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(key.to_le_octets().as_slice(), raw, "{name}");
    }
}

#[test]
fn short_and_long_integers_are_read_as_numbers() {
    let key = parse_pem_key(&pkcs8(&[0x02, 0x01, 0x07]), None).unwrap();
    assert_eq!(key.to_le_octets()[..2], [7, 0]);
    let too_long = [&[0x02, 0x22, 0x01][..], &[0; 33]].concat();
    assert!(matches!(parse_pem_key(&pkcs8(&too_long), None), Err(KeyFault::Damaged(_))));
}

#[test]
fn numbers_that_are_no_keys_are_refused() {
    let one = octets(&format!("01{}", "00".repeat(31)));
    let nine_numbers = one.repeat(9);
    for (private, out_of_range) in [
        (vec![0; 32], true),
        (vec![0xff; 32], true),
        (vec![0; 64], true),
        (vec![0x02, 0x01, 0x00], true),
        (vec![1; 31], false),
        (vec![0x04, 0x01, 0x07], false),
        (vec![], false),
        (nine_numbers, false),
    ] {
        let fault = parse_pem_key(&pkcs8(&private), None).unwrap_err();
        match out_of_range {
            true => assert!(matches!(fault, KeyFault::Key(crate::KeyError::OutOfRange)), "{fault}"),
            false => assert!(matches!(fault, KeyFault::Damaged(_)), "{fault}"),
        }
    }
}

#[test]
fn what_is_written_is_read_on_every_curve() {
    for set in ParameterSet::ALL {
        let key = PrivateKey::generate(set).unwrap();
        let read = parse_pem_key(write_pkcs8_pem(&key).as_bytes(), None).unwrap();
        assert_eq!(read.parameter_set(), set);
        assert_eq!(*read.to_le_octets(), *key.to_le_octets());
    }
}

#[test]
fn attributes_and_a_public_key_are_passed_over() {
    let mut der = pkcs8(&octets(KEY));
    der.extend_from_slice(&[0xa0, 0x02, 0x31, 0x00, 0x81, 0x02, 0x00, 0x01]);
    der[1] += 8;
    assert_eq!(parse_pem_key(&der, None).unwrap().to_le_octets().as_slice(), octets(KEY));
}

#[test]
fn other_blocks_are_refused_by_name() {
    let block = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
    let refusal = |text: String| parse_pem_key(text.as_bytes(), None).unwrap_err();
    assert!(matches!(refusal(block("RSA PRIVATE KEY")), KeyFault::UnsupportedKey(UnsupportedKey::Rsa)));
    assert!(matches!(
        refusal(block("EC PRIVATE KEY")),
        KeyFault::UnsupportedKey(UnsupportedKey::EllipticCurve)
    ));
    for other in [block("OPENSSH PRIVATE KEY"), block("CERTIFICATE"), String::new()] {
        assert!(matches!(refusal(other), KeyFault::NotAKey));
    }
}

/// OpenSSL encrypted keys in this form before PKCS#8, and only keys that are of no use here.
#[test]
fn keys_in_the_old_encrypted_form_are_refused_by_name() {
    let text =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END RSA PRIVATE KEY-----\n";
    let fault = parse_pem_key(text.as_bytes(), None).unwrap_err();
    assert!(matches!(fault, KeyFault::UnsupportedKey(UnsupportedKey::Rsa)));
}

#[test]
fn a_block_that_is_not_base64_is_damaged() {
    let text = "-----BEGIN PRIVATE KEY-----\nMA?=\n-----END PRIVATE KEY-----\n";
    assert!(matches!(parse_pem_key(text.as_bytes(), None), Err(KeyFault::Damaged(_))));
}

#[test]
fn unknown_encryption_is_named() {
    let pbes1 = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.3");
    let encrypted = EncryptedPrivateKeyInfo {
        algorithm: spki::AlgorithmIdentifier { oid: pbes1, parameters: None },
        ciphertext: OctetStringRef::new(&[0; 8]).unwrap(),
    };
    let fault = parse_pem_key(&encrypted.to_der().unwrap(), Some("")).unwrap_err();
    assert!(matches!(fault, KeyFault::UnknownProtection(oid) if oid == pbes1));
}
