use std::path::{Path, PathBuf};
use std::time::Duration;

use debt_core::attachments::FileTypes;
use debt_core::crash::Point;

use super::*;

const SAMPLE: &str = r#"
[server]
listen = "127.0.0.1:8080"
internal_listen = "127.0.0.1:9090"
public_url = "https://debt.example.ru"
cors_origins = ["https://billing.example.ru"]
docs = true
workers = 4
[database]
url = "sqlite://debtgate.db"
pool = 10
[files]
url = "file://./files"
[gis]
base_url = "http://127.0.0.1:8081"
export_version = "13.1.10.1"
poll_after = ["10s", "60s", "300s", "900s", "1800s"]
package_size = 100
package_linger = "2s"
parallel = 5
timeout = "180s"
settle_time = "30m"
resend_after_fault = "120s"
max_delay = "72h"
view_lag = "72h"
correction = "revoke_then_send"
host = "api.dom.gosuslugi.ru"
basic = { user = "sit", password_file = "sit.password" }
verify_replies = "require"
reply_signers = ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
busy_means_not_sent = true
[dictionaries]
file = "dictionaries.toml"
[limits]
files_per_answer = 5
files_per_debtor = 5
file_bytes = 5242880
file_types = ["PDF", "txt"]
requests_per_minute = 600
parallel_uploads = 5
body_bytes = 41943040
import_bytes = 20971520
bulk_items = 1000
[calendar]
holidays = ["2028-01-10", 2028-01-11]
working_days = ["2028-01-15"]
[webhooks]
allow_private_addresses = false
[retention]
personal_data = "12 months"
evidence = "12 months"
events = "30d"
operations = "30d"
idempotency = "7d"
unused_files = "7d"
audit = "1095d"
[encryption]
key_file = "keys/files.key"
[signers.main]
kind = "pem"
key = "keys/org.key.pem"
certificate = "keys/org.cert.pem"
operator_signature = true
[signers.file]
kind = "pkcs12"
file = "keys/org.pfx"
password_file = "keys/org.password"
[signers.csp]
kind = "container"
folder = "keys/org.000"
password = "invented"
[signers.token]
kind = "command"
program = "sign-digest"
arguments = ["--slot", "1"]
certificate = "keys/org.cert.pem"
timeout = "20s"
[auth]
issuer = "debtgate"
audience = "debtgate"
keys = [ { kid = "main", alg = "EdDSA", private_key = "keys/token.pem" }, { kid = "old", alg = "HS256", secret = "/s" } ]
[sync]
schedule = "15 4 * * *"
every = "1h"
window = "30d"
[telemetry]
otlp_endpoint = "http://127.0.0.1:4318"
log = "json"
[testing]
clock = "2026-11-02T06:15:00Z"
crash_at = "between_polls"
"#;

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse("debtgate.toml", text, Path::new("/etc/debtgate"), variables)
}

fn mistakes(text: &str, variables: &[(&str, &str)]) -> String {
    parse(text, variables).expect_err(text).to_string()
}

#[test]
fn every_documented_key_is_read() {
    let config = parse(SAMPLE, &[]).unwrap();
    assert_eq!(config.files, FilesUrl::Folder(PathBuf::from("/etc/debtgate/./files")));
    assert_eq!(config.dictionaries, Path::new("/etc/debtgate/dictionaries.toml"));
    assert_eq!(config.limits.file_types.extensions(), "pdf, txt");
    assert_eq!(config.limits.parallel_uploads, 5);
    assert_eq!(config.calendar.holidays.len(), 2);
    assert_eq!(config.signers.keys().collect::<Vec<_>>(), ["csp", "file", "main", "token"]);
    assert_eq!(config.auth.keys[1].material, KeyMaterial::Secret(PathBuf::from("/s")));
    assert_eq!(config.server.public("/problems/internal"), "https://debt.example.ru/problems/internal");
    assert_eq!(config.gis.reply_signers.len(), 1);
    assert!(config.testing.clock.is_some() && config.telemetry.log == LogFormat::Json);
    assert_eq!(config.testing.crash_at, Some(Point::BetweenPolls));
    assert!(!format!("{config:?}").contains("invented"), "a password is not shown");
}

#[test]
fn an_empty_file_has_the_defaults_of_the_sample() {
    let (empty, sample) = (parse("", &[]).unwrap(), parse(SAMPLE, &[]).unwrap());
    assert_eq!(empty.server.listen, sample.server.listen);
    assert_eq!(empty.server.public("/x"), "http://127.0.0.1:8080/x");
    assert_eq!(empty.gis.base_url, sample.gis.base_url);
    assert_eq!(empty.gis.poll_after, sample.gis.poll_after);
    assert_eq!(empty.gis.settle_time, sample.gis.settle_time);
    assert_eq!(empty.gis.package_size, sample.gis.package_size);
    assert_eq!(empty.gis.parallel, sample.gis.parallel);
    assert_eq!(empty.database.pool, sample.database.pool);
    assert_eq!(empty.retention, sample.retention);
    let longer = parse("[retention]\npersonal_data = \"36 months\"", &[]).unwrap().retention;
    assert_eq!(longer.evidence, longer.personal_data, "unless it says otherwise");
    assert_eq!(empty.sync.window, Duration::from_secs(30 * 86400));
    assert_eq!(empty.sync.schedule, sample.sync.schedule);
    assert_eq!(empty.limits.requests_per_minute, sample.limits.requests_per_minute);
    assert_eq!(empty.limits.file_types, FileTypes::default());
    assert_eq!(empty.limits.parallel_uploads, sample.limits.parallel_uploads);
    assert!(empty.auth.keys.is_empty() && empty.signers.is_empty() && empty.server.docs);
}

#[test]
fn the_environment_lies_over_the_file() {
    let config = parse(
        "[gis]\nparallel = 3\n[signers.Main]\nkind = \"pem\"\nkey = \"k\"\ncertificate = \"c\"",
        &[
            ("DEBTGATE__GIS__PARALLEL", "7"),
            ("DEBTGATE__GIS__POLL_AFTER", "1s, 2s"),
            ("DEBTGATE__GIS__BASIC__USER", "sit"),
            ("DEBTGATE__GIS__BASIC__PASSWORD", "invented"),
            ("DEBTGATE__SIGNERS__MAIN__KEY", "here.pem"),
            ("DEBTGATE__SERVER__DOCS", "false"),
            ("DEBTGATE__AUTH__KEYS", r#"[{ kid = "a", alg = "RS256", public_key = "p.pem" }]"#),
            ("DEBTGATE_LOG", "debug"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.gis.parallel.get(), 7);
    assert_eq!(config.gis.poll_after.wait(5), Duration::from_secs(2));
    assert!(config.gis.http().unwrap().basic.is_some());
    assert!(!config.server.docs);
    let SignerKind::Pem { key, certificate, .. } = &config.signers["Main"].kind else { panic!("pem") };
    assert_eq!(key, Path::new("here.pem"), "a path of the environment begins where the program was started");
    assert_eq!(certificate, Path::new("/etc/debtgate/c"));
    assert_eq!(config.auth.keys[0].material, KeyMaterial::Public(PathBuf::from("p.pem")));
}

#[test]
fn wrong_keys_and_values_are_named_with_their_line_and_what_is_allowed() {
    for (text, expected) in [
        (
            "[gis]\n\nparalel = 5",
            "debtgate.toml, line 3: gis.paralel: unknown key; did you mean \"parallel\"? allowed: ",
        ),
        (
            "[gsi]",
            "debtgate.toml, line 1: gsi: unknown key; did you mean \"gis\"? allowed: auth, calendar, database, ",
        ),
        ("gis = 5", "debtgate.toml, line 1: gis: must be a table, not a whole number"),
        (
            "[gis]\nparallel = \"5\"",
            "debtgate.toml, line 2: gis.parallel: must be a whole number from 1 to 100",
        ),
        ("[gis]\nparallel = 0", "debtgate.toml, line 2: gis.parallel: must be a whole number from 1 to 100"),
        ("[gis]\npackage_size = 101", "gis.package_size: must be a whole number from 1 to 100"),
        ("[gis]\ntimeout = \"soon\"", "gis.timeout: must be a length of time such as \"30s\""),
        ("[gis]\ntimeout = \"0s\"", "gis.timeout: must be longer than zero"),
        (
            "[gis]\ntimeout = \"15m\"",
            "gis.settle_time: must be longer than 30m 1s: twice gis.timeout and a second",
        ),
        ("[gis]\nsettle_time = \"361s\"", "line 2: gis.settle_time: must be longer than 6m 1s"),
        (
            "[gis]\nexport_version = \"14\"",
            "gis.export_version: unknown version; allowed: 13.1.10.1, 14.0.0.0, 15.3.0.0",
        ),
        ("[gis]\npoll_after = []", "gis.poll_after: the poll schedule is empty"),
        (
            "[gis]\ncorrection = \"both\"",
            "gis.correction: unknown value; allowed: \"revoke_then_send\", \"overwrite\"",
        ),
        (
            "[gis]\nbase_url = \"https://api.dom.gosuslugi.ru\"",
            "gis.base_url: must be the http:// address of the local",
        ),
        ("[gis]\nverify_replies = \"require\"", "gis.verify_replies: \"require\" needs gis.reply_signers"),
        ("[gis]\nreply_signers = [\"ab\"]", "gis.reply_signers: not 64 hexadecimal digits"),
        ("[gis]\nbasic = { user = \"u\" }", "gis.basic.password_file: missing"),
        (
            "[gis]\nbasic = { user = \"u\", password = \"invented\", password_file = \"f\" }",
            "gis.basic.password: give password or password_file, not both",
        ),
        ("[server]\nlisten = \"8080\"", "server.listen: must be an IP address and a port"),
        ("[server]\ndocs = \"yes\"", "server.docs: must be true or false, not a text"),
        (
            "[server]\npublic_url = \"debt.example.ru\"",
            "server.public_url: must be an address that begins with http",
        ),
        ("[server]\ncors_origins = [\"*\"]", "server.cors_origins: must be an address"),
        (
            "[server]\ncors_origins = [\"https://a.ru/b\"]",
            "server.cors_origins: must be scheme, host and port alone",
        ),
        (
            "[database]\nurl = \"mysql://invented@h/d\"",
            "database.url: allowed: sqlite:///path/debtgate.db or postgres://",
        ),
        ("[files]\nurl = \"files\"", "files.url: allowed: file:///folder or s3://bucket/prefix"),
        ("[limits]\nfile_types = [\".pdf\"]", "limits.file_types: must be file extensions without a dot"),
        (
            "[limits]\nfile_types = [\"pdf\", \"zip\"]",
            "line 2: limits.file_types: must be file extensions without a dot, one or more of: pdf, docx, doc, ",
        ),
        (
            "[limits]\nfile_types = []",
            "limits.file_types: must be file extensions without a dot, one or more",
        ),
        ("[limits]\nparallel_uploads = 0", "limits.parallel_uploads: must be a whole number from 1 to 1000"),
        (
            "[calendar]\nholidays = [\"2028-01-01\"]\nworking_days = [\"2028-01-01\"]",
            "line 3: calendar.working_days: 2028-01-01 stands in calendar.holidays too",
        ),
        (
            "[calendar]\nholidays = [\"2028-01-09\", \"2028-02-30\"]",
            "line 2: calendar.holidays: input is out of range; allowed: dates such as \"2028-01-09\"",
        ),
        ("[calendar]\nworking_days = 5", "calendar.working_days: must be a list in square brackets"),
        ("[retention]\npersonal_data = \"1y\"", "retention.personal_data: must be a number of months"),
        (
            "[signers.main]\nkind = \"pam\"",
            "signers.main.kind: unknown value; allowed: \"pem\", \"pkcs12\", \"container\", \"command\"",
        ),
        ("[signers.main]\nkey = \"k\"", "line 1: signers.main.kind: missing"),
        ("[signers.main]\nkind = \"pem\"\nkey = \"k\"", "line 1: signers.main.certificate: missing"),
        (
            "[auth]\nkeys = [{ kid = \"a\", alg = \"none\", secret = \"s\" }]",
            "auth.keys[0].alg: unknown value; allowed: \"EdDSA\", \"RS256\", \"HS256\"",
        ),
        (
            "[auth]\nkeys = [{ kid = \"a\", alg = \"HS256\", public_key = \"p\" }]",
            "auth.keys[0].alg: HS256 needs one path: secret",
        ),
        (
            "[auth]\nkeys = [{ kid = \"a\", alg = \"RS256\", secret = \"p\" }]",
            "auth.keys[0].alg: EdDSA and RS256 need one path",
        ),
        ("[auth]\nkeys = [{ alg = \"RS256\", public_key = \"p\" }]", "auth.keys[0].kid: missing"),
        (
            "[auth]\nkeys = [{ kid = \"a\", alg = \"RS256\", public_key = \"p\" }, { kid = \"a\", alg = \"HS256\", secret = \"p\" }]",
            "auth.keys: two keys have the kid \"a\"",
        ),
        ("[sync]\nschedule = \"daily\"", "five fields are allowed"),
        ("[telemetry]\nlog = \"xml\"", "telemetry.log: unknown value; allowed: \"text\", \"json\""),
        (
            "[server]\nlisten = \"0.0.0.0:8080\"\n[testing]\nclock = \"2026-11-02T06:15:00Z\"",
            "line 4: testing.clock: allowed only while server.listen and server.internal_listen are loopback",
        ),
        (
            "[server]\ninternal_listen = \"0.0.0.0:8081\"\n[testing]\ncrash_at = \"after_commit\"",
            "line 4: testing.crash_at: allowed only while server.listen and server.internal_listen are loopback",
        ),
        ("[testing]\nclock = \"today\"", "allowed: a time such as"),
        ("[testing]\ncrash_at = \"now\"", "testing.crash_at: unknown value; allowed: \"before_commit\", "),
        ("[gis\n", "debtgate.toml, line 1: not TOML: "),
        ("[gis]\nparallel = 1\nparallel = 2", "debtgate.toml, line 3: not TOML: duplicate key"),
    ] {
        let found = mistakes(text, &[]);
        assert!(found.contains(expected), "{text}\n  gave {found}\n  not  {expected}");
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(!found.contains("invented"), "{found}");
    }
}

#[test]
fn wrong_variables_are_named() {
    for (name, value, expected) in [
        ("DEBTGATE__GIS__PARALLEL", "many", "DEBTGATE__GIS__PARALLEL: must be a whole number from 1 to 100"),
        (
            "DEBTGATE__GIS__PARALEL",
            "5",
            "DEBTGATE__GIS__PARALEL: unknown key; did you mean \"parallel\"? allowed: ",
        ),
        ("DEBTGATE__SERVER__DOCS", "yes", "DEBTGATE__SERVER__DOCS: must be true or false"),
        ("DEBTGATE__GIS", "x", "DEBTGATE__GIS: must be a table, not a text"),
        ("DEBTGATE__", "x", "DEBTGATE__: an empty part in the name"),
        ("DEBTGATE__AUTH__KEYS", "[", "DEBTGATE__AUTH__KEYS: not a list or table of TOML"),
        ("DEBTGATE__GIS__TIMEOUT__X", "5", "DEBTGATE__GIS__TIMEOUT__X: there is no such section"),
    ] {
        let found = mistakes("[gis]\ntimeout = \"180s\"", &[(name, value)]);
        assert!(found.starts_with(expected), "{name}={value}\n  gave {found}\n  not  {expected}");
    }
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let found = mistakes("[gis]\nparallel = 0\nhots = \"x\"\n[server]\nlisten = 5", &[]);
    assert_eq!(found.lines().count(), 3, "{found}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nowhere/debtgate.toml")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/debtgate.toml"));
}
