//! `debtgate demo`: the gateway and a simulator of GIS in one process, on SQLite, with a throw-away key.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::demo;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Где слушать.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Сколько запросов придумать.
    #[arg(long, default_value_t = 250)]
    requests: u64,
    /// Из какого числа их придумать.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Папка для данных; по умолчанию временная, после остановки от неё ничего не остаётся.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self) -> Result<()> {
        let Self { listen, requests, seed, data } = self;
        demo::run(demo::Settings { listen, requests, seed, data }).await
    }
}
