//! Invented debt requests, made by the database itself in one statement. Everything but the identifiers is a function of
//! the running number, so both databases hold the same, spread over a year of days; seven of ten are answered.
//!
//! The columns are filled as the gateway fills them. Answers that the rows speak of are not there: no list reads them.

use chrono::{DateTime, TimeDelta, Utc};
use debt_core::domain::debt_request::fold;
use uuid::Uuid;

/// What SQL is written for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dialect {
    Lite,
    Pg,
}

const OFFICES: [&str; 6] = [
    "Управление социальной защиты населения г. Заречноград (вымышленное)",
    "ГКУ «Центр социальной поддержки № 7» г. Новолесск (вымышленное)",
    "МФЦ г. Светлоборск, отдел субсидий и льгот (вымышленный)",
    "Управление социальной политики г. Камнегорье (вымышленное)",
    "ГКУ «Жилищные субсидии» г. Тихореченск (вымышленное)",
    "МФЦ г. Заречноград, отдел № 5 (вымышленный)",
];
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
const DAY: i64 = 86_400_000_000;

impl Dialect {
    /// A table of the numbers from 1, `n(i)`.
    fn series(self, count: u32) -> String {
        match self {
            Self::Lite => {
                format!("RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})")
            }
            Self::Pg => format!("n(i) AS (SELECT * FROM generate_series(1::bigint, {count}::bigint))"),
        }
    }

    fn random_id(self) -> String {
        match self {
            Self::Lite => "randomblob(16)".to_owned(),
            Self::Pg => "gen_random_uuid()".to_owned(),
        }
    }

    fn id(self, id: Uuid) -> String {
        match self {
            Self::Lite => format!("x'{}'", id.simple()),
            Self::Pg => format!("'{id}'::uuid"),
        }
    }

    /// A day so many days after another; an expression.
    fn day(self, from: DateTime<Utc>, days: &str) -> String {
        let from = from.date_naive();
        match self {
            Self::Lite => format!("date('{from}', ({days}) || ' days')"),
            Self::Pg => format!("(date '{from}' + CAST(({days}) AS integer))"),
        }
    }

    /// A time from an expression of microseconds since 1970.
    fn moment(self, micros: &str) -> String {
        match self {
            Self::Lite => format!("({micros})"),
            Self::Pg => format!("(to_timestamp(0) + ({micros}) * interval '1 microsecond')"),
        }
    }
}

/// The statement that makes an organisation's debt requests.
pub(crate) fn debt_requests(dialect: Dialect, organization: Uuid, count: u32, now: DateTime<Utc>) -> String {
    let columns = columns(dialect, organization, now);
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> = columns.iter().map(|(_, value)| value.as_str()).collect();
    // Multiplication by great primes spreads the numbers; the upper bits are the better ones.
    format!(
        "INSERT INTO debt_requests ({names})
        WITH {series},
        m(i, a, b, c, d) AS (
            SELECT i, (i * 2654435761 % 4294967296) >> 12, (i * 2246822519 % 4294967296) >> 12,
                (i * 3266489917 % 4294967296) >> 12, (i * 668265263 % 4294967296) >> 12
            FROM n
        ),
        v(i, answered, by_gis, ours, debt, work, ago, house, flat, o, s) AS (
            SELECT i, a % 10 < 7, a % 40 = 0, b % 2 = 0, b % 12 = 0, b % 20, c % 365,
                d % 140 + 1, b % 160 + 1, c % 6, d % 14
            FROM m
        ),
        office(o, office_id, office_name, office_folded) AS (VALUES {offices}),
        street(s, street_name, street_folded) AS (VALUES {streets})
        SELECT {values} FROM v JOIN office USING (o) JOIN street USING (s)",
        names = names.join(", "),
        values = values.join(", "),
        series = dialect.series(count),
        offices = offices(dialect),
        streets = streets(),
    )
}

fn offices(dialect: Dialect) -> String {
    let rows = OFFICES.iter().zip(0_u128..).map(|(name, place)| {
        let id = dialect.id(Uuid::from_u128(0x0ff1_ce00 + place));
        format!("({place}, {id}, {}, {})", quoted(name), quoted(&fold(name)))
    });
    rows.collect::<Vec<_>>().join(", ")
}

fn streets() -> String {
    let rows = STREETS.iter().zip(0_u128..).map(|(name, place)| {
        let address = format!("000000, обл. Приозёрская, г. Заречноград, ул. {name}, д. ");
        // Folding takes the space at the end away.
        format!("({place}, {}, {})", quoted(&address), quoted(&format!("{} ", fold(&address))))
    });
    rows.collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Every column that is not empty, with the expression of its value.
fn columns(dialect: Dialect, organization: Uuid, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
    const MINE: &str = "(answered AND ours AND NOT by_gis)";
    const DRAFTED: &str = "(work = 0 AND NOT answered)";
    let moment = now.timestamp_micros();
    let (sent, due) = (dialect.day(now, "0 - ago"), dialect.day(now, "7 - ago"));
    let sent_at = dialect.moment(&format!("{moment} - (ago + 1) * {DAY}"));
    // Every row has a time of its own, so that pages by time are pages of different times.
    let changed_at = dialect.moment(&format!("{moment} - (ago + 1) * {DAY} + i"));
    let random = dialect.random_id();
    vec![
        ("id", random.clone()),
        ("organization_id", dialect.id(organization)),
        ("request_id", random.clone()),
        (
            "request_number",
            format!("'62' || substr(CAST({sent} AS text), 1, 4) || substr(CAST(100000000 + i AS text), 2)"),
        ),
        ("requester_id", "office_id".to_owned()),
        ("requester_name", "office_name".to_owned()),
        ("requester_folded", "office_folded".to_owned()),
        ("requester_phone", "'+7 000 000-00-00'".to_owned()),
        ("requester_employee", "'Образцова Примера Вымышленовна'".to_owned()),
        ("address", "street_name || house".to_owned()),
        ("address_folded", "street_folded || house || ' кв. ' || flat".to_owned()),
        ("premises", "'кв. ' || flat".to_owned()),
        ("object_type", "'apartment'".to_owned()),
        ("fias_house_id", random.clone()),
        ("gis_house_id", random.clone()),
        ("gis_object_id", random.clone()),
        ("period_from", dialect.day(now, "0 - ago - 1096")),
        ("period_to", dialect.day(now, "0 - ago - 1")),
        ("sent_on", sent.clone()),
        ("due_on", due.clone()),
        ("sent_key", sent),
        ("due_key", due),
        ("request_status", "CASE WHEN answered THEN 'processed' ELSE 'sent' END".to_owned()),
        (
            "response_status",
            "CASE WHEN answered AND by_gis THEN 'auto_generated' WHEN answered THEN 'sent' ELSE 'not_sent' END"
                .to_owned(),
        ),
        ("gis_has_debt", "CASE WHEN answered THEN debt END".to_owned()),
        ("viewed_at", format!("CASE WHEN answered THEN {changed_at} END")),
        ("synced_at", dialect.moment(&moment.to_string())),
        (
            "stage",
            "CASE WHEN answered AND by_gis THEN 'auto_generated' WHEN answered THEN 'answered' \
             WHEN work = 0 THEN 'in_work' WHEN work = 1 THEN 'needs_attention' ELSE 'new' END"
                .to_owned(),
        ),
        ("answered", "answered".to_owned()),
        ("answer_id", format!("CASE WHEN {MINE} OR {DRAFTED} THEN {random} END")),
        ("answer_state", format!("CASE WHEN {MINE} THEN 'delivered' WHEN {DRAFTED} THEN 'draft' END")),
        ("answer_has_debt", format!("CASE WHEN {MINE} OR {DRAFTED} THEN debt END")),
        ("answer_updated_at", format!("CASE WHEN {MINE} OR {DRAFTED} THEN {changed_at} END")),
        ("draft_id", format!("CASE WHEN {DRAFTED} THEN {random} END")),
        ("version", "CASE WHEN answered THEN 4 ELSE 1 END".to_owned()),
        ("created_at", sent_at),
        ("updated_at", changed_at),
    ]
}

/// The statement that notes a reading of GIS that ended an hour ago.
pub(crate) fn sync_run(dialect: Dialect, organization: Uuid, now: DateTime<Utc>) -> String {
    let day = dialect.day(now, "0");
    let ended = dialect.moment(&(now - TimeDelta::hours(1)).timestamp_micros().to_string());
    format!(
        "INSERT INTO sync_runs (id, organization_id, started_by, state, window_from, window_to, found, added, changed,
            pages, started_at, finished_at)
        VALUES ({id}, {organization}, 'bench', 'succeeded', {day}, {day}, 0, 0, 0, 1, {ended}, {ended})",
        id = dialect.random_id(),
        organization = dialect.id(organization),
    )
}
