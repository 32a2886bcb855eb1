//! Uploads files to the file store of GIS, before the answers that name them are sent (`api.md` §6.10, §11).
//!
//! To upload a file twice does no harm, so a failed upload is simply tried again, in parts from where it broke off. What must
//! stay true: a file that GIS refuses rejects the answers that name it and no other.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use gis_client::error::Refusal;
use gis_client::files::{FileError, FileUpload, UploadError};
use gis_client::{Error as GisError, Repeat, UploadedFile};
use serde_json::json;

use super::calls::error_of_call;
use super::gate::Entry;
use super::items::{close_all, hold};
use super::{JobName, Report, Worker};
use crate::crash::Point;
use crate::domain::answer::{Answer, LastError, State};
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::submission::Submission;
use crate::ids::AttachmentId;
use crate::store::gis_operations::Operation;
use crate::store::{answers, attachments, organizations, submissions};
use crate::{Error, Result};

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
    if is_refusal(&failure.error) {
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

/// Whether the file itself is at fault, so that no repeat helps.
fn is_refusal(error: &GisError) -> bool {
    match error {
        GisError::File { error, .. } => error.repeat() == Repeat::Never,
        GisError::Refused { reason, .. } => *reason == Refusal::Content,
        GisError::NotSent { .. }
        | GisError::MaybeSent { .. }
        | GisError::Unreadable { .. }
        | GisError::Fault(_) => false,
    }
}

fn error_of_upload(error: &GisError, now: DateTime<Utc>) -> LastError {
    let (code, detail) = match error {
        GisError::File { error: FileError::VirusInfection, .. } => {
            ("file_infected", "ГИС ЖКХ нашла в файле вирус")
        }
        GisError::File { .. } | GisError::Refused { .. } => ("file_refused", "ГИС ЖКХ не приняла файл"),
        GisError::NotSent { .. }
        | GisError::MaybeSent { .. }
        | GisError::Unreadable { .. }
        | GisError::Fault(_) => return error_of_call(error, now),
    };
    LastError {
        origin: "gis".to_owned(),
        code: code.to_owned(),
        detail: format!("{detail} ({error})"),
        pointer: None,
        gis: None,
    }
}

/// GIS has refused the file: the answers that name it are rejected, each with the place of the file in it.
async fn refuse(worker: &Worker, file: Attachment, error: LastError) -> Result<()> {
    let file =
        Attachment { gis_state: FileState::Refused, gis_id: None, gis_error: Some(error.clone()), ..file };
    let known = {
        let mut conn = worker.service.db.read().await?;
        let mut known: Vec<Submission> = Vec::new();
        for answer in answers::using(&mut conn, file.id).await? {
            known.extend(submissions::of_answer(&mut conn, answer.id).await?);
        }
        known
    };
    let mut tx = worker.service.db.begin().await?;
    let mut items = hold(&mut tx, &known, worker.now()).await?;
    items.retain(|item| item.answer.state == State::Queued);
    for item in &mut items {
        let error = LastError { pointer: pointer_of(&item.answer, file.id), ..error.clone() };
        item.refused(&worker.service.settings.gis, error)?;
    }
    close_all(&mut tx, items).await?;
    tx.wake(JobName::Settle);
    attachments::update(&mut tx, &file, worker.now(), 0).await?;
    tx.commit().await?;
    Ok(())
}

fn pointer_of(answer: &Answer, file: AttachmentId) -> Option<String> {
    answer.content.attachments().find(|(_, id)| *id == file).map(|(pointer, _)| pointer)
}
