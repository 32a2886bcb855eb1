//! From the configuration to the parts of a running program. Every command takes what it needs from here.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use debt_core::Service;
use debt_core::access::TokenCache;
use debt_core::clock::Clock;
use debt_core::crash::CrashAt;
use debt_core::domain::calendar::Calendar;
use debt_core::files::FileStore;
use debt_core::jobs::{NamedSigner, Worker};
use debt_core::sealing::SealingKeys;
use debt_core::settings::{self, Settings};
use debt_core::store::{DatabaseSettings, Db};
use gis_client::cadence::CircuitPolicy;
use gis_client::debt_requests::Dictionaries;
use gis_client::signer::{CommandSettings, CommandSigner, KeyPairSigner};
use gis_client::{HttpGis, Signer};
use gost::Certificate;
use secrecy::{ExposeSecret, SecretString};

use crate::auth::KeySet;
use crate::config::{
    Config, Correction, DatabaseUrl, DictionariesFile, FilesUrl, Secret, SignerKind, SignerSettings,
};
use crate::openapi;
use crate::page::Cursors;
use crate::rate::Rate;
use crate::state::AppState;
use crate::uploads::Uploads;

/// Opens the database alone.
///
/// # Errors
/// It cannot be reached, another process works with the SQLite file, or a newer version has changed the tables.
pub async fn database(config: &Config) -> Result<Db> {
    let url = match &config.database.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(url) => url.expose_secret().to_owned(),
    };
    let pool = config.database.pool.and_then(|pool| NonZeroUsize::try_from(pool).ok());
    let settings = DatabaseSettings::parse(&url, pool)?;
    let db = Db::open(&settings).await.context("database.url")?;
    refuse_newer(&db.unknown_migrations().await?)?;
    Ok(db)
}

/// What a newer version has made of the tables, this one might read wrongly and write worse.
fn refuse_newer(unknown: &[String]) -> Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    bail!(
        "базу данных обновила более новая версия debtgate: этой версии неизвестны шаги {}; запустите ту версию или \
         восстановите копию базы, сделанную до обновления",
        unknown.join(", ")
    )
}

/// Opens database, files and dictionaries.
///
/// # Errors
/// One of them cannot be opened; the text names the key of the configuration.
pub async fn service(config: &Config) -> Result<Arc<Service>> {
    service_on(database(config).await?, config)
}

/// Opens files and dictionaries beside an open database.
///
/// # Errors
/// One of them cannot be opened; the text names the key of the configuration.
pub fn service_on(db: Db, config: &Config) -> Result<Arc<Service>> {
    Ok(Arc::new(Service {
        db,
        clock: config.testing.clock.map_or_else(Clock::default, Clock::manual),
        files: files(config)?,
        dictionaries: dictionaries(&config.dictionaries)?,
        settings: settings(config),
        tokens: TokenCache::default(),
        horizons: Default::default(),
    }))
}

/// Opens the file store.
///
/// # Errors
/// It cannot be opened, or the key of the encryption cannot be read.
pub fn files(config: &Config) -> Result<FileStore> {
    let url = match &config.files {
        FilesUrl::Folder(folder) => format!("file://{}", folder.display()),
        FilesUrl::S3(url) => url.to_string(),
    };
    let files = FileStore::open(&url).context("files.url")?;
    Ok(match &config.encryption_key {
        Some(path) => files.sealed_with(sealing_keys(path)?),
        None => files,
    })
}

fn sealing_keys(path: &Path) -> Result<SealingKeys> {
    let place = || format!("encryption.key_file {}", path.display());
    let text = std::fs::read_to_string(path).with_context(place)?;
    SealingKeys::parse(SecretString::from(text).expose_secret()).with_context(place)
}

/// The dictionaries of the stand; without a file in the usual place, what is built in. A file that is named was meant: a
/// gateway without it would refuse answers for codes that the stand has.
///
/// # Errors
/// The file is named and not there, cannot be read or cannot be understood.
pub fn dictionaries(file: &DictionariesFile) -> Result<Dictionaries> {
    let (DictionariesFile::Named(path) | DictionariesFile::Usual(path)) = file;
    let place = || format!("dictionaries.file {}", path.display());
    match (std::fs::read_to_string(path), file) {
        (Ok(text), _) => Dictionaries::from_toml(&text).with_context(place),
        (Err(error), DictionariesFile::Usual(_)) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Dictionaries::default())
        }
        (Err(error), DictionariesFile::Usual(_) | DictionariesFile::Named(_)) => {
            Err(error).with_context(place)
        }
    }
}

fn settings(config: &Config) -> Settings {
    let gis = &config.gis;
    let usual = settings::GisSettings::default();
    Settings {
        gis: settings::GisSettings {
            export_version: gis.export_version,
            poll_after: gis.poll_after.clone(),
            package_size: count(gis.package_size.get()),
            package_linger: gis.package_linger,
            parallel: count(gis.parallel.get()),
            timeout: gis.timeout,
            settle_time: gis.settle_time,
            resend_after_fault: gis.resend_after_fault,
            max_delay: gis.max_delay,
            view_lag: gis.view_lag,
            correction: match gis.correction {
                Correction::RevokeThenSend => settings::Correction::RevokeThenSend,
                Correction::Overwrite => settings::Correction::Overwrite,
            },
            circuit: CircuitPolicy::of_calls(gis.timeout),
            ..usual
        },
        limits: settings::Limits {
            files_per_answer: config.limits.files_per_answer,
            files_per_debtor: config.limits.files_per_debtor,
            file_bytes: u64::try_from(config.limits.file_bytes).unwrap_or(u64::MAX),
            file_types: config.limits.file_types,
            import_bytes: u64::try_from(config.limits.import_bytes).unwrap_or(u64::MAX),
            bulk_items: config.limits.bulk_items,
            ..settings::Limits::default()
        },
        sync: settings::SyncSettings {
            schedule: config.sync.schedule.clone(),
            every: config.sync.every,
            window: config.sync.window,
            least_pause: config.sync.least_pause,
        },
        retention: settings::Retention {
            events: config.retention.events,
            receipts: config.retention.idempotency,
            operations: config.retention.operations,
            unused_files: config.retention.unused_files,
            personal_data: config.retention.personal_data,
            evidence: config.retention.evidence,
            audit: config.retention.audit,
        },
        webhooks: settings::WebhookSettings { allow_private_addresses: config.webhooks_to_private_addresses },
        calendar: calendar(config),
        signers: config.signers.keys().cloned().collect(),
        crash_at: CrashAt(config.testing.crash_at),
    }
}

/// The built-in calendar with the days of the configuration.
#[must_use]
pub fn calendar(config: &Config) -> Calendar {
    Calendar {
        holidays: config.calendar.holidays.iter().copied().collect(),
        working_days: config.calendar.working_days.iter().copied().collect(),
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The worker that speaks to GIS.
///
/// # Errors
/// A key cannot be opened, or the address of GIS is wrong.
pub fn worker(config: &Config, service: &Arc<Service>) -> Result<Worker> {
    let gis = HttpGis::new(config.gis.http()?)?;
    let signers = config.signers.iter().map(|(name, signer)| {
        let signer = named_signer(signer).with_context(|| format!("signers.{name}"))?;
        Ok((name.clone(), signer))
    });
    Ok(Worker::new(Arc::clone(service), Arc::new(gis), signers.collect::<Result<HashMap<_, _>>>()?))
}

fn named_signer(settings: &SignerSettings) -> Result<NamedSigner> {
    let signer = open_signer(&settings.kind)?;
    Ok(NamedSigner { signer, operator_signature: settings.operator_signature })
}

/// Opens the key of a signer.
///
/// # Errors
/// What the key file or the certificate is wrong about.
pub fn open_signer(kind: &SignerKind) -> Result<Arc<dyn Signer>> {
    Ok(match kind {
        SignerKind::Pem { key, certificate, password } => {
            let password = password.as_ref().map(Secret::read).transpose()?;
            let password = password.as_ref().map(ExposeSecret::expose_secret);
            Arc::new(KeyPairSigner::pem(key, certificate, password)?)
        }
        SignerKind::Pkcs12 { file, certificate, password } => {
            let password = read_password(password.as_ref())?;
            Arc::new(KeyPairSigner::pkcs12(file, password.expose_secret(), certificate.as_deref())?)
        }
        SignerKind::Container { folder, certificate, password } => {
            let password = read_password(password.as_ref())?;
            Arc::new(KeyPairSigner::container(folder, password.expose_secret(), certificate.as_deref())?)
        }
        SignerKind::Command { program, arguments, certificate, timeout } => {
            let content = std::fs::read(certificate).with_context(|| certificate.display().to_string())?;
            let arguments = arguments.iter().map(Into::into).collect();
            let settings = CommandSettings { program: program.clone(), arguments, timeout: *timeout };
            Arc::new(CommandSigner::new(settings, Certificate::from_pem_or_der(&content)?))
        }
    })
}

fn read_password(password: Option<&Secret>) -> Result<SecretString> {
    Ok(password.map(Secret::read).transpose()?.unwrap_or_default())
}

/// What every request may use.
///
/// # Errors
/// The token keys cannot be opened, or the tables are not there.
pub async fn app_state(config: &Config, service: &Arc<Service>) -> Result<AppState> {
    let secret = service.cursor_secret().await.context("run `debtgate migrate` first")?;
    Ok(AppState {
        service: Arc::clone(service),
        keys: KeySet::load(&config.auth).context("auth.keys")?,
        cursors: Cursors::new(secret),
        rate: Rate::new(config.limits.requests_per_minute, service.clock.clone()),
        uploads: Uploads::new(config.limits.parallel_uploads),
        public_url: config.server.public("").trim_end_matches('/').to_owned(),
        openapi: Bytes::from_static(openapi::CHECKED_IN.as_bytes()),
        sandbox: None,
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_file_of_dictionaries_that_is_named_must_be_there() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("nsi.toml");
        let (named, usual) = (DictionariesFile::Named(path.clone()), DictionariesFile::Usual(path.clone()));
        let error = format!("{:#}", dictionaries(&named).unwrap_err());
        assert!(error.contains("dictionaries.file") && error.contains("nsi.toml"), "{error}");
        assert_eq!(dictionaries(&usual).unwrap(), Dictionaries::default());

        let entry = "[[nsi_95]]\ncode = \"7\"\nguid = \"11111111-2222-4333-8444-555555555555\"\n";
        std::fs::write(&path, entry).unwrap();
        for file in [&named, &usual] {
            assert_eq!(dictionaries(file).unwrap().identity_documents().len(), 1, "{file:?}");
        }
        std::fs::write(&path, "nsi_95 = 1").unwrap();
        for file in [&named, &usual] {
            let error = format!("{:#}", dictionaries(file).unwrap_err());
            assert!(error.contains("dictionaries.file"), "{error}");
        }
    }
}
