//! The audit log (`api.md` §14). An entry is written in the transaction of what it tells of: there is none without the
//! other. Representations are hashed with the organisation's key, so that the log proves what stood there without holding
//! it, and proves nothing any more once the key is destroyed.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::Service;
use crate::domain::answer::Confirm;
use crate::domain::audit::{Actor, AuditEntry, AuditFilter};
use crate::domain::caller::{Caller, Scope};
use crate::domain::content::keyed_hash;
use crate::error::{Error, Result};
use crate::ids::{AuditId, OrganizationId};
use crate::store::{Conn, Tx, audit, organizations};

/// The first part of what is hashed; contents of answers, under the same key, begin otherwise.
const REPRESENTATION: &[u8] = b"representation";

/// An object that was changed: the log tells of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// As it was.
    pub before: T,
    /// As it is.
    pub after: T,
}

/// Something that is done.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// Whose log it belongs to.
    pub organization: OrganizationId,
    /// Who does it.
    pub actor: Actor,
    /// What is done: the name of the operation.
    pub action: String,
    /// To what: the kind and, where it has one, the identifier, `answers/7f3e…`.
    pub target: String,
    /// What stood there before; may hold personal data, only its hash is kept.
    pub before: Option<Bytes>,
    /// The same of what stands there afterwards.
    pub after: Option<Bytes>,
    /// What the client confirmed.
    pub confirm: Vec<Confirm>,
    /// The client's reason.
    pub reason: Option<String>,
    /// The identifier of the request.
    pub request_id: Option<String>,
}

impl NewAuditEntry {
    /// An entry that says who does what to what.
    #[must_use]
    pub fn new(
        organization: OrganizationId,
        actor: Actor,
        action: impl Into<String>,
        target: impl Into<String>,
    ) -> Self {
        Self {
            organization,
            actor,
            action: action.into(),
            target: target.into(),
            before: None,
            after: None,
            confirm: Vec::new(),
            reason: None,
            request_id: None,
        }
    }
}

impl std::fmt::Debug for NewAuditEntry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("NewAuditEntry");
        shown.field("action", &self.action).field("target", &self.target).finish_non_exhaustive()
    }
}

/// Writes down what the transaction does.
///
/// # Errors
/// There is something to be hashed and no such organisation; those of the database.
pub async fn record(tx: &mut Tx, new: NewAuditEntry, now: DateTime<Utc>) -> Result<()> {
    let NewAuditEntry { organization, before, after, .. } = &new;
    let (before_hash, after_hash) = if before.is_some() || after.is_some() {
        let key = organizations::get(tx, *organization).await?.ok_or(Error::NotFound)?.content_key;
        (before.as_deref().map(|body| hash(&key, body)), after.as_deref().map(|body| hash(&key, body)))
    } else {
        (None, None)
    };
    let entry = AuditEntry {
        id: AuditId::generate(),
        organization: new.organization,
        at: now,
        actor: new.actor,
        action: new.action,
        target: new.target,
        before_hash,
        after_hash,
        confirm: new.confirm,
        reason: new.reason,
        request_id: new.request_id,
    };
    Ok(audit::insert(tx, entry).await?)
}

/// Writes down what the gateway does by itself, an entry for each target. Nobody has sent or seen a representation of it, so
/// there is nothing to be hashed.
///
/// # Errors
/// Those of the database.
pub(crate) async fn record_own(
    conn: &mut Conn,
    organization: OrganizationId,
    action: &str,
    targets: Vec<String>,
    now: DateTime<Utc>,
) -> Result<()> {
    let entry = |target| AuditEntry {
        id: AuditId::generate(),
        organization,
        at: now,
        actor: Actor::Auto,
        action: action.to_owned(),
        target,
        before_hash: None,
        after_hash: None,
        confirm: Vec::new(),
        reason: None,
        request_id: None,
    };
    Ok(audit::insert_all(conn, targets.into_iter().map(entry).collect()).await?)
}

fn hash(key: &[u8; 32], representation: &[u8]) -> String {
    keyed_hash(key, [REPRESENTATION, representation])
}

impl Service {
    /// Newest first, after (`at`, `id`).
    ///
    /// # Errors
    /// The scope `audit:read` is missing.
    pub async fn list_audit_log(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        after: Option<(DateTime<Utc>, AuditId)>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>> {
        caller.need(Scope::AuditRead)?;
        let mut conn = self.db.scan().await?;
        Ok(audit::page(&mut conn, caller.organization, filter, after, limit).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::ids::TokenId;
    use crate::store::test_db::for_both;
    use crate::test_service::{Bench, only};

    fn entry(caller: &Caller, after: Option<&'static str>) -> NewAuditEntry {
        let actor = Actor::Client {
            token: caller.token,
            name: caller.subject.clone(),
            employee: None,
            ip: "127.0.0.1".parse().ok(),
        };
        let after = after.map(|text| Bytes::from_static(text.as_bytes()));
        let new = NewAuditEntry::new(caller.organization, actor, "edit_answer", "answers/1");
        NewAuditEntry { before: Some(Bytes::from_static(b"{}")), after, ..new }
    }

    #[test]
    fn what_was_changed_stands_there_as_a_hash() {
        for_both(async |db| {
            let Bench { service, caller, .. } = &Bench::new(db).await;
            let now = service.clock.now();
            let mut tx = service.db.begin().await.unwrap();
            for after in [Some("{}"), Some("{\"name\":\"Вымышленный\"}"), None] {
                record(&mut tx, entry(caller, after), now).await.unwrap();
            }
            tx.commit().await.unwrap();
            let found = service.list_audit_log(caller, &AuditFilter::default(), None, 9).await.unwrap();
            assert_eq!(found.len(), 3);
            let hashes: Vec<_> = found.iter().map(|entry| entry.after_hash.clone()).collect();
            let before = found[0].before_hash.clone();
            assert!(before.as_ref().is_some_and(|text| text.starts_with("hmac:") && text.len() == 69));
            assert!(hashes.contains(&before), "the same gives the same");
            assert_eq!(hashes.iter().filter(|hash| **hash == before).count(), 1, "and nothing else does");
            assert!(hashes.contains(&None));
            assert!(!format!("{found:?}").contains("Вымышленный"));
        });
    }

    #[test]
    fn what_the_gateway_does_by_itself_is_told_of_each_target() {
        for_both(async |db| {
            let Bench { service, caller, .. } = &Bench::new(db).await;
            let (now, mine) = (service.clock.now(), caller.organization);
            let mut tx = service.db.begin().await.unwrap();
            let targets = vec!["answers/1".to_owned(), "answers/2".to_owned()];
            record_own(&mut tx, mine, "create_answer", targets, now).await.unwrap();
            record_own(&mut tx, mine, "create_answer", Vec::new(), now).await.unwrap();
            tx.commit().await.unwrap();
            let mut found = service.list_audit_log(caller, &AuditFilter::default(), None, 9).await.unwrap();
            found.sort_by_key(|entry| entry.target.clone());
            let told: Vec<_> = found.iter().map(|it| (&it.actor, it.at, it.target.as_str())).collect();
            assert_eq!(told, [(&Actor::Auto, now, "answers/1"), (&Actor::Auto, now, "answers/2")]);
        });
    }

    #[test]
    fn an_entry_goes_with_its_transaction_and_is_read_by_those_who_may() {
        for_both(async |db| {
            let Bench { service, caller, .. } = &Bench::new(db).await;
            let mut tx = service.db.begin().await.unwrap();
            record(&mut tx, entry(caller, None), service.clock.now()).await.unwrap();
            drop(tx);
            let filter = AuditFilter::default();
            assert_eq!(service.list_audit_log(caller, &filter, None, 9).await.unwrap(), []);
            let reader = only(caller, Scope::StatsRead);
            let refused = service.list_audit_log(&reader, &filter, None, 9).await.unwrap_err();
            assert!(matches!(refused, Error::Refused { code: Code::ScopeMissing, .. }));
        });
    }

    #[test]
    fn nothing_is_shown_of_what_is_hashed() {
        let caller = crate::test_service::caller(OrganizationId::generate());
        let caller = Caller { token: TokenId::generate(), ..caller };
        assert!(!format!("{:?}", entry(&caller, Some("Вымышленный"))).contains("Вымышленный"));
    }
}
