//! New keys for `debtgate keys generate`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::TryRng as _;
use rand::rngs::SysRng;
use secrecy::{ExposeSecret as _, SecretString};

/// PKCS#8 (RFC 8410 §7) before the 32 octets of an Ed25519 key: version 0, algorithm 1.3.101.112, octet string in an
/// octet string.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Random(#[source] rand::rngs::SysError),
    /// The file is there already; a key is never overwritten.
    #[error("{} is there already; a key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A new Ed25519 key, PKCS#8 in PEM.
///
/// # Errors
/// There are no random numbers.
pub fn generate_ed25519() -> Result<SecretString, GenerateError> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed).map_err(GenerateError::Random)?;
    let der = [PKCS8_ED25519.as_slice(), &seed].concat();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der)).into())
}

/// A new line of `encryption.key_file`.
///
/// # Errors
/// There are no random numbers.
pub fn generate_sealing_key() -> Result<SecretString, GenerateError> {
    let mut key = [0; 32];
    SysRng.try_fill_bytes(&mut key).map_err(GenerateError::Random)?;
    Ok((hex::encode(key) + "\n").into())
}

/// Writes a key into a new file that its owner alone may read. A folder that is not there is made, for the owner alone too.
///
/// # Errors
/// The file exists or cannot be written.
pub fn write_new(path: &Path, key: &SecretString) -> Result<(), GenerateError> {
    make_folder(path).map_err(|source| GenerateError::Write { path: path.to_owned(), source })?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(key.expose_secret().as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(GenerateError::Exists(path.to_owned()))
        }
        Err(source) => Err(GenerateError::Write { path: path.to_owned(), source }),
    }
}

fn make_folder(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
