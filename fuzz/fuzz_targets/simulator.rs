//! Whatever a client sends to the simulator must be taken or refused, never panic.
#![no_main]

use gis_sim::{signature, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = signature::verify(data);
    let _ = wire::read(data, None);
    let _ = wire::read(data, Some("urn:importResponses"));
});
