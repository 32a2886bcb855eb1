//! What every story needs: a gateway and a GIS with clocks in hand, and a client.

mod client;
mod gateway;
mod receiver;
mod stand;

pub(crate) use client::{Client, Reply, next_page};
pub(crate) use gateway::{Gateway, Workshop};
pub(crate) use receiver::Receiver;
pub(crate) use stand::{ALL_SCOPES, FOREIGN_PPA, Setup, Stand, for_both, for_both_with, ids};
