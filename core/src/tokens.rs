//! Tokens: issued and revoked by clients with the scope `admin`, within what they have themselves. The operator's way is in
//! [`crate::access`].

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::Service;
use crate::access::NewToken;
use crate::access::authority::{administrator, reach, tell_others};
use crate::access::tokens::issue;
use crate::domain::caller::{Caller, Scope, Scopes};
use crate::domain::token::Token;
use crate::error::{Code, Error, Result};
use crate::ids::{EmployeeId, OrganizationId, TokenId};
use crate::store::{Tx, tokens};

/// Rows that are looked through at once for those that the reader may see.
const CHUNK: i64 = 200;

/// A token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantToken {
    /// The client's name.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// For whom; empty: for the organisation of the request.
    pub organizations: Vec<OrganizationId>,
    /// As whom.
    pub employee: Option<EmployeeId>,
    /// How long, 1 to 366.
    pub days: u16,
}

/// A token as somebody may see it who has one of its organisations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenToken {
    /// The token with those of its organisations that the reader has too.
    pub token: Token,
    /// Whether it has others besides.
    pub reaches_others: bool,
}

impl SeenToken {
    /// `None` when the reader has none of its organisations.
    fn of(token: Token, reach: &[OrganizationId]) -> Option<Self> {
        let all = token.organizations.len();
        let organizations: Vec<_> =
            token.organizations.iter().copied().filter(|id| reach.contains(id)).collect();
        let reaches_others = organizations.len() < all;
        let seen = Self { token: Token { organizations, ..token }, reaches_others };
        (!seen.token.organizations.is_empty()).then_some(seen)
    }
}

impl Service {
    /// Issues a token: its row, from which the HTTP side makes the text.
    ///
    /// # Errors
    /// [`Code::RightsExceeded`] when it would have what the caller's has not, or the caller acts as an employee; mistakes by
    /// their places.
    pub async fn grant_token(&self, tx: &mut Tx, caller: &Caller, grant: GrantToken) -> Result<SeenToken> {
        administrator(caller)?;
        // Who is revoked meanwhile issues nothing any more.
        tokens::hold(tx, caller.token).await?;
        let reach = reach(tx, caller).await?;
        let GrantToken { name, scopes, organizations, employee, days } = grant;
        let organizations = if organizations.is_empty() { vec![caller.organization] } else { organizations };
        let created_by = caller.subject.clone();
        let new = NewToken { name, scopes, organizations, employee, days, created_by };
        within(caller, &reach, &new)?;
        refuse_stronger_name(tx, caller, &new).await?;
        let now = self.clock.now();
        let token = issue(tx, new, now).await?;
        let target = format!("tokens/{}", token.id);
        tell_others(tx, caller, &token.organizations, "issue_token", &target, now).await?;
        Ok(SeenToken { token, reaches_others: false })
    }

    /// The tokens that have an organisation of the caller's, newest first, after (`created_at`, `id`).
    ///
    /// # Errors
    /// The scope `admin` is missing.
    pub async fn list_seen_tokens(
        &self,
        caller: &Caller,
        mut after: Option<(DateTime<Utc>, TokenId)>,
        limit: i64,
    ) -> Result<Vec<SeenToken>> {
        caller.need(Scope::Admin)?;
        let mut conn = self.db.scan().await?;
        let reach = reach(&mut conn, caller).await?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut seen = Vec::new();
        // There are few tokens, and no index of the organisations in them.
        while seen.len() < most {
            let rows = tokens::page(&mut conn, after, CHUNK).await?;
            let Some(last) = rows.last() else { break };
            after = Some((last.created_at, last.id));
            seen.extend(rows.into_iter().filter_map(|token| SeenToken::of(token, &reach)));
        }
        seen.truncate(most);
        Ok(seen)
    }

    /// One token.
    ///
    /// # Errors
    /// [`Error::NotFound`], also when the caller has none of its organisations.
    pub async fn get_seen_token(&self, caller: &Caller, id: TokenId) -> Result<SeenToken> {
        caller.need(Scope::Admin)?;
        let mut conn = self.db.read().await?;
        let reach = reach(&mut conn, caller).await?;
        let token = tokens::get(&mut conn, id).await?;
        token.and_then(|token| SeenToken::of(token, &reach)).ok_or(Error::NotFound)
    }

    /// Takes from a token what the caller has too: a token that has nothing else is revoked. Again, it changes nothing. Nobody
    /// makes a token safe from this by giving it more. Tell [`Service::forget_token`] once it is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`], also when the caller has none of its organisations; [`Code::StateConflict`] for the caller's own
    /// token.
    pub async fn withdraw_token(&self, tx: &mut Tx, caller: &Caller, id: TokenId) -> Result<()> {
        administrator(caller)?;
        let reach = reach(tx, caller).await?;
        tokens::hold(tx, id).await?;
        let token = tokens::get(tx, id).await?.ok_or(Error::NotFound)?;
        let (ours, others): (Vec<_>, Vec<_>) =
            token.organizations.iter().copied().partition(|organization| reach.contains(organization));
        if ours.is_empty() {
            return Err(Error::NotFound);
        }
        if id == caller.token {
            let detail = "токен не отзывает сам себя; выпустите новый и отзовите этот новым";
            return Err(Error::conflict(Code::StateConflict, detail, None));
        }
        if token.revoked_at.is_some() {
            return Ok(());
        }
        let now = self.clock.now();
        if others.is_empty() {
            tokens::revoke(tx, id, now).await?;
        } else {
            tokens::set_organizations(tx, id, &others).await?;
        }
        tell_others(tx, caller, &ours, "revoke_token", &format!("tokens/{id}"), now).await
    }
}

/// Refuses what the caller does not have himself.
fn within(caller: &Caller, reach: &[OrganizationId], new: &NewToken) -> Result<()> {
    let beyond: Vec<_> =
        new.scopes.iter().filter(|scope| !caller.scopes.allow(*scope)).map(Scope::as_str).collect();
    if !beyond.is_empty() {
        let detail = format!("у вашего токена нет прав, которые вы даёте: {}", beyond.join(", "));
        return Err(Error::refused(Code::RightsExceeded, detail));
    }
    if new.organizations.iter().all(|id| reach.contains(id)) {
        return Ok(());
    }
    let detail = "вы выпускаете токен для организации, которой у вашего токена нет";
    Err(Error::refused(Code::RightsExceeded, detail))
}

/// What a client has begun belongs to its name, and to its employee: whoever takes a name that is there must have all that its
/// tokens have had.
async fn refuse_stronger_name(tx: &mut Tx, caller: &Caller, new: &NewToken) -> Result<()> {
    let same =
        |token: &Token| token.name == new.name || new.employee.is_some() && token.employee == new.employee;
    let shares = |token: &Token| token.organizations.iter().any(|id| new.organizations.contains(id));
    let exceeds = |token: &Token| token.scopes.iter().any(|scope| !caller.scopes.allow(scope));
    let known = tokens::list(tx).await?;
    if !known.iter().any(|token| same(token) && shares(token) && exceeds(token)) {
        return Ok(());
    }
    let detail = "у токена с таким именем или этого сотрудника есть права, которых нет у вашего токена; назовите другое имя";
    Err(Error::refused(Code::RightsExceeded, detail))
}
