//! Uploads files to the file store of GIS, before the answers that name them are sent (`api.md` §6.10, §11).
//!
//! To upload a file twice does no harm, so a failed upload is simply tried again, in parts from where it broke off, and a
//! file that GIS turns out not to have is uploaded anew. What must stay true: a file that GIS refuses rejects the answers
//! that name it and no other.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use gis_client::error::Refusal;
use gis_client::files::{FileError, FileUpload, UploadError};
use gis_client::{Error as GisError, Repeat, UploadedFile};
use serde_json::json;

use super::calls::error_of_call;
use super::ends::Doubt;
use super::gate::Entry;
use super::items::{close_all, hold};
use super::outcomes::GIS_REJECTED;
use super::{JobName, Report, Worker};
use crate::crash::Point;
use crate::domain::answer::{Answer, LastError};
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::last_error_code::LastErrorCode;
use crate::domain::submission::SubmissionState;
use crate::ids::{AnswerId, AttachmentId};
use crate::store::gis_operations::Operation;
use crate::store::{Tx, answers, attachments, organizations, submissions};
use crate::{Error, Result};

/// A file store that says no without a word may mean the tunnel, or every file: so often, with growing pauses, before it is
/// taken to mean this one.
const MOST_UNEXPLAINED: i64 = 12;
/// How the codes begin with which GIS refuses the files that an answer names.
const OF_FILES: &str = "FIL";

pub(crate) async fn activate(worker: &Worker) -> Result<Report> {
    let limit = i64::try_from(worker.lanes()).unwrap_or(1);
    let claimed = {
        let mut tx = worker.service.db.begin().await?;
        let claimed = attachments::claim_uploads(&mut tx, worker.now(), worker.lease().until, limit).await?;
        tx.commit().await?;
        claimed
    };
    let uploads = claimed.into_iter().map(|(file, failures)| upload(worker, file, failures));
    // All of them, whatever comes: none may be broken off because another one failed.
    let mut done = 0;
    for uploaded in join_all(uploads).await {
        done += u64::from(uploaded?);
    }
    let mut conn = worker.service.db.read().await?;
    let next = attachments::next_due(&mut conn).await?;
    Ok(Report { done, next, detail: json!({ "settled": done }) })
}

/// One file; whether GIS has said yes or no to it.
async fn upload(worker: &Worker, file: Attachment, failures: i64) -> Result<bool> {
    let pass = match worker.enter(Operation::Files).await? {
        Entry::Open(pass) => pass,
        Entry::Closed { until } => {
            put_off(worker, &file, until, failures).await?;
            return Ok(false);
        }
    };
    let lease = worker.lease();
    let prepared = prepare(worker, &file).await?;
    let resume = file.gis_id.filter(|_| file.gis_state == FileState::Uploading).map(Into::into);
    let outcome = worker.gis.upload_file(&prepared, resume, Some(lease.not_after)).await;
    pass.leave(outcome.as_ref().map_err(|failure| &failure.error)).await?;
    match &outcome {
        Ok(uploaded) => taken(worker, file, uploaded).await,
        Err(error) => failed(worker, file, error, failures).await,
    }
}

async fn prepare(worker: &Worker, file: &Attachment) -> Result<FileUpload> {
    let organization = {
        let mut conn = worker.service.db.read().await?;
        organizations::get(&mut conn, file.organization).await?.ok_or(Error::NotFound)?
    };
    Ok(FileUpload {
        organization: organization.ppa_guid.into(),
        extension: file.extension.parse().map_err(Error::internal)?,
        content: worker.service.files.get(file.id).await?,
    })
}

async fn taken(worker: &Worker, file: Attachment, uploaded: &UploadedFile) -> Result<bool> {
    worker.service.reach(Point::FileUploaded);
    if uploaded.hash != file.gost_hash {
        return Err(Error::internal("the content of a file has changed in the file store of ours"));
    }
    let file = Attachment {
        gis_state: FileState::Uploaded,
        gis_id: Some(uploaded.id.as_uuid()),
        gis_error: None,
        ..file
    };
    let mut tx = worker.service.db.begin().await?;
    attachments::update(&mut tx, &file, worker.now(), 0).await?;
    tx.wake(JobName::Outbox);
    tx.commit().await?;
    worker.service.reach(Point::FileRecorded);
    Ok(true)
}

async fn failed(worker: &Worker, file: Attachment, failure: &UploadError, failures: i64) -> Result<bool> {
    let error = error_of_upload(&failure.error, worker.now());
    if is_refusal(&failure.error, failures) {
        refuse(worker, file, error).await?;
        return Ok(true);
    }
    let repeat = failure.error.repeat();
    if repeat == Repeat::AfterRepair {
        tracing::error!(attachment = %file.id, error = %failure.error, "files cannot be uploaded before a person has acted");
    }
    let resume = failure.resume.map(|id| id.as_uuid());
    let state = if resume.is_some() { FileState::Uploading } else { FileState::NotUploaded };
    let file = Attachment { gis_state: state, gis_id: resume, gis_error: Some(error), ..file };
    put_off(worker, &file, worker.again(failures + 1, repeat), failures + 1).await?;
    Ok(false)
}

async fn put_off(worker: &Worker, file: &Attachment, until: DateTime<Utc>, failures: i64) -> Result<()> {
    let mut tx = worker.service.db.begin().await?;
    attachments::update(&mut tx, file, until, failures).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether the file itself is at fault, so that no repeat helps; `failures` came before this one.
fn is_refusal(error: &GisError, failures: i64) -> bool {
    match error {
        GisError::File { error, .. } => error.repeat() == Repeat::Never,
        GisError::Refused { reason, .. } => match reason {
            Refusal::Content => true,
            Refusal::Unexplained => failures >= MOST_UNEXPLAINED,
            Refusal::Authority => false,
        },
        GisError::NotSent { .. }
        | GisError::MaybeSent { .. }
        | GisError::Unreadable { .. }
        | GisError::Fault(_) => false,
    }
}

fn error_of_upload(error: &GisError, now: DateTime<Utc>) -> LastError {
    let (code, detail) = match error {
        GisError::File { error: FileError::VirusInfection, .. } => {
            (LastErrorCode::FileInfected, "ГИС ЖКХ нашла в файле вирус")
        }
        GisError::File { error: FileError::VirusNotChecked, .. } => {
            (LastErrorCode::FileNotChecked, "ГИС ЖКХ ещё проверяет файл на вирусы")
        }
        GisError::Refused { reason: Refusal::Authority | Refusal::Unexplained, .. } => {
            return error_of_call(error, now);
        }
        GisError::File { .. } | GisError::Refused { .. } => {
            (LastErrorCode::FileRefused, "ГИС ЖКХ не приняла файл")
        }
        GisError::NotSent { .. }
        | GisError::MaybeSent { .. }
        | GisError::Unreadable { .. }
        | GisError::Fault(_) => return error_of_call(error, now),
    };
    LastError {
        origin: "gis".to_owned(),
        code: code.to_string(),
        detail: format!("{detail} ({error})"),
        pointer: None,
        gis: None,
    }
}

/// GIS has refused the file: the answers that name it are rejected, each with the place of the file in it. Of one that may
/// have been placed with an earlier upload, what GIS shows decides.
async fn refuse(worker: &Worker, file: Attachment, error: LastError) -> Result<()> {
    let file =
        Attachment { gis_state: FileState::Refused, gis_id: None, gis_error: Some(error.clone()), ..file };
    let known = {
        let mut conn = worker.service.db.read().await?;
        submissions::in_need_of(&mut conn, file.id).await?
    };
    let settings = &worker.service.settings.gis;
    let mut tx = worker.service.db.begin().await?;
    let mut items = hold(&mut tx, &known, worker.now()).await?;
    items.retain(|item| submissions::NEED_FILES.contains(&item.submission.state));
    for item in &mut items {
        let error = LastError { pointer: pointer_of(&item.answer, file.id), ..error.clone() };
        if item.submission.state == SubmissionState::Uncertain {
            let look_at = item.look_after(settings, Doubt::Silence { after: None });
            item.doubt(look_at, Some(LastError { code: GIS_REJECTED.to_owned(), ..error }))?;
        } else {
            item.refused(settings, error)?;
        }
    }
    close_all(&mut tx, items).await?;
    tx.wake(JobName::Settle);
    attachments::update(&mut tx, &file, worker.now(), 0).await?;
    tx.commit().await?;
    Ok(())
}

/// GIS has refused an answer, perhaps because it does not have its files any more: then they are uploaded anew for whoever
/// needs them next, be it the same answer posted once more, or another one that names them too.
pub(crate) async fn renew(tx: &mut Tx, worker: &Worker, answer: AnswerId, error: &LastError) -> Result<()> {
    if !error.gis.as_ref().is_some_and(|words| words.code.starts_with(OF_FILES)) {
        return Ok(());
    }
    for (_, file) in answers::files(tx, &[answer]).await? {
        if file.gis_state == FileState::Uploaded {
            tracing::warn!(attachment = %file.id, "GIS does not have a file that it took; it is uploaded anew");
            let file = Attachment {
                gis_state: FileState::NotUploaded,
                gis_id: None,
                gis_error: Some(error.clone().without_words()),
                ..file
            };
            attachments::update(tx, &file, worker.now(), 0).await?;
        }
    }
    tx.wake(JobName::Files);
    Ok(())
}

fn pointer_of(answer: &Answer, file: AttachmentId) -> Option<String> {
    answer.content.attachments().find(|(_, id)| *id == file).map(|(pointer, _)| pointer)
}
