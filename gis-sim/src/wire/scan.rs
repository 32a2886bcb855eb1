//! A quick look at raw bytes before any tree is built of them.
//!
//! It bounds what an outsider can make the parsers spend: nesting, elements, attributes in one tag and
//! namespace declarations (each element that declares a namespace copies all that its parents declared). It
//! also refuses a document type declaration, so that no entity is ever expanded. It does not check
//! well-formedness: the parser does.

/// Deepest nesting; a valid message needs 30.
const MAX_DEPTH: usize = 64;
/// Most elements in a message: with their texts they stay under the 100 000 nodes that the canonicaliser
/// takes.
const MAX_ELEMENTS: usize = 45_000;
/// Most attributes in one tag, namespace declarations included.
const MAX_ATTRIBUTES: usize = 256;
/// Most namespace declarations in a message.
const MAX_DECLARATIONS: usize = 10_000;

/// The text of a message that is safe to parse, without a byte order mark; or why it is not.
pub(crate) fn readable(bytes: &[u8]) -> Result<&str, &'static str> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err("not UTF-8");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Scan::default().run(text)?;
    Ok(text)
}

#[derive(Default)]
struct Scan {
    depth: usize,
    elements: usize,
    declarations: usize,
}

impl Scan {
    fn run(mut self, text: &str) -> Result<(), &'static str> {
        let mut rest = text;
        while let Some((_, markup)) = rest.split_once('<') {
            rest = self.markup(markup)?;
        }
        Ok(())
    }

    /// Takes one markup, the text after its `<`, and returns what follows it.
    fn markup<'text>(&mut self, markup: &'text str) -> Result<&'text str, &'static str> {
        if let Some(comment) = markup.strip_prefix("!--") {
            return after(comment, "-->");
        }
        if let Some(section) = markup.strip_prefix("![CDATA[") {
            return after(section, "]]>");
        }
        if markup.starts_with('!') {
            return Err("a document type declaration is not taken");
        }
        if let Some(instruction) = markup.strip_prefix('?') {
            return after(instruction, "?>");
        }
        if let Some(end) = markup.strip_prefix('/') {
            self.depth = self.depth.saturating_sub(1);
            return after(end, ">");
        }
        self.start_tag(markup)
    }

    fn start_tag<'text>(&mut self, markup: &'text str) -> Result<&'text str, &'static str> {
        let length = tag_length(markup).ok_or("a tag is not closed")?;
        let (tag, rest) = markup.split_at_checked(length).ok_or("a tag is not closed")?;
        self.elements += 1;
        self.declarations += tag.matches("xmlns").count();
        if !tag.ends_with('/') {
            self.depth += 1;
        }
        if self.depth > MAX_DEPTH {
            return Err("nested too deep");
        }
        if self.elements > MAX_ELEMENTS {
            return Err("too many elements");
        }
        if self.declarations > MAX_DECLARATIONS || tag.matches('=').count() > MAX_ATTRIBUTES {
            return Err("too many attributes");
        }
        after(rest, ">")
    }
}

/// Bytes up to the `>` that ends a tag; quoted values may hold one.
fn tag_length(markup: &str) -> Option<usize> {
    let mut quote = None;
    for (position, byte) in markup.bytes().enumerate() {
        match quote {
            Some(open) if open == byte => quote = None,
            Some(_) => {}
            None if byte == b'>' => return Some(position),
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => {}
        }
    }
    None
}

fn after<'text>(text: &'text str, end: &str) -> Result<&'text str, &'static str> {
    text.split_once(end).map(|(_, rest)| rest).ok_or("markup is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_parsers_can_bear() {
        for text in ["", "<a/>", "\u{feff}<a b='>' c=\"<\"><!-- <x> --><![CDATA[<y>]]><?p <z> ?></a>"] {
            assert!(readable(text.as_bytes()).is_ok(), "{text}");
        }
        assert!(readable("\u{feff}<a/>".as_bytes()).unwrap().starts_with('<'));
    }

    #[test]
    fn refuses_what_would_cost_too_much() {
        let deep = "<a>".repeat(65);
        let wide = "<a/>".repeat(45_001);
        let attributes = format!("<a {}/>", "b='' ".repeat(257));
        let declarations = "<a xmlns='b'/>".repeat(10_001);
        for (text, reason) in [
            (deep.as_str(), "nested too deep"),
            (&wide, "too many elements"),
            (&attributes, "too many attributes"),
            (&declarations, "too many attributes"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "a document type declaration is not taken"),
            ("<a", "a tag is not closed"),
            ("<a b='>", "a tag is not closed"),
            ("<!-- ", "markup is not closed"),
        ] {
            assert_eq!(readable(text.as_bytes()), Err(reason));
        }
        assert_eq!(readable(b"<a>\xff</a>"), Err("not UTF-8"));
        assert!(readable("<a>".repeat(64).as_bytes()).is_ok());
    }
}
