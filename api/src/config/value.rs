//! Reads single values into their types. What comes from the environment is a text, so numbers and switches are read
//! from texts there, and there alone. A refusal says what is allowed and never repeats the value: it may be a secret.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::Days;
use url::Url;

use super::tree::{Node, Value};

/// What a reader gives: the value, or what is wrong with it.
pub(super) type Read<T> = Result<T, String>;

/// A text that is not empty.
pub(super) fn text(node: &Node) -> Read<String> {
    match &node.value {
        Value::Text(text) if text.is_empty() => Err("is empty".to_owned()),
        Value::Text(text) => Ok(text.clone()),
        other @ (Value::Integer(_) | Value::Bool(_) | Value::Other(_) | Value::List(_) | Value::Table(_)) => {
            Err(format!("must be a text in quotes, not {}", other.kind()))
        }
    }
}

/// A text that another type reads.
pub(super) fn parsed<T>(allowed: &'static str) -> impl Fn(&Node) -> Read<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    move |node| text(node)?.parse().map_err(|error: T::Err| format!("{error}; allowed: {allowed}"))
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&Node) -> Read<T> {
    move |node| {
        let text = text(node)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let allowed: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            format!("unknown value; allowed: {}", allowed.join(", "))
        })
    }
}

/// A switch.
pub(super) fn switch(node: &Node) -> Read<bool> {
    match &node.value {
        Value::Bool(value) => Ok(*value),
        Value::Text(text) if node.is_from_environment() && text == "true" => Ok(true),
        Value::Text(text) if node.is_from_environment() && text == "false" => Ok(false),
        other @ (Value::Text(_) | Value::Integer(_) | Value::Other(_) | Value::List(_) | Value::Table(_)) => {
            Err(format!("must be true or false, not {}", other.kind()))
        }
    }
}

/// A whole number between two others.
pub(super) fn number<T: TryFrom<i64>>(least: i64, most: i64) -> impl Fn(&Node) -> Read<T> {
    move |node| {
        let wrong = || format!("must be a whole number from {least} to {most}");
        let number = match &node.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) if node.is_from_environment() => text.parse().ok(),
            Value::Text(_) | Value::Bool(_) | Value::Other(_) | Value::List(_) | Value::Table(_) => None,
        };
        let number = number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong)?;
        T::try_from(number).ok().ok_or_else(wrong)
    }
}

/// A whole number from 1.
pub(super) fn count(most: u32) -> impl Fn(&Node) -> Read<NonZero<u32>> {
    move |node| {
        let number = number::<u32>(1, i64::from(most))(node)?;
        NonZero::new(number).ok_or_else(|| "must not be zero".to_owned())
    }
}

/// A length of time above zero.
pub(super) fn duration(node: &Node) -> Read<Duration> {
    let wrong = || "must be a length of time such as \"30s\", \"5m\", \"72h\" or \"30d\"".to_owned();
    match humantime_serde::re::humantime::parse_duration(&text(node)?) {
        Ok(duration) if duration.is_zero() => Err("must be longer than zero".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_not_a_duration) => Err(wrong()),
    }
}

/// A number of whole days: `"30d"`.
pub(super) fn days(most: u64) -> impl Fn(&Node) -> Read<Days> {
    const SECONDS_A_DAY: u64 = 24 * 3600;
    move |node| {
        let length = duration(node)?;
        let days = length.as_secs() / SECONDS_A_DAY;
        let is_whole = length == Duration::from_secs(days * SECONDS_A_DAY);
        if is_whole && days <= most {
            Ok(Days::new(days))
        } else {
            Err(format!("must be whole days from 1 to {most}, such as \"30d\""))
        }
    }
}

/// A number of calendar months: `"12 months"`.
pub(super) fn months(node: &Node) -> Read<chrono::Months> {
    let text = text(node)?;
    let number = text.strip_suffix("months").or_else(|| text.strip_suffix("month"));
    match number.map(|number| number.trim().parse::<u32>()) {
        Some(Ok(months @ 1..=1200)) => Ok(chrono::Months::new(months)),
        Some(Ok(_) | Err(_)) | None => {
            Err("must be a number of months from 1 to 1200, such as \"12 months\"".to_owned())
        }
    }
}

/// An address to listen at.
pub(super) fn socket(node: &Node) -> Read<SocketAddr> {
    text(node)?
        .parse()
        .ok()
        .ok_or_else(|| "must be an IP address and a port, such as \"127.0.0.1:8080\"".to_owned())
}

/// An address with `http` or `https`, without a user, a query or a fragment.
pub(super) fn web_address(node: &Node) -> Read<Url> {
    let wrong =
        || "must be an address that begins with http:// or https://, without user, query and fragment";
    let url = Url::parse(&text(node)?).ok().ok_or_else(wrong)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(url) } else { Err(wrong().to_owned()) }
}

/// A path; one in the file begins at the file's folder, one in the environment where the program was started.
pub(super) fn path(node: &Node, folder: &Path) -> Read<PathBuf> {
    let path = PathBuf::from(text(node)?);
    Ok(if node.is_from_environment() { path } else { folder.join(path) })
}

/// A list of values; in the environment commas may stand between texts.
pub(super) fn list<T>(read: impl Fn(&Node) -> Read<T>) -> impl Fn(&Node) -> Read<Vec<T>> {
    move |node| match (&node.value, node.fault()) {
        (Value::List(items), _) => items.iter().map(&read).collect(),
        (Value::Text(_), Some(fault)) => Err(fault),
        (Value::Text(text), None) if node.is_from_environment() => text
            .split(',')
            .map(|item| Node { value: Value::Text(item.trim().to_owned()), origin: node.origin.clone() })
            .map(|item| read(&item))
            .collect(),
        (
            other @ (Value::Text(_) | Value::Integer(_) | Value::Bool(_) | Value::Other(_) | Value::Table(_)),
            _,
        ) => Err(format!("must be a list in square brackets, not {}", other.kind())),
    }
}
