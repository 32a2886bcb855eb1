//! Tokens: who calls, for whom, with what rights (`api.md` §9). A token is a JWT of RFC 9068 signed with a key of the
//! configuration; whether it was revoked is the access use case's to say.
//!
//! What must stay true: the key decides the algorithm and the token has no say in it; the time is the injected clock's;
//! nothing of a token is believed before its signature holds; no error repeats a part of the token.

mod generate;
mod keys;
#[cfg(test)]
mod tests;
mod verified;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use debt_core::Code;
use debt_core::domain::caller::{Scope, Scopes};
use debt_core::domain::token::Token;
use debt_core::error::Error;
use debt_core::ids::{EmployeeId, OrganizationId, TokenId};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::AuthSettings;

pub use generate::{GenerateError, generate_ed25519, generate_sealing_key, write_new};
pub use keys::KeyError;

use keys::Key;
use verified::Verified;

/// Header `typ` of our tokens, RFC 9068.
const TYPE: &str = "at+jwt";
/// No token of ours comes near to this many bytes.
const LONGEST: usize = 8 * 1024;
/// How much the clocks of issuer and receiver may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// What a token says; issuer and audience are the key set's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The token's identifier, `jti`.
    pub id: TokenId,
    /// The client's name, `sub`.
    pub subject: String,
    /// When it was issued, `iat`; whole seconds count.
    pub issued_at: DateTime<Utc>,
    /// When it ends, `exp`; whole seconds count.
    pub expires_at: DateTime<Utc>,
    /// Whom it may act for, `orgs`.
    pub organizations: Vec<OrganizationId>,
    /// What it may do, `scope`.
    pub scopes: Scopes,
    /// The employee it acts as, `employee_id`.
    pub employee: Option<EmployeeId>,
}

impl Claims {
    /// What the token of a row says.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        Self {
            id: token.id,
            subject: token.name.clone(),
            issued_at: token.created_at,
            expires_at: token.expires_at,
            organizations: token.organizations.clone(),
            scopes: token.scopes.clone(),
            employee: token.employee,
        }
    }
}

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It is too long to be ours.
    #[error("токен длиннее 8 КиБ")]
    TooLong,
    /// It is no JWT of the right type with a `kid`.
    #[error("это не токен доступа debtgate: нужен JWT с заголовками alg, kid и typ \"at+jwt\"")]
    Malformed,
    /// No key has its `kid`.
    #[error("токен подписан ключом, которого нет в настройках сервиса")]
    UnknownKey,
    /// Its algorithm is not its key's.
    #[error("алгоритм токена не соответствует ключу")]
    Algorithm,
    /// Its signature does not hold.
    #[error("подпись токена неверна")]
    Signature,
    /// A claim is missing, twice there or of a wrong form.
    #[error("в токене нет обязательных полей или они заполнены неверно")]
    Claims,
    /// It is by somebody else.
    #[error("токен выпущен другим сервисом")]
    Issuer,
    /// It is for somebody else.
    #[error("токен предназначен другому сервису")]
    Audience,
    /// Its time has not begun.
    #[error("срок действия токена ещё не начался; проверьте часы")]
    NotYetValid,
    /// Its time is over.
    #[error("срок действия токена истёк; выпустите новый")]
    Expired,
}

impl AuthError {
    /// The problem code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Expired => Code::TokenExpired,
            Self::TooLong
            | Self::Malformed
            | Self::UnknownKey
            | Self::Algorithm
            | Self::Signature
            | Self::Claims
            | Self::Issuer
            | Self::Audience
            | Self::NotYetValid => Code::TokenInvalid,
        }
    }
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        Self::refused(error.code(), error.to_string())
    }
}

/// No token can be issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No key can sign.
    #[error("no key of [auth] keys can sign; configure one with private_key or secret")]
    NoSigningKey,
    /// The signing failed.
    #[error("the token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

impl From<IssueError> for Error {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::NoSigningKey => {
                let detail = "в настройках шлюза нет ключа, который подписывает токены";
                Self::conflict(Code::SigningKeyMissing, detail, None)
            }
            IssueError::Signing(_) => Self::internal(error),
        }
    }
}

/// The claims as the token writes them. A claim that stands twice is refused by serde.
#[derive(Serialize, Deserialize)]
struct WireClaims {
    iss: String,
    aud: Audience,
    sub: String,
    jti: TokenId,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
    orgs: Vec<Uuid>,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    employee_id: Option<Uuid>,
}

/// RFC 7519 §4.1.3: one audience or several.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, name: &str) -> bool {
        match self {
            Self::One(audience) => audience == name,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == name),
        }
    }
}

/// The keys that tokens are signed with.
pub struct KeySet {
    issuer: String,
    audience: String,
    keys: Vec<Key>,
    verified: Verified,
}

impl KeySet {
    /// Opens the keys of the configuration.
    ///
    /// # Errors
    /// A file cannot be read, holds no such key, or a secret is too short.
    pub fn load(settings: &AuthSettings) -> Result<Self, KeyError> {
        let keys = settings.keys.iter().map(Key::load).collect::<Result<_, _>>()?;
        Ok(Self {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            keys,
            verified: Verified::default(),
        })
    }

    /// Whether tokens can be issued.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.keys.iter().any(|key| key.signing.is_some())
    }

    /// Signs a token with the first key that can sign.
    ///
    /// # Errors
    /// No key can sign, or the signing fails.
    pub fn issue(&self, claims: &Claims) -> Result<String, IssueError> {
        let (key, signing) = self
            .keys
            .iter()
            .find_map(|key| Some((key, key.signing.as_ref()?)))
            .ok_or(IssueError::NoSigningKey)?;
        let header =
            Header { typ: Some(TYPE.to_owned()), kid: Some(key.kid.clone()), ..Header::new(key.algorithm) };
        let wire = WireClaims {
            iss: self.issuer.clone(),
            aud: Audience::One(self.audience.clone()),
            sub: claims.subject.clone(),
            jti: claims.id,
            iat: claims.issued_at.timestamp(),
            nbf: None,
            exp: claims.expires_at.timestamp(),
            orgs: claims.organizations.iter().map(|id| id.as_uuid()).collect(),
            scope: claims.scopes.to_string(),
            employee_id: claims.employee.map(EmployeeId::as_uuid),
        };
        jsonwebtoken::encode(&header, &wire, signing).map_err(IssueError::Signing)
    }

    /// What a token says, when it counts at a time.
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, AuthError> {
        if token.len() > LONGEST {
            return Err(AuthError::TooLong);
        }
        let wire = self.verified.claims(token, || self.signed_by_us(token))?;
        self.check(&wire, now)?;
        wire.as_ref().try_into()
    }

    fn signed_by_us(&self, token: &str) -> Result<WireClaims, AuthError> {
        let key = self.key_of(token)?;
        match jsonwebtoken::decode(token, &key.verifying, &signature_only(key.algorithm)) {
            Ok(token) => Ok(token.claims),
            Err(error) => Err(refusal(&error)),
        }
    }

    /// The key that the header names, if the header is one of ours.
    fn key_of(&self, token: &str) -> Result<&Key, AuthError> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Err(AuthError::Malformed) };
        let Some(kid) = header.kid else { return Err(AuthError::Malformed) };
        // RFC 7515 §4.1.11: extensions that are not understood refuse the token.
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(AuthError::Malformed);
        }
        let key = self.keys.iter().find(|key| key.kid == kid).ok_or(AuthError::UnknownKey)?;
        if key.algorithm == header.alg { Ok(key) } else { Err(AuthError::Algorithm) }
    }

    fn check(&self, wire: &WireClaims, now: DateTime<Utc>) -> Result<(), AuthError> {
        if wire.iss != self.issuer {
            return Err(AuthError::Issuer);
        }
        if !wire.aud.names(&self.audience) {
            return Err(AuthError::Audience);
        }
        let begins = wire.iat.max(wire.nbf.unwrap_or(i64::MIN));
        if begins > (now + LEEWAY).timestamp() {
            return Err(AuthError::NotYetValid);
        }
        if wire.exp <= (now - LEEWAY).timestamp() {
            return Err(AuthError::Expired);
        }
        Ok(())
    }
}

impl TryFrom<&WireClaims> for Claims {
    type Error = AuthError;

    /// A scope that we do not know allows nothing and is passed over: another issuer may have scopes of its own.
    fn try_from(wire: &WireClaims) -> Result<Self, AuthError> {
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(AuthError::Claims);
        let organizations: BTreeSet<_> = wire.orgs.iter().copied().map(OrganizationId::from).collect();
        if wire.sub.is_empty() {
            return Err(AuthError::Claims);
        }
        Ok(Self {
            id: wire.jti,
            subject: wire.sub.clone(),
            issued_at: time(wire.iat)?,
            expires_at: time(wire.exp)?,
            organizations: organizations.into_iter().collect(),
            scopes: wire.scope.split(' ').filter_map(|name| name.parse::<Scope>().ok()).collect(),
            employee: wire.employee_id.map(EmployeeId::from),
        })
    }
}

/// Times, issuer and audience are checked here, by our clock; the library would take the machine's.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// The library's reasons, told apart only where the caller can do something about it.
fn refusal(error: &jsonwebtoken::errors::Error) -> AuthError {
    use jsonwebtoken::errors::ErrorKind;
    if matches!(error.kind(), ErrorKind::Json(_)) {
        AuthError::Claims
    } else if matches!(error.kind(), ErrorKind::InvalidAlgorithm) {
        AuthError::Algorithm
    } else {
        AuthError::Signature
    }
}
