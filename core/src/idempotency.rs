//! Requests that are repeated (`api.md` §10): the reply to a request with an Idempotency-Key is written in the transaction of
//! its effect and given again to whoever comes with the same key.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::Service;
use crate::crash::{CrashAt, Point};
use crate::error::{Code, Error, Result};
use crate::store::Tx;
use crate::store::receipts::{self, Receipt};

/// What a request with an Idempotency-Key is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptKey {
    /// SHA-256 of organisation, subject, method, path and key.
    pub scope: [u8; 32],
    /// SHA-256 of the canonical body.
    pub fingerprint: [u8; 32],
}

/// A reply as it is stored and given again.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The headers `Location`, `ETag` and their like.
    pub headers: Vec<(String, String)>,
    /// The body; may hold personal data.
    pub body: Bytes,
    /// What stood there before a change, for the audit log; it is not given again.
    pub before: Option<Bytes>,
    /// What is given the first time in the place of the body: it holds a secret, which is neither stored nor hashed. A
    /// repeat gets the body.
    pub shown_once: Option<Bytes>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// How a writing request begins.
#[expect(clippy::large_enum_variant, reason = "one a request, taken apart at once")]
pub enum Begun {
    /// It was done before; this was the reply.
    Replay(Reply),
    /// It is new.
    Fresh(Writing),
}

/// A write transaction that ends with a reply. Dropped unfinished, it leaves nothing.
pub struct Writing {
    tx: Tx,
    key: Option<ReceiptKey>,
    now: DateTime<Utc>,
    crash_at: CrashAt,
}

impl Deref for Writing {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

impl Writing {
    /// Stores the reply for the next time, if there is a key, and commits.
    ///
    /// # Errors
    /// The database could not; nothing was done then.
    pub async fn finish(mut self, reply: &Reply) -> Result<()> {
        if let Some(key) = self.key {
            let receipt = Receipt {
                scope: key.scope,
                fingerprint: key.fingerprint,
                status: reply.status,
                headers: reply.headers.clone(),
                body: reply.body.to_vec(),
            };
            receipts::insert(&mut self.tx, &receipt, self.now).await?;
        }
        self.crash_at.reach(Point::BeforeCommit);
        self.tx.commit().await?;
        self.crash_at.reach(Point::AfterCommit);
        Ok(())
    }
}

impl Service {
    /// Begins a writing request.
    ///
    /// # Errors
    /// [`Code::IdempotencyKeyReused`] when the key came with another body before; [`Code::IdempotencyInProgress`] when a
    /// twin is still at work after five seconds.
    pub async fn begin(&self, key: Option<ReceiptKey>) -> Result<Begun> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let fresh = |tx| Begun::Fresh(Writing { tx, key, now, crash_at: self.settings.crash_at });
        let Some(wanted) = key else { return Ok(fresh(tx)) };
        let Some(receipt) = receipts::claim(&mut tx, &wanted.scope).await? else {
            return Ok(fresh(tx));
        };
        let reply = given_again(receipt, &wanted)?;
        // The effect may be in a transaction that is not stored yet.
        tx.commit().await?;
        Ok(Begun::Replay(reply))
    }

    /// The reply to a request that was done before, for requests with work to do before they begin: it is not done again for
    /// nothing. A twin that is still at work is seen by [`Service::begin`] alone.
    ///
    /// # Errors
    /// [`Code::IdempotencyKeyReused`] when the key came with another body before.
    pub async fn replay(&self, key: &ReceiptKey) -> Result<Option<Reply>> {
        let mut conn = self.db.read().await?;
        let receipt = receipts::get(&mut conn, &key.scope).await?;
        receipt.map(|receipt| given_again(receipt, key)).transpose()
    }
}

/// The stored reply, if it is the one to this very request.
fn given_again(receipt: Receipt, wanted: &ReceiptKey) -> Result<Reply> {
    if receipt.fingerprint != wanted.fingerprint {
        let detail = "этот Idempotency-Key уже пришёл с другим телом запроса; возьмите новый ключ";
        return Err(Error::refused(Code::IdempotencyKeyReused, detail));
    }
    let Receipt { status, headers, body, .. } = receipt;
    Ok(Reply { status, headers, body: body.into(), before: None, shown_once: None })
}
