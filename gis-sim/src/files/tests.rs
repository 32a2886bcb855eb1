use std::time::Duration;

use super::*;
use crate::state::tests::moment;

const OWNER: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const FILE: Uuid = Uuid::from_u128(3);

fn md5(content: &[u8]) -> String {
    STANDARD.encode(Md5::digest(content))
}

fn announced(length: usize) -> Announced<'static> {
    Announced { owner: OWNER, name: "order.pdf", length }
}

fn refused(result: Result<impl std::fmt::Debug, StoreError>) -> FileError {
    match result {
        Err(StoreError::Refused(error)) => error,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

fn put(store: &mut FileStore, content: &[u8]) -> Result<(), StoreError> {
    let closed = store.put_whole(FILE, announced(content.len()), Some(&md5(content)), content)?;
    store.complete(OWNER, FILE, closed.hash(false), moment(0))
}

fn finish(store: &mut FileStore) -> Result<(), StoreError> {
    let closed = store.close(OWNER, FILE)?;
    store.complete(OWNER, FILE, closed.hash(false), moment(0))
}

#[test]
fn a_whole_file_is_kept_with_the_old_hash() {
    let mut store = FileStore::default();
    put(&mut store, b"abc").unwrap();
    let switches = crate::scenario::Files::default();
    let habits = Habits { switches: &switches, now: moment(1) };
    let state = store.state(OWNER, FILE, habits).unwrap();
    // protocol §11: GOST R 34.11-94 with CryptoPro parameters of "abc".
    let hash = "b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c";
    assert_eq!(state.hash.as_deref(), Some(hash));
    assert_eq!(store.hash(OWNER, FILE, habits).as_deref(), Some(hash));
    assert_eq!(store.hash(OTHER, FILE, habits), None);
    assert_eq!((state.completed_parts.as_slice(), state.length, state.used), ([1].as_slice(), 3, false));
    assert_eq!(refused(store.download(OWNER, FILE, habits)), FileError::FilePermissionException);
    store.mark_used(FILE);
    assert_eq!(store.download(OWNER, FILE, habits).unwrap().to_vec(), b"abc");
    assert_eq!(refused(store.download(OTHER, FILE, habits)), FileError::FilePermissionException);
    assert_eq!(refused(store.state(OWNER, OTHER, habits)), FileError::FileNotFoundException);
}

#[test]
fn bad_uploads_leave_nothing_behind() {
    let mut store = FileStore::default();
    let mut put = |announced: Announced<'_>, md5: Option<&str>, content: &[u8]| {
        refused(store.put_whole(FILE, announced, md5, content))
    };
    let good = md5(b"abc");
    assert_eq!(put(announced(4), Some(&good), b"abc"), FileError::InvalidSizeException);
    assert_eq!(put(announced(0), Some(&good), b""), FileError::InvalidSizeException);
    assert_eq!(put(announced(3), None, b"abc"), FileError::FieldValidationException);
    assert_eq!(put(announced(3), Some("%"), b"abc"), FileError::FieldValidationException);
    assert_eq!(put(announced(3), Some(&md5(b"abd")), b"abc"), FileError::HashConflictException);
    let program = Announced { name: "run.exe", ..announced(3) };
    assert_eq!(put(program, Some(&good), b"abc"), FileError::ExtensionException);
    let large = vec![0; PART_BYTES + 1];
    let sum = md5(&large);
    assert_eq!(put(announced(large.len()), Some(&sum), &large), FileError::InvalidSizeException);
    assert!(store.is_empty());
    assert_eq!(store.bytes(), 0);
}

#[test]
fn parts_arrive_in_any_order_and_make_one_file() {
    let mut store = FileStore::default();
    let switches = crate::scenario::Files { download_unused: true, ..Default::default() };
    let habits = Habits { switches: &switches, now: moment(0) };
    let (first, second) = (vec![7_u8; PART_BYTES], b"end".to_vec());
    store.open(FILE, announced(PART_BYTES + 3), 2).unwrap();
    let mut part =
        |number: u32, content: &[u8]| store.put_part(OWNER, FILE, number, Some(&md5(content)), content);
    assert_eq!(refused(part(0, b"x")), FileError::InvalidPartNumberException);
    assert_eq!(refused(part(3, b"x")), FileError::InvalidPartNumberException);
    part(2, &second).unwrap();
    assert_eq!(refused(finish(&mut store)), FileError::InvalidStatusException);
    assert_eq!(refused(store.download(OWNER, FILE, habits)), FileError::InvalidStatusException);
    assert_eq!(store.state(OWNER, FILE, habits).unwrap().completed_parts, [2]);
    let mut part =
        |number: u32, content: &[u8]| store.put_part(OWNER, FILE, number, Some(&md5(content)), content);
    part(1, &first).unwrap();
    assert_eq!(refused(part(2, b"more")), FileError::InvalidSizeException);
    finish(&mut store).unwrap();
    let whole = [first, second].concat();
    assert_eq!(store.download(OWNER, FILE, habits).unwrap().to_vec(), whole);
    assert_eq!(store.hash(OWNER, FILE, habits).unwrap(), hex::encode(gost::hash::gost94(&whole)));
    assert_eq!(refused(finish(&mut store)), FileError::InvalidStatusException);
    let late = store.put_part(OWNER, FILE, 1, Some(&md5(b"x")), b"x");
    assert_eq!(refused(late), FileError::InvalidStatusException);
}

#[test]
fn a_file_being_closed_takes_no_part_and_serves_nobody() {
    let mut store = FileStore::default();
    let switches = crate::scenario::Files { download_unused: true, ..Default::default() };
    let habits = Habits { switches: &switches, now: moment(0) };
    store.open(FILE, announced(3), 1).unwrap();
    let early = store.complete(OWNER, FILE, String::new(), moment(0));
    assert_eq!(refused(early), FileError::InvalidStatusException);
    store.put_part(OWNER, FILE, 1, Some(&md5(b"abc")), b"abc").unwrap();
    let closed = store.close(OWNER, FILE).unwrap();
    let late = store.put_part(OWNER, FILE, 1, Some(&md5(b"abd")), b"abd");
    assert_eq!(refused(late), FileError::InvalidStatusException);
    assert_eq!(refused(store.close(OWNER, FILE)), FileError::InvalidStatusException);
    assert_eq!(refused(store.download(OWNER, FILE, habits)), FileError::InvalidStatusException);
    assert_eq!(store.hash(OWNER, FILE, habits), None);
    store.complete(OWNER, FILE, closed.hash(false), moment(0)).unwrap();
    assert_eq!(store.download(OWNER, FILE, habits).unwrap().to_vec(), b"abc");
}

#[test]
fn the_virus_check_takes_its_time() {
    let mut store = FileStore::default();
    put(&mut store, b"abc").unwrap();
    let switches = crate::scenario::Files {
        virus_check: Duration::from_secs(3600),
        download_unused: true,
        ..Default::default()
    };
    let at = |hours| Habits { switches: &switches, now: moment(hours) };
    assert_eq!(refused(store.state(OWNER, FILE, at(0))), FileError::FileVirusNotCheckedException);
    assert_eq!(refused(store.download(OWNER, FILE, at(0))), FileError::FileVirusNotCheckedException);
    assert_eq!(store.hash(OWNER, FILE, at(0)), None);
    assert!(store.download(OWNER, FILE, at(1)).is_ok());
}

#[test]
fn the_store_is_bounded() {
    let mut store = FileStore::default();
    let large = 500 * PART_BYTES;
    assert_eq!(
        refused(store.open(FILE, announced(large), MOST_PARTS + 1)),
        FileError::InvalidPartNumberException
    );
    assert_eq!(refused(store.open(FILE, announced(large), 499)), FileError::InvalidSizeException);
    assert_eq!(store.open(FILE, announced(large), 500), Err(StoreError::Full));
    // Files of one byte in many parts fill the store by what their parts cost.
    let room = MOST_BYTES / (1 + 1001 * OVERHEAD_BYTES);
    let opened =
        (100..).take_while(|number| store.open(Uuid::from_u128(*number), announced(1), MOST_PARTS).is_ok());
    assert_eq!(opened.count(), room);
    assert!(store.bytes() <= MOST_BYTES);
    let mut store = FileStore::default();
    for number in 0..MOST_FILES {
        let guid = Uuid::from_u128(100 + u128::try_from(number).unwrap());
        store.open(guid, announced(1), 1).unwrap();
    }
    assert_eq!(store.open(FILE, announced(1), 1), Err(StoreError::Full));
}
