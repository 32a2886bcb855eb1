//! A worker's line to the GIS of the model. It can be held in the middle of a call: the worker stands still then, as a
//! process does that the system has stopped, while others go on.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Instant;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use gis_client::debt_requests::{Acknowledgement, ExportSubrequests, ImportResponses, State};
use gis_client::error::NotSent;
use gis_client::files::{FileState, FileUpload, UploadError};
use gis_client::http::ProbeReply;
use gis_client::ids::{AttachmentId, GisMessageId, OrganizationId};
use gis_client::{Call, Error, Gis, UploadedFile};

use super::action::Point;
use super::gis::ModelGis;
use crate::clock::Clock;

/// GIS, shared by all lines.
pub(super) type SharedGis = Arc<Mutex<ModelGis>>;

/// One worker's way to GIS.
pub(super) struct Line {
    gis: SharedGis,
    clock: Clock,
    /// How long a worker holds what it has taken.
    lease: TimeDelta,
    hold: Mutex<Hold>,
}

#[derive(Default)]
struct Hold {
    /// Where the next call is to be held.
    at: Option<Point>,
    /// Whether one is held.
    held: bool,
}

impl Line {
    pub(super) fn new(gis: SharedGis, clock: Clock, lease: TimeDelta) -> Self {
        Self { gis, clock, lease, hold: Mutex::default() }
    }

    /// The next call is held there, or none any more.
    pub(super) fn hold_at(&self, point: Option<Point>) {
        *self.hold.lock().unwrap() = Hold { at: point, held: false };
    }

    /// Whether a call is held.
    pub(super) fn is_held(&self) -> bool {
        self.hold.lock().unwrap().held
    }

    async fn pass(&self, point: Point) {
        {
            let mut hold = self.hold.lock().unwrap();
            if hold.at == Some(point) {
                *hold = Hold { at: None, held: true };
            }
        }
        // A wait also where nobody holds the call, so that a worker can die here.
        tokio::task::yield_now().await;
        poll_fn(|_| if self.is_held() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// What every call does before its first byte leaves: the lease may be over by then.
    async fn before(&self, call: &Call) -> Result<(), Error> {
        self.pass(Point::Before).await;
        let over = call.header.sent_at.to_utc() + self.lease <= self.clock.now();
        if over { Err(Error::NotSent { reason: NotSent::LeaseOver, source: None }) } else { Ok(()) }
    }

    fn at_gis<T>(&self, ask: impl FnOnce(&mut ModelGis, DateTime<Utc>) -> T) -> T {
        ask(&mut self.gis.lock().unwrap(), self.clock.now())
    }
}

#[async_trait]
impl Gis for Line {
    async fn export_debt_subrequests(
        &self,
        call: &Call,
        request: &ExportSubrequests,
    ) -> Result<Acknowledgement, Error> {
        self.before(call).await?;
        let reply = self.at_gis(|gis, now| gis.export(call, request, now));
        self.pass(Point::After).await;
        reply
    }

    async fn import_responses(
        &self,
        call: &Call,
        request: &ImportResponses,
    ) -> Result<Acknowledgement, Error> {
        self.before(call).await?;
        let reply = self.at_gis(|gis, now| gis.import(call, request, now));
        self.pass(Point::After).await;
        reply
    }

    async fn get_state(&self, call: &Call, message: GisMessageId) -> Result<State, Error> {
        self.before(call).await?;
        let reply = self.at_gis(|gis, now| gis.state(message.as_uuid(), now));
        self.pass(Point::After).await;
        reply
    }

    async fn upload_file(
        &self,
        _: &FileUpload,
        _: Option<AttachmentId>,
        _: Option<Instant>,
    ) -> Result<UploadedFile, UploadError> {
        unreachable!("the answers of the model have no files")
    }

    async fn file_state(&self, _: OrganizationId, _: AttachmentId) -> Result<FileState, Error> {
        unreachable!("the answers of the model have no files")
    }

    async fn download_file(
        &self,
        _: OrganizationId,
        _: AttachmentId,
        _: u64,
        _: Option<Instant>,
    ) -> Result<Vec<u8>, Error> {
        unreachable!("the answers of the model have no files")
    }

    async fn probe(&self) -> Result<ProbeReply, Error> {
        self.pass(Point::Probe).await;
        Ok(ProbeReply { status: 200, date: None })
    }
}
