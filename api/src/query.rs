//! Query strings, read by hand: every mistake is collected, and a parameter that nobody asked for is refused. A filter
//! with a slip in its name would otherwise return everything, which is dangerous for a robot that answers.

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::Code;
use debt_core::error::{Error, Mistake};
use debt_core::ids::{
    AnswerId, AttachmentId, DebtRequestId, DepartmentId, EmployeeId, EventId, OrganizationId, SyncRunId,
    TokenId,
};
use uuid::Uuid;

use crate::nearest::nearest;
use crate::page::{FilterHash, Limit};

/// Names under which clients put tokens into addresses.
const TOKENS: [&str; 7] =
    ["token", "access_token", "access-token", "accesstoken", "api_key", "apikey", "authorization"];
/// Most values of a repeated parameter.
const MOST_VALUES: usize = 100;

/// A value that a parameter can have.
pub trait Parameter: Sized {
    /// What is allowed, in Russian, for people.
    const ALLOWED: &'static str;

    /// Reads the value.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! parameters {
    ($($kind:ty: $allowed:literal, $text:ident => $read:expr;)+) => {$(
        impl Parameter for $kind {
            const ALLOWED: &'static str = $allowed;

            fn read($text: &str) -> Option<Self> {
                $read
            }
        }
    )+};
}

macro_rules! identifiers {
    ($($id:ty),+) => {
        parameters! { $($id: "нужен GUID", text => text.parse().ok();)+ }
    };
}

parameters! {
    String: "нужен текст", text => Some(text.to_owned());
    bool: "нужно true или false", text => text.parse().ok();
    u64: "нужно целое число не меньше нуля", text => text.parse().ok();
    NaiveDate: "нужна дата ГГГГ-ММ-ДД", text => text.parse().ok();
    DateTime<Utc>: "нужно время по RFC 3339, например 2026-11-02T06:15:00Z", text => text.parse().ok();
}

identifiers!(
    Uuid,
    AnswerId,
    AttachmentId,
    DebtRequestId,
    DepartmentId,
    EmployeeId,
    EventId,
    OrganizationId,
    SyncRunId,
    TokenId
);

/// Refuses a request that has a token in its address, whatever else it has.
///
/// # Errors
/// [`Code::TokenMissing`].
pub fn refuse_token(query: &str) -> Result<(), Error> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    refuse_token_in(&pairs)
}

fn refuse_token_in(pairs: &[(String, String)]) -> Result<(), Error> {
    if !pairs.iter().any(|(name, _)| TOKENS.contains(&name.to_lowercase().as_str())) {
        return Ok(());
    }
    let detail = "токен в адресе не принимается: адреса остаются в журналах; передайте его в заголовке \
                  Authorization: Bearer и замените этот токен новым";
    Err(Error::refused(Code::TokenMissing, detail))
}

/// A query string being read.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
    mistakes: Vec<Mistake>,
}

impl Query {
    /// Reads a query string that may have these parameters. An empty value is a mistake: a filter whose value got
    /// lost would otherwise return everything.
    ///
    /// # Errors
    /// A token stands in it, or a parameter that is not among these.
    pub fn of(query: &str, known: &[&str]) -> Result<Self, Error> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        refuse_token_in(&pairs)?;
        let unknown: Vec<_> = pairs
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, _)| unknown_parameter(name, known))
            .collect();
        if !unknown.is_empty() {
            return Err(Error::Invalid(unknown));
        }
        let mistakes = pairs.iter().filter_map(|(name, value)| unreadable(name, value)).collect();
        Ok(Self { pairs, mistakes })
    }

    /// The value of a parameter that may stand once.
    pub fn one<T: Parameter>(&mut self, name: &str) -> Option<T> {
        self.one_with(name, |text| T::read(text).ok_or_else(|| T::ALLOWED.to_owned()))
    }

    /// The same with a reader that says in Russian what is wrong.
    pub fn one_with<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let mut values = self.values(name);
        let first = values.pop()?;
        if !values.is_empty() {
            self.wrong(name, "repeated", "параметр можно указать только один раз");
            return None;
        }
        match read(&first) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.wrong(name, "format", detail);
                None
            }
        }
    }

    /// The values of a parameter that may be repeated.
    pub fn many<T: Parameter>(&mut self, name: &str) -> Vec<T> {
        let values = self.values(name);
        if values.len() > MOST_VALUES {
            let detail = format!("не более {MOST_VALUES} значений");
            let mistake = Mistake::in_parameter(name, "too_many", detail);
            self.mistakes.push(mistake.with_max(u64::try_from(MOST_VALUES).unwrap_or(u64::MAX)));
            return Vec::new();
        }
        let mut read = Vec::with_capacity(values.len());
        for value in values {
            match T::read(&value) {
                Some(value) => read.push(value),
                None => self.wrong(name, "format", T::ALLOWED),
            }
        }
        read
    }

    /// A text of at most so many characters.
    pub fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        self.one::<String>(name).filter(|text| self.fits(name, text, longest))
    }

    /// Such texts of a parameter that may be repeated.
    pub fn texts(&mut self, name: &str, longest: usize) -> Vec<String> {
        let texts = self.many::<String>(name);
        texts.into_iter().filter(|text| self.fits(name, text, longest)).collect()
    }

    fn fits(&mut self, name: &str, text: &str, longest: usize) -> bool {
        let fits = text.chars().count() <= longest;
        if !fits {
            let mistake = Mistake::in_parameter(name, "too_long", format!("не более {longest} знаков"));
            self.mistakes.push(mistake.with_max(u64::try_from(longest).unwrap_or(u64::MAX)));
        }
        fits
    }

    /// The parameter `limit`.
    pub fn limit(&mut self) -> Limit {
        let text = self.one::<String>("limit");
        match Limit::read(text.as_deref()) {
            Ok(limit) => limit,
            Err(mistake) => {
                self.mistakes.push(mistake);
                Limit::default()
            }
        }
    }

    /// Notes a mistake that the route found.
    pub fn wrong(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        self.mistakes.push(Mistake::in_parameter(name, code, detail));
    }

    /// The hash of the filters, for cursors.
    #[must_use]
    pub fn filters(&self, list: &str) -> FilterHash {
        FilterHash::of(list, self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every mistake of the values.
    pub fn finish(self) -> Result<(), Error> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(Error::Invalid(self.mistakes)) }
    }

    fn values(&self, name: &str) -> Vec<String> {
        let named = self.pairs.iter().filter(|(known, value)| known == name && !value.is_empty());
        named.map(|(_, value)| value.clone()).collect()
    }
}

/// What no parameter can have for a value.
fn unreadable(name: &str, value: &str) -> Option<Mistake> {
    if value.is_empty() {
        return Some(Mistake::in_parameter(name, "empty", "параметр без значения"));
    }
    let control = value.chars().any(char::is_control);
    let code = Code::CharacterNotAllowed.as_str();
    control.then(|| Mistake::in_parameter(name, code, "управляющие знаки не допускаются"))
}

fn unknown_parameter(name: &str, known: &[&str]) -> Mistake {
    let hint = nearest(name, known.iter().copied())
        .map_or_else(String::new, |near| format!("; возможно, имелся в виду {near}"));
    Mistake::in_parameter(name, Code::UnknownParameter.as_str(), format!("такого параметра нет{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["limit", "cursor", "due_from", "number", "answered"];

    fn mistakes(error: Error) -> Vec<(Mistake, String)> {
        let Error::Invalid(mistakes) = error else { panic!("{error}") };
        mistakes.into_iter().map(|mistake| (mistake.clone(), mistake.detail)).collect()
    }

    #[test]
    fn values_are_typed_and_repeated_where_allowed() {
        let mut query = Query::of("due_from=2026-11-10&number=1&number=2", &KNOWN).unwrap();
        assert_eq!(query.one::<NaiveDate>("due_from"), NaiveDate::from_ymd_opt(2026, 11, 10));
        assert_eq!(query.many::<u64>("number"), [1, 2]);
        assert_eq!(query.one::<bool>("answered"), None);
        assert_eq!(query.limit().get(), 50);
        query.finish().unwrap();
    }

    #[test]
    fn a_mistyped_filter_is_refused_with_the_nearest_name() {
        let found = mistakes(Query::of("due_form=2026-11-10&zzz=1", &KNOWN).unwrap_err());
        assert_eq!(found.len(), 2);
        assert!(found[0].1.contains("due_from"), "{found:?}");
        assert!(found.iter().all(|(mistake, _)| mistake.code == "unknown_parameter"));
    }

    #[test]
    fn all_wrong_values_are_named_at_once() {
        let query = "due_from=10.11.2026&number=x&answered=true&answered=false&limit=0";
        let mut query = Query::of(query, &KNOWN).unwrap();
        assert_eq!(query.one::<NaiveDate>("due_from"), None);
        assert!(query.many::<u64>("number").is_empty());
        assert_eq!(query.one::<bool>("answered"), None);
        query.limit();
        let codes: Vec<_> =
            mistakes(query.finish().unwrap_err()).iter().map(|(mistake, _)| mistake.code).collect();
        assert_eq!(codes, ["format", "format", "repeated", "format"]);

        let mut query = Query::of("answered=&number=12345", &KNOWN).unwrap();
        assert_eq!(query.one::<bool>("answered"), None);
        assert!(query.texts("number", 4).is_empty());
        let codes: Vec<_> =
            mistakes(query.finish().unwrap_err()).iter().map(|(mistake, _)| mistake.code).collect();
        assert_eq!(codes, ["empty", "too_long"]);

        let many = vec!["number=1"; 101].join("&");
        let mut query = Query::of(&many, &KNOWN).unwrap();
        query.many::<u64>("number");
        assert_eq!(mistakes(query.finish().unwrap_err())[0].0.max, Some(100));
    }

    #[test]
    fn a_token_in_the_address_is_refused_whatever_its_name() {
        for query in ["token=x", "access_token=x", "Access-Token=x", "limit=5&API_KEY=x"] {
            let error = Query::of(query, &KNOWN).unwrap_err();
            assert!(matches!(error, Error::Refused { code: Code::TokenMissing, .. }), "{query}");
        }
    }
}
