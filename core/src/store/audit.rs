//! The audit log. Entries are added and read, and deleted when they are old; a trigger refuses changes.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::db::{both, insert_batch};
use super::json::AsJson;
use super::schema::audit_log;
use super::types::{Guid, Ts};
use super::{Conn, StoreError};
use crate::domain::answer::Confirm;
use crate::domain::audit::{Actor, ActorKind, AuditEntry, AuditFilter, Whom};
use crate::ids::{AuditId, EmployeeId, OrganizationId, TokenId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_log, treat_none_as_default_value = false)]
struct AuditRow {
    id: AuditId,
    organization_id: OrganizationId,
    at: Ts,
    actor: ActorKind,
    token_id: Option<TokenId>,
    token_name: Option<String>,
    employee_id: Option<EmployeeId>,
    ip: Option<String>,
    action: String,
    target: String,
    before_hash: Option<String>,
    after_hash: Option<String>,
    confirm: AsJson<Vec<Confirm>>,
    reason: Option<String>,
    request_id: Option<String>,
}

impl From<AuditEntry> for AuditRow {
    fn from(entry: AuditEntry) -> Self {
        let actor = entry.actor.kind();
        let (token_id, token_name, employee_id, ip) = match entry.actor {
            Actor::Client { token, name, employee, ip } => {
                (Some(token), Some(name), employee, ip.map(|ip| ip.to_string()))
            }
            Actor::Cli | Actor::Auto => (None, None, None, None),
        };
        Self {
            id: entry.id,
            organization_id: entry.organization,
            at: Ts(entry.at),
            actor,
            token_id,
            token_name,
            employee_id,
            ip,
            action: entry.action,
            target: entry.target,
            before_hash: entry.before_hash,
            after_hash: entry.after_hash,
            confirm: AsJson(entry.confirm),
            reason: entry.reason,
            request_id: entry.request_id,
        }
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let actor = match row.actor {
            ActorKind::Client => Actor::Client {
                token: row.token_id.ok_or_else(|| StoreError::corrupt("a client without a token"))?,
                name: row.token_name.unwrap_or_default(),
                employee: row.employee_id,
                ip: row.ip.map(|ip| ip.parse::<IpAddr>()).transpose().map_err(StoreError::corrupt)?,
            },
            ActorKind::Cli => Actor::Cli,
            ActorKind::Auto => Actor::Auto,
        };
        Ok(Self {
            id: row.id,
            organization: row.organization_id,
            at: row.at.0,
            actor,
            action: row.action,
            target: row.target,
            before_hash: row.before_hash,
            after_hash: row.after_hash,
            confirm: row.confirm.0,
            reason: row.reason,
            request_id: row.request_id,
        })
    }
}

/// Adds many entries.
pub(crate) async fn insert_all(conn: &mut Conn, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
    let rows = entries.into_iter().map(AuditRow::from).collect();
    insert_batch!(conn, rows, |batch| diesel::insert_into(audit_log::table).values(batch))?;
    Ok(())
}

/// Adds an entry.
pub(crate) async fn insert(conn: &mut Conn, entry: AuditEntry) -> Result<(), StoreError> {
    let row = AuditRow::from(entry);
    both!(conn, c => diesel::insert_into(audit_log::table).values(row).execute(c).await)?;
    Ok(())
}

/// Newest first, after (`at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    filter: &AuditFilter,
    after: Option<(DateTime<Utc>, AuditId)>,
    limit: i64,
) -> Result<Vec<AuditEntry>, StoreError> {
    let AuditFilter { target, action, actor, from, to } = filter.clone();
    let rows: Vec<AuditRow> = both!(conn, c => {
        let mut query = audit_log::table
            .filter(audit_log::organization_id.eq(organization))
            .order((audit_log::at.desc(), audit_log::id.desc()))
            .limit(limit)
            .select(AuditRow::as_select())
            .into_boxed();
        if let Some(target) = target {
            query = query.filter(audit_log::target.eq(target));
        }
        if let Some(action) = action {
            query = query.filter(audit_log::action.eq(action));
        }
        query = match actor {
            None => query,
            Some(Whom::Kind(kind)) => query.filter(audit_log::actor.eq(kind)),
            Some(Whom::Named(id)) => {
                query.filter(audit_log::token_id.eq(Guid(id)).or(audit_log::employee_id.eq(Guid(id))))
            }
        };
        if let Some(from) = from {
            query = query.filter(audit_log::at.ge(Ts(from)));
        }
        if let Some(to) = to {
            query = query.filter(audit_log::at.lt(Ts(to)));
        }
        if let Some((time, id)) = after {
            let same_moment = audit_log::at.eq(Ts(time)).and(audit_log::id.lt(id));
            query = query
                .filter(audit_log::at.le(Ts(time)))
                .filter(audit_log::at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(AuditEntry::try_from).collect()
}

/// Deletes entries from before a time, out of the `limit` oldest.
pub(crate) async fn delete_before(
    conn: &mut Conn,
    time: DateTime<Utc>,
    limit: i64,
) -> Result<usize, StoreError> {
    // Identifiers grow with time: no index of times over all organisations.
    let oldest: Vec<AuditId> = both!(conn, c => {
        audit_log::table.order(audit_log::id).limit(limit).select(audit_log::id).load(c).await
    })?;
    let Some(last) = oldest.last() else { return Ok(0) };
    let old = audit_log::table.filter(audit_log::id.le(*last)).filter(audit_log::at.lt(Ts(time)));
    Ok(both!(conn, c => diesel::delete(old).execute(c).await)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::samples::{at, stored_organization};
    use crate::store::test_db::for_both;

    fn entry(organization: OrganizationId, second: i64, target: &str) -> AuditEntry {
        AuditEntry {
            id: AuditId::generate(),
            organization,
            at: at(second),
            actor: Actor::Client {
                token: TokenId::generate(),
                name: "1С Биллинг".to_owned(),
                employee: Some(EmployeeId::generate()),
                ip: "2001:db8::1".parse().ok(),
            },
            action: "submit_answer".to_owned(),
            target: target.to_owned(),
            before_hash: Some("hmac:01".to_owned()),
            after_hash: None,
            confirm: vec![Confirm::AlreadyAnswered],
            reason: Some("Ответ дан по ошибке".to_owned()),
            request_id: Some("abc-1".to_owned()),
        }
    }

    #[test]
    fn entries_come_back_newest_first_and_to_their_owner_only() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let by_hand = AuditEntry { actor: Actor::Cli, ..entry(ours, 1, "organizations/1") };
            let client = entry(ours, 2, "answers/1");
            let by_itself = AuditEntry {
                actor: Actor::Auto,
                action: "create_answer".to_owned(),
                ..entry(ours, 2, "answers/2")
            };
            for entry in [&by_hand, &client] {
                insert(&mut tx, entry.clone()).await.unwrap();
            }
            insert_all(&mut tx, vec![by_itself.clone(), entry(theirs, 3, "answers/1")]).await.unwrap();
            let all = [by_itself.clone(), client.clone(), by_hand.clone()];
            let asked = async |tx: &mut Conn, filter: AuditFilter, after, limit| {
                page(tx, ours, &filter, after, limit).await.unwrap()
            };
            assert_eq!(asked(&mut tx, AuditFilter::default(), None, 9).await, all);
            let mut walked = Vec::new();
            let mut after = None;
            while let Some(entry) = asked(&mut tx, AuditFilter::default(), after, 1).await.pop() {
                after = Some((entry.at, entry.id));
                walked.push(entry);
            }
            assert_eq!(walked, all);

            let Actor::Client { token, employee: Some(employee), .. } = &client.actor else { panic!() };
            let (token, employee) = (*token, *employee);
            let filters = [
                (AuditFilter { target: Some("answers/1".to_owned()), ..AuditFilter::default() }, &client),
                (
                    AuditFilter { action: Some("create_answer".to_owned()), ..AuditFilter::default() },
                    &by_itself,
                ),
                (
                    AuditFilter { actor: Some(Whom::Named(token.as_uuid())), ..AuditFilter::default() },
                    &client,
                ),
                (
                    AuditFilter { actor: Some(Whom::Named(employee.as_uuid())), ..AuditFilter::default() },
                    &client,
                ),
                (AuditFilter { actor: Some(Whom::Kind(ActorKind::Cli)), ..AuditFilter::default() }, &by_hand),
                (AuditFilter { to: Some(at(2)), ..AuditFilter::default() }, &by_hand),
            ];
            for (filter, expected) in filters {
                assert_eq!(
                    asked(&mut tx, filter.clone(), None, 9).await,
                    std::slice::from_ref(expected),
                    "{filter:?}"
                );
            }
            let from = AuditFilter { from: Some(at(2)), ..AuditFilter::default() };
            assert_eq!(asked(&mut tx, from, None, 9).await, all[..2]);
        });
    }

    #[test]
    fn no_entry_is_changed_and_only_old_ones_are_deleted() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            assert_eq!(delete_before(&mut tx, at(9), 9).await.unwrap(), 0);
            for second in 1..=4 {
                insert(&mut tx, entry(organization, second, "answers/1")).await.unwrap();
            }
            tx.commit().await.unwrap();

            let mut tx = db.begin().await.unwrap();
            let change = both!(tx, c => {
                diesel::update(audit_log::table).set(audit_log::reason.eq(None::<String>)).execute(c).await
            });
            assert!(change.unwrap_err().to_string().contains("append-only"));
            drop(tx);

            let mut tx = db.begin().await.unwrap();
            assert_eq!(delete_before(&mut tx, at(4), 2).await.unwrap(), 2);
            assert_eq!(delete_before(&mut tx, at(4), 9).await.unwrap(), 1);
            assert_eq!(delete_before(&mut tx, at(4), 9).await.unwrap(), 0);
            let left = page(&mut tx, organization, &AuditFilter::default(), None, 9).await.unwrap();
            assert_eq!(left.iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(4)]);
        });
    }
}
