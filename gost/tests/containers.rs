//! CryptoPro containers: whole, damaged, without parts, and with keys that may not leave them.
#![cfg(test)]

use std::path::Path;

use gost::keyfile::container::{ContainerFiles, parse_container};
use gost::keyfile::{self, KeyFault, UnsupportedKey};
use gost::{Certificate, PrivateKey};

/// `header.key`, by its octets: the key's flags are the second BIT STRING, the 256-bit algorithm follows.
const FLAGS: [u8; 4] = [0x03, 0x02, 0x02, 0xa4];
const ALGORITHM: [u8; 10] = [0x06, 0x08, 0x2a, 0x85, 0x03, 0x07, 0x01, 0x01, 0x06, 0x01];

/// A container in memory, to be damaged.
#[derive(Clone)]
struct Container {
    header: Vec<u8>,
    masks: Vec<u8>,
    primary: Vec<u8>,
    masks2: Vec<u8>,
    primary2: Vec<u8>,
}

impl Container {
    fn read(folder: &Path) -> Self {
        let file = |name| std::fs::read(folder.join(name)).unwrap();
        Self {
            header: file("header.key"),
            masks: file("masks.key"),
            primary: file("primary.key"),
            masks2: file("masks2.key"),
            primary2: file("primary2.key"),
        }
    }

    fn parse(&self, password: &str) -> Result<(PrivateKey, Option<Certificate>), KeyFault> {
        let files = ContainerFiles {
            header: &self.header,
            masks: &self.masks,
            primary: &self.primary,
            masks2: &self.masks2,
            primary2: &self.primary2,
        };
        parse_container(&files, password)
    }

    fn replace_in_header(&mut self, from: &[u8], to: &[u8]) {
        assert_eq!(from.len(), to.len());
        let position = self.header.windows(from.len()).position(|window| window == from).unwrap();
        self.header[position..position + to.len()].copy_from_slice(to);
    }
}

fn sample(test: &str) -> Option<Container> {
    let vectors = test_support::test_data("gost-vectors", test)?;
    Some(Container::read(&vectors.join("cryptopro-synthetic/client-XA.000")))
}

fn spoil(octets: &mut [u8]) {
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
}

#[test]
fn folders_of_every_kind() {
    let Some(vectors) = test_support::test_data("gost-vectors", "CryptoPro container folders") else {
        return;
    };
    for (name, password, set) in
        [("client-XA", "test", "XA"), ("client-TCA", "test", "TCA"), ("client-A-nopass", "", "A")]
    {
        let folder = vectors.join(format!("cryptopro-synthetic/{name}.000"));
        let expected = std::fs::read(vectors.join(format!("test-keys/client-{set}.key.p8.der"))).unwrap();
        let certificate = vectors.join(format!("test-keys/client-{set}.crt.pem"));
        for certificate in [None, Some(certificate.as_path())] {
            let pair = keyfile::container(&folder, password, certificate).unwrap();
            assert!(expected.ends_with(pair.key().to_le_octets().as_slice()), "{name}");
            let der = std::fs::read(vectors.join(format!("test-keys/client-{set}.crt.der"))).unwrap();
            assert_eq!(pair.certificate().der(), der, "{name}");
        }
        let error = keyfile::container(&folder, "wrong", None).unwrap_err();
        assert!(matches!(error.fault(), KeyFault::WrongPassword), "{error}");
        assert_eq!(error.path(), folder);
    }
}

#[test]
fn the_second_copy_serves_when_the_first_is_damaged_or_absent() {
    let Some(whole) = sample("second copies in containers") else {
        return;
    };
    let key = whole.parse("test").unwrap().0;
    let damages: [fn(&mut Container); 4] = [
        |container| spoil(&mut container.masks),
        |container| spoil(&mut container.primary),
        |container| container.masks.clear(),
        |container| container.primary.truncate(7),
    ];
    for damage in damages {
        let mut container = whole.clone();
        damage(&mut container);
        let (read, certificate) = container.parse("test").unwrap();
        assert_eq!(*read.to_le_octets(), *key.to_le_octets());
        assert!(certificate.is_some());

        container.primary2.clear();
        assert!(matches!(container.parse("test"), Err(KeyFault::Damaged(_))));
        assert!(matches!(container.parse("wrong"), Err(KeyFault::WrongPassword)));
    }
}

#[test]
fn a_key_marked_as_not_exportable_is_refused_with_advice() {
    let Some(mut container) = sample("keys that are not exportable") else {
        return;
    };
    container.replace_in_header(&FLAGS, &[0x03, 0x02, 0x02, 0x24]);
    let fault = container.parse("test").unwrap_err();
    assert!(matches!(fault, KeyFault::NotExportable));
    assert!(fault.to_string().contains("ask the issuer for a key marked as exportable"), "{fault}");
}

#[test]
fn keys_of_512_bits_are_refused_by_name() {
    let Some(mut container) = sample("containers with keys of 512 bits") else {
        return;
    };
    let mut of_512_bits = ALGORITHM;
    of_512_bits[9] = 0x02;
    container.replace_in_header(&ALGORITHM, &of_512_bits);
    let fault = container.parse("test").unwrap_err();
    assert!(matches!(fault, KeyFault::UnsupportedKey(UnsupportedKey::Gost512)), "{fault}");
}

#[test]
fn a_certificate_inside_that_is_damaged_counts_as_none() {
    let Some(mut container) = sample("damaged certificates in containers") else {
        return;
    };
    // The certificate's version, after which nothing fits any more.
    container.replace_in_header(&[0xa0, 0x03, 0x02, 0x01, 0x02], &[0xa0, 0x03, 0x02, 0x01, 0x07]);
    let (_, certificate) = container.parse("test").unwrap();
    assert!(certificate.is_none());
}

#[test]
fn incomplete_folders_are_refused_by_the_name_of_the_missing_file() {
    let Some(vectors) = test_support::test_data("gost-vectors", "incomplete container folders") else {
        return;
    };
    let whole = vectors.join("cryptopro-synthetic/client-XA.000");
    let folder = tempfile::tempdir().unwrap();
    // As FAT shows names.
    for (name, missing) in
        [("HEADER.KEY", Some("masks.key")), ("MASKS2.KEY", Some("primary.key")), ("PRIMARY2.KEY", None)]
    {
        std::fs::copy(whole.join(name.to_ascii_lowercase()), folder.path().join(name)).unwrap();
        let read = keyfile::container(folder.path(), "test", None);
        match missing {
            Some(missing) => {
                let error = read.unwrap_err();
                assert!(error.to_string().contains(&format!("has no file {missing}")), "{error}");
            }
            None => assert!(read.is_ok()),
        }
    }
}
