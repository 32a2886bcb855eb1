//! Pages of lists: `limit`, the signed cursor and the `Link` header (`api.md` §10).
//!
//! A cursor is the place of the last item: its sort key, its id, and a hash of the filters it was made with. It is
//! signed with a secret of the database, so every instance accepts it and nobody can make one up; with other filters it
//! is refused, because it would skip or repeat items without a word.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use debt_core::Code;
use debt_core::error::{Error, Mistake};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Items of a page when the client does not say.
const USUAL: u32 = 50;
/// Most items of a page; larger numbers are coerced (AIP-158).
const MOST: u32 = 200;
/// Octets of a signature.
const TAG: usize = 32;

/// How many items a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Default for Limit {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl Limit {
    /// Reads the parameter `limit`.
    ///
    /// # Errors
    /// It is no whole number above zero.
    pub fn read(text: Option<&str>) -> Result<Self, Mistake> {
        let Some(text) = text else { return Ok(Self::default()) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(0) => Err(wrong_limit()),
            Ok(limit) if digits => Ok(Self(u32::min(limit, MOST))),
            // More digits than a u32 has are a large number all the same; the document speaks of an int64.
            Err(_) if digits && text.parse::<i64>().is_ok() => Ok(Self(MOST)),
            Ok(_) | Err(_) => Err(wrong_limit()),
        }
    }

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

fn wrong_limit() -> Mistake {
    let detail = format!("нужно целое число от 1 до {MOST}");
    Mistake::in_parameter("limit", "format", detail).with_max(u64::from(MOST))
}

/// The place of an item in an ordered list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The value of the sort key, as the list writes it.
    pub key: String,
    /// The item, which breaks ties.
    pub id: Uuid,
}

#[derive(Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    position: Position,
    filters: String,
}

impl Position {
    /// The sort key of a list in order of time.
    ///
    /// # Errors
    /// [`Code::InvalidCursor`]: the signature holds, so only a cursor of another version of ours ends here.
    pub fn moment(&self) -> Result<DateTime<Utc>, Error> {
        self.key.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or_else(Self::outdated)
    }

    /// The sort key of any other list.
    ///
    /// # Errors
    /// Likewise.
    pub fn key<T: FromStr>(&self) -> Result<T, Error> {
        self.key.parse().or(Err(Self::outdated()))
    }

    /// The error of a cursor whose signature holds but whose place means nothing: one of another version of ours.
    pub(crate) fn outdated() -> Error {
        Error::refused(Code::InvalidCursor, "курсор устарел; начните с первой страницы")
    }
}

/// Makes and reads cursors.
#[derive(Clone)]
pub struct Cursors {
    secret: [u8; 32],
}

impl Cursors {
    /// Cursors signed with the secret of the database.
    #[must_use]
    pub const fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The cursor behind an item of the list with these filters.
    #[must_use]
    pub fn make(&self, position: &Position, filters: &FilterHash) -> String {
        let content = Content { position: position.clone(), filters: filters.0.clone() };
        let content = serde_json::to_vec(&content).unwrap_or_default();
        let tag = self.mac(&content).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([tag, content].concat())
    }

    /// The place a cursor stands for.
    ///
    /// # Errors
    /// [`Code::InvalidCursor`].
    pub fn read(&self, cursor: &str, filters: &FilterHash) -> Result<Position, Error> {
        let Some(content) = self.open(cursor) else {
            return Err(Error::refused(Code::InvalidCursor, "курсор повреждён; начните с первой страницы"));
        };
        if content.filters != filters.0 {
            let detail = "курсор получен с другими фильтрами или сортировкой; начните с первой страницы";
            return Err(Error::refused(Code::InvalidCursor, detail));
        }
        Ok(content.position)
    }

    fn open(&self, cursor: &str) -> Option<Content> {
        let octets = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, content) = octets.split_at_checked(TAG)?;
        self.mac(content)?.verify_slice(tag).ok()?;
        serde_json::from_slice(content).ok()
    }

    fn mac(&self, content: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        mac.update(content);
        Some(mac)
    }
}

/// A hash of everything that decides which items a list has and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterHash(String);

impl FilterHash {
    /// The hash of a list's name and its parameters; `limit` and `cursor` do not count, nor does the order.
    #[must_use]
    pub fn of<'a>(list: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut parameters: Vec<_> =
            parameters.into_iter().filter(|(name, _)| !matches!(*name, "limit" | "cursor")).collect();
        parameters.sort_unstable();
        let mut hash = Sha256::new();
        for part in [list].into_iter().chain(parameters.into_iter().flat_map(|(name, value)| [name, value])) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(digest.iter().take(16).map(|octet| format!("{octet:02x}")).collect())
    }
}

/// The value of `Link` that leads to the next page: the same address with another cursor.
#[must_use]
pub fn next_link(address: &str, query: &str, cursor: &str) -> String {
    let kept = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("cursor", cursor)
        .finish();
    format!("<{address}?{query}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_of_another_version_is_an_outdated_cursor() {
        let position = |key: &str| Position { key: key.to_owned(), id: Uuid::nil() };
        assert_eq!(position("1500000").moment().unwrap().timestamp_micros(), 1_500_000);
        assert_eq!(position("7").key::<i64>().unwrap(), 7);
        for key in ["", "tea", "2026-11-05", "99999999999999999999"] {
            assert!(
                matches!(position(key).moment(), Err(Error::Refused { code: Code::InvalidCursor, .. })),
                "{key}"
            );
        }
    }

    fn filters(query: &str) -> FilterHash {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        FilterHash::of("answers", pairs.iter().map(|(name, value)| (&**name, &**value)))
    }

    #[test]
    fn a_limit_is_coerced_and_junk_is_refused() {
        for (text, expected) in [
            (None, Some(50)),
            (Some("1"), Some(1)),
            (Some("200"), Some(200)),
            (Some("201"), Some(200)),
            (Some("9223372036854775807"), Some(200)),
            (Some("9223372036854775808"), None),
            (Some("0"), None),
            (Some("-1"), None),
            (Some("+1"), None),
            (Some("1.5"), None),
            (Some(""), None),
            (Some("ten"), None),
        ] {
            assert_eq!(Limit::read(text).ok().map(Limit::get), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cursor_holds_with_the_same_filters_alone() {
        let cursors = Cursors::new([7; 32]);
        let position = Position { key: "2026-11-10".to_owned(), id: Uuid::from_u128(5) };
        let cursor = cursors.make(&position, &filters("state=queued&answered=false&limit=10"));
        assert_eq!(
            cursors.read(&cursor, &filters("answered=false&state=queued&cursor=x")).unwrap(),
            position
        );
        for (cursor, query) in [
            (cursor.as_str(), "state=queued"),
            (cursor.as_str(), "state=queued&answered=false&x="),
            (&cursor[1..], "state=queued&answered=false"),
            ("", "state=queued&answered=false"),
            ("курсор", "state=queued&answered=false"),
        ] {
            let error = cursors.read(cursor, &filters(query)).unwrap_err();
            assert!(matches!(error, Error::Refused { code: Code::InvalidCursor, .. }), "{cursor} {query}");
        }
        assert!(Cursors::new([8; 32]).read(&cursor, &filters("state=queued&answered=false")).is_err());
    }

    #[test]
    fn the_link_keeps_the_filters() {
        let link = next_link("https://d.ru/v1/answers", "state=queued&cursor=old&q=ул+Мира", "new");
        let expected = "<https://d.ru/v1/answers?state=queued&q=%D1%83%D0%BB+%D0%9C%D0%B8%D1%80%D0%B0&cursor=new>; rel=\"next\"";
        assert_eq!(link, expected);
    }

    proptest! {
        #[test]
        fn no_changed_cursor_is_accepted(key in ".{0,30}", id: u128, place: prop::sample::Index, bit in 0_u8..6) {
            let cursors = Cursors::new([7; 32]);
            let position = Position { key, id: Uuid::from_u128(id) };
            let cursor = cursors.make(&position, &filters(""));
            prop_assert_eq!(cursors.read(&cursor, &filters("")).unwrap(), position);
            let mut changed = cursor.clone().into_bytes();
            let place = place.index(changed.len());
            changed[place] ^= 1 << bit;
            let changed = String::from_utf8_lossy(&changed).into_owned();
            prop_assert!(cursors.read(&changed, &filters("")).is_err());
        }
    }
}
