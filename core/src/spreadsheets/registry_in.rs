//! The registry of court debts from a workbook: one row for one address with a debt that a court has confirmed.
//!
//! Two guards stand before it, because a wrong registry answers everything wrongly: the name of the file must hold the ОГРН
//! of the organisation, and a list of requests put in by mistake is recognised by its columns.

use std::collections::HashMap;
use std::fmt;

use chrono::NaiveDate;
use gis_client::text::{Comment, PersonName, Snils};
use uuid::Uuid;

use super::answers_in::parsed;
use super::cell::Cell;
use super::debt_requests_out;
use super::errors::{Fault, RowErrors, WorkbookError};
use super::table::{Columns, Header, Reading, Table, Top, columns, plain};
use super::workbook::Workbook;

columns! {
    /// The columns of the registry.
    Column {
        DebtFrom = "Дата начала периода задолженности" (true),
        RepaidOn = "Дата погашения задолженности" (false),
        House = "Идентификатор адреса" / "Код ФИАС дома" (true),
        Address = "Адрес дома" (false),
        Premises = "Номер квартиры, комнаты, блока жилого дома" (true),
        LastName = "Фамилия" (true),
        FirstName = "Имя" (true),
        MiddleName = "Отчество" (false),
        Snils = "СНИЛС" (false),
        CourtAct = "Копия судебного акта" (false),
        ReconciliationAct = "Акт сверки" (false),
        OtherFiles = "Дополнительные файлы" / "Дополнительный файлы" (false),
        Information = "Дополнительная информация" (false),
    }
}

/// Longest address and premises that are kept.
const LONGEST_ADDRESS: usize = 1_000;
const LONGEST_PREMISES: usize = 255;
const LONGEST_FILE_NAME: usize = 255;

/// A court debt.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryRow {
    /// Its row, from 1.
    pub row: u32,
    /// When the decision came into force (дата начала периода задолженности).
    pub debt_from: NaiveDate,
    /// When it was repaid.
    pub repaid_on: Option<NaiveDate>,
    /// The house in FIAS.
    pub house: Uuid,
    /// The address of the house in words, to be compared with that of a request.
    pub address: Option<String>,
    /// The flat, room or block as it was written; empty for a house without.
    pub premises: String,
    /// The same in the form in which premises are compared.
    pub premises_key: String,
    /// Last name.
    pub last_name: PersonName,
    /// First name.
    pub first_name: PersonName,
    /// Middle name.
    pub middle_name: Option<PersonName>,
    /// СНИЛС.
    pub snils: Option<Snils>,
    /// Name of the scan of the court act.
    pub court_act: Option<String>,
    /// Name of the scan of the reconciliation act.
    pub reconciliation_act: Option<String>,
    /// Names of further files.
    pub other_files: Vec<String>,
    /// Further debtors and decisions in words; goes into the comment of the answer.
    pub information: Option<Comment>,
}

impl RegistryRow {
    /// The names of its scans, each with the header of its column.
    pub fn scans(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let act = self.court_act.as_deref().map(|name| (Column::CourtAct.name(), name));
        let reconciliation = self.reconciliation_act.as_deref();
        let reconciliation = reconciliation.map(|name| (Column::ReconciliationAct.name(), name));
        let others = self.other_files.iter().map(|name| (Column::OtherFiles.name(), name.as_str()));
        act.into_iter().chain(reconciliation).chain(others)
    }
}

impl fmt::Debug for RegistryRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegistryRow").field("row", &self.row).finish_non_exhaustive()
    }
}

/// What a registry is checked against.
#[derive(Clone, Copy)]
pub struct RegistryRules<'a> {
    /// No decision and no payment lies in the future.
    pub today: NaiveDate,
    /// The form in which premises are compared; `None` for what is no premises. A blank names a house.
    pub premises_key: &'a dyn Fn(&str) -> Option<String>,
    /// Whether there is a scan with this name.
    pub has_scan: &'a dyn Fn(&str) -> bool,
    /// Files of one row.
    pub most_files: usize,
}

impl fmt::Debug for RegistryRules<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegistryRules").field("today", &self.today).finish_non_exhaustive()
    }
}

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRegistry {
    /// Rows without mistakes.
    pub rows: Vec<RegistryRow>,
    /// Rows that are not blank, with mistakes or without.
    pub count: u32,
    /// Mistakes; the rows that they are in are not among the others.
    pub errors: RowErrors,
    /// What is odd, but taken.
    pub warnings: RowErrors,
    /// Headers of columns that were ignored.
    pub ignored_columns: Vec<String>,
}

/// Reads a registry.
///
/// # Errors
/// The workbook holds no registry, or a list of requests, or it cannot be read to its end.
pub fn read_registry(
    workbook: &mut Workbook,
    rules: RegistryRules<'_>,
) -> Result<SheetRegistry, WorkbookError> {
    let tops = Top::of(workbook)?;
    refuse_gis_export(&tops)?;
    let header = Header::<Column>::find(workbook, &tops)?;
    let mut errors = RowErrors::new(workbook.limits());
    let mut warnings = RowErrors::new(workbook.limits());
    let (mut rows, mut count, mut addresses) = (Vec::new(), 0, HashMap::new());
    let mut table = Table::below(workbook, &header)?;
    while let Some(row) = table.next()? {
        count += 1;
        let number = row.number;
        let mut reading = Reading::of(row);
        let read = registry_row(&mut reading, number, rules);
        if let Some(read) = &read {
            let key = (read.house, read.premises_key.clone());
            let first = *addresses.entry(key).or_insert(number);
            if first != number {
                let detail = format!("этот адрес уже есть в строке {first}: один адрес – одна строка");
                reading.wrong(Column::Premises, Fault::new("duplicate", detail));
            }
            warn(&reading, read, &mut warnings);
        }
        if reading.finish(&mut errors) {
            rows.extend(read);
        }
    }
    drop(table);
    Ok(SheetRegistry { rows, count, errors, warnings, ignored_columns: header.ignored_columns() })
}

fn refuse_gis_export(tops: &[Top]) -> Result<(), WorkbookError> {
    use debt_requests_out::Column as Requests;

    /// Headers of lists of requests, besides those of the exchange file.
    const OTHERS: [&str; 7] = [
        "Статус запроса",
        "Дата направления запроса",
        "Дата отправления запроса",
        "Период, за который запрашиваются данные",
        "Номер подзапроса",
        "Сотрудник, направивший запрос",
        "Статус ответа на запрос о наличии задолженности",
    ];
    /// A registry may have one or two such columns of its own.
    const ENOUGH: usize = 3;

    let ours = Requests::ALL.iter().filter(|column| column_of_requests_alone(**column));
    let names = ours.flat_map(|column| column.other_names().iter().copied().chain([column.name()]));
    let known: Vec<String> = names.chain(OTHERS).map(plain).collect();
    let mut rows = Top::names(tops);
    match rows.find(|(_, names)| known.iter().filter(|name| names.contains(*name)).count() >= ENOUGH) {
        Some((row, _)) => Err(WorkbookError::GisExport { row }),
        None => Ok(()),
    }
}

const fn column_of_requests_alone(column: debt_requests_out::Column) -> bool {
    use debt_requests_out::Column as Requests;

    match column {
        Requests::RequestNumber
        | Requests::Request
        | Requests::Subrequest
        | Requests::Status
        | Requests::Requester
        | Requests::Employee
        | Requests::SentOn
        | Requests::PeriodFrom
        | Requests::PeriodTo
        | Requests::DueOn
        | Requests::Address => true,
        Requests::FiasHouse
        | Requests::UnifiedAccount
        | Requests::Account
        | Requests::HasDebt
        | Requests::Comment
        | Requests::Directorate
        | Requests::LastName
        | Requests::MiddleName
        | Requests::FirstName
        | Requests::HasDocuments => false,
    }
}

fn registry_row(
    reading: &mut Reading<'_, Column>,
    row: u32,
    rules: RegistryRules<'_>,
) -> Option<RegistryRow> {
    let name = |cell: Cell<'_>| parsed(cell.text()?, PersonName::parse);
    let day = |cell: Cell<'_>| past(cell, rules.today);
    let debt_from = reading.required(Column::DebtFrom, day);
    let repaid_on = reading.value(Column::RepaidOn, day);
    let house = reading.required(Column::House, |cell| cell.guid());
    let address = reading.value(Column::Address, |cell| bounded(cell, LONGEST_ADDRESS));
    let premises = reading.value(Column::Premises, |cell| premises(cell, rules));
    let last_name = reading.required(Column::LastName, name);
    let first_name = reading.required(Column::FirstName, name);
    let middle_name = reading.value(Column::MiddleName, name);
    let snils = reading.value(Column::Snils, snils);
    let court_act = reading.value(Column::CourtAct, |cell| file(cell, rules));
    let reconciliation_act = reading.value(Column::ReconciliationAct, |cell| file(cell, rules));
    let other_files = reading.value(Column::OtherFiles, |cell| files(cell, rules));
    let information = reading.value(Column::Information, |cell| parsed(cell.free_text()?, Comment::parse));
    let (premises, premises_key) = premises?;
    Some(RegistryRow {
        row,
        debt_from: debt_from?,
        repaid_on: repaid_on?,
        house: house?,
        address: address?,
        premises,
        premises_key,
        last_name: last_name?,
        first_name: first_name?,
        middle_name: middle_name?,
        snils: snils?,
        court_act: court_act?,
        reconciliation_act: reconciliation_act?,
        other_files: other_files?,
        information: information?,
    })
}

fn past(cell: Cell<'_>, today: NaiveDate) -> Result<Option<NaiveDate>, Fault> {
    match cell.day()? {
        Some(day) if day > today => Err(Fault::new("date_future", "дата ещё не наступила")),
        day => Ok(day),
    }
}

/// Premises as they were written, and the form in which they are compared. A house without flats has none.
fn premises(cell: Cell<'_>, rules: RegistryRules<'_>) -> Result<(String, String), Fault> {
    match bounded(cell, LONGEST_PREMISES)? {
        Some(text) => {
            let key = (rules.premises_key)(&text).ok_or_else(premises_format)?;
            Ok((text, key))
        }
        None => Ok((String::new(), (rules.premises_key)("").unwrap_or_default())),
    }
}

/// A text of bearable length that a database takes.
pub(super) fn bounded(cell: Cell<'_>, most: usize) -> Result<Option<String>, Fault> {
    match cell.text()? {
        Some(text) if text.chars().count() > most => {
            Err(Fault::new("too_long", format!("не более {most} знаков")))
        }
        Some(text) if text.contains(is_unprintable) => {
            Err(Fault::new("character_not_allowed", "управляющие знаки не допускаются"))
        }
        text => Ok(text.map(String::from)),
    }
}

/// Line ends and tabs aside, which people do type into cells.
fn is_unprintable(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')
}

/// What does not name premises.
pub(super) fn premises_format() -> Fault {
    Fault::new("premises_format", "номер вида «1», «кв. 1» или «кв. 1 комн. 2»")
}

fn snils(cell: Cell<'_>) -> Result<Option<Snils>, Fault> {
    let Some(text) = cell.text()? else { return Ok(None) };
    let digits: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    let detail = if digits.len() < 11 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "СНИЛС: ровно 11 цифр; если пропали нули в начале, сделайте ячейку текстовой"
    } else {
        "СНИЛС: ровно 11 цифр"
    };
    Snils::parse(digits).map(Some).map_err(|_wrong| Fault::new("snils_format", detail))
}

fn file(cell: Cell<'_>, rules: RegistryRules<'_>) -> Result<Option<String>, Fault> {
    let text = bounded(cell, LONGEST_FILE_NAME)?;
    text.map(|name| known_file(&name, rules)).transpose()
}

/// Names of files with semicolons between them.
fn files(cell: Cell<'_>, rules: RegistryRules<'_>) -> Result<Vec<String>, Fault> {
    let text = cell.text()?.unwrap_or_default();
    let names: Vec<&str> = text.split(';').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.len() > rules.most_files {
        return Err(Fault::new("too_many", format!("не более {} файлов", rules.most_files)));
    }
    names.into_iter().map(|name| known_file(name, rules)).collect()
}

fn known_file(name: &str, rules: RegistryRules<'_>) -> Result<String, Fault> {
    if name.contains(|letter: char| letter.is_control() || matches!(letter, '/' | '\\')) {
        let detail = "имя файла без пути: знаки / и \\ и управляющие знаки не допускаются";
        Err(Fault::new("character_not_allowed", detail))
    } else if (rules.has_scan)(name) {
        Ok(name.to_owned())
    } else {
        Err(Fault::new("file_missing", "файла с таким именем нет в архиве"))
    }
}

fn warn(reading: &Reading<'_, Column>, row: &RegistryRow, warnings: &mut RowErrors) {
    let mut odd = |column, code, detail: &str| {
        warnings.push(reading.row.error(column, Fault::new(code, detail)));
    };
    if row.premises.is_empty() {
        let detail =
            "номер не указан: строка относится к дому целиком; у многоквартирного дома укажите квартиру";
        odd(Column::Premises, "premises_blank", detail);
    }
    if row.snils.as_ref().is_some_and(|snils| !snils.has_valid_checksum()) {
        odd(Column::Snils, "snils_checksum", "контрольная сумма СНИЛС не сходится");
    }
    if row.repaid_on.is_some_and(|day| day < row.debt_from) {
        odd(Column::RepaidOn, "dates_order", "задолженность погашена раньше, чем решение вступило в силу");
    }
}
