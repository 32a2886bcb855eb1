//! Writes XML in the form that exclusive canonicalization (<http://www.w3.org/2001/10/xml-exc-c14n#>) gives it.
//!
//! That form declares a namespace on the outermost element that uses it, sorts declarations and attributes,
//! writes no empty tags and escapes in one way only. The writer remembers which namespaces are declared around
//! the current element; a fresh one writes an element as the apex of what is signed, [`Writer::inside`] the same
//! element as a part of its document.
//!
//! All text must consist of characters that XML can carry: [`crate::text`] sees to it.

use std::fmt::{Display, Write};

use uuid::Uuid;

use super::Namespace;

/// An attribute; attributes may be given in any order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute<'a> {
    /// Its namespace; unprefixed attributes have none.
    pub(crate) namespace: Option<Namespace>,
    /// Its local name.
    pub(crate) name: &'static str,
    /// Its value, not escaped.
    pub(crate) value: &'a str,
}

impl<'a> Attribute<'a> {
    /// An attribute without a namespace.
    pub(crate) const fn plain(name: &'static str, value: &'a str) -> Self {
        Self { namespace: None, name, value }
    }
}

/// A set of namespaces.
#[derive(Debug, Clone, Copy, Default)]
struct Declared(u8);

impl Declared {
    const fn bit(namespace: Namespace) -> u8 {
        match namespace {
            Namespace::Base => 1,
            Namespace::Drs => 2,
            Namespace::Ds => 4,
            Namespace::Nsi => 8,
            Namespace::Soap => 16,
            Namespace::Xades => 32,
        }
    }

    const fn contains(self, namespace: Namespace) -> bool {
        self.0 & Self::bit(namespace) != 0
    }

    const fn insert(&mut self, namespace: Namespace) {
        self.0 |= Self::bit(namespace);
    }
}

/// The writer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: String,
    declared: Declared,
}

impl Writer {
    /// A writer at the top: nothing is declared around the first element.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), declared: Declared::default() }
    }

    /// A writer inside of a document where these namespaces are declared already.
    pub(crate) fn inside(declared: &[Namespace]) -> Self {
        let mut writer = Self::default();
        declared.iter().for_each(|namespace| writer.declared.insert(*namespace));
        writer
    }

    /// What was written.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// How many bytes were written so far.
    pub(crate) const fn position(&self) -> usize {
        self.out.len()
    }

    /// An element with elements inside.
    pub(crate) fn element(&mut self, namespace: Namespace, name: &str, content: impl FnOnce(&mut Self)) {
        self.element_with(namespace, name, &[], content);
    }

    /// An element with attributes.
    pub(crate) fn element_with(
        &mut self,
        namespace: Namespace,
        name: &str,
        attributes: &[Attribute<'_>],
        content: impl FnOnce(&mut Self),
    ) {
        let around = self.declared;
        self.start_tag(namespace, name, attributes);
        content(self);
        self.end_tag(namespace, name);
        self.declared = around;
    }

    /// An element with text inside.
    pub(crate) fn text(&mut self, namespace: Namespace, name: &str, text: &str) {
        self.element(namespace, name, |writer| escape(&mut writer.out, text, entity_in_text));
    }

    /// An element with a GUID inside.
    pub(crate) fn guid(&mut self, namespace: Namespace, name: &str, id: impl Into<Uuid>) {
        let mut buffer = Uuid::encode_buffer();
        let text: &str = id.into().as_hyphenated().encode_lower(&mut buffer);
        self.element(namespace, name, |writer| writer.out.push_str(text));
    }

    /// An element with octets in lower-case hex inside.
    pub(crate) fn hex(&mut self, namespace: Namespace, name: &str, octets: &[u8]) {
        self.element(namespace, name, |writer| writer.out.push_str(&hex::encode(octets)));
    }

    /// An element with a value inside whose text needs no escaping, such as a date.
    pub(crate) fn display(&mut self, namespace: Namespace, name: &str, value: impl Display) {
        self.element(namespace, name, |writer| {
            // Writing into a String cannot fail.
            let _ = write!(writer.out, "{value}");
        });
    }

    fn start_tag(&mut self, namespace: Namespace, name: &str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.name(namespace, name);
        for candidate in Namespace::ALL {
            let used = candidate == namespace || attributes.iter().any(|a| a.namespace == Some(candidate));
            if used && !self.declared.contains(candidate) {
                self.declared.insert(candidate);
                for part in [" xmlns:", candidate.prefix(), "=\"", candidate.uri(), "\""] {
                    self.out.push_str(part);
                }
            }
        }
        if !attributes.is_empty() {
            self.attributes(attributes);
        }
        self.out.push('>');
    }

    // Canonical order: by namespace name, attributes without a namespace first, then by local name.
    fn attributes(&mut self, attributes: &[Attribute<'_>]) {
        let mut sorted = attributes.to_vec();
        sorted.sort_by_key(|attribute| (attribute.namespace.map(Namespace::uri), attribute.name));
        for attribute in sorted {
            self.out.push(' ');
            match attribute.namespace {
                Some(namespace) => self.name(namespace, attribute.name),
                None => self.out.push_str(attribute.name),
            }
            self.out.push_str("=\"");
            escape(&mut self.out, attribute.value, entity_in_attribute);
            self.out.push('"');
        }
    }

    fn end_tag(&mut self, namespace: Namespace, name: &str) {
        self.out.push_str("</");
        self.name(namespace, name);
        self.out.push('>');
    }

    fn name(&mut self, namespace: Namespace, name: &str) {
        self.out.push_str(namespace.prefix());
        self.out.push(':');
        self.out.push_str(name);
    }
}

// https://www.w3.org/TR/xml-c14n#ProcessingModel, text nodes
const fn entity_in_text(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

// https://www.w3.org/TR/xml-c14n#ProcessingModel, attribute nodes
const fn entity_in_attribute(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    }
}

/// Copies the stretches between the bytes that need an entity as wholes.
fn escape(out: &mut String, text: &str, entity: impl Fn(u8) -> Option<&'static str>) {
    let mut rest = text;
    while let Some((at, entity)) = rest.bytes().enumerate().find_map(|(at, byte)| Some((at, entity(byte)?))) {
        // Only ASCII is escaped, so both sides of it are whole characters.
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        out.push_str(entity);
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use Namespace::{Base, Drs, Ds, Xades};

    #[test]
    fn namespaces_are_declared_where_they_are_first_used() {
        let mut writer = Writer::with_capacity(0);
        writer.element(Drs, "a", |writer| {
            writer.text(Base, "b", "1");
            writer.element(Base, "c", |writer| writer.text(Drs, "d", "2"));
        });
        let (base, drs) = (Base.uri(), Drs.uri());
        let expected = format!(
            "<drs:a xmlns:drs=\"{drs}\"><base:b xmlns:base=\"{base}\">1</base:b>\
             <base:c xmlns:base=\"{base}\"><drs:d>2</drs:d></base:c></drs:a>"
        );
        assert_eq!(writer.finish(), expected);
    }

    #[test]
    fn attributes_and_declarations_are_sorted() {
        let version = Attribute { namespace: Some(Base), name: "version", value: "1" };
        let mut writer = Writer::with_capacity(0);
        writer.element_with(
            Drs,
            "a",
            &[version, Attribute::plain("b", ""), Attribute::plain("Id", "x")],
            |_| {},
        );
        let expected = format!(
            "<drs:a xmlns:base=\"{}\" xmlns:drs=\"{}\" Id=\"x\" b=\"\" base:version=\"1\"></drs:a>",
            Base.uri(),
            Drs.uri()
        );
        assert_eq!(writer.finish(), expected);
    }

    #[test]
    fn inside_of_a_document_nothing_is_declared_twice() {
        let mut writer = Writer::inside(&[Ds]);
        writer.element(Xades, "a", |writer| writer.text(Ds, "b", ""));
        assert_eq!(
            writer.finish(),
            format!("<xades:a xmlns:xades=\"{}\"><ds:b></ds:b></xades:a>", Xades.uri())
        );
    }

    #[test]
    fn text_and_attributes_are_escaped_in_their_own_ways() {
        let nasty = "&<>\"'\r\n\tЁ";
        let mut writer = Writer::inside(&[Drs]);
        writer.element_with(Drs, "a", &[Attribute::plain("b", nasty)], |writer| writer.text(Drs, "c", nasty));
        assert_eq!(
            writer.finish(),
            "<drs:a b=\"&amp;&lt;>&quot;'&#xD;&#xA;&#x9;Ё\"><drs:c>&amp;&lt;&gt;\"'&#xD;\n\tЁ</drs:c></drs:a>"
        );
    }
}
