//! How long the next piece of a body may take. A client that vanished without a word would hold its connection, and the
//! place of its upload, until the program ends.

use std::io;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use tokio::time::timeout;

/// Far above what a slow line needs between two pieces.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same body, which breaks off when its next piece does not come in time.
pub(crate) fn patient(body: Payload) -> Payload {
    let pieces = unfold(body, |mut body| async {
        let silent = |_elapsed| Some(Err(PayloadError::Incomplete(Some(io::ErrorKind::TimedOut.into()))));
        let piece = timeout(PATIENCE, body.next()).await.unwrap_or_else(silent)?;
        Some((piece, body))
    });
    // Readers of forms ask once more after the end.
    Payload::Stream { payload: Box::pin(pieces.fuse()) }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;
    use futures_util::stream::{iter, pending};

    use super::*;

    fn body(pieces: &'static [&'static str]) -> Payload {
        let pieces = iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))));
        Payload::Stream { payload: Box::pin(pieces.chain(pending())) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_nothing_for_long_has_broken_off() {
        let mut slow = patient(body(&["a", "b"]));
        assert_eq!(slow.next().await.unwrap().unwrap(), "a");
        tokio::time::advance(PATIENCE * 2).await;
        assert_eq!(slow.next().await.unwrap().unwrap(), "b", "only the time of waiting counts");
        let silent = slow.next().await.unwrap().unwrap_err();
        assert!(
            matches!(silent, PayloadError::Incomplete(Some(cause)) if cause.kind() == io::ErrorKind::TimedOut)
        );
    }

    #[tokio::test]
    async fn a_body_ends_as_it_ends() {
        let mut ended = patient(Payload::None);
        assert!(ended.next().await.is_none() && ended.next().await.is_none());
    }
}
