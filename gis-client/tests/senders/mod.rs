//! Senders with throw-away keys for the tests.

#![expect(clippy::unwrap_used, reason = "tests fail by panics")]

use std::sync::Arc;

use chrono::{DateTime, Duration};
use gis_client::envelope::{Creator, Sender};
use gis_client::signer::KeyPairSigner;
use gis_client::text::CreatorName;
use gost::{Certificate, KeyPair, PrivateKey};
use uuid::Uuid;

/// A sender with this key, whose certificate has a name that is hard to write.
pub(crate) fn sender(key: PrivateKey) -> Sender {
    // Valid at every time that the tests send at.
    let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + Duration::days(150 * 365));
    let name = "Тестовый & <УЦ> \"Ёлка\", \\ 👍";
    let certificate = Certificate::self_signed(&key, name, from, to).unwrap();
    Sender {
        organization: Uuid::from_u128(0x7c8c_e67b).into(),
        signer: Arc::new(KeyPairSigner::new(KeyPair::new(key, certificate).unwrap())),
        operator_signature: true,
        creators: vec![Creator {
            system: CreatorName::parse("Расчёты & <долги>").unwrap(),
            operator: CreatorName::parse("ООО \"Пример\"").unwrap(),
        }],
    }
}

/// Waits for a signed message.
pub(crate) fn wait<T>(message: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(message)
}
