//! Reads the workbook of a registry. Nothing of it is stored here, and no transaction waits for it.
//!
//! A registry with one bad row is refused as a whole: a row that is left out would be answered «no debt».

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;

use bytes::Bytes;
use chrono::NaiveDate;
use gis_client::debt_requests::{AtLeastOne, Dictionaries};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::scans::{self, TakenScans};
use super::{CheckedRegistry, NewRegistry};
use crate::Service;
use crate::departments::unknown_department;
use crate::domain::caller::{Caller, Scope};
use crate::domain::content::{DebtDocument, Debtor};
use crate::domain::court_debt::{CourtDebt, Entry, Origin};
use crate::domain::organization::Organization;
use crate::domain::premises::Premises;
use crate::domain::registry::{KeptDebt, ProblemKind, Registry, RegistryStatus, RowProblem};
use crate::error::{Code, Error, Result};
use crate::ids::{CourtDebtId, RegistryId};
use crate::settings;
use crate::spreadsheets::{
    Limits, RegistryRow, RegistryRules, RowErrors, Scans, SheetRegistry, Workbook, check_file_name,
    file_name_has_ogrn, read_registry,
};
use crate::store::organizations;

/// The field of the workbook.
const REGISTRY: &str = "/registry";
/// Problems of each kind that are kept; all are counted.
const MOST_PROBLEMS: usize = 1_000;
/// Rows of a registry: they are stored in one transaction, for which others wait.
const MOST_ROWS: u32 = 100_000;

/// A workbook may become large when it is unpacked: one at a time.
static READING: Semaphore = Semaphore::const_new(1);

impl Service {
    /// Reads a registry and checks every row.
    ///
    /// # Errors
    /// [`Code::RegistryWrongOrganization`]; there is no such department, with the mistake at `/department_id`; the file holds
    /// no registry, with its mistakes at `/registry`; the archive cannot be taken, with its mistake at `/files`.
    pub async fn check_registry(&self, caller: &Caller, file: NewRegistry) -> Result<CheckedRegistry> {
        caller.need(Scope::RegistryWrite)?;
        let organization = {
            let mut conn = self.db.read().await?;
            // A registry of a department that does not exist would answer nothing.
            let unknown =
                unknown_department(&mut conn, caller.organization, file.department, "/department_id").await?;
            if let Some(mistake) = unknown {
                return Err(Error::Invalid(vec![mistake]));
            }
            organizations::get(&mut conn, caller.organization).await?.ok_or(Error::NotFound)?
        };
        check_file_name(&file.file_name, REGISTRY)?;
        check_owner(&organization, &file)?;
        let now = self.clock.now();
        let today = now.with_timezone(&organization.time_zone).date_naive();
        let NewRegistry { file_name, content, scans, department, .. } = file;
        let limits = self.settings.limits;
        let turn = READING.acquire().await.map_err(Error::internal)?;
        let read = move || {
            // The thread goes on when the client hangs up, and so does its turn.
            let _turn = turn;
            read(content, scans, today, &limits)
        };
        let read = spawn_blocking(read).await;
        let Read { mut sheet, scans, unused } = read.map_err(Error::internal)??;
        let scans = match scans {
            Some(scans) => self.take_scans(caller, scans, &mut sheet).await?,
            None => TakenScans::default(),
        };
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
            warnings: count(sheet.warnings.count() + sheet.ignored_columns.len() + unused.len()),
            created_by: caller.subject.clone(),
            created_at: now,
            activated_at: None,
        };
        let problems = problems(&sheet, &unused);
        let (rows, files) = if refused { (Vec::new(), Vec::new()) } else { (sheet.rows, scans.new.clone()) };
        let debts = rows.into_iter().map(|row| kept(&registry, row, &scans)).collect();
        Ok(CheckedRegistry { registry, debts, problems, files })
    }
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

/// What was read of a registry.
struct Read {
    sheet: SheetRegistry,
    scans: Option<Scans>,
    /// Scans that no row names, by their places in the archive.
    unused: Vec<usize>,
}

fn read(content: Bytes, scans: Option<File>, today: NaiveDate, settings: &settings::Limits) -> Result<Read> {
    let scans = scans.map(|file| Scans::open(file, &scans::limits())).transpose().map_err(scans::refusal)?;
    let limits = Limits {
        file_bytes: settings.import_bytes,
        errors: MOST_PROBLEMS,
        rows: MOST_ROWS,
        ..Limits::default()
    };
    let mut workbook = Workbook::open(content, limits).map_err(|error| error.refusal(REGISTRY))?;
    // A row with mistakes names its scans too.
    let named = RefCell::new(HashSet::new());
    let has_scan = |name: &str| {
        let place = scans.as_ref().and_then(|scans| scans.place(name));
        named.borrow_mut().extend(place);
        place.is_some()
    };
    // The reconciliation act is a file of the answer too.
    let most_files = settings.files_per_answer.saturating_sub(1);
    let rules = RegistryRules { today, premises_key: &premises_key, has_scan: &has_scan, most_files };
    let sheet = read_registry(&mut workbook, rules).map_err(|error| error.refusal(REGISTRY))?;
    let named = named.into_inner();
    let places = scans.as_ref().map(Scans::places).unwrap_or_default();
    let unused = places.into_iter().filter(|place| !named.contains(place)).collect();
    Ok(Read { sheet, scans, unused })
}

/// What was not understood would hold up the answers of its whole house.
fn premises_key(text: &str) -> Option<String> {
    let premises = Premises::read(text);
    premises.is_understood().then(|| premises.key().as_str().to_owned())
}

fn problems(sheet: &SheetRegistry, unused: &[usize]) -> Vec<RowProblem> {
    let listed = |kind, errors: &RowErrors| -> Vec<RowProblem> {
        let of_kind = |error: &crate::spreadsheets::RowError| RowProblem {
            kind,
            row: Some(error.row),
            column: error.column.clone(),
            code: error.code.to_owned(),
            detail: error.detail.clone(),
        };
        errors.listed().iter().map(of_kind).collect()
    };
    let mut all = listed(ProblemKind::Error, &sheet.errors);
    all.extend(listed(ProblemKind::Warning, &sheet.warnings));
    all.sort_by_key(|problem| problem.row);
    all.extend(sheet.ignored_columns.iter().map(|header| RowProblem {
        kind: ProblemKind::Warning,
        row: None,
        column: Some(header.clone()),
        code: "column_ignored".to_owned(),
        detail: "столбец с таким заголовком не читается: проверьте, нет ли в нём опечатки".to_owned(),
    }));
    all.extend(unused.iter().take(MOST_PROBLEMS).map(|place| RowProblem {
        kind: ProblemKind::Warning,
        row: None,
        column: None,
        code: "file_unused".to_owned(),
        detail: format!("файл № {place} архива не назван ни в одной строке"),
    }));
    all
}

fn kept(registry: &Registry, row: RegistryRow, scans: &TakenScans) -> KeptDebt {
    let scan = |name: &String| scans.id(name);
    let act = row.court_act.as_ref().and_then(scan);
    let document = |attachment| DebtDocument { type_code: Dictionaries::court_act_code(), attachment };
    let mut files: Vec<_> = row.reconciliation_act.iter().chain(&row.other_files).filter_map(scan).collect();
    files.dedup();
    let debtor = Debtor {
        last_name: row.last_name,
        first_name: row.first_name,
        middle_name: row.middle_name,
        snils: row.snils,
        identity_document: None,
        documents: act.map(document).into_iter().collect(),
    };
    let entry = Entry {
        id: CourtDebtId::generate(),
        fias_house_id: row.house,
        gis_house_id: None,
        address: row.address.map(String::into_boxed_str),
        premises: Premises::read(&row.premises),
        in_force_from: row.debt_from,
        repaid_on: row.repaid_on,
        noted: row.information.is_some(),
        origin: Origin::Workbook,
    };
    let debt = CourtDebt {
        entry,
        premises_text: row.premises,
        debtors: AtLeastOne::from(debtor),
        files,
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
