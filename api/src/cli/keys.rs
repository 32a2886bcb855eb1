//! `debtgate keys`: keys that sign tokens, keys that seal what is stored, and CryptoPro keys as PEM.

use std::path::PathBuf;

use anyhow::{Context, Result};
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
    /// Новый файл; прочесть его сможет только владелец.
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
    /// Куда записать ключ; сертификат ляжет рядом с расширением cert.pem.
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
        write_new(&self.out, &key)?;
        let certificate = self.out.with_extension("cert.pem");
        std::fs::write(&certificate, pair.certificate().to_pem())
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
            (None, None) => anyhow::bail!("нужен --pfx или --container"),
        };
        Ok(pair)
    }
}
