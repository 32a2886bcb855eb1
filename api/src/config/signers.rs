//! `[signers.NAME]`: the keys that messages to GIS are signed with. The files are opened by the commands that sign.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::Secret;
use super::section::Section;
use super::value;

/// A signer.
#[derive(Debug, Clone)]
pub struct SignerSettings {
    /// What kind of key.
    pub kind: SignerKind,
    /// Whether messages carry `IsOperatorSignature`.
    pub operator_signature: bool,
}

/// Where the key lies.
#[derive(Debug, Clone)]
pub enum SignerKind {
    /// A PEM key and its certificate.
    Pem {
        /// The key, PKCS#8.
        key: PathBuf,
        /// The certificate, PEM or DER.
        certificate: PathBuf,
        /// The key's password, when it has one.
        password: Option<Secret>,
    },
    /// A PKCS#12 file.
    Pkcs12 {
        /// The file.
        file: PathBuf,
        /// The certificate, when it lies apart.
        certificate: Option<PathBuf>,
        /// The file's password.
        password: Option<Secret>,
    },
    /// A folder of a CryptoPro container.
    Container {
        /// The folder.
        folder: PathBuf,
        /// The certificate, when it lies apart.
        certificate: Option<PathBuf>,
        /// The container's password.
        password: Option<Secret>,
    },
    /// An outside program: it reads the digest in hex and prints the signature.
    Command {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
        /// The certificate its signatures must verify against.
        certificate: PathBuf,
        /// How long one signature may take.
        timeout: Duration,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Pem,
    Pkcs12,
    Container,
    Command,
}

const KINDS: [(&str, Kind); 4] = [
    ("pem", Kind::Pem),
    ("pkcs12", Kind::Pkcs12),
    ("container", Kind::Container),
    ("command", Kind::Command),
];

/// `None` when one of them is wrong.
pub(super) fn read(sections: Vec<(String, Section<'_>)>) -> Option<BTreeMap<String, SignerSettings>> {
    let signers: Vec<_> = sections.into_iter().map(|(name, section)| (name, signer(section))).collect();
    signers.into_iter().map(|(name, signer)| Some((name, signer?))).collect()
}

fn signer(mut section: Section<'_>) -> Option<SignerSettings> {
    let kind = match section.required("kind", value::one_of(&KINDS))? {
        Kind::Pem => pem(&mut section),
        Kind::Pkcs12 => pkcs12(&mut section),
        Kind::Container => container(&mut section),
        Kind::Command => command(&mut section),
    };
    let operator_signature = section.or("operator_signature", true, value::switch);
    section.finish();
    Some(SignerSettings { kind: kind?, operator_signature })
}

fn pem(section: &mut Section<'_>) -> Option<SignerKind> {
    let (key, certificate) = (section.required_path("key"), section.required_path("certificate"));
    let password = section.secret("password", "password_file");
    Some(SignerKind::Pem { key: key?, certificate: certificate?, password })
}

fn pkcs12(section: &mut Section<'_>) -> Option<SignerKind> {
    let (file, certificate) = (section.required_path("file"), section.path("certificate"));
    let password = section.secret("password", "password_file");
    Some(SignerKind::Pkcs12 { file: file?, certificate, password })
}

fn container(section: &mut Section<'_>) -> Option<SignerKind> {
    let (folder, certificate) = (section.required_path("folder"), section.path("certificate"));
    let password = section.secret("password", "password_file");
    Some(SignerKind::Container { folder: folder?, certificate, password })
}

/// The program is not a path of the file's folder: a bare name is looked up in `PATH`.
fn command(section: &mut Section<'_>) -> Option<SignerKind> {
    let program = section.required("program", value::text);
    let arguments = section.or("arguments", Vec::new(), value::list(value::text));
    let certificate = section.required_path("certificate");
    let timeout = section.or("timeout", Duration::from_secs(30), value::duration);
    Some(SignerKind::Command { program: program?.into(), arguments, certificate: certificate?, timeout })
}
