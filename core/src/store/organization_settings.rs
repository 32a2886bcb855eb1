//! What organisations have set for themselves, a row for each subject.

use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db::both;
use super::schema::organization_settings as table;
use super::types::{Json, Ts};
use super::{Conn, StoreError};
use crate::domain::settings::{OrganizationSettings, SettingsSubject, Standing};
use crate::ids::OrganizationId;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = table, treat_none_as_default_value = false)]
struct SettingsRow {
    organization_id: OrganizationId,
    subject: SettingsSubject,
    content: Json,
    version: i64,
    updated_at: Ts,
}

impl SettingsRow {
    fn standing<T: DeserializeOwned>(self) -> Result<Standing<T>, StoreError> {
        Ok(Standing {
            settings: self.content.read()?,
            version: self.version,
            updated_at: Some(self.updated_at.0),
        })
    }
}

/// What an organisation has set; the defaults where it has set nothing.
pub(crate) async fn get<T: OrganizationSettings + DeserializeOwned>(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Standing<T>, StoreError> {
    let row: Option<SettingsRow> = both!(conn, c => {
        table::table
            .find((organization, T::SUBJECT))
            .select(SettingsRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map_or_else(|| Ok(Standing::default()), SettingsRow::standing)
}

/// Stores what an organisation sets.
pub(crate) async fn put<T: OrganizationSettings + Serialize>(
    conn: &mut Conn,
    organization: OrganizationId,
    settings: &T,
    version: i64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = SettingsRow {
        organization_id: organization,
        subject: T::SUBJECT,
        content: Json::of(settings)?,
        version,
        updated_at: Ts(now),
    };
    let change = (
        table::content.eq(row.content.clone()),
        table::version.eq(row.version),
        table::updated_at.eq(row.updated_at),
    );
    both!(conn, c => {
        diesel::insert_into(table::table)
            .values(row)
            .on_conflict((table::organization_id, table::subject))
            .do_update()
            .set(change)
            .execute(c)
            .await
    })?;
    Ok(())
}

/// What each organisation has set that has set anything.
pub(crate) async fn all<T: OrganizationSettings + DeserializeOwned>(
    conn: &mut Conn,
) -> Result<Vec<(OrganizationId, Standing<T>)>, StoreError> {
    let rows: Vec<SettingsRow> = both!(conn, c => {
        table::table
            .filter(table::subject.eq(T::SUBJECT))
            .order(table::organization_id)
            .select(SettingsRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(|row| Ok((row.organization_id, row.standing()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::settings::{AutoAnswerSettings, MatchingSettings};
    use crate::store::samples::{at, stored_organization};
    use crate::store::test_db::for_both;

    #[test]
    fn each_subject_has_settings_of_its_own() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            assert_eq!(get::<MatchingSettings>(&mut tx, ours).await.unwrap(), Standing::default());
            let matching = MatchingSettings { enabled: true, ..MatchingSettings::default() };
            put(&mut tx, ours, &matching, 2, at(1)).await.unwrap();
            let changed = MatchingSettings { max_per_run: 7, ..matching };
            put(&mut tx, ours, &changed, 3, at(2)).await.unwrap();
            let standing = Standing { settings: changed, version: 3, updated_at: Some(at(2)) };
            assert_eq!(get(&mut tx, ours).await.unwrap(), standing);
            assert_eq!(all(&mut tx).await.unwrap(), [(ours, standing)]);
            assert_eq!(get::<MatchingSettings>(&mut tx, theirs).await.unwrap(), Standing::default());

            let auto = AutoAnswerSettings {
                departments: Some(vec![crate::ids::DepartmentId::generate()]),
                comment: Some("по реестру".to_owned()),
                ..AutoAnswerSettings::default()
            };
            put(&mut tx, ours, &auto, 2, at(3)).await.unwrap();
            assert_eq!(get::<AutoAnswerSettings>(&mut tx, ours).await.unwrap().settings, auto);
            assert_eq!(all::<MatchingSettings>(&mut tx).await.unwrap().len(), 1);
        });
    }
}
