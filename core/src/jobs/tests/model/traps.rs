//! The traps that `api.md` §6 names, each as one story of the same actions that the random run draws. That every law is
//! kept on the way is the larger half of what they prove.

use test_support::postgres::for_sqlite_url;

use super::action::Action::{
    AnswersItself, Backup, DieIn, Export, GoOn, Import, Pass, PersonAnswers, Post, Restore, Revoke, Step,
    Stop, Work,
};
use super::action::Confirmed::{All, No};
use super::action::Words::{A, B, Foreign};
use super::action::{Action, ExportFate, ImportFate, ItemFate, Point, Span, Words};
use super::gis::Held;
use super::ground::Ground;
use super::world::World;
use super::{Template, folder};
use crate::clock::Clock;
use crate::domain::answer::State;
use crate::jobs::JobName;
use crate::store::test_db;

const SOON: Action = Pass(Span::seconds(15));
/// After the longest wait before an uncertain submission is looked at.
const SETTLED: Action = Pass(Span::minutes(31));
/// After the end of every lease.
const LEASE_OVER: Action = Pass(Span::minutes(4));
const DAY: Action = Pass(Span::hours(24));
/// Time for an answer of GIS, a look, and the call that follows from it.
const WORK: [Action; 7] = [Work(0), SOON, Work(0), SOON, Work(0), SOON, Work(0)];

/// What everything has come to: the answers, oldest first, and what GIS holds.
type End<'a> = (&'a [(Words, State)], Held);

async fn tell(mut world: World, story: &[&[Action]], (states, held): End<'_>) {
    for action in story.concat() {
        world.act(action).await.unwrap_or_else(|broken| panic!("{broken}, at {action:?}"));
    }
    world.heal(Span::seconds(0).time()).await.unwrap();
    assert_eq!(world.states(0), states);
    assert_eq!(world.held(0), held);
}

fn trap(story: &[&[Action]], end: End<'_>) {
    test_db::for_both(async |db| {
        let ground = Ground::lay(&db).await;
        tell(World::new(db, ground, folder()).await, story, end).await;
    });
}

#[test]
fn a_late_first_copy_behind_a_correction() {
    let first = [Import(ImportFate::Ghost(Span::hours(48))), Post(0, A, No)];
    let end = [(A, State::Revoked), (B, State::Delivered)];
    trap(&[&first, &WORK, &[Post(0, B, All)], &WORK], (&end, Held::Answer(B)));
}

#[test]
fn the_same_again_after_a_repair_that_no_look_has_shown() {
    let first = [Import(ImportFate::Ghost(Span::hours(5))), Post(0, B, All)];
    let later = [Pass(Span::hours(73)), SETTLED];
    let again = [Post(0, A, All)];
    let end = [(B, State::Revoked), (A, State::Delivered)];
    trap(&[&first, &WORK, &again, &WORK, &later, &WORK, &again, &WORK], (&end, Held::Answer(A)));
}

#[test]
fn a_late_second_revoke() {
    let late = [Import(ImportFate::Late(Span::hours(48))), Revoke(0)];
    let end = [(A, State::Revoked), (B, State::Delivered)];
    trap(
        &[&[Post(0, A, No)], &WORK, &late, &WORK, &[SETTLED], &WORK, &[Post(0, B, No)], &WORK],
        (&end, Held::Answer(B)),
    );
}

#[test]
fn a_ghost_send_after_a_withdrawal() {
    let first = [Import(ImportFate::Ghost(Span::hours(48))), Post(0, A, No)];
    trap(&[&first, &WORK, &[Revoke(0)], &WORK], (&[(A, State::Revoked)], Held::Nothing));
}

#[test]
fn equal_content_under_a_lagging_status() {
    let again = [Import(ImportFate::Vanishes), Post(0, A, No)];
    // The export shows the first copy, which is withdrawn.
    let lagging = [SETTLED, Export(ExportFate::Shows(Span::hours(5)))];
    trap(
        &[&[Post(0, A, No)], &WORK, &[DAY, Revoke(0)], &WORK, &again, &WORK, &lagging, &WORK],
        (&[(A, State::Revoked), (A, State::Delivered)], Held::Answer(A)),
    );
}

#[test]
fn a_lagging_not_sent_after_a_revoke() {
    let lost = [Import(ImportFate::Vanishes), Revoke(0)];
    let lagging = [SETTLED, Export(ExportFate::Shows(Span::hours(48)))];
    trap(
        &[&[Post(0, A, No)], &WORK, &[DAY], &lost, &WORK, &lagging, &WORK],
        (&[(A, State::Revoked)], Held::Nothing),
    );
}

#[test]
fn a_lagging_view_of_the_first_content_behind_a_correction() {
    let lagging = [SETTLED, Export(ExportFate::Shows(Span::hours(5)))];
    trap(
        &[&[Post(0, A, No)], &WORK, &[DAY, Post(0, B, All)], &WORK, &WORK, &lagging, &WORK],
        (&[(A, State::Revoked), (B, State::Delivered)], Held::Answer(B)),
    );
}

#[test]
fn an_item_error_on_a_repeat_of_what_was_done() {
    for error in [ItemFate::Error, ItemFate::AlreadyAnswered] {
        let lagging = [SETTLED, Export(ExportFate::Shows(Span::hours(5))), Import(ImportFate::Item(error))];
        trap(
            &[&[Import(ImportFate::AckLost), Post(0, A, No)], &WORK, &lagging, &WORK],
            (&[(A, State::Delivered)], Held::Answer(A)),
        );
    }
}

#[test]
fn an_item_error_on_a_repeat_of_what_was_not_done() {
    let refused = [SETTLED, Import(ImportFate::Item(ItemFate::Error))];
    trap(
        &[&[Import(ImportFate::Vanishes), Post(0, A, No)], &WORK, &refused, &WORK],
        (&[(A, State::Rejected)], Held::Nothing),
    );
}

#[test]
fn a_refused_revoke_with_a_correction_waiting() {
    let correction = [Import(ImportFate::Item(ItemFate::Error)), Post(0, B, All)];
    trap(
        &[&[Post(0, A, No)], &WORK, &correction, &WORK],
        (&[(A, State::Delivered), (B, State::Rejected)], Held::Answer(A)),
    );
}

#[test]
fn the_first_content_again_while_it_is_in_flight_and_another_one_waits() {
    let posts = [Import(ImportFate::AckLost), Post(0, A, No), Work(0), Post(0, B, All), Post(0, A, All)];
    trap(
        &[&posts, &WORK],
        (&[(A, State::Revoked), (B, State::Superseded), (A, State::Delivered)], Held::Answer(A)),
    );
}

#[test]
fn a_person_in_the_cabinet() {
    let end = [(A, State::Delivered), (B, State::Rejected)];
    trap(
        &[&[Post(0, A, No)], &WORK, &[PersonAnswers(0), Post(0, B, All)], &WORK, &[SETTLED], &WORK],
        (&end, Held::Answer(Foreign)),
    );
    let lost = [Import(ImportFate::Vanishes), Post(0, A, No), Work(0), PersonAnswers(0)];
    let recorded = [(A, State::Rejected), (Foreign, State::Delivered)];
    trap(&[&lost, &WORK], (&recorded, Held::Answer(Foreign)));
}

#[test]
fn the_same_again_over_a_person_in_the_cabinet() {
    let again = [Post(0, A, No)];
    trap(
        &[&again, &WORK, &[PersonAnswers(0), SETTLED], &WORK, &again, &WORK, &[SETTLED], &WORK],
        (&[(A, State::Delivered), (A, State::Rejected)], Held::Answer(Foreign)),
    );
}

#[test]
fn the_automatic_answer() {
    let lost = [Import(ImportFate::Vanishes), Post(0, A, No), Work(0), AnswersItself(0)];
    trap(&[&lost, &WORK], (&[(A, State::Rejected)], Held::Automatic));
}

/// The first worker is stopped in its call; the second one takes over and makes the call again.
fn taken_over(point: Point) -> Vec<Action> {
    let stopped = [Post(0, A, No), Stop(0, JobName::Outbox, point), LEASE_OVER, Work(1), SETTLED];
    let again = [Export(ExportFate::Shows(Span::hours(5))), Work(1), SOON, Work(1)];
    [stopped.as_slice(), &again].concat()
}

#[test]
fn a_zombie_that_never_called() {
    trap(&[&taken_over(Point::Before), &[GoOn(0)]], (&[(A, State::Delivered)], Held::Answer(A)));
}

#[test]
fn a_zombie_with_an_acknowledgement() {
    trap(&[&taken_over(Point::After), &[GoOn(0)]], (&[(A, State::Delivered)], Held::Answer(A)));
}

#[test]
fn a_zombie_whose_call_was_refused() {
    let refused = [Import(ImportFate::RefusesContent)];
    trap(&[&refused, &taken_over(Point::After), &[GoOn(0)]], (&[(A, State::Delivered)], Held::Answer(A)));
}

/// The acknowledgement comes while another worker, which dies after each wait in turn, takes the call over; the result is a
/// refusal, which must find the answer waiting for it.
#[test]
fn a_zombie_with_an_acknowledgement_while_another_one_takes_over() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let template = Template::new().await;
        let refused = Import(ImportFate::Item(ItemFate::Error));
        let stopped = [refused, Post(0, A, No), Stop(0, JobName::Outbox, Point::After), LEASE_OVER];
        let mut waits = 0;
        loop {
            waits += 1;
            let mut world = template.world().await;
            for action in stopped.iter().chain(&[DieIn(1, JobName::Polling, waits), GoOn(0)]) {
                world.act(*action).await.unwrap_or_else(|broken| panic!("{broken}, after {waits} waits"));
            }
            let died = world.died;
            tell(world, &[&WORK], (&[(A, State::Rejected)], Held::Nothing)).await;
            if !died {
                break;
            }
        }
        assert!(waits > 3, "a call is taken over and given up in several steps");
    });
}

#[test]
fn a_zombie_that_has_written_nothing_down() {
    let both = [Post(0, A, No), Stop(0, JobName::Outbox, Point::Probe), Work(1), GoOn(0)];
    trap(&[&both], (&[(A, State::Delivered)], Held::Answer(A)));
}

/// A story that ends with a backup in the place of the database.
fn restored(story: &[&[Action]], end: End<'_>) {
    for_sqlite_url(async |url| {
        let db = test_db::open(url).await;
        db.migrate(&Clock::System).await.unwrap();
        let ground = Ground::lay(&db).await;
        tell(World::new(db, ground, folder()).await, story, end).await;
    });
}

#[test]
fn what_a_backup_says_is_queued_may_be_in_gis() {
    restored(
        &[&[Post(0, A, No), Backup], &WORK, &[Restore], &WORK, &[SETTLED]],
        (&[(A, State::Delivered)], Held::Answer(A)),
    );
}

#[test]
fn what_takes_the_place_of_something_in_a_backup_is_not_sent_unseen() {
    restored(
        &[&[Post(0, A, No), Backup], &WORK, &[Restore, Post(0, B, No)], &WORK, &[SETTLED]],
        // What the backup does not know of is recorded as if somebody else had placed it.
        (&[(A, State::Superseded), (B, State::Rejected), (A, State::Delivered)], Held::Answer(A)),
    );
}

#[test]
fn a_look_from_before_the_backup_allows_nothing() {
    let asked = [Post(0, A, No), Work(0), Post(0, B, No), SOON, Work(0), Backup];
    let end = [(A, State::Delivered), (B, State::Rejected)];
    restored(&[&asked, &WORK, &[Restore], &WORK, &[SETTLED], &WORK], (&end, Held::Answer(B)));
}

#[test]
fn an_attempt_that_was_allowed_before_the_backup_is_not_made_unseen() {
    let lost = [Import(ImportFate::Vanishes), Post(0, A, No), Work(0), SETTLED];
    let allowed = [Step(0, JobName::Settle), SOON, Step(0, JobName::Polling), Backup];
    let meanwhile = [Post(0, B, All)];
    restored(
        &[&lost, &allowed, &WORK, &meanwhile, &WORK, &[Restore], &WORK, &[SETTLED], &WORK],
        (&[(A, State::Rejected), (B, State::Delivered)], Held::Answer(B)),
    );
}

/// An answer whose worker dies after each wait for the database or for GIS in turn, until it ends its work before that.
#[test]
fn a_worker_that_dies_anywhere() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let template = Template::new().await;
        for (job, before) in [
            (JobName::Outbox, &[Post(0, A, No)][..]),
            (JobName::Polling, &[Post(0, A, No), Work(0), SOON][..]),
            (JobName::Settle, &[Import(ImportFate::AckLost), Post(0, A, No), Work(0), SETTLED][..]),
        ] {
            let mut waits = 0;
            loop {
                waits += 1;
                let mut world = template.world().await;
                for action in before.iter().chain(&[DieIn(0, job, waits)]) {
                    world.act(*action).await.unwrap();
                }
                let died = world.died;
                tell(world, &[], (&[(A, State::Delivered)], Held::Answer(A))).await;
                if !died {
                    break;
                }
            }
            assert!(waits > 3, "{job} waits for the database and for GIS oftener than that");
        }
    });
}
