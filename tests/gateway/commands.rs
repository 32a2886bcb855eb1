//! Commands as an operator types them: settings of the environment alone, keys, scopes, a database that a newer version has.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chrono::Utc;
use gost::keyfile;
use tempfile::TempDir;
use test_support::postgres::{execute, for_postgres_url};
use uuid::Uuid;

use crate::harness::Workshop;

/// Runs the program in a folder, with these settings of the environment and no others.
fn debtgate(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_debtgate")));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("DEBTGATE_")) {
            command.env_remove(name);
        }
    }
    command.envs(environment.iter().copied()).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn the_environment_alone_may_configure() {
    const DATABASE: (&str, &str) = ("DEBTGATE__DATABASE__URL", "sqlite://variable.db");
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let nothing = debtgate(folder, &["migrate"], &[]);
    assert!(!nothing.status.success(), "an empty folder is a wrong one");
    assert!(errors(&nothing).contains("debtgate.toml cannot be read"), "{}", errors(&nothing));
    for named in [
        debtgate(folder, &["migrate", "--config", "debtgate.toml"], &[DATABASE]),
        debtgate(folder, &["migrate"], &[DATABASE, ("DEBTGATE_CONFIG", "debtgate.toml")]),
    ] {
        assert!(!named.status.success(), "a file that is named must be there");
        assert!(errors(&named).contains("debtgate.toml cannot be read"), "{}", errors(&named));
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);

    let migrated = debtgate(folder, &["migrate"], &[DATABASE]);
    assert!(migrated.status.success(), "{}", errors(&migrated));
    assert!(folder.join("variable.db").exists());
    let wrong = debtgate(folder, &["migrate"], &[DATABASE, ("DEBTGATE__GIS__PARALLEL", "0")]);
    assert!(errors(&wrong).contains("DEBTGATE__GIS__PARALLEL: must be a whole number"), "{}", errors(&wrong));

    std::fs::write(folder.join("debtgate.toml"), "[database]\nurl = \"sqlite://file.db\"").unwrap();
    let migrated = debtgate(folder, &["migrate"], &[]);
    assert!(migrated.status.success(), "{}", errors(&migrated));
    assert!(folder.join("file.db").exists(), "the usual file is read where it is");
}

#[test]
fn a_new_key_lies_in_a_folder_of_its_own_and_is_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let generate = ["keys", "generate", "--out", "etc/keys/token.pem"];
    let made = debtgate(folder.path(), &generate, &[]);
    assert!(made.status.success(), "{}", errors(&made));
    let key = folder.path().join("etc/keys/token.pem");
    let text = std::fs::read_to_string(&key).unwrap();
    assert!(text.starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    assert_eq!((mode(&key), mode(key.parent().unwrap())), (0o600, 0o700));
    assert!(!debtgate(folder.path(), &generate, &[]).status.success());
    assert_eq!(std::fs::read_to_string(&key).unwrap(), text);
}

#[test]
fn a_key_of_cryptopro_becomes_a_key_and_a_certificate_that_belong_together() {
    let Some(vectors) = test_support::test_data("gost-vectors", "keys convert") else { return };
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("password"), "test\n").unwrap();
    for (option, source, certificate) in [
        ("--pfx", "test-keys/client-A.tc26.pfx", "test-keys/client-A.crt.der"),
        ("--pfx", "cryptopro-synthetic/client-XA.cp80.pfx", "test-keys/client-XA.crt.der"),
        ("--container", "cryptopro-synthetic/client-TCA.000", "test-keys/client-TCA.crt.der"),
    ] {
        let name = Path::new(source).file_stem().unwrap().to_str().unwrap();
        let (key, cert) = (format!("keys/{name}.key.pem"), format!("keys/{name}.cert.pem"));
        let source = vectors.join(source).display().to_string();
        let convert = ["keys", "convert", option, &source, "--password-file", "password", "--out", &key];
        let converted = debtgate(folder.path(), &convert, &[]);
        assert!(converted.status.success(), "{name}: {}", errors(&converted));
        let told = String::from_utf8(converted.stdout).unwrap();
        assert!(told.contains(&key) && told.contains(&cert), "{told}");

        let (key, cert) = (folder.path().join(&key), folder.path().join(&cert));
        let pair = keyfile::pem(&key, &cert, None).unwrap();
        assert_eq!(pair.certificate().der(), std::fs::read(vectors.join(certificate)).unwrap(), "{name}");
        #[cfg(unix)]
        assert_eq!((mode(&key), mode(key.parent().unwrap())), (0o600, 0o700));

        // Neither of the two is ever written over, and one without the other is not written.
        std::fs::write(&cert, "of somebody else").unwrap();
        std::fs::remove_file(&key).unwrap();
        let refused = debtgate(folder.path(), &convert, &[]);
        assert!(!refused.status.success(), "{name}");
        assert!(errors(&refused).contains("сертификат не перезаписывается"), "{}", errors(&refused));
        assert_eq!(std::fs::read_to_string(&cert).unwrap(), "of somebody else");
        assert!(!key.exists());
        std::fs::remove_file(&cert).unwrap();
        std::fs::write(&key, "of somebody else").unwrap();
        assert!(!debtgate(folder.path(), &convert, &[]).status.success(), "{name}");
        assert_eq!(std::fs::read_to_string(&key).unwrap(), "of somebody else");
        assert!(!cert.exists());
    }
}

#[test]
fn scopes_are_told_in_the_help_and_to_those_who_mistype_them() {
    let folder = TempDir::new().unwrap();
    let help = debtgate(folder.path(), &["token", "issue", "--help"], &[]);
    let help = String::from_utf8(help.stdout).unwrap();
    let told = |line: &str| help.lines().any(|found| found.trim() == line);
    assert!(told("answers:submit     отправлять ответы в ГИС ЖКХ; включает answers:write"), "{help}");
    assert!(told("audit:read         читать журнал действий"), "{help}");

    let organization = Uuid::now_v7().to_string();
    let issue = ["token", "issue", "--org", &organization, "--name", "x", "--scopes", "requests:all"];
    let refused = debtgate(folder.path(), &issue, &[]);
    assert_eq!(refused.status.code(), Some(2));
    let expected = "unknown scope \"requests:all\"; allowed: requests:read, answers:read, ";
    assert!(errors(&refused).contains(expected), "{}", errors(&refused));
}

#[test]
fn an_older_program_leaves_the_database_of_a_newer_one_alone() {
    for_postgres_url(async |url| {
        let workshop = Workshop::furnish(url, "base_url = \"http://127.0.0.1:1\"", Utc::now(), "");
        workshop.run(&["token", "list"]);
        execute(url, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')").await;
        // An address that is nobody's here: should it start after all, it ends at once.
        let elsewhere = [("DEBTGATE__SERVER__LISTEN", "192.0.2.1:8080")];
        for command in [&["migrate"][..], &["token", "list"], &["serve"]] {
            let refused = workshop.attempt(command, &elsewhere);
            let told = errors(&refused);
            assert!(!refused.status.success(), "{command:?}");
            assert!(told.contains("более новая версия") && told.contains("29990101000000"), "{told}");
        }
    });
}
