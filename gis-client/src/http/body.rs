//! The body of a request that does not start after its lease has ended.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Tells whether any byte of a body was handed to the connection. While it was not, GIS cannot have the message,
/// whatever else happened to the call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Started(Arc<AtomicBool>);

impl Started {
    pub(crate) fn is_true(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The lease of a call was over when its first byte was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease of the call is over")]
pub(crate) struct LeaseOver;

/// A whole body in one piece of known length, so that `Content-Length` is sent.
///
/// The connection asks for the first piece when it is open and about to write. An error then makes it drop the
/// head of the request as well, which waits in the same buffer.
pub(crate) struct LeasedBody {
    content: Option<Bytes>,
    not_after: Option<Instant>,
    started: Started,
}

impl LeasedBody {
    pub(crate) fn new(content: Bytes, not_after: Option<Instant>) -> (Self, Started) {
        let started = Started::default();
        (Self { content: Some(content), not_after, started: started.clone() }, started)
    }

    fn lease_is_over(&self) -> bool {
        self.not_after.is_some_and(|not_after| Instant::now() >= not_after)
    }
}

impl Body for LeasedBody {
    type Data = Bytes;
    type Error = LeaseOver;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, LeaseOver>>> {
        if self.content.is_some() && self.lease_is_over() {
            return Poll::Ready(Some(Err(LeaseOver)));
        }
        let piece = self.content.take();
        if piece.is_some() {
            self.started.0.store(true, Ordering::SeqCst);
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.content.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
    }
}
