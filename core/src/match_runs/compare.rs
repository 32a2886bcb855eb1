//! Compares debt requests with a registry: the rows of their houses are read together, then each is decided alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::court_debt::Entry;
use crate::domain::debt_request::DebtRequest;
use crate::domain::house::{HouseBook, HouseIds};
use crate::domain::matching::{Decision, Question, decide};
use crate::error::Result;
use crate::ids::{DebtRequestId, OrganizationId, RegistryId};
use crate::store::{Conn, registries};

/// What all registries that answer know of the houses that requests name by the identifier of GIS alone: where one registry
/// has the house by both, the others are asked about the same house.
pub(crate) async fn known_houses(
    conn: &mut Conn,
    organization: OrganizationId,
    requests: &[&DebtRequest],
) -> Result<HouseBook> {
    let ids = requests.iter().map(|request| HouseIds::of(&request.gis.address));
    let houses: HashSet<Uuid> = ids.filter(|ids| ids.fias.is_none()).filter_map(|ids| ids.gis).collect();
    let houses: Vec<Uuid> = houses.into_iter().collect();
    let mut book = HouseBook::default();
    if houses.is_empty() {
        return Ok(book);
    }
    for registry in registries::all_active(conn, organization).await? {
        registries::entries(conn, registry.id, &houses)
            .await?
            .iter()
            .for_each(|entry| entry.teach(&mut book));
    }
    Ok(book)
}

/// What a registry says of debt requests that would be answered today; `book` is what is known of their houses.
pub(crate) async fn compare(
    conn: &mut Conn,
    registry: RegistryId,
    requests: &[&DebtRequest],
    today: NaiveDate,
    book: &HouseBook,
) -> Result<BTreeMap<DebtRequestId, Decision>> {
    let questions: Vec<_> = requests.iter().map(|request| Question::of(&request.gis, today)).collect();
    let rows = Rows::load(conn, registry, requests, &questions, book.clone()).await?;
    let decided = requests.iter().zip(questions).map(|(request, question)| {
        let house = rows.book.complete(question.house());
        (request.id, decide(&question.with_house(house), rows.of(house)))
    });
    Ok(decided.collect())
}

/// Rows that may concern some requests, by the identifiers of their houses.
struct Rows {
    entries: Vec<Entry>,
    by_house: HashMap<Uuid, Vec<usize>>,
    book: HouseBook,
}

impl Rows {
    async fn load(
        conn: &mut Conn,
        registry: RegistryId,
        requests: &[&DebtRequest],
        questions: &[Question],
        book: HouseBook,
    ) -> Result<Self> {
        let mut rows = Self { entries: Vec::new(), by_house: HashMap::new(), book };
        for request in requests {
            let HouseIds { fias, gis } = HouseIds::of(&request.gis.address);
            if let Some(fias) = fias {
                rows.book.learn(fias, gis);
            }
        }
        let asked: HashSet<Uuid> = questions.iter().flat_map(|question| question.house().keys()).collect();
        rows.add(conn, registry, &asked).await?;
        // What the rows say of houses may name them in the other register.
        let completed = questions.iter().flat_map(|question| rows.book.complete(question.house()).keys());
        let further: HashSet<Uuid> = completed.filter(|key| !asked.contains(key)).collect();
        rows.add(conn, registry, &further).await?;
        Ok(rows)
    }

    async fn add(&mut self, conn: &mut Conn, registry: RegistryId, houses: &HashSet<Uuid>) -> Result<()> {
        let houses: Vec<Uuid> = houses.iter().copied().collect();
        for entry in registries::entries(conn, registry, &houses).await? {
            entry.teach(&mut self.book);
            let place = self.entries.len();
            self.by_house.entry(entry.fias_house_id).or_default().push(place);
            if let Some(gis) = entry.gis_house_id {
                self.by_house.entry(gis).or_default().push(place);
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    /// Those of a house.
    fn of(&self, house: HouseIds) -> impl Iterator<Item = &Entry> {
        let places = house.keys().flat_map(|key| self.by_house.get(&key).into_iter().flatten());
        places.filter_map(|place| self.entries.get(*place))
    }
}
