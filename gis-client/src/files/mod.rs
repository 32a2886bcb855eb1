//! The file store of GIS: uploads, their state, downloads.
//!
//! A client of its own beside the SOAP service, with the same tunnel and the same errors. Called by the jobs that
//! upload the files of an answer before the answer itself. To upload a file twice does no harm, a file that no
//! answer names is not seen; so the fate of an upload matters less than that of a message. What must stay true:
//! names that people gave to files go nowhere but into the answer; an upload in parts counts only when the file
//! store itself calls it complete, and any upload only when the virus check behind it is over.

mod error;
mod plan;

pub use error::{FileError, UploadError};
pub use plan::PART_LIMIT;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use plan::{Part, Plan};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, HeaderName, LOCATION, RANGE};
use uuid::Uuid;

use crate::error::{Error, NotSent, Unreadable};
use crate::http::{Channel, Reply, Request};
use crate::ids::{AttachmentId, OrganizationId};

/// Where the files of the debt requests lie.
const CONTEXT: &str = "/ext-bus-file-store-service/rest/debtreq";
/// The longest reply without a file in it, in bytes.
const REPLY_LIMIT: u64 = 64 * 1024;
/// How often and after which pauses the file store is asked whether a closed upload is complete.
const PAUSES_BEFORE_LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(1)];

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileState {
    /// The whole length in bytes.
    pub length: u64,
    /// Whether the upload is complete.
    pub completed: bool,
    /// The numbers of the parts that have arrived; empty for a file in one piece.
    pub completed_parts: Vec<u64>,
}

/// On whose behalf requests go out, and until when on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand {
    pub(crate) organization: OrganizationId,
    pub(crate) not_after: Option<Instant>,
}

/// The client of the file store; [`crate::Gis`] says what its methods promise.
#[derive(Debug, Clone)]
pub(crate) struct FileStore {
    channel: Channel,
}

impl FileStore {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// Uploads a file: in one piece up to [`PART_LIMIT`], else in parts, which may go on where they broke off.
    pub(crate) async fn upload(
        &self,
        file: &FileUpload,
        resume: Option<AttachmentId>,
        not_after: Option<Instant>,
    ) -> Result<UploadedFile, UploadError> {
        let errand = Errand { organization: file.organization, not_after };
        let plan = Plan::new(length_of(&file.content));
        let id = match plan.count() {
            0 => return Err(Error::unmade("the file is empty").into()),
            1 => self.upload_whole(errand, file, resume).await?,
            _ => self.upload_parts(errand, file, plan, resume).await?,
        };
        Ok(UploadedFile { id, hash: hash_of(file.content.clone()).await? })
    }

    /// In one piece. GIS checks a file for viruses after it has come (Q35), and refuses an answer that names it before that
    /// is over: so it counts only when the file store, asked about it, does not complain.
    async fn upload_whole(
        &self,
        errand: Errand,
        file: &FileUpload,
        resume: Option<AttachmentId>,
    ) -> Result<AttachmentId, UploadError> {
        let broken_off = |id| move |error| UploadError::broken_off(id, error);
        if let Some(id) = resume
            && self.lies_there(errand, file, id).await.map_err(broken_off(id))?
        {
            return Ok(id);
        }
        let reply = self.put_whole(errand, file).await?;
        let id = upload_id(&reply)?;
        match self.state(errand, id).await {
            Err(error) if is_unsettled(&error) => Err(UploadError::broken_off(id, error)),
            // The file was taken: that the file store will not speak of one in one piece is no complaint.
            Ok(_) | Err(_) => Ok(id),
        }
    }

    async fn put_whole(&self, errand: Errand, file: &FileUpload) -> Result<Reply, Error> {
        let request = request(Method::PUT, "/?upload".to_owned(), errand)?
            .header(FILE_NAME, &random_name(&file.extension))?
            .header(LENGTH, &file.content.len().to_string())?
            .header(CONTENT_MD5, &md5_of(&file.content))?
            .body(file.content.clone());
        self.send(request).await
    }

    /// Whether a file that was taken in one piece before is there and checked; the error says so while it is being checked.
    async fn lies_there(&self, errand: Errand, file: &FileUpload, id: AttachmentId) -> Result<bool, Error> {
        match self.state(errand, id).await {
            Ok(state) => Ok(state.length == length_of(&file.content)),
            Err(Error::File { error: FileError::FileNotFound, .. }) => Ok(false),
            // The file was taken: what the file store leaves out about it is no complaint.
            Err(Error::Unreadable { reason: Unreadable::Header { .. }, .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn upload_parts(
        &self,
        errand: Errand,
        file: &FileUpload,
        plan: Plan,
        resume: Option<AttachmentId>,
    ) -> Result<AttachmentId, UploadError> {
        let broken_off = |id| move |error| UploadError::broken_off(id, error);
        let before = match resume {
            Some(id) => self.look(errand, file, id).await.map_err(broken_off(id))?,
            None => None,
        };
        let (id, state) = match (resume, before) {
            (Some(id), Some(state)) => (id, state),
            _ => (self.open(errand, file, plan).await?, FileState::default()),
        };
        if !state.completed {
            self.send_missing(errand, file, id, plan, &state.completed_parts)
                .await
                .map_err(broken_off(id))?;
        }
        Ok(id)
    }

    /// The state of an upload that broke off; `None` when it is of no use any more.
    async fn look(
        &self,
        errand: Errand,
        file: &FileUpload,
        id: AttachmentId,
    ) -> Result<Option<FileState>, Error> {
        match self.state(errand, id).await {
            Ok(state) => Ok(Some(state).filter(|state| state.length == length_of(&file.content))),
            Err(Error::File { error: FileError::FileNotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens an upload in parts and gives its identifier, which becomes that of the file.
    async fn open(&self, errand: Errand, file: &FileUpload, plan: Plan) -> Result<AttachmentId, Error> {
        let request = request(Method::POST, "/?upload".to_owned(), errand)?
            .header(FILE_NAME, &random_name(&file.extension))?
            .header(LENGTH, &file.content.len().to_string())?
            .header(PART_COUNT, &plan.count().to_string())?
            .header(CONTENT_LENGTH, "0")?;
        upload_id(&self.send(request).await?)
    }

    async fn send_missing(
        &self,
        errand: Errand,
        file: &FileUpload,
        id: AttachmentId,
        plan: Plan,
        completed: &[u64],
    ) -> Result<(), Error> {
        for part in plan.missing(completed) {
            let bytes = piece(&file.content, &part)?;
            let request = request(Method::PUT, format!("/{id}"), errand)?
                .header(PART_NUMBER, &part.number.to_string())?
                .header(CONTENT_MD5, &md5_of(&bytes))?
                .body(bytes);
            self.send_about_file(request).await?;
        }
        self.complete(errand, file, id).await
    }

    /// Closes an upload in parts and asks until the file store calls it complete, a few times: it puts the parts
    /// together first.
    async fn complete(&self, errand: Errand, file: &FileUpload, id: AttachmentId) -> Result<(), Error> {
        let request =
            request(Method::POST, format!("/{id}?completed"), errand)?.header(CONTENT_LENGTH, "0")?;
        let status = self.send_about_file(request).await?.status;
        for pause in PAUSES_BEFORE_LOOKS {
            tokio::time::sleep(pause).await;
            let state = self.state(errand, id).await?;
            if state.completed && state.length == length_of(&file.content) {
                return Ok(());
            }
        }
        Err(Error::File { error: FileError::Incomplete, status })
    }

    /// What the file store says about a file or an open upload.
    pub(crate) async fn state(&self, errand: Errand, id: AttachmentId) -> Result<FileState, Error> {
        let reply = self.send_about_file(request(Method::HEAD, format!("/{id}"), errand)?).await?;
        let length = reply.header(LENGTH).and_then(|length| length.trim().parse().ok());
        let parts = reply.header(COMPLETED_PARTS).unwrap_or_default();
        Ok(FileState {
            length: length.ok_or_else(|| absent("X-Upload-Length"))?,
            completed: reply.header(COMPLETED).is_some_and(|word| word.trim().eq_ignore_ascii_case("true")),
            completed_parts: parts.split(',').filter_map(|number| number.trim().parse().ok()).collect(),
        })
    }

    /// Downloads a file of at most `limit` bytes, in pieces of [`PART_LIMIT`].
    pub(crate) async fn download(
        &self,
        errand: Errand,
        id: AttachmentId,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        let length = self.state(errand, id).await?.length;
        if length > limit {
            return Err(Error::unreadable(Unreadable::TooLarge { limit }));
        }
        let mut content = Vec::new();
        for part in Plan::new(length).parts() {
            content.extend(self.download_part(errand, id, &part, length).await?);
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
        errand: Errand,
        id: AttachmentId,
        part: &Part,
        length: u64,
    ) -> Result<Vec<u8>, Error> {
        let mut request = request(Method::GET, format!("/{id}?getfile"), errand)?;
        request.limit = length;
        if length > PART_LIMIT.get() {
            let last = part.range.end.saturating_sub(1);
            request = request.header(RANGE, &format!("bytes={}-{last}", part.range.start))?;
        }
        Ok(self.send_about_file(request).await?.body)
    }

    /// Sends a request about one file, where HTTP 404 speaks of the file and not of the address.
    async fn send_about_file(&self, request: Request) -> Result<Reply, Error> {
        let result = self.send(request).await;
        if let Err(Error::NotSent { reason: NotSent::WrongAddress { status: status @ 404 }, .. }) = result {
            return Err(Error::File { error: FileError::FileNotFound, status });
        }
        result
    }

    /// Sends a request; a reply that reports an error becomes that error.
    async fn send(&self, request: Request) -> Result<Reply, Error> {
        let reply = self.channel.send(request).await?;
        if let Some(error) = reply.headers.get(ERROR) {
            let error = FileError::parse(&String::from_utf8_lossy(error.as_bytes()));
            return Err(Error::File { error, status: reply.status });
        }
        if reply.is_success() {
            return Ok(reply);
        }
        // A busy file store took nothing that could count: nothing names the file yet.
        Err(Error::from_status(reply.status, reply.retry_after(), true))
    }
}

fn request(method: Method, path: String, errand: Errand) -> Result<Request, Error> {
    let mut request = Request::new(method, format!("{CONTEXT}{path}"), REPLY_LIMIT);
    request.not_after = errand.not_after;
    request.header(ORGANIZATION, &errand.organization.to_string())
}

/// GOST R 34.11-94 of a whole file, away from the threads that serve connections: it takes seconds for a long one.
async fn hash_of(content: Bytes) -> Result<[u8; 32], Error> {
    tokio::task::spawn_blocking(move || gost::hash::gost94(&content)).await.map_err(Error::unmade)
}

/// Whether a question about a file that was just taken leaves open whether an answer may name it.
const fn is_unsettled(error: &Error) -> bool {
    match error {
        Error::File { error, .. } => {
            matches!(error, FileError::VirusNotChecked | FileError::VirusInfection | FileError::Maintenance)
        }
        Error::NotSent { .. } | Error::MaybeSent { .. } => true,
        Error::Unreadable { .. } | Error::Fault(_) | Error::Refused { .. } => false,
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
