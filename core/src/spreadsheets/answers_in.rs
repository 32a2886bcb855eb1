//! Answers from a workbook: the one that was exported, with the answers filled in.
//!
//! Several rows with the GUID of one subrequest are one answer with several debtors. An answer is taken as a whole or not at
//! all: a mistake in any of its rows refuses it, and only it.

use std::collections::HashMap;
use std::fmt;

use gis_client::debt_requests::AtLeastOne;
use gis_client::text::{Comment, PersonName, TextError};

use super::cell::{Cell, YesNo, fault_of};
use super::debt_requests_out::Column;
use super::errors::{Fault, RowError, RowErrors, WorkbookError};
use super::requests_in::find_requests;
use super::table::{Columns, Header, Reading, Row, Table, Top};
use super::workbook::Workbook;
use crate::domain::content::{Content, Debtor};
use crate::ids::DebtRequestId;

/// How «Наличие задолженности» is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerColumn {
    /// ДА or НЕТ; a row with neither is skipped, any other word is a mistake.
    Strict,
    /// Everything but ДА is «no debt», a blank too. Must be chosen by whoever sends the file.
    Legacy,
}

/// Answers of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetAnswers {
    /// What may be answered, in the order of first rows.
    pub answers: Vec<SheetAnswer>,
    /// Mistakes; the answers they are in are not among the others.
    pub errors: RowErrors,
    /// What else a preview tells.
    pub counts: AnswerCounts,
    /// Headers of columns that were ignored.
    pub ignored_columns: Vec<String>,
}

/// What a preview tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    /// Rows that are not blank.
    pub rows: u32,
    /// Rows that were skipped because they say neither ДА nor НЕТ.
    pub skipped_rows: u32,
    /// Answers that were refused for mistakes.
    pub refused: u32,
    /// Answers «no debt» that come from a blank; only in [`AnswerColumn::Legacy`].
    pub no_debt_from_blank: u32,
    /// Answers «no debt» that come from another word than НЕТ; only in [`AnswerColumn::Legacy`].
    pub no_debt_from_other: u32,
}

/// One answer.
#[derive(Clone, PartialEq, Eq)]
pub struct SheetAnswer {
    /// What it answers.
    pub debt_request: DebtRequestId,
    /// Number of the request, where the file has one; it must agree.
    pub request_number: Option<String>,
    /// What it says.
    pub content: Content,
    /// «Есть документы» is ДА: it waits for files and is not sent by itself.
    pub waits_for_files: bool,
    /// Its rows, one for each debtor, or the ones that say «no debt».
    pub rows: AtLeastOne<u32>,
}

impl fmt::Debug for SheetAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SheetAnswer").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl SheetAnswer {
    /// Where a mistake lies that was found only later and has a JSON pointer into the answer, such as
    /// `/debtors/1/last_name`.
    #[must_use]
    pub fn error(&self, pointer: &str, code: &'static str, detail: impl Into<String>) -> RowError {
        let mut parts = pointer.split('/').skip(1);
        let (head, number, field) = (parts.next(), parts.next(), parts.next());
        let debtor =
            number.filter(|_| head == Some("debtors")).and_then(|number| number.parse::<usize>().ok());
        let row = debtor.and_then(|debtor| self.rows.as_slice().get(debtor)).or(self.rows.as_slice().first());
        let column = match (head, field) {
            (Some("comment"), _) => Some(Column::Comment),
            (Some("attachments"), _) | (Some("debtors"), Some("documents")) => Some(Column::HasDocuments),
            (Some("debtors"), Some("first_name")) => Some(Column::FirstName),
            (Some("debtors"), Some("middle_name")) => Some(Column::MiddleName),
            (Some("debtors"), _) => Some(Column::LastName),
            (Some("has_debt"), _) => Some(Column::HasDebt),
            (Some("request_number"), _) => Some(Column::RequestNumber),
            (Some("debt_request_id"), _) => Some(Column::Subrequest),
            _ => None,
        };
        RowError {
            row: row.copied().unwrap_or(1),
            column: column.map(|column| column.name().to_owned()),
            code,
            detail: detail.into(),
        }
    }
}

/// Reads the answers.
///
/// # Errors
/// There is no table of answers in the workbook, or it cannot be read to its end.
pub fn read_answers(workbook: &mut Workbook, mode: AnswerColumn) -> Result<SheetAnswers, WorkbookError> {
    let tops = Top::of(workbook)?;
    let header = Header::<Column>::find(workbook, &tops)?;
    let mut groups = Groups {
        mode,
        places: HashMap::new(),
        list: Vec::new(),
        lost: HashMap::new(),
        errors: RowErrors::new(workbook.limits()),
    };
    let mut counts = AnswerCounts::default();
    let mut table = Table::below(workbook, &header)?;
    while let Some(row) = table.next()? {
        counts.rows += 1;
        if !groups.add(row) {
            counts.skipped_rows += 1;
        }
    }
    drop(table);
    Ok(groups.finish(counts, header.ignored_columns()))
}

/// Looks whether there is a table of answers with a row in it, and reads no further: what a client is told at once. A mere
/// list of debt requests passes too: it says which ones a match is about, though no answer can be made of it.
///
/// # Errors
/// There is none, or the workbook cannot be read so far.
pub fn find_answers(workbook: &mut Workbook) -> Result<(), WorkbookError> {
    let tops = Top::of(workbook)?;
    match Header::<Column>::find(workbook, &tops) {
        Ok(header) => {
            Table::below(workbook, &header)?.next()?;
            Ok(())
        }
        Err(missing @ WorkbookError::ColumnsMissing { .. }) => match find_requests(workbook, &tops) {
            // Whoever has neither is told of all that answers need.
            Err(WorkbookError::ColumnsMissing { .. }) => Err(missing),
            found => found,
        },
        Err(other) => Err(other),
    }
}

/// What one row says.
struct Line {
    row: u32,
    number: Option<String>,
    says: Says,
    comment: Option<Comment>,
    debtor: Option<Debtor>,
    has_documents: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Debt,
    NoDebt,
    NoDebtByBlank,
    NoDebtByOther,
}

impl Says {
    const fn is_debt(self) -> bool {
        matches!(self, Self::Debt)
    }
}

struct Group {
    debt_request: DebtRequestId,
    lines: Vec<Line>,
    is_sound: bool,
}

struct Groups {
    mode: AnswerColumn,
    places: HashMap<DebtRequestId, usize>,
    list: Vec<Group>,
    /// Rows that nobody knows the subrequest of, by their numbers of requests.
    lost: HashMap<String, u32>,
    errors: RowErrors,
}

impl Groups {
    /// Takes a row; `false` when it says nothing.
    fn add(&mut self, row: Row<'_, Column>) -> bool {
        let number = row.number;
        let mut reading = Reading::of(row);
        let debt_request = reading.required(Column::Subrequest, |cell| cell.guid()).map(DebtRequestId::from);
        let said = self.says(&mut reading);
        if said == Some(None) {
            return false;
        }
        let line = line(&mut reading, said.flatten(), number);
        let number_of =
            |row: &Row<'_, Column>| row.cell(Column::RequestNumber).text().ok()?.map(String::from);
        let named = if debt_request.is_none() { number_of(&reading.row) } else { None };
        let sound = reading.finish(&mut self.errors);
        let Some(debt_request) = debt_request else {
            // It belongs to nobody, and its mistake is told. By its number it may be a debtor of another row's answer.
            if let Some(named) = named {
                self.lost.entry(named).or_insert(number);
            }
            return true;
        };
        let place = *self.places.entry(debt_request).or_insert_with(|| {
            self.list.push(Group { debt_request, lines: Vec::new(), is_sound: true });
            self.list.len() - 1
        });
        if let Some(group) = self.list.get_mut(place) {
            group.is_sound &= sound;
            group.lines.extend(line);
        }
        true
    }

    /// What the row says; `Some(None)` for a row to be skipped, `None` for a mistake.
    fn says(&self, reading: &mut Reading<'_, Column>) -> Option<Option<Says>> {
        let mode = self.mode;
        let said = reading.value(Column::HasDebt, |cell| {
            Ok(match (cell.yes_no()?, mode) {
                (YesNo::Yes, _) => Some(Says::Debt),
                (YesNo::No, _) => Some(Says::NoDebt),
                (YesNo::Blank, AnswerColumn::Legacy) => Some(Says::NoDebtByBlank),
                (YesNo::Other, AnswerColumn::Legacy) => Some(Says::NoDebtByOther),
                (YesNo::Blank, AnswerColumn::Strict) => None,
                (YesNo::Other, AnswerColumn::Strict) => return Err(yes_or_no()),
            })
        })?;
        // Whoever names a debtor and forgets ДА does not mean «no debt», and not nothing either.
        let has_debtor = [Column::LastName, Column::FirstName, Column::MiddleName]
            .into_iter()
            .any(|column| reading.row.cell(column).0.is_some());
        if has_debtor && said != Some(Says::Debt) {
            let detail = "указан должник, но в этом столбце не стоит ДА";
            reading.wrong(Column::HasDebt, Fault::new("debtor_without_debt", detail));
            return None;
        }
        if said.is_none() && reading.row.cell(Column::HasDocuments).yes_no() == Ok(YesNo::Yes) {
            reading.wrong(Column::HasDebt, yes_or_no());
            return None;
        }
        Some(said)
    }

    fn finish(mut self, mut counts: AnswerCounts, ignored_columns: Vec<String>) -> SheetAnswers {
        let mut answers = Vec::new();
        for mut group in self.list {
            let said = group.lines.first().map(|line| line.says);
            if let Some(error) = group.lacks(&self.lost) {
                self.errors.push(error);
                group.is_sound = false;
            }
            match group.answer(&mut self.errors) {
                Some(answer) => {
                    counts.no_debt_from_blank += u32::from(said == Some(Says::NoDebtByBlank));
                    counts.no_debt_from_other += u32::from(said == Some(Says::NoDebtByOther));
                    answers.push(answer);
                }
                None => counts.refused += 1,
            }
        }
        self.errors.sort();
        SheetAnswers { answers, errors: self.errors, counts, ignored_columns }
    }
}

fn line(reading: &mut Reading<'_, Column>, says: Option<Says>, row: u32) -> Option<Line> {
    let number = reading.value(Column::RequestNumber, |cell| Ok(cell.text()?.map(String::from)));
    let comment = reading.value(Column::Comment, |cell| parsed(cell.free_text()?, Comment::parse));
    let has_documents = reading.value(Column::HasDocuments, |cell| match cell.yes_no()? {
        YesNo::Yes => Ok(true),
        YesNo::No | YesNo::Blank => Ok(false),
        YesNo::Other => Err(yes_or_no()),
    });
    let says = says?;
    let debtor = if says.is_debt() { Some(debtor(reading)?) } else { None };
    if has_documents == Some(true) && !says.is_debt() {
        let detail = "в ответе «задолженности нет» не бывает документов";
        reading.wrong(Column::HasDocuments, Fault::new("not_allowed_without_debt", detail));
    }
    Some(Line { row, number: number?, says, comment: comment?, debtor, has_documents: has_documents? })
}

fn debtor(reading: &mut Reading<'_, Column>) -> Option<Debtor> {
    let name = |cell: Cell<'_>| parsed(cell.text()?, PersonName::parse);
    let last_name = reading.required(Column::LastName, name);
    let first_name = reading.required(Column::FirstName, name);
    let middle_name = reading.value(Column::MiddleName, name);
    Some(Debtor {
        last_name: last_name?,
        first_name: first_name?,
        middle_name: middle_name?,
        snils: None,
        identity_document: None,
        documents: Vec::new(),
    })
}

/// A text as one that GIS takes.
pub(super) fn parsed<T>(
    text: Option<impl Into<String>>,
    parse: impl FnOnce(String) -> Result<T, TextError>,
) -> Result<Option<T>, Fault> {
    text.map(|text| parse(text.into())).transpose().map_err(fault_of)
}

fn yes_or_no() -> Fault {
    Fault::new("yes_or_no", "укажите ДА или НЕТ")
}

impl Group {
    /// The mistake of an answer of which a row may be lost: without it a debtor would be left out.
    fn lacks(&self, lost: &HashMap<String, u32>) -> Option<RowError> {
        let mut lines = self.lines.iter();
        let (line, from) = lines.find_map(|line| Some((line, lost.get(line.number.as_ref()?)?)))?;
        let detail = format!(
            "строка {from} с тем же номером запроса не прочитана, а в ней может быть ещё один должник"
        );
        Some(Fault::new("row_lost", detail).at(line.row, Column::RequestNumber.name()))
    }

    /// The answer that the rows make together; `None` after a mistake.
    fn answer(self, errors: &mut RowErrors) -> Option<SheetAnswer> {
        let disagreements = self.disagreements();
        let sound = self.is_sound && disagreements.is_empty();
        disagreements.into_iter().for_each(|error| errors.push(error));
        if !sound {
            return None;
        }
        let rows = AtLeastOne::new(self.lines.iter().map(|line| line.row).collect())?;
        let waits_for_files = self.lines.iter().any(|line| line.has_documents);
        let (mut request_number, mut comment, mut debtors) = (None, None, Vec::new());
        for line in self.lines {
            request_number = request_number.or(line.number);
            comment = comment.or(line.comment);
            debtors.extend(line.debtor);
        }
        let content = match AtLeastOne::new(debtors) {
            Some(debtors) => Content::Debt { comment, debtors, files: Vec::new() },
            None => Content::NoDebt { comment },
        };
        Some(SheetAnswer { debt_request: self.debt_request, request_number, content, waits_for_files, rows })
    }

    /// Rows of one answer that contradict an earlier one of it. Texts of people may be left blank in further rows.
    fn disagreements(&self) -> Vec<RowError> {
        let mut errors = Vec::new();
        let first_number = self.lines.iter().find(|line| line.number.is_some());
        let first_comment = self.lines.iter().find(|line| line.comment.is_some());
        let mut seen = HashMap::new();
        for line in &self.lines {
            let mut differs = |column: Column, from: u32| {
                let detail = format!("не совпадает со строкой {from} с тем же подзапросом");
                errors.push(Fault::new("rows_disagree", detail).at(line.row, column.name()));
            };
            if let Some(first) =
                self.lines.first().filter(|first| first.says.is_debt() != line.says.is_debt())
            {
                differs(Column::HasDebt, first.row);
            }
            if let Some(first) =
                first_number.filter(|first| line.number.is_some() && first.number != line.number)
            {
                differs(Column::RequestNumber, first.row);
            }
            if let Some(first) =
                first_comment.filter(|first| line.comment.is_some() && first.comment != line.comment)
            {
                differs(Column::Comment, first.row);
            }
            // A copied row in which the name was not changed yet hides a debtor.
            if let Some(earlier) =
                line.debtor.as_ref().and_then(|debtor| seen.insert(names(debtor), line.row))
            {
                let detail = format!("этот должник уже указан в строке {earlier}");
                errors.push(Fault::new("duplicate", detail).at(line.row, Column::LastName.name()));
            }
        }
        errors
    }
}

fn names(debtor: &Debtor) -> [Option<&str>; 3] {
    let middle_name = debtor.middle_name.as_ref().map(PersonName::as_str);
    [Some(debtor.last_name.as_str()), Some(debtor.first_name.as_str()), middle_name]
}
