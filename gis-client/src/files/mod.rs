//! The file store of GIS: uploads, their state, downloads.
//!
//! A client of its own beside the SOAP service, with the same tunnel and the same errors. Called by the jobs that
//! upload the files of an answer before the answer itself. To upload a file twice does no harm, a file that no
//! answer names is not seen; so the fate of an upload matters less than that of a message. What must stay true:
//! names that people gave to files go nowhere but into the answer, and an upload in parts counts only when the
//! file store itself calls it complete.

mod error;
mod plan;

pub use error::FileError;
pub use plan::{PART_LIMIT, Part, Plan};

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, HeaderName, LOCATION, RANGE};
use uuid::Uuid;

use crate::error::{Error, Unreadable};
use crate::http::{Channel, Reply, Request};
use crate::ids::{AttachmentId, OrganizationId};

/// Where the files of the debt requests lie.
const CONTEXT: &str = "/ext-bus-file-store-service/rest/debtreq";
/// The longest reply without a file in it, in bytes.
const REPLY_LIMIT: u64 = 64 * 1024;

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const ORGANIZATION: HeaderName = HeaderName::from_static("x-upload-orgppaguid");
const FILE_NAME: HeaderName = HeaderName::from_static("x-upload-filename");
const LENGTH: HeaderName = HeaderName::from_static("x-upload-length");
const PART_COUNT: HeaderName = HeaderName::from_static("x-upload-part-count");
const PART_NUMBER: HeaderName = HeaderName::from_static("x-upload-partnumber");
const UPLOAD_ID: HeaderName = HeaderName::from_static("x-upload-uploadid");
const COMPLETED: HeaderName = HeaderName::from_static("x-upload-completed");
const COMPLETED_PARTS: HeaderName = HeaderName::from_static("x-upload-completed-parts");
const ERROR: HeaderName = HeaderName::from_static("x-upload-error");

/// The extension of a file, by which GIS knows its kind: 1 to 10 Latin letters and digits, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileExtension(String);

/// The text is not an extension that GIS could take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a file extension; 1 to 10 Latin letters or digits without a dot are needed")]
pub struct InvalidExtension;

impl FromStr for FileExtension {
    type Err = InvalidExtension;

    fn from_str(text: &str) -> Result<Self, InvalidExtension> {
        let fits = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(InvalidExtension) }
    }
}

impl fmt::Display for FileExtension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A file to be uploaded. `Debug` does not show the content.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUpload {
    /// On whose behalf.
    pub organization: OrganizationId,
    /// What kind of file it is.
    pub extension: FileExtension,
    /// The bytes, at least one.
    pub content: Bytes,
}

impl fmt::Debug for FileUpload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FileUpload")
            .field("organization", &self.organization)
            .field("extension", &self.extension)
            .field("length", &self.content.len())
            .finish()
    }
}

/// A file that lies in the file store: what an answer says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadedFile {
    /// `AttachmentGUID`.
    pub id: AttachmentId,
    /// `AttachmentHASH`: GOST R 34.11-94 of the whole file with the CryptoPro parameters.
    pub hash: [u8; 32],
}

/// What the file store says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// The whole length in bytes.
    pub length: u64,
    /// Whether the upload is complete.
    pub completed: bool,
    /// The numbers of the parts that have arrived; empty for a file in one piece.
    pub completed_parts: Vec<u64>,
}

/// The client of the file store.
///
/// [`upload`](Self::upload) does everything. The steps of an upload in parts are public too, so that a long one
/// can go on after a break: keep the identifier that [`open`](Self::open) gives, ask [`state`](Self::state), send
/// what [`Plan::missing`] names with [`send_part`](Self::send_part), then [`complete`](Self::complete).
#[derive(Debug, Clone)]
pub struct FileStore {
    channel: Channel,
}

impl FileStore {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// Uploads a file: in one piece up to [`PART_LIMIT`], else in parts.
    ///
    /// # Errors
    /// [`Error::File`] with the file store's own reason, or an error of the connection.
    pub async fn upload(&self, file: &FileUpload) -> Result<UploadedFile, Error> {
        let plan = Plan::new(length_of(&file.content));
        let id = match plan.count() {
            0 => return Err(Error::unmade("the file is empty")),
            1 => self.put_whole(file).await?,
            _ => self.upload_parts(file, plan).await?,
        };
        Ok(UploadedFile { id, hash: gost::hash::gost94(&file.content) })
    }

    async fn upload_parts(&self, file: &FileUpload, plan: Plan) -> Result<AttachmentId, Error> {
        let id = self.open(file).await?;
        for part in plan.parts() {
            self.send_part(file, id, &part).await?;
        }
        self.complete(file, id).await?;
        Ok(id)
    }

    async fn put_whole(&self, file: &FileUpload) -> Result<AttachmentId, Error> {
        let request = self
            .request(Method::PUT, "/?upload".to_owned(), file.organization)?
            .header(FILE_NAME, &random_name(&file.extension))?
            .header(LENGTH, &file.content.len().to_string())?
            .header(CONTENT_MD5, &md5_of(&file.content))?
            .body(file.content.clone());
        upload_id(&self.send(request).await?)
    }

    /// Opens an upload in parts and gives its identifier, which becomes that of the file.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub async fn open(&self, file: &FileUpload) -> Result<AttachmentId, Error> {
        let plan = Plan::new(length_of(&file.content));
        let request = self
            .request(Method::POST, "/?upload".to_owned(), file.organization)?
            .header(FILE_NAME, &random_name(&file.extension))?
            .header(LENGTH, &file.content.len().to_string())?
            .header(PART_COUNT, &plan.count().to_string())?
            .header(CONTENT_LENGTH, "0")?;
        upload_id(&self.send(request).await?)
    }

    /// Sends one part of a file; to send it again does no harm.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub async fn send_part(&self, file: &FileUpload, id: AttachmentId, part: &Part) -> Result<(), Error> {
        let bytes = piece(&file.content, part)?;
        let request = self
            .request(Method::PUT, format!("/{id}"), file.organization)?
            .header(PART_NUMBER, &part.number.to_string())?
            .header(CONTENT_MD5, &md5_of(&bytes))?
            .body(bytes);
        self.send(request).await.map(drop)
    }

    /// Closes an upload in parts and asks whether the file store calls it complete.
    ///
    /// # Errors
    /// [`FileError::Incomplete`] when it does not; else as [`upload`](Self::upload).
    pub async fn complete(&self, file: &FileUpload, id: AttachmentId) -> Result<(), Error> {
        let request = self
            .request(Method::POST, format!("/{id}?completed"), file.organization)?
            .header(CONTENT_LENGTH, "0")?;
        let status = self.send(request).await?.status;
        let state = self.state(file.organization, id).await?;
        if state.completed && state.length == length_of(&file.content) {
            Ok(())
        } else {
            Err(Error::File { error: FileError::Incomplete, status })
        }
    }

    /// What the file store says about a file or an open upload.
    ///
    /// # Errors
    /// [`FileError::FileNotFound`] for a file that it does not have; else as [`upload`](Self::upload).
    pub async fn state(&self, organization: OrganizationId, id: AttachmentId) -> Result<FileState, Error> {
        let reply = self.send(self.request(Method::HEAD, format!("/{id}"), organization)?).await?;
        let length = reply.header(LENGTH).and_then(|length| length.trim().parse().ok());
        let parts = reply.header(COMPLETED_PARTS).unwrap_or_default();
        Ok(FileState {
            length: length.ok_or_else(|| absent("X-Upload-Length"))?,
            completed: reply.header(COMPLETED).is_some_and(|word| word.trim().eq_ignore_ascii_case("true")),
            completed_parts: parts.split(',').filter_map(|number| number.trim().parse().ok()).collect(),
        })
    }

    /// Downloads a file of at most `limit` bytes, in pieces of [`PART_LIMIT`]. GIS gives a file only when a
    /// document names it.
    ///
    /// # Errors
    /// [`Unreadable::TooLarge`] for a longer file; [`Unreadable::Length`] when the pieces are not as long as the
    /// file store has announced; else as [`upload`](Self::upload).
    pub async fn download(
        &self,
        organization: OrganizationId,
        id: AttachmentId,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        let length = self.state(organization, id).await?.length;
        if length > limit {
            return Err(Error::unreadable(Unreadable::TooLarge { limit }));
        }
        let mut content = Vec::new();
        for part in Plan::new(length).parts() {
            content.extend(self.download_part(organization, id, &part, length).await?);
            // A file store that does not know ranges sends the whole file at once.
            if length_of(&content) == length {
                break;
            }
            if length_of(&content) != part.range.end {
                return Err(Error::unreadable(Unreadable::Length));
            }
        }
        Ok(content)
    }

    async fn download_part(
        &self,
        organization: OrganizationId,
        id: AttachmentId,
        part: &Part,
        length: u64,
    ) -> Result<Vec<u8>, Error> {
        let mut request = self.request(Method::GET, format!("/{id}?getfile"), organization)?;
        request.limit = length;
        if length > PART_LIMIT.get() {
            let last = part.range.end.saturating_sub(1);
            request = request.header(RANGE, &format!("bytes={}-{last}", part.range.start))?;
        }
        Ok(self.send(request).await?.body)
    }

    fn request(&self, method: Method, path: String, organization: OrganizationId) -> Result<Request, Error> {
        Request::new(method, format!("{CONTEXT}{path}"), REPLY_LIMIT)
            .header(ORGANIZATION, &organization.to_string())
    }

    /// Sends a request; a reply that reports an error becomes that error.
    async fn send(&self, request: Request) -> Result<Reply, Error> {
        let reply = self.channel.send(request).await?;
        if let Some(error) = reply.header(ERROR) {
            return Err(Error::File { error: FileError::parse(error), status: reply.status });
        }
        if reply.is_success() {
            return Ok(reply);
        }
        // A busy file store took nothing that could count: nothing names the file yet.
        Err(Error::from_status(reply.status, reply.retry_after(), true))
    }
}

/// The identifier of an upload: the header of its own or the end of the `Location`.
fn upload_id(reply: &Reply) -> Result<AttachmentId, Error> {
    let location = || reply.header(LOCATION).and_then(|location| location.rsplit('/').next());
    let text = reply.header(UPLOAD_ID).or_else(location);
    text.and_then(|text| text.trim().parse().ok()).ok_or_else(|| absent("X-Upload-UploadID"))
}

fn absent(name: &'static str) -> Error {
    Error::unreadable(Unreadable::Header { name })
}

/// A name that any system can carry: the one that people see is part of the answer instead.
fn random_name(extension: &FileExtension) -> String {
    format!("{}.{extension}", Uuid::new_v4().simple())
}

fn md5_of(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The bytes of a part, without a copy.
fn piece(content: &Bytes, part: &Part) -> Result<Bytes, Error> {
    let place = |offset: u64| usize::try_from(offset).ok().filter(|&offset| offset <= content.len());
    match (place(part.range.start), place(part.range.end)) {
        (Some(start), Some(end)) if start <= end => Ok(content.slice(start..end)),
        _ => Err(Error::unmade("the part lies outside of the file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_short_and_latin() {
        assert_eq!("PDF".parse::<FileExtension>().unwrap().to_string(), "pdf");
        for text in ["", ".pdf", "pdf ", "пдф", "aaaaaaaaaaa", "p/f"] {
            assert_eq!(text.parse::<FileExtension>(), Err(InvalidExtension), "{text:?}");
        }
    }

    #[test]
    fn the_name_in_the_store_tells_nothing_but_the_kind() {
        let extension: FileExtension = "pdf".parse().unwrap();
        let (one, other) = (random_name(&extension), random_name(&extension));
        assert_ne!(one, other);
        assert!(one.is_ascii() && one.ends_with(".pdf") && one.len() == 36, "{one}");
    }

    #[test]
    fn content_md5_is_the_base64_of_the_bytes_of_the_hash() {
        // RFC 1321 A.5: MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(md5_of(b"abc"), STANDARD.encode(hex::decode("900150983cd24fb0d6963f7d28e17f72").unwrap()));
    }

    #[test]
    fn a_part_is_cut_from_the_content() {
        let content = Bytes::from_static(b"0123456789");
        let cut = |range| piece(&content, &Part { number: 1, range });
        assert_eq!(cut(2..5).unwrap(), "234");
        assert!(cut(5..11).is_err() && cut(20..30).is_err());
    }

    #[test]
    fn the_content_is_not_shown() {
        let upload = FileUpload {
            organization: Uuid::nil().into(),
            extension: "txt".parse().unwrap(),
            content: Bytes::from_static(b"secret"),
        };
        let text = format!("{upload:?}");
        assert!(text.contains("length: 6") && !text.contains("secret"), "{text}");
    }
}
