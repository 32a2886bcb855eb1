//! `debtgate doctor`: looks at everything that a working gateway needs, and says what to do about what is wrong.

mod finding;
mod gis;
mod signing;
mod storage;

use std::process::ExitCode;

use anyhow::Result;
use chrono::{Datelike, Days, NaiveDate, Utc};
use clap::Args;
use debt_core::domain::calendar::Calendar;

use self::finding::{Finding, Outcome};
use super::ConfigFile;
use crate::assemble;
use crate::auth::KeySet;
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    file: ConfigFile,
    /// Напечатать JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let findings = match self.file.load() {
            Err(error) => {
                vec![Finding::failed("настройки", format!("{error:#}"), "исправьте названные ключи")]
            }
            Ok(config) => examine(&config).await,
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&findings)?);
        } else {
            findings.iter().for_each(Finding::print);
        }
        let failed = findings.iter().any(|finding| finding.outcome == Outcome::Failed);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("настройки", "прочитаны")];
    findings.extend(storage::database(config).await);
    findings.push(storage::files(config).await);
    findings.push(dictionaries(config));
    findings.push(token_keys(config));
    findings.push(calendar(&assemble::calendar(config), Utc::now().date_naive()));
    for (name, settings) in &config.signers {
        findings.push(signing::signer(name, settings).await);
    }
    if config.signers.is_empty() {
        findings.push(Finding::failed(
            "подпись",
            "нет ни одного раздела [signers]",
            "добавьте [signers.main]",
        ));
    }
    findings.extend(gis::gis(config).await);
    findings
}

fn dictionaries(config: &Config) -> Finding {
    const CHECK: &str = "справочники";
    let known = match assemble::dictionaries(&config.dictionaries) {
        Ok(known) => known,
        Err(error) => {
            return Finding::failed(
                CHECK,
                format!("{error:#}"),
                "проверьте файл, который назван в [dictionaries] file",
            );
        }
    };
    let (identity, debts) = (known.identity_documents().len(), known.debt_documents().len());
    let detail = format!("записей НСИ 95: {identity}, НСИ 358: {debts}");
    if identity == 0 {
        return Finding::warning(
            CHECK,
            detail,
            "внесите НСИ 95 вашего стенда в файл из [dictionaries] file: без неё в ответе нельзя указать документ, \
             удостоверяющий личность должника",
        );
    }
    Finding::ok(CHECK, detail)
}

/// Deadlines that are near lie in this year or, at its end, in the next one.
fn calendar(calendar: &Calendar, today: NaiveDate) -> Finding {
    const CHECK: &str = "календарь";
    let years = [today, today + Days::new(45)].map(|day| day.year());
    match years.into_iter().find(|year| !calendar.knows(*year)) {
        None => Finding::ok(CHECK, "рабочие дни известны"),
        Some(year) => Finding::warning(
            CHECK,
            format!("переносы выходных {year} года неизвестны: учтены только выходные и праздники по закону"),
            "добавьте дни в calendar.holidays и calendar.working_days",
        ),
    }
}

fn token_keys(config: &Config) -> Finding {
    const CHECK: &str = "ключи токенов";
    match KeySet::load(&config.auth) {
        Err(error) => Finding::failed(CHECK, error.to_string(), "проверьте [auth] keys"),
        Ok(keys) if keys.can_sign() => Finding::ok(CHECK, "есть ключ, который подписывает"),
        Ok(_) => Finding::warning(
            CHECK,
            "токены можно только проверять",
            "чтобы выпускать их: debtgate keys generate --alg eddsa --out keys/token.pem",
        ),
    }
}
