//! A cursor over a document that matches elements by namespace and local name.
//!
//! Prefixes of GIS change from reply to reply and mean nothing. A caller takes the root and walks down with
//! [`Reader::children`]; what it does not read is skipped. Nothing here recurses, the depth is bounded, a DTD is
//! refused, and of entities only the five of XML itself and character references exist. How large a document may
//! be, the caller of this crate decides when it receives it.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace as Uri, ResolveResult};
use quick_xml::reader::NsReader;

use super::Namespace;
use crate::text::is_xml_character;

/// Deepest nesting of elements. Replies of GIS have about 15 levels.
const DEEPEST: usize = 64;

/// A document that cannot be read, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {position}")]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Near which byte of the document, from 0.
    pub position: u64,
}

/// What can be wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Not well-formed.
    #[error("not well-formed XML")]
    IllFormed,
    /// A prefix without a namespace, or a namespace that is not written plainly.
    #[error("an undeclared namespace")]
    Namespace,
    /// A document type declaration.
    #[error("a document type declaration, which is not accepted")]
    Dtd,
    /// An entity that XML itself does not define.
    #[error("an unknown entity")]
    Entity,
    /// A character that XML does not allow.
    #[error("a character that XML does not allow")]
    Character,
    /// Elements nested too deeply.
    #[error("elements nested deeper than {DEEPEST} levels")]
    Depth,
    /// The end came too early.
    #[error("the document breaks off")]
    End,
    /// An element or text where another is needed; says which.
    #[error("{0} is needed")]
    Needed(&'static str),
}

/// The start of an element.
#[derive(Debug)]
pub(crate) struct Element<'i> {
    namespace: Option<Namespace>,
    start: BytesStart<'i>,
}

impl Element<'_> {
    /// Namespace, if it is one that we know, and local name.
    pub(crate) fn name(&self) -> (Option<Namespace>, &str) {
        (self.namespace, self.start.local_name().into_inner())
    }
}

enum Token<'i> {
    Start(Element<'i>),
    End,
    /// As it stands in the document: line ends and characters are looked at when it is read.
    Text(Cow<'i, str>),
    Character(char),
    EndOfDocument,
}

/// The cursor.
pub(crate) struct Reader<'i> {
    events: NsReader<&'i [u8]>,
    depth: usize,
}

impl<'i> Reader<'i> {
    /// Starts before the root of a document.
    pub(crate) fn new(document: &'i str) -> Self {
        let mut events = NsReader::from_str(document.strip_prefix('\u{feff}').unwrap_or(document));
        events.config_mut().expand_empty_elements = true;
        Self { events, depth: 0 }
    }

    /// The root element.
    pub(crate) fn root(&mut self) -> Result<Element<'i>, Problem> {
        loop {
            match self.next()? {
                Token::Start(element) => return Ok(element),
                Token::Text(text) if is_space(&text) => {}
                Token::Text(_) | Token::Character(_) => return Err(self.problem(ProblemKind::IllFormed)),
                Token::End | Token::EndOfDocument => return Err(self.problem(ProblemKind::End)),
            }
        }
    }

    /// Makes sure that nothing follows the root element.
    pub(crate) fn finish(&mut self) -> Result<(), Problem> {
        loop {
            match self.next()? {
                Token::EndOfDocument => return Ok(()),
                Token::Text(text) if is_space(&text) => {}
                Token::Start(_) | Token::End | Token::Text(_) | Token::Character(_) => {
                    return Err(self.problem(ProblemKind::IllFormed));
                }
            }
        }
    }

    /// Calls `each` for every child of the element just started, up to its end. What `each` leaves unread of a
    /// child is skipped; text between the children is ignored.
    pub(crate) fn children(
        &mut self,
        mut each: impl FnMut(&mut Self, &Element<'i>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let level = self.depth;
        loop {
            match self.next()? {
                Token::Start(element) => {
                    each(self, &element)?;
                    self.skip_to(level)?;
                }
                Token::End => return Ok(()),
                Token::Text(_) | Token::Character(_) => {}
                Token::EndOfDocument => return Err(self.problem(ProblemKind::End)),
            }
        }
    }

    /// The text of the element just started, up to its end; that of elements inside is left out.
    pub(crate) fn text(&mut self) -> Result<Cow<'i, str>, Problem> {
        let level = self.depth;
        let mut text = Cow::Borrowed("");
        loop {
            match self.next()? {
                Token::Text(piece) if self.depth == level => append(&mut text, self.plain(piece)?),
                Token::Character(character) if self.depth == level => text.to_mut().push(character),
                Token::End if self.depth < level => return Ok(text),
                Token::EndOfDocument => return Err(self.problem(ProblemKind::End)),
                Token::Start(_) | Token::End | Token::Text(_) | Token::Character(_) => {}
            }
        }
    }

    /// A problem at the present position.
    pub(crate) fn problem(&self, kind: ProblemKind) -> Problem {
        Problem { kind, position: self.position() }
    }

    /// The present position in bytes.
    pub(crate) fn position(&self) -> u64 {
        self.events.buffer_position()
    }

    fn skip_to(&mut self, level: usize) -> Result<(), Problem> {
        while self.depth > level {
            if let Token::EndOfDocument = self.next()? {
                return Err(self.problem(ProblemKind::End));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Token<'i>, Problem> {
        loop {
            let event = match self.events.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let position = self.events.error_position();
                    return Err(Problem { kind: kind_of(&error), position });
                }
            };
            return match event {
                Event::Start(start) | Event::Empty(start) => self.start(start).map(Token::Start),
                Event::End(_) => {
                    // The parser has matched this end with a start.
                    self.depth = self.depth.saturating_sub(1);
                    Ok(Token::End)
                }
                Event::Text(text) => Ok(Token::Text(text.into_inner())),
                Event::CData(text) => Ok(Token::Text(text.into_inner())),
                Event::GeneralRef(reference) => self.reference(&reference),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
                Event::DocType(_) => Err(self.problem(ProblemKind::Dtd)),
                Event::Eof => Ok(Token::EndOfDocument),
            };
        }
    }

    fn start(&mut self, start: BytesStart<'i>) -> Result<Element<'i>, Problem> {
        if self.depth >= DEEPEST {
            return Err(self.problem(ProblemKind::Depth));
        }
        let namespace = match self.events.resolver().resolve_element(start.name()).0 {
            ResolveResult::Unbound => None,
            ResolveResult::Bound(Uri(uri)) => match Namespace::of(uri) {
                // A namespace hidden behind an entity would be another one for the parser that checks signatures.
                None if uri.contains('&') => return Err(self.problem(ProblemKind::Namespace)),
                known => known,
            },
            ResolveResult::Unknown(_) => return Err(self.problem(ProblemKind::Namespace)),
        };
        self.depth += 1;
        Ok(Element { namespace, start })
    }

    /// Text with its line ends normalized (<https://www.w3.org/TR/xml/#sec-line-ends>).
    fn plain(&self, text: Cow<'i, str>) -> Result<Cow<'i, str>, Problem> {
        let (mut forbidden, mut carriage_return) = (false, false);
        // Without a branch in it: this loop sees every byte that is read.
        for byte in text.bytes() {
            forbidden |= byte < b' ' && byte != b'\t' && byte != b'\n' && byte != b'\r';
            carriage_return |= byte == b'\r';
        }
        if forbidden {
            return Err(self.problem(ProblemKind::Character));
        }
        Ok(if carriage_return { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text })
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<Token<'i>, Problem> {
        if reference.is_char_ref() {
            let character = reference.resolve_char_ref().ok().flatten().filter(|c| is_xml_character(*c));
            return character.map(Token::Character).ok_or(self.problem(ProblemKind::Character));
        }
        let character = match reference.as_ref() {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return Err(self.problem(ProblemKind::Entity)),
        };
        Ok(Token::Character(character))
    }
}

fn append<'i>(text: &mut Cow<'i, str>, piece: Cow<'i, str>) {
    if text.is_empty() { *text = piece } else { text.to_mut().push_str(&piece) }
}

fn is_space(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

// The texts of these errors quote the document, which may hold personal data: only their kind is kept.
fn kind_of(error: &quick_xml::Error) -> ProblemKind {
    match error {
        quick_xml::Error::Namespace(_) => ProblemKind::Namespace,
        quick_xml::Error::Escape(_) => ProblemKind::Entity,
        quick_xml::Error::Io(_)
        | quick_xml::Error::Syntax(_)
        | quick_xml::Error::IllFormed(_)
        | quick_xml::Error::InvalidAttr(_)
        | quick_xml::Error::Encoding(_) => ProblemKind::IllFormed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRS: &str = Namespace::Drs.uri();

    /// Text of the root's children `t`, joined by `|`.
    fn texts(content: &str) -> Result<String, ProblemKind> {
        let document = format!("<x:r xmlns:x=\"{DRS}\">{content}</x:r>");
        read(&document).map_err(|problem| problem.kind)
    }

    fn read(document: &str) -> Result<String, Problem> {
        let mut reader = Reader::new(document);
        let mut texts = Vec::new();
        reader.root()?;
        reader.children(|reader, element| {
            if let (Some(Namespace::Drs), "t") = element.name() {
                texts.push(reader.text()?.into_owned());
            }
            Ok(())
        })?;
        reader.finish()?;
        Ok(texts.join("|"))
    }

    #[test]
    fn elements_match_by_namespace_and_not_by_prefix() {
        let content = format!(
            "<y:t xmlns:y=\"{DRS}\">1</y:t><t xmlns=\"{DRS}\">2</t><x:t>3</x:t><t>4</t><y:t xmlns:y=\"u\"/>"
        );
        assert_eq!(texts(&content).unwrap(), "1|2|3");
        assert_eq!(texts("<z:t/>"), Err(ProblemKind::Namespace));
        assert_eq!(texts("<y:t xmlns:y=\"http&#58;//a\"/>"), Err(ProblemKind::Namespace));
    }

    #[test]
    fn entities_cdata_and_comments_are_joined() {
        assert_eq!(
            texts("<x:t>a&amp;b<!-- c --><![CDATA[<d>&amp;]]>&lt;&gt;&quot;&apos;&#x401;&#1105;</x:t>")
                .unwrap(),
            "a&b<d>&amp;<>\"'Ёё"
        );
        assert_eq!(texts("<x:t>a<x:u>b</x:u>c</x:t><x:t/><x:u><x:t>deep</x:t></x:u>").unwrap(), "ac|");
        assert_eq!(texts("<x:t>&nbsp;</x:t>"), Err(ProblemKind::Entity));
    }

    #[test]
    fn line_ends_are_normalized_unless_escaped() {
        assert_eq!(texts("<x:t>a\r\nb\rc&#xD;\nd&#13;</x:t>").unwrap(), "a\nb\nc\r\nd\r");
    }

    #[test]
    fn forbidden_characters_are_refused() {
        for content in [
            "<x:t>\u{0}</x:t>",
            "<x:t>\u{1}</x:t>",
            "<x:t>&#0;</x:t>",
            "<x:t>&#x1;</x:t>",
            "<x:t>&#xFFFE;</x:t>",
        ] {
            assert_eq!(texts(content), Err(ProblemKind::Character), "{content:?}");
        }
        assert!(texts("<x:t>&#x110000;</x:t>").is_err());
    }

    #[test]
    fn a_dtd_is_refused() {
        let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\">]><r><t>&a;</t></r>";
        assert_eq!(read(bomb).unwrap_err().kind, ProblemKind::Dtd);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "<x:u>".repeat(levels), "</x:u>".repeat(levels));
        assert!(texts(&nested(DEEPEST - 1)).is_ok());
        assert_eq!(texts(&nested(DEEPEST)), Err(ProblemKind::Depth));
        assert_eq!(texts(&"<x:u>".repeat(1_000_000)), Err(ProblemKind::Depth));
    }

    #[test]
    fn broken_documents_are_refused() {
        for document in [
            "",
            " ",
            "<r>",
            "<r><t></r>",
            "<r></r></r>",
            "<r/><r/>",
            "<r/>text",
            "text",
            "<r",
            "<r>&",
            "<r>&amp</r>",
            "</r>",
            "<r><t>a",
        ] {
            assert!(read(document).is_err(), "{document:?}");
        }
        assert_eq!(read("\u{feff}<?xml version=\"1.0\"?>\n<!-- c --><r/>\n<!-- c -->").unwrap(), "");
    }

    #[test]
    fn problems_tell_the_place_and_nothing_of_the_text() {
        let problem = read("<r><secret>x</other></r>").unwrap_err();
        assert_eq!(problem.kind, ProblemKind::IllFormed);
        assert!((3..=20).contains(&problem.position), "{problem:?}");
        assert!(!format!("{problem} {problem:?}").contains("secret"));
    }
}
