//! The file store client against a small file store in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panics")]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use common::{Received, Server, http, reply};
use gis_client::error::Unreadable;
use gis_client::files::{FileError, FileUpload, PART_LIMIT, Plan};
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
    /// Calls no upload complete.
    forgetful: bool,
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
        match target.replace(CONTEXT, "").replace(ID, "ID").as_str() {
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
                self.completed = !self.forgetful;
                http(200, "", "")
            }
            "HEAD" => self.state(),
            "GET /ID?getfile" => self.download(request),
            other => panic!("{other}"),
        }
    }

    fn open(&mut self, request: &Received) {
        let name = header(request, "x-upload-filename");
        assert!(name.is_ascii() && name.ends_with(".pdf"), "{name}");
        self.length = header(request, "x-upload-length").parse().unwrap();
    }

    fn state(&self) -> Vec<u8> {
        let parts: Vec<_> = self.parts.keys().map(u64::to_string).collect();
        let headers = format!(
            "X-Upload-UploadID: {ID}\r\nX-Upload-Length: {}\r\nX-Upload-Completed: {}\r\n\
             X-Upload-Completed-Parts: {}\r\n",
            self.length,
            self.completed,
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
    client(&server).upload_file(&file("abc")).await.unwrap_err()
}

#[tokio::test]
async fn a_short_file_goes_in_one_piece() {
    let stand = Stand::new(Store::default()).await;
    let uploaded = stand.gis.upload_file(&file("abc")).await.unwrap();
    assert_eq!(uploaded.id, id());
    let hash = "b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c";
    assert_eq!(hex::encode(uploaded.hash), hash, "GOST R 34.11-94 with the CryptoPro parameters");
    assert_eq!(stand.targets(), ["PUT /?upload"]);
    assert_eq!(stand.store.lock().unwrap().content(), b"abc");

    let state = stand.gis.file_state(organization(), id()).await.unwrap();
    assert_eq!((state.length, state.completed, state.completed_parts), (3, true, vec![1]));
    assert_eq!(stand.gis.download_file(organization(), id(), 3).await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_long_file_goes_in_parts_both_ways() {
    let stand = Stand::new(Store::default()).await;
    let content = long_file();
    let uploaded = stand.gis.upload_file(&file(content.clone())).await.unwrap();
    assert_eq!(uploaded.hash, gost::hash::gost94(&content));
    assert_eq!(stand.targets(), ["POST /?upload", "PUT /ID", "PUT /ID", "POST /ID?completed", "HEAD /ID"]);
    let opening = stand.server.received().first().unwrap().clone();
    assert_eq!(header(&opening, "x-upload-part-count"), "2");
    assert_eq!(header(&opening, "content-length"), "0");
    assert_eq!(stand.store.lock().unwrap().content(), content);

    assert_eq!(stand.gis.download_file(organization(), id(), 6_000_000).await.unwrap(), content);
    let downloads = stand.targets().iter().filter(|target| target.starts_with("GET")).count();
    assert_eq!(downloads, 2);
    assert!(stand.server.received().iter().all(|request| request.connection == 1), "one connection for all");
}

#[tokio::test]
async fn an_upload_goes_on_after_a_break() {
    let stand = Stand::new(Store::default()).await;
    let content = long_file();
    let (file, files) = (file(content.clone()), stand.gis.files());
    let id = files.open(&file).await.unwrap();
    let plan = Plan::new(u64::try_from(content.len()).unwrap());
    files.send_part(&file, id, &plan.parts().last().unwrap()).await.unwrap();

    let completed = files.state(organization(), id).await.unwrap().completed_parts;
    assert_eq!(completed, [2]);
    for part in plan.missing(&completed) {
        files.send_part(&file, id, &part).await.unwrap();
    }
    files.complete(&file, id).await.unwrap();
    assert_eq!(stand.store.lock().unwrap().content(), content);
}

#[tokio::test]
async fn an_upload_counts_only_when_the_store_calls_it_complete() {
    let stand = Stand::new(Store { forgetful: true, ..Store::default() }).await;
    let error = stand.gis.upload_file(&file(long_file())).await.unwrap_err();
    assert!(matches!(error, Error::File { error: FileError::Incomplete, .. }), "{error:?}");
    assert_eq!((error.fate(), error.repeat()), (Fate::Unknown, Repeat::Later { after: None }));
}

#[tokio::test]
async fn an_empty_file_is_not_sent() {
    let stand = Stand::new(Store::default()).await;
    let error = stand.gis.upload_file(&file("")).await.unwrap_err();
    assert_eq!((error.fate(), error.repeat()), (Fate::NotSent, Repeat::Never));
    assert!(stand.targets().is_empty());
}

#[tokio::test]
async fn a_store_without_ranges_is_understood() {
    let stand = Stand::new(Store { whole: true, ..Store::default() }).await;
    let content = long_file();
    stand.gis.upload_file(&file(content.clone())).await.unwrap();
    assert_eq!(stand.gis.download_file(organization(), id(), 6_000_000).await.unwrap(), content);
}

#[tokio::test]
async fn a_download_keeps_its_limit_and_the_announced_length() {
    let stand = Stand::new(Store::default()).await;
    stand.gis.upload_file(&file("abcdef")).await.unwrap();
    let error = stand.gis.download_file(organization(), id(), 5).await.unwrap_err();
    assert!(
        matches!(error, Error::Unreadable { reason: Unreadable::TooLarge { limit: 5 }, .. }),
        "{error:?}"
    );

    stand.store.lock().unwrap().length = 7;
    let error = stand.gis.download_file(organization(), id(), 100).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { reason: Unreadable::Length, .. }), "{error:?}");

    stand.store.lock().unwrap().length = 5;
    let error = stand.gis.download_file(organization(), id(), 100).await.unwrap_err();
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
    assert_eq!(client(&server).upload_file(&file("abc")).await.unwrap().id, id());
}
