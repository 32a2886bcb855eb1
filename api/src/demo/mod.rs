//! The demo: a simulator of GIS ZhKH and a gateway in one process. It is configured by a file like any gateway, speaks to
//! the simulator over HTTP like any gateway, and its data are gone when it ends.

mod sandbox;
mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{TimeDelta, Utc};
use debt_core::access::{NewOrganization, NewToken};
use debt_core::domain::caller::{Caller, Scope, Scopes};
use debt_core::domain::organization::Ogrn;
use gis_sim::rules::dictionaries::Dictionary;
use gis_sim::{Sim, SimHandle};
use gost::{Certificate, ParameterSet, PrivateKey, keyfile};
use tempfile::TempDir;
use uuid::Uuid;

use crate::assemble;
use crate::auth::{Claims, KeySet, generate_ed25519, write_new};
use crate::config::Config;
use crate::openapi;
use crate::serve::{self, Ports, Role};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;

/// What can be chosen.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How many debt requests to invent.
    pub requests: u64,
    /// What to invent them from.
    pub seed: u64,
    /// Where to keep the data; a temporary folder when absent.
    pub data: Option<PathBuf>,
}

/// Runs the demo until Ctrl-C or SIGTERM.
///
/// # Errors
/// The port is taken, the folder cannot be written.
pub async fn run(settings: Settings) -> Result<()> {
    let folder = Folder::open(settings.data)?;
    let sim = start_simulator(settings.requests, settings.seed)?;
    let config = configure(folder.path(), settings.listen, &sim)?;
    // A newcomer wants to read the greeting alone.
    let telemetry = Telemetry::start(&config.telemetry, tracing::Level::WARN)?;
    let metrics = Metrics::install()?;
    let ports = Ports::open(&config, Role::All)?;
    let service = assemble::service(&config).await?;
    service.db.migrate(&service.clock).await?;
    let worker = Arc::new(assemble::worker(&config, &service)?);
    let mut state = assemble::app_state(&config, &service).await?;
    let keys = KeySet::load(&config.auth)?;
    let (caller, token) = introduce(&service, &keys).await?;
    let shutdown = serve::signal();
    tokio::pin!(shutdown);
    let examples = tokio::select! {
        () = &mut shutdown => return finish(sim, telemetry).await,
        examples = world::furnish(&service, &worker, &caller, &sim) => examples?,
    };
    state.openapi = examples.put_into(openapi::CHECKED_IN).into();
    state.sandbox = Some(Arc::new(sandbox::Simulator(sim.control().clone())));
    greet(&config, &sim, &token, &examples);
    serve::run(&config, ports, state, Some(worker), metrics, shutdown).await?;
    drop(folder);
    finish(sim, telemetry).await
}

async fn finish(sim: SimHandle, telemetry: Telemetry) -> Result<()> {
    sim.stop().await;
    telemetry.shutdown().await;
    Ok(())
}

/// Where the data of the demo are.
enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn open(kept: Option<PathBuf>) -> Result<Self> {
        match kept {
            None => Ok(Self::Temporary(tempfile::Builder::new().prefix("debtgate-demo-").tempdir()?)),
            Some(path) => {
                std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
                Ok(Self::Kept(std::path::absolute(path)?))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

fn start_simulator(requests: u64, seed: u64) -> Result<SimHandle> {
    // Organisations that visitors add are denied, as GIS denies whoever it does not know.
    let organizations = vec![gis_sim::server::DEFAULT_ORGANIZATION];
    let mut config = gis_sim::Config { seed, requests, organizations, ..gis_sim::Config::default() };
    config.scenario.timing.poll_ready = Duration::from_millis(300);
    config.scenario.import.sandbox_endings = true;
    Ok(Sim::start(config)?)
}

/// Writes keys, dictionaries and the configuration into the folder and reads the configuration as any gateway does.
fn configure(folder: &Path, listen: SocketAddr, sim: &SimHandle) -> Result<Config> {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).context(name.to_owned());
    let key = PrivateKey::generate(ParameterSet::CryptoProA)?;
    let now = Utc::now();
    let certificate = Certificate::self_signed(
        &key,
        "debtgate demo",
        now - TimeDelta::days(1),
        now + TimeDelta::days(365),
    )?;
    write("gost.key.pem", &keyfile::write_pkcs8_pem(&key))?;
    write("gost.cert.pem", &certificate.to_pem())?;
    let token_key = folder.join("token.pem");
    if !token_key.exists() {
        write_new(&token_key, &generate_ed25519()?)?;
    }
    write("dictionaries.toml", &dictionaries())?;
    let text = format!(
        r#"# debtgate demo: written anew at every start
[server]
listen = "{listen}"
[database]
url = "sqlite://debtgate.db"
[files]
url = "file://files"
[gis]
base_url = "{base_url}"
# Real GIS wants pauses of 10 s and more; the simulator does not.
poll_after = ["400ms", "500ms", "1s", "2s"]
package_linger = "200ms"
[sync]
least_pause = "1s"
[dictionaries]
file = "dictionaries.toml"
[signers.main]
kind = "pem"
key = "gost.key.pem"
certificate = "gost.cert.pem"
[auth]
keys = [ {{ kid = "demo", alg = "EdDSA", private_key = "token.pem" }} ]
"#,
        base_url = sim.base_url(),
    );
    write("debtgate.toml", &text)?;
    Ok(Config::load(&folder.join("debtgate.toml"))?)
}

/// The invented dictionaries of the simulator as the file of a stand.
fn dictionaries() -> String {
    let mut text = String::new();
    for (table, dictionary) in
        [("nsi_95", Dictionary::IdentityDocuments), ("nsi_358", Dictionary::DebtDocuments)]
    {
        for entry in dictionary.entries() {
            let (code, guid, name) = (entry.code, entry.guid, entry.name);
            text += &format!("[[{table}]]\ncode = {code:?}\nguid = \"{guid}\"\nname = {name:?}\n");
        }
    }
    text
}

/// The organisation of the demo and a token that may do everything, usable at once.
async fn introduce(service: &debt_core::Service, keys: &KeySet) -> Result<(Caller, String)> {
    let ogrn: Ogrn = "1027700132195".parse()?;
    // Data that were kept have others besides.
    let ours = gis_sim::server::DEFAULT_ORGANIZATION;
    let known = service.list_organizations().await?.into_iter().find(|it| it.ppa_guid == ours);
    let organization = match known {
        Some(organization) => organization.id,
        None => {
            let new = NewOrganization {
                id: None,
                name: "УК «Пример»".to_owned(),
                ogrn,
                ppa_guid: ours,
                signer: "main".to_owned(),
                time_zone: chrono_tz::Europe::Moscow,
                executors: vec![("Образцова Анна Сергеевна".to_owned(), Uuid::new_v4())],
            };
            service.add_organization(new).await?.organization.id
        }
    };
    let scopes: Scopes = Scope::ALL.iter().copied().collect();
    let new = NewToken {
        name: "demo".to_owned(),
        scopes: scopes.clone(),
        organizations: vec![organization],
        employee: None,
        days: 30,
        created_by: "demo".to_owned(),
    };
    let token = service.issue_token(new).await?;
    let text = keys.issue(&Claims::of(&token))?;
    let caller = Caller { token: token.id, subject: token.name, organization, employee: None, scopes };
    Ok((caller, text))
}

fn greet(config: &Config, sim: &SimHandle, token: &str, examples: &world::Examples) {
    let url = config.server.public("");
    let id = examples.debt_request_to_answer();
    println!("debtgate demo: шлюз и имитатор ГИС ЖКХ, все люди и адреса вымышлены\n");
    println!("  API        {url}/v1");
    println!("  Swagger UI {url}/docs/");
    println!("  имитатор   {}", sim.base_url());
    println!("\nТокен (в Swagger UI — кнопка Authorize):\n\n{token}\n");
    println!("Попробуйте:\n");
    println!("  TOKEN={token}");
    println!("  curl -s -H \"Authorization: Bearer $TOKEN\" '{url}/v1/debt-requests?answered=false&limit=3'");
    println!(
        "  curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \
         -d '{{\"submit\":true,\"has_debt\":false}}' {url}/v1/debt-requests/{id}/answers"
    );
    println!("  curl -s -H \"Authorization: Bearer $TOKEN\" '{url}/v1/answers?debt_request_id={id}'");
    println!("\nОстановить: Ctrl-C. После остановки данных не остаётся (если не задан --data).");
    drop(std::io::Write::flush(&mut std::io::stdout()));
}
