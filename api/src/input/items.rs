//! A JSON body with a list `items` whose items may be wrong one by one: what is wrong with one is told apart from the
//! others, which are read all the same.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use debt_core::error::{Error, Mistake, Place};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::{extract, json, schema, typed};
use crate::problem::Failure;

/// An item that does not obey its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The item as it came.
    pub value: Value,
    /// What is wrong with it; the places are inside the item.
    pub mistakes: Vec<Mistake>,
}

/// A body that obeys its schema but for some of its items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemsBody<T> {
    /// What the body says, without the items that are wrong.
    pub content: T,
    /// Those, by their places in the list that came.
    pub wrong: BTreeMap<usize, Parts>,
    /// As of [`Body`](super::Body).
    pub digest: [u8; 32],
}

impl<T: ToSchema + DeserializeOwned + 'static> FromRequest for ItemsBody<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        extract(request, payload, parse)
    }
}

/// Reads the octets of a body.
///
/// # Errors
/// It is no JSON, or it does not obey the schema outside its items.
pub(super) fn parse<T: ToSchema + DeserializeOwned + 'static>(octets: &[u8]) -> Result<ItemsBody<T>, Error> {
    let mut value = json::parse(octets)?;
    let mut mistakes = schema::mistakes_of::<T>(&value)?;
    json::forbidden_characters(&value, &mut mistakes);
    let (of_items, others): (Vec<_>, Vec<_>) =
        mistakes.into_iter().map(inside).partition(|(place, _)| place.is_some());
    if !others.is_empty() {
        return Err(Error::Invalid(others.into_iter().map(|(_, mistake)| mistake).collect()));
    }
    let digest = json::digest(&value);
    let mut found: BTreeMap<usize, Vec<Mistake>> = BTreeMap::new();
    for (place, mistake) in of_items {
        found.entry(place.unwrap_or_default()).or_default().push(mistake);
    }
    let wrong = take_out(&mut value, found);
    Ok(ItemsBody { content: typed(value)?, wrong, digest })
}

/// The item that a mistake is about, and the mistake with its place inside it.
fn inside(mistake: Mistake) -> (Option<usize>, Mistake) {
    let Place::Pointer(pointer) = &mistake.place else { return (None, mistake) };
    let Some(rest) = pointer.strip_prefix("/items/") else { return (None, mistake) };
    let (place, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match place.parse() {
        Ok(place) => (Some(place), Mistake { place: Place::Pointer(rest.to_owned()), ..mistake }),
        Err(_) => (None, mistake),
    }
}

fn take_out(value: &mut Value, mut found: BTreeMap<usize, Vec<Mistake>>) -> BTreeMap<usize, Parts> {
    let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) else { return BTreeMap::new() };
    let mut wrong = BTreeMap::new();
    let all = std::mem::take(items);
    for (place, value) in all.into_iter().enumerate() {
        match found.remove(&place) {
            Some(mistakes) => drop(wrong.insert(place, Parts { value, mistakes })),
            None => items.push(value),
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct List {
        submit: bool,
        items: Vec<Item>,
    }

    #[derive(Debug, PartialEq, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[schema(max_length = 3)]
        name: String,
    }

    fn read_list(text: &str) -> Result<ItemsBody<List>, Error> {
        parse(text.as_bytes())
    }

    #[test]
    fn a_wrong_item_is_told_apart_from_the_others() {
        let text =
            r#"{"submit": true, "items": [{"name": "a"}, {"name": "abcd", "x/y": 1}, 7, {"name": "b"}]}"#;
        let body = read_list(text).unwrap();
        let names: Vec<_> = body.content.items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let places =
            |parts: &Parts| parts.mistakes.iter().map(|it| (it.place.clone(), it.code)).collect::<Vec<_>>();
        let at = |pointer: &str| Place::Pointer(pointer.to_owned());
        assert_eq!(places(&body.wrong[&1]), [(at("/name"), "too_long"), (at("/x~1y"), "unknown_field")]);
        assert_eq!(places(&body.wrong[&2]), [(at(""), "type")]);
        assert_eq!((body.wrong.len(), &body.wrong[&2].value), (2, &Value::from(7)));
    }

    #[test]
    fn what_is_wrong_outside_the_items_refuses_the_body() {
        for text in [
            r#"{"items": [{"name": "a"}]}"#,
            r#"{"submit": true, "items": {}}"#,
            r#"{"submit": true, "items": [{"name": "abcd"}], "itemz": []}"#,
            "[]",
        ] {
            let Err(Error::Invalid(mistakes)) = read_list(text) else { panic!("{text}") };
            assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
        }
    }
}
