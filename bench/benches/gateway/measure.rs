//! What is measured on one database: a small gateway that starts, rests and imports, and a large one under load.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bench::gateway::{Home, Manners, Running, free_address};
use bench::http::{Client, Connection, Request};
use bench::process::Memory;
use bench::store::Place;
use bench::{Failure, http};
use gis_sim::{Sim, SimHandle};
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, HeaderName, HeaderValue};
use serde_json::Value;
use uuid::Uuid;

use crate::load::{self, Next};
use crate::mass::Mass;
use crate::table::{Row, Table, grouped};
use crate::{Options, bare};

/// Starts of which the middle one counts.
const STARTS: usize = 5;
/// A new process is left alone for so long before its memory is looked at.
const REST: Duration = Duration::from_secs(2);
/// An import takes seconds; longer means that something is broken.
const PATIENCE: Duration = Duration::from_secs(600);
/// Debt requests of the longest page.
const LONGEST_PAGE: usize = 200;
/// So many debt requests are put aside to be answered.
const TO_ANSWER: usize = 150_000;
/// A call of this GIS takes longer than any measurement: answers are taken and wait, and nothing else goes on.
const SLOW: Duration = Duration::from_secs(3600);

const UNANSWERED: &str = "/v1/debt-requests?answered=false&limit=50";
const NO_DEBT: &str = r#"{"submit":true,"has_debt":false}"#;
const ONE_DEBTOR: &str = r#"{"submit":true,"has_debt":true,"comment":"Решение вступило в силу 12.03.2025","debtors":[{"last_name":"Вымышленный","first_name":"Пример","middle_name":"Образцович","snils":"11223344595"}]}"#;

/// Where everything is measured and written down.
pub(crate) struct Lab<'a> {
    options: &'a Options,
    binary: &'a Path,
    table: &'a mut Table,
    /// Requests per second of the bare handler.
    bare: Option<f64>,
}

/// What rates are compared with, and where they belong.
#[derive(Clone, Copy)]
struct Context<'a> {
    running: &'a Running,
    database: &'static str,
    /// Requests per second of `/health/live`.
    live: Option<f64>,
}

impl<'a> Lab<'a> {
    /// Measures the bare handler first.
    pub(crate) async fn open(
        options: &'a Options,
        binary: &'a Path,
        table: &'a mut Table,
    ) -> Result<Self, Failure> {
        let address = bare::start()?;
        let next = same(http::bare(address, "/")?);
        let figures = load::run((address, None), options.plan(), next, StatusCode::OK).await?;
        table.push(Row::under_load("bare handler".to_owned(), "", figures.as_ref()));
        Ok(Self { options, binary, table, bare: figures.map(|figures| figures.rate) })
    }

    /// A GIS of the benchmark has its results at once.
    fn manners(&self) -> Manners<'a> {
        Manners { log: &self.options.log, gis: r#"poll_after = ["1us"]"# }
    }

    /// An empty gateway: start, memory at rest, import.
    pub(crate) async fn small(&mut self, place: Place) -> Result<(), Failure> {
        let home = Home::furnish(self.binary, place, self.manners()).await?;
        let sim = simulator(self.options.import, Duration::ZERO)?;
        self.starts(&home, "start, empty database").await?;
        let running = home.start(&sim.base_url()).await?;
        tokio::time::sleep(REST).await;
        self.table.push(Row {
            what: format!("at rest, {} s after the start", REST.as_secs()),
            database: home.store.name(),
            memory: running.memory(),
            ..Row::default()
        });
        self.import(&home, &running).await
    }

    /// The middle one of some starts. GIS is not there: nobody asks it meanwhile.
    async fn starts(&mut self, home: &Home, what: &str) -> Result<(), Failure> {
        let gis = format!("http://{}", free_address()?);
        let mut times = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            times.push(home.start(&gis).await?.took);
        }
        times.sort_unstable();
        self.table.push(Row {
            what: what.to_owned(),
            database: home.store.name(),
            seconds: times.get(STARTS / 2).map(Duration::as_secs_f64),
            ..Row::default()
        });
        Ok(())
    }

    /// From the request that starts the reading to the end of it, with a GIS that needs no time of its own.
    async fn import(&mut self, home: &Home, running: &Running) -> Result<(), Failure> {
        let client = home.client(running);
        let mut connection = Connection::open(running.address).await?;
        let began = Instant::now();
        let started = connection.json(client.post("/v1/sync-runs", "")?).await?;
        let path = format!("/v1/sync-runs/{}", text(&started, "id")?);
        let run = loop {
            let run = connection.json(client.get(&path)?).await?;
            if text(&run, "state")? != "running" {
                break run;
            }
            if began.elapsed() > PATIENCE {
                return Err("the import does not end".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let seconds = began.elapsed().as_secs_f64();
        let found = run.get("found").and_then(Value::as_u64).and_then(|found| u32::try_from(found).ok());
        let found = found.unwrap_or_default();
        let count = usize::try_from(found).unwrap_or(usize::MAX);
        self.table.push(Row {
            what: format!("import of {} ({})", grouped(count), text(&run, "state")?),
            database: home.store.name(),
            rate: Some(f64::from(found) / seconds),
            memory: running.memory(),
            seconds: Some(seconds),
            ..Row::default()
        });
        Ok(())
    }

    /// A gateway with many debt requests: start, lists, answers.
    pub(crate) async fn large(&mut self, place: Place) -> Result<(), Failure> {
        let home = Home::furnish(self.binary, place, self.manners()).await?;
        let rows = grouped(usize::try_from(self.options.rows).unwrap_or(usize::MAX));
        let database = home.store.name();
        let began = Instant::now();
        home.store.fill(home.organization, self.options.rows).await?;
        eprintln!("{database} filled with {rows} debt requests in {} s", began.elapsed().as_secs());
        self.starts(&home, &format!("start, {rows} debt requests")).await?;

        let sim = simulator(0, SLOW)?;
        let running = home.start(&sim.base_url()).await?;
        let mut context = Context { running: &running, database, live: None };
        let live = same(http::bare(running.address, "/health/live")?);
        context.live = self.load(context, "GET /health/live", live, StatusCode::OK).await?;
        let client = home.client(&running);
        self.lists(context, &client).await?;

        if self.options.lists {
            return Ok(());
        }
        let live = context.live;
        drop((client, running));

        // What lists have left in caches is nothing that an export needs.
        let running = home.start(&sim.base_url()).await?;
        let context = Context { running: &running, database, live };
        let client = home.client(&running);
        let supply = Supply::fetch(&client).await?;
        let (together, alone) = supply.ids.split_at(supply.ids.len() / 2);
        let mass = &mut Mass { running: &running, client: &client, database, table: &mut *self.table };
        mass.measure(self.options.rows, together).await?;
        let supply = Arc::new(Supply::of(alone.to_vec()));
        let answers = |client: &Client, body| supply.answers(client, body);
        self.load(context, "answer, no debt", answers(&client, NO_DEBT)?, StatusCode::ACCEPTED).await?;
        self.load(context, "answer, one debtor", answers(&client, ONE_DEBTOR)?, StatusCode::ACCEPTED).await?;
        drop(running);

        // What was answered before waits, so the queue is long.
        let running = home.start(&format!("http://{}", free_address()?)).await?;
        let context = Context { running: &running, database, live };
        let next = answers(&home.client(&running), NO_DEBT)?;
        self.load(context, "answer, no debt, GIS is down", next, StatusCode::ACCEPTED).await?;
        Ok(())
    }

    /// Pages of the list.
    async fn lists(&mut self, context: Context<'_>, client: &Client) -> Result<(), Failure> {
        self.load(context, "list, unanswered", same(client.get(UNANSWERED)?), StatusCode::OK).await?;
        let mut compressed = client.get(UNANSWERED)?;
        compressed.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        self.load(context, "list, unanswered, gzip", same(compressed), StatusCode::OK).await?;
        self.load(context, "list, all", same(client.get("/v1/debt-requests")?), StatusCode::OK).await?;

        // Half of the unanswered ones.
        let depth = usize::try_from(self.options.rows).unwrap_or(usize::MAX) * 3 / 20;
        let walk = Walk::through(client, "answered=false", depth).await?;
        if let Some(cursor) = walk.next {
            let what = format!("list, unanswered, {} deep", grouped(walk.ids.len()));
            let path = format!("{UNANSWERED}&cursor={cursor}");
            self.load(context, &what, same(client.get(&path)?), StatusCode::OK).await?;
        }
        Ok(())
    }

    /// One measurement under load; its rate.
    async fn load(
        &mut self,
        context: Context<'_>,
        what: &str,
        next: Next,
        expected: StatusCode,
    ) -> Result<Option<f64>, Failure> {
        let Context { running, database, live } = context;
        Memory::forget_peak(running.pid());
        let server = (running.address, Some(running.pid()));
        let figures = load::run(server, self.options.plan(), next, expected).await?;
        let rate = figures.as_ref().map(|figures| figures.rate);
        let by = |other: Option<f64>| Some(rate? / other?);
        self.table.push(Row {
            of_live: by(live),
            of_bare: by(self.bare),
            ..Row::under_load(what.to_owned(), database, figures.as_ref())
        });
        Ok(rate)
    }
}

/// A GIS with so many debt requests whose results are ready at once, and whose calls take so long.
fn simulator(requests: u32, slow: Duration) -> Result<SimHandle, Failure> {
    let mut config = gis_sim::Config { requests: requests.into(), ..gis_sim::Config::default() };
    config.scenario.timing.poll_ready = Duration::ZERO;
    config.scenario.timing.slow = slow;
    Ok(Sim::start(config)?)
}

/// The same request again and again.
fn same(request: Request) -> Next {
    Arc::new(move || Some(request.clone()))
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Failure> {
    Ok(value.get(key).and_then(Value::as_str).ok_or_else(|| format!("a response without {key}"))?)
}

/// A walk through the pages of a list.
struct Walk {
    ids: Vec<Uuid>,
    /// The cursor behind the last of them, if there are more.
    next: Option<String>,
}

impl Walk {
    /// Reads pages until so many debt requests have been seen.
    async fn through(client: &Client, conditions: &str, count: usize) -> Result<Self, Failure> {
        let mut connection = Connection::open(client.address).await?;
        let mut walk = Self { ids: Vec::new(), next: None };
        loop {
            let cursor = walk.next.map_or_else(String::new, |next| format!("&cursor={next}"));
            let path = format!("/v1/debt-requests?{conditions}&limit={LONGEST_PAGE}{cursor}");
            let page = connection.json(client.get(&path)?).await?;
            for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                walk.ids.push(text(item, "id")?.parse()?);
            }
            walk.next = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if walk.next.is_none() || walk.ids.len() >= count {
                return Ok(walk);
            }
        }
    }
}

/// Debt requests that wait for an answer; each is given out once.
struct Supply {
    ids: Vec<Uuid>,
    taken: AtomicUsize,
}

impl Supply {
    /// Those that are due last: their days are not over.
    async fn fetch(client: &Client) -> Result<Self, Failure> {
        let walk = Walk::through(client, "answered=false&sort=-due_on", TO_ANSWER).await?;
        Ok(Self::of(walk.ids))
    }

    fn of(ids: Vec<Uuid>) -> Self {
        Self { ids, taken: AtomicUsize::new(0) }
    }

    /// Answers with this body to one debt request after another, each with an Idempotency-Key of its own.
    fn answers(self: &Arc<Self>, client: &Client, body: &str) -> Result<Next, Failure> {
        const KEY: HeaderName = HeaderName::from_static("idempotency-key");
        let (supply, template) = (Arc::clone(self), client.post("/", body)?);
        Ok(Arc::new(move || {
            let id = supply.ids.get(supply.taken.fetch_add(1, Ordering::Relaxed))?;
            let mut request = template.clone();
            *request.uri_mut() = format!("/v1/debt-requests/{id}/answers").parse().ok()?;
            request.headers_mut().insert(KEY, HeaderValue::from_str(&id.to_string()).ok()?);
            Some(request)
        }))
    }
}
