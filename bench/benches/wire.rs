//! The wire: digests, signatures, messages out, replies in. `cargo bench -p bench`.
//!
//! The aims are ratios on one machine, not promises: a package of 100 plain answers in 0.8 ms, of 100 answers with
//! a debtor and a file in 2 ms, a reply of 100 subrequests in 0.8 ms and of 1000 in 8 ms.
#![expect(clippy::unwrap_used, reason = "a benchmark without its material has nothing to measure")]

use bench::{debt_package, header, key_pair, plain_package, replies, sender};
use chrono::Utc;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use gis_client::debt_requests::ImportResponses;
use gis_client::{envelope, reply, signature};
use gost::{ParameterSet, hash};

fn main() {
    divan::main();
}

const MEGABYTE: usize = 1_000_000;

/// One parameter set of each curve.
const CURVES: [ParameterSet; 4] =
    [ParameterSet::Tc26A, ParameterSet::CryptoProA, ParameterSet::CryptoProB, ParameterSet::CryptoProC];

#[divan::bench]
fn digest_streebog_256(bencher: Bencher<'_, '_>) {
    let message = vec![7; MEGABYTE];
    bencher.counter(BytesCount::new(MEGABYTE)).bench(|| hash::streebog256(black_box(&message)));
}

#[divan::bench]
fn digest_gost_94(bencher: Bencher<'_, '_>) {
    let message = vec![7; MEGABYTE];
    bencher.counter(BytesCount::new(MEGABYTE)).bench(|| hash::gost94(black_box(&message)));
}

#[divan::bench(args = CURVES)]
fn sign(bencher: Bencher<'_, '_>, set: ParameterSet) {
    let pair = key_pair(set, Utc::now()).unwrap();
    let digest = hash::streebog256(b"message");
    bencher.counter(1_u32).bench(|| pair.key().sign(black_box(&digest)).unwrap());
}

#[divan::bench(args = CURVES)]
fn verify(bencher: Bencher<'_, '_>, set: ParameterSet) {
    let pair = key_pair(set, Utc::now()).unwrap();
    let digest = hash::streebog256(b"message");
    let signature = pair.key().sign(&digest).unwrap();
    let key = pair.certificate().public_key();
    bencher.counter(1_u32).bench(|| key.verify(black_box(&digest), &signature).unwrap());
}

#[divan::bench]
fn message_of_100_plain_answers(bencher: Bencher<'_, '_>) {
    message(bencher, &plain_package().unwrap());
}

#[divan::bench]
fn message_of_100_answers_with_debtor_and_file(bencher: Bencher<'_, '_>) {
    message(bencher, &debt_package().unwrap());
}

/// Built, signed and serialised: from values to the bytes of the HTTP body.
fn message(bencher: Bencher<'_, '_>, package: &ImportResponses) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sender = sender(Utc::now()).unwrap();
    let write =
        || runtime.block_on(envelope::import_responses(&sender, &header(Utc::now()), package)).unwrap();
    let length = write().body.len();
    bencher.counter(BytesCount::new(length)).bench(write);
}

#[divan::bench(args = [100, 1000])]
fn reply_parsed(bencher: Bencher<'_, '_>, subrequests: u128) {
    let text = String::from_utf8(replies::export_reply(subrequests, Utc::now()).unsigned()).unwrap();
    bencher.counter(BytesCount::new(text.len())).bench(|| reply::state(black_box(&text)).unwrap());
}

#[divan::bench(args = [100, 1000])]
fn reply_signature_verified(bencher: Bencher<'_, '_>, subrequests: u128) {
    let now = Utc::now();
    let pair = key_pair(ParameterSet::CryptoProXchA, now).unwrap();
    let octets = replies::signed(&replies::export_reply(subrequests, now), &pair, now).unwrap();
    let text = String::from_utf8(octets).unwrap();
    bencher.counter(BytesCount::new(text.len())).bench(|| signature::verify_reply(black_box(&text)).unwrap());
}
