//! Compares issuer names written by different tools.
//!
//! Clients write `X509IssuerName` in the order of the certificate or reversed, with short names in either
//! case, with a space after the comma or without, escaping by backslash or by quotes. GIS ZhKH takes these;
//! it does not take short names that it does not know, so only the six usual ones count here, everything
//! else must be a dotted identifier.

/// Whether both texts name the same attributes.
pub(super) fn same(one: &str, other: &str) -> bool {
    attributes(one) == attributes(other)
}

/// Attributes as `type=value`, in a fixed order.
fn attributes(name: &str) -> Vec<String> {
    let mut attributes: Vec<String> = split(name).iter().map(|attribute| normal(attribute)).collect();
    attributes.sort_unstable();
    attributes
}

/// Splits at commas that are neither escaped nor quoted, and drops the escaping.
fn split(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut escaped, mut quoted) = (false, false);
    for character in name.chars() {
        let special = !std::mem::take(&mut escaped);
        match character {
            '\\' if special => escaped = true,
            '"' if special => quoted = !quoted,
            // Quotes inside a quoted value are doubled by one tool and escaped by another.
            '"' => {}
            ',' if special && !quoted => parts.push(String::new()),
            other => {
                if let Some(part) = parts.last_mut() {
                    part.push(other);
                }
            }
        }
    }
    parts
}

fn normal(attribute: &str) -> String {
    let (kind, value) = attribute.split_once('=').unwrap_or((attribute, ""));
    let kind = kind.trim().to_lowercase();
    let kind = match kind.strip_prefix("oid.").unwrap_or(&kind) {
        "2.5.4.3" => "cn",
        "2.5.4.6" => "c",
        "2.5.4.7" => "l",
        "2.5.4.8" | "s" => "st",
        "2.5.4.9" => "street",
        "2.5.4.10" => "o",
        other => other,
    };
    format!("{kind}={}", value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_both_ways_of_writing() {
        let server = r#"cn=УЦ,o=ООО \"Пример\",l=г. Москва,c=RU,street=ул. Первая\, д. 1,1.2.643.100.1=1"#;
        for client in [
            server,
            r#"1.2.643.100.1=1, STREET="ул. Первая, д. 1", C=RU, L=г. Москва, O="ООО ""Пример""", CN=УЦ"#,
            r#"OID.1.2.643.100.1=1,STREET=ул. Первая\, д. 1, C=RU,L=г. Москва, O=ООО \"Пример\", 2.5.4.3=УЦ"#,
        ] {
            assert!(same(server, client), "{client}");
        }
    }

    #[test]
    fn tells_names_apart() {
        let name = r"cn=УЦ,c=RU,1.2.840.113549.1.9.1=ca@example.test";
        for other in [
            "",
            "cn=УЦ,c=RU",
            "cn=УЦ,c=RU,e=ca@example.test",
            "cn=УЦ2,c=RU,1.2.840.113549.1.9.1=ca@example.test",
        ] {
            assert!(!same(name, other), "{other}");
        }
    }
}
