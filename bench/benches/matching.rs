//! Matching: a registry of a million rows read, laid out by house, and asked about ten thousand debt requests.
//!
//! The aim, with the rows read before: two seconds for all requests.
#![expect(clippy::unwrap_used, reason = "a benchmark without its material has nothing to measure")]

use std::collections::HashMap;

use chrono::NaiveDate;
use debt_core::domain::court_debt::{Entry, Origin};
use debt_core::domain::debt_request::{
    Address, GisView, MatchResult, RequestStatus, Requester, ResponseStatus,
};
use debt_core::domain::house::HouseBook;
use debt_core::domain::matching::{Question, decide};
use debt_core::domain::premises::Premises;
use divan::{Bencher, black_box};
use uuid::Uuid;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const HOUSES: u128 = 20_000;
const ROWS_OF_A_HOUSE: u128 = 50;
const ROWS: u128 = HOUSES * ROWS_OF_A_HOUSE;
const REQUESTS: u128 = 10_000;
/// GIS identifiers, apart from those of FIAS.
const GIS: u128 = 1 << 64;

fn written(flat: u128) -> String {
    match flat % 7 {
        0 => format!("{flat}"),
        1 => format!("кв.{flat}"),
        2 => format!("кв. {flat} комн. 2"),
        3 => format!("Квартира № {flat}а"),
        4 => format!("{flat}/1"),
        _ => format!("кв. {flat}"),
    }
}

fn house_text(house: u128) -> String {
    let (street, number) = (house / 200 + 1, house % 200 + 1);
    format!("000000, обл. Приозёрская, г. Новолесск, ул. {street}-я Ткацкая, д. {number}")
}

fn row(number: u128) -> Entry {
    let house = number / ROWS_OF_A_HOUSE;
    Entry {
        id: Uuid::from_u128(number).into(),
        fias_house_id: Uuid::from_u128(house),
        gis_house_id: house.is_multiple_of(3).then(|| Uuid::from_u128(house + GIS)),
        address: number.is_multiple_of(2).then(|| house_text(house).into()),
        premises: Premises::read(&written(number % ROWS_OF_A_HOUSE * 3 + 1)),
        in_force_from: NaiveDate::from_ymd_opt(2025, 3, 14).unwrap(),
        repaid_on: None,
        noted: false,
        origin: Origin::Workbook,
    }
}

fn view(number: u128) -> GisView {
    let house = number * 7 % (HOUSES * 2);
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day);
    GisView {
        request_id: None,
        request_number: number.to_string(),
        requester: Requester::default(),
        address: Address {
            text: Some(house_text(house)),
            premises: Some(format!("кв. {}", number % 150 + 1)).filter(|_| !number.is_multiple_of(10)),
            object_type: None,
            fias_house_id: (!number.is_multiple_of(4)).then(|| Uuid::from_u128(house)),
            gis_house_id: Some(Uuid::from_u128(house + GIS)),
            gis_object_id: None,
        },
        period_from: None,
        period_to: day(11, 2),
        sent_on: day(11, 2),
        due_on: day(11, 10),
        request_status: RequestStatus::Sent,
        response_status: ResponseStatus::NotSent,
    }
}

/// Rows by every identifier of their houses, and which identifiers belong together.
struct Registry<'rows> {
    book: HouseBook,
    by_house: HashMap<Uuid, Vec<&'rows Entry>>,
}

impl<'rows> Registry<'rows> {
    fn of(rows: &'rows [Entry]) -> Self {
        let (mut book, mut by_house) = (HouseBook::default(), HashMap::<Uuid, Vec<_>>::new());
        for row in rows {
            row.teach(&mut book);
            for key in [Some(row.fias_house_id), row.gis_house_id].into_iter().flatten() {
                by_house.entry(key).or_default().push(row);
            }
        }
        Self { book, by_house }
    }

    fn result(&self, view: &GisView, today: NaiveDate) -> MatchResult {
        let question = Question::of(view, today);
        let house = self.book.complete(question.house());
        let rows = house.keys().filter_map(|key| self.by_house.get(&key)).flatten().copied();
        decide(&question.with_house(house), rows).result
    }
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn premises_of_a_million_rows(bencher: Bencher<'_, '_>) {
    let texts: Vec<_> = (0..ROWS).map(|row| written(row % 150 + 1)).collect();
    bencher
        .bench_local(|| texts.iter().filter(|text| Premises::read(black_box(text)).is_understood()).count());
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_million_rows_by_house(bencher: Bencher<'_, '_>) {
    let rows: Vec<_> = (0..ROWS).map(row).collect();
    bencher.bench_local(|| Registry::of(&rows).by_house.len());
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn ten_thousand_requests_against_a_million_rows(bencher: Bencher<'_, '_>) {
    let rows: Vec<_> = (0..ROWS).map(row).collect();
    let registry = Registry::of(&rows);
    let views: Vec<_> = (0..REQUESTS).map(view).collect();
    let today = NaiveDate::from_ymd_opt(2026, 11, 5).unwrap();
    bencher.bench_local(|| {
        views.iter().filter(|view| registry.result(view, today) == MatchResult::Ambiguous).count()
    });
}
