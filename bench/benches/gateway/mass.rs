//! Many answers in one request, and spreadsheets out and in, on a gateway with many debt requests.

use std::io::Cursor;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bench::Failure;
use bench::gateway::Running;
use bench::http::{Client, Connection};
use bench::process::Memory;
use chrono::{TimeDelta, Utc};
use debt_core::domain::debt_request::ResponseStatus;
use debt_core::spreadsheets::{DebtRequestRow, DebtRequestsWriter, Said};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::measure::text;
use crate::table::{Row, Table, grouped};

/// Most answers of one request, and the repeats of which the middle one counts.
const BULK: usize = 1000;
const REPEATS: usize = 5;
/// Debt requests are spread evenly over a year of days: the rows that an export shall have, of so many in all. No more are
/// written.
const EXPORTED: u32 = 100_000;
const DAYS: i64 = 365;
/// A workbook of the largest size, and one with answers.
const LARGEST: usize = 20 * 1000 * 1000;
const ANSWERED: usize = 10_000;
/// Longer means that something is broken.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is measured, and where it is written down.
pub(crate) struct Mass<'a> {
    pub(crate) running: &'a Running,
    pub(crate) client: &'a Client,
    pub(crate) database: &'static str,
    pub(crate) table: &'a mut Table,
}

impl Mass<'_> {
    /// Measures on a gateway with so many debt requests, of which these wait for an answer.
    pub(crate) async fn measure(&mut self, rows: u32, unanswered: &[Uuid]) -> Result<(), Failure> {
        let mut connection = Connection::open(self.running.address).await?;
        // What sends nothing comes first: later there are answers on their way to GIS.
        self.export(&mut connection, rows).await?;
        let (most, largest) = largest()?;
        let megabytes = largest.len() / 1_000_000;
        let what = format!("import of {megabytes} MB, {} rows, none filled in", grouped(most));
        self.import(&mut connection, &what, &largest, "preview").await?;
        drop(largest);
        let (bulk, rest) = unanswered.split_at(unanswered.len().min(BULK * REPEATS));
        self.bulk(&mut connection, bulk).await?;
        let answers = workbook(rest.iter().take(ANSWERED).copied(), Said::HasDebt(false))?;
        let what = format!("import of {} answers", grouped(rest.len().min(ANSWERED)));
        self.import(&mut connection, &what, &answers, "apply").await
    }

    /// From the request to the response: all of them are accepted then.
    async fn bulk(&mut self, connection: &mut Connection, requests: &[Uuid]) -> Result<(), Failure> {
        Memory::forget_peak(self.running.pid());
        let mut times = Vec::new();
        for requests in requests.chunks_exact(BULK) {
            let item =
                |id: &Uuid| json!({ "debt_request_id": id, "has_debt": false, "comment": "долга нет" });
            let items: Vec<_> = requests.iter().map(item).collect();
            let body = json!({ "submit": true, "items": items }).to_string();
            let request = self.client.post("/v1/answers/bulk", &body)?;
            let began = Instant::now();
            let operation = connection.json(request).await?;
            times.push(began.elapsed());
            let refused = operation.pointer("/counts/refused").and_then(Value::as_i64);
            if refused != Some(0) {
                return Err(format!("of {BULK} answers {refused:?} were refused").into());
            }
        }
        times.sort_unstable();
        let what = format!("{} answers in one request", grouped(BULK));
        self.note(what, times.get(REPEATS / 2).copied());
        Ok(())
    }

    /// From the request to the end of the export.
    async fn export(&mut self, connection: &mut Connection, rows: u32) -> Result<(), Failure> {
        Memory::forget_peak(self.running.pid());
        let days = (i64::from(EXPORTED) * DAYS / i64::from(rows.max(1))).min(DAYS);
        let from = Utc::now().date_naive() - TimeDelta::days(days - 1);
        let body = json!({ "kind": "debt_requests", "filter": { "sent_from": from } }).to_string();
        let began = Instant::now();
        let started = connection.json(self.client.post("/v1/exports", &body)?).await?;
        let path = format!("/v1/exports/{}", text(&started, "id")?);
        let export = self.end(connection, &path).await?;
        let took = began.elapsed();
        let requests = export.get("requests").and_then(Value::as_u64).unwrap_or_default();
        let size = export.get("file_size").and_then(Value::as_u64).unwrap_or_default();
        let count = grouped(usize::try_from(requests).unwrap_or(usize::MAX));
        let megabytes = size / 1_000_000;
        self.note(format!("export of {count} ({megabytes} MB, {})", text(&export, "status")?), Some(took));
        Ok(())
    }

    /// From the request to the end of the import.
    async fn import(
        &mut self,
        connection: &mut Connection,
        what: &str,
        workbook: &[u8],
        mode: &str,
    ) -> Result<(), Failure> {
        Memory::forget_peak(self.running.pid());
        let content = STANDARD.encode(workbook);
        let body = json!({ "file_name": "a.xlsx", "content_base64": content, "mode": mode, "submit": true });
        let request = self.client.post("/v1/imports", &body.to_string())?;
        drop((content, body));
        let began = Instant::now();
        let started = connection.json(request).await?;
        let path = format!("/v1/imports/{}", text(&started, "id")?);
        let import = self.end(connection, &path).await?;
        let took = began.elapsed();
        self.note(format!("{what} ({})", text(&import, "status")?), Some(took));
        Ok(())
    }

    /// Asks until it is final.
    async fn end(&self, connection: &mut Connection, path: &str) -> Result<Value, Failure> {
        let began = Instant::now();
        loop {
            let now = connection.json(self.client.get(path)?).await?;
            if now.get("is_final").and_then(Value::as_bool) == Some(true) {
                return Ok(now);
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{path} does not end").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn note(&mut self, what: String, took: Option<Duration>) {
        self.table.push(Row {
            what,
            database: self.database,
            memory: self.running.memory(),
            seconds: took.map(|took| took.as_secs_f64()),
            ..Row::default()
        });
    }
}

/// The largest workbook that is taken, with how many rows it has. Nobody knows its debt requests.
fn largest() -> Result<(usize, Vec<u8>), Failure> {
    // How much a row takes is found out with a few.
    const FEW: usize = 10_000;
    let invented = |count| std::iter::repeat_with(Uuid::now_v7).take(count);
    let size = workbook(invented(FEW), Said::Nothing)?.len();
    let rows = LARGEST * FEW / size;
    Ok((rows, workbook(invented(rows), Said::Nothing)?))
}

/// A workbook as an export gives it.
fn workbook(requests: impl Iterator<Item = Uuid>, said: Said<'_>) -> Result<Vec<u8>, Failure> {
    let mut writer = DebtRequestsWriter::new(&std::env::temp_dir())?;
    let today = Utc::now().date_naive();
    for (place, request) in requests.enumerate() {
        // As long as addresses are: the largest file has fewer rows than are taken.
        let [district, complex, street, house] = [(); 4].map(|()| Uuid::now_v7().simple());
        let address = format!(
            "000000, обл. Приозёрская, мкр. {district}, ж. к. {complex}, ул. {street}, д. {house}, кв. {place}"
        );
        writer.push(&DebtRequestRow {
            request_number: "",
            request: Some(Uuid::now_v7()),
            subrequest: request.into(),
            status: ResponseStatus::NotSent,
            requester: Some("Управление социальной защиты населения г. Заречноград (вымышленное)"),
            employee: Some("Образцова Примера Вымышленовна"),
            sent_on: Some(today),
            period_from: Some(today),
            period_to: Some(today),
            due_on: Some(today),
            fias_house: Some(Uuid::now_v7()),
            address: Some(&address),
            unified_account: None,
            account: None,
            directorate: None,
            said,
        })?;
    }
    let mut content = Cursor::new(Vec::new());
    writer.finish(&mut content)?;
    Ok(content.into_inner())
}
