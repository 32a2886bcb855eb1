//! A zip that is written while it is sent: never more than one of its files is in memory.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Europe::Moscow;
use zip::result::ZipResult;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// A zip under way.
pub(crate) struct ZipStream {
    writer: ZipWriter<StreamWriter<Outlet>>,
    outlet: Outlet,
}

/// Where the writer leaves what can be sent.
#[derive(Clone, Default)]
struct Outlet(Arc<Mutex<Vec<u8>>>);

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl ZipStream {
    pub(crate) fn new() -> Self {
        let outlet = Outlet::default();
        Self { writer: ZipWriter::new_stream(outlet.clone()), outlet }
    }

    /// Adds a file and gives what can be sent by now.
    pub(crate) fn add(&mut self, name: &str, time: DateTime<Utc>, content: &[u8]) -> ZipResult<Bytes> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(local(time).unwrap_or_default());
        self.writer.start_file(name, options)?;
        self.writer.write_all(content)?;
        Ok(self.outlet.take())
    }

    /// The end of the zip.
    pub(crate) fn finish(self) -> ZipResult<Bytes> {
        self.writer.finish()?;
        Ok(self.outlet.take())
    }
}

/// A zip knows no time zones.
fn local(time: DateTime<Utc>) -> Option<zip::DateTime> {
    let time = time.with_timezone(&Moscow);
    let part = |number: u32| u8::try_from(number).ok();
    zip::DateTime::from_date_and_time(
        u16::try_from(time.year()).ok()?,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn what_is_sent_piece_by_piece_is_a_zip() {
        let time = "2026-11-26T15:40:12Z".parse().unwrap();
        let long: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut zip = ZipStream::new();
        let mut sent = Vec::new();
        for (name, content) in [("a.xml", &b"<a/>"[..]), ("long", &long), ("empty.txt", b"")] {
            let piece = zip.add(name, time, content).unwrap();
            assert!(!piece.is_empty(), "an empty piece would end a chunked body");
            sent.extend_from_slice(&piece);
        }
        sent.extend_from_slice(&zip.finish().unwrap());
        let mut zip = ZipArchive::new(Cursor::new(sent)).unwrap();
        assert_eq!(zip.file_names().map(Result::unwrap).collect::<Vec<_>>(), ["a.xml", "long", "empty.txt"]);
        let mut content = Vec::new();
        zip.by_name("long").unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, long);
        let modified = zip.by_name("a.xml").unwrap().last_modified().unwrap();
        assert_eq!((modified.day(), modified.hour(), modified.minute()), (26, 18, 40));
    }
}
