//! Reads the workbook of a registry. Nothing of it is stored here, and no transaction waits for it.
//!
//! A registry with one bad row is refused as a whole: a row that is left out would be answered «no debt».

use bytes::Bytes;
use chrono::NaiveDate;
use gis_client::debt_requests::AtLeastOne;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{CheckedRegistry, NewRegistry};
use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::content::Debtor;
use crate::domain::court_debt::{CourtDebt, Entry, Origin};
use crate::domain::organization::Organization;
use crate::domain::premises::Premises;
use crate::domain::registry::{KeptDebt, ProblemKind, Registry, RegistryStatus, RowProblem};
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{CourtDebtId, RegistryId};
use crate::spreadsheets::{
    Limits, RegistryRow, RegistryRules, RowErrors, SheetRegistry, Workbook, WorkbookError,
    file_name_has_ogrn, read_registry,
};
use crate::store::organizations;

/// Problems of each kind that are kept; all are counted.
const MOST_PROBLEMS: usize = 1_000;
/// Rows of a registry: they are stored in one transaction, for which others wait.
const MOST_ROWS: u32 = 100_000;
const LONGEST_FILE_NAME: usize = 255;

/// A workbook may become large when it is unpacked: one at a time.
static READING: Semaphore = Semaphore::const_new(1);

impl Service {
    /// Reads a registry and checks every row.
    ///
    /// # Errors
    /// [`Code::RegistryWrongOrganization`]; the file holds no registry, with its mistakes below `/registry`.
    pub async fn check_registry(&self, caller: &Caller, file: NewRegistry) -> Result<CheckedRegistry> {
        caller.need(Scope::RegistryWrite)?;
        let organization = {
            let mut conn = self.db.read().await?;
            organizations::get(&mut conn, caller.organization).await?.ok_or(Error::NotFound)?
        };
        check_name(&file.file_name)?;
        check_owner(&organization, &file)?;
        let now = self.clock.now();
        let today = now.with_timezone(&organization.time_zone).date_naive();
        let NewRegistry { file_name, content, department, .. } = file;
        let turn = READING.acquire().await.map_err(Error::internal)?;
        let read = spawn_blocking(move || read(content, today)).await.map_err(Error::internal)?;
        drop(turn);
        let sheet = read.map_err(refusal)?;
        let refused = !sheet.errors.is_empty();
        let registry = Registry {
            id: RegistryId::generate(),
            organization: caller.organization,
            department,
            file_name: Some(file_name),
            origin: Origin::Workbook,
            status: if refused { RegistryStatus::Refused } else { RegistryStatus::Checked },
            rows: if refused { 0 } else { count(sheet.rows.len()) },
            refused_rows: count(usize::try_from(sheet.count).unwrap_or(usize::MAX)) - count(sheet.rows.len()),
            errors: count(sheet.errors.count()),
            warnings: count(sheet.warnings.count()),
            created_by: caller.subject.clone(),
            created_at: now,
            activated_at: None,
        };
        let problems = problems(&sheet);
        let rows = if refused { Vec::new() } else { sheet.rows };
        let debts = rows.into_iter().map(|row| kept(&registry, row)).collect();
        Ok(CheckedRegistry { registry, debts, problems })
    }
}

fn check_name(name: &str) -> Result<()> {
    let mistake = |code, detail: String| Err(Error::Invalid(vec![Mistake::at("/registry", code, detail)]));
    if name.chars().count() > LONGEST_FILE_NAME {
        return mistake("too_long", format!("имя файла не длиннее {LONGEST_FILE_NAME} знаков"));
    }
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return mistake("file_name", "нужно имя файла без управляющих знаков".to_owned());
    }
    Ok(())
}

/// The guard against the registry of another supplier.
fn check_owner(organization: &Organization, file: &NewRegistry) -> Result<()> {
    let ours = match &file.ogrn {
        Some(ogrn) => ogrn.trim() == organization.ogrn.as_str(),
        None => file_name_has_ogrn(&file.file_name, &organization.ogrn),
    };
    if ours {
        return Ok(());
    }
    let detail = if file.ogrn.is_some() {
        "указан ОГРН другой организации"
    } else {
        "в имени файла нет ОГРН вашей организации; переименуйте файл или передайте ogrn"
    };
    Err(Error::refused(Code::RegistryWrongOrganization, detail))
}

fn read(content: Bytes, today: NaiveDate) -> std::result::Result<SheetRegistry, WorkbookError> {
    let limits = Limits { errors: MOST_PROBLEMS, rows: MOST_ROWS, ..Limits::default() };
    let mut workbook = Workbook::open(content, limits)?;
    let rules = RegistryRules { today, premises_key: &premises_key, has_scan: &|_name| false, most_files: 0 };
    read_registry(&mut workbook, rules)
}

/// What was not understood would hold up the answers of its whole house.
fn premises_key(text: &str) -> Option<String> {
    let premises = Premises::read(text);
    premises.is_understood().then(|| premises.key().as_str().to_owned())
}

fn refusal(error: WorkbookError) -> Error {
    if let WorkbookError::FileTooLarge { .. } = error {
        return Error::refused(Code::FileTooLarge, error.to_string());
    }
    let places = error.places();
    if places.is_empty() {
        return Error::Invalid(vec![Mistake::at("/registry", error.code(), error.to_string())]);
    }
    let mistakes = places.into_iter().map(|place| {
        let detail = format!("строка {}: {}", place.row, place.detail);
        Mistake::at("/registry", place.code, detail)
    });
    Error::Invalid(mistakes.collect())
}

fn problems(sheet: &SheetRegistry) -> Vec<RowProblem> {
    let listed = |kind, errors: &RowErrors| -> Vec<RowProblem> {
        let of_kind = |error: &crate::spreadsheets::RowError| RowProblem {
            kind,
            row: error.row,
            column: error.column.clone(),
            code: error.code.to_owned(),
            detail: error.detail.clone(),
        };
        errors.listed().iter().map(of_kind).collect()
    };
    let mut all = listed(ProblemKind::Error, &sheet.errors);
    all.extend(listed(ProblemKind::Warning, &sheet.warnings));
    all.sort_by_key(|problem| problem.row);
    all
}

fn kept(registry: &Registry, row: RegistryRow) -> KeptDebt {
    let debtor = Debtor {
        last_name: row.last_name,
        first_name: row.first_name,
        middle_name: row.middle_name,
        snils: row.snils,
        identity_document: None,
        documents: Vec::new(),
    };
    let entry = Entry {
        id: CourtDebtId::generate(),
        fias_house_id: row.house,
        gis_house_id: None,
        address: row.address.map(String::into_boxed_str),
        premises: Premises::read(&row.premises),
        in_force_from: row.debt_from,
        repaid_on: row.repaid_on,
        origin: Origin::Workbook,
    };
    let debt = CourtDebt {
        entry,
        premises_text: row.premises,
        debtors: AtLeastOne::from(debtor),
        files: Vec::new(),
        note: row.information,
    };
    KeptDebt {
        debt,
        registry: registry.id,
        organization: registry.organization,
        row: Some(i64::from(row.row)),
        version: 1,
        created_at: registry.created_at,
        updated_at: registry.created_at,
    }
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}
