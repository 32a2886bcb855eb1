//! Tokens as they were a moment ago, so that not every request asks the database.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::token::Token;
use crate::ids::TokenId;

/// So long a revocation may take at most (`api.md` §9).
const LIFE: TimeDelta = TimeDelta::seconds(30);
/// So often a use is noted at most.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(60);
/// Far more clients than a gateway has; bounds the memory all the same.
const CAPACITY: usize = 4096;

/// Tokens that were looked up within the last 30 s. What is not there is not remembered: a token that was just issued is
/// good at once.
#[derive(Debug, Default)]
pub struct TokenCache(Mutex<HashMap<TokenId, Entry>>);

#[derive(Debug)]
struct Entry {
    token: Token,
    read_at: DateTime<Utc>,
}

impl Entry {
    /// A clock that went back makes an entry old, never eternal.
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..LIFE).contains(&(now - self.read_at))
    }
}

impl TokenCache {
    /// A token that is fresh enough.
    pub(super) fn get(&self, id: TokenId, now: DateTime<Utc>) -> Option<Token> {
        let entries = self.entries();
        entries.get(&id).filter(|entry| entry.is_fresh(now)).map(|entry| entry.token.clone())
    }

    /// Remembers a token as it is now.
    pub(super) fn put(&self, token: Token, now: DateTime<Utc>) {
        let mut entries = self.entries();
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| entry.is_fresh(now));
        }
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(token.id, Entry { token, read_at: now });
    }

    /// Forgets a token.
    pub(super) fn forget(&self, id: TokenId) {
        self.entries().remove(&id);
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.entries().clear();
    }

    /// Whether a use is to be noted now; says so once a minute for a token that it knows.
    pub(super) fn shall_note(&self, id: TokenId, now: DateTime<Utc>) -> bool {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(&id) else { return false };
        let due = entry.token.last_used_at.is_none_or(|noted| now - noted >= NOTED_EVERY);
        if due {
            entry.token.last_used_at = Some(now);
        }
        due
    }

    /// Nothing in here can be left half done by a panic.
    fn entries(&self) -> MutexGuard<'_, HashMap<TokenId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Scopes;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn token() -> Token {
        Token {
            id: TokenId::generate(),
            name: "1С".to_owned(),
            scopes: Scopes::default(),
            organizations: Vec::new(),
            employee: None,
            created_by: "test".to_owned(),
            created_at: at(0),
            expires_at: at(1000),
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_is_remembered_for_half_a_minute() {
        let cache = TokenCache::default();
        let token = token();
        assert_eq!(cache.get(token.id, at(0)), None);
        cache.put(token.clone(), at(0));
        assert_eq!(cache.get(token.id, at(29)), Some(token.clone()));
        assert_eq!(cache.get(token.id, at(30)), None);
        assert_eq!(cache.get(token.id, at(-1)), None, "the clock went back");
        cache.forget(token.id);
        assert_eq!(cache.get(token.id, at(0)), None);
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let cache = TokenCache::default();
        let token = token();
        assert!(!cache.shall_note(token.id, at(0)));
        cache.put(token.clone(), at(0));
        let noted = [0, 1, 59, 60, 61, 120].map(|second| cache.shall_note(token.id, at(second)));
        assert_eq!(noted, [true, false, false, true, false, true]);
        cache.put(Token { last_used_at: Some(at(120)), ..token.clone() }, at(150));
        assert!(!cache.shall_note(token.id, at(150)), "noted by another instance");
    }

    #[test]
    fn the_cache_stays_small() {
        let cache = TokenCache::default();
        for number in 0..CAPACITY + 10 {
            cache.put(token(), at(i64::try_from(number / 1000).unwrap()));
        }
        assert!(cache.entries().len() <= CAPACITY);
        cache.put(token(), at(1000));
        assert!(cache.entries().len() <= CAPACITY);
    }
}
