//! Invented subrequests: realistic in form, not one real person, office, town or street in them.
//!
//! Everything is a pure function of the seed, the supplier, the running number and the day, so that two simulators with
//! the same seed show the same requests. What must stay true: several requests hit one house and sometimes one flat;
//! no request is overdue on the day it is made; the last two digits of a request number are 10 to 99, which leaves 00
//! to 09 to the behaviours of the sandbox.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use crate::scenario::{Requests, Variety};
use crate::wire::model::{Executor, Organization, Period, RegistryObject};

/// Houses among this many consecutive requests …
const BLOCK: u64 = 200;
/// … are this many.
const HOUSES_IN_BLOCK: u64 = 60;
/// Working days that a supplier has for its answer.
const WORKING_DAYS: u32 = 5;
/// Requests of the last days: none is overdue, some are due soon.
const LATEST_DAYS: u64 = 6;
const OFFICES: u64 = 6;

const REGION: &str = "Приозёрская";
const TOWNS: [&str; 5] = ["Заречноград", "Новолесск", "Светлоборск", "Камнегорье", "Тихореченск"];
const STREETS: [&str; 14] = [
    "Яблоневая",
    "Кедровая",
    "Бумажников",
    "Ткацкая",
    "Озёрная",
    "Стекольщиков",
    "Верхняя Набережная",
    "Третья Парковая",
    "Сплавная",
    "Мельничная",
    "Звёздная",
    "Луговая",
    "Корабельная",
    "имени Первых Строителей",
];
const LAST_NAMES: [&str; 8] =
    ["Примерова", "Образцова", "Тестова", "Выдумкина", "Условнова", "Макетова", "Пробнова", "Эталонова"];
const FIRST_NAMES: [&str; 5] =
    ["Анна Ивановна", "Ольга Петровна", "Елена Львовна", "Вера Ильинична", "Нина Олеговна"];
/// Holidays with a fixed date (month, day); moved working days are not simulated, GIS names the deadline itself.
const HOLIDAYS: [(u32, u32); 14] = [
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 6),
    (1, 7),
    (1, 8),
    (2, 23),
    (3, 8),
    (5, 1),
    (5, 9),
    (6, 12),
    (11, 4),
];

/// What never changes about a subrequest.
#[derive(Clone, PartialEq, Eq)]
pub struct Info {
    /// `subrequestGUID`.
    pub guid: Uuid,
    /// `requestGUID`.
    pub request: Uuid,
    /// `requestNumber`.
    pub number: String,
    /// The asking office.
    pub organization: Organization,
    /// The house in the registry of GIS.
    pub house: Uuid,
    /// The flat, room or house in the registry of GIS.
    pub object: RegistryObject,
    /// The house's FIAS id, where GIS has it.
    pub fias_house: Option<Uuid>,
    /// The address as text, without the flat.
    pub address: String,
    /// The flat as text (`addressDetails`), none for a house.
    pub details: Option<String>,
    /// The period the question is about.
    pub period: Period,
    /// When it was sent to the supplier.
    pub sent: NaiveDate,
    /// The deadline.
    pub respond_by: NaiveDate,
    /// The asking employee.
    pub executor: Executor,
}

impl std::fmt::Debug for Info {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Info").field("guid", &self.guid).finish_non_exhaustive()
    }
}

/// A random source that depends on nothing but its arguments.
#[must_use]
pub fn dice(seed: u64, purpose: &str, first: u64, second: u64) -> ChaCha8Rng {
    // FNV-1a: only has to keep the purposes apart.
    let purpose = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut key = [0_u8; 32];
    let words = [seed, purpose, first, second].map(u64::to_le_bytes);
    for (slot, byte) in key.iter_mut().zip(words.iter().flatten()) {
        *slot = *byte;
    }
    ChaCha8Rng::from_seed(key)
}

/// A random GUID (version 4) of this source.
pub fn random_guid(source: &mut impl Rng) -> Uuid {
    let mut bytes = [0_u8; 16];
    source.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The day `count` working days after `day`.
#[must_use]
pub fn add_working_days(day: NaiveDate, count: u32) -> NaiveDate {
    let working = day.iter_days().skip(1).filter(|day| is_working(*day));
    working.take(usize::try_from(count).unwrap_or(usize::MAX)).last().unwrap_or(day)
}

fn is_working(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !HOLIDAYS.contains(&(day.month(), day.day()))
}

/// The usual deadline of a subrequest sent on this day.
#[must_use]
pub fn deadline(sent: NaiveDate) -> NaiveDate {
    add_working_days(sent, WORKING_DAYS)
}

/// The day so many days ago, or today where the deadline would be past: on a Saturday that of the last Sunday is.
fn sent_on(today: NaiveDate, days_ago: u64) -> NaiveDate {
    today.checked_sub_days(Days::new(days_ago)).filter(|sent| deadline(*sent) >= today).unwrap_or(today)
}

/// The three years before this day: what offices ask about.
#[must_use]
pub fn three_years_before(day: NaiveDate) -> Period {
    let end = day.pred_opt().unwrap_or(day);
    Period { start: end.checked_sub_months(Months::new(36)).unwrap_or(end), end }
}

/// The seed of one supplier's requests.
fn supplier_seed(seed: u64, supplier: Uuid) -> u64 {
    let (high, low) = supplier.as_u64_pair();
    dice(seed, "supplier", high, low).random()
}

/// Subrequest `index` (from 0) that this supplier is asked on the day `today`.
#[must_use]
pub fn subrequest(seed: u64, supplier: Uuid, index: u64, today: NaiveDate, habits: &Requests) -> Info {
    let seed = supplier_seed(seed, supplier);
    let mut source = dice(seed, "request", index, 0);
    let house =
        House::of(seed, index / BLOCK * HOUSES_IN_BLOCK + source.random_range(0..HOUSES_IN_BLOCK), habits);
    let premises = house.premises(&mut source, habits.premises);
    let sent = sent_on(today, source.random_range(0..=LATEST_DAYS));
    let office = source.random_range(0..OFFICES);
    Info {
        guid: random_guid(&mut source),
        request: random_guid(&mut source),
        number: number(seed, index, today),
        organization: office_of(seed, office),
        house: house.guid,
        object: premises.object,
        fias_house: house.fias,
        address: house.address,
        details: premises.details,
        period: three_years_before(sent),
        sent,
        respond_by: deadline(sent),
        executor: employee(&mut dice(seed, "employee", office, source.random_range(0..3))),
    }
}

/// Two digits of the supplier, the year, and a running number whose last two digits are 10 to 99.
fn number(seed: u64, index: u64, today: NaiveDate) -> String {
    format!("{:02}{:04}{:08}", 10 + seed % 90, today.year(), index / 90 * 100 + 10 + index % 90)
}

fn office_of(seed: u64, office: u64) -> Organization {
    let mut source = dice(seed, "office", office, 0);
    let town = pick(&TOWNS, &mut source);
    let telephone = (office % 3 != 2).then(|| format!("+7 (000) 000-00-{office:02}"));
    let name = match office % 3 {
        0 => format!("Управление социальной защиты населения г. {town} (вымышленное)"),
        1 => format!("ГКУ «Центр социальной поддержки № {office}» г. {town} (вымышленное)"),
        _ => format!("МФЦ г. {town}, отдел субсидий и льгот (вымышленный)"),
    };
    Organization { root: random_guid(&mut source), name, telephone }
}

fn employee(source: &mut ChaCha8Rng) -> Executor {
    let name = format!("{} {}", pick(&LAST_NAMES, source), pick(&FIRST_NAMES, source));
    Executor { guid: random_guid(source), name }
}

fn pick<'list>(list: &[&'list str], source: &mut ChaCha8Rng) -> &'list str {
    list.choose(source).copied().unwrap_or_default()
}

struct House {
    seed: u64,
    number: u64,
    guid: Uuid,
    fias: Option<Uuid>,
    /// 0 for a private house.
    flats: u32,
    address: String,
}

struct Premises {
    object: RegistryObject,
    details: Option<String>,
}

impl House {
    fn of(seed: u64, number: u64, habits: &Requests) -> Self {
        let mut source = dice(seed, "house", number, 0);
        let guid = random_guid(&mut source);
        let fias = random_guid(&mut source);
        let has_fias = habits.without_fias_one_in == 0 || !number.is_multiple_of(habits.without_fias_one_in);
        let flats = if source.random_ratio(1, 6) { 0 } else { source.random_range(8..=160) };
        let address = address(seed, &mut source, habits.spelling);
        Self { seed, number, guid, fias: has_fias.then_some(fias), flats, address }
    }

    fn premises(&self, source: &mut ChaCha8Rng, variety: Variety) -> Premises {
        if self.flats == 0 {
            let object = RegistryObject { guid: self.guid, kind: "House".to_owned() };
            return Premises { object, details: None };
        }
        let flat = source.random_range(1..=self.flats);
        let room = source.random_ratio(1, 12).then(|| source.random_range(1..=3_u32));
        let place = u64::from(flat) * 10 + u64::from(room.unwrap_or(0));
        let guid = random_guid(&mut dice(self.seed, "object", self.number, place));
        let kind = if room.is_some() { "Room" } else { "Apartment" };
        let form = match variety {
            Variety::Plain => 0,
            Variety::Mixed => source.random_range(0..5_u32),
        };
        let details = match (form, room) {
            (_, Some(room)) => format!("кв. {flat} комн. {room}"),
            (1, None) => format!("кв.{flat}"),
            (2, None) => format!("кв {flat}"),
            (3, None) => flat.to_string(),
            (_, None) => format!("кв. {flat}"),
        };
        Premises { object: RegistryObject { guid, kind: kind.to_owned() }, details: Some(details) }
    }
}

/// One town a supplier, with a few houses in another; every house is spelled in one way.
fn address(seed: u64, source: &mut ChaCha8Rng, variety: Variety) -> String {
    let home = pick(&TOWNS, &mut dice(seed, "town", 0, 0));
    let town = if source.random_ratio(1, 10) { pick(&TOWNS, source) } else { home };
    let street = pick(&STREETS, source);
    let house = source.random_range(1..=140_u32);
    let block = source.random_ratio(1, 5).then(|| source.random_range(1..=4_u32));
    let form = match variety {
        Variety::Plain => 0,
        Variety::Mixed => source.random_range(0..6_u32),
    };
    let number = match (block, form) {
        (None, 2) => format!("д.{house}"),
        (None, _) => format!("д. {house}"),
        (Some(block), 1) => format!("д. {house} к. {block}"),
        (Some(block), 2) => format!("д.{house}к{block}"),
        (Some(block), _) => format!("д. {house}, корп. {block}"),
    };
    match form {
        1 => format!("обл {REGION}, г {town}, ул {street}, {number}"),
        2 => format!("{REGION} область, г. {town}, {street} улица, {number}"),
        3 => format!("000000, обл. {REGION}, г. {town}, ул. {street}, {number}").replace('ё', "е"),
        _ => format!("000000, обл. {REGION}, г. {town}, ул. {street}, {number}"),
    }
}

#[cfg(test)]
mod tests;
