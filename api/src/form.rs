//! Bodies that are `multipart/form-data`: every form of the API is read here. A form says which parts it has; each may
//! come once, nothing else may come, and every mistake is named at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Seek, Write};
use std::str::FromStr;

use actix_multipart::{Field, Multipart};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, ContentDisposition, ExtendedValue};
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use debt_core::error::Mistake;
use debt_core::{Code, Error};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use crate::patience::patient;
use crate::problem::Failure;

/// Most bytes of a part that is a text; its characters are counted later, with its place.
const MOST_TEXT: u64 = 64 * 1024;

/// The parts that a form may have.
#[derive(Default)]
pub(crate) struct Shape<'a> {
    /// Parts that are files, with the most bytes of each.
    pub(crate) files: &'a [(&'static str, u64)],
    /// Parts that are files too large to be held in memory, with the most bytes of each.
    pub(crate) archives: &'a [(&'static str, u64)],
    /// Parts that are texts.
    pub(crate) texts: &'a [&'static str],
}

/// A file of a form.
#[derive(Default)]
pub(crate) struct FormFile {
    pub(crate) name: String,
    pub(crate) content: Bytes,
}

/// A large file of a form: it lies on the disk, where no other program sees it, and is gone with this value.
struct Spooled {
    file: File,
    is_empty: bool,
    sha256: [u8; 32],
}

/// What came in a form.
pub(crate) struct Form {
    files: BTreeMap<&'static str, FormFile>,
    archives: BTreeMap<&'static str, Spooled>,
    texts: BTreeMap<&'static str, String>,
    /// Parts that came, be they as they should or not.
    seen: BTreeSet<&'static str>,
    mistakes: Vec<Mistake>,
    /// What a repeat is known by: the content of the parts, not their order and not the boundary between them.
    pub(crate) digest: [u8; 32],
}

/// Whether the body is a form.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data"))
}

/// Reads a form. Mistakes of its parts wait for [`Form::finish`].
///
/// # Errors
/// It is no form, it is broken, a file is too large, or it has a part that it may not have.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    shape: Shape<'_>,
) -> Result<Form, Failure> {
    if !is_form(request) {
        return Err(Failure::new(Code::MediaTypeUnsupported, "нужен Content-Type: multipart/form-data"));
    }
    let mut parts = Multipart::from_request(request, &mut patient(payload.take())).await.or(Err(broken()))?;
    let mut form = Form {
        files: BTreeMap::new(),
        archives: BTreeMap::new(),
        texts: BTreeMap::new(),
        seen: BTreeSet::new(),
        mistakes: Vec::new(),
        digest: [0; 32],
    };
    while let Some(part) = parts.next().await {
        form.take(part.or(Err(broken()))?, &shape).await?;
    }
    form.digest = form.digest();
    Ok(form)
}

impl Form {
    async fn take(&mut self, part: Field, shape: &Shape<'_>) -> Result<(), Failure> {
        let came = part.name().unwrap_or_default().to_owned();
        if let Some((name, limit)) = shape.files.iter().find(|(name, _)| *name == came) {
            self.once(name)?;
            let named = part.content_disposition().and_then(file_name);
            let content = read_part(part, *limit).await?;
            match named {
                Some(named) => {
                    self.files.insert(name, FormFile { name: named, content });
                }
                None => self.mistake(name, "file_name", format!("у части {name} нет имени файла")),
            }
            return Ok(());
        }
        if let Some((name, limit)) = shape.archives.iter().find(|(name, _)| *name == came) {
            self.once(name)?;
            let is_named = part.content_disposition().and_then(file_name).is_some();
            let spooled = spool(part, *limit).await?;
            // Browsers send an empty part without a name where no file was chosen.
            if is_named || !spooled.is_empty {
                self.archives.insert(name, spooled);
            }
            return Ok(());
        }
        let Some(name) = shape.texts.iter().find(|name| **name == came) else { return Err(unknown(shape)) };
        self.once(name)?;
        match String::from_utf8(read_part(part, MOST_TEXT).await?.into()) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => {
                self.texts.insert(name, text);
            }
            Err(_) => self.mistake(name, "encoding", format!("часть {name} должна быть в UTF-8")),
        }
        Ok(())
    }

    fn once(&mut self, name: &'static str) -> Result<(), Failure> {
        if self.seen.insert(name) {
            return Ok(());
        }
        let detail = format!("часть формы {name} повторяется");
        Err(Error::Invalid(vec![Mistake::at(format!("/{name}"), "repeated", detail)]).into())
    }

    fn mistake(&mut self, part: &str, code: &'static str, detail: String) {
        self.mistakes.push(Mistake::at(format!("/{part}"), code, detail));
    }

    /// A file that must be there. Where it is not, an empty one: [`Form::finish`] says so.
    pub(crate) fn need(&mut self, name: &'static str) -> FormFile {
        if !self.seen.contains(name) {
            self.mistake(name, "required", format!("нет части {name}"));
        }
        self.files.remove(name).unwrap_or_default()
    }

    /// A large file, which may be left out.
    pub(crate) fn archive(&mut self, name: &str) -> Option<File> {
        self.archives.remove(name).map(|spooled| spooled.file)
    }

    /// A text as it stands; none where it is left out or empty.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.texts.remove(name)
    }

    /// A text that says something of a type, as `wanted` describes it.
    pub(crate) fn parse<T: FromStr>(&mut self, name: &str, code: &'static str, wanted: &str) -> Option<T> {
        let text = self.texts.remove(name)?;
        let value = text.trim().parse().ok();
        if value.is_none() {
            self.mistake(name, code, format!("нужно: {wanted}"));
        }
        value
    }

    /// Every mistake that was found.
    ///
    /// # Errors
    /// There is one.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(Error::Invalid(self.mistakes).into()) }
    }

    fn digest(&self) -> [u8; 32] {
        let files = self
            .files
            .iter()
            .flat_map(|(name, file)| [name.as_bytes(), file.name.as_bytes(), file.content.as_ref()]);
        let archives =
            self.archives.iter().flat_map(|(name, spooled)| [name.as_bytes(), spooled.sha256.as_slice()]);
        let texts = self.texts.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
        let mut digest = Sha256::new();
        for part in files.chain(archives).chain(texts) {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

fn broken() -> Failure {
    Failure::new(Code::MalformedJson, "форма multipart повреждена или оборвалась")
}

fn unknown(shape: &Shape<'_>) -> Failure {
    let files = shape.files.iter().chain(shape.archives).map(|(name, _)| *name);
    let names: Vec<_> = files.chain(shape.texts.iter().copied()).collect();
    let detail = format!("форма состоит из частей {}; другие не допускаются", names.join(", "));
    Error::Invalid(vec![Mistake::at("", "unknown_field", detail)]).into()
}

/// The content of a part, of at most so many bytes.
async fn read_part(mut part: Field, limit: u64) -> Result<Bytes, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut content = BytesMut::new();
    while let Some(chunk) = part.next().await {
        let chunk = chunk.or(Err(broken()))?;
        if content.len() + chunk.len() > limit {
            return Err(too_large(u64::try_from(limit).unwrap_or(u64::MAX)));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content.freeze())
}

/// Writes a part of at most so many bytes to the disk.
async fn spool(mut part: Field, limit: u64) -> Result<Spooled, Failure> {
    let mut file = tempfile::tempfile().map_err(Error::internal)?;
    let (mut length, mut digest) = (0, Sha256::new());
    while let Some(chunk) = part.next().await {
        let chunk = chunk.or(Err(broken()))?;
        length += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if length > limit {
            return Err(too_large(limit));
        }
        digest.update(&chunk);
        // A few kilobytes into the cache of the system take less than handing them to another thread.
        file.write_all(&chunk).map_err(Error::internal)?;
    }
    file.rewind().map_err(Error::internal)?;
    Ok(Spooled { file, is_empty: length == 0, sha256: digest.finalize().into() })
}

fn too_large(limit: u64) -> Failure {
    Failure::new(Code::FileTooLarge, format!("часть формы больше {limit} байт"))
}

fn file_name(disposition: &ContentDisposition) -> Option<String> {
    if let Some(ExtendedValue { value, .. }) = disposition.get_filename_ext() {
        return String::from_utf8(value.clone()).ok();
    }
    disposition.get_filename().map(ToOwned::to_owned).filter(|name| !name.is_empty())
}
