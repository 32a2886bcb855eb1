//! Signers: that each signs, and for how long it may.

use chrono::{TimeDelta, Utc};

use super::finding::Finding;
use crate::assemble;
use crate::config::{SignerKind, SignerSettings};

/// A certificate that ends sooner is worth a warning.
const SOON: TimeDelta = TimeDelta::days(30);
const NEW_CERTIFICATE: &str = "получите новый сертификат";
/// No message has this digest, so a signature of it is of no use to anybody.
const NOTHING: [u8; 32] = [0; 32];

pub(super) async fn signer(name: &str, settings: &SignerSettings) -> Finding {
    let check = format!("подпись {name}");
    let signer = match assemble::open_signer(&settings.kind) {
        Ok(signer) => signer,
        Err(error) => return Finding::failed(check, format!("{error:#}"), "проверьте файлы ключа и пароль"),
    };
    let certificate = signer.certificate();
    let now = Utc::now();
    let until = certificate.not_after().format("%d.%m.%Y");
    if let Err(error) = certificate.check_validity(now) {
        return Finding::failed(check, error.to_string(), NEW_CERTIFICATE);
    }
    // An outside program is not known to work before it has signed; what it prints is verified.
    if let Err(error) = signer.sign(&NOTHING).await {
        return Finding::failed(check, format!("{:#}", anyhow::Error::from(error)), advice(&settings.kind));
    }
    if certificate.not_after() - now < SOON {
        return Finding::warning(check, format!("сертификат кончается {until}"), NEW_CERTIFICATE);
    }
    Finding::ok(check, format!("подписывает, ключ подходит к сертификату, действует до {until}"))
}

fn advice(kind: &SignerKind) -> &'static str {
    match kind {
        SignerKind::Command { .. } => {
            "проверьте program, arguments и PIN, вставлен ли токен и тот ли сертификат: программа получает хэш строкой \
             hex и печатает 64 байта подписи в hex или base64"
        }
        SignerKind::Pem { .. } | SignerKind::Pkcs12 { .. } | SignerKind::Container { .. } => {
            "проверьте файлы ключа и пароль"
        }
    }
}
