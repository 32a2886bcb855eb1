//! The program itself: its folder with settings and keys, its commands, and a running process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gis_sim::rules::dictionaries::Dictionary;
use gost::{Certificate, ParameterSet, PrivateKey, keyfile};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// The program is slow without optimisation and machines are shared; longer means that it does not start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with everything a gateway needs before it runs.
pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    /// Writes keys, dictionaries and settings for a story with a clock in hand; `manners` are keys of `[gis]`, `more` is
    /// put behind the settings.
    pub(crate) fn new(database: &str, gis: &str, clock: DateTime<Utc>, manners: &str, more: &str) -> Self {
        let more = format!("[testing]\nclock = \"{}\"\n{more}", clock.to_rfc3339());
        Self::furnish(database, &format!("base_url = \"{gis}\"\n{manners}"), clock, &more)
    }

    /// Writes keys, dictionaries and settings: those of `[gis]`, and `more` behind them all.
    pub(crate) fn furnish(database: &str, gis: &str, now: DateTime<Utc>, more: &str) -> Self {
        let workshop = Self { folder: TempDir::new().unwrap() };
        let key = PrivateKey::generate(ParameterSet::CryptoProA).unwrap();
        let (from, until) = (now - TimeDelta::days(365), now + TimeDelta::days(365));
        let certificate = Certificate::self_signed(&key, "Test signer", from, until).unwrap();
        workshop.write("gost.key.pem", &keyfile::write_pkcs8_pem(&key));
        workshop.write("gost.cert.pem", &certificate.to_pem());
        workshop.write("secret.txt", "an invented secret of more than 32 bytes");
        workshop.write("dictionaries.toml", &dictionaries());
        workshop.write("debtgate.toml", &settings(database, gis, more));
        workshop.run(&["keys", "generate", "--alg", "eddsa", "--out", &workshop.path("token.pem")]);
        workshop.run(&["keys", "generate", "--alg", "xchacha20", "--out", &workshop.path("files.key")]);
        workshop.run(&["migrate"]);
        workshop
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_debtgate")));
        command.args(arguments).current_dir(self.folder.path());
        command.env("DEBTGATE_CONFIG", self.path("debtgate.toml")).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, with settings of the environment.
    pub(crate) fn attempt(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.command(arguments).envs(environment.iter().copied()).output().unwrap()
    }

    /// Runs a command to its end and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.attempt(arguments, &[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Makes an organisation with one employee and returns the identifiers of both.
    pub(crate) fn organization(
        &self,
        name: &str,
        ogrn: &str,
        ppa_guid: Uuid,
        executor: &str,
    ) -> (Uuid, Uuid) {
        let id = Uuid::now_v7();
        let (id_text, ppa_guid) = (id.to_string(), ppa_guid.to_string());
        let printed = self.run(&[
            "org",
            "add",
            "--id",
            &id_text,
            "--name",
            name,
            "--ogrn",
            ogrn,
            "--ppa-guid",
            &ppa_guid,
            "--signer",
            "main",
            "--executor",
            executor,
        ]);
        let employee = printed.lines().find_map(|line| line.strip_prefix("executor")).unwrap();
        (id, employee.split_whitespace().next().unwrap().parse().unwrap())
    }

    /// Issues a token.
    pub(crate) fn token(&self, organizations: &[Uuid], scopes: &str, days: &str) -> String {
        let organizations: Vec<String> = organizations.iter().map(Uuid::to_string).collect();
        let mut arguments = vec!["token", "issue", "--name", "test", "--scopes", scopes, "--days", days];
        for organization in &organizations {
            arguments.extend(["--org", organization]);
        }
        self.run(&arguments)
    }

    /// Issues a token that acts as an employee.
    pub(crate) fn employee_token(&self, organization: Uuid, employee: &str, scopes: &str) -> String {
        let organization = organization.to_string();
        let name = ["--name", "test", "--scopes", scopes, "--days", "30"];
        let who = ["--org", organization.as_str(), "--employee", employee];
        self.run(&[&["token", "issue"][..], &name, &who].concat())
    }

    /// Starts the program at a moment of the story.
    pub(crate) fn serve(&self, now: DateTime<Utc>) -> Gateway {
        self.serve_with(&[("DEBTGATE__TESTING__CLOCK", &now.to_rfc3339())])
    }

    /// From its next start on the program has this key of `[limits]`.
    pub(crate) fn limit(&self, setting: &str) {
        let settings = std::fs::read_to_string(self.path("debtgate.toml")).unwrap();
        let limits = format!("[limits]\n{setting}\n");
        self.write("debtgate.toml", &settings.replacen("[limits]\n", &limits, 1));
    }

    /// Starts the program with settings of the environment.
    pub(crate) fn serve_with(&self, environment: &[(&str, &str)]) -> Gateway {
        let mut command = self.command(&["serve"]);
        command.envs(environment.iter().copied());
        Gateway::start(command)
    }
}

fn settings(database: &str, gis: &str, more: &str) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
internal_listen = "127.0.0.1:0"
public_url = "https://debtgate.example.ru"
workers = 2
[database]
url = "{database}"
pool = 4
[gis]
{gis}
[dictionaries]
file = "dictionaries.toml"
[limits]
requests_per_minute = 1000000
[signers.main]
kind = "pem"
key = "gost.key.pem"
certificate = "gost.cert.pem"
[auth]
keys = [
    {{ kid = "main", alg = "EdDSA", private_key = "token.pem" }},
    {{ kid = "shared", alg = "HS256", secret = "secret.txt" }},
]
[telemetry]
log = "json"
{more}
"#
    )
}

/// The invented dictionaries of the simulator as the file of a stand.
fn dictionaries() -> String {
    let tables = [("nsi_95", Dictionary::IdentityDocuments), ("nsi_358", Dictionary::DebtDocuments)];
    let entries = tables.iter().flat_map(|(table, dictionary)| {
        dictionary.entries().iter().map(move |entry| {
            let (code, guid, name) = (entry.code, entry.guid, entry.name);
            format!("[[{table}]]\ncode = {code:?}\nguid = \"{guid}\"\nname = {name:?}\n")
        })
    });
    entries.collect()
}

/// A running process; it ends with the value.
pub(crate) struct Gateway {
    pub(crate) process: Child,
    log: Arc<Mutex<String>>,
    pub(crate) public: String,
    pub(crate) internal: String,
}

impl Gateway {
    /// Ends it as a power failure would.
    pub(crate) fn kill(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }

    fn start(mut command: Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (send, addresses) = channel();
        let (stderr, copy) = (process.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(address) = event["address"].as_str() {
                    drop(send.send(format!("http://{address}")));
                }
                let mut log = copy.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        // The public port is announced first.
        let (public, internal) = (announced(&addresses, &log), announced(&addresses, &log));
        Self { process, log, public, internal }
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

fn announced(addresses: &Receiver<String>, log: &Mutex<String>) -> String {
    addresses.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it does not start:\n{}", log.lock().unwrap()))
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            // What it said of its own failure, if anything: a panic is no JSON.
            let log = self.log();
            let told = log.lines().filter(|line| line.contains("\"ERROR\"") || !line.starts_with('{'));
            told.for_each(|line| eprintln!("gateway: {line}"));
        }
    }
}
