//! Every fault of the upload of a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gis_sim::faults::{Kind, Target, When};
use gis_sim::files::FileError;
use serde_json::{Value, json};

use super::kinds::{NOW, busy, cut_after, file_error, http};
use super::row::{Posted, Row, afterwards, debt, effects};
use crate::harness::{Setup, Stand, for_both, for_both_with};

/// The upload is repeated before anything is sent.
const AGAIN: &str = "queued sending accepted delivered confirmed";
/// GIS does not take this file.
const REFUSED: &str = "queued rejected";

/// `outcome` is here the state of the file at the end.
pub(super) fn rows() -> Vec<Row> {
    let again = |kind| Row::new(kind, "uploaded", AGAIN, "sent");
    let refused = |kind| Row::new(kind, "refused", REFUSED, "");
    let of_store = FileError::ALL.into_iter().map(|error| match error {
        // The file is at fault.
        FileError::InvalidSizeException
        | FileError::ExtensionException
        | FileError::DetectionException
        | FileError::FileVirusInfectionException => refused(file_error(error)),
        // The way or the settings are.
        FileError::FieldValidationException
        | FileError::FileNotFoundException
        | FileError::InvalidStatusException
        | FileError::HashConflictException
        | FileError::ContextNotFoundException
        | FileError::InvalidPartNumberException
        | FileError::FileVirusNotCheckedException
        | FileError::FilePermissionException
        | FileError::DataProviderValidationException
        | FileError::CertificateValidationException
        | FileError::Maintenance => again(file_error(error)),
    });
    let of_the_way = [
        refused(http(413)),
        again(http(400)),
        again(http(403)),
        again(http(404)),
        again(busy(503, 60)),
        again(http(500)),
        again(http(502)),
        again(Kind::ResetBefore),
        again(cut_after(NOW)),
    ];
    of_the_way.into_iter().chain(of_store).collect()
}

/// A debt with an invented court act.
pub(super) fn debt_with_file(comment: &str) -> Value {
    let mut body = debt(comment);
    body["debtors"][0]["documents"] = json!([{
        "type_code": "1", "file_name": "решение.txt", "description": "Решение",
        "content_base64": STANDARD.encode(act(comment)),
    }]);
    body
}

fn act(comment: &str) -> Vec<u8> {
    format!("вымышленный судебный акт: {comment}").into_bytes()
}

/// GIS has the act of this answer, byte for byte.
pub(super) fn has_act(stand: &Stand, posted: &Posted) {
    let answer = stand.held(&posted.request).held.answer.unwrap();
    let [debtor] = answer.debtors.as_slice() else { panic!("one debtor") };
    let [document] = debtor.documents.as_slice() else { panic!("one document") };
    assert_eq!(stand.gis().file_content(document.file.guid).unwrap(), act(&posted.comment));
}

pub(super) async fn post(stand: &Stand, request: &str, comment: &str) -> Posted {
    let answer = stand.answer(request, &debt_with_file(comment)).await;
    Posted { request: request.to_owned(), answer, comment: comment.to_owned() }
}

#[test]
fn a_file_arrives_or_rejects_its_answer_whatever_becomes_of_the_upload() {
    for_both(30, async |stand| {
        let mut requests = stand.request_ids().await.into_iter();
        let mut told = Vec::new();
        for (number, row) in rows().into_iter().enumerate() {
            let request = requests.next().unwrap();
            stand.fault(Target::UploadFile, When::Next(1), row.kind.clone());
            let posted = post(&stand, &request, &format!("решение {number}")).await;
            let shown = posted.until_final(&stand).await;
            assert!(stand.gis().faults().iter().all(|rule| rule.struck == 1), "{:?}", row.kind);
            stand.gis().clear_faults();
            let file = &shown["debtors"][0]["documents"][0];
            assert_eq!(state_of(&stand, file).await, row.outcome, "{:?}: {shown:#}", row.kind);
            let last = if shown["state"] == "rejected" {
                assert_eq!(
                    shown["last_error"]["pointer"], "/debtors/0/documents/0/attachment_id",
                    "{:?}",
                    row.kind
                );
                assert_eq!(effects(&stand, &request), "");
                let again = post(&stand, &request, &format!("исправленное решение {number}")).await;
                again.until_final(&stand).await;
                Some(again)
            } else {
                None
            };
            told.push((row, posted, last));
        }
        afterwards(&stand).await;
        for (row, posted, again) in &told {
            let kind = &row.kind;
            assert_eq!(posted.story(&stand).await, row.story, "{kind:?}");
            let last = again.as_ref().unwrap_or(posted);
            assert_eq!(effects(&stand, &last.request), "sent", "{kind:?}");
            last.is_held(&stand);
            has_act(&stand, last);
            assert_eq!(last.shown(&stand).await["confirmed_in_gis"], true, "{kind:?}");
        }
    });
}

#[test]
fn an_answer_waits_until_gis_has_checked_its_file_for_viruses() {
    let scenario = || Some(json!({ "files": { "virus_check": "10m" } }));
    let setup = || Setup { requests: 1, scenario: scenario(), ..Setup::default() };
    for_both_with(setup, async |stand| {
        stand.read_gis().await;
        let request = stand.request_ids().await.remove(0);
        let posted = post(&stand, &request, "решение").await;
        stand.pass(300).await;
        let shown = posted.shown(&stand).await;
        assert_eq!(shown["state"], "queued", "{shown:#}");
        let file = &shown["debtors"][0]["documents"][0];
        assert_eq!(state_of(&stand, file).await, "uploading");

        assert_eq!(posted.until_final(&stand).await["state"], "delivered");
        afterwards(&stand).await;
        assert_eq!(posted.story(&stand).await, AGAIN);
        assert_eq!(effects(&stand, &request), "sent");
        posted.is_held(&stand);
        has_act(&stand, &posted);
        let calls = stand.gis().calls(0, 1000);
        let uploads = calls.iter().filter(|call| call.operation == Some(Target::UploadFile)).count();
        assert_eq!(uploads, 1, "what is being checked is not uploaded again");
    });
}

/// Where GIS stands with a file.
async fn state_of(stand: &Stand, file: &Value) -> String {
    let path = format!("/v1/attachments/{}", file["attachment_id"].as_str().unwrap());
    let shown = stand.client.get(&path).await.ok(200);
    shown["gis"]["state"].as_str().unwrap().to_owned()
}
