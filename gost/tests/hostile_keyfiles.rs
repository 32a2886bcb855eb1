//! Whatever stands in a key or certificate file, reading it ends with a key or an error, never with a panic.
#![cfg(test)]

use gost::keyfile::container::{ContainerFiles, parse_container};
use gost::keyfile::{KeyFault, MAX_FILE_SIZE, parse_pem_key, parse_pkcs12, write_pkcs8_pem};
use gost::{Certificate, ParameterSet, PrivateKey};
use proptest::prelude::*;
use proptest::sample::Index;

/// Octets to overwrite, and a place to cut off the end.
type Damage = (Vec<(Index, u8)>, Option<Index>);

fn damage() -> impl Strategy<Value = Damage> {
    // One spoiled octet often leaves the rest readable, which leads deepest.
    (prop::collection::vec(any::<(Index, u8)>(), 1..4), prop::option::weighted(0.1, any::<Index>()))
}

fn damaged(octets: &[u8], (changes, cut): &Damage) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for (index, octet) in changes {
        *index.get_mut(&mut octets) = *octet;
    }
    if let Some(cut) = cut {
        octets.truncate(cut.index(octets.len()));
    }
    octets
}

/// Reads octets as every kind of file; only the absence of panics counts.
fn read_as_everything(octets: &[u8], password: &str) {
    drop(Certificate::from_pem_or_der(octets));
    drop(parse_pem_key(octets, Some(password)));
    drop(parse_pkcs12(octets, password));
    let files =
        ContainerFiles { header: octets, masks: octets, primary: octets, masks2: octets, primary2: octets };
    drop(parse_container(&files, password));
}

/// A PKCS#12 file without its MAC, behind which damage would never be reached.
fn without_mac(pfx: &[u8]) -> Vec<u8> {
    let [0x30, 0x82, _, _, 0x02, 0x01, 0x03, 0x30, 0x82, high, low, ..] = pfx else {
        panic!("lengths of two octets are expected");
    };
    let content = 3 + 4 + usize::from(u16::from_be_bytes([*high, *low]));
    let [high, low] = u16::try_from(content).unwrap().to_be_bytes();
    [&[0x30, 0x82, high, low], &pfx[4..4 + content]].concat()
}

fn sample(name: &str) -> Option<Vec<u8>> {
    let vectors = test_support::test_data("gost-vectors", &format!("damage to {name}"))?;
    Some(std::fs::read(vectors.join(name)).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_octets(octets in prop::collection::vec(any::<u8>(), 0..300), password in ".{0,8}") {
        read_as_everything(&octets, &password);
        read_as_everything(&[&[0x30, 0x82, 0x01, 0x00], octets.as_slice()].concat(), &password);
    }

    #[test]
    fn damaged_certificates_and_keys(damage in damage()) {
        let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap();
        let (from, to) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse().unwrap());
        let certificate = Certificate::self_signed(&key, "Проба", from, to).unwrap();
        for octets in [certificate.der(), certificate.to_pem().as_bytes(), write_pkcs8_pem(&key).as_bytes()] {
            read_as_everything(&damaged(octets, &damage), "");
        }
    }
}

#[test]
fn damaged_samples() {
    for name in [
        "test-keys/client-XA.tc26.pfx",
        "test-keys/client-XA.tc26-plaincert.pfx",
        "test-keys/client-XA.aes.pfx",
        "cryptopro-synthetic/client-XA.cp80.pfx",
        "tc26-pkcs12/r50.1.112-2016-example.p12",
    ] {
        let Some(pfx) = sample(name) else { return };
        let pfx = without_mac(&pfx);
        let password = if name.starts_with("tc26-pkcs12") { "Пароль для PFX" } else { "test" };
        assert!(parse_pkcs12(&pfx, password).is_ok(), "{name} without its MAC");
        proptest!(ProptestConfig::with_cases(16), |(damage in damage())| {
            drop(parse_pkcs12(&damaged(&pfx, &damage), password));
        });
    }
    for name in [
        "test-keys/client-XA.key.enc.pem",
        "test-keys/client-XA.key.integer.p8.der",
        "test-keys/client-XA.key.octets-in-octets.p8.der",
        "test-keys/client-XA.key.masked1.p8.der",
        "test-keys/client-XA.crt.der",
    ] {
        let Some(file) = sample(name) else { return };
        proptest!(ProptestConfig::with_cases(16), |(damage in damage())| {
            let octets = damaged(&file, &damage);
            drop(parse_pem_key(&octets, Some("test")));
            drop(Certificate::from_pem_or_der(&octets));
        });
    }
}

#[test]
fn damaged_containers() {
    let read = |name: &str| sample(&format!("cryptopro-synthetic/client-XA.000/{name}.key"));
    let (Some(header), Some(masks), Some(primary)) = (read("header"), read("masks"), read("primary")) else {
        return;
    };
    proptest!(ProptestConfig::with_cases(32), |(damage in damage(), which in 0..3_usize)| {
        let mut files = [header.clone(), masks.clone(), primary.clone()];
        files[which] = damaged(&files[which], &damage);
        let [header, masks, primary] = &files;
        let files = ContainerFiles { header, masks, primary, ..ContainerFiles::default() };
        drop(parse_container(&files, "test"));
    });
}

#[test]
fn octets_beyond_the_limit_are_refused_unread() {
    let octets = vec![0x30; MAX_FILE_SIZE + 1];
    assert!(matches!(parse_pem_key(&octets, None), Err(KeyFault::TooLarge)));
    assert!(matches!(parse_pkcs12(&octets, ""), Err(KeyFault::TooLarge)));
    let files = ContainerFiles { primary2: &octets, ..ContainerFiles::default() };
    assert!(matches!(parse_container(&files, ""), Err(KeyFault::TooLarge)));
}
