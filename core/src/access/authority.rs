//! How far a client with the scope `admin` reaches: nobody gives away, sees or takes what he does not have himself.

use chrono::{DateTime, Utc};

use crate::audit::{NewAuditEntry, record};
use crate::domain::audit::Actor;
use crate::domain::caller::{Caller, Scope};
use crate::error::{Code, Error, Result};
use crate::ids::OrganizationId;
use crate::store::{Conn, Tx, tokens};

/// Refuses whoever may not change tokens and organisations. What an employee may do is his employer's to say: a token that
/// acts as one could otherwise make itself another without him.
pub(crate) fn administrator(caller: &Caller) -> Result<()> {
    caller.need(Scope::Admin)?;
    if caller.employee.is_none() {
        return Ok(());
    }
    let detail = "токен действует от имени сотрудника; токенами и организациями управляет токен программы";
    Err(Error::refused(Code::RightsExceeded, detail))
}

/// The organisations of the caller's token. The row says it, and not the token, which may be older than an organisation
/// that was added with it; and the row of this moment, not the one that was read half a minute ago.
pub(crate) async fn reach(conn: &mut Conn, caller: &Caller) -> Result<Vec<OrganizationId>> {
    let token = tokens::get(conn, caller.token).await?.ok_or(Error::NotFound)?;
    if token.revoked_at.is_some() {
        return Err(Error::refused(Code::TokenRevoked, "токен отозван; выпустите новый"));
    }
    Ok(token.organizations)
}

/// The request leaves its entry in the log of the organisation that it is made for; the others that it is about are told
/// here.
pub(crate) async fn tell_others(
    tx: &mut Tx,
    caller: &Caller,
    organizations: &[OrganizationId],
    action: &'static str,
    target: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    for organization in organizations.iter().filter(|id| **id != caller.organization) {
        let actor = Actor::Client {
            token: caller.token,
            name: caller.subject.clone(),
            employee: caller.employee,
            // It stands beside the identifier of the request in the first entry.
            ip: None,
        };
        record(tx, NewAuditEntry::new(*organization, actor, action, target), now).await?;
    }
    Ok(())
}
