//! The database with its tables and organisations, and the place of the files.

use bytes::Bytes;
use debt_core::Service;
use debt_core::files::FileStore;
use debt_core::ids::ContentId;
use debt_core::store::OpenError;

use super::finding::Finding;
use crate::assemble;
use crate::config::Config;

const DATABASE: &str = "база данных";
const ORGANIZATIONS: &str = "организации";
const FILES: &str = "файлы";
const SEE_DATABASE: &str = "проверьте [database]";

pub(super) async fn database(config: &Config) -> Vec<Finding> {
    let db = match assemble::database(config).await {
        Ok(db) => db,
        Err(error) => return vec![not_opened(&error)],
    };
    let tables = match db.pending_migrations().await {
        Ok(pending) if pending.is_empty() => Finding::ok(DATABASE, "открывается, таблицы в порядке"),
        Ok(pending) => {
            let detail = format!("открывается, не выполнено шагов: {}", pending.len());
            return vec![Finding::failed(DATABASE, detail, "выполните debtgate migrate")];
        }
        Err(error) => return vec![Finding::failed(DATABASE, error.to_string(), SEE_DATABASE)],
    };
    match assemble::service_on(db, config) {
        Ok(service) => vec![tables, organizations(&service, config).await],
        // Files or dictionaries: their own findings tell.
        Err(_) => vec![tables],
    }
}

fn not_opened(error: &anyhow::Error) -> Finding {
    match error.downcast_ref::<OpenError>() {
        // With SQLite one process has the file, and a gateway that runs is nothing wrong.
        Some(OpenError::InUse(_)) => Finding::warning(
            DATABASE,
            "шлюз работает: файл базы занят им, таблицы и организации не проверены",
            "чтобы проверить и их, остановите шлюз на время проверки",
        ),
        Some(_) | None => Finding::failed(DATABASE, format!("{error:#}"), SEE_DATABASE),
    }
}

async fn organizations(service: &Service, config: &Config) -> Finding {
    let list = match service.list_organizations().await {
        Err(error) => {
            return Finding::failed(ORGANIZATIONS, format!("{:#}", anyhow::Error::from(error)), SEE_DATABASE);
        }
        Ok(list) if list.is_empty() => {
            return Finding::warning(ORGANIZATIONS, "ни одной", "добавьте первую: debtgate org add");
        }
        Ok(list) => list,
    };
    let lost: Vec<_> = list
        .iter()
        .filter(|organization| !config.signers.contains_key(&organization.signer))
        .map(|organization| organization.name.as_str())
        .collect();
    if lost.is_empty() {
        Finding::ok(ORGANIZATIONS, format!("{}", list.len()))
    } else {
        let detail = format!("нет подписи у: {}", lost.join(", "));
        Finding::failed(ORGANIZATIONS, detail, "добавьте их разделы [signers]")
    }
}

/// A folder that is there may be read-only, and a bucket is not asked anything when it is opened.
pub(super) async fn files(config: &Config) -> Finding {
    let files = match assemble::files(config) {
        Ok(files) => files,
        Err(error) => {
            return Finding::failed(FILES, format!("{error:#}"), "проверьте [files] и [encryption]");
        }
    };
    match there_and_back(&files).await {
        Ok(true) => Finding::ok(FILES, "запись, чтение и удаление проходят"),
        Ok(false) => Finding::failed(
            FILES,
            "прочитано не то, что было записано",
            "проверьте, что это место хранит файлы как есть и что с ним работает только шлюз",
        ),
        Err(error) => Finding::failed(
            FILES,
            format!("{:#}", anyhow::Error::from(error)),
            "проверьте, что по адресу из [files] url можно писать, читать и удалять: права на папку, место на диске, \
             для s3 — переменные AWS_* и политику доступа",
        ),
    }
}

/// Whether a small content comes back as it was; nothing of it is left.
async fn there_and_back(files: &FileStore) -> debt_core::Result<bool> {
    let (id, content) = (ContentId::generate(), Bytes::from_static(b"debtgate doctor"));
    files.put(id, content.clone()).await?;
    let read = files.get(id).await;
    files.delete(id).await?;
    Ok(read? == content)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Outcome;
    use super::*;

    #[test]
    fn a_file_in_use_is_a_gateway_at_work_and_any_other_error_is_one() {
        let in_use = anyhow::Error::from(OpenError::InUse("debtgate.db.lock".into())).context("database.url");
        let finding = not_opened(&in_use);
        assert_eq!(finding.outcome, Outcome::Warning);
        assert!(finding.detail.contains("шлюз работает"), "{finding:?}");
        for other in [
            anyhow::Error::from(OpenError::Tls("no".to_owned())).context("database.url"),
            anyhow::anyhow!("another"),
        ] {
            assert_eq!(not_opened(&other).outcome, Outcome::Failed, "{other:#}");
        }
    }
}
