//! `debtgate keys`: keys that sign tokens, keys that seal what is stored, and CryptoPro keys as PEM.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use gost::KeyPair;
use gost::keyfile;
use secrecy::SecretString;

use crate::auth::{generate_ed25519, generate_sealing_key, write_new};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Новый ключ: для подписи токенов или для шифрования файлов и архива сообщений.
    Generate(Generate),
    /// PFX или контейнер КриптоПро — в ключ и сертификат PEM.
    Convert(Convert),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// Ed25519, для подписи токенов.
    Eddsa,
    /// XChaCha20-Poly1305, для шифрования файлов и архива сообщений.
    Xchacha20,
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// Алгоритм.
    #[arg(long, value_enum, default_value = "eddsa")]
    alg: Algorithm,
    /// Новый файл; прочесть его сможет только владелец. Папка создаётся.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// Файл PFX.
    #[arg(long)]
    pfx: Option<PathBuf>,
    /// Папка контейнера КриптоПро.
    #[arg(long)]
    container: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Convert {
    #[command(flatten)]
    source: Source,
    /// Файл с паролем; без него пароль пустой.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Сертификат, если он лежит отдельно.
    #[arg(long)]
    certificate: Option<PathBuf>,
    /// Куда записать ключ; сертификат ляжет рядом: для org.key.pem — org.cert.pem. Папка создаётся, файлы не перезаписываются.
    #[arg(long)]
    out: PathBuf,
}

impl Keys {
    pub(super) fn run(self) -> Result<()> {
        match self {
            Self::Generate(Generate { alg, out }) => {
                let key = match alg {
                    Algorithm::Eddsa => generate_ed25519()?,
                    Algorithm::Xchacha20 => generate_sealing_key()?,
                };
                write_new(&out, &key)?;
                println!("ключ записан: {}", out.display());
                Ok(())
            }
            Self::Convert(convert) => convert.run(),
        }
    }
}

impl Convert {
    fn run(self) -> Result<()> {
        let pair = self.open()?;
        let key = SecretString::from(keyfile::write_pkcs8_pem(pair.key()).as_str());
        let certificate = certificate_beside(&self.out);
        // Before the key is written: a key without its certificate would be in the way of the next try.
        if certificate.exists() {
            bail!("файл {} уже есть; сертификат не перезаписывается", certificate.display());
        }
        write_new(&self.out, &key)?;
        File::create_new(&certificate)
            .and_then(|mut file| file.write_all(pair.certificate().to_pem().as_bytes()))
            .with_context(|| certificate.display().to_string())?;
        println!("ключ записан: {}", self.out.display());
        println!("сертификат записан: {}", certificate.display());
        Ok(())
    }

    fn open(&self) -> Result<KeyPair> {
        let password = match &self.password_file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
        };
        let password = password.trim_end_matches(['\r', '\n']);
        let certificate = self.certificate.as_deref();
        let pair = match (&self.source.pfx, &self.source.container) {
            (Some(file), _) => keyfile::pkcs12(file, password, certificate)?,
            (None, Some(folder)) => keyfile::container(folder, password, certificate)?,
            (None, None) => bail!("нужен --pfx или --container"),
        };
        Ok(pair)
    }
}

/// The certificate of `org.key.pem` is `org.cert.pem`, and so is that of `org.pem`.
fn certificate_beside(key: &Path) -> PathBuf {
    let name = key.file_name().and_then(|name| name.to_str());
    match name.and_then(|name| name.strip_suffix(".key.pem")) {
        Some(stem) => key.with_file_name(format!("{stem}.cert.pem")),
        None => key.with_extension("cert.pem"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_has_the_name_of_its_key() {
        for (key, certificate) in [
            ("keys/org.key.pem", "keys/org.cert.pem"),
            ("org.pem", "org.cert.pem"),
            ("org.2026.key.pem", "org.2026.cert.pem"),
            ("keys.d/org", "keys.d/org.cert.pem"),
            ("org.cert.pem", "org.cert.cert.pem"),
        ] {
            assert_eq!(certificate_beside(Path::new(key)), Path::new(certificate), "{key}");
        }
    }
}
