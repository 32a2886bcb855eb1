//! Takes in what an answer shall say: its files first, then everything that is pure, with the mistakes of both together.

use gis_client::text::Comment;

use super::draft::{self, Files, Rules, text_mistake};
use super::input::{ContentDraft, FileDraft, FileSource};
use super::office::Office;
use crate::Service;
use crate::attachments::NewFile;
use crate::domain::answer::{ExternalId, Warning};
use crate::domain::attachment::Attachment;
use crate::domain::caller::Caller;
use crate::domain::content::{Canonical, Content, ContentHash, Digests};
use crate::error::{Mistake, Result};
use crate::ids::AttachmentId;
use crate::store::Tx;

/// What an answer says, as it is stored.
pub(crate) struct Said {
    pub(crate) content: Content,
    pub(super) hash: ContentHash,
    pub(super) warnings: Vec<Warning>,
    pub(super) files: Vec<AttachmentId>,
}

impl Service {
    /// Takes in a content. `None` comes with mistakes.
    pub(crate) async fn take_in(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        office: &mut Office,
        draft: &ContentDraft,
        mistakes: &mut Vec<Mistake>,
    ) -> Result<Option<Said>> {
        let limits = &self.settings.limits;
        let mut files = Files::new();
        let mut digests = Digests::new();
        let wanted = draft::files(draft, limits);
        office.look_up_files(tx, &stored(wanted.iter().map(|(_, file)| *file))).await?;
        for (place, file) in wanted {
            match self.take_file(tx, caller, office, &place, file).await? {
                Ok(attachment) => {
                    digests.insert(attachment.id, attachment.gost_hash);
                    files.insert(place, attachment.id);
                }
                Err(found) => mistakes.extend(found),
            }
        }
        let rules = Rules { dictionaries: &self.dictionaries, limits };
        let checked = draft::check(draft, rules, &files).unwrap_or_else(|found| {
            mistakes.extend(found);
            None
        });
        Ok(checked.map(|checked| Said {
            hash: Canonical::of(&checked.content, &digests).hash(&office.organization.content_key),
            content: checked.content,
            warnings: checked.warnings,
            files: digests.into_keys().collect(),
        }))
    }

    async fn take_file(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        office: &mut Office,
        place: &str,
        file: &FileDraft,
    ) -> Result<std::result::Result<Attachment, Vec<Mistake>>> {
        match &file.source {
            FileSource::Stored(id) => {
                let found = office.file(tx, *id).await?;
                Ok(self.alive(found, place).cloned().map_err(|mistake| vec![mistake]))
            }
            FileSource::Inline { file_name, content } => {
                let file = NewFile {
                    file_name: file_name.clone(),
                    description: file.description.clone(),
                    content: content.clone(),
                    sha256: None,
                };
                self.admit_file(tx, caller, file, place).await
            }
        }
    }

    fn alive<'a>(
        &self,
        found: Option<&'a Attachment>,
        place: &str,
    ) -> std::result::Result<&'a Attachment, Mistake> {
        let at = format!("{place}/attachment_id");
        let Some(found) = found else {
            return Err(Mistake::at(at, "not_found", "такого файла нет; загрузите его"));
        };
        if found.expires_at.is_some_and(|end| end <= self.clock.now()) {
            let detail = "срок хранения неиспользованного файла истёк; загрузите его снова";
            return Err(Mistake::at(at, "attachment_expired", detail));
        }
        Ok(found)
    }
}

/// Those of some files that were uploaded before.
pub(super) fn stored<'a>(files: impl Iterator<Item = &'a FileDraft>) -> Vec<AttachmentId> {
    let stored = files.filter_map(|file| match file.source {
        FileSource::Stored(id) => Some(id),
        FileSource::Inline { .. } => None,
    });
    stored.collect()
}

/// The client's name for an answer.
pub(super) fn external_id(text: &str) -> std::result::Result<ExternalId, Mistake> {
    let detail = "от 1 до 255 знаков, без управляющих";
    text.parse().or(Err(Mistake::at("/external_id", "external_id_format", detail).with_max(255)))
}

/// A remark of a person: as long as a comment to GIS may be, blank is none.
pub(crate) fn remark(at: &str, text: Option<String>) -> std::result::Result<Option<String>, Mistake> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    Comment::parse(text).map(|text| Some(text.into())).map_err(|error| text_mistake(at, error))
}

/// The value; a mistake goes to the others.
pub(super) fn keep<T>(
    checked: std::result::Result<Option<T>, Mistake>,
    mistakes: &mut Vec<Mistake>,
) -> Option<T> {
    checked.unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        None
    })
}
