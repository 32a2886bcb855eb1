//! The fifteen kinds of files that GIS takes (F26), each with its media type and with what its content looks like, and those
//! of them that are taken here.
//!
//! A file is never opened, let alone unpacked: its first bytes tell, and of archives the names in the central directory.

use infer::{archive, image, odf};

/// A kind of file that GIS takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The extension in lower case.
    pub(super) extension: &'static str,
    /// The media type.
    pub(super) media_type: &'static str,
    form: Form,
}

/// What the content looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Pdf,
    Rtf,
    Text,
    Jpeg,
    Png,
    Gif,
    Bmp,
    Tiff,
    /// An OLE2 file with one of these streams.
    Ole2(&'static [&'static str]),
    /// An Office Open XML archive with such a folder.
    OpenXml(&'static str),
    OpenDocumentText,
}

const KINDS: [Kind; 15] = [
    kind("pdf", "application/pdf", Form::Pdf),
    kind(
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Form::OpenXml("word/"),
    ),
    kind("doc", "application/msword", Form::Ole2(&["WordDocument"])),
    kind("rtf", "application/rtf", Form::Rtf),
    kind("txt", "text/plain", Form::Text),
    kind("jpeg", "image/jpeg", Form::Jpeg),
    kind("jpg", "image/jpeg", Form::Jpeg),
    kind("bmp", "image/bmp", Form::Bmp),
    kind("tif", "image/tiff", Form::Tiff),
    kind("tiff", "image/tiff", Form::Tiff),
    kind("gif", "image/gif", Form::Gif),
    kind("odt", "application/vnd.oasis.opendocument.text", Form::OpenDocumentText),
    // Excel 5 called the stream Book, Excel 97 and later Workbook.
    kind("xls", "application/vnd.ms-excel", Form::Ole2(&["Workbook", "Book"])),
    kind("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Form::OpenXml("xl/")),
    kind("png", "image/png", Form::Png),
];

const fn kind(extension: &'static str, media_type: &'static str, form: Form) -> Kind {
    Kind { extension, media_type, form }
}

/// The kinds of files that are taken here: all that GIS takes, or some of them. No other can be: nobody could tell whether
/// its content is what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileTypes([bool; KINDS.len()]);

impl Default for FileTypes {
    fn default() -> Self {
        Self([true; KINDS.len()])
    }
}

impl FileTypes {
    /// Those with these extensions, in any case; `None` if there are none, or GIS does not take one of them.
    #[must_use]
    pub fn named(extensions: &[impl AsRef<str>]) -> Option<Self> {
        let named = |kind: &Kind, text: &str| kind.extension.eq_ignore_ascii_case(text);
        let is_known = |text: &str| KINDS.iter().any(|kind| named(kind, text));
        let all_known = extensions.iter().all(|text| is_known(text.as_ref()));
        let taken = KINDS.map(|kind| extensions.iter().any(|text| named(&kind, text.as_ref())));
        (all_known && !extensions.is_empty()).then_some(Self(taken))
    }

    /// Their extensions, for people.
    #[must_use]
    pub fn extensions(self) -> String {
        self.kinds().map(|kind| kind.extension).collect::<Vec<_>>().join(", ")
    }

    /// The kind that a file name promises, if it is taken.
    pub(super) fn kind_of(self, file_name: &str) -> Option<&'static Kind> {
        let (stem, extension) = file_name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        self.kinds().find(|kind| !stem.is_empty() && kind.extension == extension)
    }

    fn kinds(self) -> impl Iterator<Item = &'static Kind> {
        KINDS.iter().zip(self.0).filter_map(|(kind, taken)| taken.then_some(kind))
    }
}

impl Kind {
    /// Whether a content is of this kind.
    pub(super) fn fits(&self, content: &[u8]) -> bool {
        match self.form {
            Form::Pdf => archive::is_pdf(content),
            Form::Rtf => archive::is_rtf(content),
            Form::Text => is_text(content),
            Form::Jpeg => image::is_jpeg(content),
            Form::Png => content.starts_with(b"\x89PNG\r\n\x1a\n"),
            Form::Gif => content.starts_with(b"GIF87a") || content.starts_with(b"GIF89a"),
            Form::Bmp => is_bitmap(content),
            Form::Tiff => image::is_tiff(content),
            Form::Ole2(streams) => {
                is_ole2(content) && streams.iter().any(|stream| has_stream(content, stream))
            }
            Form::OpenXml(folder) => {
                has_entry(content, |name| name == b"[Content_Types].xml")
                    && has_entry(content, |name| name.starts_with(folder.as_bytes()))
            }
            Form::OpenDocumentText => {
                odf::is_odt(content) && has_entry(content, |name| name == b"content.xml")
            }
        }
    }
}

/// UTF-8 or Windows-1251 without the bytes that no text has; 0x98 is the one that Windows-1251 does not define.
fn is_text(content: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x20..=0x7E | 0x80..);
    content.iter().all(printable) && (std::str::from_utf8(content).is_ok() || !content.contains(&0x98))
}

/// The letters BM alone could begin a text: the size of the second header must be one of those that exist.
fn is_bitmap(content: &[u8]) -> bool {
    let header = content.get(14..18).and_then(|bytes| bytes.first_chunk()).copied().map(u32::from_le_bytes);
    image::is_bmp(content) && matches!(header, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

fn is_ole2(content: &[u8]) -> bool {
    content.starts_with(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])
}

/// Whether an entry of the directory of an OLE2 file has a name: entries lie on 128 bytes and begin with the name in
/// UTF-16, ended by a zero.
fn has_stream(content: &[u8], name: &str) -> bool {
    let name: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    content.chunks_exact(128).any(|entry| entry.starts_with(&name))
}

/// Whether the central directory of a zip archive has an entry with such a name. Its records are found by their signature
/// alone, which also serves archives in the 64-bit form.
fn has_entry(content: &[u8], wanted: impl Fn(&[u8]) -> bool) -> bool {
    const LENGTH: usize = 28;
    const NAME: usize = 46;
    let named = |record: &[u8]| {
        let length = record.get(LENGTH..).and_then(<[u8]>::first_chunk).copied().map(u16::from_le_bytes)?;
        record.get(NAME..)?.get(..usize::from(length)).map(&wanted)
    };
    let is_record = |place: &usize| content.get(*place..).is_some_and(|rest| rest.starts_with(b"PK\x01\x02"));
    content.starts_with(b"PK\x03\x04")
        && (0..content.len())
            .filter(is_record)
            .any(|place| content.get(place..).and_then(named).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip(names: &[&str], first: &[u8]) -> Vec<u8> {
        let mut bytes = first.to_vec();
        for name in names {
            bytes.extend(b"PK\x01\x02");
            bytes.extend([0; 24]);
            bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            bytes.extend([0; 16]);
            bytes.extend(name.as_bytes());
        }
        bytes
    }

    fn open_xml(folder: &str) -> Vec<u8> {
        zip(&["[Content_Types].xml", folder], b"PK\x03\x04rest")
    }

    fn open_document(kind: &str) -> Vec<u8> {
        let mut first = b"PK\x03\x04".to_vec();
        first.extend([0; 26]);
        first.extend(b"mimetypeapplication/vnd.oasis.opendocument.");
        first.extend(kind.as_bytes());
        zip(&["mimetype", "content.xml"], &first)
    }

    fn ole2(stream: &str) -> Vec<u8> {
        let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        bytes.resize(512, 0);
        bytes.extend(stream.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.resize(640, 0);
        bytes
    }

    fn bitmap() -> Vec<u8> {
        let mut bytes = b"BM".to_vec();
        bytes.resize(14, 0);
        bytes.extend([40, 0, 0, 0]);
        bytes
    }

    /// One sample of each content, with the extensions that it fits.
    fn samples() -> Vec<(Vec<u8>, &'static [&'static str])> {
        vec![
            (b"%PDF-1.7\n\x01".to_vec(), &["pdf"]),
            (b"{\\rtf1\\ansi}\x01".to_vec(), &["rtf"]),
            ("Справка\r\n".as_bytes().to_vec(), &["txt"]),
            (b"\xD1\xEF\xF0\xE0\xE2\xEA\xE0".to_vec(), &["txt"]),
            (b"\xFF\xD8\xFF\xE0\0".to_vec(), &["jpeg", "jpg"]),
            (b"\x89PNG\r\n\x1a\n\0".to_vec(), &["png"]),
            (b"GIF89a\0".to_vec(), &["gif"]),
            (bitmap(), &["bmp"]),
            (b"II\x2A\0\x08\0\0\0\x01\0".to_vec(), &["tif", "tiff"]),
            (b"MM\0\x2A\0\0\0\x08\0\x01".to_vec(), &["tif", "tiff"]),
            (ole2("WordDocument"), &["doc"]),
            (ole2("Workbook"), &["xls"]),
            (ole2("Book"), &["xls"]),
            (open_xml("word/document.xml"), &["docx"]),
            (open_xml("xl/workbook.xml"), &["xlsx"]),
            (open_document("text"), &["odt"]),
            // None of ours.
            (open_xml("ppt/presentation.xml"), &[]),
            (open_document("spreadsheet"), &[]),
            (zip(&["word/document.xml"], b"PK\x03\x04"), &[]),
            (ole2("PowerPoint Document"), &[]),
            (b"MZ\x90\0\x03\0\0\0".to_vec(), &[]),
            (b"a\0b".to_vec(), &[]),
            (b"\x98\xD1".to_vec(), &[]),
            (b"PK\x03\x04".to_vec(), &[]),
            (b"PK\x03\x04PK\x01\x02\0".to_vec(), &[]),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(), &[]),
        ]
    }

    #[test]
    fn a_content_fits_its_own_extensions_and_no_other() {
        for (number, (content, extensions)) in samples().into_iter().enumerate() {
            for kind in &KINDS {
                let fits = extensions.contains(&kind.extension);
                assert_eq!(kind.fits(&content), fits, "sample {number} as {}", kind.extension);
            }
        }
    }

    #[test]
    fn an_extension_is_the_end_of_a_name_in_any_case() {
        let all = FileTypes::default();
        for (name, extension) in [("акт.PDF", Some("pdf")), ("a.b.JpG", Some("jpg")), ("a.pdf.exe", None)]
        {
            assert_eq!(all.kind_of(name).map(|kind| kind.extension), extension, "{name}");
        }
        for name in ["", "pdf", ".pdf", "a.", "a.pdf "] {
            assert_eq!(all.kind_of(name), None, "{name:?}");
        }
        assert_eq!(all.extensions().split(", ").count(), 15);
    }

    #[test]
    fn types_can_be_fewer_and_never_others() {
        let few = FileTypes::named(&["PNG", "pdf", "pdf"]).unwrap();
        assert_eq!(few.extensions(), "pdf, png");
        for (name, is_taken) in [("акт.Pdf", true), ("a.png", true), ("a.txt", false), ("a.exe", false)] {
            assert_eq!(few.kind_of(name).is_some(), is_taken, "{name}");
        }
        let all: Vec<_> = KINDS.iter().map(|kind| kind.extension).collect();
        assert_eq!(FileTypes::named(&all), Some(FileTypes::default()));
        for wrong in [vec![], vec!["zip"], vec!["pdf", "exe"], vec![".pdf"], vec![""]] {
            assert_eq!(FileTypes::named(&wrong), None, "{wrong:?}");
        }
    }
}
