//! The schema of a body as the OpenAPI document shows it, made ready to validate; one for each type, made once.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use debt_core::error::{Error, Mistake};
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::mistakes;

/// A schema ready for use.
struct Compiled {
    root: Value,
    validator: Validator,
}

type Cache = RwLock<HashMap<TypeId, Arc<Compiled>>>;

/// Everything in a value that does not obey the schema of `T`.
pub(super) fn mistakes_of<T: ToSchema + 'static>(value: &Value) -> Result<Vec<Mistake>, Error> {
    let Compiled { root, validator } = &*compiled::<T>()?;
    let mut found: Vec<Mistake> =
        validator.iter_errors(value).flat_map(|error| mistakes::explain(root, &error)).collect();
    found.sort_by(|left, right| left.place.cmp(&right.place));
    found.dedup();
    Ok(found)
}

fn compiled<T: ToSchema + 'static>() -> Result<Arc<Compiled>, Error> {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    let cache = CACHE.get_or_init(Cache::default);
    let id = TypeId::of::<T>();
    if let Some(known) = cache.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Ok(Arc::clone(known));
    }
    let new = Arc::new(compile::<T>()?);
    cache.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&new));
    Ok(new)
}

/// The type's own schema with all others beside it, where its references point.
fn compile<T: ToSchema>() -> Result<Compiled, Error> {
    let mut components = Vec::new();
    T::schemas(&mut components);
    let mut root = serde_json::to_value(T::schema()).map_err(Error::internal)?;
    let components = serde_json::to_value(components.into_iter().collect::<HashMap<_, _>>());
    if let Some(root) = root.as_object_mut() {
        root.insert("components".to_owned(), json!({ "schemas": components.map_err(Error::internal)? }));
    }
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("uuid", |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok())
        .with_format("byte", is_base64)
        .build(&root)
        .map_err(|error| Error::internal(format!("the schema of {}: {error}", type_name::<T>())))?;
    Ok(Compiled { root, validator })
}

/// base64 as people and 1C write it: line breaks and spaces inside, padding or none.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_base64(text: &str) -> bool {
    decode_base64(text).is_some()
}

/// The octets of a base64 field.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        let dense: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        BASE64.decode(dense).ok()
    } else {
        BASE64.decode(text).ok()
    }
}
