//! A signer that asks an outside program.
//!
//! One run of the program a signature: it gets the digest as one line of hex on standard input and prints the
//! 64 bytes of the signature as hex or base64. No shell is involved. What must stay true: the program can be
//! neither waited for nor listened to without a bound, and what it prints counts only if it verifies.

use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gost::{Certificate, Signature};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout, Command};

use super::program::Running;
use super::{Signer, SignerError};

/// The most that is read from the program's standard output, in bytes; a signature needs 129.
const OUTPUT_LIMIT: u64 = 64 * 1024;
/// The most that is kept of the program's standard error, in bytes.
const COMPLAINT_LIMIT: u64 = 4 * 1024;
/// The most characters of the program's complaint that go into an error.
const COMPLAINT_CHARACTERS: usize = 200;
/// How long the streams are still read after the program's end; what it wrote itself is there at once.
const GRACE: Duration = Duration::from_millis(200);

/// Which program signs, and how long it may take. `Debug` does not show the arguments: a PIN may be among them.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandSettings {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments, given as they are.
    pub arguments: Vec<OsString>,
    /// How long one signature may take.
    pub timeout: Duration,
}

impl fmt::Debug for CommandSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CommandSettings")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Signs by running a program for each digest.
#[derive(Debug, Clone)]
pub struct CommandSigner {
    settings: CommandSettings,
    certificate: Certificate,
}

impl CommandSigner {
    /// A signer that runs the program of `settings`; its signatures must verify against `certificate`.
    #[must_use]
    pub fn new(settings: CommandSettings, certificate: Certificate) -> Self {
        Self { settings, certificate }
    }

    fn program(&self) -> String {
        self.settings.program.display().to_string()
    }

    /// Runs the program to its end; it is killed when this future is dropped by the timeout.
    async fn run(&self, digest: &[u8; 32]) -> Result<String, SignerError> {
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let status = self.talk(digest, &mut output, &mut complaint).await?;
        self.check_exit(status, &complaint)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// Talks with the program until its end. A helper that it leaves behind may keep the streams open for ever, so
    /// after the end only what was written before is read.
    async fn talk(
        &self,
        digest: &[u8; 32],
        output: &mut Vec<u8>,
        complaint: &mut Vec<u8>,
    ) -> Result<ExitStatus, SignerError> {
        let mut program = self.start()?;
        let (stdin, stdout, stderr) = program.streams();
        let mut streams = pin!(async {
            tokio::try_join!(
                async { give(stdin, format!("{}\n", hex::encode(digest))).await.map_err(self.broken()) },
                self.read_signature(stdout, output),
                async { read_and_drain(stderr, complaint).await.map_err(self.broken()) },
            )
        });
        let status = tokio::select! {
            biased;
            closed = &mut streams => {
                closed?;
                return program.end().await.map_err(self.broken());
            }
            status = program.end() => status.map_err(self.broken())?,
        };
        if let Ok(closed) = tokio::time::timeout(GRACE, streams).await {
            closed?;
        }
        Ok(status)
    }

    fn start(&self) -> Result<Running, SignerError> {
        let mut command = Command::new(&self.settings.program);
        command.args(&self.settings.arguments);
        Running::start(command).map_err(|source| SignerError::NotStarted { program: self.program(), source })
    }

    fn broken(&self) -> impl FnOnce(std::io::Error) -> SignerError {
        let program = self.program();
        |source| SignerError::Broken { program, source }
    }

    /// Fails as soon as the output is too long: a program that floods would never end by itself.
    async fn read_signature(
        &self,
        stdout: Option<ChildStdout>,
        output: &mut Vec<u8>,
    ) -> Result<(), SignerError> {
        read_up_to(stdout, OUTPUT_LIMIT + 1, output).await.map_err(self.broken())?;
        match u64::try_from(output.len()) {
            Ok(length) if length <= OUTPUT_LIMIT => Ok(()),
            Ok(_) | Err(_) => {
                Err(SignerError::TooMuchOutput { program: self.program(), limit: OUTPUT_LIMIT })
            }
        }
    }

    fn check_exit(&self, status: ExitStatus, complaint: &[u8]) -> Result<(), SignerError> {
        if status.success() {
            return Ok(());
        }
        let message = first_line(&String::from_utf8_lossy(complaint));
        Err(SignerError::Failed { program: self.program(), status, message })
    }

    /// The order of the 64 bytes in which they verify. CryptoPro tools are known to print the whole signature
    /// reversed, others r before s.
    fn verified(&self, digest: &[u8; 32], printed: [u8; 64]) -> Option<Signature> {
        let mut reversed = printed;
        reversed.reverse();
        let mut swapped = printed;
        swapped.rotate_left(32);
        [printed, reversed, swapped]
            .map(Signature::from_bytes)
            .into_iter()
            .find(|signature| self.certificate.public_key().verify(digest, signature).is_ok())
    }
}

#[async_trait]
impl Signer for CommandSigner {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    async fn sign(&self, digest: &[u8; 32]) -> Result<Signature, SignerError> {
        let timeout = self.settings.timeout;
        let output = match tokio::time::timeout(timeout, self.run(digest)).await {
            Ok(output) => output?,
            Err(_elapsed) => {
                return Err(SignerError::TimedOut { program: self.program(), timeout });
            }
        };
        let printed = decode(&output).ok_or_else(|| SignerError::NoSignature { program: self.program() })?;
        self.verified(digest, printed).ok_or_else(|| SignerError::DoesNotVerify {
            serial: self.certificate.serial_decimal().to_owned(),
        })
    }
}

/// Writes the digest. A program that has ended or closed its input is judged by its output and exit status.
async fn give(stdin: Option<ChildStdin>, line: String) -> std::io::Result<()> {
    let Some(mut stdin) = stdin else { return Ok(()) };
    match stdin.write_all(line.as_bytes()).await {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Adds to `bytes` what comes, up to a limit. What has come is there even when the future is dropped.
async fn read_up_to(
    stream: Option<impl AsyncRead + Unpin>,
    limit: u64,
    bytes: &mut Vec<u8>,
) -> std::io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut stream = stream.take(limit);
    while stream.read_buf(bytes).await? > 0 {}
    Ok(())
}

/// Keeps the beginning of a stream and throws the rest away, so that a talkative program does not block.
async fn read_and_drain(stream: Option<impl AsyncRead + Unpin>, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let Some(mut stream) = stream else { return Ok(()) };
    read_up_to(Some(&mut stream), COMPLAINT_LIMIT, bytes).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
}

/// 64 bytes from hex or base64 with any white space in it.
fn decode(output: &str) -> Option<[u8; 64]> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let text: String = output.split_whitespace().collect();
    // 128 hex digits are base64 too, but of 96 bytes; 64 bytes of base64 are never 128 characters long.
    let bytes = if text.len() == 128 { hex::decode(&text).ok()? } else { BASE64.decode(&text).ok()? };
    bytes.try_into().ok()
}

/// The first line that says something, without control characters, shortened.
fn first_line(complaint: &str) -> String {
    let line = complaint.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or("it said nothing on standard error");
    line.chars().filter(|character| !character.is_control()).take(COMPLAINT_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_from_hex_and_base64() {
        let bytes: [u8; 64] = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let hex = hex::encode(bytes);
        let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
        let cases = [
            format!("{hex}\n"),
            hex.to_uppercase(),
            format!("  {}\r\n{}\n", &hex[..64], &hex[64..]),
            format!("{base64}\n"),
            base64.trim_end_matches('=').to_owned(),
            format!("{}\n{}\n", &base64[..76], &base64[76..]),
        ];
        for text in cases {
            assert_eq!(decode(&text), Some(bytes), "{text:?}");
        }
    }

    #[test]
    fn other_output_is_no_signature() {
        let hex = hex::encode([7_u8; 64]);
        for text in ["", "error: no token", &hex[2..], &format!("{hex}00"), "AAAA", &"z".repeat(128)] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_complaint_is_one_short_line() {
        assert_eq!(first_line("\n  token is \u{7}absent \nat line 3"), "token is absent");
        assert_eq!(first_line(""), "it said nothing on standard error");
        assert_eq!(first_line(&"x".repeat(9999)).len(), 200);
    }
}
