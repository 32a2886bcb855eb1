//! The dress of a reply: what the real server changes from day to day without changing the meaning.
//!
//! The writer asks it for prefixes and forms. [`Style::plain`] is the dress of the recorded exchange; a
//! seeded one shuffles the prefixes and declares namespaces that nobody uses (Q27). Every switch of a plain
//! style leaves the reply valid against the schema; the doc of each field says when another value does not.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::names::{BASE, DRS, DS, NSI, Name, SOAP};

/// How replies look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// Prefixes and declarations.
    pub prefixes: Prefixes,
    /// Dates with a zone, `2023-07-01+03:00` (Q26), or without; both are valid.
    pub zoned_dates: bool,
    /// `UpdateDate` cut to ten characters (Q26), which the schema forbids.
    pub short_update_dates: bool,
    /// Which id the reply header of `getState` repeats.
    pub header_message: HeaderMessage,
}

/// The id in `ResultHeader/MessageGUID` of a `getState` reply (Q18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderMessage {
    /// That of the business request, as recorded.
    Original,
    /// That of the `getState` call.
    Own,
}

/// The prefixes of the five namespaces in use, and namespaces that are declared without need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    envelope: String,
    signature: String,
    base: String,
    nsi: String,
    drs: String,
    unused: Vec<(String, &'static str)>,
}

/// Prefixes of the envelope seen in SOAP servers.
const ENVELOPE_PREFIXES: [&str; 5] = ["env", "soap", "soapenv", "S", "SOAP-ENV"];

/// Sibling services whose namespaces the server declares without need.
const SIBLINGS: [&str; 6] = [
    "http://dom.gosuslugi.ru/schema/integration/account-base/",
    "http://dom.gosuslugi.ru/schema/integration/bills-base/",
    "http://dom.gosuslugi.ru/schema/integration/house-management/",
    "http://dom.gosuslugi.ru/schema/integration/individual-registry-base/",
    "http://dom.gosuslugi.ru/schema/integration/organizations-base/",
    "http://dom.gosuslugi.ru/schema/integration/premises-base/",
];

impl Prefixes {
    /// Those of the recorded exchange.
    #[must_use]
    pub fn recorded() -> Self {
        Self {
            envelope: "env".to_owned(),
            signature: "ns3".to_owned(),
            base: "ns4".to_owned(),
            nsi: "ns7".to_owned(),
            drs: "ns13".to_owned(),
            unused: Vec::new(),
        }
    }

    /// Drawn from `seed`, with a few unused declarations.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut numbers: Vec<u8> = (2..=24).collect();
        numbers.shuffle(&mut random);
        let mut envelopes = ENVELOPE_PREFIXES;
        envelopes.shuffle(&mut random);
        let [envelope, ..] = envelopes;
        let mut siblings = SIBLINGS;
        siblings.shuffle(&mut random);
        let mut prefixes = numbers.into_iter().map(|number| format!("ns{number}"));
        // The numbers outlast the names: five and four of twenty-three.
        let mut next = || prefixes.next().unwrap_or_else(|| "ns".to_owned());
        Self {
            envelope: envelope.to_owned(),
            signature: next(),
            base: next(),
            nsi: next(),
            drs: next(),
            unused: siblings.into_iter().skip(2).map(|namespace| (next(), namespace)).collect(),
        }
    }
}

impl Style {
    /// The dress of the recorded exchange.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            prefixes: Prefixes::recorded(),
            zoned_dates: true,
            short_update_dates: false,
            header_message: HeaderMessage::Original,
        }
    }

    /// [`Self::plain`] with prefixes drawn from `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { prefixes: Prefixes::seeded(seed), ..Self::plain() }
    }

    /// The same dress with another prefix of the envelope.
    #[must_use]
    pub(super) fn with_envelope_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefixes.envelope);
        self
    }

    /// The prefix of the envelope, needed by `faultcode`.
    pub(super) fn envelope_prefix(&self) -> &str {
        &self.prefixes.envelope
    }

    /// The prefix of XML signatures, declared at the root.
    pub(super) fn signature_prefix(&self) -> &str {
        &self.prefixes.signature
    }

    /// A name as written.
    pub(super) fn qualified(&self, (namespace, local): Name) -> String {
        let prefix = match namespace {
            SOAP => &self.prefixes.envelope,
            DS => &self.prefixes.signature,
            BASE => &self.prefixes.base,
            NSI => &self.prefixes.nsi,
            DRS => &self.prefixes.drs,
            _ => return local.to_owned(),
        };
        format!("{prefix}:{local}")
    }

    /// The declarations of the root element, each with a space before it.
    pub(super) fn declarations(&self) -> String {
        let used = [
            (&self.prefixes.envelope, SOAP),
            (&self.prefixes.signature, DS),
            (&self.prefixes.base, BASE),
            (&self.prefixes.nsi, NSI),
            (&self.prefixes.drs, DRS),
        ];
        let unused = self.prefixes.unused.iter().map(|(prefix, namespace)| (prefix, *namespace));
        used.into_iter()
            .chain(unused)
            .map(|(prefix, namespace)| format!(" xmlns:{prefix}=\"{namespace}\""))
            .collect()
    }
}

impl Default for Style {
    fn default() -> Self {
        Self::plain()
    }
}
