//! The tunnel with GIS behind it, and our clock beside that of GIS.

use chrono::{DateTime, TimeDelta, Utc};
use gis_client::{Gis, HttpGis};

use super::finding::Finding;
use crate::config::Config;

const GIS: &str = "ГИС ЖКХ";
const CLOCK: &str = "часы";
/// Clocks that are further apart are worth a warning.
const APART: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn gis(config: &Config) -> Vec<Finding> {
    let client = match config.gis.http().map_err(anyhow::Error::from).and_then(|http| Ok(HttpGis::new(http)?))
    {
        Ok(client) => client,
        Err(error) => return vec![Finding::failed(GIS, format!("{error:#}"), "проверьте [gis]")],
    };
    match client.probe().await {
        Ok(reply) => vec![answer(reply.status), clock(reply.date, Utc::now())],
        Err(error) => vec![Finding::failed(
            GIS,
            error.to_string(),
            "проверьте, что туннель ГОСТ TLS запущен по адресу gis.base_url и что сам он видит ГИС ЖКХ",
        )],
    }
}

/// Any status proves that somebody answers, and so the jobs go on; the operator wants to know whether it is the service.
fn answer(status: u16) -> Finding {
    let advice = match status {
        200..=299 => return Finding::ok(GIS, format!("отвечает через туннель, HTTP {status}")),
        401 | 403 => {
            "проверьте gis.basic (его спрашивают тестовые стенды) и то, что оператор ГИС ЖКХ открыл доступ вашей \
             информационной системе"
        }
        300..=399 | 404 => {
            "по этому адресу нет службы запросов о задолженности: проверьте gis.base_url и gis.host"
        }
        _ => {
            "посмотрите журнал туннеля и повторите позже; если ответ тот же, проверьте gis.base_url и gis.host \
             или обратитесь в поддержку ГИС ЖКХ"
        }
    };
    Finding::failed(GIS, format!("ответ через туннель есть, но с ошибкой: HTTP {status}"), advice)
}

fn clock(theirs: Option<DateTime<Utc>>, ours: DateTime<Utc>) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::warning(
            CLOCK,
            "не сверены: в ответе ГИС ЖКХ нет времени (заголовок Date)",
            "убедитесь, что на сервере включена синхронизация времени (NTP)",
        );
    };
    let ahead = ours - theirs;
    if ahead.abs() <= APART {
        return Finding::ok(CLOCK, "идут так же, как в ГИС ЖКХ, с точностью до минуты");
    }
    let direction = if ahead > TimeDelta::zero() { "спешат" } else { "отстают" };
    Finding::warning(
        CLOCK,
        format!("{direction} на {} с относительно ГИС ЖКХ", ahead.abs().num_seconds()),
        "включите на сервере синхронизацию времени (NTP): по этим часам подписываются сообщения и считаются сроки",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Outcome;
    use super::*;

    #[test]
    fn only_success_is_well_and_each_mistake_has_its_advice() {
        for (status, outcome, advice) in [
            (200, Outcome::Ok, ""),
            (204, Outcome::Ok, ""),
            (302, Outcome::Failed, "gis.base_url и gis.host"),
            (404, Outcome::Failed, "gis.base_url и gis.host"),
            (401, Outcome::Failed, "gis.basic"),
            (403, Outcome::Failed, "gis.basic"),
            (400, Outcome::Failed, "журнал туннеля"),
            (500, Outcome::Failed, "журнал туннеля"),
        ] {
            let finding = answer(status);
            assert_eq!(finding.outcome, outcome, "{finding:?}");
            assert!(finding.detail.contains(&format!("HTTP {status}")), "{finding:?}");
            assert!(finding.advice.unwrap_or_default().contains(advice), "{status}");
        }
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        let now = Utc::now();
        for (theirs, outcome, detail) in [
            (Some(60), Outcome::Ok, "идут так же"),
            (Some(-60), Outcome::Ok, "идут так же"),
            (Some(61), Outcome::Warning, "отстают на 61 с"),
            (Some(-7200), Outcome::Warning, "спешат на 7200 с"),
            (None, Outcome::Warning, "не сверены"),
        ] {
            let finding = clock(theirs.map(|seconds| now + TimeDelta::seconds(seconds)), now);
            assert_eq!(finding.outcome, outcome, "{theirs:?}");
            assert!(finding.detail.contains(detail), "{finding:?}");
        }
    }
}
