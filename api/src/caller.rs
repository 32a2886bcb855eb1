//! Who asks: the token of the request becomes a [`Caller`] that acts for one organisation (`api.md` §3, §9).

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use debt_core::domain::caller::Caller;
use debt_core::domain::token::Token;
use debt_core::ids::OrganizationId;
use debt_core::{Code, Error};

use crate::headers::organization_id;
use crate::problem::Failure;
use crate::query::refuse_token;
use crate::state::AppState;

/// The caller of a request.
pub(crate) struct Authenticated(pub(crate) Caller);

impl FromRequest for Authenticated {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(authenticate(&request).await?)) })
    }
}

/// The token of a request that is about no organisation.
pub(crate) struct Identified(pub(crate) Token);

/// A token that counts.
struct Known {
    /// Its row: it decides what may be done, and for whom.
    token: Token,
    /// The organisations that it was issued for; the row may have got others since.
    issued_for: Vec<OrganizationId>,
}

impl FromRequest for Identified {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(identify(&request).await?.token)) })
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Caller, Error> {
    let known = identify(request).await?;
    let organization = choose(&known, organization_id(request.headers())?)?;
    let token = known.token;
    Ok(Caller {
        token: token.id,
        subject: token.name,
        organization,
        employee: token.employee,
        scopes: token.scopes,
    })
}

async fn identify(request: &HttpRequest) -> Result<Known, Error> {
    let state = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| Error::internal("the application has no state"))?;
    refuse_token(request.query_string())?;
    let claims =
        state.keys.verify(bearer(request.headers())?, state.service.clock.now()).map_err(Error::from)?;
    let token = state.service.check_token(claims.id).await?.ok_or_else(unknown)?;
    if token.revoked_at.is_some() {
        let detail = "токен отозван; выпустите новый";
        return Err(Error::refused(Code::TokenRevoked, detail));
    }
    // Limits come after the identity: nobody spends somebody else's allowance.
    match state.rate.take(token.id) {
        Ok(allowance) => drop(request.extensions_mut().insert(allowance)),
        Err(allowance) => {
            let retry_after = allowance.retry_after();
            request.extensions_mut().insert(allowance);
            return Err(Error::TooEarly { code: Code::RateLimited, retry_after });
        }
    }
    Ok(Known { token, issued_for: claims.organizations })
}

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let missing = || {
        let detail = "нужен заголовок Authorization: Bearer с токеном";
        Error::refused(Code::TokenMissing, detail)
    };
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().ok_or_else(missing)?;
    // Of two, a proxy in front and we could take different ones.
    if values.next().is_some() {
        return Err(missing());
    }
    let text = value.to_str().or(Err(missing()))?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}

fn unknown() -> Error {
    let detail = "такого токена нет среди выпущенных";
    Error::refused(Code::TokenInvalid, detail)
}

/// The organisation acted for: the one that the request names, else the only one that the token was issued for. One that was
/// added later with the token itself is reached by naming it alone: what named nothing never comes to act for another.
fn choose(known: &Known, named: Option<OrganizationId>) -> Result<OrganizationId, Error> {
    let all = known.token.organizations.as_slice();
    if let Some(id) = named {
        return if all.contains(&id) { Ok(id) } else { Err(Error::NotFound) };
    }
    let first: Vec<_> = known.issued_for.iter().filter(|id| all.contains(id)).collect();
    match first.as_slice() {
        [only] => Ok(**only),
        [] | [..] => {
            let detail = "назовите организацию в заголовке Organization-Id: токен выпущен для нескольких или не для этой";
            Err(Error::refused(Code::OrganizationRequired, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use debt_core::domain::caller::Scopes;
    use debt_core::ids::TokenId;

    use super::*;

    fn known(organizations: &[OrganizationId], issued_for: &[OrganizationId]) -> Known {
        let token = Token {
            id: TokenId::generate(),
            name: "1С".to_owned(),
            scopes: Scopes::default(),
            organizations: organizations.to_vec(),
            employee: None,
            created_by: "cli".to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
            last_used_at: None,
            revoked_at: None,
        };
        Known { token, issued_for: issued_for.to_vec() }
    }

    #[test]
    fn what_is_added_to_a_token_changes_nothing_for_those_who_name_no_organisation() {
        let [first, second, later] = [(); 3].map(|()| OrganizationId::generate());
        for (has, issued_for, expected) in [
            (vec![first], vec![first], Some(first)),
            (vec![first, later], vec![first], Some(first)),
            (vec![first, second], vec![first, second], None),
            (vec![first, second, later], vec![first, second], None),
            (vec![second, later], vec![first, second], Some(second)),
            (vec![later], vec![first], None),
            (vec![second, later], vec![first], None),
        ] {
            let known = known(&has, &issued_for);
            assert_eq!(choose(&known, None).ok(), expected, "{has:?} {issued_for:?}");
            for id in [first, second, later] {
                assert_eq!(choose(&known, Some(id)).is_ok(), has.contains(&id), "{has:?}");
            }
        }
    }
}
