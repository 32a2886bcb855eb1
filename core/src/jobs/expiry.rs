//! Tells organisations of their tokens, and of the certificate that signs for them, when these will soon be good no more:
//! once for each mark before the end (`api.md` §7, §9). A token has an identifier here and no name: people name them as
//! they like, perhaps after people.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Worker;
use crate::Result;
use crate::domain::event::{EventKind, NewEvent};
use crate::domain::expiry::{FURTHEST_MARK, Term};
use crate::domain::organization::Organization;
use crate::domain::token::Token;
use crate::store::expiry_notices::{self, Mark};
use crate::store::{Conn, events, organizations, tokens};

/// Something that ends soon.
struct Ending {
    mark: Mark,
    event: NewEvent,
}

/// Of how many it was told.
pub(super) async fn tell(worker: &Worker, organizations: &[Organization]) -> Result<u64> {
    let now = worker.now();
    let tokens = {
        let mut conn = worker.service.db.read().await?;
        tokens::ending(&mut conn, now, now + FURTHEST_MARK).await?
    };
    let mut told = 0;
    for organization in organizations {
        let own = tokens.iter().filter(|token| token.organizations.contains(&organization.id));
        let endings = own.filter_map(|token| of_token(organization, token, now));
        let endings: Vec<_> = endings.chain(of_certificate(worker, organization, now)).collect();
        if !endings.is_empty() {
            told += tell_of(worker, organization, endings).await?;
        }
    }
    Ok(told)
}

async fn tell_of(worker: &Worker, organization: &Organization, endings: Vec<Ending>) -> Result<u64> {
    let endings = {
        let mut conn = worker.service.db.read().await?;
        untold(&mut conn, organization, endings).await?
    };
    if endings.is_empty() {
        return Ok(0);
    }
    let mut tx = worker.service.db.begin().await?;
    // Of two instances the second one finds nothing left to tell.
    organizations::hold(&mut tx, organization.id).await?;
    let endings = untold(&mut tx, organization, endings).await?;
    let (marks, told): (Vec<_>, Vec<_>) =
        endings.into_iter().map(|Ending { mark, event }| (mark, event)).unzip();
    let now = worker.now();
    expiry_notices::note(&mut tx, organization.id, marks, now).await?;
    events::append(&mut tx, &told, now).await?;
    tx.commit().await?;
    Ok(u64::try_from(told.len()).unwrap_or(u64::MAX))
}

async fn untold(
    conn: &mut Conn,
    organization: &Organization,
    mut endings: Vec<Ending>,
) -> Result<Vec<Ending>> {
    let told = expiry_notices::told(conn, organization.id).await?;
    endings.retain(|ending| !told.contains(&ending.mark));
    Ok(endings)
}

fn of_token(organization: &Organization, token: &Token, now: DateTime<Utc>) -> Option<Ending> {
    let term = Term { begins: token.created_at, ends: token.expires_at };
    let data = json!({ "token_id": token.id, "expires_at": term.ends, "days_left": term.days_left(now) });
    let event = event(organization, EventKind::TokenExpiring, data);
    Some(Ending { mark: (format!("tokens/{}", token.id), term.mark(now)?), event })
}

/// The certificate of its signer, where the configuration has one.
fn of_certificate(worker: &Worker, organization: &Organization, now: DateTime<Utc>) -> Option<Ending> {
    let certificate = worker.signers.get(&organization.signer)?.signer.certificate();
    let term = Term { begins: certificate.not_before(), ends: certificate.not_after() };
    let data = json!({
        "signer": organization.signer, "expires_at": term.ends, "days_left": term.days_left(now),
    });
    let event = event(organization, EventKind::CertificateExpiring, data);
    let subject = format!("certificates/{}", certificate.serial_decimal());
    Some(Ending { mark: (subject, term.mark(now)?), event })
}

const fn event(organization: &Organization, kind: EventKind, data: serde_json::Value) -> NewEvent {
    NewEvent { organization: organization.id, kind, debt_request: None, answer: None, data }
}
