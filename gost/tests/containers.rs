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

    /// Writes the right MAC after a change of the header.
    fn seal_header(&mut self) {
        let [.., 0x04, 0x04, _, _, _, _] = self.header[..] else {
            panic!("the header ends with a MAC of 4 octets");
        };
        let (content, mac) = self.header.split_at(self.header.len() - 6);
        // The outer SEQUENCE has a length of two octets.
        let mac = [&mac[..2], &mac_of_header(&content[4..])].concat();
        self.header = [content, &mac].concat();
    }

    fn replace_in_header(&mut self, from: &[u8], to: &[u8]) {
        assert_eq!(from.len(), to.len());
        let position = self.header.windows(from.len()).position(|window| window == from).unwrap();
        self.header[position..position + to.len()].copy_from_slice(to);
        self.seal_header();
    }
}

/// The MAC of GOST 28147-89 under 32 zero octets, with the box param-Z: rounds of RFC 5830, written anew.
fn mac_of_header(content: &[u8]) -> [u8; 4] {
    const ROWS: [&[u8; 16]; 8] = [
        b"\x0c\x04\x06\x02\x0a\x05\x0b\x09\x0e\x08\x0d\x07\x00\x03\x0f\x01",
        b"\x06\x08\x02\x03\x09\x0a\x05\x0c\x01\x0e\x04\x07\x0b\x0d\x00\x0f",
        b"\x0b\x03\x05\x08\x02\x0f\x0a\x0d\x0e\x01\x07\x04\x0c\x09\x06\x00",
        b"\x0c\x08\x02\x01\x0d\x04\x0f\x06\x07\x00\x0a\x05\x03\x0e\x09\x0b",
        b"\x07\x0f\x05\x0a\x08\x01\x06\x0d\x00\x09\x03\x0e\x0b\x04\x02\x0c",
        b"\x05\x0d\x0f\x06\x09\x02\x0c\x0a\x0b\x07\x08\x01\x04\x03\x0e\x00",
        b"\x08\x0e\x02\x05\x06\x09\x01\x0c\x0f\x04\x0b\x00\x0d\x0a\x03\x07",
        b"\x01\x07\x0e\x0d\x00\x05\x08\x03\x04\x0f\x0a\x06\x09\x0c\x0b\x02",
    ];
    let (mut low, mut high) = (0_u32, 0_u32);
    for chunk in content.chunks(8) {
        let mut block = [0; 8];
        block[..chunk.len()].copy_from_slice(chunk);
        low ^= u32::from_le_bytes(*block.first_chunk().unwrap());
        high ^= u32::from_le_bytes(*block.last_chunk().unwrap());
        for _ in 0..16 {
            let nibble = |i: usize| usize::try_from(low >> (4 * i) & 15).unwrap();
            let nibbles = (0..8).map(|i| u32::from(ROWS[i][nibble(i)]) << (4 * i));
            (low, high) = (high ^ nibbles.sum::<u32>().rotate_left(11), low);
        }
    }
    low.to_le_bytes()
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

/// Where the last four octets are a MAC.
fn spoil_mac(octets: &mut [u8]) {
    octets[octets.len() - 1] ^= 1;
}

/// The field `[2]` of the header, by which a wrong password is told at once.
fn drop_password_mac(container: &mut Container) {
    // Under another tag it is a field that nobody knows.
    let position = container.header.windows(2).position(|field| field == [0x82, 0x04]).unwrap();
    container.header[position] = 0x8f;
    container.seal_header();
}

#[test]
fn a_key_that_proves_itself_opens_whatever_the_macs_say() {
    let Some(whole) = sample("containers with wrong MACs") else {
        return;
    };
    let mut container = whole.clone();
    for file in [&mut container.header, &mut container.masks, &mut container.masks2] {
        spoil_mac(file);
    }
    let (key, certificate) = container.parse("test").unwrap();
    assert_eq!(*key.to_le_octets(), *whole.parse("test").unwrap().0.to_le_octets());
    assert!(certificate.is_some());
}

#[test]
fn damage_is_never_called_a_wrong_password() {
    let Some(whole) = sample("damage and wrong passwords") else {
        return;
    };
    let mut without_mac = whole.clone();
    drop_password_mac(&mut without_mac);
    assert!(without_mac.parse("test").is_ok());
    assert!(matches!(without_mac.parse("wrong"), Err(KeyFault::WrongPassword)));

    // Both masks, each in the middle of its number.
    let mut masks = without_mac.clone();
    masks.masks[20] ^= 1;
    masks.masks2[20] ^= 1;
    for password in ["test", "wrong"] {
        assert!(matches!(masks.parse(password), Err(KeyFault::Damaged(part)) if part.contains("masks.key")));
    }

    // The first octets of the public key, by which the key would prove itself.
    let mut header = whole.clone();
    let position = header.header.windows(2).position(|field| field == [0x8a, 0x08]).unwrap();
    header.header[position + 5] ^= 1;
    assert!(matches!(header.parse("test"), Err(KeyFault::Damaged("header.key"))));
}

/// Any octet of any file: what is damaged opens, or is called something else than a wrong password.
#[test]
fn one_damaged_octet_is_never_called_a_wrong_password() {
    let Some(whole) = sample("damaged octets in containers") else {
        return;
    };
    // Without a second copy, which would serve.
    let whole = Container { masks2: Vec::new(), primary2: Vec::new(), ..whole };
    for place in (0..whole.header.len()).step_by(23) {
        let mut container = whole.clone();
        container.header[place] ^= 0x10;
        let read = container.parse("test");
        assert!(!matches!(read, Err(KeyFault::WrongPassword | KeyFault::NotExportable)), "header, {place}");
    }
    for place in (0..whole.masks.len()).step_by(3) {
        let mut container = whole.clone();
        container.masks[place] ^= 0x10;
        assert!(!matches!(container.parse("test"), Err(KeyFault::WrongPassword)), "masks, {place}");
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
fn a_file_that_cannot_be_read_is_named_by_its_own_path() {
    let Some(vectors) = test_support::test_data("gost-vectors", "unreadable files of containers") else {
        return;
    };
    let whole = vectors.join("cryptopro-synthetic/client-XA.000");
    let folder = tempfile::tempdir().unwrap();
    for name in ["header.key", "masks.key"] {
        std::fs::copy(whole.join(name), folder.path().join(name)).unwrap();
    }
    let primary = folder.path().join("primary.key");
    std::fs::create_dir(&primary).unwrap();
    let error = keyfile::container(folder.path(), "test", None).unwrap_err();
    assert!(matches!(error.fault(), KeyFault::Unreadable(_)), "{error}");
    assert_eq!(error.path(), primary);

    let masks = folder.path().join("masks.key");
    std::fs::write(&masks, vec![0; keyfile::MAX_FILE_SIZE + 1]).unwrap();
    let error = keyfile::container(folder.path(), "test", None).unwrap_err();
    assert!(matches!(error.fault(), KeyFault::TooLarge), "{error}");
    assert_eq!(error.path(), masks);
}

#[test]
fn a_zip_in_place_of_the_folder_is_refused_with_advice() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"PK\x03\x04\x14\x00").unwrap();
    let error = keyfile::container(file.path(), "", None).unwrap_err();
    assert_eq!(error.path(), file.path());
    assert!(error.to_string().contains("unpack it and give the folder"), "{error}");
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
