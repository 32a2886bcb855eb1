//! `schema.rs` against the tables that the migrations make: every table, column, type and whether it may be NULL.

use std::collections::BTreeSet;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;

use super::{Db, both};
use crate::store::test_db::for_both;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    column: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

const LITE: &str = r#"
    SELECT t.name AS "table", c.name AS "column", lower(c.type) AS kind, c."notnull" = 0 AND c.pk = 0 AS nullable
    FROM sqlite_master t, pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND t.name NOT LIKE '\_\_%' ESCAPE '\'"#;
const PG: &str = r#"
    SELECT table_name::text AS "table", column_name::text AS "column", data_type::text AS kind, is_nullable = 'YES' AS nullable
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT LIKE '\_\_%'"#;

#[test]
fn tables_are_as_diesel_sees_them() {
    for_both(async |db| {
        let made = made(&db).await;
        let seen = seen(db.is_embedded());
        assert_eq!(made.difference(&seen).collect::<Vec<_>>(), Vec::<&Column>::new(), "only in the database");
        assert_eq!(seen.difference(&made).collect::<Vec<_>>(), Vec::<&Column>::new(), "only in schema.rs");
    });
}

async fn made(db: &Db) -> BTreeSet<Column> {
    let mut conn = db.read().await.unwrap();
    let query = if db.is_embedded() { LITE } else { PG };
    let columns: Vec<Column> = both!(conn, c => diesel::sql_query(query).load(c).await).unwrap();
    columns.into_iter().collect()
}

/// Reads `schema.rs` itself: `name (key) {` begins a table, `name -> Type,` is a column.
fn seen(embedded: bool) -> BTreeSet<Column> {
    let mut table = String::new();
    let mut columns = BTreeSet::new();
    let text = [
        include_str!("../schema.rs"),
        include_str!("../schema/audit.rs"),
        include_str!("../schema/automation.rs"),
        include_str!("../schema/book.rs"),
        include_str!("../schema/matching.rs"),
        include_str!("../schema/notices.rs"),
        include_str!("../schema/people.rs"),
        include_str!("../schema/registry.rs"),
        include_str!("../schema/spreadsheets.rs"),
        include_str!("../schema/webhooks.rs"),
        include_str!("../schema/work.rs"),
    ]
    .concat();
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            name.clone_into(&mut table);
        } else if let Some((column, sql_type)) =
            line.strip_suffix(',').and_then(|line| line.split_once(" -> "))
        {
            let inner = sql_type.strip_prefix("Nullable<").and_then(|inner| inner.strip_suffix('>'));
            columns.insert(Column {
                table: table.clone(),
                column: column.to_owned(),
                kind: kind(inner.unwrap_or(sql_type), embedded).to_owned(),
                nullable: inner.is_some(),
            });
        }
    }
    columns
}

fn kind(sql_type: &str, embedded: bool) -> &'static str {
    let (lite, pg) = match sql_type {
        "Uid" => ("blob", "uuid"),
        "Tstz" => ("integer", "timestamp with time zone"),
        "Doc" => ("text", "jsonb"),
        "Text" => ("text", "text"),
        "Binary" => ("blob", "bytea"),
        "BigInt" => ("integer", "bigint"),
        "Integer" => ("integer", "integer"),
        "Bool" => ("integer", "boolean"),
        "Date" => ("text", "date"),
        other => panic!("a type nobody knows: {other}"),
    };
    if embedded { lite } else { pg }
}
