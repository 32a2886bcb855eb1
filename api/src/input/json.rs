//! JSON text into a value, more strictly than serde does it: no key twice, no endless nesting, no characters that XML
//! cannot carry.

use std::fmt;

use debt_core::Code;
use debt_core::error::{Error, Mistake};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// No body of ours is nested more deeply.
const DEEPEST: usize = 32;

pub(super) fn parse(octets: &[u8]) -> Result<Value, Error> {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut reader = serde_json::Deserializer::from_slice(octets);
    let value =
        Element { depth: DEEPEST }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| Error::refused(Code::MalformedJson, describe(&error)))
}

/// serde's own words may repeat the client's data and are English, so only the place is taken.
fn describe(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Eof => "JSON оборван",
        serde_json::error::Category::Data => "имя поля повторяется или вложенность слишком велика",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "нарушен синтаксис JSON",
    };
    format!("{what}: строка {line}, знак {column}")
}

#[derive(Clone, Copy)]
struct Element {
    depth: usize,
}

impl Element {
    fn below<E: de::Error>(self) -> Result<Self, E> {
        self.depth.checked_sub(1).map(|depth| Self { depth }).ok_or_else(|| E::custom("nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Element {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(below)?;
            if map.insert(key, value).is_some() {
                return Err(de::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// Notes every text with a character that XML 1.0 (production 2) does not have: GIS could not be told it.
pub(super) fn forbidden_characters(value: &Value, mistakes: &mut Vec<Mistake>) {
    walk(value, &mut String::new(), mistakes);
}

fn walk(value: &Value, pointer: &mut String, mistakes: &mut Vec<Mistake>) {
    let length = pointer.len();
    match value {
        Value::String(text) if !text.chars().all(is_xml) => {
            let detail = "текст содержит управляющий знак, который нельзя передать в ГИС ЖКХ";
            mistakes.push(Mistake::at(pointer.clone(), Code::CharacterNotAllowed.as_str(), detail));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{place}"));
                walk(item, pointer, mistakes);
                pointer.truncate(length);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                pointer.push('/');
                pointer.push_str(&escape(key));
                walk(item, pointer, mistakes);
                pointer.truncate(length);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// RFC 6901 §3.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

const fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// SHA-256 of a value; the order of keys does not count.
#[must_use]
pub fn digest(value: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    absorb(value, &mut hash);
    hash.finalize().into()
}

fn absorb(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Array(items) => {
            hash.update(format!("[{}", items.len()));
            items.iter().for_each(|item| absorb(item, hash));
        }
        Value::Object(map) => {
            hash.update(format!("{{{}", map.len()));
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, item) in entries {
                hash.update(format!("\"{}:{key}", key.len()));
                absorb(item, hash);
            }
        }
        Value::String(text) => hash.update(format!("\"{}:{text}", text.len())),
        Value::Null | Value::Bool(_) | Value::Number(_) => hash.update(format!("{value};")),
    }
}
