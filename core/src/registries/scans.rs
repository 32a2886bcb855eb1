//! The scans of a registry (F65–F68): each that a row names is looked at as any file of an answer, one after the other, and
//! its content is stored. Whoever stores the registry makes attachments of them, which live as long as a row names them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::Service;
use crate::attachments::NewFile;
use crate::domain::attachment::Attachment;
use crate::domain::caller::Caller;
use crate::error::{Code, Error, Mistake, Result};
use crate::ids::AttachmentId;
use crate::spreadsheets::{Limits, RowError, Scans, ScansError, SheetRegistry};
use crate::store::attachments;

/// Bytes of an archive of scans.
pub const MOST_SCAN_BYTES: u64 = 100 * 1024 * 1024;
/// Files in it.
const MOST_SCANS: usize = 5_000;
/// Bytes of all of them when they are unpacked; pictures and PDF do not become much larger.
const MOST_UNPACKED: u64 = 300 * 1024 * 1024;
/// Scans whose rows are stored together while the others are still looked at.
const AT_ONCE: usize = 50;

/// Scans that were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TakenScans {
    /// By their places in the archive.
    ids: HashMap<usize, AttachmentId>,
    /// Those that were not there before, and whose rows are not stored yet.
    pub(super) new: Vec<Attachment>,
    /// Where the rows find them.
    places: HashMap<String, usize>,
}

impl TakenScans {
    /// The scan with this name.
    pub(super) fn id(&self, name: &str) -> Option<AttachmentId> {
        self.ids.get(self.places.get(name)?).copied()
    }
}

/// Why a scan was not taken.
struct Fault {
    code: &'static str,
    detail: String,
}

/// How much of an archive of scans is taken.
pub(super) fn limits() -> Limits {
    Limits {
        file_bytes: MOST_SCAN_BYTES,
        parts: MOST_SCANS,
        expanded_bytes: MOST_UNPACKED,
        ..Limits::default()
    }
}

/// An archive that cannot be taken as a whole.
pub(super) fn refusal(error: ScansError) -> Error {
    match error {
        ScansError::FileTooLarge { .. } => Error::refused(Code::FileTooLarge, error.to_string()),
        ScansError::NotAnArchive
        | ScansError::TooMany { .. }
        | ScansError::PasswordProtected
        | ScansError::Damaged
        | ScansError::ExpandsTooFar { .. }
        | ScansError::NameTwice { .. }
        | ScansError::PathTwice
        | ScansError::ScanTooLarge { .. }
        | ScansError::Missing => Error::Invalid(vec![Mistake::at("/files", error.code(), error.to_string())]),
    }
}

impl Service {
    /// Takes the scans that the rows name. A row with a scan that cannot be taken goes from the sheet, and its mistake stays;
    /// then nothing more is stored, because the registry is refused. What was stored until then lives as long as files that
    /// nobody uses.
    pub(super) async fn take_scans(
        &self,
        caller: &Caller,
        mut scans: Scans,
        sheet: &mut SheetRegistry,
    ) -> Result<TakenScans> {
        let mut taken = TakenScans::default();
        let mut faults: HashMap<usize, Option<Fault>> = HashMap::new();
        for row in std::mem::take(&mut sheet.rows) {
            let mut sound = true;
            let named: Vec<_> = row.scans().collect();
            for (column, name) in named {
                let Some(place) = scans.place(name) else { continue };
                taken.places.insert(name.to_owned(), place);
                if let Entry::Vacant(slot) = faults.entry(place) {
                    let store = sheet.errors.is_empty();
                    let (back, fault) = self.take_scan(caller, scans, name, store, &mut taken).await?;
                    scans = back;
                    slot.insert(fault);
                }
                if let Some(Some(Fault { code, detail })) = faults.get(&place) {
                    let column = Some(column.to_owned());
                    sheet.errors.push(RowError { row: row.row, column, code, detail: detail.clone() });
                    sound = false;
                }
            }
            if sound {
                sheet.rows.push(row);
            }
        }
        Ok(taken)
    }

    async fn take_scan(
        &self,
        caller: &Caller,
        scans: Scans,
        name: &str,
        store: bool,
        taken: &mut TakenScans,
    ) -> Result<(Scans, Option<Fault>)> {
        let most = self.settings.limits.file_bytes;
        let (scans, unpacked) = unpack(scans, name.to_owned(), most).await?;
        let content = match unpacked {
            Ok(content) => content,
            // This and all that follow.
            Err(error @ ScansError::ExpandsTooFar { .. }) => return Err(refusal(error)),
            Err(error) => {
                return Ok((scans, Some(Fault { code: error.code(), detail: error.to_string() })));
            }
        };
        let file = NewFile { file_name: name.to_owned(), description: None, content, sha256: None };
        let fault = match self.look_at_file(file, "").await? {
            Ok(sound) if store => {
                let id = self.stage_file(caller, sound, &mut taken.new).await?;
                taken.ids.extend(scans.place(name).map(|place| (place, id)));
                if taken.new.len() >= AT_ONCE {
                    self.keep_scans(&mut taken.new).await?;
                }
                None
            }
            Ok(_) => None,
            Err(mistakes) => {
                mistakes.into_iter().next().map(|first| Fault { code: first.code, detail: first.detail })
            }
        };
        Ok((scans, fault))
    }

    /// Stores the rows of scans whose content is stored: there may be thousands, and whoever has to begin anew finds them.
    async fn keep_scans(&self, scans: &mut Vec<Attachment>) -> Result<()> {
        let expires_at = Some(self.unused_until());
        let mut tx = self.db.begin().await?;
        for scan in scans.drain(..) {
            attachments::insert(&mut tx, &Attachment { expires_at, ..scan }).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

async fn unpack(
    mut scans: Scans,
    name: String,
    most: u64,
) -> Result<(Scans, std::result::Result<Bytes, ScansError>)> {
    let unpack = move || {
        let content = scans.read(&name, most);
        (scans, content)
    };
    spawn_blocking(unpack).await.map_err(Error::internal)
}
