//! Empty workbooks to be filled in, one for each kind of table that is taken (F49, F55).
//!
//! What each column takes stands on a second sheet, with an invented example. That sheet lies on its side, a row for each
//! column: a second header would make two tables of the workbook, and which of them is meant nobody knows.

use std::io::{Cursor, Write};
use std::path::Path;

use super::errors::WriteError;
use super::sheet_out::Book;
use super::table::Columns;
use super::{accounts_in, debt_requests_out, registry_in};
use crate::domain::words::words;

words! {
    /// A workbook to be filled in.
    Template {
        /// The registry of court debts.
        CourtDebtRegistry = "court-debt-registry" "Реестр судебных задолженностей",
        /// Answers to debt requests.
        Answers = "answers" "Ответы",
        /// The book of accounts.
        Accounts = "accounts" "Лицевые счета",
    }
}

/// The sheet that explains.
const EXAMPLE: &str = "Пример";
const EXPLAINED: [(&str, u16); 4] =
    [("Столбец", 44), ("Обязательный", 14), ("Пример", 44), ("Что указать", 90)];
/// Width of a column to be filled in.
const WIDTH: u16 = 24;

/// What stands beside the name of a column on the sheet that explains.
#[derive(Clone, Copy)]
struct Hint {
    example: &'static str,
    takes: &'static str,
}

const fn hint(example: &'static str, takes: &'static str) -> Hint {
    Hint { example, takes }
}

impl Template {
    /// The workbook.
    ///
    /// # Errors
    /// A temporary file cannot be made.
    pub fn content(self) -> Result<Vec<u8>, WriteError> {
        let (mut content, folder) = (Cursor::new(Vec::new()), std::env::temp_dir());
        match self {
            Self::CourtDebtRegistry => write(&folder, self.label(), of_registry, &mut content)?,
            Self::Answers => write(&folder, self.label(), of_answers, &mut content)?,
            Self::Accounts => write(&folder, self.label(), of_accounts, &mut content)?,
        }
        Ok(content.into_inner())
    }
}

fn write<C: Columns>(
    folder: &Path,
    name: &str,
    hint_of: fn(C) -> Hint,
    into: impl Write + Send,
) -> Result<(), WriteError> {
    let mut book = Book::new(folder)?;
    let sheet = book.sheet(name, C::ALL.iter().map(|column| (column.name(), WIDTH)))?;
    book.add(sheet)?;
    let mut explained = book.sheet(EXAMPLE, EXPLAINED)?;
    for column in C::ALL {
        let Hint { example, takes } = hint_of(*column);
        explained.push([column.name(), if column.is_required() { "да" } else { "нет" }, example, takes])?;
    }
    book.add(explained)?;
    book.finish(into)
}

const HOUSE: &str = "5603dc9c-e161-414c-9787-e40836561201";
const ADDRESS: &str = "г. Примерск, ул. Ткацкая, д. 1";

fn of_registry(column: registry_in::Column) -> Hint {
    use registry_in::Column;

    match column {
        Column::DebtFrom => hint("12.03.2025", "когда решение суда вступило в силу, дд.мм.гггг"),
        Column::RepaidOn => hint("", "дд.мм.гггг, если долг погашен"),
        Column::House => hint(HOUSE, "код дома в ФИАС (GUID)"),
        Column::Address => hint(ADDRESS, "адрес дома без номера квартиры: сверяется с адресом запроса"),
        Column::Premises => {
            hint("кв. 12", "«1», «кв. 1» или «кв. 1 комн. 2»; пустая ячейка — весь дом, с предупреждением")
        }
        Column::LastName => hint("Вымышленный", "фамилия должника"),
        Column::FirstName => hint("Пётр", "имя должника"),
        Column::MiddleName => hint("Петрович", "отчество должника"),
        Column::Snils => hint("11223344595", "ровно 11 цифр, пробелы и дефисы допускаются"),
        Column::CourtAct => hint("решение 2-17.pdf", "имя файла из архива со сканами"),
        Column::ReconciliationAct => hint("сверка.pdf", "имя файла из архива со сканами"),
        Column::OtherFiles => hint("письмо.pdf; опись.pdf", "имена файлов из архива, через точку с запятой"),
        Column::Information => hint(
            "второй должник: Вымышленная Анна",
            "другие должники и решения по этому адресу; войдёт в ответ",
        ),
    }
}

fn of_answers(column: debt_requests_out::Column) -> Hint {
    use debt_requests_out::Column;

    /// What the gateway fills in itself.
    const TOLD: &str = "заполняет шлюз при выгрузке запросов; при загрузке не читается";

    match column {
        Column::RequestNumber => hint("62026110433", "если указан, должен совпасть с номером в ГИС ЖКХ"),
        Column::Request => hint("5603dc9c-e161-414c-9787-e40836561001", TOLD),
        Column::Subrequest => hint(
            "5603dc9c-e161-414c-9787-e40836561101",
            "GUID подзапроса, по нему находится запрос; несколько должников — несколько строк с одним GUID",
        ),
        Column::Status => hint("NotSent", TOLD),
        Column::Requester => hint("Отдел социальной защиты г. Примерска", TOLD),
        Column::Employee => hint("Образцова Анна Сергеевна", TOLD),
        Column::SentOn => hint("02.11.2026", TOLD),
        Column::PeriodFrom => hint("01.11.2023", TOLD),
        Column::PeriodTo => hint("01.11.2026", TOLD),
        Column::DueOn => hint("10.11.2026", TOLD),
        Column::FiasHouse => hint(HOUSE, TOLD),
        Column::Address => hint("г. Примерск, ул. Ткацкая, д. 1, кв. 12", TOLD),
        Column::UnifiedAccount => hint("70НН906761", TOLD),
        Column::Account => hint("0033036150", TOLD),
        Column::HasDebt => {
            hint("ДА", "ДА или НЕТ; строка с пустой ячейкой пропускается, а в режиме legacy это «долга нет»")
        }
        Column::Comment => hint("Решение от 12.03.2025", "войдёт в ответ, и когда задолженности нет"),
        Column::Directorate => hint("Северный участок", TOLD),
        Column::LastName => hint("Вымышленный", "обязательна, если задолженность есть"),
        Column::MiddleName => hint("Петрович", "отчество должника"),
        Column::FirstName => hint("Пётр", "обязательно, если задолженность есть"),
        Column::HasDocuments => hint(
            "НЕТ",
            "ДА — ответ дождётся файлов и сам не отправится; НЕТ или пустая ячейка — отправится при submit=true",
        ),
    }
}

fn of_accounts(column: accounts_in::Column) -> Hint {
    use accounts_in::Column;

    match column {
        Column::House => hint(HOUSE, "код дома в ФИАС (GUID)"),
        Column::Premises => {
            hint("кв. 12", "«1», «кв. 1» или «кв. 1 комн. 2»; пустая ячейка — дом без помещений")
        }
        Column::UnifiedAccount => hint("70НН906761", "ЕЛС; из двух счетов достаточно одного"),
        Column::Account => hint("0033036150", "ЛС; из двух счетов достаточно одного"),
    }
}
