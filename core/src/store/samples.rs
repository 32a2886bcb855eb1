//! Invented rows for the tests of the store.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{Conn, organizations};
use crate::domain::debt_request::{
    Address, DebtRequest, GisView, RequestStatus, Requester, ResponseStatus, Stage,
};
use crate::domain::department::Department;
use crate::domain::employee::Employee;
use crate::domain::event::{Event, EventKind, NewEvent};
use crate::domain::organization::Organization;
use crate::domain::webhook_endpoint::{Secrets, WebhookEndpoint};
use crate::ids::{DebtRequestId, DepartmentId, EmployeeId, EventId, OrganizationId, WebhookEndpointId};

/// So many microseconds after an hour in 2026.
pub(crate) fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_793_612_345_000_000 + micros).unwrap()
}

/// A day in November 2026.
pub(crate) fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, number).unwrap()
}

/// An organisation.
pub(crate) fn organization() -> Organization {
    Organization {
        id: OrganizationId::generate(),
        name: "ООО «Тепло»".to_owned(),
        ogrn: "1026605606620".parse().unwrap(),
        ppa_guid: Uuid::now_v7(),
        signer: "main".to_owned(),
        time_zone: Tz::Asia__Yekaterinburg,
        default_executor: None,
        content_key: [7; 32],
        halted: None,
        version: 1,
        created_at: at(0),
    }
}

/// An organisation that is stored.
pub(crate) async fn stored_organization(conn: &mut Conn) -> OrganizationId {
    let organization = organization();
    organizations::insert(conn, &organization).await.unwrap();
    organization.id
}

/// An endpoint of a webhook.
pub(crate) fn webhook_endpoint(organization: OrganizationId) -> WebhookEndpoint {
    WebhookEndpoint {
        id: WebhookEndpointId::generate(),
        organization,
        url: "https://erp.example.ru/gis".to_owned(),
        description: None,
        masks: Vec::new(),
        secrets: Secrets::generate(),
        enabled: true,
        disabled_reason: None,
        failing_since: None,
        last_sequence: 0,
        rest_until: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A trial of an endpoint, as the log has it.
pub(crate) fn trial(endpoint: &WebhookEndpoint) -> Event {
    Event {
        sequence: 1,
        id: EventId::generate(),
        event: NewEvent {
            organization: endpoint.organization,
            kind: EventKind::WebhookTest,
            debt_request: None,
            answer: None,
            data: json!({ "webhook_endpoint_id": endpoint.id }),
        },
        occurred_at: at(0),
    }
}

/// A debt request as GIS first shows it.
pub(crate) fn request(organization: OrganizationId) -> DebtRequest {
    DebtRequest {
        id: DebtRequestId::generate(),
        organization,
        gis: GisView {
            request_id: None,
            request_number: "62026110433".to_owned(),
            requester: Requester::default(),
            address: Address::default(),
            period_from: None,
            period_to: None,
            sent_on: Some(day(2)),
            due_on: Some(day(10)),
            request_status: RequestStatus::Sent,
            response_status: ResponseStatus::NotSent,
        },
        synced_at: at(0),
        shown: None,
        stage: Stage::New,
        answered: false,
        department: None,
        responsible: None,
        executor: None,
        assigned_by_hand: false,
        note: None,
        matched: None,
        answer: None,
        draft: None,
        alarm: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// An employee whom GIS knows.
pub(crate) fn employee(organization: OrganizationId) -> Employee {
    Employee::new(organization, "Тестова Т. Т.".to_owned(), Some(Uuid::now_v7()), at(0))
}

/// A department without houses.
pub(crate) fn department(organization: OrganizationId, responsible: EmployeeId) -> Department {
    Department {
        id: DepartmentId::generate(),
        organization,
        name: "Северный участок".to_owned(),
        responsible,
        house_count: 0,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}
