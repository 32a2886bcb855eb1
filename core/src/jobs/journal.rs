//! Takes down the exchange with GIS for the archive. A signed message that cannot be archived is not sent: the call then
//! counts as not made and is tried again. A reply that cannot be archived is logged and counted, and the work goes on.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use gis_client::error::Cause;
use gis_client::{Call, Recorder};

use super::Worker;
use crate::crash::Point;
use crate::domain::evidence::Part;
use crate::ids::MessageId;
use crate::service::Service;

/// Takes down one call that concerns a message with answers.
pub(super) struct Journal {
    service: Arc<Service>,
    message: MessageId,
    /// Which part of the message the reply to this call is.
    reply_is: Part,
    reply: Mutex<Option<(u16, Bytes)>>,
}

impl Journal {
    /// For the call that sends the message, or, with [`Part::Result`], for one that asks for its result.
    pub(super) fn new(worker: &Worker, message: MessageId, reply_is: Part) -> Arc<Self> {
        let service = Arc::clone(&worker.service);
        Arc::new(Self { service, message, reply_is, reply: Mutex::new(None) })
    }

    /// The call, taken down.
    pub(super) fn of(self: &Arc<Self>, call: Call) -> Call {
        let recorder: Arc<dyn Recorder> = Arc::<Self>::clone(self);
        Call { recorder: Some(recorder), ..call }
    }

    /// Archives the reply, if a whole one came.
    pub(super) async fn keep_reply(&self) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((status, body)) = reply else { return };
        let kept = self.service.keep_evidence(self.message, self.reply_is, Some(status), body).await;
        if let Err(error) = kept {
            metrics::counter!("debtgate_evidence_failures_total").increment(1);
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(message = %self.message, part = %self.reply_is, %error, cause, "a reply of GIS could not be archived");
        }
    }
}

#[async_trait]
impl Recorder for Journal {
    async fn sending(&self, message: &[u8]) -> Result<(), Cause> {
        if self.reply_is != Part::Acknowledgement {
            return Ok(());
        }
        let message = Bytes::copy_from_slice(message);
        let kept = self.service.keep_evidence(self.message, Part::Request, None, message).await;
        kept.map_err(|error| {
            metrics::counter!("debtgate_evidence_failures_total").increment(1);
            Cause::from(error)
        })?;
        self.service.reach(Point::MessageArchived);
        Ok(())
    }

    fn received(&self, status: u16, body: &[u8]) {
        let reply = (status, Bytes::copy_from_slice(body));
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
    }
}
