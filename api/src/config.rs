//! The settings: a TOML file, over it the environment (`DEBTGATE__SECTION__KEY=value`), parsed once at the start into
//! types that cannot be wrong. A wrong key or value stops the start with its name, its line and what is allowed, and
//! all of them are shown at once. Files that settings name are opened when they are needed, not here.
//!
//! Called by the commands; everything else gets the part it needs. What is absent has the default of the documented
//! sample.

mod access;
mod gis;
mod keeping;
mod secret;
mod section;
mod server;
mod signers;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

pub use access::{AlgorithmSetting, AuthSettings, KeyMaterial, KeySetting};
pub use gis::{Basic, Correction, GisSettings, SyncSettings};
pub use keeping::{CalendarSettings, LimitSettings, RetentionSettings};
pub use secret::{Secret, UnreadableSecret};
pub use server::{
    DatabaseSettings, DatabaseUrl, FilesUrl, LogFormat, ServerSettings, TelemetrySettings, TestingSettings,
};
pub use signers::{SignerKind, SignerSettings};

use section::{Section, Source};
use tree::Table;

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where we listen.
    pub server: ServerSettings,
    /// The database.
    pub database: DatabaseSettings,
    /// Where files are kept.
    pub files: FilesUrl,
    /// How we speak to GIS.
    pub gis: GisSettings,
    /// The file with the NSI dictionaries of the stand.
    pub dictionaries: DictionariesFile,
    /// What is too much.
    pub limits: LimitSettings,
    /// Days that differ from the built-in calendar.
    pub calendar: CalendarSettings,
    /// Whether events may go to private addresses.
    pub webhooks_to_private_addresses: bool,
    /// How long things are kept.
    pub retention: RetentionSettings,
    /// The file with the key that encrypts files and the message archive.
    pub encryption_key: Option<PathBuf>,
    /// Who signs messages, by name.
    pub signers: BTreeMap<String, SignerSettings>,
    /// How callers are known.
    pub auth: AuthSettings,
    /// When GIS is read.
    pub sync: SyncSettings,
    /// What we tell about ourselves.
    pub telemetry: TelemetrySettings,
    /// For tests of clients and our own.
    pub testing: TestingSettings,
}

/// Where the NSI dictionaries of the stand are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DictionariesFile {
    /// The file that `dictionaries.file` names; it must be there.
    Named(PathBuf),
    /// The usual place when no file is named; without a file there, what is built in.
    Usual(PathBuf),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// File, line and key, or the variable.
    pub place: String,
    /// What is wrong and what is allowed.
    pub text: String,
}

/// The settings are wrong; every mistake is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Mistake>);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Mistake { place, text }) in self.0.iter().enumerate() {
            let line_break = if number == 0 { "" } else { "\n" };
            write!(formatter, "{line_break}{place}: {text}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
}

/// The file that is read when none is named.
const USUAL_FILE: &str = "debtgate.toml";

impl Config {
    /// Reads a file and the environment of the process.
    ///
    /// # Errors
    /// The file cannot be read, or something is wrong.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::of_file(path, &text),
            Err(source) => Err(LoadError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Reads the usual file and the environment of the process. The environment may say everything: where it says
    /// something, the file need not be there. Where it says nothing, somebody has started us in the wrong folder.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_usual() -> Result<Self, LoadError> {
        let path = Path::new(USUAL_FILE);
        let loaded = Self::load(path);
        let is_absent = matches!(
            &loaded,
            Err(LoadError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound
        );
        if is_absent && variables().any(|(name, _)| tree::is_setting(&name)) {
            Self::of_file(path, "")
        } else {
            loaded
        }
    }

    fn of_file(path: &Path, text: &str) -> Result<Self, LoadError> {
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.display().to_string());
        // Settings name files relative to their own; some of those who open them want absolute paths.
        let absolute = std::path::absolute(path);
        let absolute = absolute.map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
        let folder = absolute.parent().unwrap_or(&absolute);
        Ok(Self::parse(&name, text, folder, variables())?)
    }

    /// Reads a text that stands in a file called `name` in `folder`, and variables.
    ///
    /// # Errors
    /// Something is wrong; every mistake is listed.
    pub fn parse(
        name: &str,
        text: &str,
        folder: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut tree = tree::parse(name, text)?;
        tree::overlay(&mut tree, variables)?;
        let source = Source::new(name, folder);
        let config = Self::read(&source, &tree);
        source.finish()?;
        config.ok_or_else(|| ConfigError(Vec::new()))
    }

    /// `None` only when a mistake was noted.
    fn read(source: &Source<'_>, tree: &Table) -> Option<Self> {
        let mut root = Section::root(source, tree);
        let server = ServerSettings::read(root.section("server"));
        let testing = TestingSettings::read(root.section("testing"), server.as_ref());
        let config = (
            DatabaseSettings::read(root.section("database")),
            FilesUrl::read(root.section("files")),
            GisSettings::read(root.section("gis")),
            signers::read(root.named_sections("signers")),
            AuthSettings::read(root.section("auth")),
            SyncSettings::read(root.section("sync")),
        );
        let dictionaries = read_one(root.section("dictionaries"), |section| section.path("file"));
        let folder = source.folder;
        let limits = LimitSettings::read(root.section("limits"));
        let calendar = CalendarSettings::read(root.section("calendar"));
        let retention = RetentionSettings::read(root.section("retention"));
        let private = read_one(root.section("webhooks"), |section| {
            section.or("allow_private_addresses", false, value::switch)
        });
        let encryption_key = read_one(root.section("encryption"), |section| section.path("key_file"));
        let telemetry = TelemetrySettings::read(root.section("telemetry"));
        root.finish();
        let (database, files, gis, signers, auth, sync) = config;
        Some(Self {
            server: server?,
            database: database?,
            files: files?,
            gis: gis?,
            dictionaries: dictionaries.map_or_else(
                || DictionariesFile::Usual(folder.join("dictionaries.toml")),
                DictionariesFile::Named,
            ),
            limits,
            calendar,
            webhooks_to_private_addresses: private,
            retention,
            encryption_key,
            signers: signers?,
            auth: auth?,
            sync,
            telemetry,
            testing,
        })
    }
}

/// The environment of the process. A variable that is no text cannot be one of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Reads a section that has one key.
fn read_one<'a, T>(mut section: Section<'a>, read: impl FnOnce(&mut Section<'a>) -> T) -> T {
    let value = read(&mut section);
    section.finish();
    value
}
