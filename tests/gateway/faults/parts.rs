//! Every step of an upload in parts goes wrong in every way that leaves something behind.

use gis_sim::faults::{Kind, Target, When};
use gis_sim::files::FileError;
use serde_json::json;

use super::kinds::{NOW, cut_after, file_error};
use super::row::{Posted, afterwards, debt, effects};
use crate::harness::{Stand, for_both};

/// GIS takes at most this in one piece.
const PART: usize = 5 * 1024 * 1024;

/// An invented act of two parts; no two are the same.
fn act(number: usize) -> Vec<u8> {
    format!("вымышленный судебный акт {number} ").into_bytes().into_iter().cycle().take(PART + 1000).collect()
}

/// What goes wrong, and when: alone, or while an upload that broke off is taken up again.
fn rows() -> Vec<Vec<(Target, When, Kind)>> {
    let kinds = || [Kind::ResetBefore, cut_after(NOW), file_error(FileError::FileNotFoundException)];
    let steps = [
        (Target::OpenUpload, When::Next(1)),
        (Target::UploadPart, When::Nth(1)),
        (Target::UploadPart, When::Nth(2)),
        (Target::CompleteUpload, When::Next(1)),
    ];
    let alone = steps.into_iter().flat_map(|(target, when)| kinds().map(|kind| vec![(target, when, kind)]));
    let broken_off = || (Target::UploadPart, When::Nth(2), Kind::ResetBefore);
    let again = kinds().map(|kind| vec![broken_off(), (Target::FileState, When::Next(1), kind)]);
    alone.chain(again).collect()
}

#[test]
fn a_file_in_parts_arrives_whole_whatever_becomes_of_each_step() {
    for_both(15, async |mut stand: Stand| {
        stand.restart_after(|workshop| workshop.limit(&format!("file_bytes = {}", 2 * PART)));
        let mut requests = stand.request_ids().await.into_iter();
        let mut told = Vec::new();
        for (number, faults) in rows().into_iter().enumerate() {
            let request = requests.next().unwrap();
            let content = act(number);
            let file = stand.upload("решение.txt", "Решение", &content).await;
            for (target, when, kind) in &faults {
                stand.fault(*target, *when, kind.clone());
            }
            let comment = format!("решение {number}");
            let mut body = debt(&comment);
            body["debtors"][0]["documents"] = json!([{ "type_code": "1", "attachment_id": file["id"] }]);
            let answer = stand.answer(&request, &body).await;
            let posted = Posted { request, answer, comment };
            let shown = posted.until_final(&stand).await;
            assert_eq!(shown["state"], "delivered", "{faults:?}: {shown:#}");
            assert!(stand.gis().faults().iter().all(|rule| rule.struck == 1), "{faults:?}");
            stand.gis().clear_faults();
            told.push((faults, posted, content));
        }
        afterwards(&stand).await;
        for (faults, posted, content) in &told {
            posted.is_held(&stand);
            assert_eq!(effects(&stand, &posted.request), "sent", "{faults:?}");
            let answer = stand.held(&posted.request).held.answer.unwrap();
            let file = answer.debtors[0].documents[0].file.guid;
            assert!(stand.gis().file_content(file).unwrap() == *content, "{faults:?}");
        }
    });
}
