use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Days;
use debt_core::crash::Point;
use serde_json::Value;

use super::*;
use crate::openapi;

/// What we tell people to start from: every setting, those with a default as they are without it.
const SAMPLE: &str = include_str!("../../../docs/debtgate.sample.toml");

/// The sample with its examples: `#key = value` without a space behind the sign.
fn sample_with_examples() -> String {
    let bare = |line: &str| match line.strip_prefix('#') {
        Some(example) if !example.is_empty() && !example.starts_with(' ') => format!("{example}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    SAMPLE.lines().map(bare).collect()
}

/// The keys that the sample has, with their sections; another way to say the same is a comment too.
fn documented() -> BTreeSet<(String, String)> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in SAMPLE.lines().map(|line| line.trim_start_matches(['#', ' '])) {
        if line.starts_with('[') && line.ends_with(']') {
            section = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
        {
            keys.insert((section.clone(), key.to_owned()));
        }
    }
    keys
}

/// The keys that may stand in the section at the end of a text.
fn allowed(text: &str) -> Vec<String> {
    let found = mistakes(&format!("{text}\nzzz = 1"), &[]);
    let line = found.lines().find(|line| line.contains("zzz: unknown key")).unwrap();
    line.split_once("allowed: ").unwrap().1.split(", ").map(str::to_owned).collect()
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse("debtgate.toml", text, Path::new("/etc/debtgate"), variables)
}

fn mistakes(text: &str, variables: &[(&str, &str)]) -> String {
    parse(text, variables).expect_err(text).to_string()
}

#[test]
fn every_documented_key_is_read() {
    let config = parse(&sample_with_examples(), &[]).unwrap();
    let dictionaries = PathBuf::from("/etc/debtgate/dictionaries.toml");
    assert_eq!(config.dictionaries, DictionariesFile::Named(dictionaries.clone()));
    assert_eq!(parse("", &[]).unwrap().dictionaries, DictionariesFile::Usual(dictionaries));
    assert_eq!(config.server.public("/problems/internal"), "https://debt.example.ru/problems/internal");
    assert_eq!(config.server.internal_listen.map(|address| address.port()), Some(9090));
    assert_eq!(config.server.cors_origins, ["https://billing.example.ru"]);
    assert_eq!(config.database.pool.map(NonZero::get), Some(16));
    assert_eq!(config.gis.host.as_deref(), Some("api.dom.gosuslugi.ru"));
    assert!(config.gis.basic.is_some());
    assert_eq!(config.gis.reply_signers.len(), 1);
    assert_eq!(config.calendar.holidays.len(), 2);
    assert_eq!(config.encryption_key.as_deref(), Some(Path::new("/etc/debtgate/keys/files.key")));
    assert_eq!(config.signers.keys().collect::<Vec<_>>(), ["csp", "file", "main", "token"]);
    let secret = PathBuf::from("/etc/debtgate/keys/shared.secret");
    assert_eq!(config.auth.keys[2].material, KeyMaterial::Secret(secret));
    assert_eq!(config.sync.every, Some(Duration::from_secs(3600)));
    assert!(config.telemetry.otlp_endpoint.is_some() && config.testing.clock.is_some());
    assert_eq!(config.testing.crash_at, Some(Point::BetweenPolls));
    assert!(!format!("{config:?}").contains("invented"), "a password is not shown");
}

#[test]
fn the_sample_has_every_key() {
    let documented = documented();
    for section in allowed("").iter().filter(|section| *section != "signers") {
        for key in allowed(&format!("[{section}]")).into_iter().filter(|key| key != "keys") {
            assert!(documented.contains(&(section.clone(), key.clone())), "{section}.{key}");
        }
    }
    for key in allowed("[[auth.keys]]") {
        assert!(documented.contains(&("auth.keys".to_owned(), key.clone())), "auth.keys.{key}");
    }
    for (name, kind) in [("main", "pem"), ("file", "pkcs12"), ("csp", "container"), ("token", "command")] {
        // What all kinds have is told once.
        let told = ["operator_signature", "password", "password_file"];
        for key in allowed(&format!("[signers.x]\nkind = \"{kind}\"")) {
            let known = documented.contains(&(format!("signers.{name}"), key.clone()));
            assert!(known || told.contains(&key.as_str()), "{kind}: {key}");
        }
    }
}

#[test]
fn an_empty_file_has_the_defaults_of_the_sample() {
    let (empty, sample) = (parse("", &[]).unwrap(), parse(SAMPLE, &[]).unwrap());
    assert_eq!(format!("{empty:#?}"), format!("{sample:#?}"));
    assert_eq!(empty.server.public("/x"), "http://127.0.0.1:8080/x");
    assert_eq!(empty.database.pool, None, "the kind of the database decides");
    assert_eq!(empty.sync.window, Days::new(30));
    let longer = parse("[retention]\npersonal_data = \"36 months\"", &[]).unwrap().retention;
    assert_eq!(longer.evidence, longer.personal_data, "unless it says otherwise");
    assert!(empty.auth.keys.is_empty() && empty.signers.is_empty() && empty.server.docs);
}

/// What the schema of the interface refuses may not be allowed here in vain.
#[test]
fn the_largest_limits_are_those_of_the_schema() {
    let document: Value = serde_json::from_str(openapi::CHECKED_IN).unwrap();
    let of = |schema: &str, field: &str, limit: &str| {
        let field = &document["components"]["schemas"][schema]["properties"][field];
        field[limit].as_u64().unwrap_or_else(|| panic!("{schema}: {field:#}"))
    };
    let most = |key: &str, number: u64| parse(&format!("[limits]\n{key} = {number}"), &[]).is_ok();
    for (key, schema, field) in [
        ("files_per_answer", "CreateAnswer", "attachments"),
        ("files_per_answer", "EditAnswer", "attachments"),
        ("files_per_debtor", "DebtorInput", "documents"),
    ] {
        let files = of(schema, field, "maxItems");
        assert!(most(key, files) && !most(key, files + 1), "{key}: {files}");
    }
    let mebibyte = 1024 * 1024;
    for schema in ["FileInput", "DebtDocumentInput", "UploadAttachment"] {
        let bytes = of(schema, "content_base64", "maxLength") / 4 * 3;
        let whole = bytes / mebibyte * mebibyte;
        assert!(most("file_bytes", whole) && !most("file_bytes", whole + 1), "{schema}: {bytes}");
    }
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
fn an_address_of_the_environment_may_begin_like_a_list() {
    let listen = parse("", &[("DEBTGATE__SERVER__LISTEN", "[::]:8080")]).unwrap().server.listen;
    assert_eq!(listen.to_string(), "[::]:8080");
    let config =
        parse("", &[("DEBTGATE__GIS__BASIC", "{ user = \"sit\", password = \"{invented\" }")]).unwrap();
    assert!(config.gis.basic.is_some(), "a table is one still");
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_file_or_where_the_program_was_started() {
    let file = "[database]\nurl = \"sqlite://a.db\"\n[files]\nurl = \"file://kept\"";
    let variables = [("DEBTGATE__DATABASE__URL", "sqlite://b.db"), ("DEBTGATE__FILES__URL", "file://here")];
    for (variables, database, files) in [
        (&[][..], "/etc/debtgate/a.db", "/etc/debtgate/kept"),
        // With a dot, because a URL with a bare name has a host.
        (&variables[..], "./b.db", "./here"),
    ] {
        let config = parse(file, variables).unwrap();
        let DatabaseUrl::Sqlite(path) = &config.database.url else { panic!("SQLite") };
        assert_eq!(path.to_str(), Some(database));
        let FilesUrl::Folder(folder) = &config.files else { panic!("a folder") };
        assert_eq!(folder.to_str(), Some(files));
    }
    let absolute = [("DEBTGATE__FILES__URL", "file:///srv/files")];
    assert_eq!(parse("", &absolute).unwrap().files, FilesUrl::Folder(PathBuf::from("/srv/files")));
    assert_eq!(parse("", &[]).unwrap().files, FilesUrl::Folder(PathBuf::from("/etc/debtgate/files")));
}

#[test]
fn a_window_is_whole_days() {
    for (text, days) in [("1d", 1), ("24h", 1), ("30d", 30), ("720h", 30), ("180d", 180)] {
        let config = parse(&format!("[sync]\nwindow = \"{text}\""), &[]).unwrap();
        assert_eq!(config.sync.window, Days::new(days), "{text}");
    }
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
        ("[limits]\nfiles_per_answer = 21", "limits.files_per_answer: must be a whole number from 0 to 20"),
        ("[limits]\nfiles_per_debtor = 21", "limits.files_per_debtor: must be a whole number from 0 to 20"),
        ("[limits]\nfile_bytes = 10485761", "limits.file_bytes: must be a whole number from 1 to 10485760"),
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
        (
            "[sync]\nschedule = \"* * * * * *\"",
            "line 2: sync.schedule: Invalid pattern: Pattern must have 5 fields",
        ),
        (
            "[sync]\nschedule = \"0 0 30 2 *\"",
            "sync.schedule: such a time never comes; five fields are allowed",
        ),
        ("[sync]\nwindow = \"12h\"", "sync.window: must be whole days from 1 to 180, such as \"30d\""),
        ("[sync]\nwindow = \"36h\"", "sync.window: must be whole days from 1 to 180"),
        ("[sync]\nwindow = \"181d\"", "sync.window: must be whole days from 1 to 180"),
        ("[sync]\nwindow = \"86400s 1ns\"", "sync.window: must be whole days from 1 to 180"),
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
        (
            "DEBTGATE__GIS__POLL_AFTER",
            "[\"1s\", 2s]",
            "DEBTGATE__GIS__POLL_AFTER: not a list or table of TOML",
        ),
        ("DEBTGATE__GIS__BASIC", "{ user = sit }", "DEBTGATE__GIS__BASIC: not a list or table of TOML"),
        ("DEBTGATE__SERVER__LISTEN", "[::]", "DEBTGATE__SERVER__LISTEN: must be an IP address and a port"),
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
