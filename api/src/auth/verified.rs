//! Tokens whose signature was found good: it cannot turn bad, and checking it anew for every request is work. Times and
//! revocation are not remembered here, they are judged each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::WireClaims;

/// Tokens remembered at once; a gateway has some dozens.
const CAPACITY: usize = 4096;

/// Claims by the digest of the token that carries them. Only good tokens get in, so nobody can fill it from outside.
#[derive(Default)]
pub(super) struct Verified(Mutex<HashMap<[u8; 32], Arc<WireClaims>>>);

impl Verified {
    /// The claims of a token, by looking or else by `verify`.
    pub(super) fn claims<E>(
        &self,
        token: &str,
        verify: impl FnOnce() -> Result<WireClaims, E>,
    ) -> Result<Arc<WireClaims>, E> {
        let digest = Sha256::digest(token.as_bytes()).into();
        if let Some(claims) = self.entries().get(&digest) {
            return Ok(Arc::clone(claims));
        }
        let claims = Arc::new(verify()?);
        let mut entries = self.entries();
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(digest, Arc::clone(&claims));
        Ok(claims)
    }

    /// Nothing in here can be left half done by a panic.
    fn entries(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<WireClaims>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
