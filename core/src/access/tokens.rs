//! Tokens: their rows; the signed texts are made by the HTTP side.

use chrono::{DateTime, Days, Utc};

use super::name_mistake;
use crate::Service;
use crate::audit::{NewAuditEntry, record};
use crate::domain::audit::Actor;
use crate::domain::caller::{Scope, Scopes};
use crate::domain::employee::Employee;
use crate::domain::organization::Organization;
use crate::domain::token::Token;
use crate::error::{Error, Mistake, Result};
use crate::ids::{EmployeeId, OrganizationId, TokenId};
use crate::store::{Conn, Db, StoreError, Tx, employees, keys, organizations, tokens};

/// The longest life of a token in days.
const MOST_DAYS: u16 = 366;

/// A token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The client's name.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// For whom.
    pub organizations: Vec<OrganizationId>,
    /// As whom.
    pub employee: Option<EmployeeId>,
    /// How long, 1 to 366.
    pub days: u16,
    /// Who issues it.
    pub created_by: String,
}

/// What a client may know of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Its token.
    pub token: Token,
    /// The organisations that it may act for.
    pub organizations: Vec<OwnOrganization>,
    /// The employee that it acts as.
    pub employee: Option<Employee>,
}

/// An organisation that a client may act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnOrganization {
    /// The organisation.
    pub organization: Organization,
    /// Whoever stands in where nobody else is responsible, when the client may know of people.
    pub default_executor: Option<Employee>,
}

impl Service {
    /// The secret that cursors are signed with, shared by all instances.
    ///
    /// # Errors
    /// The database cannot be reached, or its tables were never made.
    pub async fn cursor_secret(&self) -> Result<[u8; 32]> {
        let secret = keys::secret(&mut self.db.read().await?, keys::CURSOR).await?;
        let secret = secret.ok_or_else(|| Error::internal("the database holds no key for cursors"))?;
        <[u8; 32]>::try_from(secret.as_slice()).map_err(Error::internal)
    }

    /// Issues a token: its row, from which the HTTP side makes the text.
    ///
    /// # Errors
    /// Mistakes by name.
    pub async fn issue_token(&self, new: NewToken) -> Result<Token> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let token = issue(&mut tx, new, now).await?;
        audit(&mut tx, &token, "issue_token", now).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// All tokens, newest first.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn list_tokens(&self) -> Result<Vec<Token>> {
        let mut conn = self.db.read().await?;
        Ok(tokens::list(&mut conn).await?)
    }

    /// Revokes a token; within 30 s nobody can use it any more.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or it was revoked before.
    pub async fn revoke_token(&self, id: TokenId) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if !tokens::revoke(&mut tx, id, now).await? {
            return Err(Error::NotFound);
        }
        let token = tokens::get(&mut tx, id).await?.ok_or(Error::NotFound)?;
        audit(&mut tx, &token, "revoke_token", now).await?;
        tx.commit().await?;
        self.tokens.forget(id);
        Ok(())
    }

    /// Asks the database anew for a token when it comes next; for whoever has changed its row, once that is stored. Other
    /// instances see the change within 30 s.
    pub fn forget_token(&self, id: TokenId) {
        self.tokens.forget(id);
    }

    /// The same for all of them.
    pub fn forget_tokens(&self) {
        self.tokens.clear();
    }

    /// The row of a token, at most 30 s old; the caller looks at its times. Notes that it was used, once a minute and
    /// outside the request.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn check_token(&self, id: TokenId) -> Result<Option<Token>> {
        let now = self.clock.now();
        let token = match self.tokens.get(id, now) {
            Some(token) => token,
            None => {
                let mut conn = self.db.read().await?;
                let Some(token) = tokens::get(&mut conn, id).await? else { return Ok(None) };
                self.tokens.put(token.clone(), now);
                token
            }
        };
        if self.tokens.shall_note(id, now) {
            tokio::spawn(note_use(self.db.clone(), id, now));
        }
        Ok(Some(token))
    }

    /// What a client may know of itself.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn me(&self, token: Token) -> Result<Me> {
        // As where people are named beside debt requests, or among the employees.
        let names = [Scope::RequestsRead, Scope::SettingsRead].iter().any(|scope| token.scopes.allow(*scope));
        let mut conn = self.db.read().await?;
        let mut organizations = Vec::with_capacity(token.organizations.len());
        let mut employee = None;
        for id in &token.organizations {
            if let Some(organization) = organizations::get(&mut conn, *id).await? {
                organizations.push(OwnOrganization::of(&mut conn, organization, names).await?);
            }
            if let (None, Some(wanted)) = (&employee, token.employee) {
                employee = employees::get(&mut conn, *id, wanted).await?;
            }
        }
        Ok(Me { token, organizations, employee })
    }
}

/// Issues a token: its row.
pub(crate) async fn issue(tx: &mut Tx, mut new: NewToken, now: DateTime<Utc>) -> Result<Token> {
    // In one order for all, and each once: of two the token would have to name one all the time.
    new.organizations.sort_unstable();
    new.organizations.dedup();
    hold_organizations(tx, &new).await?;
    let mistakes = mistakes(tx, &new).await?;
    if !mistakes.is_empty() {
        return Err(Error::Invalid(mistakes));
    }
    let token = new.into_token(now);
    tokens::insert(tx, &token).await?;
    Ok(token)
}

impl OwnOrganization {
    async fn of(conn: &mut Conn, organization: Organization, names: bool) -> Result<Self> {
        let default_executor = match organization.default_executor.filter(|_| names) {
            Some(id) => employees::get(conn, organization.id, id).await?,
            None => None,
        };
        Ok(Self { organization, default_executor })
    }
}

impl NewToken {
    fn into_token(self, now: DateTime<Utc>) -> Token {
        Token {
            id: TokenId::generate(),
            name: self.name,
            scopes: self.scopes,
            organizations: self.organizations,
            employee: self.employee,
            created_by: self.created_by,
            created_at: now,
            expires_at: now + Days::new(self.days.into()),
            last_used_at: None,
            revoked_at: None,
        }
    }
}

/// Whoever removes an organisation, or lets an employee go, holds it and revokes the tokens that he finds: none may come beside
/// that.
async fn hold_organizations(conn: &mut Conn, new: &NewToken) -> Result<()> {
    for organization in &new.organizations {
        if organizations::get(conn, *organization).await?.is_some() {
            organizations::hold(conn, *organization).await?;
        }
    }
    Ok(())
}

async fn mistakes(conn: &mut Conn, new: &NewToken) -> Result<Vec<Mistake>> {
    let mut mistakes = form_mistakes(new);
    let mut employee_known = new.employee.is_none();
    for (place, id) in new.organizations.iter().enumerate() {
        if organizations::get(conn, *id).await?.is_none() {
            let at = format!("/organizations/{place}");
            mistakes.push(Mistake::at(at, "not_found", "такой организации нет"));
        }
        if let Some(employee) = new.employee {
            employee_known |=
                employees::get(conn, *id, employee).await?.is_some_and(|employee| employee.active);
        }
    }
    if !employee_known {
        mistakes.push(Mistake::at("/employee_id", "not_found", "такого сотрудника у этой организации нет"));
    }
    Ok(mistakes)
}

/// The operator does something to a token: each of its organisations is told.
async fn audit(tx: &mut Tx, token: &Token, action: &'static str, now: DateTime<Utc>) -> Result<()> {
    for organization in &token.organizations {
        let target = format!("tokens/{}", token.id);
        record(tx, NewAuditEntry::new(*organization, Actor::Cli, action, target), now).await?;
    }
    Ok(())
}

/// What is wrong with a token as such.
fn form_mistakes(new: &NewToken) -> Vec<Mistake> {
    let mut mistakes = Vec::from_iter(name_mistake(&new.name, "/name"));
    if new.scopes.iter().next().is_none() {
        mistakes.push(Mistake::at("/scopes", "required", "укажите хотя бы одно право"));
    }
    if new.organizations.is_empty() {
        mistakes.push(Mistake::at("/organizations", "required", "укажите хотя бы одну организацию"));
    }
    // An employee works for one organisation; in the name of another nobody could act.
    if new.employee.is_some() && new.organizations.len() > 1 {
        mistakes.push(Mistake::at(
            "/employee_id",
            "one_organization",
            "с сотрудником — только одна организация",
        ));
    }
    if !(1..=MOST_DAYS).contains(&new.days) {
        let mistake = Mistake::at("/days", "out_of_range", format!("от 1 до {MOST_DAYS} дней"));
        mistakes.push(mistake.with_max(MOST_DAYS.into()));
    }
    mistakes
}

/// The request does not wait for this, and does not fail with it.
async fn note_use(db: Db, id: TokenId, now: DateTime<Utc>) {
    let noted = async {
        let mut tx = db.begin().await?;
        tokens::touch(&mut tx, id, now).await?;
        tx.commit().await
    };
    let noted: std::result::Result<(), StoreError> = noted.await;
    if let Err(error) = noted {
        tracing::warn!(error = %error, "the use of a token is not noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Scope;

    #[test]
    fn a_token_has_a_name_a_life_and_something_to_do() {
        let good = NewToken {
            name: "1С Биллинг".to_owned(),
            scopes: Scopes::from_iter([Scope::RequestsRead]),
            organizations: vec![OrganizationId::generate()],
            employee: None,
            days: 180,
            created_by: "cli".to_owned(),
        };
        let codes =
            |new: NewToken| form_mistakes(&new).iter().map(|mistake| mistake.code).collect::<Vec<_>>();
        assert!(codes(good.clone()).is_empty());
        for days in [1, MOST_DAYS] {
            assert!(codes(NewToken { days, ..good.clone() }).is_empty());
        }
        for days in [0, MOST_DAYS + 1] {
            assert_eq!(codes(NewToken { days, ..good.clone() }), ["out_of_range"]);
        }
        let empty = NewToken {
            name: " ".to_owned(),
            scopes: Scopes::default(),
            organizations: Vec::new(),
            ..good.clone()
        };
        assert_eq!(codes(empty), ["required", "required", "required"]);
        let organizations = vec![OrganizationId::generate(), OrganizationId::generate()];
        let employee = Some(EmployeeId::generate());
        assert_eq!(codes(NewToken { organizations, employee, ..good }), ["one_organization"]);
    }
}
