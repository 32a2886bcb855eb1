//! What a validator found, in our codes and in Russian. Everything is taken from the schema: the limit that was broken
//! stands at the error's schema path, and a field may bring a code and a text of its own (`x-code`, `x-detail`).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use debt_core::Code;
use debt_core::error::Mistake;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::json::escape;
use crate::nearest::nearest;

/// The mistakes behind one error of the validator.
pub(super) fn explain(root: &Value, error: &ValidationError<'_>) -> Vec<Mistake> {
    let pointer = error.instance_path().as_str().to_owned();
    let schema_path = error.schema_path().as_str();
    let (keyword_value, schema) = (root.pointer(schema_path), parent(root, schema_path));
    if let ValidationErrorKind::Required { property } = error.kind() {
        let pointer = format!("{pointer}/{}", escape(property.as_str().unwrap_or_default()));
        return vec![Mistake::at(pointer, "required", "обязательное поле")];
    }
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let known = schema.and_then(|schema| schema.get("properties"));
        return unexpected.iter().map(|name| unknown_field(&pointer, name, known)).collect();
    }
    if let ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } =
        error.kind()
    {
        return best_branch(root, &pointer, context);
    }
    vec![by_keyword(error.kind().keyword(), pointer, keyword_value, schema)]
}

fn parent<'a>(root: &'a Value, schema_path: &str) -> Option<&'a Value> {
    root.pointer(schema_path.rsplit_once('/')?.0)
}

pub(super) fn unknown_field(pointer: &str, name: &str, known: Option<&Value>) -> Mistake {
    let names = known.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str());
    let hint =
        nearest(name, names).map_or_else(String::new, |near| format!("; возможно, имелось в виду {near}"));
    let pointer = format!("{pointer}/{}", escape(name));
    Mistake::at(pointer, Code::UnknownField.as_str(), format!("такого поля нет{hint}"))
}

/// Of several shapes the client meant the one that fits best: not one of another type, and with the fewest mistakes.
fn best_branch(root: &Value, pointer: &str, branches: &[Vec<ValidationError<'static>>]) -> Vec<Mistake> {
    let other_shape = |error: &ValidationError<'_>| {
        matches!(error.kind().keyword(), "type" | "const") && error.instance_path().as_str() == pointer
    };
    let meant = branches
        .iter()
        .filter(|errors| !errors.is_empty() && !errors.iter().any(other_shape))
        .min_by_key(|errors| errors.len());
    match meant {
        Some(errors) => errors.iter().flat_map(|error| explain(root, error)).collect(),
        None => vec![Mistake::at(pointer, "type", "значение другого типа")],
    }
}

fn by_keyword(keyword: &str, pointer: String, value: Option<&Value>, schema: Option<&Value>) -> Mistake {
    let limit = value.and_then(Value::as_u64);
    let number = value.map(Value::to_string).unwrap_or_default();
    let limited = |code, detail: String| match limit {
        Some(limit) => Mistake::at(&pointer, code, detail).with_max(limit),
        None => Mistake::at(&pointer, code, detail),
    };
    match keyword {
        "type" => Mistake::at(&pointer, "type", format!("нужно значение другого типа: {}", types(value))),
        "maxLength" => limited("too_long", format!("не более {number} знаков")),
        "minLength" if limit == Some(1) => Mistake::at(&pointer, "too_short", "не может быть пустым"),
        "minLength" => Mistake::at(&pointer, "too_short", format!("не менее {number} знаков")),
        "maxItems" => limited("too_many", format!("не более {number} элементов")),
        "minItems" => Mistake::at(&pointer, "too_few", format!("не менее {number} элементов")),
        "maximum" | "exclusiveMaximum" => limited("too_large", format!("не больше {number}")),
        "minimum" | "exclusiveMinimum" => Mistake::at(&pointer, "too_small", format!("не меньше {number}")),
        "enum" | "const" => Mistake::at(&pointer, "enum", format!("допустимые значения: {}", words(value))),
        "uniqueItems" => Mistake::at(&pointer, "repeated", "элементы повторяются"),
        "format" => own(&pointer, schema, "format", format_text(value)),
        "pattern" => own(&pointer, schema, "pattern", "значение не соответствует образцу"),
        _ => own(&pointer, schema, "invalid", "недопустимое значение"),
    }
}

/// The code and the text that a field brings itself.
fn own(pointer: &str, schema: Option<&Value>, code: &'static str, detail: &str) -> Mistake {
    let text = |name| schema.and_then(|schema| schema.get(name)).and_then(Value::as_str);
    Mistake::at(pointer, text("x-code").map_or(code, interned), text("x-detail").unwrap_or(detail))
}

/// Codes of schemas live as long as the program; there are as many as the schemas have.
fn interned(code: &str) -> &'static str {
    static CODES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(code) {
        return known;
    }
    let new: &'static str = Box::leak(code.to_owned().into_boxed_str());
    codes.insert(new);
    new
}

fn format_text(format: Option<&Value>) -> &'static str {
    match format.and_then(Value::as_str) {
        Some("uuid") => "нужен GUID",
        Some("date") => "нужна дата ГГГГ-ММ-ДД",
        Some("date-time") => "нужно время по RFC 3339, например 2026-11-02T06:15:00Z",
        Some("byte") => "нужен base64",
        Some("uri") => "нужен адрес",
        Some(_) | None => "неверный формат",
    }
}

fn types(value: Option<&Value>) -> String {
    let name = |value: &Value| match value.as_str() {
        Some("string") => "строка",
        Some("integer") => "целое число",
        Some("number") => "число",
        Some("boolean") => "true или false",
        Some("array") => "массив",
        Some("object") => "объект",
        Some(_) | None => "null",
    };
    match value {
        Some(Value::Array(types)) => types.iter().map(name).collect::<Vec<_>>().join(" или "),
        Some(one) => name(one).to_owned(),
        None => String::new(),
    }
}

fn words(value: Option<&Value>) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Some(Value::Array(words)) => words.iter().map(word).collect::<Vec<_>>().join(", "),
        Some(one) => word(one),
        None => String::new(),
    }
}

/// A path of serde as a JSON pointer.
pub(super) fn pointer_of(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}
