//! Answers that somebody has placed in the cabinet of GIS or with another program: recorded like ours, with source `gis`, so
//! that whoever asks here sees what is in force (`api.md` §6.12). They are shown and compared with; nothing is ever sent
//! because of them.

use chrono::{DateTime, Utc};

use super::judge::Shown;
use super::looks::View;
use super::watching::raise;
use crate::case::Case;
use crate::domain::answer::{Answer, Change, Source, State, Warning};
use crate::domain::content::{Content, ContentHash};
use crate::domain::debt_request::Alarm;
use crate::error::Result;

/// Whose draft such an answer was.
const AUTHOR: &str = "gis";

/// Brings what a look shows into the recorded answers of a debt request. What is in force from here, or on its way from here,
/// is judged elsewhere.
pub(crate) fn record(case: &mut Case, view: &View, asked_at: DateTime<Utc>) -> Result<()> {
    let open = case.submissions().iter().any(|submission| !submission.state.is_final());
    let in_force = case.answers().iter().find(|answer| answer.state == State::Delivered).cloned();
    match (in_force, &view.shown) {
        _ if open => Ok(()),
        (Some(answer), _) if !answer.is_from_elsewhere() => Ok(()),
        // What was asked for before it was recorded shows the past.
        (Some(answer), _) if answer.settled_at.is_some_and(|settled| asked_at < settled) => Ok(()),
        (Some(answer), Shown::Content(hash)) if *hash == answer.content_hash => Ok(()),
        (_, Shown::Content(hash)) => note(case, hash, view.content.as_ref()),
        (Some(mut answer), Shown::Nothing | Shown::Automatic) => case.apply(&mut answer, Change::Vanish),
        (_, Shown::Nothing | Shown::Automatic | Shown::Absent | Shown::Unclear) => Ok(()),
    }
}

/// Notes content that was never ours. Where it is what GIS has refused, a person must know that it holds all the same.
fn note(case: &mut Case, hash: &ContentHash, content: Option<&Content>) -> Result<()> {
    let ours = |answer: &&Answer| answer.may_have_reached_gis() && answer.content_hash == *hash;
    let Some(content) = content else { return Ok(()) };
    if let Some(answer) = case.answers().iter().find(ours).cloned() {
        // Content that was in force once may be shown by a view that lags.
        if case.answers().iter().filter(ours).all(|answer| answer.state == State::Rejected) {
            raise(case, &answer, Alarm::StillInForce);
        }
        return Ok(());
    }
    let answer = answer_of(case, hash, content);
    case.supersede_others(&answer)?;
    case.insert(answer, Vec::new());
    Ok(())
}

fn answer_of(case: &Case, hash: &ContentHash, content: &Content) -> Answer {
    Answer {
        state: State::Delivered,
        source: Source::Gis,
        warnings: vec![without_files()],
        confirmed_in_gis: true,
        settled_at: Some(case.now()),
        ..case.next_revision(content.clone(), hash.clone(), AUTHOR.to_owned())
    }
}

fn without_files() -> Warning {
    Warning {
        code: "placed_elsewhere".to_owned(),
        pointer: None,
        detail: "ответ размещён в личном кабинете ГИС ЖКХ или другой программой; его файлы здесь не показаны"
            .to_owned(),
    }
}
