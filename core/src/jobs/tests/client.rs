//! A client of the gateway: what it may do with answers, through the same use cases as the HTTP side.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::answers::{ContentDraft, CreateAnswer, RevokeAnswer};
use crate::domain::answer::Source;
use crate::domain::caller::{Caller, Scope, Scopes};
use crate::domain::employee::Employee;
use crate::domain::organization::Organization;
use crate::idempotency::{Begun, Reply, Writing};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId, TokenId};
use crate::store::{Db, Tx, employees, organizations};
use crate::{Result, Service};

/// A client that may do everything for an organisation.
pub(super) struct Client {
    caller: Caller,
}

impl Client {
    pub(super) fn of(organization: OrganizationId) -> Self {
        let caller = Caller {
            token: TokenId::generate(),
            subject: "1C".to_owned(),
            organization,
            employee: None,
            scopes: Scopes::from_iter(Scope::ALL.iter().copied()),
        };
        Self { caller }
    }

    /// As the gateway knows it.
    pub(super) const fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) async fn create(&self, service: &Service, command: CreateAnswer) -> Result<AnswerId> {
        let mut writing = begin(service).await?;
        let created = service.create_answer(&mut writing, &self.caller, command).await?;
        writing.finish(&reply()).await?;
        Ok(created.answer.answer.id)
    }

    pub(super) async fn revoke(&self, service: &Service, id: AnswerId, command: RevokeAnswer) -> Result<()> {
        let mut writing = begin(service).await?;
        service.revoke_answer(&mut writing, &self.caller, id, command, None).await?;
        writing.finish(&reply()).await
    }

    pub(super) async fn cancel(&self, service: &Service, id: AnswerId) -> Result<()> {
        let mut writing = begin(service).await?;
        service.cancel_answer(&mut writing, &self.caller, id, None).await?;
        writing.finish(&reply()).await
    }

    pub(super) async fn refresh(&self, service: &Service, id: AnswerId) -> Result<()> {
        let mut writing = begin(service).await?;
        service.refresh_answer(&mut writing, &self.caller, id, None).await?;
        writing.finish(&reply()).await
    }
}

async fn begin(service: &Service) -> Result<Writing> {
    match service.begin(None).await? {
        Begun::Fresh(writing) => Ok(writing),
        Begun::Replay(_) => panic!("a replay without a key"),
    }
}

fn reply() -> Reply {
    Reply { status: 202, headers: Vec::new(), body: Bytes::new(), before: None, shown_once: None }
}

/// An answer that shall be sent.
pub(super) fn command(debt_request: DebtRequestId, content: ContentDraft) -> CreateAnswer {
    CreateAnswer {
        debt_request,
        external_id: None,
        submit: true,
        content,
        executor: None,
        confirm: Vec::new(),
        reason: Some("ошибка".to_owned()),
        source: Source::Api,
        trace: None,
    }
}

/// An organisation that signs as `test` and has an employee who answers; the employee's identifier in GIS.
pub(super) async fn organization(db: &Db, ppa_guid: Uuid, now: DateTime<Utc>) -> (OrganizationId, Uuid) {
    let organization = Organization {
        id: OrganizationId::generate(),
        name: "ООО «Пример»".to_owned(),
        ogrn: "1027700132195".parse().unwrap(),
        ppa_guid,
        signer: "test".to_owned(),
        time_zone: chrono_tz::Europe::Moscow,
        default_executor: None,
        content_key: [7; 32],
        halted: None,
        version: 1,
        created_at: now,
    };
    let mut tx = db.begin().await.unwrap();
    organizations::insert(&mut tx, &organization).await.unwrap();
    let gis_guid = add_executor(&mut tx, organization.id, now).await;
    tx.commit().await.unwrap();
    (organization.id, gis_guid)
}

/// Gives an organisation an employee who answers.
pub(super) async fn employ(service: &Service, organization: OrganizationId) {
    let mut tx = service.db.begin().await.unwrap();
    add_executor(&mut tx, organization, service.clock.now()).await;
    tx.commit().await.unwrap();
}

async fn add_executor(tx: &mut Tx, organization: OrganizationId, now: DateTime<Utc>) -> Uuid {
    let gis_guid = Uuid::from_u128(0xE);
    let employee = Employee::new(organization, "Тестова Анна Петровна".to_owned(), Some(gis_guid), now);
    employees::insert(tx, &employee).await.unwrap();
    organizations::set_default_executor(tx, organization, employee.id).await.unwrap();
    gis_guid
}
