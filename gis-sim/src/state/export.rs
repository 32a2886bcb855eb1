//! What an `exportDebtSubrequests` shows: the three selections, the conditions, and the blocks.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Utc};
use uuid::Uuid;

use super::{Key, Record, Standing, World, key, size_of_answer};
use crate::codes::{self, gis_error};
use crate::rules::dictionaries::COURT_ACT;
use crate::scenario::{Export as Switches, LastPage};
use crate::seed::Info;
use crate::wire::model::{
    CourtAct, Document, Export, Filter, GisError, HousingObject, NotFound, Objects, Paging, Place, Response,
    Selection, Subrequest, SubrequestPage, Version,
};

/// The name that GIS would look up for an `executorGUID`; whose it is stays unknown here.
const EXECUTOR_NAME: &str = "Исполнитель Вымышленный";

/// A subrequest as it was when the export was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What never changes.
    pub info: Arc<Info>,
    /// Its answer at the moment shown.
    pub standing: Standing,
}

/// The result of an export, kept until it is fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The format asked for.
    pub version: Version,
    /// Whether answers are shown with their content.
    pub with_answers: bool,
    /// The subrequests.
    pub rows: Vec<Row>,
    /// Those asked for by name and not there.
    pub not_found: NotFound,
    /// How the block ends.
    pub paging: Paging,
}

impl Page {
    /// The page as it goes out.
    #[must_use]
    pub fn to_wire(&self) -> SubrequestPage {
        SubrequestPage {
            subrequests: self.rows.iter().map(|row| row.to_wire(self.version, self.with_answers)).collect(),
            not_found: self.not_found.clone(),
            paging: self.paging,
        }
    }
}

impl Page {
    /// Roughly the bytes of memory that it keeps from being given back.
    pub(crate) fn size(&self) -> usize {
        const ENTRY: usize = 100;
        let rows =
            self.rows.iter().map(|row| ENTRY + row.standing.answer.as_deref().map_or(0, size_of_answer));
        let missing = match &self.not_found {
            NotFound::Subrequests(guids) => guids.len() * 16,
            NotFound::Numbers(numbers) => numbers.iter().map(|number| ENTRY + number.len()).sum(),
        };
        rows.sum::<usize>() + missing
    }
}

impl Row {
    fn to_wire(&self, version: Version, with_answers: bool) -> Subrequest {
        let info = &*self.info;
        let answer = self.standing.answer.as_deref().filter(|_| with_answers);
        Subrequest {
            guid: info.guid,
            request: info.request,
            number: info.number.clone(),
            organization: info.organization.clone(),
            housing: HousingObject {
                place: place(info, version),
                fias_house: info.fias_house,
                address: info.address.clone(),
            },
            period: info.period,
            status: self.standing.request_status(),
            sent: info.sent,
            respond_by: info.respond_by,
            executor: info.executor.clone(),
            response_status: self.standing.status,
            response: answer.map(|answer| {
                let act = |document: &Document| court_act(document, info, version);
                Response::of_answer(answer, EXECUTOR_NAME, act)
            }),
        }
    }
}

/// The court act behind a document, invented: answers do not tell, exports do from 14.0.0.0 on (XSD 16.3.0.0 actType).
fn court_act(document: &Document, info: &Info, version: Version) -> Option<CourtAct> {
    if document.kind.guid != COURT_ACT || version == Version::V13 {
        return None;
    }
    let date = info.sent - Days::new(60);
    let pronounced = (version == Version::V15).then(|| date - Days::new(30));
    let number = format!("2-{}/{}", document.file.guid.as_u128() % 10_000, date.year());
    Some(CourtAct { number, date, pronounced })
}

/// Q23: only the 13.1.10.1 form names the flat.
fn place(info: &Info, version: Version) -> Place {
    match version {
        Version::V13 => Place::House { guid: info.house, details: info.details.clone() },
        Version::V14 | Version::V15 => Place::Object(info.object.clone()),
    }
}

impl World {
    /// Makes the export of a supplier that shows its answers as they stood at `view`.
    ///
    /// # Errors
    /// INT002012 when there is nothing to show, or the error of a lost block (Q20).
    pub fn export(
        &mut self,
        supplier: Uuid,
        export: &Export,
        view: DateTime<Utc>,
        switches: &Switches,
    ) -> Result<Page, GisError> {
        let found = match &export.selection {
            Selection::Subrequests(guids) => self.by_guid(supplier, guids, view),
            Selection::Numbers(numbers) => self.by_number(supplier, numbers, view),
            Selection::Filter(filter) => self.block(supplier, filter, view, switches)?,
        };
        if found.rows.is_empty() && !found.announced {
            return Err(gis_error(codes::NOTHING, None));
        }
        // XSD 16.3.0.0 includeResponses belongs to 13.1.10.1; later formats show answers unless told not to.
        let with_answers = match export.version {
            Version::V13 => export.include_responses == Some(true),
            Version::V14 | Version::V15 => export.include_responses != Some(false),
        };
        let Found { rows, not_found, paging, .. } = found;
        Ok(Page { version: export.version, with_answers, rows, not_found, paging })
    }

    fn by_guid(&self, supplier: Uuid, guids: &[Uuid], view: DateTime<Utc>) -> Found {
        let mut rows = Vec::new();
        let mut missing = Vec::new();
        for guid in guids {
            match self.get(*guid).filter(|record| record.supplier == supplier && record.withdrawn.is_none()) {
                Some(record) => rows.push(record.seen_at(view)),
                None => missing.push(*guid),
            }
        }
        Found::named(rows, NotFound::Subrequests(missing))
    }

    fn by_number(&self, supplier: Uuid, numbers: &[String], view: DateTime<Utc>) -> Found {
        let wanted: HashSet<&str> = numbers.iter().map(String::as_str).collect();
        let listed = self.of_supplier(supplier).filter(|record| record.withdrawn.is_none());
        let rows: Vec<Row> = listed
            .filter(|record| wanted.contains(record.info.number.as_str()))
            .map(|record| record.seen_at(view))
            .collect();
        let found: HashSet<&str> = rows.iter().map(|row| row.info.number.as_str()).collect();
        let missing = numbers.iter().filter(|number| !found.contains(number.as_str())).cloned().collect();
        Found::named(rows, NotFound::Numbers(missing))
    }

    fn block(
        &mut self,
        supplier: Uuid,
        filter: &Filter,
        view: DateTime<Utc>,
        switches: &Switches,
    ) -> Result<Found, GisError> {
        let start = match filter.page {
            None => (filter.period.start, String::new(), Uuid::nil()),
            Some(page) if self.is_behind_the_end(supplier, page) => {
                self.lose_block(page, switches)?;
                return Ok(Found::empty_last(switches));
            }
            Some(page) => self.start_of_block(supplier, page, switches)?,
        };
        let mut rows = self.matching(supplier, filter, start, view, switches.page_size.saturating_add(1));
        let next = if rows.len() > switches.page_size { rows.pop() } else { None };
        let full = rows.len() == switches.page_size;
        let paging = match (next, rows.last()) {
            (Some(row), _) => Paging::Next(row.info.guid),
            (None, Some(last)) if full && switches.empty_last_page => Paging::Next(behind(last.info.guid)),
            (None, _) => last_page(switches),
        };
        // A block that was announced comes, even when all that was in it has left the conditions meanwhile.
        let announced = filter.page.is_some();
        Ok(Found { rows, not_found: NotFound::Subrequests(Vec::new()), paging, announced })
    }

    fn matching(
        &self,
        supplier: Uuid,
        filter: &Filter,
        start: Key,
        view: DateTime<Utc>,
        most: usize,
    ) -> Vec<Row> {
        let Some(keys) = self.suppliers.get(&supplier) else {
            return Vec::new();
        };
        let range = keys.range((Bound::Included(start), Bound::Unbounded));
        range
            .skip_while(|(sent, ..)| *sent < filter.period.start)
            .take_while(|(sent, ..)| *sent <= filter.period.end)
            .filter_map(|(_, _, guid)| self.get(*guid))
            .filter(|record| record.withdrawn.is_none() && is_at(&record.info, &filter.objects))
            .map(|record| record.seen_at(view))
            .filter(|row| row.satisfies(filter))
            .take(most)
            .collect()
    }

    /// Where the block begins that `page` names. The subrequest may have left the conditions meanwhile: its place
    /// in the order counts.
    fn start_of_block(&mut self, supplier: Uuid, page: Uuid, switches: &Switches) -> Result<Key, GisError> {
        let record = self.get(page).filter(|record| record.supplier == supplier);
        let start = record.map(|record| key(&record.info)).ok_or_else(|| content_not_found(page))?;
        self.lose_block(page, switches)?;
        Ok(start)
    }

    /// Q20: a block that was announced is not there the first times.
    fn lose_block(&mut self, page: Uuid, switches: &Switches) -> Result<(), GisError> {
        let lost = self.lost_pages.entry(page).or_insert(0);
        if *lost < switches.page_lost_times {
            *lost += 1;
            return Err(content_not_found(page));
        }
        self.lost_pages.remove(&page);
        Ok(())
    }

    fn is_behind_the_end(&self, supplier: Uuid, page: Uuid) -> bool {
        self.get(behind(page)).is_some_and(|record| record.supplier == supplier)
    }
}

/// The id of the empty block behind a last subrequest (Q19).
fn behind(last: Uuid) -> Uuid {
    Uuid::from_u128(!last.as_u128())
}

/// Q20, in the words of the real system.
fn content_not_found(page: Uuid) -> GisError {
    let text = format!("Error loading content: Content not found for guid: {page}");
    gis_error(codes::PAGE_LOST, Some(&text))
}

fn last_page(switches: &Switches) -> Paging {
    match switches.last_page {
        LastPage::Marked => Paging::Last,
        LastPage::Absent => Paging::Absent,
        LastPage::Empty => Paging::Empty,
    }
}

fn is_at(info: &Info, objects: &Objects) -> bool {
    match objects {
        Objects::Any => true,
        Objects::Houses(houses) => houses.contains(&info.house),
        Objects::Registry(objects) => objects.iter().any(|object| {
            (object.guid == info.object.guid && object.kind.eq_ignore_ascii_case(&info.object.kind))
                || (object.guid == info.house && object.kind.eq_ignore_ascii_case("House"))
        }),
    }
}

impl Record {
    fn seen_at(&self, view: DateTime<Utc>) -> Row {
        Row { info: Arc::clone(&self.info), standing: self.standing_at(view) }
    }
}

impl Row {
    fn satisfies(&self, filter: &Filter) -> bool {
        let statuses = &filter.response_statuses;
        filter.request_status.is_none_or(|status| status == self.standing.request_status())
            && (statuses.is_empty() || statuses.contains(&self.standing.status))
    }
}

struct Found {
    rows: Vec<Row>,
    not_found: NotFound,
    paging: Paging,
    /// The block before named it, so that it comes even when it is empty.
    announced: bool,
}

impl Found {
    /// XSD 16.3.0.0 pagedOutput: filled for conditions only.
    fn named(rows: Vec<Row>, not_found: NotFound) -> Self {
        Self { rows, not_found, paging: Paging::Absent, announced: false }
    }

    fn empty_last(switches: &Switches) -> Self {
        let not_found = NotFound::Subrequests(Vec::new());
        Self { rows: Vec::new(), not_found, paging: last_page(switches), announced: true }
    }
}

#[cfg(test)]
mod tests;
