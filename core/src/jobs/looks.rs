//! What GIS shows of single debt requests, answers included: into the mirror, and to the verdicts of [`super::judge`].

use chrono::{DateTime, Utc};
use gis_client::debt_requests::{ResponseStatus, Subrequest, SubrequestPage};
use serde_json::json;

use super::calls::{after, finish};
use super::items::Item;
use super::judge::{Judgement, Obstacle, Open, Shown, Sight, judge, proves};
use super::outcomes::GIS_REJECTED;
use super::watching::{raise, watch};
use super::{JobName, Worker, elsewhere, pages};
use crate::case::Case;
use crate::crash::Point;
use crate::domain::answer::{Answer, LastError, State};
use crate::domain::content::{Canonical, Content, ContentHash};
use crate::domain::debt_request::{Alarm, ShownAnswer, Stage};
use crate::domain::event::EventKind;
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::ids::DebtRequestId;
use crate::settings::GisSettings;
use crate::store::{Tx, answers, debt_requests, organizations, submissions, watches};
use crate::{Error, Result};

/// What GIS shows of the debt requests of a look that this worker holds (state accepted, leased): records it and ends the
/// message. The export was asked for at `message.sent_at`.
pub(crate) async fn record(worker: &Worker, message: &Message, page: SubrequestPage) -> Result<()> {
    let Purpose::Look { ids } = &message.purpose else {
        return Err(Error::internal("the result of a look came to a message that is none"));
    };
    worker.service.reach(Point::LookReceived);
    let now = worker.now();
    let mut tx = worker.service.db.begin().await?;
    let organization = organizations::get(&mut tx, message.organization).await?.ok_or(Error::NotFound)?;
    // All at once and before the first event is noted, see `store::events`.
    debt_requests::lock_many(&mut tx, ids).await?;
    pages::merge(&mut tx, organization.id, &page.subrequests, message.sent_at, now).await?;
    let last_calls = watches::last_calls(&mut tx, ids).await?;
    let mut cases = Vec::with_capacity(ids.len());
    for case in Case::open_many(&mut tx, ids, now).await? {
        if case.request.organization == organization.id {
            let id = case.request.id;
            let view = view_of(&page, id, &organization.content_key);
            let observer =
                Observer { settings: &worker.service.settings.gis, view, asked_at: message.sent_at };
            cases.push(observer.observe(case, last_calls.get(&id).copied())?);
        }
    }
    Case::close_all(&mut tx, cases).await?;
    if finish(&mut tx, worker, message, MessageState::Done, None).await? {
        tx.wake(JobName::Outbox);
        tx.wake(JobName::Settle);
        tx.commit().await?;
    }
    Ok(())
}

/// A look at these did not get through: whatever was to be looked at is due again then, and not as late as after a look.
pub(crate) async fn put_off(
    tx: &mut Tx,
    worker: &Worker,
    ids: &[DebtRequestId],
    again_at: DateTime<Utc>,
) -> Result<()> {
    debt_requests::lock_many(tx, ids).await?;
    let later = |it: &Submission| !it.state.is_final() && it.look_first && it.not_before > again_at;
    let earlier = |it| Submission { not_before: again_at, updated_at: worker.now(), ..it };
    let later = submissions::of_requests(tx, ids).await?.into_iter().filter(later);
    submissions::save(tx, later.map(earlier).collect()).await?;
    answers::check_earlier(tx, ids, again_at).await?;
    watches::look_earlier(tx, ids, again_at).await?;
    // It sleeps until what it knew last.
    tx.wake(JobName::Settle);
    Ok(())
}

/// GIS refuses to show debt requests, perhaps because of one among them: they are soon looked at in halves
/// ([`super::halves`]). What it refuses alone is as unclear as an answer without its content, and looked at again in its time.
pub(crate) async fn refused(
    tx: &mut Tx,
    worker: &Worker,
    message: &Message,
    ids: &[DebtRequestId],
) -> Result<()> {
    let settings = &worker.service.settings.gis;
    if ids.len() > 1 {
        return put_off(tx, worker, ids, after(worker.now(), settings.resend_after_fault)).await;
    }
    debt_requests::lock_many(tx, ids).await?;
    let last_calls = watches::last_calls(tx, ids).await?;
    let mut cases = Vec::with_capacity(ids.len());
    for case in Case::open_many(tx, ids, worker.now()).await? {
        if case.request.organization == message.organization {
            let last_call = last_calls.get(&case.request.id).copied();
            // It was shown nothing: what was seen last stays noted.
            let seen = case.request.shown.clone();
            let view = View::bare(Shown::Unclear);
            let observer = Observer { settings, view, asked_at: message.sent_at };
            cases.push(observer.weigh(case, seen.as_ref(), last_call)?);
        }
    }
    Case::close_all(tx, cases).await?;
    Ok(())
}

/// What a page shows of one debt request.
pub(crate) struct View {
    pub(crate) shown: Shown,
    has_debt: Option<bool>,
    /// As far as it can be kept.
    pub(crate) content: Option<Content>,
}

impl View {
    const fn bare(shown: Shown) -> Self {
        Self { shown, has_debt: None, content: None }
    }
}

fn view_of(page: &SubrequestPage, id: DebtRequestId, key: &[u8; 32]) -> View {
    if let Some(subrequest) = page.subrequests.iter().find(|found| DebtRequestId::from(found.id) == id) {
        return view_of_subrequest(subrequest, key);
    }
    let named = page.not_found.subrequests.iter().any(|missing| DebtRequestId::from(*missing) == id);
    // What is left out without a word may be the one that cannot be read.
    let readable = page.unreadable.is_empty() && page.not_found.unreadable.is_empty();
    View::bare(if named || readable { Shown::Absent } else { Shown::Unclear })
}

fn view_of_subrequest(subrequest: &Subrequest, key: &[u8; 32]) -> View {
    match &subrequest.response_status {
        Some(ResponseStatus::NotSent) => View::bare(Shown::Nothing),
        Some(ResponseStatus::AutoGenerated) => View::bare(Shown::Automatic),
        Some(ResponseStatus::Sent) => {
            let response = subrequest.response.as_ref().filter(|_| subrequest.broken_fields.is_empty());
            let hash = response.and_then(Canonical::of_exported).map(|content| content.hash(key));
            View {
                shown: hash.map_or(Shown::Unclear, Shown::Content),
                has_debt: response.and_then(|response| response.has_debt),
                content: response.and_then(Content::of_exported),
            }
        }
        Some(ResponseStatus::Unknown(_)) | None => View::bare(Shown::Unclear),
    }
}

/// What was asked of GIS about a debt request, and what came.
struct Observer<'a> {
    settings: &'a GisSettings,
    view: View,
    asked_at: DateTime<Utc>,
}

impl Observer<'_> {
    fn sight(&self, due: bool) -> Sight {
        let Self { settings, view, asked_at } = self;
        Sight { shown: view.shown.clone(), asked_at: *asked_at, due, view_lag: settings.view_lag }
    }

    /// Brings what is shown into a debt request and judges what is open about it. `last_call` is there when it is watched.
    fn observe(&self, mut case: Case, last_call: Option<DateTime<Utc>>) -> Result<Case> {
        let before = case.request.shown.clone();
        if !is_of_the_past(case.answers(), &self.view.shown, self.asked_at, self.settings) {
            note(&mut case, &self.view, self.asked_at);
        }
        self.weigh(case, before.as_ref(), last_call)
    }

    /// Judges what is open about a debt request, or what is settled; `before`: what was shown of it before.
    fn weigh(
        &self,
        mut case: Case,
        before: Option<&ShownAnswer>,
        last_call: Option<DateTime<Utc>>,
    ) -> Result<Case> {
        // What is live comes before what is queued behind it.
        let open = case.submissions().iter().filter(|submission| {
            !submission.state.is_final() && submission.state != SubmissionState::Waiting
        });
        let Some(open) = open.min_by_key(|submission| !submission.state.is_live()).map(|open| open.id) else {
            self.observe_settled(&mut case, before, last_call)?;
            return Ok(case);
        };
        let mut item = Item::of(case, open)
            .ok_or_else(|| Error::internal("a submission without its answer was found by a look"))?;
        let due = is_due(&item.submission, self.asked_at);
        let others = others(item.case.answers(), &item.answer);
        let judgement = judge(&open_of(&item, &others), &self.sight(due));
        apply(self.settings, &mut item, judgement, due)?;
        if judgement == Judgement::Stop(Obstacle::Elsewhere) {
            elsewhere::record(&mut item.case, &self.view, self.asked_at)?;
        }
        Ok(item.case)
    }

    /// Nothing is open.
    fn observe_settled(
        &self,
        case: &mut Case,
        before: Option<&ShownAnswer>,
        last_call: Option<DateTime<Utc>>,
    ) -> Result<()> {
        if self.view.shown == Shown::Absent {
            gone(case);
        }
        confirm(case, before, &self.sight(true));
        if let Some(last_call) = last_call {
            watch(case, self.settings, last_call, &self.sight(true));
        }
        elsewhere::record(case, &self.view, self.asked_at)
    }
}

/// Whether the look was asked for when the wait before it was over: by `settle`, or after it.
fn is_due(submission: &Submission, asked_at: DateTime<Utc>) -> bool {
    let since = submission.uncertain_since.unwrap_or(submission.created_at);
    submission.looked_at.is_some_and(|looked| looked >= since && asked_at >= looked)
}

fn open_of<'a>(item: &'a Item, others: &'a [ContentHash]) -> Open<'a> {
    let error = item.submission.error.as_ref();
    Open {
        action: item.submission.action,
        state: item.submission.state,
        own: &item.answer.content_hash,
        others,
        elsewhere: item
            .case
            .answers()
            .iter()
            .find(|answer| answer.state == State::Delivered && answer.is_from_elsewhere())
            .map(|answer| &answer.content_hash),
        confirm: &item.answer.confirm,
        began_at: item.submission.began_at,
        refused_at: item
            .submission
            .uncertain_since
            .filter(|_| error.is_some_and(|error| error.code == GIS_REJECTED)),
        suspected: error.and_then(|error| Obstacle::of_code(&error.code)),
    }
}

/// The contents of other answers that may have reached GIS.
fn others(all: &[Answer], answer: &Answer) -> Vec<ContentHash> {
    let others = all.iter().filter(|other| other.id != answer.id && other.may_have_reached_gis());
    others.map(|other| other.content_hash.clone()).collect()
}

fn apply(settings: &GisSettings, item: &mut Item, judgement: Judgement, due: bool) -> Result<()> {
    match judgement {
        Judgement::Done => {
            let is_send = item.submission.action == Action::Send;
            if is_send {
                item.answer.confirmed_in_gis = true;
            }
            item.done(settings, None)?;
            if is_send && item.answer.state == State::Delivered {
                item.case.tell(EventKind::AnswerConfirmed, Some(&item.answer));
            }
            Ok(())
        }
        Judgement::Go => {
            item.allow();
            Ok(())
        }
        Judgement::LookAgain if due => {
            let error =
                item.submission.error.clone().filter(|error| Obstacle::of_code(&error.code).is_none());
            item.wait(next_look(settings, item), error);
            Ok(())
        }
        // The wait that is under way goes on.
        Judgement::LookAgain => Ok(()),
        Judgement::Suspect(obstacle) => {
            let wait = after(item.case.now(), item.polite_wait(settings));
            let look_at = if due { wait } else { item.submission.not_before };
            item.wait(look_at, Some(error_of(obstacle)));
            Ok(())
        }
        Judgement::Stop(obstacle) => {
            if obstacle == Obstacle::Gone {
                gone(&mut item.case);
            }
            item.refused(settings, error_of(obstacle))
        }
        Judgement::Refused => {
            let words = item.submission.error.clone();
            item.refused(settings, words.unwrap_or_else(|| error_of(Obstacle::Gone)))
        }
    }
}

/// After a refusal of a repeat only a view past the lag counts: until then a look a day is enough.
fn next_look(settings: &GisSettings, item: &Item) -> DateTime<Utc> {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
    let now = item.case.now();
    let soon = after(now, item.polite_wait(settings));
    let refused = item.submission.error.as_ref().is_some_and(|error| error.code == GIS_REJECTED);
    match item.submission.uncertain_since.filter(|_| refused) {
        Some(since) => after(since, settings.view_lag).min(after(now, DAY)).max(soon),
        None => soon,
    }
}

fn error_of(obstacle: Obstacle) -> LastError {
    LastError {
        origin: "gis".to_owned(),
        code: obstacle.code().to_owned(),
        detail: obstacle.detail().to_owned(),
        pointer: None,
        gis: None,
    }
}

/// Whether an export shows an older content of ours so soon after the delivery of the newest that it may only lag behind.
fn is_of_the_past(all: &[Answer], shown: &Shown, asked_at: DateTime<Utc>, settings: &GisSettings) -> bool {
    let Shown::Content(hash) = shown else { return false };
    let Some(newest) = all.iter().find(|answer| answer.state == State::Delivered) else { return false };
    let lags = newest.settled_at.is_some_and(|settled| asked_at < after(settled, settings.view_lag));
    lags && *hash != newest.content_hash && others(all, newest).contains(hash)
}

/// Notes what was shown.
fn note(case: &mut Case, view: &View, viewed_at: DateTime<Utc>) {
    let content_hash = match &view.shown {
        Shown::Content(hash) => Some(hash.clone()),
        Shown::Nothing | Shown::Automatic | Shown::Unclear => None,
        Shown::Absent => return,
    };
    let newer = case.request.shown.as_ref().is_none_or(|shown| shown.viewed_at <= viewed_at);
    if newer {
        case.request.shown = Some(ShownAnswer { has_debt: view.has_debt, content_hash, viewed_at });
    }
}

fn gone(case: &mut Case) {
    if case.request.stage != Stage::Gone {
        case.request.stage = Stage::Gone;
        case.tell(EventKind::RequestGone, None);
    }
}

/// A delivered answer: confirmed when it is shown; told of when content that was never ours is shown instead, or when GIS has
/// answered by itself.
fn confirm(case: &mut Case, before: Option<&ShownAnswer>, sight: &Sight) {
    let ours = |answer: &&Answer| answer.state == State::Delivered && !answer.is_from_elsewhere();
    let Some(mut answer) = case.answers().iter().find(ours).cloned() else { return };
    let others = others(case.answers(), &answer);
    let send = case.submissions_of(answer.id).rfind(|submission| submission.action == Action::Send);
    let began_at = send.and_then(|send| send.began_at);
    if proves(&answer.content_hash, &others, began_at, sight) {
        if !answer.confirmed_in_gis {
            answer.confirmed_in_gis = true;
            answer.next_check_at = None;
            case.request.alarm = case.request.alarm.filter(|alarm| *alarm != Alarm::NotInForce);
            case.update(&mut answer);
            case.tell(EventKind::AnswerConfirmed, Some(&answer));
        }
        return;
    }
    if sight.shown == Shown::Automatic && sight.is_past_lag(answer.settled_at) {
        raise(case, &answer, Alarm::NotInForce);
    }
    let Shown::Content(shown) = &sight.shown else { return };
    let foreign = *shown != answer.content_hash && !others.contains(shown);
    if foreign && is_news(shown, before, answer.settled_at, sight.asked_at) {
        case.tell_with(EventKind::AnswerMismatch, Some(&answer), json!({ "repaired": false }));
    }
}

/// Whether a content is shown for the first time since the answer was settled, or put right: what was seen before that was
/// told to nobody.
fn is_news(
    shown: &ContentHash,
    before: Option<&ShownAnswer>,
    settled_at: Option<DateTime<Utc>>,
    asked_at: DateTime<Utc>,
) -> bool {
    let later = |seen_at| settled_at.is_some_and(|settled| seen_at > settled);
    let told =
        before.is_some_and(|before| before.content_hash.as_ref() == Some(shown) && later(before.viewed_at));
    later(asked_at) && !told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrganizationId;
    use crate::store::test_rows;

    #[test]
    fn what_was_seen_before_a_repair_is_told_after_it() {
        let at = |seconds| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds);
        let foreign = ContentHash::stored("foreign".to_owned());
        let seen = |seconds| ShownAnswer {
            viewed_at: at(seconds),
            has_debt: None,
            content_hash: Some(foreign.clone()),
        };
        let repaired = Some(at(5));
        assert!(!is_news(&foreign, None, repaired, at(4)), "it shows the past");
        assert!(is_news(&foreign, None, repaired, at(6)));
        assert!(is_news(&foreign, Some(&seen(4)), repaired, at(6)), "that was told to nobody");
        assert!(!is_news(&foreign, Some(&seen(6)), repaired, at(7)));
        assert!(!is_news(&foreign, None, None, at(7)));
    }

    #[test]
    fn an_older_content_of_ours_so_soon_is_the_past() {
        let settings = GisSettings::default();
        let settled = DateTime::UNIX_EPOCH;
        let lag = chrono::TimeDelta::from_std(settings.view_lag).unwrap();
        let hash = |name: &str| ContentHash::stored(name.to_owned());
        let (organization, request) = (OrganizationId::generate(), DebtRequestId::generate());
        let answer = |state, name| Answer {
            state,
            content_hash: hash(name),
            settled_at: Some(settled),
            ..test_rows::answer(organization, request)
        };
        let all = [answer(State::Delivered, "newest"), answer(State::Revoked, "older")];
        let shown = |name| Shown::Content(hash(name));
        let table = [
            (shown("older"), lag / 2, true),
            (shown("older"), lag, false),
            (shown("newest"), lag / 2, false),
            (shown("foreign"), lag / 2, false),
            (Shown::Nothing, lag / 2, false),
        ];
        for (shown, later, past) in table {
            assert_eq!(is_of_the_past(&all, &shown, settled + later, &settings), past, "{shown:?} {later}");
        }
    }
}
