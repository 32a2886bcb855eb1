//! How a debt request lies in its row: columns beside each other where the domain has parts, and keys made for sorting and
//! searching.

use chrono::NaiveDate;
use diesel::{AsChangeset, Insertable, Queryable, Selectable};

use crate::domain::answer::State;
use crate::domain::content::ContentHash;
use crate::domain::debt_request::{
    Address, Alarm, AnswerSummary, DebtRequest, GisView, Match, MatchResult, RequestStatus, Requester,
    ResponseStatus, ShownAnswer, Stage, fold,
};
use crate::ids::{AnswerId, DebtRequestId, DepartmentId, EmployeeId, OrganizationId};
use crate::store::schema::debt_requests;
use crate::store::types::{Day, Guid, Ts};

/// The sort key where GIS shows no last day: after all others.
pub(super) const NEVER_DUE: NaiveDate = known(NaiveDate::from_ymd_opt(9999, 12, 31));

/// The sort key where GIS shows no day of sending: before all others.
pub(crate) const SENT_BEFORE_ALL: NaiveDate = known(NaiveDate::from_ymd_opt(1, 1, 1));

const fn known(day: Option<NaiveDate>) -> NaiveDate {
    match day {
        Some(day) => day,
        None => NaiveDate::MAX,
    }
}

/// What is written: what is read, and the keys that conditions and orders look at.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = debt_requests, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DebtRequestRecord {
    #[diesel(embed)]
    row: DebtRequestRow,
    requester_folded: String,
    address_folded: String,
    sent_key: NaiveDate,
    due_key: NaiveDate,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = debt_requests, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct DebtRequestRow {
    pub(super) id: DebtRequestId,
    pub(super) organization_id: OrganizationId,
    pub(super) request_id: Option<Guid>,
    pub(super) request_number: String,
    pub(super) requester_id: Option<Guid>,
    pub(super) requester_name: Option<String>,
    pub(super) requester_phone: Option<String>,
    pub(super) requester_employee: Option<String>,
    pub(super) address: Option<String>,
    pub(super) premises: Option<String>,
    pub(super) object_type: Option<String>,
    pub(super) fias_house_id: Option<Guid>,
    pub(super) gis_house_id: Option<Guid>,
    pub(super) gis_object_id: Option<Guid>,
    pub(super) period_from: Option<Day>,
    pub(super) period_to: Option<Day>,
    pub(super) sent_on: Option<Day>,
    pub(super) due_on: Option<Day>,
    pub(super) request_status: RequestStatus,
    pub(super) response_status: ResponseStatus,
    pub(super) gis_has_debt: Option<bool>,
    pub(super) gis_content_hash: Option<String>,
    pub(super) viewed_at: Option<Ts>,
    pub(super) synced_at: Ts,
    pub(super) stage: Stage,
    pub(super) answered: bool,
    pub(super) department_id: Option<DepartmentId>,
    pub(super) responsible_id: Option<EmployeeId>,
    pub(super) executor_id: Option<EmployeeId>,
    pub(super) assigned_by_hand: bool,
    pub(super) note: Option<String>,
    pub(super) match_result: Option<MatchResult>,
    pub(super) match_registry_id: Option<Guid>,
    pub(super) match_checked_at: Option<Ts>,
    pub(super) answer_id: Option<AnswerId>,
    pub(super) answer_state: Option<State>,
    pub(super) answer_has_debt: Option<bool>,
    pub(super) answer_updated_at: Option<Ts>,
    pub(super) draft_id: Option<AnswerId>,
    pub(super) alarm: Option<Alarm>,
    pub(super) version: i64,
    pub(super) created_at: Ts,
    pub(super) updated_at: Ts,
}

impl From<&DebtRequest> for DebtRequestRecord {
    fn from(request: &DebtRequest) -> Self {
        Self {
            row: DebtRequestRow::from(request),
            requester_folded: request.gis.requester.name.as_deref().map(fold).unwrap_or_default(),
            address_folded: folded_address(&request.gis.address),
            sent_key: sent_key(request),
            due_key: due_key(request),
        }
    }
}

impl From<&DebtRequest> for DebtRequestRow {
    fn from(request: &DebtRequest) -> Self {
        let GisView { requester, address, .. } = &request.gis;
        let (shown, matched, answer) = (request.shown.as_ref(), request.matched, request.answer);
        Self {
            id: request.id,
            organization_id: request.organization,
            request_id: request.gis.request_id.map(Guid),
            request_number: request.gis.request_number.clone(),
            requester_id: requester.organization_id.map(Guid),
            requester_name: requester.name.clone(),
            requester_phone: requester.phone.clone(),
            requester_employee: requester.employee.clone(),
            address: address.text.clone(),
            premises: address.premises.clone(),
            object_type: address.object_type.clone(),
            fias_house_id: address.fias_house_id.map(Guid),
            gis_house_id: address.gis_house_id.map(Guid),
            gis_object_id: address.gis_object_id.map(Guid),
            period_from: request.gis.period_from.map(Day),
            period_to: request.gis.period_to.map(Day),
            sent_on: request.gis.sent_on.map(Day),
            due_on: request.gis.due_on.map(Day),
            request_status: request.gis.request_status,
            response_status: request.gis.response_status,
            gis_has_debt: shown.and_then(|shown| shown.has_debt),
            gis_content_hash: shown
                .and_then(|shown| shown.content_hash.as_ref())
                .map(|hash| hash.as_str().to_owned()),
            viewed_at: shown.map(|shown| Ts(shown.viewed_at)),
            synced_at: Ts(request.synced_at),
            stage: request.stage,
            answered: request.answered,
            department_id: request.department,
            responsible_id: request.responsible,
            executor_id: request.executor,
            assigned_by_hand: request.assigned_by_hand,
            note: request.note.clone(),
            match_result: matched.map(|matched| matched.result),
            match_registry_id: matched.and_then(|matched| matched.registry_id).map(Guid),
            match_checked_at: matched.map(|matched| Ts(matched.checked_at)),
            answer_id: answer.map(|answer| answer.id),
            answer_state: answer.map(|answer| answer.state),
            answer_has_debt: answer.map(|answer| answer.has_debt),
            answer_updated_at: answer.map(|answer| Ts(answer.updated_at)),
            draft_id: request.draft,
            alarm: request.alarm,
            version: request.version,
            created_at: Ts(request.created_at),
            updated_at: Ts(request.updated_at),
        }
    }
}

impl From<DebtRequestRow> for DebtRequest {
    fn from(row: DebtRequestRow) -> Self {
        Self {
            id: row.id,
            organization: row.organization_id,
            shown: shown(&row),
            matched: matched(&row),
            answer: summary(&row),
            gis: GisView {
                request_id: row.request_id.map(|guid| guid.0),
                request_number: row.request_number,
                requester: Requester {
                    organization_id: row.requester_id.map(|guid| guid.0),
                    name: row.requester_name,
                    phone: row.requester_phone,
                    employee: row.requester_employee,
                },
                address: Address {
                    text: row.address,
                    premises: row.premises,
                    object_type: row.object_type,
                    fias_house_id: row.fias_house_id.map(|guid| guid.0),
                    gis_house_id: row.gis_house_id.map(|guid| guid.0),
                    gis_object_id: row.gis_object_id.map(|guid| guid.0),
                },
                period_from: row.period_from.map(|day| day.0),
                period_to: row.period_to.map(|day| day.0),
                sent_on: row.sent_on.map(|day| day.0),
                due_on: row.due_on.map(|day| day.0),
                request_status: row.request_status,
                response_status: row.response_status,
            },
            synced_at: row.synced_at.0,
            stage: row.stage,
            answered: row.answered,
            department: row.department_id,
            responsible: row.responsible_id,
            executor: row.executor_id,
            assigned_by_hand: row.assigned_by_hand,
            note: row.note,
            draft: row.draft_id,
            alarm: row.alarm,
            version: row.version,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}

pub(super) fn due_key(request: &DebtRequest) -> NaiveDate {
    request.gis.due_on.unwrap_or(NEVER_DUE)
}

pub(super) fn sent_key(request: &DebtRequest) -> NaiveDate {
    request.gis.sent_on.unwrap_or(SENT_BEFORE_ALL)
}

/// People look for house and flat in one line.
fn folded_address(address: &Address) -> String {
    let parts: Vec<_> =
        [&address.text, &address.premises].into_iter().flatten().map(String::as_str).collect();
    fold(&parts.join(" "))
}

fn shown(row: &DebtRequestRow) -> Option<ShownAnswer> {
    Some(ShownAnswer {
        viewed_at: row.viewed_at?.0,
        has_debt: row.gis_has_debt,
        content_hash: row.gis_content_hash.clone().map(ContentHash::stored),
    })
}

fn matched(row: &DebtRequestRow) -> Option<Match> {
    Some(Match {
        result: row.match_result?,
        registry_id: row.match_registry_id.map(|guid| guid.0),
        checked_at: row.match_checked_at?.0,
    })
}

fn summary(row: &DebtRequestRow) -> Option<AnswerSummary> {
    Some(AnswerSummary {
        id: row.answer_id?,
        state: row.answer_state?,
        has_debt: row.answer_has_debt?,
        updated_at: row.answer_updated_at?.0,
    })
}

/// What an upsert takes from the new row: all but what makes the row the same one, and its owner.
macro_rules! overwrite {
    () => {
        $crate::store::db::excluded!(debt_requests:
            request_id,
            request_number,
            requester_id,
            requester_name,
            requester_folded,
            requester_phone,
            requester_employee,
            address,
            address_folded,
            premises,
            object_type,
            fias_house_id,
            gis_house_id,
            gis_object_id,
            period_from,
            period_to,
            sent_on,
            due_on,
            sent_key,
            due_key,
            request_status,
            response_status,
            gis_has_debt,
            gis_content_hash,
            viewed_at,
            synced_at,
            stage,
            answered,
            department_id,
            responsible_id,
            executor_id,
            assigned_by_hand,
            note,
            match_result,
            match_registry_id,
            match_checked_at,
            answer_id,
            answer_state,
            answer_has_debt,
            answer_updated_at,
            draft_id,
            alarm,
            version,
            updated_at,
        )
    };
}

/// What an update takes from the new row that leaves alone what GIS says: the work on a debt request. Writing only this
/// spares half of the indexes.
macro_rules! rework {
    () => {
        $crate::store::db::excluded!(debt_requests:
            gis_has_debt,
            gis_content_hash,
            viewed_at,
            stage,
            answered,
            department_id,
            responsible_id,
            executor_id,
            assigned_by_hand,
            note,
            answer_id,
            answer_state,
            answer_has_debt,
            answer_updated_at,
            draft_id,
            alarm,
            version,
            updated_at,
        )
    };
}

pub(super) use {overwrite, rework};
