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

impl FromRequest for Identified {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(identify(&request).await?)) })
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Caller, Error> {
    let token = identify(request).await?;
    let organization = choose(&token, organization_id(request.headers())?)?;
    Ok(Caller {
        token: token.id,
        subject: token.name,
        organization,
        employee: token.employee,
        scopes: token.scopes,
    })
}

async fn identify(request: &HttpRequest) -> Result<Token, Error> {
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
    Ok(token)
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

/// The organisation acted for: the one that the request names, else the only one of the token.
fn choose(token: &Token, named: Option<OrganizationId>) -> Result<OrganizationId, Error> {
    match (named, token.organizations.as_slice()) {
        (Some(id), all) if all.contains(&id) => Ok(id),
        (Some(_), _) => Err(Error::NotFound),
        (None, [only]) => Ok(*only),
        (None, _) => {
            let detail =
                "токен выпущен для нескольких организаций; назовите одну в заголовке Organization-Id";
            Err(Error::refused(Code::OrganizationRequired, detail))
        }
    }
}
