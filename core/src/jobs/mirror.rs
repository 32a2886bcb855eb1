//! What GIS shows of debt requests, brought into the mirror: the pure half says what a subrequest looks like here and what
//! is new about it, [`merge`] writes it.
//!
//! What must stay true: an older export never overwrites a newer one, a subrequest of another organisation is left alone,
//! and neither answers nor what GIS showed of them (`shown`) are touched here.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use gis_client::debt_requests::{
    AddressType, RequestStatus as GisRequestStatus, ResponseStatus as GisResponseStatus, Subrequest,
};
use gis_client::text::Personal;
use serde_json::json;

use crate::Result;
use crate::case::summarize;
use crate::departments::roster;
use crate::domain::answer::Answer;
use crate::domain::debt_request::{
    Address, DebtRequest, GisView, RequestStatus, Requester, ResponseStatus, Stage,
};
use crate::domain::department::Roster;
use crate::domain::event::{EventKind, NewEvent};
use crate::ids::{DebtRequestId, OrganizationId};
use crate::store::{Tx, answers, debt_requests, events, organizations};

/// What a merge did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// Debt requests shown.
    pub(crate) found: i64,
    /// Those that were new.
    pub(crate) added: i64,
    /// Those that had changed.
    pub(crate) changed: i64,
}

/// Brings what GIS shows (asked at `seen_at`) into the mirror, with events; answers are not touched, `shown` neither.
/// Takes the rows in the order of their ids. Looks use it too.
pub(crate) async fn merge(
    tx: &mut Tx,
    organization: OrganizationId,
    subrequests: &[Subrequest],
    seen_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Merged> {
    // GIS has sent a subrequest twice before; the order is that of the ids.
    let shown: BTreeMap<DebtRequestId, &Subrequest> =
        subrequests.iter().map(|subrequest| (subrequest.id.into(), subrequest)).collect();
    let ids: Vec<_> = shown.keys().copied().collect();
    let mut known: BTreeMap<_, _> =
        debt_requests::lock_many(tx, &ids).await?.into_iter().map(|request| (request.id, request)).collect();
    let answers = answers_to(tx, known.values()).await?;

    let unknown = shown.iter().filter(|(id, _)| !known.contains_key(*id));
    let housings: Vec<_> = unknown.map(|(_, subrequest)| &subrequest.request.housing).collect();
    let roster = match housings.as_slice() {
        [] => Roster::default(),
        new => {
            // Whoever changes departments holds the organisation: these requests are given out as he leaves them, or he finds
            // them. Nobody who holds an organisation takes debt requests after it.
            organizations::hold(tx, organization).await?;
            let houses = new
                .iter()
                .flat_map(|housing| [housing.fias_house.map(Into::into), housing.house.map(Into::into)]);
            roster(tx, organization, &houses.flatten().collect::<Vec<_>>()).await?
        }
    };
    let mut merge =
        Merge { organization, seen_at, now, roster, merged: Merged::default(), events: Vec::new() };
    let mut rows = Vec::with_capacity(shown.len());
    for (id, subrequest) in shown {
        if !subrequest.broken_fields.is_empty() {
            tracing::warn!(debt_request = %id, fields = ?subrequest.broken_fields, "GIS sent fields that cannot be read");
        }
        let gis = view(subrequest);
        match known.remove(&id) {
            None => rows.push(merge.receive(id, gis)),
            Some(request) => {
                let answers = answers.get(&id).map(Vec::as_slice).unwrap_or_default();
                rows.extend(merge.update(request, gis, answers));
            }
        }
    }
    debt_requests::save(tx, &rows).await?;
    events::append(tx, &merge.events, now).await?;
    Ok(merge.merged)
}

/// Every answer to each of them, newest first.
async fn answers_to(
    tx: &mut Tx,
    requests: impl Iterator<Item = &DebtRequest>,
) -> Result<BTreeMap<DebtRequestId, Vec<Answer>>> {
    let ids: Vec<_> = requests.filter(|request| request.answer.is_some()).map(|request| request.id).collect();
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for answer in answers::of_requests(tx, &ids).await? {
        all.entry(answer.debt_request).or_default().push(answer);
    }
    Ok(all)
}

/// A merge under way.
struct Merge {
    organization: OrganizationId,
    seen_at: DateTime<Utc>,
    now: DateTime<Utc>,
    /// Who gets those that are new.
    roster: Roster,
    merged: Merged,
    events: Vec<NewEvent>,
}

impl Merge {
    /// A debt request that is seen for the first time.
    fn receive(&mut self, id: DebtRequestId, gis: GisView) -> DebtRequest {
        let mut request = DebtRequest {
            id,
            organization: self.organization,
            gis,
            synced_at: self.seen_at,
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
            created_at: self.now,
            updated_at: self.now,
        };
        self.roster.assign(&mut request);
        summarize(&mut request, &[]);
        self.merged.found += 1;
        self.merged.added += 1;
        self.tell(&request, EventKind::RequestReceived);
        if request.gis.response_status == ResponseStatus::AutoGenerated {
            self.tell(&request, EventKind::RequestAutoGenerated);
        }
        request
    }

    /// A known one; `None` when there is nothing to write.
    fn update(&mut self, mut request: DebtRequest, gis: GisView, answers: &[Answer]) -> Option<DebtRequest> {
        if request.organization != self.organization {
            tracing::warn!(debt_request = %request.id, "GIS showed a debt request of another organisation here");
            return None;
        }
        self.merged.found += 1;
        if self.seen_at < request.synced_at {
            return None;
        }
        request.synced_at = self.seen_at;
        let back = request.stage == Stage::Gone;
        if request.gis == gis && !back {
            return Some(request);
        }
        let auto = gis.response_status == ResponseStatus::AutoGenerated
            && request.gis.response_status != ResponseStatus::AutoGenerated;
        request.gis = gis;
        if back {
            request.stage = Stage::New;
        }
        summarize(&mut request, answers);
        request.version += 1;
        request.updated_at = self.now;
        self.merged.changed += 1;
        self.tell(&request, EventKind::RequestUpdated);
        if auto {
            self.tell(&request, EventKind::RequestAutoGenerated);
        }
        Some(request)
    }

    fn tell(&mut self, request: &DebtRequest, kind: EventKind) {
        self.events.push(NewEvent {
            organization: request.organization,
            kind,
            debt_request: Some(request.id),
            answer: None,
            data: json!({ "stage": request.stage.as_str() }),
        });
    }
}

/// What a subrequest looks like here.
pub(crate) fn view(subrequest: &Subrequest) -> GisView {
    let request = &subrequest.request;
    let housing = &request.housing;
    let text = |personal: &Option<Personal>| personal.as_ref().map(|text| text.as_str().to_owned());
    GisView {
        request_id: request.id.map(Into::into),
        request_number: request.number.clone().unwrap_or_default(),
        requester: Requester {
            organization_id: request.organization.root.map(Into::into),
            name: request.organization.name.clone(),
            phone: request.organization.telephone.clone(),
            employee: request.executor.as_ref().and_then(|staff| text(&staff.name)),
        },
        address: Address {
            text: text(&housing.address),
            premises: text(&housing.details),
            object_type: housing.kind.as_ref().map(object_type),
            fias_house_id: housing.fias_house.map(Into::into),
            gis_house_id: housing.house.map(Into::into),
            gis_object_id: housing.object.map(Into::into),
        },
        period_from: request.period.start.filter(is_bound),
        period_to: request.period.end.filter(is_bound),
        sent_on: request.sent_on,
        due_on: request.answer_by,
        request_status: request_status(request.status.as_ref()),
        response_status: response_status(subrequest.response_status.as_ref()),
    }
}

/// Very early and very late days leave a period open (Q26: 1900-01-01 and the year 5000).
fn is_bound(day: &NaiveDate) -> bool {
    (1901..=2999).contains(&day.year())
}

fn request_status(status: Option<&GisRequestStatus>) -> RequestStatus {
    match status {
        Some(GisRequestStatus::Sent) => RequestStatus::Sent,
        Some(GisRequestStatus::Processed) => RequestStatus::Processed,
        Some(GisRequestStatus::Unknown(_)) | None => RequestStatus::Unknown,
    }
}

fn response_status(status: Option<&GisResponseStatus>) -> ResponseStatus {
    match status {
        Some(GisResponseStatus::NotSent) => ResponseStatus::NotSent,
        Some(GisResponseStatus::Sent) => ResponseStatus::Sent,
        Some(GisResponseStatus::AutoGenerated) => ResponseStatus::AutoGenerated,
        Some(GisResponseStatus::Unknown(_)) | None => ResponseStatus::Unknown,
    }
}

/// `HouseBlock` becomes `house_block`; the schema leaves the words open.
fn object_type(kind: &AddressType) -> String {
    let mut word = String::new();
    for character in kind.as_str().chars() {
        if character.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(character.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use gis_client::debt_requests::RequestInfo;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn subrequest(status: &str) -> Subrequest {
        Subrequest {
            id: Uuid::from_u128(7).into(),
            request: RequestInfo { number: Some("12-1".to_owned()), ..RequestInfo::default() },
            response_status: Some(status.into()),
            response: None,
            broken_fields: Vec::new(),
        }
    }

    fn merge(seen_at: i64) -> Merge {
        Merge {
            organization: Uuid::from_u128(1).into(),
            seen_at: at(seen_at),
            now: at(seen_at),
            roster: Roster::default(),
            merged: Merged::default(),
            events: Vec::new(),
        }
    }

    fn kinds(merge: &Merge) -> Vec<EventKind> {
        merge.events.iter().map(|event| event.kind).collect()
    }

    fn received() -> DebtRequest {
        merge(0).receive(Uuid::from_u128(7).into(), view(&subrequest("NotSent")))
    }

    #[test]
    fn kinds_of_objects_in_lower_snake_case() {
        let word = |text: &str| object_type(&AddressType::from(text));
        assert_eq!(
            [word("Apartment"), word("HouseBlock"), word("room"), word("Дом")],
            ["apartment", "house_block", "room", "дом"]
        );
    }

    #[test]
    fn filler_days_leave_a_period_open() {
        let mut shown = subrequest("NotSent");
        shown.request.period.start = NaiveDate::from_ymd_opt(1900, 1, 1);
        shown.request.period.end = NaiveDate::from_ymd_opt(2026, 7, 1);
        let view = view(&shown);
        assert_eq!((view.period_from, view.period_to), (None, NaiveDate::from_ymd_opt(2026, 7, 1)));
    }

    #[test]
    fn a_word_of_tomorrow_is_unknown() {
        let view = view(&subrequest("Withdrawn"));
        assert_eq!(view.response_status, ResponseStatus::Unknown);
        assert_eq!(view.request_status, RequestStatus::Unknown);
    }

    #[test]
    fn new_ones_are_received() {
        let mut merge = merge(0);
        let request = merge.receive(Uuid::from_u128(7).into(), view(&subrequest("AutoGenerated")));
        assert_eq!((request.stage, request.answered), (Stage::AutoGenerated, true));
        assert_eq!(kinds(&merge), [EventKind::RequestReceived, EventKind::RequestAutoGenerated]);
        assert_eq!(merge.merged, Merged { found: 1, added: 1, changed: 0 });
    }

    #[test]
    fn only_what_changed_is_told() {
        let mut merge = merge(5);
        let same = merge.update(received(), view(&subrequest("NotSent")), &[]).unwrap();
        assert_eq!((same.version, same.synced_at, same.updated_at), (1, at(5), at(0)));
        assert_eq!((kinds(&merge), merge.merged.changed), (vec![], 0));

        let other = merge.update(received(), view(&subrequest("Sent")), &[]).unwrap();
        assert_eq!((other.version, other.stage, other.updated_at), (2, Stage::Answered, at(5)));
        assert_eq!((kinds(&merge), merge.merged.changed), (vec![EventKind::RequestUpdated], 1));
    }

    #[test]
    fn what_was_gone_comes_back() {
        let gone = DebtRequest { stage: Stage::Gone, ..received() };
        let mut merge = merge(5);
        let back = merge.update(gone, view(&subrequest("NotSent")), &[]).unwrap();
        assert_eq!(back.stage, Stage::New);
        assert_eq!(kinds(&merge), [EventKind::RequestUpdated]);
    }

    #[test]
    fn an_older_export_and_a_foreign_row_change_nothing() {
        let newer = DebtRequest { synced_at: at(9), ..received() };
        let foreign = DebtRequest { organization: Uuid::from_u128(2).into(), ..received() };
        let mut merge = merge(5);
        assert_eq!(merge.update(newer, view(&subrequest("Sent")), &[]), None);
        assert_eq!(merge.update(foreign, view(&subrequest("Sent")), &[]), None);
        assert_eq!(merge.merged, Merged { found: 1, added: 0, changed: 0 });
    }
}
