//! One cell as text, day, yes or no, digits, GUID. Whatever does not fit is a fault in words that do not repeat it.

use std::borrow::Cow;

use calamine::ExcelDateTime;
use chrono::{Datelike, NaiveDate};
use gis_client::text::TextError;
use uuid::Uuid;

use super::errors::Fault;
use super::workbook::Value;

/// Excel keeps fifteen digits of a number.
const MOST_EXACT: f64 = 1e15;

/// A cell; `None` is a blank one.
#[derive(Clone, Copy)]
pub(super) struct Cell<'r>(pub(super) Option<&'r Value<'r>>);

/// The answer in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum YesNo {
    Yes,
    No,
    Blank,
    /// Another word.
    Other,
}

impl<'r> Cell<'r> {
    /// A name, a number, a code: what Excel turned into a date is not what was meant.
    pub(super) fn text(self) -> Result<Option<Cow<'r, str>>, Fault> {
        let made_a_date = "Excel превратил значение в дату: сделайте ячейку текстовой и введите его заново";
        match self.0 {
            Some(Value::Date(_)) => Err(Fault::new("text_became_date", made_a_date)),
            Some(Value::Text(_) | Value::Number(_) | Value::Flag(_) | Value::Error | Value::Uncalculated)
            | None => self.free_text(),
        }
    }

    /// A text in which also a date makes sense.
    pub(super) fn free_text(self) -> Result<Option<Cow<'r, str>>, Fault> {
        let Some(value) = self.0 else { return Ok(None) };
        Ok(Some(match value {
            Value::Text(text) if is_error(text) => return Err(error_value()),
            Value::Text(text) => Cow::Borrowed(text.as_ref()),
            Value::Number(number) => Cow::Owned(digits(*number)?),
            Value::Date(date) => Cow::Owned(written(day_of(*date).ok_or_else(date_format)?)),
            Value::Flag(flag) => Cow::Borrowed(if *flag { "ИСТИНА" } else { "ЛОЖЬ" }),
            Value::Error => return Err(error_value()),
            Value::Uncalculated => return Err(uncalculated()),
        }))
    }

    /// A day: a date of Excel, its bare number, or a text.
    pub(super) fn day(self) -> Result<Option<NaiveDate>, Fault> {
        let Some(value) = self.0 else { return Ok(None) };
        let day = match value {
            Value::Text(text) if is_error(text) => return Err(error_value()),
            Value::Text(text) => day_of_text(text),
            Value::Number(number) | Value::Date(number) => day_of(*number),
            Value::Flag(_) => None,
            Value::Error => return Err(error_value()),
            Value::Uncalculated => return Err(uncalculated()),
        };
        let day = day.ok_or_else(date_format)?;
        // A bare year or a sum of money is a day of long ago for Excel.
        if (1990..2100).contains(&day.year()) {
            Ok(Some(day))
        } else {
            Err(Fault::new("date_range", "дата вне разумных пределов: ожидается с 1990 по 2099 год"))
        }
    }

    pub(super) fn yes_no(self) -> Result<YesNo, Fault> {
        Ok(match self.free_text()? {
            None => YesNo::Blank,
            Some(text) => match cyrillic(&text).as_str() {
                "да" => YesNo::Yes,
                "нет" => YesNo::No,
                _ => YesNo::Other,
            },
        })
    }

    pub(super) fn guid(self) -> Result<Option<Uuid>, Fault> {
        let Some(text) = self.text()? else { return Ok(None) };
        let guid = Uuid::try_parse(&text).ok().filter(|guid| !guid.is_nil());
        let form = "идентификатор вида 5603dc9c-e161-414c-9787-e40836561101";
        guid.map(Some).ok_or_else(|| Fault::new("guid_format", form))
    }

    /// What the cell shows, for a copy; never fails.
    pub(super) fn shown(self) -> Cow<'r, str> {
        match self.0 {
            None => Cow::Borrowed(""),
            Some(Value::Text(text)) => Cow::Borrowed(text.as_ref()),
            Some(Value::Number(number)) => Cow::Owned(number.as_f64().to_string()),
            Some(Value::Date(date)) => {
                Cow::Owned(day_of(*date).map_or_else(|| date.as_f64().to_string(), written))
            }
            Some(Value::Flag(flag)) => Cow::Borrowed(if *flag { "ИСТИНА" } else { "ЛОЖЬ" }),
            Some(Value::Error) => Cow::Borrowed("#Н/Д"),
            // Blank would be taken for left out on purpose.
            Some(Value::Uncalculated) => Cow::Borrowed("#ЗНАЧ!"),
        }
    }
}

/// A day as people write it.
pub(super) fn written(day: NaiveDate) -> String {
    day.format("%d.%m.%Y").to_string()
}

/// What a text of GIS does not take.
pub(super) fn fault_of(error: TextError) -> Fault {
    match error {
        TextError::Empty => Fault::required(),
        TextError::TooLong { limit, .. } => Fault::new("too_long", format!("не более {limit} знаков")),
        TextError::Character { position, code } => Fault::new(
            "character_not_allowed",
            format!("знак U+{code:04X} на месте {position} нельзя передать в ГИС ЖКХ"),
        ),
        TextError::Form { .. } => Fault::new("snils_format", "СНИЛС: ровно 11 цифр"),
    }
}

fn date_format() -> Fault {
    Fault::new("date_format", "дата вида дд.мм.гггг")
}

fn error_value() -> Fault {
    Fault::new("cell_error", "в ячейке ошибка Excel вместо значения")
}

fn uncalculated() -> Fault {
    let detail = "в ячейке формула без вычисленного значения: откройте книгу в Excel и сохраните её";
    Fault::new("formula_without_value", detail)
}

/// An error of Excel that was pasted as a text.
fn is_error(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "#N/A",
        "#Н/Д",
        "#VALUE!",
        "#ЗНАЧ!",
        "#REF!",
        "#ССЫЛКА!",
        "#DIV/0!",
        "#ДЕЛ/0!",
        "#NAME?",
        "#ИМЯ?",
        "#NULL!",
        "#ПУСТО!",
        "#NUM!",
        "#ЧИСЛО!",
    ];
    text.starts_with('#') && WORDS.contains(&text.to_uppercase().as_str())
}

fn digits(number: ExcelDateTime) -> Result<String, Fault> {
    let number = number.as_f64();
    if number.abs() < MOST_EXACT {
        return Ok(number.to_string());
    }
    let detail = "в числе больше 15 цифр, и Excel заменил последние нулями: \
                  сделайте ячейку текстовой и введите его заново";
    Err(Fault::new("digits_lost", detail))
}

fn day_of(date: ExcelDateTime) -> Option<NaiveDate> {
    if !(0.0..2_958_466.0).contains(&date.as_f64()) {
        return None;
    }
    let (year, month, day, ..) = date.to_ymd_hms_milli();
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
}

/// `дд.мм.гггг` and `гггг-мм-дд`, also with a time behind, as 1C writes them, or with «г.».
fn day_of_text(text: &str) -> Option<NaiveDate> {
    let (day, rest) = match text.split_once([' ', 'T']) {
        Some((day, rest)) => (day, rest.trim()),
        None => (text, ""),
    };
    let (day, glued) = day.strip_suffix("г.").map_or((day, ""), |day| (day, "г."));
    let is_time = |letter: char| letter.is_ascii_digit() || matches!(letter, ':' | '.' | 'Z');
    if !(matches!(rest, "" | "г." | "г")
        || (glued.is_empty() && rest.contains(':') && rest.chars().all(is_time)))
    {
        return None;
    }
    let mut parts = day.split(['.', '-']);
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, day_of_month) = match (first.len(), last.len(), day.contains('-')) {
        (1..=2, 4, false) => (last, first),
        (4, 1..=2, true) => (first, last),
        _ => return None,
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || ![year, month, day_of_month].into_iter().all(plain) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day_of_month.parse().ok()?)
}

/// A word in lower case with the Latin letters that look like Cyrillic ones replaced: «ДA» with a Latin A is «ДА» for
/// whoever typed it.
fn cyrillic(text: &str) -> String {
    let alike = |letter| match letter {
        'a' => 'а',
        'e' => 'е',
        'h' => 'н',
        't' => 'т',
        _ => letter,
    };
    text.to_lowercase().trim_end_matches('.').chars().map(alike).collect()
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    fn serial(value: f64) -> ExcelDateTime {
        ExcelDateTime::new(value, ExcelDateTimeType::DateTime, false)
    }

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> &'static str {
        result.unwrap_err().code
    }

    #[test]
    fn days_are_read_as_people_and_programs_write_them() {
        for written in [
            "12.03.2025",
            "12.3.2025",
            "2025-03-12",
            "2025-03-12T00:00:00",
            "12.03.2025 0:00:00",
            "12.03.2025 г.",
            "12.03.2025г.",
            "2025-03-12T10:15:00.000Z",
        ] {
            assert_eq!(Cell(Some(&text(written))).day(), Ok(Some(day(2025, 3, 12))), "{written}");
        }
        for wrong in [
            "31.02.2025",
            "12.03.25",
            "03/12/2025",
            "март 2025",
            "12.03.2025-14.03.2025",
            "12.03.2025 или позже",
            "2025.03.12",
            "12-03-2025",
            "12..2025",
            "+1.03.2025",
            "г.",
        ] {
            assert_eq!(code(Cell(Some(&text(wrong))).day()), "date_format", "{wrong}");
        }
        assert_eq!(code(Cell(Some(&text("12.03.0025"))).day()), "date_range");
        assert_eq!(Cell(None).day(), Ok(None));
    }

    #[test]
    fn days_may_be_numbers() {
        assert_eq!(Cell(Some(&Value::Date(serial(45_728.0)))).day(), Ok(Some(day(2025, 3, 12))));
        assert_eq!(Cell(Some(&Value::Number(serial(45_728.5)))).day(), Ok(Some(day(2025, 3, 12))));
        let of_mac = ExcelDateTime::new(44_266.0, ExcelDateTimeType::DateTime, true);
        assert_eq!(Cell(Some(&Value::Date(of_mac))).day(), Ok(Some(day(2025, 3, 12))));
        assert_eq!(code(Cell(Some(&Value::Number(serial(2025.0)))).day()), "date_range");
        for wrong in [12_032_025.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(code(Cell(Some(&Value::Number(serial(wrong)))).day()), "date_format", "{wrong}");
        }
        assert_eq!(code(Cell(Some(&Value::Flag(true))).day()), "date_format");
    }

    #[test]
    fn numbers_become_digits_unless_excel_has_lost_some() {
        let read =
            |number| Cell(Some(&Value::Number(serial(number)))).text().map(|text| text.map(Cow::into_owned));
        assert_eq!(read(62_021_110_433.0), Ok(Some("62021110433".to_owned())));
        assert_eq!(read(12.5), Ok(Some("12.5".to_owned())));
        for lost in [1e15, 1.2e20, f64::NAN] {
            assert_eq!(code(read(lost)), "digits_lost");
        }
    }

    #[test]
    fn errors_and_formulas_are_never_blank() {
        for (value, expected) in [
            (Value::Error, "cell_error"),
            (text("#Н/Д"), "cell_error"),
            (text("#n/a"), "cell_error"),
            (Value::Uncalculated, "formula_without_value"),
        ] {
            let cell = Cell(Some(&value));
            assert_eq!(code(cell.text()), expected);
            assert_eq!(code(cell.free_text()), expected);
            assert_eq!(code(cell.day()), expected);
            assert_eq!(code(cell.yes_no()), expected);
            assert_eq!(code(cell.guid()), expected);
            assert!(!cell.shown().is_empty());
        }
        assert_eq!(Cell(Some(&text("# 5"))).text(), Ok(Some(Cow::Borrowed("# 5"))));
    }

    #[test]
    fn a_number_of_a_flat_that_became_a_date_is_told() {
        let value = Value::Date(serial(45_728.0));
        assert_eq!(code(Cell(Some(&value)).text()), "text_became_date");
        assert_eq!(Cell(Some(&value)).free_text(), Ok(Some(Cow::Borrowed("12.03.2025"))));
    }

    #[test]
    fn yes_and_no_in_any_case_and_alphabet() {
        for (word, expected) in [
            ("ДА", YesNo::Yes),
            ("да", YesNo::Yes),
            ("Да.", YesNo::Yes),
            ("ДA", YesNo::Yes),
            ("НЕТ", YesNo::No),
            ("HET", YesNo::No),
            ("нет", YesNo::No),
            ("да, есть", YesNo::Other),
            ("1", YesNo::Other),
            ("yes", YesNo::Other),
        ] {
            assert_eq!(Cell(Some(&text(word))).yes_no(), Ok(expected), "{word}");
        }
        assert_eq!(Cell(None).yes_no(), Ok(YesNo::Blank));
        assert_eq!(Cell(Some(&Value::Flag(true))).yes_no(), Ok(YesNo::Other));
    }

    #[test]
    fn guids() {
        let guid = "5603DC9C-E161-414C-9787-E40836561101";
        assert_eq!(Cell(Some(&text(guid))).guid(), Ok(Some(Uuid::try_parse(guid).unwrap())));
        for wrong in ["5603dc9c", "00000000-0000-0000-0000-000000000000", "нет"] {
            assert_eq!(code(Cell(Some(&text(wrong))).guid()), "guid_format");
        }
    }
}
