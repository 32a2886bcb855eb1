//! Calls that take longer than the gateway waits. The clock in hand does not hurry the network, so each of them costs real
//! seconds; all other waits are those of the story.

use std::time::Duration;

use gis_sim::faults::{Kind, Target, When};

use super::kinds::{NOW, cut_after};
use super::row::{Posted, afterwards, effects};
use super::{files, revokes};
use crate::harness::{Setup, Stand, for_both_with};

/// Longer than `gis.timeout` of this stand.
const TOO_LONG: Kind = Kind::Slow { duration: Duration::from_secs(3) };
const SETTINGS: &str = "timeout = \"2s\"\nsettle_time = \"10s\"";

/// Where a call can be too slow, and the events of the answer that meets it.
pub(super) fn rows() -> Vec<(Target, Kind, &'static str)> {
    let calm = "queued sending accepted delivered confirmed";
    let seen = "queued sending uncertain delivered confirmed";
    vec![
        (Target::ImportResponses, TOO_LONG, seen),
        (Target::GetState, TOO_LONG, calm),
        (Target::ExportDebtSubrequests, TOO_LONG, seen),
        (Target::UploadFile, TOO_LONG, calm),
        (Target::Probe, TOO_LONG, calm),
    ]
}

#[test]
fn a_call_that_takes_too_long_places_an_answer_once() {
    let setup = || Setup { requests: 10, gis: SETTINGS, ..Setup::default() };
    for_both_with(setup, async |stand| {
        stand.read_gis().await;
        let mut requests = stand.request_ids().await.into_iter();
        let mut told = Vec::new();
        for (operation, kind, story) in rows() {
            let request = requests.next().unwrap();
            if operation == Target::ExportDebtSubrequests {
                // There is a look when the acknowledgement was lost.
                stand.fault_once(Target::ImportResponses, &request, cut_after(NOW));
            }
            if operation == Target::Probe {
                // After an idle spell the harmless GET goes first.
                stand.pass_without_jobs(3600).await;
            }
            stand.fault(operation, When::Next(1), kind);
            let posted = files::post(&stand, &request, operation_name(operation)).await;
            assert_eq!(posted.until_final(&stand).await["state"], "delivered", "{operation:?}");
            assert!(stand.gis().faults().iter().all(|rule| rule.struck == 1), "{operation:?}");
            stand.gis().clear_faults();
            // An export confirms it, so that no later fault meets that one.
            stand.pass(12).await;
            stand.pass(12).await;
            assert_eq!(posted.shown(&stand).await["confirmed_in_gis"], true, "{operation:?}");
            told.push((operation, posted, story));
        }
        let withdrawn = withdraw(&stand, &told[0].1).await;
        assert_eq!(withdrawn, ["unknown", "done"], "the second try proves that the first one was taken");
        afterwards(&stand).await;
        assert_eq!(effects(&stand, &told[0].1.request), "sent revoked");
        for (operation, posted, story) in &told[1..] {
            assert_eq!(posted.story(&stand).await, *story, "{operation:?}");
            assert_eq!(effects(&stand, &posted.request), "sent", "{operation:?}");
            posted.is_held(&stand);
            files::has_act(&stand, posted);
        }
        let (_, posted, story) = &told[0];
        assert_eq!(posted.story(&stand).await, format!("{story} revoking revoked"));
    });
}

/// The withdrawal is too slow too; the outcomes of its attempts.
async fn withdraw(stand: &Stand, posted: &Posted) -> Vec<String> {
    revokes::revoke(stand, posted).await;
    assert_eq!(posted.meet(stand, Target::ImportResponses, &TOO_LONG).await["state"], "revoked");
    posted.outcomes(stand, "revoke").await
}

/// A comment that no other answer has.
fn operation_name(operation: Target) -> &'static str {
    match operation {
        Target::ImportResponses => "медленная отправка",
        Target::GetState => "медленный результат",
        Target::ExportDebtSubrequests => "медленная выгрузка",
        Target::UploadFile => "медленный файл",
        Target::Probe => "медленная проба",
        Target::Any
        | Target::ImportDebtRequests
        | Target::ExportDebtRequests
        | Target::AnyFile
        | Target::OpenUpload
        | Target::UploadPart
        | Target::CompleteUpload
        | Target::FileState
        | Target::DownloadFile => panic!("no row for {operation:?}"),
    }
}
