//! Debt requests as a workbook to be filled in: the 21 columns of the exchange file that people of this field know, in its
//! order (the patronymic stands before the first name there). Dates are texts `дд.мм.гггг`.
//!
//! The caller gives one request after the other, so that it can read them by pages, and gets a file at the end. What is
//! written here [`super::answers_in`] reads.

use std::fmt;
use std::io::Write;
use std::path::Path;

use chrono::NaiveDate;
use gis_client::text::{Comment, PersonName};
use rust_xlsxwriter::DataValidation;
use uuid::Uuid;

use super::cell::written;
use super::errors::WriteError;
use super::sheet_out::{Book, Sheet};
use super::table::{Columns, columns};
use crate::domain::content::{Content, Debtor};
use crate::domain::debt_request::ResponseStatus;
use crate::ids::DebtRequestId;

columns! {
    /// The columns of the exchange file. What is required is so for reading answers.
    Column {
        RequestNumber = "Номер запроса" (false),
        Request = "ГИС-идентификатор запроса" / "GUID запроса" (false),
        Subrequest = "ГИС-идентификатор подзапроса" / "GUID подзапроса" (true),
        Status = "Статус ответа на запрос" / "Статус ответа" (false),
        Requester = "Название организации, направившей запрос" / "Организация, направившая запрос" (false),
        Employee = "ФИО сотрудника, направившего запрос" (false),
        SentOn = "Дата отправки запроса" (false),
        PeriodFrom = "Начало периода" (false),
        PeriodTo = "Конец периода" (false),
        DueOn = "Крайний срок ответа на запрос" (false),
        FiasHouse = "Код ФИАС объекта" (false),
        Address = "Адрес, по которому запрашивается задолженность" (false),
        UnifiedAccount = "Единый лицевой счет" (false),
        Account = "Лицевой счет" (false),
        HasDebt = "Наличие задолженности" (true),
        Comment = "Комментарий" (false),
        Directorate = "Дирекция" (false),
        LastName = "Фамилия должника" / "Фамилия" (false),
        MiddleName = "Отчество должника" / "Отчество" (false),
        FirstName = "Имя должника" / "Имя" (false),
        HasDocuments = "Есть документы о задолженности" / "Есть документы" (false),
    }
}

impl Column {
    const fn width(self) -> u16 {
        match self {
            Self::RequestNumber | Self::UnifiedAccount | Self::Account | Self::Directorate => 18,
            Self::Request | Self::Subrequest | Self::FiasHouse => 38,
            Self::Requester | Self::Address | Self::Comment => 50,
            Self::Employee => 30,
            Self::Status | Self::SentOn | Self::PeriodFrom | Self::PeriodTo | Self::DueOn => 13,
            Self::HasDebt | Self::HasDocuments => 16,
            Self::LastName | Self::MiddleName | Self::FirstName => 20,
        }
    }
}

/// A debt request to be written. Texts that are absent are left blank.
#[derive(Clone)]
pub struct DebtRequestRow<'a> {
    /// Number of the request.
    pub request_number: &'a str,
    /// GUID of the request.
    pub request: Option<Uuid>,
    /// GUID of the subrequest.
    pub subrequest: DebtRequestId,
    /// Status of the answer in GIS.
    pub status: ResponseStatus,
    /// Name of the body that asks.
    pub requester: Option<&'a str>,
    /// The employee who asks.
    pub employee: Option<&'a str>,
    /// When it was sent.
    pub sent_on: Option<NaiveDate>,
    /// First day asked about.
    pub period_from: Option<NaiveDate>,
    /// Last day asked about.
    pub period_to: Option<NaiveDate>,
    /// The last day to answer.
    pub due_on: Option<NaiveDate>,
    /// The house in FIAS.
    pub fias_house: Option<Uuid>,
    /// The address, with the flat.
    pub address: Option<&'a str>,
    /// Unified account (ЕЛС), from the book of accounts.
    pub unified_account: Option<&'a str>,
    /// Account (ЛС), from the book of accounts.
    pub account: Option<&'a str>,
    /// Directorate or department (дирекция), where the organisation has them.
    pub directorate: Option<&'a str>,
    /// What was answered so far, or is going to be.
    pub said: Said<'a>,
}

/// What a request was answered.
#[derive(Clone, Copy)]
pub enum Said<'a> {
    /// Nothing.
    Nothing,
    /// An answer of which only this is known.
    HasDebt(bool),
    /// An answer of ours; a debt takes a row for each debtor.
    Content(&'a Content),
}

impl fmt::Debug for DebtRequestRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DebtRequestRow").field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for Said<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Said(***)")
    }
}

/// Writes debt requests into a workbook, in constant memory.
pub struct DebtRequestsWriter {
    book: Book,
    sheet: Sheet,
    rows: u32,
}

impl fmt::Debug for DebtRequestsWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DebtRequestsWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl DebtRequestsWriter {
    /// Begins a workbook; rows wait in a temporary file in `folder`, which no other program sees.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(folder: &Path) -> Result<Self, WriteError> {
        let mut book = Book::new(folder)?;
        let columns = Column::ALL.iter().map(|column| (column.name(), column.width()));
        let sheet = book.sheet("Запросы", columns)?;
        Ok(Self { book, sheet, rows: 0 })
    }

    /// Writes a request.
    ///
    /// # Errors
    /// No room on the disk, or more rows than a sheet of Excel has.
    pub fn push(&mut self, request: &DebtRequestRow<'_>) -> Result<(), WriteError> {
        let common = Common::of(request);
        let debtors = match request.said {
            Said::Nothing | Said::HasDebt(_) => &[],
            Said::Content(content) => content.debtors(),
        };
        if debtors.is_empty() {
            self.write(request, &common, None)?;
        }
        debtors.iter().try_for_each(|debtor| self.write(request, &common, Some(debtor)))
    }

    fn write(
        &mut self,
        request: &DebtRequestRow<'_>,
        common: &Common,
        debtor: Option<&Debtor>,
    ) -> Result<(), WriteError> {
        self.sheet.push(Column::ALL.iter().map(|column| text(*column, request, common, debtor)))?;
        self.rows += 1;
        Ok(())
    }

    /// Rows that were written, without the header.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// Packs the workbook into a file or whatever is written to. A half-written one is of no use.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self, into: impl Write + Send) -> Result<(), WriteError> {
        let last = self.rows.max(1);
        self.sheet.adjust(|sheet| {
            for (place, column) in (0..).zip(Column::ALL) {
                if matches!(column, Column::HasDebt | Column::HasDocuments) {
                    sheet.add_data_validation(1, place, last, place, &yes_or_no()?)?;
                }
            }
            Ok(())
        })?;
        self.book.add(self.sheet)?;
        self.book.finish(into)
    }
}

/// A list to choose from; what is typed is not checked, because small letters are right too.
fn yes_or_no() -> Result<DataValidation, rust_xlsxwriter::XlsxError> {
    Ok(DataValidation::new().allow_list_strings(&["ДА", "НЕТ"])?.show_error_message(false))
}

/// Texts that are the same in every row of a request.
struct Common {
    request: String,
    subrequest: String,
    days: [String; 4],
    fias_house: String,
}

impl Common {
    fn of(request: &DebtRequestRow<'_>) -> Self {
        let guid = |guid: Option<Uuid>| guid.map(|guid| guid.to_string()).unwrap_or_default();
        let days = [request.sent_on, request.period_from, request.period_to, request.due_on];
        Self {
            request: guid(request.request),
            subrequest: request.subrequest.to_string(),
            days: days.map(|day| day.map(written).unwrap_or_default()),
            fias_house: guid(request.fias_house),
        }
    }
}

fn text<'t>(
    column: Column,
    request: &'t DebtRequestRow<'_>,
    common: &'t Common,
    debtor: Option<&'t Debtor>,
) -> &'t str {
    let [sent_on, period_from, period_to, due_on] = &common.days;
    let said = match request.said {
        Said::Nothing => (None, None, false),
        Said::HasDebt(has_debt) => (Some(has_debt), None, false),
        Said::Content(content) => {
            (Some(content.has_debt()), content.comment().map(Comment::as_str), has_files(content))
        }
    };
    let optional = match column {
        Column::RequestNumber => Some(request.request_number),
        Column::Request => Some(common.request.as_str()),
        Column::Subrequest => Some(common.subrequest.as_str()),
        Column::Status => Some(status(request.status)),
        Column::Requester => request.requester,
        Column::Employee => request.employee,
        Column::SentOn => Some(sent_on.as_str()),
        Column::PeriodFrom => Some(period_from.as_str()),
        Column::PeriodTo => Some(period_to.as_str()),
        Column::DueOn => Some(due_on.as_str()),
        Column::FiasHouse => Some(common.fias_house.as_str()),
        Column::Address => request.address,
        Column::UnifiedAccount => request.unified_account,
        Column::Account => request.account,
        Column::HasDebt => said.0.map(|has_debt| if has_debt { "ДА" } else { "НЕТ" }),
        Column::Comment => said.1,
        Column::Directorate => request.directorate,
        Column::LastName => debtor.map(|debtor| debtor.last_name.as_str()),
        Column::MiddleName => debtor.and_then(|debtor| debtor.middle_name.as_ref()).map(PersonName::as_str),
        Column::FirstName => debtor.map(|debtor| debtor.first_name.as_str()),
        Column::HasDocuments => said.2.then_some("ДА"),
    };
    optional.unwrap_or_default()
}

fn has_files(content: &Content) -> bool {
    !content.files().is_empty() || content.debtors().iter().any(|debtor| !debtor.documents.is_empty())
}

/// The words of GIS, as the exchange file has them.
const fn status(status: ResponseStatus) -> &'static str {
    match status {
        ResponseStatus::NotSent => "NotSent",
        ResponseStatus::Sent => "Sent",
        ResponseStatus::AutoGenerated => "AutoGenerated",
        ResponseStatus::Unknown => "",
    }
}
