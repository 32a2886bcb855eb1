//! Parts of rows that are stored as one JSON document: whoever reads or writes the row has the type, not the document.

use std::fmt::Debug;
use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::types::Doc;

/// Why a document could not be read, without a word of it: serde quotes what it finds, documents hold personal data, and this
/// goes to the log. Diesel adds the column.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the document is no {wanted} ({category:?})")]
pub(super) struct Misread {
    wanted: &'static str,
    category: Category,
}

impl Misread {
    /// Of a document that should be a `T`.
    pub(super) fn of<T>(error: &serde_json::Error) -> Self {
        Self { wanted: std::any::type_name::<T>(), category: error.classify() }
    }
}

/// A value that is stored as a [`Doc`].
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Doc)]
pub(crate) struct AsJson<T: Debug>(pub(crate) T);

impl<T: Debug, DB> FromSql<Doc, DB> for AsJson<T>
where
    T: DeserializeOwned,
    DB: Backend,
    Value: FromSql<Doc, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_value(Value::from_sql(value)?).map_err(|error| Misread::of::<T>(&error))?))
    }
}

impl<T: Debug + Serialize> ToSql<Doc, Pg> for AsJson<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version of the binary form of jsonb.
        out.write_all(&[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: Debug + Serialize> ToSql<Doc, Sqlite> for AsJson<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use serde::Deserialize;

    use super::*;
    use crate::store::samples::stored_organization;
    use crate::store::test_db::for_both;
    use crate::store::test_rows::{queued, set_content};
    use crate::store::types::Json;
    use crate::store::{StoreError, answers};

    #[derive(Debug, Deserialize)]
    enum Word {
        Known,
    }

    /// All that the log would say of an error.
    fn told(error: &StoreError) -> String {
        let mut text = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        text
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let name = serde_json::json!("Вымышленный");
        let quoted = serde_json::from_value::<Word>(name.clone()).unwrap_err().to_string();
        assert!(quoted.contains("Вымышленный"), "serde quotes: {quoted}");
        let told = told(&Json(name).read::<Word>().unwrap_err());
        assert!(told.contains("Word") && told.contains("Data") && !told.contains("Вымышленный"), "{told}");
        assert!(matches!(Json(serde_json::json!("Known")).read().unwrap(), Word::Known));
    }

    #[test]
    fn a_row_that_cannot_be_read_names_its_column_alone() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let (answer, _) = queued(&mut tx, organization).await;
            set_content(&mut tx, answer.id, serde_json::json!("Вымышленный")).await;
            let told = told(&answers::get(&mut tx, organization, answer.id).await.unwrap_err());
            assert!(told.contains("content") && !told.contains("Вымышленный"), "{told}");
        });
    }
}
