//! Statistics as the API shows them (`api.md` §14).

use chrono::NaiveDate;
use debt_core::domain::answer::Source;
use debt_core::domain::statistics::{self as domain, GroupBy};
use debt_core::gis_status::Percentiles;
use debt_core::statistics as core;
use serde::Serialize;
use utoipa::ToSchema;

use super::system::DeliverySeconds;
use super::words::StatisticsGroupBy;

/// Статистика по запросам, направленным за период.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statistics {
    /// Первый день.
    pub from: NaiveDate,
    /// Последний день.
    pub to: NaiveDate,
    /// По чему сгруппировано.
    pub group_by: StatisticsGroupBy,
    /// Всё вместе.
    pub total: StatisticsFigures,
    /// По группам: дни по порядку (дни без запросов опущены), остальные — от большего числа запросов к меньшему.
    #[schema(max_items = 366)]
    pub groups: Vec<StatisticsGroup>,
    /// Всё, что не вошло в 366 групп; `null`, если вошло всё.
    pub rest: Option<StatisticsFigures>,
}

/// Группа запросов.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatisticsGroup {
    /// День либо GUID подразделения, исполнителя или запрашивающей организации; `null` — не указано.
    #[schema(max_length = 36, example = "2026-11-02")]
    pub key: Option<String>,
    /// Наименование подразделения, фамилия, имя, отчество исполнителя или наименование запрашивающей организации, если ГИС ЖКХ
    /// его сообщила; у дней, удалённых подразделений и сотрудников `null`.
    #[schema(max_length = 1000)]
    pub name: Option<String>,
    /// Показатели группы.
    pub figures: StatisticsFigures,
}

/// Показатели.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatisticsFigures {
    /// Получено запросов.
    #[schema(example = 412)]
    pub received: i64,
    /// Из них с размещённым ответом, по тому, откуда ответ.
    pub answered: AnsweredBySource,
    /// Ответ: долг есть.
    #[schema(example = 31)]
    pub with_debt: i64,
    /// Ответ: долга нет.
    #[schema(example = 372)]
    pub without_debt: i64,
    /// ГИС ЖКХ сформировала ответ автоматически.
    #[schema(example = 1)]
    pub auto_generated: i64,
    /// Последний ответ отклонён.
    #[schema(example = 2)]
    pub rejected: i64,
    /// Просрочено: срок прошёл, а ответа нет, или первый ответ размещён позже срока; исправление вовремя данного
    /// ответа просрочкой не считается. Ответы из личного кабинета сюда не входят: когда они даны, неизвестно.
    #[schema(example = 3)]
    pub overdue: i64,
    /// Медиана времени от получения запроса шлюзом до размещения первого ответа, часы; только ответы, отправленные отсюда.
    /// Время учитывается с точностью до трёх значащих цифр.
    #[schema(example = 26.5)]
    pub median_hours_to_answer: Option<f64>,
    /// Время от отправки ответа до его размещения; только ответы, отправленные отсюда, до трёх значащих цифр.
    pub delivery_seconds: Option<DeliverySeconds>,
}

/// Откуда ответы.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnsweredBySource {
    /// Из API.
    #[schema(example = 210)]
    pub api: i64,
    /// Из файлов Excel.
    #[schema(example = 120)]
    pub xlsx: i64,
    /// По сопоставлению с реестром задолженности.
    #[schema(example = 60)]
    pub registry: i64,
    /// Автоответы шлюза.
    #[schema(example = 10)]
    pub auto: i64,
    /// Из личного кабинета ГИС ЖКХ или другой программы.
    #[schema(example = 3)]
    pub cabinet: i64,
}

impl Statistics {
    /// The report on a period.
    pub(crate) fn of(
        (from, to): (NaiveDate, NaiveDate),
        group_by: GroupBy,
        report: core::Statistics,
    ) -> Self {
        Self {
            from,
            to,
            group_by: group_by.into(),
            total: report.total.into(),
            groups: report.groups.into_iter().map(Into::into).collect(),
            rest: report.rest.map(Into::into),
        }
    }
}

impl From<core::Group> for StatisticsGroup {
    fn from(group: core::Group) -> Self {
        let key = match group.key {
            core::Key::Day(day) => Some(day.to_string()),
            core::Key::Object(id) => id.map(|id| id.to_string()),
        };
        Self { key, name: group.name, figures: group.figures.into() }
    }
}

impl From<domain::Figures> for StatisticsFigures {
    fn from(figures: domain::Figures) -> Self {
        let from = |source| figures.answered.get(&source).copied().unwrap_or(0);
        Self {
            received: figures.received,
            answered: AnsweredBySource {
                api: from(Source::Api),
                xlsx: from(Source::Xlsx),
                registry: from(Source::Registry),
                auto: from(Source::Auto),
                cabinet: from(Source::Gis),
            },
            with_debt: figures.with_debt,
            without_debt: figures.without_debt,
            auto_generated: figures.auto_generated,
            rejected: figures.rejected,
            overdue: figures.overdue,
            median_hours_to_answer: figures.to_answer.percentiles().map(|seconds| hours(seconds.p50)),
            delivery_seconds: figures.delivery.percentiles().map(Into::into),
        }
    }
}

/// In hundredths of an hour, which is no more than three digits of the seconds say.
fn hours(seconds: i64) -> f64 {
    let hundredths = (seconds + 18) / 36;
    f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
}

impl From<Percentiles> for DeliverySeconds {
    fn from(seconds: Percentiles) -> Self {
        Self { p50: seconds.p50, p95: seconds.p95 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_in_hours() {
        for (seconds, expected) in [(0, 0.0), (17, 0.0), (18, 0.01), (5400, 1.5), (95_400, 26.5)] {
            assert!((hours(seconds) - expected).abs() < 1e-9, "{seconds}");
        }
    }
}
