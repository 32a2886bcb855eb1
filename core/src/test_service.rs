//! A service over a fresh database, with one organisation and a client that may do everything.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gis_client::debt_requests::Dictionaries;
use tempfile::TempDir;

use crate::Service;
use crate::access::TokenCache;
use crate::clock::Clock;
use crate::domain::caller::{Caller, Scope, Scopes};
use crate::domain::import::{AnswerColumnMode, ImportMode};
use crate::files::FileStore;
use crate::ids::{DebtRequestId, ImportId, OrganizationId, TokenId};
use crate::imports::CreateImport;
use crate::settings::Settings;
use crate::store::{Db, debt_requests, employees, organizations, samples};

/// What a test of use cases stands on.
pub(crate) struct Bench {
    pub(crate) service: Service,
    pub(crate) caller: Caller,
    folder: TempDir,
}

impl Bench {
    /// The clock shows [`start`].
    pub(crate) async fn new(db: Db) -> Self {
        let folder = TempDir::new().unwrap();
        let mut tx = db.begin().await.unwrap();
        let organization = samples::stored_organization(&mut tx).await;
        tx.commit().await.unwrap();
        let service = Service {
            db,
            clock: Clock::manual(start()),
            files: FileStore::open(&format!("file://{}", folder.path().display())).unwrap(),
            dictionaries: Dictionaries::default(),
            settings: Settings { signers: ["main".to_owned()].into(), ..Settings::default() },
            tokens: TokenCache::default(),
            horizons: Default::default(),
        };
        Self { service, caller: caller(organization), folder }
    }

    /// A debt request that somebody can answer: the default executor is known to GIS.
    pub(crate) async fn answerable_request(&self) -> DebtRequestId {
        let organization = self.caller.organization;
        let executor = samples::employee(organization);
        let mut request = samples::request(organization);
        request.gis.due_on = Some("2026-11-10".parse().unwrap());
        let mut tx = self.service.db.begin().await.unwrap();
        employees::insert(&mut tx, &executor).await.unwrap();
        organizations::set_default_executor(&mut tx, organization, executor.id).await.unwrap();
        debt_requests::save(&mut tx, std::slice::from_ref(&request)).await.unwrap();
        tx.commit().await.unwrap();
        request.id
    }

    /// The same after the program was started anew: what was in memory is gone.
    pub(crate) fn restarted(self) -> Self {
        let service = Service { tokens: TokenCache::default(), horizons: Default::default(), ..self.service };
        Self { service, ..self }
    }

    /// Takes back what stopped work has in the queue, as the job `operations` does; how much that was.
    pub(crate) async fn take_back(&self) -> usize {
        let mut taken_back = 0;
        for work in self.service.stopped_work().await.unwrap() {
            taken_back += self.service.take_back(work).await.unwrap().0;
        }
        taken_back
    }

    /// How many files the file store holds.
    pub(crate) fn stored_files(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().count()
    }
}

/// 2026-11-04 20:30 in UTC, half past one of the next day in Yekaterinburg.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-04T20:30:00Z".parse().unwrap()
}

/// A client that may do everything for an organisation.
pub(crate) fn caller(organization: OrganizationId) -> Caller {
    Caller {
        token: TokenId::generate(),
        subject: "1С Биллинг".to_owned(),
        organization,
        employee: None,
        scopes: Scopes::from_iter(Scope::ALL.iter().copied()),
    }
}

/// The same client with one scope alone.
pub(crate) fn only(caller: &Caller, scope: Scope) -> Caller {
    Caller { scopes: Scopes::from_iter([scope]), ..caller.clone() }
}

/// An import that nobody has begun to read; what it holds is no workbook.
pub(crate) async fn stored_import(service: &Service, caller: &Caller, mode: ImportMode) -> ImportId {
    let command = CreateImport {
        file_name: "a.xlsx".to_owned(),
        content: Bytes::from_static(b"PK"),
        mode,
        answer_column: AnswerColumnMode::Strict,
        submit: true,
    };
    let staged = service.keep_import(command).await.unwrap();
    let mut tx = service.db.begin().await.unwrap();
    let details = service.create_import(&mut tx, caller, staged).await.unwrap();
    tx.commit().await.unwrap();
    details.import.id
}
