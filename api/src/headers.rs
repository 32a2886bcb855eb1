//! Request headers with a meaning of their own: `If-Match`, `Idempotency-Key`, `Organization-Id`, and the `ETag` of
//! answers (`api.md` §10).

use actix_web::http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use chrono::{DateTime, SecondsFormat, Utc};
use debt_core::Code;
use debt_core::error::{Error, Mistake};
use debt_core::ids::OrganizationId;

/// The header of a repeatable POST.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that says for which organisation a token of several acts.
pub const ORGANIZATION_ID: &str = "organization-id";
/// Most characters of an Idempotency-Key.
const LONGEST_KEY: usize = 255;

/// The version as an entity tag, `"3"`.
#[must_use]
pub fn etag(version: i64) -> (HeaderName, String) {
    (ETAG, format!("\"{version}\""))
}

/// When the mirror was last read from GIS, as `Data-As-Of`.
pub fn data_as_of(moment: DateTime<Utc>) -> Option<(HeaderName, HeaderValue)> {
    let text = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    Some((HeaderName::from_static("data-as-of"), HeaderValue::from_str(&text).ok()?))
}

/// The version that `If-Match` asks for; `None` when it is absent or `*`. What can be no version of ours (a weak tag, RFC
/// 9110 §13.1.1; a list; another text) asks for a version that no object has.
#[must_use]
pub fn if_match(headers: &HeaderMap) -> Option<i64> {
    let mut values = headers.get_all(IF_MATCH);
    let text = values.next()?.to_str().unwrap_or_default().trim();
    match (text, values.next()) {
        ("*", None) => None,
        (text, None) => Some(version(text).unwrap_or(NO_VERSION)),
        (_, Some(_)) => Some(NO_VERSION),
    }
}

/// Versions begin with 1.
const NO_VERSION: i64 = 0;

fn version(tag: &str) -> Option<i64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
}

/// An Idempotency-Key: 1 to 255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header; `None` when it is absent.
    ///
    /// # Errors
    /// [`Code::IdempotencyKeyInvalid`].
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY);
        let Some(value) = values.next() else { return Ok(None) };
        let printable = |value: &HeaderValue| value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'));
        let text = value.to_str().ok().filter(|text| (1..=LONGEST_KEY).contains(&text.len()));
        match text {
            Some(text) if values.next().is_none() && printable(value) => Ok(Some(Self(text.to_owned()))),
            Some(_) | None => {
                Err(Error::refused(Code::IdempotencyKeyInvalid, "нужно от 1 до 255 печатных знаков ASCII"))
            }
        }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads `Organization-Id`; `None` when it is absent.
///
/// # Errors
/// It is no GUID.
pub fn organization_id(headers: &HeaderMap) -> Result<Option<OrganizationId>, Error> {
    let Some(value) = headers.get(ORGANIZATION_ID) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.trim().parse().ok()) {
        Some(id) => Ok(Some(id)),
        None => Err(Error::Invalid(vec![Mistake::in_parameter(
            "Organization-Id",
            "format",
            "нужен GUID организации",
        )])),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    #[test]
    fn if_match_names_one_version() {
        assert_eq!(if_match(&HeaderMap::new()), None);
        for (values, version) in [
            (vec!["\"3\""], Some(3)),
            (vec!["*"], None),
            (vec!["\"1\", \"3\""], Some(NO_VERSION)),
            (vec!["\"1\"", "\"3\""], Some(NO_VERSION)),
            (vec!["W/\"3\""], Some(NO_VERSION)),
            (vec!["3"], Some(NO_VERSION)),
            (vec!["\"03\""], Some(NO_VERSION)),
            (vec![""], Some(NO_VERSION)),
            (vec!["\"99999999999999999999\""], Some(NO_VERSION)),
        ] {
            assert_eq!(if_match(&headers("if-match", &values)), version, "{values:?}");
        }
        assert_eq!(etag(3).1, "\"3\"");
    }

    #[test]
    fn an_idempotency_key_is_short_printable_and_alone() {
        assert_eq!(IdempotencyKey::read(&HeaderMap::new()).unwrap(), None);
        let long = "x".repeat(255);
        for (values, good) in [
            (vec!["1c-000123-2026-11-05"], true),
            (vec!["a b"], true),
            (vec![long.as_str()], true),
            (vec![""], false),
            (vec!["ключ"], false),
            (vec!["a\tb"], false),
            (vec!["a", "a"], false),
        ] {
            assert_eq!(IdempotencyKey::read(&headers(IDEMPOTENCY_KEY, &values)).is_ok(), good, "{values:?}");
        }
        assert!(IdempotencyKey::read(&headers(IDEMPOTENCY_KEY, &[&format!("{long}x")])).is_err());
    }

    #[test]
    fn an_organisation_is_a_guid_in_any_case() {
        let id = "5603dc9c-e161-414c-9787-e40836561101";
        let read = |text: &str| organization_id(&headers(ORGANIZATION_ID, &[text]));
        assert_eq!(read(&id.to_uppercase()).unwrap().unwrap().to_string(), id);
        assert!(read("x").is_err());
        assert_eq!(organization_id(&HeaderMap::new()).unwrap(), None);
    }
}
