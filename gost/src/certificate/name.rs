//! Distinguished names as text, in the form of GIS ZhKH's own signatures.
//!
//! The server is picky about short names: those it writes itself are written, all others are dotted
//! identifiers. Values are escaped as in RFC 4514 §2.4.

use der::asn1::Any;
use der::oid::ObjectIdentifier;
use der::{Encode, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// The attributes that are written by name.
const SHORT_NAMES: [(ObjectIdentifier, &str); 6] = [
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "cn"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "c"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "l"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "st"),
    (ObjectIdentifier::new_unwrap("2.5.4.9"), "street"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "o"),
];

/// Last attribute first, separated by commas; the parts of a multi-valued attribute are joined by plus signs.
pub(super) fn text(name: &Name) -> String {
    let mut attributes: Vec<String> =
        name.iter_rdn().map(|attribute| attribute.iter().map(part).collect::<Vec<_>>().join("+")).collect();
    attributes.reverse();
    attributes.join(",")
}

fn part(part: &AttributeTypeAndValue) -> String {
    let short = SHORT_NAMES.iter().find(|(oid, _)| *oid == part.oid);
    let name = short.map_or_else(|| part.oid.to_string(), |(_, short)| (*short).to_owned());
    format!("{name}={}", value(&part.value))
}

/// RFC 4514 §2.4: a value that is no string is written as the octets of its encoding.
fn value(value: &Any) -> String {
    match decoded(value) {
        Some(text) => escaped(&text),
        None => format!("#{}", hex::encode(value.to_der().unwrap_or_default())),
    }
}

/// The string types that occur in names. TeletexString is read as Latin-1, as most programs do.
fn decoded(value: &Any) -> Option<String> {
    const ASCII_OR_UTF8: [Tag; 5] =
        [Tag::Utf8String, Tag::PrintableString, Tag::NumericString, Tag::Ia5String, Tag::VisibleString];
    let octets = value.value();
    let tag = value.tag();
    if ASCII_OR_UTF8.contains(&tag) {
        String::from_utf8(octets.to_vec()).ok()
    } else if tag == Tag::BmpString {
        let (units, rest) = octets.as_chunks();
        let units: Vec<u16> = units.iter().copied().map(u16::from_be_bytes).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    } else if tag == Tag::TeletexString {
        Some(octets.iter().copied().map(char::from).collect())
    } else {
        None
    }
}

fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.push('\\'),
            '#' if position == 0 => escaped.push('\\'),
            ' ' if position == 0 || position == last => escaped.push('\\'),
            '\0' => {
                escaped.push_str("\\00");
                continue;
            }
            _ => {}
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Decode;

    fn any(tag: Tag, octets: &[u8]) -> Any {
        Any::new(tag, octets).unwrap()
    }

    #[test]
    fn every_string_type_is_decoded() {
        let cases: [(Tag, &[u8], &str); 7] = [
            (Tag::Utf8String, "УЦ".as_bytes(), "УЦ"),
            (Tag::PrintableString, b"RU", "RU"),
            (Tag::NumericString, b"0123", "0123"),
            (Tag::Ia5String, b"a@b.test", "a@b.test"),
            (Tag::BmpString, &[0x04, 0x23, 0x04, 0x26, 0xd8, 0x3d, 0xde, 0x00], "УЦ😀"),
            (Tag::TeletexString, &[b'a', 0xe4], "aä"),
            (Tag::VisibleString, b"v", "v"),
        ];
        for (tag, octets, text) in cases {
            assert_eq!(value(&any(tag, octets)), text, "{tag}");
        }
    }

    #[test]
    fn what_is_no_string_is_written_in_hexadecimal() {
        assert_eq!(value(&any(Tag::OctetString, &[1, 2])), "#04020102");
        assert_eq!(value(&any(Tag::Utf8String, &[0xff])), "#0c01ff");
        assert_eq!(value(&any(Tag::BmpString, &[0x04])), "#1e0104");
        assert_eq!(value(&any(Tag::BmpString, &[0xd8, 0x00])), "#1e02d800");
    }

    #[test]
    fn specials_of_rfc_4514_are_escaped() {
        let cases = [
            (r#"ООО "Пример, УК""#, r#"ООО \"Пример\, УК\""#),
            (r"a+b;c<d>e\f=g", r"a\+b\;c\<d\>e\\f=g"),
            ("#1 #2", r"\#1 #2"),
            (" a b ", r"\ a b\ "),
            (" ", r"\ "),
            ("\0", r"\00"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected);
        }
    }

    /// SEQUENCE of SETs: c=RU; then cn=a and 2.5.4.11=b in one SET.
    #[test]
    fn names_are_reversed_and_multiple_values_joined() {
        let der = hex::decode(
            "3024310b3009060355040613025255\
             3115300806035504030c01613009060355040b0c0262\
             63",
        )
        .unwrap();
        let name = Name::from_der(&der).unwrap();
        assert_eq!(text(&name), "cn=a+2.5.4.11=bc,c=RU");
    }
}
