//! Every kind of signer, with key files and with programs of all manners.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests fail by panics")]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use gis_client::signer::{CommandSettings, CommandSigner, KeyPairSigner};
use gis_client::{Signer, SignerError};
use gost::{Certificate, ParameterSet, PrivateKey, Signature};
use tempfile::TempDir;

const DIGEST: [u8; 32] = *b"a digest of the signed element!!";

async fn assert_signs(signer: &dyn Signer) {
    let signature = signer.sign(&DIGEST).await.unwrap();
    signer.certificate().public_key().verify(&DIGEST, &signature).unwrap();
}

#[tokio::test]
async fn a_pem_key_signs() {
    let Some(dir) = test_support::test_data("gost-vectors", "PEM signer") else {
        return;
    };
    let keys = dir.join("test-keys");
    for name in ["client-A", "client-TCA", "client-XA"] {
        let file = |end: &str| keys.join(format!("{name}.{end}.pem"));
        assert_signs(&KeyPairSigner::pem(&file("key"), &file("crt"), None).unwrap()).await;
    }
    let mixed = KeyPairSigner::pem(&keys.join("client-A.key.pem"), &keys.join("client-B.crt.pem"), None);
    assert!(mixed.is_err(), "a key of another certificate");
}

#[tokio::test]
async fn a_pkcs12_file_signs() {
    let Some(dir) = test_support::test_data("gost-vectors", "PKCS#12 signer") else {
        return;
    };
    let file = dir.join("test-keys/client-A.tc26.pfx");
    assert_signs(&KeyPairSigner::pkcs12(&file, "test", None).unwrap()).await;
    assert!(KeyPairSigner::pkcs12(&file, "wrong", None).is_err());
}

#[tokio::test]
async fn a_container_signs() {
    let Some(dir) = test_support::test_data("gost-vectors", "container signer") else {
        return;
    };
    let folder = dir.join("cryptopro-synthetic/client-XA.000");
    assert_signs(&KeyPairSigner::container(&folder, "test", None).unwrap()).await;
    assert!(KeyPairSigner::container(&folder, "wrong", None).is_err());
}

/// A key, its certificate and a folder for scripts.
struct Stand {
    key: PrivateKey,
    certificate: Certificate,
    folder: TempDir,
}

impl Stand {
    fn new() -> Self {
        let key = PrivateKey::generate(ParameterSet::CryptoProA).unwrap();
        let (from, to) = (Utc::now(), Utc::now() + Duration::from_secs(3600));
        let certificate = Certificate::self_signed(&key, "Test", from, to).unwrap();
        Self { key, certificate, folder: TempDir::new().unwrap() }
    }

    fn signature(&self) -> [u8; 64] {
        *self.key.sign(&DIGEST).unwrap().as_bytes()
    }

    fn signer(&self, program: impl AsRef<Path>, arguments: &[&str], timeout: Duration) -> CommandSigner {
        let arguments = arguments.iter().map(OsString::from).collect();
        let settings = CommandSettings { program: program.as_ref().to_owned(), arguments, timeout };
        CommandSigner::new(settings, self.certificate.clone())
    }

    /// Signs with a shell script of these lines.
    async fn sign_with(&self, script: &str) -> Result<Signature, SignerError> {
        self.sign_within(script, Duration::from_secs(60)).await
    }

    async fn sign_within(&self, script: &str, timeout: Duration) -> Result<Signature, SignerError> {
        let file = self.folder.path().join("sign.sh");
        std::fs::write(&file, script).unwrap();
        // The shell reads the script: to run the file itself fails while another thread forks with it open.
        self.signer("/bin/sh", &[file.to_str().unwrap()], timeout).sign(&DIGEST).await
    }
}

/// Reads the digest and prints the signature only if it is the right one.
fn good_script(output: &str) -> String {
    let digest = hex::encode(DIGEST);
    format!("read digest\ntest \"$digest\" = {digest} || exit 7\nprintf '%s\\n' '{output}'\n")
}

#[tokio::test]
async fn a_program_that_signs_well_is_believed() {
    let stand = Stand::new();
    let signature = stand.signature();
    let expected = Signature::from_bytes(signature);
    let mut reversed = signature;
    reversed.reverse();
    let mut swapped = signature;
    swapped.rotate_left(32);
    for bytes in [signature, reversed, swapped] {
        let hex = hex::encode(bytes);
        let base64 = STANDARD.encode(bytes);
        for output in [hex.to_uppercase(), hex, base64] {
            assert_eq!(stand.sign_with(&good_script(&output)).await.unwrap(), expected, "{output}");
        }
    }
}

#[tokio::test]
async fn a_program_need_not_read_the_digest_to_its_end() {
    let stand = Stand::new();
    let script = format!("exec 0<&-\necho {}", hex::encode(stand.signature()));
    assert!(stand.sign_with(&script).await.is_ok());
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let stand = Stand::new();
    let mut wrong = stand.signature();
    wrong[5] ^= 1;
    let error = stand.sign_with(&good_script(&hex::encode(wrong))).await.unwrap_err();
    assert!(matches!(error, SignerError::DoesNotVerify { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(stand.certificate.serial_decimal()) && text.contains("check that"), "{text}");
}

#[tokio::test]
async fn garbage_and_silence_are_no_signature() {
    let stand = Stand::new();
    for output in ["token not found", "00ff", ""] {
        let error = stand.sign_with(&good_script(output)).await.unwrap_err();
        assert!(matches!(error, SignerError::NoSignature { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_failure_tells_its_first_line() {
    let stand = Stand::new();
    let script = "echo >&2\necho '  the token is absent ' >&2\necho 'at line 7' >&2\nexit 3";
    let error = stand.sign_with(script).await.unwrap_err();
    let SignerError::Failed { status, message, .. } = &error else { panic!("{error:?}") };
    assert_eq!(status.code(), Some(3));
    assert_eq!(message, "the token is absent");
}

#[tokio::test]
async fn a_program_without_an_end_is_stopped() {
    let stand = Stand::new();
    let error = stand.sign_within("sleep 600\ntrue", Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error, SignerError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn what_the_program_has_started_is_stopped_with_it() {
    let stand = Stand::new();
    let trace = stand.folder.path().join("trace");
    let helper = format!("(sleep 1; touch {}) &", trace.display());
    for end in ["wait", "yes"] {
        let error = stand.sign_within(&format!("{helper}\n{end}\ntrue"), Duration::from_millis(300)).await;
        let error = error.unwrap_err();
        let stopped = matches!(error, SignerError::TimedOut { .. } | SignerError::TooMuchOutput { .. });
        assert!(stopped, "{error:?}");
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!trace.exists(), "the helper went on after {end}");
    }
}

#[tokio::test]
async fn a_helper_that_stays_is_not_waited_for() {
    let stand = Stand::new();
    let good = good_script(&hex::encode(stand.signature()));
    for helper in ["sleep 60 &", "sleep 60 >/dev/null &"] {
        let signed =
            stand.sign_within(&format!("{helper}\necho $! >&2\n{good}"), Duration::from_secs(5)).await;
        assert!(signed.is_ok(), "{helper}: {signed:?}");
    }
    let failed = stand.sign_within("sleep 60 &\necho no token >&2\nexit 3", Duration::from_secs(5)).await;
    assert!(
        matches!(&failed, Err(SignerError::Failed { message, .. }) if message == "no token"),
        "{failed:?}"
    );
}

#[test]
fn arguments_are_not_shown() {
    let arguments = ["--pin", "12345678"].map(OsString::from).into();
    let settings =
        CommandSettings { program: "/opt/sign".into(), arguments, timeout: Duration::from_secs(1) };
    let text = format!("{settings:?}");
    assert!(text.contains("/opt/sign") && text.contains("arguments: 2") && !text.contains("1234"), "{text}");
}

#[tokio::test]
async fn a_flood_is_not_drunk() {
    let stand = Stand::new();
    let error = stand.sign_with("yes").await.unwrap_err();
    assert!(matches!(error, SignerError::TooMuchOutput { limit: 65_536, .. }), "{error:?}");
    // Standard error may be long: only its beginning is kept.
    let talk = format!("yes | head -c 1000000 >&2\n{}", good_script(&hex::encode(stand.signature())));
    assert!(stand.sign_with(&talk).await.is_ok());
}

#[tokio::test]
async fn a_program_that_is_not_there_or_not_executable_does_not_start() {
    let stand = Stand::new();
    let file = stand.folder.path().join("plain.txt");
    std::fs::write(&file, "text").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    for program in [Path::new("/nonexistent/sign"), &file] {
        let error = stand.signer(program, &[], Duration::from_secs(60)).sign(&DIGEST).await.unwrap_err();
        assert!(matches!(error, SignerError::NotStarted { .. }), "{error:?}");
        assert!(error.to_string().contains(program.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn arguments_are_not_read_by_a_shell() {
    let stand = Stand::new();
    let arguments = ["-c", "echo \"$1\" >&2; exit 1", "sh", "$(id); rm *"];
    let error = stand.signer("/bin/sh", &arguments, Duration::from_secs(60)).sign(&DIGEST).await.unwrap_err();
    let SignerError::Failed { message, .. } = &error else { panic!("{error:?}") };
    assert_eq!(message, "$(id); rm *");
}
