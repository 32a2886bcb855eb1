//! Changes of single rows of the registry that answers, where several debtors of one flat are real objects. Where none
//! answers yet, one is put together row by row: it says «no debt» of everything that is not in it, so it answers nothing
//! before a person activates it, as one that came as a file.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use gis_client::debt_requests::AtLeastOne;
use gis_client::text::Comment;
use uuid::Uuid;

use super::links;
use crate::Service;
use crate::answers::office::Office;
use crate::answers::{ContentDraft, DebtorDraft, FileDraft};
use crate::audit::Changed;
use crate::departments::unknown_department;
use crate::domain::caller::{Caller, Scope};
use crate::domain::content::{Content, Debtor};
use crate::domain::court_debt::{CourtDebt, Entry, Origin};
use crate::domain::premises::Premises;
use crate::domain::registry::{KeptDebt, Registry, RegistryStatus};
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::{AttachmentId, CourtDebtId, DepartmentId, RegistryId};
use crate::store::{Tx, organizations, registries};

/// A row as a client brings it. Personal data: `Debug` shows none.
#[derive(Clone, PartialEq, Eq)]
pub struct CourtDebtDraft {
    /// The department whose own registry it belongs to.
    pub department: Option<DepartmentId>,
    /// The house in FIAS.
    pub fias_house_id: Uuid,
    /// The house in the address register of GIS.
    pub gis_house_id: Option<Uuid>,
    /// The address of the house.
    pub address: Option<String>,
    /// The flat, room or block.
    pub premises: String,
    /// When the decision came into force.
    pub in_force_from: NaiveDate,
    /// When the debt was repaid.
    pub repaid_on: Option<NaiveDate>,
    /// Who owes.
    pub debtors: Vec<DebtorDraft>,
    /// Files that belong to no debtor in particular.
    pub attachments: Vec<FileDraft>,
    /// Additional information.
    pub comment: Option<String>,
}

impl fmt::Debug for CourtDebtDraft {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CourtDebtDraft(***)")
    }
}

/// What a draft says, without mistakes.
struct Sound {
    premises: Premises,
    debtors: AtLeastOne<Debtor>,
    files: Vec<AttachmentId>,
    note: Option<Comment>,
}

impl Service {
    /// One row, of whichever registry.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_court_debt(&self, caller: &Caller, id: CourtDebtId) -> Result<KeptDebt> {
        caller.need(Scope::RegistryRead)?;
        let mut conn = self.db.read().await?;
        registries::debt(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)
    }

    /// Adds a row to the registry that answers; while there is none, to one that is put together and waits to be activated.
    ///
    /// # Errors
    /// Every mistake by its place.
    pub async fn add_court_debt(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        draft: CourtDebtDraft,
    ) -> Result<KeptDebt> {
        caller.need(Scope::RegistryWrite)?;
        let now = self.clock.now();
        let sound = self.sound(tx, caller, &draft).await?;
        organizations::hold(tx, caller.organization).await?;
        let active = registries::active(tx, caller.organization, draft.department).await?;
        let seen = match active {
            Some(_) => active,
            None => registries::begun(tx, caller.organization, draft.department).await?,
        };
        let registry = match seen {
            Some(seen) => registries::lock(tx, caller.organization, seen.id).await?.ok_or(Error::NotFound)?,
            None => begin(tx, caller, draft.department, now).await?,
        };
        let kept = KeptDebt {
            debt: court_debt(CourtDebtId::generate(), Origin::Single, draft, sound),
            registry: registry.id,
            organization: caller.organization,
            row: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        registries::insert_debts(tx, vec![kept.clone()]).await?;
        registries::insert_files(tx, links(&kept).collect()).await?;
        let registry = Registry { rows: registry.rows + 1, ..registry };
        registries::update(tx, &registry).await?;
        Ok(kept)
    }

    /// Replaces what a row says.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`]; [`Code::StateConflict`] when its registry neither answers nor is
    /// being put together.
    pub async fn replace_court_debt(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: CourtDebtId,
        if_match: Option<i64>,
        draft: CourtDebtDraft,
    ) -> Result<Changed<KeptDebt>> {
        caller.need(Scope::RegistryWrite)?;
        let (registry, known) = take(tx, caller, id, if_match).await?;
        if draft.department.is_some() && draft.department != registry.department {
            let detail = "строка остаётся в реестре своего подразделения; удалите её и добавьте новую";
            return Err(Error::Invalid(vec![Mistake::at("/department_id", "not_allowed", detail)]));
        }
        let sound = self.sound(tx, caller, &draft).await?;
        let kept = KeptDebt {
            debt: court_debt(id, known.debt.entry.origin, draft, sound),
            version: known.version + 1,
            updated_at: self.clock.now(),
            ..known.clone()
        };
        registries::update_debt(tx, kept.clone()).await?;
        registries::set_files(tx, id, kept.debt.attachments().collect(), self.unused_until()).await?;
        Ok(Changed { before: known, after: kept })
    }

    /// Deletes a row and gives what it was.
    ///
    /// # Errors
    /// As [`replace_court_debt`](Self::replace_court_debt).
    pub async fn delete_court_debt(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: CourtDebtId,
        if_match: Option<i64>,
    ) -> Result<KeptDebt> {
        caller.need(Scope::RegistryWrite)?;
        let (registry, known) = take(tx, caller, id, if_match).await?;
        registries::delete_debt(tx, id, self.unused_until()).await?;
        let registry = Registry { rows: registry.rows - 1, ..registry };
        registries::update(tx, &registry).await?;
        Ok(known)
    }

    /// What a draft says, or every mistake in it.
    async fn sound(&self, tx: &mut Tx, caller: &Caller, draft: &CourtDebtDraft) -> Result<Sound> {
        let today = self.today(tx, caller.organization).await?;
        let unknown = unknown_department(tx, caller.organization, draft.department, "/department_id");
        let mut mistakes = Vec::from_iter(unknown.await?);
        let days = [("/in_force_from", Some(draft.in_force_from)), ("/repaid_on", draft.repaid_on)];
        for (place, _) in days.into_iter().filter(|(_, day)| day.is_some_and(|day| day > today)) {
            mistakes.push(Mistake::at(place, "date_future", "дата ещё не наступила"));
        }
        let premises = Premises::read(&draft.premises);
        if !premises.is_understood() {
            let detail = "номер вида «1», «кв. 1» или «кв. 1 комн. 2»";
            mistakes.push(Mistake::at("/premises", "premises_format", detail));
        }
        let content = ContentDraft {
            has_debt: true,
            comment: draft.comment.clone(),
            debtors: draft.debtors.clone(),
            attachments: draft.attachments.clone(),
        };
        // What a row says goes into an answer as it stands, so it is looked at like one.
        let mut office = Office::open(tx, caller.organization).await?;
        let said = self.take_in(tx, caller, &mut office, &content, &mut mistakes).await?;
        match said.map(|said| said.content) {
            Some(Content::Debt { comment, debtors, files }) if mistakes.is_empty() => {
                Ok(Sound { premises, debtors, files, note: comment })
            }
            Some(_) | None => Err(Error::Invalid(mistakes)),
        }
    }
}

/// An empty registry. A person says when it is complete.
async fn begin(
    tx: &mut Tx,
    caller: &Caller,
    department: Option<DepartmentId>,
    now: DateTime<Utc>,
) -> Result<Registry> {
    let registry = Registry {
        id: RegistryId::generate(),
        organization: caller.organization,
        department,
        file_name: None,
        origin: Origin::Single,
        status: RegistryStatus::Checked,
        rows: 0,
        refused_rows: 0,
        errors: 0,
        warnings: 0,
        created_by: caller.subject.clone(),
        created_at: now,
        activated_at: None,
    };
    registries::insert(tx, &registry, Vec::new()).await?;
    Ok(registry)
}

/// A row that may be changed, with its registry, which the transaction holds.
async fn take(
    tx: &mut Tx,
    caller: &Caller,
    id: CourtDebtId,
    if_match: Option<i64>,
) -> Result<(Registry, KeptDebt)> {
    let seen = registries::debt(tx, caller.organization, id).await?.ok_or(Error::NotFound)?;
    let registry = registries::lock(tx, caller.organization, seen.registry).await?.ok_or(Error::NotFound)?;
    // Every change holds the registry: what is read now stays as it is.
    let known = registries::debt(tx, caller.organization, id).await?.ok_or(Error::NotFound)?;
    if if_match.is_some_and(|expected| expected != known.version) {
        return Err(Error::VersionMismatch { current: known.version });
    }
    match (registry.status, registry.origin) {
        (RegistryStatus::Active, _) | (RegistryStatus::Checked, Origin::Single) => Ok((registry, known)),
        (RegistryStatus::Checked, Origin::Workbook)
        | (RegistryStatus::Refused | RegistryStatus::Replaced, _) => {
            let detail =
                "изменять можно строки действующего реестра и того, что составлен из отдельных записей";
            Err(Error::conflict(Code::StateConflict, detail, None))
        }
    }
}

fn court_debt(id: CourtDebtId, origin: Origin, draft: CourtDebtDraft, sound: Sound) -> CourtDebt {
    let entry = Entry {
        id,
        fias_house_id: draft.fias_house_id,
        gis_house_id: draft.gis_house_id,
        address: draft.address.map(String::into_boxed_str),
        premises: sound.premises,
        in_force_from: draft.in_force_from,
        repaid_on: draft.repaid_on,
        noted: sound.note.is_some(),
        origin,
    };
    CourtDebt {
        entry,
        premises_text: draft.premises,
        debtors: sound.debtors,
        files: sound.files,
        note: sound.note,
    }
}
