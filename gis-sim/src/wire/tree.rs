//! Steps through an element as a schema sequence does, and the simple types of the schema.
//!
//! [`Children`] is a cursor over the child elements: each call takes the next element if it has the
//! expected name, and [`Children::finish`] refuses what is left. Nothing is skipped, so order, counts and
//! unknown elements are checked by the way the reader is written.

use chrono::{NaiveDate, NaiveTime, Timelike};
use roxmltree::Node;
use uuid::Uuid;

use super::names::{Name, XSI};
use super::refusal::Refusal;

/// Result of a reading step.
pub(super) type Read<T> = Result<T, Refusal>;

/// Longest name that a refusal repeats.
const NAME_SHOWN: usize = 60;

/// The refusal that points at `node`.
pub(super) fn wrong(node: Node<'_, '_>, problem: impl Into<String>) -> Refusal {
    let mut names: Vec<String> = node
        .ancestors()
        .filter(Node::is_element)
        .take(12)
        .map(|node| shown(node.tag_name().name()))
        .collect();
    names.reverse();
    Refusal::Structure { path: names.join("/"), problem: problem.into() }
}

fn shown(name: &str) -> String {
    name.chars().take(NAME_SHOWN).collect()
}

/// Whether the element has this name.
pub(super) fn is(node: Node<'_, '_>, name: Name) -> bool {
    node.has_tag_name(name)
}

/// A cursor over child elements.
pub(super) struct Children<'tree, 'text> {
    parent: Node<'tree, 'text>,
    next: Option<Node<'tree, 'text>>,
}

impl<'tree, 'text> Children<'tree, 'text> {
    /// The children of an element that may have no attribute and no text.
    pub(super) fn of(parent: Node<'tree, 'text>) -> Read<Self> {
        no_attributes(parent)?;
        Self::of_attributed(parent)
    }

    /// The children of an element whose attributes the caller checks.
    pub(super) fn of_attributed(parent: Node<'tree, 'text>) -> Read<Self> {
        let stray = |node: Node<'_, '_>| {
            node.is_text() && node.text().is_some_and(|text| !text.trim_matches(XML_SPACE).is_empty())
        };
        if parent.children().any(stray) {
            return Err(wrong(parent, "текст между элементами"));
        }
        Ok(Self { parent, next: parent.first_element_child() })
    }

    /// The next element when it has this name.
    pub(super) fn optional(&mut self, name: Name) -> Option<Node<'tree, 'text>> {
        let node = self.next.filter(|node| is(*node, name))?;
        self.next = node.next_sibling_element();
        Some(node)
    }

    /// The next element, which must have this name.
    pub(super) fn required(&mut self, name: Name) -> Read<Node<'tree, 'text>> {
        self.optional(name).ok_or_else(|| self.unexpected(&format!("ожидается элемент {}", name.1)))
    }

    /// The next elements of this name, none to `max`.
    pub(super) fn repeated(&mut self, name: Name, max: usize) -> Read<Vec<Node<'tree, 'text>>> {
        let nodes: Vec<_> = std::iter::from_fn(|| self.optional(name)).collect();
        if nodes.len() > max {
            return Err(wrong(self.parent, format!("элементов {} больше {max}", name.1)));
        }
        Ok(nodes)
    }

    /// [`Self::required`] in the shape of [`Self::optional_some`].
    pub(super) fn required_some(&mut self, name: Name) -> Read<Option<Node<'tree, 'text>>> {
        self.required(name).map(Some)
    }

    /// [`Self::optional`] in the shape of [`Self::required_some`].
    pub(super) fn optional_some(&mut self, name: Name) -> Read<Option<Node<'tree, 'text>>> {
        Ok(self.optional(name))
    }

    /// The next element whatever its name.
    pub(super) fn any(&mut self) -> Read<Node<'tree, 'text>> {
        let node = self.next.ok_or_else(|| self.unexpected("пустой элемент"))?;
        self.next = node.next_sibling_element();
        Ok(node)
    }

    /// Refuses elements that are left.
    pub(super) fn finish(self) -> Read<()> {
        match self.next {
            Some(_) => Err(self.unexpected("лишний элемент")),
            None => Ok(()),
        }
    }

    /// The refusal at the next element, or at the parent when there is none.
    pub(super) fn unexpected(&self, problem: &str) -> Refusal {
        wrong(self.next.unwrap_or(self.parent), problem)
    }
}

/// White space of XML.
const XML_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

fn no_attributes(node: Node<'_, '_>) -> Read<()> {
    match node.attributes().find(|attribute| !is_schema_hint(attribute)) {
        Some(attribute) => Err(wrong(node, format!("лишний атрибут {}", shown(attribute.name())))),
        None => Ok(()),
    }
}

/// Whether a schema lets the attribute stand on any element.
pub(super) fn is_schema_hint(attribute: &roxmltree::Attribute<'_, '_>) -> bool {
    attribute.namespace() == Some(XSI)
        && matches!(attribute.name(), "schemaLocation" | "noNamespaceSchemaLocation")
}

/// The text of an element without child elements. Empty text is refused: the server does so even where the
/// schema would let it pass (Q32).
fn simple(node: Node<'_, '_>) -> Read<String> {
    no_attributes(node)?;
    if let Some(child) = node.first_element_child() {
        return Err(wrong(child, "лишний элемент"));
    }
    let text: String = node.children().filter(Node::is_text).filter_map(|part| part.text()).collect();
    if text.is_empty() {
        return Err(wrong(node, "пустой элемент"));
    }
    Ok(text)
}

/// A string of 1 to `max` characters, white space kept.
pub(super) fn text(node: Node<'_, '_>, max: usize) -> Read<String> {
    let text = simple(node)?;
    if text.chars().count() > max {
        return Err(wrong(node, format!("длина больше {max} символов")));
    }
    Ok(text)
}

/// A text of any length that satisfies `test`.
pub(super) fn matching(node: Node<'_, '_>, what: &str, test: impl Fn(&str) -> bool) -> Read<String> {
    let text = simple(node)?;
    if !test(&text) {
        return Err(wrong(node, format!("значение не соответствует типу {what}")));
    }
    Ok(text)
}

/// `GUIDType`: 8-4-4-4-12 hexadecimal digits of either case, no braces, no white space.
pub(super) fn guid(node: Node<'_, '_>) -> Read<Uuid> {
    let text = simple(node)?;
    // Uuid would also read the forms with braces, without hyphens and with "urn:uuid:".
    let parsed = Uuid::try_parse(&text).ok().filter(|_| text.len() == 36);
    parsed.ok_or_else(|| wrong(node, "значение не соответствует типу GUIDType"))
}

/// Every element as a GUID.
pub(super) fn guids(nodes: Vec<Node<'_, '_>>) -> Read<Vec<Uuid>> {
    nodes.into_iter().map(guid).collect()
}

/// `xs:boolean`.
pub(super) fn boolean(node: Node<'_, '_>) -> Read<bool> {
    match simple(node)?.trim_matches(XML_SPACE) {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(node, "значение не соответствует типу boolean")),
    }
}

/// `xs:date` of a four-digit year, with or without a zone; the zone is dropped, as a day is meant.
pub(super) fn date(node: Node<'_, '_>) -> Read<NaiveDate> {
    let text = simple(node)?;
    let text = text.trim_matches(XML_SPACE);
    let parsed = text.split_at_checked(10).and_then(|(day, zone)| parse_day(day).filter(|_| is_zone(zone)));
    parsed.ok_or_else(|| wrong(node, "значение не соответствует типу date"))
}

/// `xs:dateTime`, kept as written.
pub(super) fn date_time(node: Node<'_, '_>) -> Read<String> {
    matching(node, "dateTime", |text| is_date_time(text.trim_matches(XML_SPACE)))
}

/// A word of an enumeration.
pub(super) fn word<T>(node: Node<'_, '_>, parse: impl Fn(&str) -> Option<T>) -> Read<T> {
    parse(&simple(node)?).ok_or_else(|| wrong(node, "недопустимое значение"))
}

/// `SNILSType`.
pub(super) fn snils(node: Node<'_, '_>) -> Read<String> {
    matching(node, "SNILSType", crate::rules::is_snils)
}

/// `nsiCodeType`: at most 20 characters of `(A?\d{1,4}\.?)+`.
pub(super) fn nsi_code(node: Node<'_, '_>) -> Read<String> {
    matching(node, "nsiCodeType", is_nsi_code)
}

fn is_nsi_code(text: &str) -> bool {
    // Groups may follow one another without a dot, so any run of digits is fine; an A needs a digit after
    // it and a dot a digit before it.
    let digit_after = |position: usize| text.as_bytes().get(position + 1).is_some_and(u8::is_ascii_digit);
    let digit_before = |position: usize| {
        position.checked_sub(1).and_then(|before| text.as_bytes().get(before)).is_some_and(u8::is_ascii_digit)
    };
    let fits = |(position, byte): (usize, u8)| match byte {
        b'A' => digit_after(position),
        b'.' => digit_before(position),
        other => other.is_ascii_digit(),
    };
    !text.is_empty() && text.len() <= 20 && text.bytes().enumerate().all(fits)
}

fn parse_day(text: &str) -> Option<NaiveDate> {
    let shape = |(position, byte): (usize, u8)| match position {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    // Chrono alone would also take signs and spaces.
    let well_shaped = text.len() == 10 && text.bytes().enumerate().all(shape);
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| well_shaped)
}

fn is_date_time(text: &str) -> bool {
    let Some((day, rest)) = text.split_once('T') else {
        return false;
    };
    let Some((clock, rest)) = rest.split_at_checked(8) else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    parse_day(day).is_some() && is_clock(clock) && is_zone(zone)
}

fn is_clock(text: &str) -> bool {
    let shape = |(position, byte): (usize, u8)| match position {
        2 | 5 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    // Chrono takes a leap second, the schema does not.
    text.bytes().enumerate().all(shape)
        && NaiveTime::parse_from_str(text, "%H:%M:%S").is_ok_and(|time| time.nanosecond() == 0)
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return text.is_empty() || text == "Z";
    };
    let Some((hours, minutes)) = offset.split_once(':') else {
        return false;
    };
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u8>().ok().filter(|_| digits)
    };
    match (number(hours), number(minutes)) {
        (Some(14), Some(0)) => true,
        (Some(hours), Some(minutes)) => hours < 14 && minutes < 60,
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, read: impl Fn(Node<'_, '_>) -> T) -> T {
        let xml = format!("<a>{text}</a>");
        read(roxmltree::Document::parse(&xml).unwrap().root_element())
    }

    #[test]
    fn guids_take_one_form_only() {
        let text = "0123abcd-89AB-cdef-0123-456789abcdef";
        assert_eq!(with(text, guid).unwrap(), Uuid::parse_str(text).unwrap());
        for wrong in [
            "{0123abcd-89AB-cdef-0123-456789abcdef}",
            "0123abcd89ABcdef0123456789abcdef",
            " ",
            "",
            &format!(" {text}"),
        ] {
            assert!(with(wrong, guid).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_may_carry_a_zone() {
        for text in ["2026-02-28", "2026-02-28Z", " 2026-02-28+03:00\n", "2026-02-28-14:00"] {
            assert_eq!(with(text, date).unwrap(), NaiveDate::from_ymd_opt(2026, 2, 28).unwrap(), "{text}");
        }
        for text in [
            "2026-02-29",
            "2026-2-28",
            "28.02.2026",
            "2026-02-28T00:00:00",
            "2026-02-28+3",
            "2026-02-28+14:01",
            "я026-02-28",
        ] {
            assert!(with(text, date).is_err(), "{text}");
        }
    }

    #[test]
    fn date_times_follow_the_schema() {
        for text in [
            "2026-03-16T10:15:00",
            "2026-03-16T10:15:00Z",
            "2026-03-16T10:15:00.1234567+03:00",
            "2026-03-16T23:59:59.0",
        ] {
            assert!(with(text, date_time).is_ok(), "{text}");
        }
        for text in [
            "2026-03-16",
            "2026-03-16 10:15:00",
            "2026-03-16T10:15",
            "2026-03-16T25:00:00",
            "2026-03-16T10:15:60",
            "2026-03-16T10:15:00.",
        ] {
            assert!(with(text, date_time).is_err(), "{text}");
        }
    }

    #[test]
    fn nsi_codes_follow_the_pattern() {
        for text in ["1", "12345678", "A12.3", "1.2.", "A1A2"] {
            assert!(is_nsi_code(text), "{text}");
        }
        for text in ["", "A", ".1", "1..2", "B1", "123456789012345678901", "1 "] {
            assert!(!is_nsi_code(text), "{text}");
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert!(with("яяя", |node| text(node, 3)).is_ok());
        assert!(with("яяяя", |node| text(node, 3)).is_err());
        assert_eq!(with("<!--x--> a<![CDATA[<b]]>", |node| text(node, 9)).unwrap(), " a<b");
    }
}
