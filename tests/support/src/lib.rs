//! What the tests of several crates share: where outside test data lies, which outside programs there are,
//! and how a check that cannot run says so.
//!
//! A check against something outside of the repository (official schemas, key samples, OpenSSL's GOST engine)
//! is left out where that thing is absent, but never in silence: it prints a `SKIPPED` line past the test
//! runner's capture, and with `DEBTGATE_CROSS_CHECKS=required` it fails instead.

#![expect(clippy::panic, reason = "a test's helper fails the test by a panic")]

#[cfg(feature = "postgres")]
pub mod postgres;
pub mod story;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names the folder that holds `gis-zhkh-schemas` and `gost-vectors`; an absolute path, because tests run in the
/// folders of their packages.
pub const TEST_DATA: &str = "DEBTGATE_TEST_DATA";
/// `required`: a check that cannot run is a failure.
pub const CROSS_CHECKS: &str = "DEBTGATE_CROSS_CHECKS";

/// The folder of outside test data, or `None` after saying loudly that `test` was left out.
///
/// # Panics
/// When the folder is absent and cross-checks are required.
pub fn test_data(folder: &str, test: &str) -> Option<PathBuf> {
    let path = std::env::var_os(TEST_DATA).map(|root| Path::new(&root).join(folder));
    match path {
        Some(path) if path.is_dir() => Some(path),
        Some(_) => skip(test, &format!("{TEST_DATA} has no folder {folder}")),
        None => skip(test, &format!("{TEST_DATA} is not set, {folder} is needed")),
    }
}

/// Whether an outside program answers, saying loudly that `test` was left out when it does not.
///
/// # Panics
/// When the program is absent and cross-checks are required.
pub fn tool(program: &str, test: &str) -> bool {
    let started = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok() || skip::<()>(test, &format!("the program {program} is not installed")).is_some()
}

/// Whether OpenSSL with its GOST engine is here, saying loudly that `test` was left out when it is not.
///
/// # Panics
/// When it is absent and cross-checks are required.
pub fn gost_engine(test: &str) -> bool {
    let answer = gost_command(["dgst", "-md_gost12_256"]).stdin(Stdio::null()).output();
    let works = answer.is_ok_and(|output| output.status.success());
    works
        || skip::<()>(test, "openssl with its GOST engine (libengine-gost-openssl) is not installed")
            .is_some()
}

/// Runs `openssl` with the GOST engine switched on for this child only, and returns its standard output.
///
/// # Panics
/// When the program cannot be run or fails; the message holds its standard error.
pub fn openssl_gost(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = openssl_gost_output(arguments, input);
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same, for callers that expect a failure.
///
/// # Panics
/// When the program cannot be run.
pub fn openssl_gost_output(arguments: &[&str], input: &[u8]) -> std::process::Output {
    let mut child = gost_command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("openssl: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        // A child that has no use for its input may close it before we are done: its exit status tells.
        drop(stdin.write_all(input));
    }
    child.wait_with_output().unwrap_or_else(|error| panic!("openssl: {error}"))
}

/// `OPENSSL_CONF` must never reach `cargo`, whose own OpenSSL crashes on it: it is set for the child alone.
fn gost_command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("openssl-gost.cnf");
    let mut command = Command::new("openssl");
    command.args(arguments).env("OPENSSL_CONF", configuration);
    command
}

fn skip<T>(test: &str, reason: &str) -> Option<T> {
    let required = std::env::var(CROSS_CHECKS).is_ok_and(|value| value == "required");
    assert!(!required, "{test}: {reason}, and {CROSS_CHECKS}=required");
    // Straight to the stream: the runner captures what the print macros write.
    drop(writeln!(std::io::stderr(), "SKIPPED {test}: {reason}"));
    None
}
