//! Examples of successful responses, made from the examples of their fields, so that an example always has every field
//! and obeys its schema.

use serde_json::{Map, Value, json};

use super::common::each_operation;

/// No shape of ours is nested deeper.
const DEEPEST: usize = 24;

/// Gives every JSON body of a successful response an example.
pub(super) fn add_examples(document: &mut Value) {
    let schemas =
        document.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default();
    each_operation(document, |_, operation| {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
        for (_, response) in
            responses.iter_mut().filter(|(status, _)| status.starts_with('2') || *status == "503")
        {
            let Some(content) = response.pointer_mut("/content/application~1json") else { continue };
            let example = content.get("schema").map(|schema| sample(schema, &schemas, 0));
            if let (Some(content), Some(example)) = (content.as_object_mut(), example) {
                content.entry("example").or_insert(example);
            }
        }
    });
}

/// A value that obeys a schema.
fn sample(schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(example) = schema.pointer("/examples/0") {
        return example.clone();
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or_default();
        return schemas.get(name).map_or(Value::Null, |schema| sample(schema, schemas, depth + 1));
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return merged(parts.iter().map(|part| sample(part, schemas, depth + 1)));
    }
    if ["oneOf", "anyOf"].iter().any(|word| schema.get(*word).is_some()) {
        // Only nullable references are written so: `null` is the plain example.
        return Value::Null;
    }
    by_type(schema, schemas, depth)
}

fn merged(parts: impl Iterator<Item = Value>) -> Value {
    let mut whole = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            whole.extend(part);
        }
    }
    Value::Object(whole)
}

fn by_type(schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Value {
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        // A nullable field without an example of its own.
        Some(Value::Array(_)) => return Value::Null,
        _ => return Value::Null,
    };
    match kind {
        "object" => {
            let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let fields =
                properties.iter().map(|(name, field)| (name.clone(), sample(field, schemas, depth + 1)));
            Value::Object(fields.collect())
        }
        "array" => schema.get("items").map_or(json!([]), |items| json!([sample(items, schemas, depth + 1)])),
        "boolean" => json!(false),
        "integer" | "number" => json!(0),
        _ => text(schema),
    }
}

fn text(schema: &Value) -> Value {
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => json!("5603dc9c-e161-414c-9787-e40836561101"),
        Some("date") => json!("2026-11-10"),
        Some("date-time") => json!("2026-11-04T01:15:40Z"),
        _ => json!("текст"),
    }
}
