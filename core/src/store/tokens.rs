//! Tokens that were issued: what is known of each, never the token itself.

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::db::{Backend, both};
use super::schema::tokens;
use super::types::{Json, Ts};
use super::{Conn, StoreError};
use crate::domain::token::Token;
use crate::ids::{EmployeeId, OrganizationId, TokenId};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
struct TokenRow {
    jti: TokenId,
    name: String,
    scopes: String,
    organizations: Json,
    employee_id: Option<EmployeeId>,
    created_by: String,
    created_at: Ts,
    expires_at: Ts,
    last_used_at: Option<Ts>,
    revoked_at: Option<Ts>,
}

impl TokenRow {
    fn of(token: &Token) -> Result<Self, StoreError> {
        Ok(Self {
            jti: token.id,
            name: token.name.clone(),
            scopes: token.scopes.to_string(),
            organizations: Json::of(&token.organizations)?,
            employee_id: token.employee,
            created_by: token.created_by.clone(),
            created_at: Ts(token.created_at),
            expires_at: Ts(token.expires_at),
            last_used_at: token.last_used_at.map(Ts),
            revoked_at: token.revoked_at.map(Ts),
        })
    }
}

impl TryFrom<TokenRow> for Token {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.jti,
            name: row.name,
            scopes: row.scopes.parse().map_err(StoreError::corrupt)?,
            organizations: row.organizations.read()?,
            employee: row.employee_id,
            created_by: row.created_by,
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
            last_used_at: row.last_used_at.map(|time| time.0),
            revoked_at: row.revoked_at.map(|time| time.0),
        })
    }
}

/// Notes a token that was issued.
pub(crate) async fn insert(conn: &mut Conn, token: &Token) -> Result<(), StoreError> {
    let row = TokenRow::of(token)?;
    both!(conn, c => diesel::insert_into(tokens::table).values(row).execute(c).await)?;
    Ok(())
}

/// One token.
pub(crate) async fn get(conn: &mut Conn, id: TokenId) -> Result<Option<Token>, StoreError> {
    let row = both!(conn, c => {
        tokens::table.find(id).select(TokenRow::as_select()).first(c).await.optional()
    })?;
    row.map(Token::try_from).transpose()
}

/// All, newest first.
pub(crate) async fn list(conn: &mut Conn) -> Result<Vec<Token>, StoreError> {
    let rows = both!(conn, c => {
        tokens::table
            .order((tokens::created_at.desc(), tokens::jti.desc()))
            .select(TokenRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Token::try_from).collect()
}

/// Newest first, after (`created_at`, jti).
pub(crate) async fn page(
    conn: &mut Conn,
    after: Option<(DateTime<Utc>, TokenId)>,
    limit: i64,
) -> Result<Vec<Token>, StoreError> {
    let rows: Vec<TokenRow> = both!(conn, c => {
        let mut query = tokens::table
            .order((tokens::created_at.desc(), tokens::jti.desc()))
            .limit(limit)
            .select(TokenRow::as_select())
            .into_boxed();
        if let Some((time, id)) = after {
            let same_moment = tokens::created_at.eq(Ts(time)).and(tokens::jti.lt(id));
            query = query
                .filter(tokens::created_at.le(Ts(time)))
                .filter(tokens::created_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(Token::try_from).collect()
}

/// Those that are still good at a time and end by another one.
pub(crate) async fn ending(
    conn: &mut Conn,
    now: DateTime<Utc>,
    by: DateTime<Utc>,
) -> Result<Vec<Token>, StoreError> {
    let rows = both!(conn, c => {
        tokens::table
            .filter(tokens::revoked_at.is_null())
            .filter(tokens::expires_at.gt(Ts(now)))
            .filter(tokens::expires_at.le(Ts(by)))
            .order((tokens::expires_at, tokens::jti))
            .select(TokenRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(Token::try_from).collect()
}

/// Revokes a token; `false` when there is none or it was revoked before.
pub(crate) async fn revoke(conn: &mut Conn, id: TokenId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let valid = tokens::table.find(id).filter(tokens::revoked_at.is_null());
    let change = tokens::revoked_at.eq(Some(Ts(now)));
    let hit = both!(conn, c => diesel::update(valid).set(change).execute(c).await)?;
    Ok(hit > 0)
}

/// Revokes the tokens of an employee.
pub(crate) async fn revoke_of(
    conn: &mut Conn,
    employee: EmployeeId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let valid = tokens::table.filter(tokens::employee_id.eq(employee)).filter(tokens::revoked_at.is_null());
    let change = tokens::revoked_at.eq(Some(Ts(now)));
    both!(conn, c => diesel::update(valid).set(change).execute(c).await)?;
    Ok(())
}

/// Holds a token until the transaction ends: nobody else changes meanwhile whom it may act for.
pub(crate) async fn hold(conn: &mut Conn, id: TokenId) -> Result<(), StoreError> {
    match conn.backend() {
        Backend::Pg(c) => {
            let row = tokens::table.find(id).select(tokens::jti).for_no_key_update();
            row.first::<TokenId>(c).await.optional()?;
        }
        // There is one writer.
        Backend::Lite(_) => {}
    }
    Ok(())
}

/// Says whom a token may act for from now on.
pub(crate) async fn set_organizations(
    conn: &mut Conn,
    id: TokenId,
    organizations: &[OrganizationId],
) -> Result<(), StoreError> {
    let change = tokens::organizations.eq(Json::of(&organizations)?);
    let hit = both!(conn, c => diesel::update(tokens::table.find(id)).set(change).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// Takes an organisation that is gone out of every token; a token that has no other is revoked.
pub(crate) async fn leave(
    conn: &mut Conn,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let all = list(conn).await?;
    for known in all.into_iter().filter(|token| token.organizations.contains(&organization)) {
        hold(conn, known.id).await?;
        let Some(token) = get(conn, known.id).await? else { continue };
        let rest: Vec<_> = token.organizations.into_iter().filter(|id| *id != organization).collect();
        if rest.is_empty() {
            revoke(conn, known.id, now).await?;
        } else {
            set_organizations(conn, known.id, &rest).await?;
        }
    }
    Ok(())
}

/// Notes that a token was used.
pub(crate) async fn touch(conn: &mut Conn, id: TokenId, now: DateTime<Utc>) -> Result<(), StoreError> {
    let change = tokens::last_used_at.eq(Some(Ts(now)));
    both!(conn, c => diesel::update(tokens::table.find(id)).set(change).execute(c).await)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::{Scope, Scopes};
    use crate::store::samples::at;
    use crate::store::test_db::for_both;

    fn token(created_at: i64) -> Token {
        Token {
            id: TokenId::generate(),
            name: "billing".to_owned(),
            scopes: Scopes::from_iter([Scope::RequestsRead, Scope::AnswersSubmit]),
            organizations: vec![OrganizationId::generate(), OrganizationId::generate()],
            employee: None,
            created_by: "cli".to_owned(),
            created_at: at(created_at),
            expires_at: at(1_000_000),
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn tokens_that_are_good_and_end_soon_are_found() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ending_at = |micros| Token { expires_at: at(micros), ..token(1) };
            let (over, soon, later, far) = (ending_at(5), ending_at(6), ending_at(9), ending_at(10));
            let revoked = Token { revoked_at: Some(at(2)), ..ending_at(7) };
            for token in [&far, &later, &soon, &over, &revoked] {
                insert(&mut tx, token).await.unwrap();
            }
            assert_eq!(ending(&mut tx, at(5), at(9)).await.unwrap(), [soon, later]);
        });
    }

    #[test]
    fn a_token_is_used_and_revoked_once() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (mut old, new) = (token(1), token(2));
            for token in [&old, &new] {
                insert(&mut tx, token).await.unwrap();
            }
            touch(&mut tx, old.id, at(5)).await.unwrap();
            assert!(revoke(&mut tx, old.id, at(6)).await.unwrap());
            assert!(!revoke(&mut tx, old.id, at(7)).await.unwrap());
            assert!(!revoke(&mut tx, TokenId::generate(), at(7)).await.unwrap());
            old.last_used_at = Some(at(5));
            old.revoked_at = Some(at(6));
            assert_eq!(get(&mut tx, old.id).await.unwrap(), Some(old.clone()));
            assert_eq!(get(&mut tx, TokenId::generate()).await.unwrap(), None);
            assert_eq!(list(&mut tx).await.unwrap(), [new, old]);
        });
    }

    #[test]
    fn pages_go_from_the_newest_to_the_oldest() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let all = [5, 4, 4, 3, 1].map(token);
            for token in &all {
                insert(&mut tx, token).await.unwrap();
            }
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let found = page(&mut tx, after, 2).await.unwrap();
                let Some(last) = found.last() else { break };
                after = Some((last.created_at, last.id));
                walked.extend(found);
            }
            assert_eq!(walked, list(&mut tx).await.unwrap());
            assert_eq!(walked.len(), all.len());
        });
    }

    #[test]
    fn an_organisation_that_is_gone_is_in_no_token() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (gone, stays) = (OrganizationId::generate(), OrganizationId::generate());
            let of = |organizations: &[OrganizationId]| Token {
                organizations: organizations.to_vec(),
                ..token(1)
            };
            let (both, alone, other) = (of(&[gone, stays]), of(&[gone]), of(&[stays]));
            for token in [&both, &alone, &other] {
                insert(&mut tx, token).await.unwrap();
            }
            leave(&mut tx, gone, at(9)).await.unwrap();
            let left = Token { organizations: vec![stays], ..both };
            assert_eq!(get(&mut tx, left.id).await.unwrap(), Some(left));
            let revoked = Token { revoked_at: Some(at(9)), ..alone };
            assert_eq!(get(&mut tx, revoked.id).await.unwrap(), Some(revoked));
            assert_eq!(get(&mut tx, other.id).await.unwrap(), Some(other));
        });
    }
}
