//! SQL types that mean one thing and look different in the two databases, and how Rust types go in and out of them.
//!
//! Identifiers of ours are stored as [`Uid`] by `uid!`, enums with a name as text by `text!`, without diesel in their
//! own files. A bare `uuid::Uuid`, `chrono::DateTime<Utc>` or `serde_json::Value` can be read from a row; to be written
//! or compared it is wrapped into [`Guid`], [`Ts`] or [`Json`], because Rust's orphan rule lets no other crate make
//! foreign types expressions of diesel's. Rows use the wrappers throughout.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::result::Error as DieselError;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, SqlType};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::error::StoreError;
use super::json::Misread;

/// An identifier: `uuid`, or 16 bytes.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Uid;

/// A time: `timestamptz`, or microseconds since 1970.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct Tstz;

/// A JSON document: `jsonb`, or its text.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Doc;

impl sql_types::SqlOrd for Uid {}
impl sql_types::SqlOrd for Tstz {}

/// A bare UUID on its way into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Guid(pub(crate) Uuid);

/// A time on its way into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ts(pub(crate) DateTime<Utc>);

/// A day in a row: what `NaiveDate` is as a column, read in a list of thousands of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) NaiveDate);

/// A document on its way into the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json(pub(crate) Value);

impl Json {
    /// What the document of a value is.
    pub(crate) fn of<T: Serialize>(value: &T) -> Result<Self, StoreError> {
        let value = serde_json::to_value(value);
        value.map(Self).map_err(|error| StoreError::Database(DieselError::SerializationError(error.into())))
    }

    /// The value of the document.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, StoreError> {
        serde_json::from_value(self.0).map_err(|error| StoreError::corrupt(Misread::of::<T>(&error)))
    }
}

impl FromSql<Uid, Pg> for Uuid {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <Self as FromSql<sql_types::Uuid, Pg>>::from_sql(value)
    }
}

impl ToSql<Uid, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <Self as ToSql<sql_types::Uuid, Pg>>::to_sql(self, out)
    }
}

impl FromSql<Uid, Sqlite> for Uuid {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_slice(value.read_blob())?)
    }
}

impl ToSql<Uid, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<Tstz, Pg> for DateTime<Utc> {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <Self as FromSql<sql_types::Timestamptz, Pg>>::from_sql(value)
    }
}

impl ToSql<Tstz, Pg> for DateTime<Utc> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <Self as ToSql<sql_types::Timestamptz, Pg>>::to_sql(self, &mut out.reborrow())
    }
}

impl FromSql<Tstz, Sqlite> for DateTime<Utc> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<sql_types::BigInt, Sqlite>>::from_sql(value)?;
        Self::from_timestamp_micros(micros).ok_or_else(|| "a time beyond all calendars".into())
    }
}

impl ToSql<Tstz, Sqlite> for DateTime<Utc> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.timestamp_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<sql_types::Date, Pg> for Day {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDate as FromSql<sql_types::Date, Pg>>::from_sql(value).map(Self)
    }
}

impl FromSql<sql_types::Date, Sqlite> for Day {
    /// chrono interprets a format for each value; a page of a list has hundreds of them.
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        let day = plain_day(text).map_or_else(|| text.parse(), Ok)?;
        Ok(Self(day))
    }
}

impl<DB: Backend> ToSql<sql_types::Date, DB> for Day
where
    NaiveDate: ToSql<sql_types::Date, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

/// A day of four, two and two digits; all but fanciful years are.
fn plain_day(text: &str) -> Option<NaiveDate> {
    let [y, e, a, r, b'-', m, o, b'-', d, ay] = *text.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u16, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(&[y, e, a, r])?, number(&[m, o])?, number(&[d, ay])?);
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
}

impl FromSql<Doc, Pg> for Value {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <Self as FromSql<sql_types::Jsonb, Pg>>::from_sql(value)
    }
}

impl ToSql<Doc, Pg> for Value {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <Self as ToSql<sql_types::Jsonb, Pg>>::to_sql(self, &mut out.reborrow())
    }
}

impl FromSql<Doc, Sqlite> for Value {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(value)?;
        Ok(serde_json::from_str(&text).map_err(|error| Misread::of::<Self>(&error))?)
    }
}

impl ToSql<Doc, Sqlite> for Value {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_string());
        Ok(IsNull::No)
    }
}

/// What diesel's derives `AsExpression` and `FromSqlRow` do, from outside of the type's own file.
macro_rules! column {
    ($name:ty, $sql:ty) => {
        const _: () = {
            use diesel::backend::Backend;
            use diesel::expression::AsExpression;
            use diesel::internal::derives::as_expression::Bound;
            use diesel::serialize::{self, Output, ToSql};
            use diesel::sql_types::{Nullable, SingleValue};

    $crate::store::types::column!(@expression $name, $sql);
    $crate::store::types::column!(@expression &$name, $sql);
    $crate::store::types::column!(@expression $name, Nullable<$sql>);
    $crate::store::types::column!(@expression &$name, Nullable<$sql>);

            impl<DB: Backend> ToSql<Nullable<$sql>, DB> for $name
            where
                Self: ToSql<$sql, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    <Self as ToSql<$sql, DB>>::to_sql(self, out)
                }
            }

            impl<ST, DB> diesel::deserialize::Queryable<ST, DB> for $name
            where
                DB: Backend,
                ST: SingleValue,
                Self: diesel::deserialize::FromSql<ST, DB>,
            {
                type Row = Self;

                fn build(row: Self) -> diesel::deserialize::Result<Self> {
                    Ok(row)
                }
            }
        };
    };
    (@expression $rust:ty, $sql:ty) => {
        impl AsExpression<$sql> for $rust {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    };
}

/// Stores a newtype as the type inside it.
macro_rules! wrapper {
    ($name:ident, $inner:ty, $sql:ty) => {
        $crate::store::types::column!($name, $sql);

        impl<DB> diesel::deserialize::FromSql<$sql, DB> for $name
        where
            DB: diesel::backend::Backend,
            $inner: diesel::deserialize::FromSql<$sql, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                <$inner as diesel::deserialize::FromSql<$sql, DB>>::from_sql(value).map(Self)
            }
        }

        impl<DB> diesel::serialize::ToSql<$sql, DB> for $name
        where
            DB: diesel::backend::Backend,
            $inner: diesel::serialize::ToSql<$sql, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                <$inner as diesel::serialize::ToSql<$sql, DB>>::to_sql(&self.0, out)
            }
        }
    };
}

/// Stores a newtype over `Uuid` as [`Uid`].
macro_rules! uid {
    ($name:ident) => {
        $crate::store::types::wrapper!($name, uuid::Uuid, $crate::store::types::Uid);
    };
}

/// Stores a type with `as_str(self) -> &'static str` and `FromStr` (whose error is an `Error`) as `Text`.
macro_rules! text {
    ($name:ident) => {
        $crate::store::types::column!($name, diesel::sql_types::Text);

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse::<Self>()?)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $name {
            fn from_sql(
                mut value: <diesel::sqlite::Sqlite as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                Ok(value.read_text().parse::<Self>()?)
            }
        }

        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }
    };
}

pub(crate) use {column, text, uid, wrapper};

column!(Day, sql_types::Date);
wrapper!(Guid, Uuid, Uid);
wrapper!(Ts, DateTime<Utc>, Tstz);
wrapper!(Json, Value, Doc);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_day_is_read_as_chrono_reads_it(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}|[-+0-9]{0,12}") {
            if let Some(day) = plain_day(&text) {
                prop_assert_eq!(Ok(day), text.parse::<NaiveDate>());
            }
        }

        #[test]
        fn a_day_of_our_years_is_plain(days in 0_i32..=3_652_058) {
            let day = NaiveDate::from_num_days_from_ce_opt(days + 1).unwrap();
            prop_assert_eq!(plain_day(&day.to_string()), Some(day));
        }
    }
}
