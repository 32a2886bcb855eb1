//! Takes down what a call puts on the wire and what comes back, byte for byte.

use async_trait::async_trait;

use crate::error::Cause;

/// Whoever keeps the messages of a call.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// The whole message, signed, before a connection is asked for. After an error it is not sent.
    ///
    /// # Errors
    /// Why it cannot be taken down.
    async fn sending(&self, message: &[u8]) -> Result<(), Cause>;

    /// The body of a complete reply, whatever it says, before it is read.
    fn received(&self, status: u16, body: &[u8]);
}
