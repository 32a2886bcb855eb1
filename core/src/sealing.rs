//! Seals what lies in the file store: XChaCha20-Poly1305 with a key of `encryption.key_file`. The name of the object is
//! part of what is sealed, so nothing can be passed off as something else.
//!
//! A sealed content is the mark, the id of its key, the nonce, and the text with its tag. The file holds one key a line:
//! the first seals, every one opens. So a key is replaced by putting a new one in front of it. What lies there unsealed
//! from a time before there was a key is read as it is.

use std::fmt;

use bytes::Bytes;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

/// No file that GIS takes begins like this, and no packed message.
const MARK: &[u8; 16] = b"\0debtgate sealed";
const KEY: usize = 32;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

/// The keys that seal and open.
pub struct SealingKeys {
    first: SealingKey,
    older: Vec<SealingKey>,
}

struct SealingKey {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
}

/// Why a key file cannot be used; the text holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Not a single key.
    #[error(
        "no key; write a line of 64 hexadecimal digits, such as `debtgate keys generate --alg xchacha20 --out FILE` makes"
    )]
    Empty,
    /// A line is no key.
    #[error("line {0} is not a key of 64 hexadecimal digits")]
    Line(usize),
}

/// Why a content cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is sealed and no key is configured that opens it.
    #[error("the content is sealed with a key that encryption.key_file does not hold")]
    KeyUnknown,
    /// It was altered, cut off or put under another name.
    #[error("the sealed content does not open: it was altered or put under another name")]
    Broken,
    /// The library refused.
    #[error("the content cannot be sealed")]
    Unsealable,
}

impl SealingKeys {
    /// Reads a key file; empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let lines = text.lines().map(str::trim).enumerate();
        let mut keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| SealingKey::parse(line).ok_or(KeyFileError::Line(number + 1)));
        let first = keys.next().ok_or(KeyFileError::Empty)??;
        Ok(Self { first, older: keys.collect::<Result<_, _>>()? })
    }

    fn named(&self, id: &[u8]) -> Option<&SealingKey> {
        std::iter::once(&self.first).chain(&self.older).find(|key| key.id == id)
    }

    /// Seals a content under its name.
    pub(crate) fn seal(&self, name: &str, content: &[u8]) -> Result<Bytes, SealError> {
        let SealingKey { id, cipher } = &self.first;
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: content, aad: name.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).or(Err(SealError::Unsealable))?;
        Ok([MARK.as_slice(), id, &nonce, &sealed].concat().into())
    }
}

/// Whether a content is sealed.
fn sealed(content: &[u8]) -> Option<&[u8]> {
    content.strip_prefix(MARK.as_slice())
}

/// Opens a content that was sealed under its name; what is not sealed is given back as it is.
pub(crate) fn open(keys: Option<&SealingKeys>, name: &str, content: Bytes) -> Result<Bytes, SealError> {
    let Some(rest) = sealed(&content) else { return Ok(content) };
    let (id, rest) = rest.split_first_chunk::<KEY_ID>().ok_or(SealError::Broken)?;
    let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Broken)?;
    let key = keys.and_then(|keys| keys.named(id)).ok_or(SealError::KeyUnknown)?;
    let payload = Payload { msg: text, aad: name.as_bytes() };
    let opened = key.cipher.decrypt(&XNonce::from(*nonce), payload).or(Err(SealError::Broken))?;
    Ok(opened.into())
}

impl SealingKey {
    fn parse(line: &str) -> Option<Self> {
        let bytes: [u8; KEY] = hex::decode(line).ok()?.try_into().ok()?;
        let digest: [u8; 32] =
            Sha256::new().chain_update(b"debtgate key id").chain_update(bytes).finalize().into();
        let id = *digest.first_chunk()?;
        Some(Self { id, cipher: XChaCha20Poly1305::new(&Key::from(bytes)) })
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SealingKeys").field("keys", &(self.older.len() + 1)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> SealingKeys {
        let lines: Vec<_> = bytes.iter().map(|byte| hex::encode([*byte; KEY])).collect();
        SealingKeys::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_under_its_name_alone() {
        let keys = keys(&[1]);
        for content in [&b""[..], b"x", b"an invented letter"] {
            let sealed = keys.seal("name", content).unwrap();
            assert_eq!(sealed.len(), MARK.len() + KEY_ID + NONCE + content.len() + 16);
            assert_eq!(open(Some(&keys), "name", sealed.clone()), Ok(Bytes::from(content.to_vec())));
            assert_eq!(open(Some(&keys), "other", sealed.clone()), Err(SealError::Broken));
            assert_ne!(keys.seal("name", content).unwrap(), sealed, "a nonce of its own");
        }
    }

    #[test]
    fn every_altered_or_missing_byte_is_noticed() {
        let keys = keys(&[1]);
        let sealed = keys.seal("name", b"an invented letter").unwrap();
        for place in MARK.len()..sealed.len() {
            let mut altered = sealed.to_vec();
            altered[place] ^= 1;
            assert!(open(Some(&keys), "name", altered.into()).is_err(), "{place}");
            assert!(open(Some(&keys), "name", sealed.slice(..place)).is_err(), "{place}");
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let sealed = keys(&[1]).seal("name", b"old").unwrap();
        let both = keys(&[2, 1]);
        assert_eq!(open(Some(&both), "name", sealed.clone()).unwrap(), "old");
        assert_eq!(open(Some(&keys(&[2])), "name", sealed.clone()), Err(SealError::KeyUnknown));
        assert_eq!(open(None, "name", sealed), Err(SealError::KeyUnknown));
        let sealed = both.seal("name", b"new").unwrap();
        assert_eq!(open(Some(&keys(&[2])), "name", sealed).unwrap(), "new");
    }

    #[test]
    fn what_was_never_sealed_is_read_as_it_is() {
        for keys in [None, Some(&keys(&[1]))] {
            assert_eq!(open(keys, "name", Bytes::from_static(b"%PDF")).unwrap(), "%PDF");
        }
    }

    #[test]
    fn a_key_file_is_lines_of_hexadecimal_digits() {
        let key = "5a".repeat(32);
        let text = format!("# the new one\n\n  {}\r\n{key}\n", "7b".repeat(32));
        let keys = SealingKeys::parse(&text).unwrap();
        assert_eq!(format!("{keys:?}"), "SealingKeys { keys: 2, .. }");
        for (text, error) in [
            (String::new(), KeyFileError::Empty),
            ("# none".to_owned(), KeyFileError::Empty),
            (format!("{key}\nshort"), KeyFileError::Line(2)),
            (format!("{key}00"), KeyFileError::Line(1)),
            (format!("\n{}", "zz".repeat(32)), KeyFileError::Line(2)),
        ] {
            assert_eq!(SealingKeys::parse(&text).unwrap_err(), error, "{text}");
        }
    }
}
