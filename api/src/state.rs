//! What every request may use.

use std::sync::Arc;

use bytes::Bytes;
use debt_core::Service;

use crate::auth::KeySet;
use crate::page::Cursors;
use crate::rate::Rate;
use crate::sandbox::Sandbox;
use crate::uploads::Uploads;

/// Shared by all workers of the HTTP server.
pub struct AppState {
    /// The use cases.
    pub service: Arc<Service>,
    /// The keys that tokens are signed with.
    pub keys: KeySet,
    /// Makes and reads cursors.
    pub cursors: Cursors,
    /// How much a token may ask.
    pub rate: Rate,
    /// How much an organisation uploads at once.
    pub uploads: Uploads,
    /// The address under which clients see us, without a slash at its end.
    pub public_url: String,
    /// The OpenAPI document as it is served.
    pub openapi: Bytes,
    /// The simulator, where there is one in the same process.
    pub sandbox: Option<Arc<dyn Sandbox>>,
}
