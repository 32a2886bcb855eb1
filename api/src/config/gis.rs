//! `[gis]` and `[sync]`: how we speak to GIS and when we read it.

use std::num::NonZero;
use std::str::FromStr as _;
use std::time::Duration;

use chrono::Days;
use debt_core::schedule::{BadSchedule, Schedule};
use debt_core::settings::MOST_WINDOW_DAYS;
use gis_client::HttpSettings;
use gis_client::cadence::PollSchedule;
use gis_client::debt_requests::ExportVersion;
use gis_client::http::{BasicAuth, VerifyReplies};
use gis_client::signature::CertificateDigest;
use secrecy::ExposeSecret as _;
use url::Url;

use super::secret::{Secret, UnreadableSecret};
use super::section::Section;
use super::tree::Node;
use super::value::{self, Read};

/// XSD importDSRResponsesRequest: at most 100 actions.
const MOST_ACTIONS: u32 = 100;
/// A call may take its timeout twice (file and message) and a second of our own; only then is its fate settled.
const OWN_SECOND: Duration = Duration::from_secs(1);

/// How we speak to GIS.
#[derive(Debug, Clone)]
pub struct GisSettings {
    /// The local GOST TLS tunnel.
    pub base_url: Url,
    /// The `Host` header, when the tunnel needs it.
    pub host: Option<String>,
    /// Credentials of a test stand.
    pub basic: Option<Basic>,
    /// The format of exports.
    pub export_version: ExportVersion,
    /// When results are asked for.
    pub poll_after: PollSchedule,
    /// Answers in a package.
    pub package_size: NonZero<u32>,
    /// How long a package waits for more answers.
    pub package_linger: Duration,
    /// Calls at once.
    pub parallel: NonZero<u32>,
    /// The longest time of one call.
    pub timeout: Duration,
    /// How long an uncertain message is left alone before GIS is read.
    pub settle_time: Duration,
    /// How long after a fault a message is sent anew.
    pub resend_after_fault: Duration,
    /// How late a copy may land.
    pub max_delay: Duration,
    /// How far an export may lag behind the truth.
    pub view_lag: Duration,
    /// How an answer is corrected.
    pub correction: Correction,
    /// What to do about the signatures of results.
    pub verify_replies: VerifyReplies,
    /// The certificates that GIS signs with.
    pub reply_signers: Vec<CertificateDigest>,
    /// Whether HTTP 429 and 503 prove that a package was not taken.
    pub busy_means_not_sent: bool,
}

/// Credentials of a test stand.
#[derive(Debug, Clone)]
pub struct Basic {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How an answer is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// The old one is revoked, then the new one is sent.
    RevokeThenSend,
    /// The new one is sent over the old one.
    Overwrite,
}

const PARALLEL: NonZero<u32> = NonZero::<u32>::MIN.saturating_add(4);
const PACKAGE: NonZero<u32> = NonZero::<u32>::MIN.saturating_add(MOST_ACTIONS - 1);
const CORRECTIONS: [(&str, Correction); 2] =
    [("revoke_then_send", Correction::RevokeThenSend), ("overwrite", Correction::Overwrite)];
const VERIFY: [(&str, VerifyReplies); 3] =
    [("off", VerifyReplies::Off), ("warn", VerifyReplies::Warn), ("require", VerifyReplies::Require)];

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl GisSettings {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let base_url =
            section.optional("base_url", tunnel).or_else(|| Url::parse("http://127.0.0.1:8081").ok());
        let settings = base_url.map(|base_url| Self {
            base_url,
            host: section.optional("host", host),
            basic: section.optional_section("basic").and_then(basic),
            export_version: section.or("export_version", ExportVersion::V13_1_10_1, export_version),
            poll_after: section.or("poll_after", PollSchedule::default(), poll_after),
            package_size: section.or("package_size", PACKAGE, value::count(MOST_ACTIONS)),
            package_linger: section.or("package_linger", seconds(2), value::duration),
            parallel: section.or("parallel", PARALLEL, value::count(100)),
            timeout: section.or("timeout", seconds(180), value::duration),
            settle_time: section.or("settle_time", seconds(30 * 60), value::duration),
            resend_after_fault: section.or("resend_after_fault", seconds(120), value::duration),
            max_delay: section.or("max_delay", seconds(72 * 3600), value::duration),
            view_lag: section.or("view_lag", seconds(72 * 3600), value::duration),
            correction: section.or("correction", Correction::RevokeThenSend, value::one_of(&CORRECTIONS)),
            verify_replies: section.or("verify_replies", VerifyReplies::Warn, value::one_of(&VERIFY)),
            reply_signers: section.or("reply_signers", Vec::new(), value::list(digest)),
            busy_means_not_sent: section.or("busy_means_not_sent", true, value::switch),
        });
        if let Some(settings) = &settings {
            settings.check(&section);
        }
        section.finish();
        settings
    }

    fn check(&self, section: &Section<'_>) {
        let least = self.timeout.saturating_mul(2).saturating_add(OWN_SECOND);
        if self.settle_time <= least {
            let least = humantime_serde::re::humantime::format_duration(least);
            section
                .wrong("settle_time", format!("must be longer than {least}: twice gis.timeout and a second"));
        }
        if self.verify_replies == VerifyReplies::Require && self.reply_signers.is_empty() {
            let text =
                "\"require\" needs gis.reply_signers: without them a signature by anybody's key is good";
            section.wrong("verify_replies", text);
        }
    }

    /// The same in the words of the client of GIS.
    ///
    /// # Errors
    /// The file with the password cannot be read.
    pub fn http(&self) -> Result<HttpSettings, UnreadableSecret> {
        let basic = match &self.basic {
            None => None,
            Some(Basic { user, password }) => {
                let password = password.read()?.expose_secret().to_owned();
                Some(BasicAuth { user: user.clone(), password })
            }
        };
        Ok(HttpSettings {
            host: self.host.clone(),
            basic,
            timeout: self.timeout,
            verify_replies: self.verify_replies,
            reply_signers: self.reply_signers.clone(),
            busy_means_not_sent: self.busy_means_not_sent,
            ..HttpSettings::new(self.base_url.as_str())
        })
    }
}

fn tunnel(node: &Node) -> Read<Url> {
    let url = value::web_address(node)?;
    match url.scheme() {
        "http" => Ok(url),
        _ => Err(
            "must be the http:// address of the local GOST TLS tunnel: no ordinary library speaks GOST TLS"
                .to_owned(),
        ),
    }
}

fn host(node: &Node) -> Read<String> {
    let text = value::text(node)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte)) {
        Ok(text)
    } else {
        Err("must be a host name with an optional port".to_owned())
    }
}

fn basic(mut section: Section<'_>) -> Option<Basic> {
    let user = section.required("user", value::text);
    let password = section.secret("password", "password_file");
    if password.is_none() {
        section.wrong("password_file", "missing; give password_file or password");
    }
    section.finish();
    Some(Basic { user: user?, password: password? })
}

fn export_version(node: &Node) -> Read<ExportVersion> {
    let allowed = || {
        format!("unknown version; allowed: {}", ExportVersion::ALL.map(|version| version.as_str()).join(", "))
    };
    ExportVersion::from_str(&value::text(node)?).ok().ok_or_else(allowed)
}

fn poll_after(node: &Node) -> Read<PollSchedule> {
    PollSchedule::new(value::list(value::duration)(node)?).map_err(|error| error.to_string())
}

fn digest(node: &Node) -> Read<CertificateDigest> {
    value::text(node)?
        .parse()
        .map_err(|error: gis_client::signature::InvalidCertificateDigest| error.to_string())
}

/// When GIS is read.
#[derive(Debug, Clone)]
pub struct SyncSettings {
    /// The daily run, in Moscow time.
    pub schedule: Schedule,
    /// A shorter period between the daily runs.
    pub every: Option<Duration>,
    /// How far back the daily run looks.
    pub window: Days,
    /// The least time between runs that clients start.
    pub least_pause: Duration,
}

impl SyncSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let settings = Self {
            schedule: section.or("schedule", Schedule::default(), schedule),
            every: section.optional("every", value::duration),
            window: section.or("window", Days::new(30), value::days(MOST_WINDOW_DAYS)),
            least_pause: section.or("least_pause", seconds(600), value::duration),
        };
        section.finish();
        settings
    }
}

fn schedule(node: &Node) -> Read<Schedule> {
    let allowed =
        "five fields are allowed: minute, hour, day, month, day of the week, such as \"15 4 * * *\"";
    value::text(node)?.parse().map_err(|error: BadSchedule| format!("{error}; {allowed}"))
}
