//! The table: a line for every measurement on every database.

use std::fmt;

use crate::load::Figures;
use bench::process::Memory;

const HEADS: [&str; 12] = [
    "measurement",
    "database",
    "per second",
    "p50 ms",
    "p99 ms",
    "of live",
    "of bare",
    "failed",
    "CPU us",
    "RSS MB",
    "peak MB",
    "took s",
];
/// Columns of words; the others are figures.
const WORDS: usize = 2;

/// Everything that was measured so far.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// A measurement; what was not measured stays empty.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) database: &'static str,
    pub(crate) rate: Option<f64>,
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    /// The rate by that of `/health/live` of the same process.
    pub(crate) of_live: Option<f64>,
    /// The rate by that of the bare handler.
    pub(crate) of_bare: Option<f64>,
    pub(crate) failed: Option<u32>,
    /// Microseconds of processor time that a request took the gateway.
    pub(crate) processor: Option<f64>,
    pub(crate) memory: Option<Memory>,
    pub(crate) seconds: Option<f64>,
}

impl Table {
    /// Adds a line.
    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("{} {}", row.database, row.what);
        self.rows.push(row);
    }
}

impl Row {
    /// What came out under load.
    pub(crate) fn under_load(what: String, database: &'static str, figures: Option<&Figures>) -> Self {
        Self {
            what,
            database,
            rate: figures.map(|figures| figures.rate),
            p50: figures.map(|figures| figures.p50),
            p99: figures.map(|figures| figures.p99),
            failed: figures.map(|figures| figures.failed),
            processor: figures.and_then(|figures| figures.processor),
            memory: figures.and_then(|figures| figures.memory),
            ..Self::default()
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.what.clone(),
            self.database.to_owned(),
            number(self.rate, 0),
            number(self.p50, 2),
            number(self.p99, 2),
            number(self.of_live, 3),
            number(self.of_bare, 3),
            self.failed.map_or_else(String::new, |failed| failed.to_string()),
            number(self.processor, 0),
            number(self.memory.map(|memory| memory.resident), 1),
            number(self.memory.map(|memory| memory.peak), 1),
            number(self.seconds, 3),
        ]
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![HEADS.map(str::to_owned).to_vec()];
        lines.extend(self.rows.iter().map(Row::cells));
        let mut widths = HEADS.map(str::len);
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for line in &lines {
            let cells = line.iter().zip(widths).enumerate().map(|(place, (cell, width))| {
                if place < WORDS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            writeln!(formatter, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

/// A whole number for people: `1,000,000`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
