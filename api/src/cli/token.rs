//! `debtgate token`: tokens of clients. A token is printed once and kept nowhere.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use debt_core::access::NewToken;
use debt_core::domain::caller::{Scope, Scopes};
use debt_core::ids::{EmployeeId, OrganizationId, TokenId};

use super::ConfigFile;
use super::words::explain;
use crate::assemble;
use crate::auth::{Claims, KeySet};

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Выпустить токен и напечатать его одного.
    Issue(Issue),
    /// Список выпущенных токенов.
    List(ConfigFile),
    /// Отозвать токен; подействует в течение 30 секунд.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    #[command(flatten)]
    file: ConfigFile,
    /// Организация; можно повторять.
    #[arg(long = "org", required = true)]
    organizations: Vec<OrganizationId>,
    /// Сотрудник, от имени которого действует токен.
    #[arg(long)]
    employee: Option<EmployeeId>,
    /// Имя клиента.
    #[arg(long)]
    name: String,
    /// Права через запятую; какие бывают, покажет --help.
    #[arg(long, long_help = scopes_help())]
    scopes: Scopes,
    /// Срок действия в днях, не больше 366.
    #[arg(long, default_value_t = 180)]
    days: u16,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    file: ConfigFile,
    /// Идентификатор токена (jti).
    jti: TokenId,
}

/// Every scope with what it allows.
fn scopes_help() -> String {
    let lines = Scope::ALL.iter().map(|scope| format!("\n{:<18} {}", scope.as_str(), scope.label()));
    format!("Права через запятую:{}", lines.collect::<String>())
}

impl TokenCommand {
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Self::Issue(issue) => issue.run().await,
            Self::List(file) => {
                let service = assemble::service(&file.load()?).await?;
                let now = service.clock.now();
                for token in service.list_tokens().await.map_err(explain)? {
                    let state = match (token.revoked_at, token.expires_at <= now) {
                        (Some(_), _) => "отозван",
                        (None, true) => "истёк",
                        (None, false) => "действует",
                    };
                    println!(
                        "{}  {state}  до {}  {}  {}",
                        token.id, token.expires_at, token.scopes, token.name
                    );
                }
                Ok(())
            }
            Self::Revoke(revoke) => {
                let service = assemble::service(&revoke.file.load()?).await?;
                service.revoke_token(revoke.jti).await.map_err(explain)?;
                println!("отозван");
                Ok(())
            }
        }
    }
}

impl Issue {
    async fn run(self) -> Result<()> {
        let config = self.file.load()?;
        let keys = KeySet::load(&config.auth).context("auth.keys")?;
        if !keys.can_sign() {
            bail!("в auth.keys нет ключа, который подписывает: нужен private_key или secret");
        }
        let service = assemble::service(&config).await?;
        let new = NewToken {
            name: self.name,
            scopes: self.scopes,
            organizations: self.organizations,
            employee: self.employee,
            days: self.days,
            created_by: "cli".to_owned(),
        };
        let token = service.issue_token(new).await.map_err(explain)?;
        println!("{}", keys.issue(&Claims::of(&token))?);
        Ok(())
    }
}
