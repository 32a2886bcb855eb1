//! `debtgate migrate`: brings the tables up to date; safe to repeat, and on PostgreSQL from several instances at once.

use anyhow::Result;
use debt_core::clock::Clock;

use crate::assemble;
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Result<()> {
    let db = assemble::database(config).await?;
    let pending = db.pending_migrations().await?;
    db.migrate(&Clock::System).await?;
    match pending.len() {
        0 => println!("таблицы уже в порядке"),
        count => println!("таблицы обновлены, шагов: {count}"),
    }
    Ok(())
}
