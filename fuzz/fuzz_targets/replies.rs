//! Whatever the far end answers must be read or refused, never panic.
#![no_main]

use gis_client::{reply, signature};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = reply::acknowledgement(text);
    let _ = reply::state(text);
    let _ = signature::verify_reply(text);
});
