//! The command line, one file a command (`architecture.md`, "Command line and configuration").

mod demo;
mod doctor;
mod keys;
mod migrate;
mod org;
mod serve;
mod token;
mod words;

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::config::Config;
use crate::openapi;

/// Шлюз REST/JSON к запросам о задолженности ГИС ЖКХ.
#[derive(Debug, Parser)]
#[command(name = "debtgate", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Шлюз и имитатор ГИС ЖКХ в одном процессе: попробовать, ничего не настраивая.
    Demo(demo::Demo),
    /// Работать.
    Serve(serve::Serve),
    /// Создать или обновить таблицы базы данных.
    Migrate(ConfigFile),
    /// Организации, от имени которых шлюз отвечает.
    #[command(subcommand)]
    Org(org::Org),
    /// Токены клиентов.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Ключи: для подписи токенов и перевод ключей КриптоПро в PEM.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Проверить настройки, базу, ключи, туннель и ГИС ЖКХ.
    Doctor(doctor::Doctor),
    /// Напечатать документ OpenAPI.
    Openapi,
}

/// Where the configuration is.
#[derive(Debug, Args)]
struct ConfigFile {
    /// Файл настроек; по умолчанию debtgate.toml, а без него хватит переменных DEBTGATE__РАЗДЕЛ__КЛЮЧ.
    #[arg(long, env = "DEBTGATE_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn load(&self) -> Result<Config> {
        Ok(match &self.config {
            Some(path) => Config::load(path)?,
            None => Config::load_usual()?,
        })
    }
}

/// For the jobs and the connections of the database. The web workers have a thread for every core already: on two cores,
/// lists from PostgreSQL come a sixth faster with one thread here than with two, because handing over costs more than it
/// gains.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread()
        .worker_threads(cores.div_ceil(2))
        // They wait for the disk or calculate; the allocator keeps memory for each.
        .max_blocking_threads(cores.saturating_mul(4))
        .enable_all()
        .build()
}

/// Does what the command line says.
///
/// # Errors
/// In words for people.
pub fn run(cli: Cli) -> Result<ExitCode> {
    runtime()?.block_on(async {
        match cli.command {
            Command::Demo(demo) => demo.run().await?,
            Command::Serve(serve) => serve.run().await?,
            Command::Migrate(file) => migrate::run(&file.load()?).await?,
            Command::Org(org) => org.run().await?,
            Command::Token(token) => token.run().await?,
            Command::Keys(keys) => keys.run()?,
            Command::Doctor(doctor) => return doctor.run().await,
            Command::Openapi => print!("{}", openapi::text()?),
        }
        Ok(ExitCode::SUCCESS)
    })
}
