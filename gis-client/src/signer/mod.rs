//! Who signs the messages: the trait [`Signer`] and its two kinds.
//!
//! [`KeyPairSigner`] holds the key in memory (PEM, PKCS#12 or a CryptoPro container, see `gost::keyfile`).
//! [`CommandSigner`] asks an outside program, so that a certified tool or a token can keep the key.
//! Called by `envelope` for every signed message. What must stay true: a signature that does not verify against
//! [`Signer::certificate`] never leaves this module: a key in memory was matched with its certificate when it
//! was read, and every signature of a program is verified.

mod command;
mod key_pair;
mod program;

pub use command::{CommandSettings, CommandSigner};
pub use key_pair::KeyPairSigner;

use std::time::Duration;

use async_trait::async_trait;

use crate::error::Repeat;

/// Signs the digests of outgoing messages with one organisation's key.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The certificate that goes into the messages and against which the signatures verify.
    fn certificate(&self) -> &gost::Certificate;

    /// Signs a Streebog-256 digest, given as the octets come from the hash.
    ///
    /// # Errors
    /// [`SignerError`]; nothing was sent anywhere then.
    async fn sign(&self, digest: &[u8; 32]) -> Result<gost::Signature, SignerError>;
}

/// Why no signature was made.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The certificate has expired or is not valid yet.
    #[error("the certificate of the signer cannot be used now; get a new one or check the clock")]
    Certificate(#[source] gost::CertificateError),
    /// The key in memory refused to sign.
    #[error("the key could not sign")]
    Key(#[source] gost::KeyError),
    /// The program could not be started.
    #[error("the signing program {program} could not be started; check the path and the right to run it")]
    NotStarted {
        /// The program as configured.
        program: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The talk with the program broke off.
    #[error("the talk with the signing program {program} broke off")]
    Broken {
        /// The program as configured.
        program: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The program ended with a failure.
    #[error("the signing program {program} failed with {status}: {message}")]
    Failed {
        /// The program as configured.
        program: String,
        /// The exit status in words of the operating system.
        status: std::process::ExitStatus,
        /// The first line of its standard error, shortened.
        message: String,
    },
    /// The program did not answer in time and was stopped.
    #[error("the signing program {program} gave no signature in {} s and was stopped", timeout.as_secs_f32())]
    TimedOut {
        /// The program as configured.
        program: String,
        /// How long it was waited for.
        timeout: Duration,
    },
    /// The program printed more than a signature can be.
    #[error(
        "the signing program {program} printed more than {limit} bytes; it must print the signature alone"
    )]
    TooMuchOutput {
        /// The program as configured.
        program: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The program printed something that is no signature.
    #[error("the signing program {program} printed no signature; it must print 64 bytes as hex or base64")]
    NoSignature {
        /// The program as configured.
        program: String,
    },
    /// The signature is not one of the certificate's key.
    #[error(
        "the signature does not verify against the certificate with serial number {serial}; check that the key \
         belongs to this certificate and that the digest is signed as it is given, without hashing it again"
    )]
    DoesNotVerify {
        /// The certificate's serial number, decimal.
        serial: String,
    },
}

impl SignerError {
    /// Whether the same signer may sign another time: what depends on the set-up alone fails until it is mended, a
    /// program that talks to a token or over a network may do better.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        match self {
            Self::Certificate(_)
            | Self::Key(_)
            | Self::NotStarted { .. }
            | Self::NoSignature { .. }
            | Self::DoesNotVerify { .. } => Repeat::AfterRepair,
            Self::Broken { .. }
            | Self::Failed { .. }
            | Self::TimedOut { .. }
            | Self::TooMuchOutput { .. } => Repeat::Later { after: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Fate};

    #[test]
    fn a_set_up_must_be_mended_and_a_program_may_do_better() {
        let program = || "sign".to_owned();
        let not_started = std::io::Error::from(std::io::ErrorKind::NotFound);
        let table = [
            (SignerError::NotStarted { program: program(), source: not_started }, Repeat::AfterRepair),
            (SignerError::NoSignature { program: program() }, Repeat::AfterRepair),
            (SignerError::DoesNotVerify { serial: "1".to_owned() }, Repeat::AfterRepair),
            (
                SignerError::TimedOut { program: program(), timeout: Duration::from_secs(1) },
                Repeat::Later { after: None },
            ),
            (SignerError::TooMuchOutput { program: program(), limit: 1 }, Repeat::Later { after: None }),
        ];
        for (error, repeat) in table {
            let name = error.to_string();
            let error = Error::unsigned(error);
            assert_eq!((error.fate(), error.repeat()), (Fate::NotSent, repeat), "{name}");
            assert!(!error.is_outage());
        }
    }
}
