//! What becomes of a debt request after its answer is settled, when GIS was called for it more than once: a late copy of an
//! older call may undo what was placed (`api.md` §6.9). Each is looked at once a day until no copy can be out any more.
//! Only exports that were asked for `view_lag` after the last call, and after GIS was known to have done what it was called
//! for, say anything here.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde_json::json;

use super::calls::after;
use super::judge::{Shown, Sight};
use crate::case::Case;
use crate::domain::answer::{Answer, State};
use crate::domain::content::ContentHash;
use crate::domain::debt_request::Alarm;
use crate::domain::event::EventKind;
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::settings::GisSettings;

/// Most repairs of one submission; after them a person must act.
const MOST_REPAIRS: i64 = 3;
/// How long after the last day to answer a debt request is watched at least.
const BEYOND_DUE: Days = Days::new(3);

/// What a late look says of a settled answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// All is as it should be, or not ours to judge.
    Fine,
    /// It says nothing.
    Unclear,
    /// An older content of ours, or nothing, is in force: the last action is to be done again.
    Repair(Action),
    /// A person must act.
    Alarm(Alarm),
}

/// Judges a debt request that has nothing open, and repairs it or calls a person. `last_call` is when GIS was last at work
/// on it.
pub(crate) fn watch(case: &mut Case, settings: &GisSettings, last_call: DateTime<Utc>, sight: &Sight) {
    if sight.asked_at < after(last_call, settings.view_lag) {
        return;
    }
    // The newest of those that GIS may know of; a draft behind it changes nothing there.
    if let Some(answer) = judged(case.answers(), &sight.shown).cloned() {
        let withdrawn = case.submissions_of(answer.id).any(|submission| submission.action == Action::Revoke);
        let reached = case.answers().iter().filter(|other| other.may_have_reached_gis());
        match find(&answer, &reached.map(content_of).collect::<Vec<_>>(), withdrawn, &sight.shown) {
            Finding::Fine => case.request.alarm = None,
            Finding::Unclear => {}
            Finding::Alarm(alarm) => raise(case, &answer, alarm),
            Finding::Repair(action) => {
                if repair(case, &answer, action) {
                    return;
                }
            }
        }
    }
    if sight.asked_at >= end_of_watch(case.request.gis.due_on, last_call, settings) {
        case.end_watch();
    }
}

/// The answer that a look is about: the newest that GIS may know of; under one that GIS has refused, and does not show, the
/// one that stayed in force.
fn judged<'a>(all: &'a [Answer], shown: &Shown) -> Option<&'a Answer> {
    let newest = all.iter().find(|answer| answer.may_have_reached_gis())?;
    let in_force =
        all.iter().find(|answer| answer.state == State::Delivered && answer.may_have_reached_gis());
    match newest.state {
        State::Rejected => in_force.filter(|other| !is_only(newest, other, shown)).or(Some(newest)),
        State::Draft
        | State::Prepared
        | State::Queued
        | State::Sending
        | State::Accepted
        | State::Uncertain
        | State::Delivered
        | State::Revoking
        | State::Revoked
        | State::Cancelled
        | State::Superseded => Some(newest),
    }
}

/// Whether GIS shows the one and not the other.
fn is_only(one: &Answer, other: &Answer, shown: &Shown) -> bool {
    let shows = |answer: &Answer| matches!(shown, Shown::Content(hash) if *hash == answer.content_hash);
    shows(one) && !shows(other)
}

const fn content_of(answer: &Answer) -> &ContentHash {
    &answer.content_hash
}

fn find(answer: &Answer, contents: &[&ContentHash], withdrawn: bool, shown: &Shown) -> Finding {
    let ours = |hash: &ContentHash| contents.contains(&hash);
    // A withdrawal that was accepted once, even one that failed, forbids to send again.
    let lost = if withdrawn { Finding::Alarm(Alarm::NotInForce) } else { Finding::Repair(Action::Send) };
    match (answer.state, shown) {
        (_, Shown::Unclear) => Finding::Unclear,
        (State::Delivered, Shown::Content(hash)) if *hash == answer.content_hash => Finding::Fine,
        (State::Delivered, Shown::Nothing) => lost,
        (State::Delivered, Shown::Content(hash)) if ours(hash) => lost,
        (State::Delivered, Shown::Automatic) => Finding::Alarm(Alarm::NotInForce),
        (State::Revoked, Shown::Content(hash)) if ours(hash) => Finding::Repair(Action::Revoke),
        (State::Rejected, Shown::Content(hash)) if ours(hash) => Finding::Alarm(Alarm::StillInForce),
        (_, _) => Finding::Fine,
    }
}

/// Queues the last action again, with the same TransportGUID; `false` when that was done often enough, or what was said is
/// erased and cannot be sent again. A withdrawal needs no content.
fn repair(case: &mut Case, answer: &Answer, action: Action) -> bool {
    let last = case.submissions_of(answer.id).rfind(|submission| submission.action == action);
    let Some(last) = last.cloned() else { return false };
    if last.repairs >= MOST_REPAIRS || (action == Action::Send && answer.is_erased()) {
        raise(case, answer, alarm_of(last.action));
        return false;
    }
    case.keep(Submission {
        state: SubmissionState::Queued,
        repairs: last.repairs + 1,
        not_before: case.now(),
        look_first: false,
        pack_limit: None,
        began_at: None,
        uncertain_since: None,
        looked_at: None,
        error: None,
        ..last
    });
    let mut answer = answer.clone();
    answer.confirmed_in_gis = false;
    case.update(&mut answer);
    case.tell_with(EventKind::AnswerMismatch, Some(&answer), json!({ "repaired": true }));
    true
}

/// GIS has refused a repair.
pub(crate) fn repair_failed(case: &mut Case, answer: &Answer, action: Action) {
    raise(case, answer, alarm_of(action));
}

const fn alarm_of(action: Action) -> Alarm {
    match action {
        Action::Send => Alarm::NotInForce,
        Action::Revoke => Alarm::StillInForce,
    }
}

/// Calls a person, once.
pub(crate) fn raise(case: &mut Case, answer: &Answer, alarm: Alarm) {
    if case.request.alarm != Some(alarm) {
        case.request.alarm = Some(alarm);
        let data = json!({ "repaired": false, "alarm": alarm.as_str() });
        case.tell_with(EventKind::AnswerMismatch, Some(answer), data);
    }
}

/// A look that was asked for then is the last one.
fn end_of_watch(
    due_on: Option<NaiveDate>,
    last_call: DateTime<Utc>,
    settings: &GisSettings,
) -> DateTime<Utc> {
    let landed = after(last_call, settings.max_delay.saturating_add(settings.view_lag));
    let due = due_on.and_then(|due| due.checked_add_days(BEYOND_DUE));
    due.map_or(landed, |due| landed.max(due.and_time(NaiveTime::MIN).and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DebtRequestId, OrganizationId};
    use crate::store::test_rows;

    #[test]
    fn what_a_late_look_says() {
        use Finding::{Alarm as Call, Fine, Repair, Unclear};
        let (own, older) = (ContentHash::stored("own".to_owned()), ContentHash::stored("older".to_owned()));
        let shown = |name: &str| Shown::Content(ContentHash::stored(name.to_owned()));
        let table = [
            (State::Delivered, false, shown("own"), Fine),
            (State::Delivered, false, shown("older"), Repair(Action::Send)),
            (State::Delivered, false, shown("foreign"), Fine),
            (State::Delivered, false, Shown::Nothing, Repair(Action::Send)),
            (State::Delivered, true, Shown::Nothing, Call(Alarm::NotInForce)),
            (State::Delivered, true, shown("older"), Call(Alarm::NotInForce)),
            (State::Delivered, false, Shown::Automatic, Call(Alarm::NotInForce)),
            (State::Delivered, false, Shown::Absent, Fine),
            (State::Delivered, false, Shown::Unclear, Unclear),
            (State::Revoked, true, Shown::Nothing, Fine),
            (State::Revoked, true, shown("own"), Repair(Action::Revoke)),
            (State::Revoked, true, shown("older"), Repair(Action::Revoke)),
            (State::Revoked, true, shown("foreign"), Fine),
            (State::Rejected, false, shown("older"), Call(Alarm::StillInForce)),
            (State::Rejected, false, Shown::Nothing, Fine),
        ];
        for (state, withdrawn, shown, finding) in table {
            let answer = test_rows::answer(OrganizationId::generate(), DebtRequestId::generate());
            let answer = Answer { state, content_hash: own.clone(), ..answer };
            assert_eq!(find(&answer, &[&own, &older], withdrawn, &shown), finding, "{state} {shown:?}");
        }
    }

    #[test]
    fn under_a_refused_answer_the_one_in_force_is_judged() {
        let answer = |state, name: &str| {
            let answer = test_rows::answer(OrganizationId::generate(), DebtRequestId::generate());
            Answer { state, maybe_sent: true, content_hash: ContentHash::stored(name.to_owned()), ..answer }
        };
        let shown = |name: &str| Shown::Content(ContentHash::stored(name.to_owned()));
        let (refused, in_force) = (answer(State::Rejected, "refused"), answer(State::Delivered, "in force"));
        let all = [refused.clone(), in_force.clone()];
        for (shown, expected) in [
            (shown("in force"), &in_force),
            (Shown::Nothing, &in_force),
            (shown("foreign"), &in_force),
            (shown("refused"), &refused),
        ] {
            assert_eq!(judged(&all, &shown), Some(expected), "{shown:?}");
        }
        assert_eq!(judged(&all[..1], &Shown::Nothing), Some(&refused));
    }
}
