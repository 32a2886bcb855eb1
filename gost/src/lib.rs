//! GOST cryptography in pure Rust, as GIS ZhKH needs it: signatures, digests, key files and certificates.
//!
//! * [`PrivateKey`], [`PublicKey`], [`Signature`]: GOST R 34.10-2012 with 256-bit keys (RFC 7091).
//! * [`hash`]: GOST R 34.11-2012 "Streebog" (RFC 6986) and the older GOST R 34.11-94 that GIS wants for files.
//! * [`keyfile`]: private keys from PKCS#8, PKCS#12 and CryptoPro containers.
//! * [`Certificate`]: what an XAdES signature says about its signer.
//!
//! Nothing here is certified by the FSB. Where a certified tool is demanded, callers sign by an outside program
//! and use this crate to verify what it returned.

pub mod certificate;
pub mod curve;
pub mod hash;
pub mod keyfile;
pub mod signature;

pub use certificate::{Certificate, CertificateError};
pub use curve::ParameterSet;
pub use keyfile::{KeyFileError, KeyPair};
pub use signature::{BadSignature, KeyError, PrivateKey, PublicKey, Signature};
