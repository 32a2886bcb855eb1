//! The program and its client, as the stories of `tests/gateway` know them.

#[path = "../gateway/harness/client.rs"]
mod client;
#[path = "../gateway/harness/gateway.rs"]
mod gateway;

pub(crate) use client::Client;
pub(crate) use gateway::{Gateway, Workshop};
