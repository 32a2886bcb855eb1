//! Whatever a key or certificate file holds must be read or refused, never panic.
//!
//! One input serves as every kind of file. As a container it is five pieces, each after its length (2 octets).
#![no_main]

use gost::Certificate;
use gost::keyfile::container::{ContainerFiles, parse_container};
use gost::keyfile::{parse_pem_key, parse_pkcs12};
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "test";

fuzz_target!(|data: &[u8]| {
    let _ = Certificate::from_pem_or_der(data);
    let _ = parse_pem_key(data, Some(PASSWORD));
    let _ = parse_pkcs12(data, PASSWORD);
    if let Some(files) = container(data) {
        let _ = parse_container(&files, PASSWORD);
    }
});

fn container(data: &[u8]) -> Option<ContainerFiles<'_>> {
    let mut rest = data;
    let mut piece = || {
        let (length, after) = rest.split_first_chunk()?;
        let (piece, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after;
        Some(piece)
    };
    Some(ContainerFiles {
        header: piece()?,
        masks: piece()?,
        primary: piece()?,
        masks2: piece()?,
        primary2: piece()?,
    })
}
