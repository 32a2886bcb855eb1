//! `debtgate serve`.

use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;

use super::ConfigFile;
use crate::assemble;
use crate::serve::{Ports, Role, run, signal};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// Что делает этот процесс.
    #[arg(long, value_enum, default_value = "all")]
    role: Role,
}

impl Serve {
    pub(super) async fn run(self) -> Result<()> {
        let config = self.file.load()?;
        let telemetry = Telemetry::start(&config.telemetry, tracing::Level::INFO)?;
        let metrics = Metrics::install()?;
        let service = assemble::service(&config).await?;
        if service.db.is_embedded() {
            if self.role != Role::All {
                bail!("с SQLite возможна только --role all: с файлом работает один процесс");
            }
            // Nobody else can do it beside the only process that may have the file.
            service.db.migrate(&service.clock).await?;
        } else if !service.db.pending_migrations().await?.is_empty() {
            bail!("таблицы базы данных не обновлены: выполните debtgate migrate");
        }
        let worker = match self.role {
            Role::Api => None,
            Role::All | Role::Worker => Some(Arc::new(assemble::worker(&config, &service)?)),
        };
        let ports = Ports::open(&config, self.role)?;
        let state = assemble::app_state(&config, &service).await?;
        for (name, address) in [("public", ports.public_address()), ("internal", ports.internal_address())] {
            if let Some(address) = address {
                tracing::info!(%address, "{name} port");
            }
        }
        run(&config, ports, state, worker, metrics, signal()).await?;
        telemetry.shutdown().await;
        Ok(())
    }
}
