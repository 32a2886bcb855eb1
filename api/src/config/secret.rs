//! A secret of the settings: itself, or the file that holds it. The file is read when the secret is needed, so that
//! commands which do not need it run without it.

use std::path::PathBuf;
use std::{fs, io};

use secrecy::SecretString;

/// A secret, or where it lies. `Debug` shows the place at most.
#[derive(Debug, Clone)]
pub enum Secret {
    /// The secret itself.
    Inline(SecretString),
    /// The file that holds it; the end of its last line does not count.
    File(PathBuf),
}

/// The file with a secret cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the secret file {} cannot be read", path.display())]
pub struct UnreadableSecret {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Secret {
    /// The secret.
    ///
    /// # Errors
    /// The file is absent, unreadable or not UTF-8.
    pub fn read(&self) -> Result<SecretString, UnreadableSecret> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(SecretString::from(text.trim_end_matches(['\r', '\n']))),
                Err(source) => Err(UnreadableSecret { path: path.clone(), source }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_file_may_end_with_a_line_break_and_nothing_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "s3cret \r\n").unwrap();
        assert_eq!(Secret::File(path).read().unwrap().expose_secret(), "s3cret ");

        let inline = Secret::Inline("s3cret".into());
        assert!(!format!("{inline:?}").contains("s3cret"));
        let absent = Secret::File(folder.path().join("absent"));
        assert!(absent.read().unwrap_err().to_string().contains("absent"));
    }
}
