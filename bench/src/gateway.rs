//! A gateway as an operator sets it up: a folder with keys and a configuration, the commands of the program, and the
//! running process.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use gost::{ParameterSet, keyfile};
use hyper::StatusCode;
use tempfile::TempDir;
use uuid::Uuid;

use crate::http::{self, Client, Connection};
use crate::process::Memory;
use crate::store::{Place, Store};
use crate::{Failure, key_pair};

const CONFIG: &str = "debtgate.toml";
const LOG: &str = "serve.log";
/// A start takes milliseconds; longer means that something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, which cargo does not build for the benchmark of another package.
///
/// # Errors
/// It is not there.
pub fn find_binary() -> Result<PathBuf, Failure> {
    // target/release/bench or target/release/deps/gateway-… beside target/release/debtgate.
    let own = std::env::current_exe()?;
    let name = format!("debtgate{}", std::env::consts::EXE_SUFFIX);
    let known = own.ancestors().skip(1).take(2).map(|folder| folder.join(&name));
    for binary in known {
        if let Ok(built) = std::fs::metadata(&binary).and_then(|metadata| metadata.modified()) {
            let minutes = built.elapsed().unwrap_or_default().as_secs() / 60;
            eprintln!("measuring {}, built {minutes} minutes ago", binary.display());
            return Ok(binary);
        }
    }
    Err("the program is not there. Build it first: cargo build --release -p debtgate".into())
}

/// An address on this machine that nobody listens at.
pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// How a gateway is to be.
#[derive(Debug, Clone, Copy)]
pub struct Manners<'a> {
    /// DEBTGATE_LOG.
    pub log: &'a str,
    /// Keys of `[gis]` but for its address.
    pub gis: &'a str,
}

/// A gateway that is set up; its folder goes with it.
pub struct Home {
    binary: PathBuf,
    folder: TempDir,
    log: String,
    gis: String,
    /// Where its rows are.
    pub store: Store,
    /// The only organisation.
    pub organization: Uuid,
    token: String,
}

impl Home {
    /// Makes keys, tables, an organisation and a token.
    pub async fn furnish(binary: &Path, place: Place, manners: Manners<'_>) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("debtgate-bench-").tempdir()?;
        let store = match place {
            Place::Lite => Store::Lite(folder.path().join("debtgate.db")),
            Place::Pg(url) => Store::Pg(url),
        };
        let mut home = Self {
            binary: binary.to_owned(),
            folder,
            log: manners.log.to_owned(),
            gis: manners.gis.to_owned(),
            store,
            organization: Uuid::now_v7(),
            token: String::new(),
        };
        home.write_signer()?;
        home.configure(free_address()?, "http://127.0.0.1:9")?;
        home.run(&["keys", "generate", "--alg", "eddsa", "--out", "token.pem"])?;
        home.run(&["migrate"])?;
        let organization = home.organization.to_string();
        let ppa = gis_sim::server::DEFAULT_ORGANIZATION.to_string();
        let executor = format!("Образцова Анна Сергеевна={}", Uuid::now_v7());
        home.run(&[
            "org",
            "add",
            "--id",
            &organization,
            "--name",
            "УК «Пример»",
            "--ogrn",
            "1027700132195",
            "--ppa-guid",
            &ppa,
            "--signer",
            "main",
            "--executor",
            &executor,
        ])?;
        let scopes = "requests:read,answers:read,answers:write,answers:submit,attachments:write,events:read";
        let token =
            home.run(&["token", "issue", "--org", &organization, "--name", "bench", "--scopes", scopes])?;
        home.token = token.trim().to_owned();
        home.store.note_sync(home.organization).await?;
        Ok(home)
    }

    fn write_signer(&self) -> Result<(), Failure> {
        let pair = key_pair(ParameterSet::CryptoProA, Utc::now() - TimeDelta::days(1))?;
        std::fs::write(
            self.folder.path().join("gost.key.pem"),
            keyfile::write_pkcs8_pem(pair.key()).as_str(),
        )?;
        std::fs::write(self.folder.path().join("gost.cert.pem"), pair.certificate().to_pem())?;
        Ok(())
    }

    /// Writes the configuration: the defaults, but for what would stand in the way of measuring. The schedule begins no
    /// reading but at New Year.
    fn configure(&self, listen: SocketAddr, gis: &str) -> Result<(), Failure> {
        let database = match &self.store {
            Store::Lite(_) => "sqlite://debtgate.db",
            Store::Pg(url) => url,
        };
        let manners = &self.gis;
        let text = format!(
            r#"[server]
listen = "{listen}"
[database]
url = "{database}"
[files]
url = "file://files"
[gis]
base_url = "{gis}"
{manners}
[limits]
requests_per_minute = 1000000
[sync]
schedule = "0 0 1 1 *"
least_pause = "1s"
[signers.main]
kind = "pem"
key = "gost.key.pem"
certificate = "gost.cert.pem"
[auth]
keys = [ {{ kid = "bench", alg = "EdDSA", private_key = "token.pem" }} ]
"#
        );
        Ok(std::fs::write(self.folder.path().join(CONFIG), text)?)
    }

    /// The program in its folder; variables of whoever runs the benchmark do not configure it.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DEBTGATE") {
                command.env_remove(name);
            }
        }
        command.env("DEBTGATE_CONFIG", self.folder.path().join(CONFIG)).env("DEBTGATE_LOG", &self.log);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end and gives what it printed.
    fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command(arguments).output()?;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            let words = String::from_utf8_lossy(&output.stderr);
            Err(format!("debtgate {}: {words}", arguments.join(" ")).into())
        }
    }

    /// Starts the gateway and waits until it is ready.
    pub async fn start(&self, gis: &str) -> Result<Running, Failure> {
        let address = free_address()?;
        self.configure(address, gis)?;
        let log = self.folder.path().join(LOG);
        let mut command = self.command(&["serve"]);
        command.stdout(Stdio::null()).stderr(File::create(&log)?);
        let began = Instant::now();
        let mut running = Running { child: command.spawn()?, address, took: Duration::ZERO };
        while !is_ready(address).await {
            if let Some(status) = running.child.try_wait()? {
                let words = std::fs::read_to_string(&log)?;
                return Err(format!("debtgate serve ended with {status}: {words}").into());
            }
            if began.elapsed() > PATIENCE {
                return Err("debtgate serve does not become ready".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        running.took = began.elapsed();
        Ok(running)
    }

    /// A client of a running gateway.
    pub fn client(&self, running: &Running) -> Client {
        Client { address: running.address, token: self.token.clone() }
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let asked = async {
        let mut connection = Connection::open(address).await?;
        connection.send(http::bare(address, "/health/ready")?).await
    };
    asked.await.is_ok_and(|status: StatusCode| status == StatusCode::OK)
}

/// A running gateway; it is killed when dropped.
pub struct Running {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start to its being ready.
    pub took: Duration,
}

impl Running {
    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its memory now.
    pub fn memory(&self) -> Option<Memory> {
        Memory::of(self.pid())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
