//! The file store client against a small file store in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panics")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use common::{Received, Server, http, reply};
use gis_client::error::{NotSent, Unreadable};
use gis_client::files::{FileError, FileUpload, PART_LIMIT, UploadError};
use gis_client::ids::{AttachmentId, OrganizationId};
use gis_client::{Error, Fate, Gis, HttpGis, HttpSettings, Repeat};
use md5::{Digest as _, Md5};
use uuid::Uuid;

const CONTEXT: &str = "/ext-bus-file-store-service/rest/debtreq";
const ID: &str = "7d7a1a40-41d0-4a4d-9f0a-1d4c6fb0c1a2";

/// A file store with one file, in the manner of GIS.
#[derive(Default)]
struct Store {
    length: usize,
    parts: BTreeMap<u64, Vec<u8>>,
    completed: bool,
    /// How many times it still calls a closed upload incomplete.
    slow: usize,
    /// The request that it answers with `replies_once` instead, or with HTTP 500; any when empty.
    fails_once: String,
    replies_once: Vec<u8>,
    /// Ignores `Range`.
    whole: bool,
}

impl Store {
    fn answer(&mut self, request: &Received) -> Vec<u8> {
        assert_eq!(header(request, "x-upload-orgppaguid"), organization().to_string());
        if !request.body.is_empty() {
            assert_eq!(header(request, "content-md5"), STANDARD.encode(Md5::digest(&request.body)));
        }
        let target = request.target.strip_prefix("HEAD ").map_or(request.target.as_str(), |_| "HEAD");
        let created = http(200, &format!("X-Upload-UploadID: {ID}\r\n"), "");
        let target = target.replace(CONTEXT, "").replace(ID, "ID");
        if let Some(failure) = self.failure(&target) {
            return failure;
        }
        match target.as_str() {
            "PUT /?upload" => {
                self.open(request);
                self.parts.insert(1, request.body.clone());
                self.completed = true;
                created
            }
            "POST /?upload" => {
                self.open(request);
                created
            }
            "PUT /ID" => {
                self.parts
                    .insert(header(request, "x-upload-partnumber").parse().unwrap(), request.body.clone());
                http(200, "", "")
            }
            "POST /ID?completed" => {
                self.completed = true;
                http(200, "", "")
            }
            "HEAD" => self.state(),
            "GET /ID?getfile" => self.download(request),
            other => panic!("{other}"),
        }
    }

    fn failure(&mut self, target: &str) -> Option<Vec<u8>> {
        let fails = !(self.fails_once.is_empty() && self.replies_once.is_empty());
        if !fails || !(self.fails_once.is_empty() || self.fails_once == target) {
            return None;
        }
        self.fails_once.clear();
        let reply = std::mem::take(&mut self.replies_once);
        Some(if reply.is_empty() { http(500, "", "") } else { reply })
    }

    fn open(&mut self, request: &Received) {
        let name = header(request, "x-upload-filename");
        assert!(name.is_ascii() && name.ends_with(".pdf"), "{name}");
        self.length = header(request, "x-upload-length").parse().unwrap();
    }

    fn state(&mut self) -> Vec<u8> {
        let completed = self.completed && self.slow == 0;
        self.slow -= usize::from(self.completed && self.slow > 0);
        let parts: Vec<_> = self.parts.keys().map(u64::to_string).collect();
        let headers = format!(
            "X-Upload-UploadID: {ID}\r\nX-Upload-Length: {}\r\nX-Upload-Completed: {}\r\n\
             X-Upload-Completed-Parts: {}\r\n",
            self.length,
            completed,
            parts.join(",")
        );
        http(200, &headers, "")
    }

    fn download(&self, request: &Received) -> Vec<u8> {
        let content = self.content();
        let range = request.headers.get("range").filter(|_| !self.whole);
        let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
        else {
            return http(200, "", content);
        };
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        assert!(u64::try_from(last - first).unwrap() < PART_LIMIT.get());
        http(206, "", content.get(first..=last).unwrap())
    }

    fn content(&self) -> Vec<u8> {
        self.parts.values().flatten().copied().collect()
    }
}

/// A client and a server over a store.
struct Stand {
    gis: HttpGis,
    server: Server,
    store: Arc<Mutex<Store>>,
}

impl Stand {
    async fn new(store: Store) -> Self {
        let store = Arc::new(Mutex::new(store));
        let shared = store.clone();
        let server = Server::start(move |request, stream| {
            let answer = shared.lock().unwrap().answer(&request);
            reply(stream, answer)
        })
        .await;
        Self { gis: client(&server), server, store }
    }

    fn targets(&self) -> Vec<String> {
        let short = |request: Received| request.target.replace(CONTEXT, "").replace(ID, "ID");
        self.server.received().into_iter().map(short).collect()
    }
}

fn client(server: &Server) -> HttpGis {
    HttpGis::new(HttpSettings::new(server.base_url())).unwrap()
}

fn organization() -> OrganizationId {
    Uuid::from_u128(1).into()
}

fn id() -> AttachmentId {
    ID.parse().unwrap()
}

fn file(content: impl Into<Bytes>) -> FileUpload {
    FileUpload { organization: organization(), extension: "pdf".parse().unwrap(), content: content.into() }
}

/// A little longer than one part.
fn long_file() -> Vec<u8> {
    let length = usize::try_from(PART_LIMIT.get()).unwrap() + 10;
    (0..=250).cycle().take(length).collect()
}

fn header<'a>(request: &'a Received, name: &str) -> &'a str {
    request.headers.get(name).unwrap()
}

/// The error of an upload that is answered so.
async fn upload_error(answer: Vec<u8>) -> Error {
    let server = Server::start(move |_, stream| reply(stream, answer.clone())).await;
    client(&server).upload_file(&file("abc"), None, None).await.unwrap_err().error
}

#[tokio::test]
async fn a_short_file_goes_in_one_piece() {
    let stand = Stand::new(Store::default()).await;
    let uploaded = stand.gis.upload_file(&file("abc"), None, None).await.unwrap();
    assert_eq!(uploaded.id, id());
    let hash = "b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c";
    assert_eq!(hex::encode(uploaded.hash), hash, "GOST R 34.11-94 with the CryptoPro parameters");
    assert_eq!(stand.targets(), ["PUT /?upload", "HEAD /ID"]);
    assert_eq!(stand.store.lock().unwrap().content(), b"abc");

    let state = stand.gis.file_state(organization(), id()).await.unwrap();
    assert_eq!((state.length, state.completed, state.completed_parts), (3, true, vec![1]));
    assert_eq!(stand.gis.download_file(organization(), id(), 3, None).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_short_file_counts_when_its_virus_check_is_over() {
    let pending = || http(409, "X-Upload-Error: FileVirusNotCheckedException\r\n", "");
    let head_fails = |reply| Store { fails_once: "HEAD".to_owned(), replies_once: reply, ..Store::default() };
    let stand = Stand::new(head_fails(pending())).await;
    let file = file("abc");
    let broken = stand.gis.upload_file(&file, None, None).await.unwrap_err();
    assert!(matches!(broken.error, Error::File { error: FileError::VirusNotChecked, .. }), "{broken:?}");
    assert_eq!(broken.resume, Some(id()));
    assert_eq!(stand.gis.upload_file(&file, broken.resume, None).await.unwrap().id, id());
    assert_eq!(stand.targets(), ["PUT /?upload", "HEAD /ID", "HEAD /ID"], "it is uploaded once");

    let infected = http(400, "X-Upload-Error: FileVirusInfectionException\r\n", "");
    let stand = Stand::new(head_fails(infected)).await;
    let refused = stand.gis.upload_file(&file, None, None).await.unwrap_err();
    assert_eq!((refused.error.repeat(), refused.resume), (Repeat::Never, None));
}

#[tokio::test]
async fn a_short_file_that_is_not_there_any_more_goes_anew() {
    for (reply, length) in [(http(404, "", ""), 0), (Vec::new(), 7)] {
        let stand = Stand::new(Store { length, replies_once: reply, ..Store::default() }).await;
        assert_eq!(stand.gis.upload_file(&file("abc"), Some(id()), None).await.unwrap().id, id());
        assert_eq!(stand.targets(), ["HEAD /ID", "PUT /?upload", "HEAD /ID"]);
    }
}

#[tokio::test]
async fn a_long_file_goes_in_parts_both_ways() {
    let stand = Stand::new(Store::default()).await;
    let content = long_file();
    let uploaded = stand.gis.upload_file(&file(content.clone()), None, None).await.unwrap();
    assert_eq!(uploaded.hash, gost::hash::gost94(&content));
    assert_eq!(stand.targets(), ["POST /?upload", "PUT /ID", "PUT /ID", "POST /ID?completed", "HEAD /ID"]);
    let opening = stand.server.received().first().unwrap().clone();
    assert_eq!(header(&opening, "x-upload-part-count"), "2");
    assert_eq!(header(&opening, "content-length"), "0");
    assert_eq!(stand.store.lock().unwrap().content(), content);

    assert_eq!(stand.gis.download_file(organization(), id(), 6_000_000, None).await.unwrap(), content);
    let downloads = stand.targets().iter().filter(|target| target.starts_with("GET")).count();
    assert_eq!(downloads, 2);
    assert!(stand.server.received().iter().all(|request| request.connection == 1), "one connection for all");
}

#[tokio::test]
async fn an_upload_goes_on_after_a_break() {
    let stand = Stand::new(Store { fails_once: "PUT /ID".to_owned(), ..Store::default() }).await;
    let content = long_file();
    let file = file(content.clone());
    let broken = stand.gis.upload_file(&file, None, None).await.unwrap_err();
    assert_eq!((broken.error.fate(), broken.resume), (Fate::Unknown, Some(id())));

    let first_part = content.get(..usize::try_from(PART_LIMIT.get()).unwrap()).unwrap();
    stand.store.lock().unwrap().parts.insert(1, first_part.to_owned());
    let before = stand.targets().len();
    assert_eq!(stand.gis.upload_file(&file, broken.resume, None).await.unwrap().id, id());
    let steps = stand.targets().split_off(before);
    assert_eq!(steps, ["HEAD /ID", "PUT /ID", "POST /ID?completed", "HEAD /ID"]);
    assert_eq!(stand.store.lock().unwrap().content(), content);

    let again = stand.gis.upload_file(&file, broken.resume, None).await.unwrap();
    assert_eq!(again.hash, gost::hash::gost94(&content));
    assert_eq!(stand.targets().last().unwrap(), "HEAD /ID", "nothing was left to do");
}

#[tokio::test]
async fn an_upload_that_is_of_no_use_any_more_begins_anew() {
    for (reply, length) in [(http(404, "", ""), 0), (Vec::new(), 7)] {
        let stand = Stand::new(Store { length, replies_once: reply, ..Store::default() }).await;
        let content = long_file();
        stand.gis.upload_file(&file(content.clone()), Some(id()), None).await.unwrap();
        assert_eq!(stand.targets().get(..2).unwrap(), ["HEAD /ID", "POST /?upload"]);
        assert_eq!(stand.store.lock().unwrap().content(), content);
    }
    let refusal = http(200, "X-Upload-Error: InvalidStatusException\r\n", "");
    let stand = Stand::new(Store { replies_once: refusal, ..Store::default() }).await;
    let refused = stand.gis.upload_file(&file(long_file()), Some(id()), None).await.unwrap_err();
    assert_eq!(refused.resume, None);
}

#[tokio::test]
async fn an_upload_may_be_complete_a_little_later() {
    let stand = Stand::new(Store { slow: 2, ..Store::default() }).await;
    stand.gis.upload_file(&file(long_file()), None, None).await.unwrap();
    assert_eq!(stand.targets().iter().filter(|target| *target == "HEAD /ID").count(), 3);
}

#[tokio::test]
async fn no_step_begins_after_the_lease() {
    let stand = Stand::new(Store { slow: 9, ..Store::default() }).await;
    let lease = |milliseconds| Some(Instant::now() + Duration::from_millis(milliseconds));
    for content in [b"abc".to_vec(), long_file()] {
        let error = stand.gis.upload_file(&file(content), None, lease(0)).await.unwrap_err();
        let Error::NotSent { reason: NotSent::LeaseOver, .. } = error.error else { panic!("{error:?}") };
        assert_eq!(error.resume, None);
    }
    let error = stand.gis.download_file(organization(), id(), 9, lease(0)).await.unwrap_err();
    assert!(matches!(error, Error::NotSent { reason: NotSent::LeaseOver, .. }), "{error:?}");
    assert!(stand.targets().is_empty());

    let silent = Server::start(|_, _| std::future::pending()).await;
    let error = client(&silent).upload_file(&file("abc"), None, lease(300)).await.unwrap_err();
    assert!(matches!(error.error, Error::MaybeSent { .. }), "{error:?}");
    let error = client(&silent).download_file(organization(), id(), 9, lease(300)).await.unwrap_err();
    assert!(matches!(error, Error::MaybeSent { .. }), "{error:?}");
}

#[tokio::test]
async fn not_found_without_a_reason_is_about_the_file() {
    let server = Server::start(|_, stream| reply(stream, http(404, "", ""))).await;
    let gis = client(&server);
    let state = gis.file_state(organization(), id()).await.unwrap_err();
    let download = gis.download_file(organization(), id(), 9, None).await.unwrap_err();
    for error in [state, download] {
        assert!(matches!(error, Error::File { error: FileError::FileNotFound, status: 404 }), "{error:?}");
        assert!(!error.is_outage());
    }
    for content in [b"abc".to_vec(), long_file()] {
        let error = gis.upload_file(&file(content), None, None).await.unwrap_err().error;
        assert!(
            matches!(error, Error::NotSent { reason: NotSent::WrongAddress { status: 404 }, .. }),
            "{error:?}"
        );
    }
    let lost =
        Store { fails_once: "PUT /ID".to_owned(), replies_once: http(404, "", ""), ..Store::default() };
    let stand = Stand::new(lost).await;
    let error = stand.gis.upload_file(&file(long_file()), None, None).await.unwrap_err();
    assert!(matches!(error.error, Error::File { error: FileError::FileNotFound, .. }), "{error:?}");
    assert_eq!(error.resume, None);
}

#[tokio::test]
async fn an_error_in_other_letters_is_an_error() {
    for status in [200, 404] {
        let error = upload_error(http(status, "X-Upload-Error: \u{43d}\u{435}\u{442}\r\n", "")).await;
        assert!(matches!(error, Error::File { error: FileError::Unknown(_), .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_upload_counts_only_when_the_store_calls_it_complete() {
    let stand = Stand::new(Store { slow: 3, ..Store::default() }).await;
    let UploadError { error, resume } =
        stand.gis.upload_file(&file(long_file()), None, None).await.unwrap_err();
    assert!(matches!(error, Error::File { error: FileError::Incomplete, .. }), "{error:?}");
    assert_eq!(resume, Some(id()));
    assert_eq!((error.fate(), error.repeat()), (Fate::Unknown, Repeat::Later { after: None }));
}

#[tokio::test]
async fn an_empty_file_is_not_sent() {
    let stand = Stand::new(Store::default()).await;
    let error = stand.gis.upload_file(&file(""), None, None).await.unwrap_err().error;
    assert_eq!((error.fate(), error.repeat()), (Fate::NotSent, Repeat::Never));
    assert!(stand.targets().is_empty());
}

#[tokio::test]
async fn a_store_without_ranges_is_understood() {
    let stand = Stand::new(Store { whole: true, ..Store::default() }).await;
    let content = long_file();
    stand.gis.upload_file(&file(content.clone()), None, None).await.unwrap();
    assert_eq!(stand.gis.download_file(organization(), id(), 6_000_000, None).await.unwrap(), content);
}

#[tokio::test]
async fn a_download_keeps_its_limit_and_the_announced_length() {
    let stand = Stand::new(Store::default()).await;
    stand.gis.upload_file(&file("abcdef"), None, None).await.unwrap();
    let error = stand.gis.download_file(organization(), id(), 5, None).await.unwrap_err();
    assert!(
        matches!(error, Error::Unreadable { reason: Unreadable::TooLarge { limit: 5 }, .. }),
        "{error:?}"
    );

    stand.store.lock().unwrap().length = 7;
    let error = stand.gis.download_file(organization(), id(), 100, None).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { reason: Unreadable::Length, .. }), "{error:?}");

    stand.store.lock().unwrap().length = 5;
    let error = stand.gis.download_file(organization(), id(), 100, None).await.unwrap_err();
    assert!(
        matches!(error, Error::Unreadable { reason: Unreadable::TooLarge { limit: 5 }, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_stores_own_errors_are_told_whatever_the_status() {
    for status in [200, 400, 404, 500] {
        let pending = http(status, "X-Upload-Error: FileVirusNotCheckedException\r\n", "");
        let error = upload_error(pending).await;
        assert!(matches!(error, Error::File { error: FileError::VirusNotChecked, .. }), "{error:?}");
        assert_eq!((error.fate(), error.repeat()), (Fate::Unknown, Repeat::Later { after: None }));

        let infected = http(status, "X-Upload-Error: FileVirusInfectionException\r\n", "");
        let error = upload_error(infected).await;
        assert_eq!((error.fate(), error.repeat()), (Fate::Refused, Repeat::Never));
    }
    let closed = upload_error(http(503, "X-Upload-Error: INT002029\r\n", "")).await;
    assert!(closed.is_outage());
}

#[tokio::test]
async fn replies_without_a_reason_are_judged_by_their_status() {
    let busy = upload_error(http(503, "Retry-After: 5\r\n", "")).await;
    assert!(matches!(busy.repeat(), Repeat::Later { after: Some(_) }));
    assert_eq!(upload_error(http(413, "", "")).await.fate(), Fate::Refused);
    assert_eq!(upload_error(http(502, "", "")).await.fate(), Fate::Unknown);
}

#[tokio::test]
async fn a_reply_must_name_the_upload() {
    for headers in ["", "X-Upload-UploadID: soon\r\n", "Location: /somewhere\r\n"] {
        let error = upload_error(http(200, headers, "")).await;
        let reason = Unreadable::Header { name: "X-Upload-UploadID" };
        assert!(matches!(error, Error::Unreadable { reason: found, .. } if found == reason), "{error:?}");
    }
    let server = Server::start(move |_, stream| {
        reply(stream, http(201, &format!("Location: {CONTEXT}/{ID}\r\n"), ""))
    })
    .await;
    assert_eq!(client(&server).upload_file(&file("abc"), None, None).await.unwrap().id, id());
}
