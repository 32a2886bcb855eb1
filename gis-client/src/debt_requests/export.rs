//! `exportDebtSubrequests`: the question which subrequests a supplier has.
//!
//! The format version decides what may be asked and what comes back: 13.1.10.1 knows houses and may include the
//! answers, from 14.0.0.0 on there are housing objects. [`ExportSubrequests::new`] refuses what the schema or its
//! annotations forbid, so that a value of this type is a valid message.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Months, NaiveDate};

use super::parts::{AddressType, RequestStatus, ResponseStatus};
use crate::ids::{HouseId, ObjectId, SubrequestId};
use crate::text::RequestNumber;
use crate::xml::Namespace::{Base, Drs};
use crate::xml::Writer;

/// XSD exportDSRsRequest: at most 100 GUIDs, numbers, houses or objects.
const MOST_ITEMS: usize = 100;
/// XSD annotation of periodOfSendingRequest.
const LONGEST_PERIOD: Months = Months::new(6);
/// XSD exportDSRsRequest: responseStatus at most twice.
const MOST_RESPONSE_STATUSES: usize = 2;

/// Format of the question and of its answer, the attribute `version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportVersion {
    /// 13.1.10.1: houses, flat numbers as text, answers on request.
    V13_1_10_1,
    /// 14.0.0.0: housing objects.
    V14_0_0_0,
    /// 15.3.0.0: the same with one more date of a court act.
    V15_3_0_0,
}

impl ExportVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V13_1_10_1, Self::V14_0_0_0, Self::V15_3_0_0];

    /// As written into the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V13_1_10_1 => "13.1.10.1",
            Self::V14_0_0_0 => "14.0.0.0",
            Self::V15_3_0_0 => "15.3.0.0",
        }
    }
}

impl fmt::Display for ExportVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ExportVersion {
    type Err = InvalidExport;

    fn from_str(text: &str) -> Result<Self, InvalidExport> {
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or(InvalidExport::Version)
    }
}

/// First and last day, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    start: NaiveDate,
    end: NaiveDate,
}

impl Period {
    /// A period that GIS accepts as a filter.
    ///
    /// # Errors
    /// [`InvalidExport::PeriodOrder`], [`InvalidExport::PeriodLength`] (six months), [`InvalidExport::Year`].
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self, InvalidExport> {
        if end < start {
            return Err(InvalidExport::PeriodOrder);
        }
        // Beyond these years xs:date is written in another way.
        if start.year() < 1 || end.year() > 9999 {
            return Err(InvalidExport::Year);
        }
        let latest = start.checked_add_months(LONGEST_PERIOD).ok_or(InvalidExport::PeriodLength)?;
        if end > latest { Err(InvalidExport::PeriodLength) } else { Ok(Self { start, end }) }
    }

    /// First day.
    #[must_use]
    pub const fn start(&self) -> NaiveDate {
        self.start
    }

    /// Last day.
    #[must_use]
    pub const fn end(&self) -> NaiveDate {
        self.end
    }
}

/// A house, flat or room and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HousingObject {
    /// The object in the address register of GIS.
    pub id: ObjectId,
    /// Its kind: a flat (also a block of a house), a room or a house.
    pub kind: AddressType,
}

/// Which places the subrequests must be about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// Any place.
    #[default]
    Any,
    /// These houses, 1 to 100; only in 13.1.10.1.
    Houses(Vec<HouseId>),
    /// These objects, 1 to 100; only from 14.0.0.0 on.
    Objects(Vec<HousingObject>),
}

/// Conditions that must all hold. The answer comes in pages of 100 subrequests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// When the request was sent to the suppliers.
    pub period: Period,
    /// Where.
    pub place: Place,
    /// Status of the request.
    pub request_status: Option<RequestStatus>,
    /// Status of the answer, one of these: none (no condition) to two, without repetition.
    pub response_statuses: Vec<ResponseStatus>,
    /// `None` for the first page, then what [`super::SubrequestPage::next`] of the page before says.
    pub page: Option<SubrequestId>,
}

impl Filter {
    /// Everything that was sent in a period, first page.
    #[must_use]
    pub const fn new(period: Period) -> Self {
        Self { period, place: Place::Any, request_status: None, response_statuses: Vec::new(), page: None }
    }
}

/// Which subrequests are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, 1 to 100.
    Subrequests(Vec<SubrequestId>),
    /// Those of the requests with these numbers, 1 to 100.
    Numbers(Vec<RequestNumber>),
    /// Those that meet conditions.
    Filter(Filter),
}

/// A valid question for `exportDebtSubrequests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSubrequests {
    version: ExportVersion,
    selection: Selection,
    include_responses: bool,
}

/// Why GIS would not take a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExport {
    /// No such format version.
    #[error("unknown format version of the export; use 13.1.10.1, 14.0.0.0 or 15.3.0.0")]
    Version,
    /// The end of a period lies before its start.
    #[error("the period ends before it starts")]
    PeriodOrder,
    /// A day that cannot be written.
    #[error("the days of the period must lie in the years 1 to 9999")]
    Year,
    /// A period is longer than six months.
    #[error("the period is longer than six months; ask in several parts")]
    PeriodLength,
    /// A list has no item or too many.
    #[error("{count} items in the list of {list}; 1 to {MOST_ITEMS} are allowed")]
    Count {
        /// What is listed.
        list: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Something that this format version does not have.
    #[error("{what} cannot be asked in format {version}")]
    NotInVersion {
        /// What was asked.
        what: &'static str,
        /// The version chosen.
        version: ExportVersion,
    },
    /// More than two answer statuses, or one of them twice.
    #[error("at most {MOST_RESPONSE_STATUSES} different statuses of the answer can be asked at once")]
    ResponseStatuses,
    /// A status that the schema does not have.
    #[error("a status that GIS does not know cannot be asked")]
    UnknownStatus,
    /// A kind of a housing object that GIS does not take in a question.
    #[error(
        "the kind of a housing object must be Apartment, Room or House; a block of a house is an Apartment"
    )]
    AddressType,
    /// Only a filter has pages.
    #[error("only an export by conditions comes in pages")]
    NoPages,
}

impl ExportSubrequests {
    /// A question in the given format.
    ///
    /// # Errors
    /// [`InvalidExport`] names what the schema or its annotations forbid.
    pub fn new(
        version: ExportVersion,
        selection: Selection,
        include_responses: bool,
    ) -> Result<Self, InvalidExport> {
        match &selection {
            Selection::Subrequests(ids) => check_count("subrequests", ids.len())?,
            Selection::Numbers(numbers) => check_count("request numbers", numbers.len())?,
            Selection::Filter(filter) => check_filter(version, filter)?,
        }
        // XSD annotation: includeResponses belongs to 13.1.10.1.
        if include_responses && version != ExportVersion::V13_1_10_1 {
            return Err(InvalidExport::NotInVersion { what: "the inclusion of answers", version });
        }
        Ok(Self { version, selection, include_responses })
    }

    /// The same question for another page.
    ///
    /// # Errors
    /// [`InvalidExport::NoPages`] unless it is asked by conditions.
    pub fn with_page(&self, page: SubrequestId) -> Result<Self, InvalidExport> {
        let mut next = self.clone();
        match &mut next.selection {
            Selection::Filter(filter) => filter.page = Some(page),
            Selection::Subrequests(_) | Selection::Numbers(_) => return Err(InvalidExport::NoPages),
        }
        Ok(next)
    }

    /// The format version.
    #[must_use]
    pub const fn version(&self) -> ExportVersion {
        self.version
    }

    /// Which subrequests.
    #[must_use]
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether the answers given so far are asked for as well.
    #[must_use]
    pub const fn include_responses(&self) -> bool {
        self.include_responses
    }
}

fn check_count(list: &'static str, count: usize) -> Result<(), InvalidExport> {
    if (1..=MOST_ITEMS).contains(&count) { Ok(()) } else { Err(InvalidExport::Count { list, count }) }
}

fn check_filter(version: ExportVersion, filter: &Filter) -> Result<(), InvalidExport> {
    match &filter.place {
        Place::Any => {}
        Place::Houses(houses) => {
            check_count("houses", houses.len())?;
            if version != ExportVersion::V13_1_10_1 {
                return Err(InvalidExport::NotInVersion { what: "a house", version });
            }
        }
        Place::Objects(objects) => {
            check_count("housing objects", objects.len())?;
            if version == ExportVersion::V13_1_10_1 {
                return Err(InvalidExport::NotInVersion { what: "a housing object", version });
            }
            objects.iter().try_for_each(|object| check_address_type(&object.kind))?;
        }
    }
    if matches!(filter.request_status, Some(RequestStatus::Unknown(_))) {
        return Err(InvalidExport::UnknownStatus);
    }
    check_response_statuses(&filter.response_statuses)
}

// XSD annotation of ExportHMObjectInfoType: Apartment, Room and House are the possible values. A block of a house is
// an Apartment there.
fn check_address_type(kind: &AddressType) -> Result<(), InvalidExport> {
    match kind {
        AddressType::Apartment | AddressType::Room | AddressType::House => Ok(()),
        AddressType::HouseBlock | AddressType::Unknown(_) => Err(InvalidExport::AddressType),
    }
}

fn check_response_statuses(statuses: &[ResponseStatus]) -> Result<(), InvalidExport> {
    if statuses.iter().any(|status| matches!(status, ResponseStatus::Unknown(_))) {
        return Err(InvalidExport::UnknownStatus);
    }
    let different: HashSet<_> = statuses.iter().collect();
    let fits = different.len() == statuses.len() && statuses.len() <= MOST_RESPONSE_STATUSES;
    fits.then_some(()).ok_or(InvalidExport::ResponseStatuses)
}

/// Writes the content of `exportDSRsRequest`, without the element itself.
pub(crate) fn write_export(writer: &mut Writer, request: &ExportSubrequests) {
    match request.selection() {
        Selection::Subrequests(ids) => ids.iter().for_each(|id| writer.guid(Drs, "subrequestGUID", *id)),
        Selection::Numbers(numbers) => {
            numbers.iter().for_each(|number| writer.text(Drs, "requestNumber", number.as_str()));
        }
        Selection::Filter(filter) => write_filter(writer, filter),
    }
    if request.include_responses() {
        writer.text(Drs, "includeResponses", "true");
    }
}

fn write_filter(writer: &mut Writer, filter: &Filter) {
    writer.element(Drs, "periodOfSendingRequest", |writer| {
        writer.display(Base, "startDate", filter.period.start());
        writer.display(Base, "endDate", filter.period.end());
    });
    match &filter.place {
        Place::Any => {}
        Place::Houses(houses) => houses.iter().for_each(|id| writer.guid(Drs, "houseGUID", *id)),
        Place::Objects(objects) => objects.iter().for_each(|object| write_object(writer, object)),
    }
    if let Some(status) = &filter.request_status {
        writer.text(Drs, "requestStatus", status.as_str());
    }
    for status in &filter.response_statuses {
        writer.text(Drs, "responseStatus", status.as_str());
    }
    if let Some(page) = filter.page {
        writer.guid(Drs, "exportSubrequestGUID", page);
    }
}

fn write_object(writer: &mut Writer, object: &HousingObject) {
    writer.element(Drs, "exportHMObjectGUID", |writer| {
        writer.guid(Drs, "HMobjectGUID", object.id);
        writer.text(Drs, "adressType", object.kind.as_str());
    });
}

#[cfg(test)]
mod tests;
