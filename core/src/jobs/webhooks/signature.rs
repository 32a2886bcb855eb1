//! Signatures of messages (Standard Webhooks 1.0: HMAC-SHA256 over identifier, time and body).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Mac;

use crate::domain::content::keyed;
use crate::domain::webhook_endpoint::Secret;

/// One signature for each secret, with spaces between them.
pub(super) fn signatures<'a>(
    secrets: impl Iterator<Item = &'a Secret>,
    id: &str,
    timestamp: i64,
    body: &str,
) -> String {
    let signed: Vec<_> = secrets.map(|secret| signature(secret, id, timestamp, body)).collect();
    signed.join(" ")
}

fn signature(secret: &Secret, id: &str, timestamp: i64, body: &str) -> String {
    let mut mac = keyed(secret.bytes());
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the specification; a short key is one that ends in zeros.
    #[test]
    fn the_example_of_the_standard() {
        let mut key = [0; 32];
        let given = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        key[..given.len()].copy_from_slice(&given);
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let secret = Secret::from(key);
        assert_eq!(signatures([&secret].into_iter(), id, 1_614_265_330, body), signature);
        let both = signatures([&secret, &Secret::from([1; 32])].into_iter(), id, 1_614_265_330, body);
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(first, signature);
        assert!(second.starts_with("v1,") && second != first);
    }
}
