//! The types of events in the description of the operation that lists them, from the words of the core.

use debt_core::domain::event::EventKind;
use debt_core::domain::event_guide::{ANSWER_KEYS, DataKey};
use serde_json::Value;

use super::common::each_operation;

/// Puts the table behind the description of `list_events`.
pub(super) fn add(document: &mut Value) {
    each_operation(document, |_, operation| {
        if operation.get("operationId").and_then(Value::as_str) != Some("list_events") {
            return;
        }
        if let Some(Value::String(description)) = operation.get_mut("description") {
            description.push_str("\n\n");
            description.push_str(&table());
        }
    });
}

fn table() -> String {
    let rows: Vec<_> = EventKind::ALL.iter().copied().map(row).collect();
    format!(
        "Виды событий; то же — в справочнике `event_types`. У всех событий `answer.*` в `data` есть {}; в таблице названы \
         остальные ключи.\n\n| Вид | Когда | Ключи `data` |\n|---|---|---|\n{}",
        keys(ANSWER_KEYS),
        rows.join("\n")
    )
}

fn row(kind: EventKind) -> String {
    format!("| `{kind}` | {} | {} |", kind.meaning(), keys(kind.own_keys()))
}

fn keys(keys: &[DataKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| format!("`{}` — {}", key.name, key.meaning)).collect();
    keys.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_every_type_of_event_with_its_keys() {
        let document = super::super::document().unwrap();
        let description = document.pointer("/paths/~1v1~1events/get/description").unwrap().as_str().unwrap();
        for kind in EventKind::ALL.iter().copied() {
            let row = description.lines().find(|line| line.starts_with(&format!("| `{kind}` |"))).unwrap();
            assert_eq!(row.matches('|').count(), 4, "three cells: {row}");
            assert!(kind.own_keys().iter().all(|key| row.contains(&format!("`{}`", key.name))), "{row}");
        }
        assert!(ANSWER_KEYS.iter().all(|key| description.contains(&format!("`{}`", key.name))));
    }
}
