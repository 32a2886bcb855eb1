//! `debtgate org`: the organisations served here.

use anyhow::{Context, Result};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use debt_core::access::{NewOrganization, OrganizationDetails};
use debt_core::domain::organization::Ogrn;
use debt_core::ids::{EmployeeId, OrganizationId};
use uuid::Uuid;

use super::ConfigFile;
use super::words::explain;
use crate::assemble;

#[derive(Debug, Subcommand)]
pub(super) enum Org {
    /// Добавить организацию.
    Add(Box<Add>),
    /// Список организаций.
    List(ConfigFile),
    /// Одна организация с сотрудниками.
    Show(One),
    /// Назначить исполнителя по умолчанию: ему достаются запросы, за которые больше никто не отвечает.
    Executor(Executor),
    /// Снова отправлять ответы организации, отправка которых остановлена отказом ГИС ЖКХ в доступе.
    Resume(One),
    /// Удалить организацию, у которой нет запросов.
    Remove(One),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    file: ConfigFile,
    /// Идентификатор организации в шлюзе; по умолчанию новый.
    #[arg(long)]
    id: Option<OrganizationId>,
    /// Наименование.
    #[arg(long)]
    name: String,
    /// ОГРН.
    #[arg(long)]
    ogrn: Ogrn,
    /// orgPPAGUID поставщика данных в ГИС ЖКХ.
    #[arg(long)]
    ppa_guid: Uuid,
    /// Кто подписывает: имя раздела [signers.ИМЯ].
    #[arg(long)]
    signer: String,
    /// Часовой пояс, в котором считаются сроки.
    #[arg(long, default_value = "Europe/Moscow")]
    time_zone: Tz,
    /// Сотрудник в виде «ФИО=GUID»; можно повторять, первый — исполнитель по умолчанию.
    #[arg(long = "executor", value_parser = executor)]
    executors: Vec<(String, Uuid)>,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    file: ConfigFile,
    /// Идентификатор организации в шлюзе.
    #[arg(long)]
    id: OrganizationId,
}

#[derive(Debug, Args)]
pub(super) struct Executor {
    #[command(flatten)]
    one: One,
    /// Идентификатор сотрудника в шлюзе.
    #[arg(long)]
    employee: EmployeeId,
}

fn executor(text: &str) -> Result<(String, Uuid), String> {
    let (name, guid) = text.rsplit_once('=').ok_or("нужно «ФИО=GUID»")?;
    let guid = guid.trim().parse().map_err(|error| format!("GUID сотрудника: {error}"))?;
    let name = name.trim();
    if name.is_empty() { Err("ФИО пустое".to_owned()) } else { Ok((name.to_owned(), guid)) }
}

impl Org {
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Self::Add(add) => add.run().await,
            Self::List(file) => {
                let service = assemble::service(&file.load()?).await?;
                for organization in service.list_organizations().await.map_err(explain)? {
                    println!("{}  {}  {}", organization.id, organization.ogrn.as_str(), organization.name);
                }
                Ok(())
            }
            Self::Show(one) => {
                let service = assemble::service(&one.file.load()?).await?;
                print(&service.show_organization(one.id).await.map_err(explain)?);
                Ok(())
            }
            Self::Executor(Executor { one, employee }) => {
                let service = assemble::service(&one.file.load()?).await?;
                service.set_default_executor(one.id, employee).await.map_err(explain)?;
                println!("назначен");
                Ok(())
            }
            Self::Resume(one) => {
                let service = assemble::service(&one.file.load()?).await?;
                service.resume_organization(one.id).await.map_err(explain)?;
                println!("отправка возобновлена");
                Ok(())
            }
            Self::Remove(one) => {
                let service = assemble::service(&one.file.load()?).await?;
                service.remove_organization(one.id).await.map_err(explain)?;
                println!("удалена");
                Ok(())
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<()> {
        let service = assemble::service(&self.file.load()?).await?;
        let new = NewOrganization {
            id: self.id,
            name: self.name,
            ogrn: self.ogrn,
            ppa_guid: self.ppa_guid,
            signer: self.signer,
            time_zone: self.time_zone,
            executors: self.executors,
        };
        let added =
            service.add_organization(new).await.map_err(explain).context("организация не добавлена")?;
        print(&added);
        Ok(())
    }
}

fn print(details: &OrganizationDetails) {
    let organization = &details.organization;
    println!("id          {}", organization.id);
    println!("name        {}", organization.name);
    println!("ogrn        {}", organization.ogrn.as_str());
    println!("ppa_guid    {}", organization.ppa_guid);
    println!("signer      {}", organization.signer);
    println!("time_zone   {}", organization.time_zone);
    if let Some(halt) = &organization.halted {
        println!("halted      {} {} ({})", halt.since, halt.detail, halt.code);
    }
    for employee in &details.employees {
        let usual =
            if organization.default_executor == Some(employee.id) { "  по умолчанию" } else { "" };
        let gis = employee.gis_guid.map_or_else(|| "без GUID ГИС ЖКХ".to_owned(), |guid| guid.to_string());
        println!("executor    {}  {}  {gis}{usual}", employee.id, employee.full_name);
    }
}
