//! Which keys this crate takes: the algorithm identifiers of private keys, certificates and containers.

use der::asn1::{Any, AnyRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, Sequence};
use spki::AlgorithmIdentifierOwned;

use crate::ParameterSet;

/// `id-tc26-gost3410-12-256` (RFC 9215).
const GOST_2012_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.1");
/// `id-tc26-agreement-gost-3410-12-256`: the same keys in CryptoPro's containers.
const GOST_2012_256_AGREEMENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.6.1");
const GOST_2012_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.2");
const GOST_2012_512_AGREEMENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.6.2");
const GOST_2001: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.2.2.19");
const GOST_2001_AGREEMENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.2.2.98");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `id-tc26-gost3411-12-256`, Streebog-256.
const STREEBOG_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.2.2");

/// A key of another kind than GOST R 34.10-2012 with 256 bits on a known curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedKey {
    /// RSA.
    #[error("holds an RSA key; GIS ZhKH takes GOST R 34.10-2012 keys, order one of 256 bits")]
    Rsa,
    /// ECDSA.
    #[error("holds an ECDSA key; GIS ZhKH takes GOST R 34.10-2012 keys, order one of 256 bits")]
    EllipticCurve,
    /// GOST R 34.10-2001, withdrawn in 2019.
    #[error("holds a key of the withdrawn GOST R 34.10-2001; order one of GOST R 34.10-2012 with 256 bits")]
    Gost2001,
    /// GOST R 34.10-2012 with 512 bits.
    #[error("holds a GOST R 34.10-2012 key of 512 bits; only 256 bits are supported, order such a key")]
    Gost512,
    /// Another algorithm.
    #[error("holds a key of the unknown algorithm {0}; order one of GOST R 34.10-2012 with 256 bits")]
    Algorithm(ObjectIdentifier),
    /// GOST R 34.10-2012 with 256 bits on a curve that this crate does not know.
    #[error("holds a key on the unknown curve {0}; order one on a curve of RFC 7836 or RFC 4357")]
    Curve(ObjectIdentifier),
    /// GOST R 34.10-2012 with 256 bits without the name of a curve.
    #[error("holds a key that does not name its curve; export the key anew")]
    NoCurve,
}

/// RFC 9215 `GostR3410-2012-PublicKeyParameters`, with the third field of RFC 4491.
#[derive(Sequence)]
struct KeyParameters {
    curve: ObjectIdentifier,
    digest: Option<ObjectIdentifier>,
    encryption: Option<ObjectIdentifier>,
}

/// The parameter set of a key from its algorithm identifier.
pub(crate) fn parameter_set(
    algorithm: &ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
) -> Result<ParameterSet, UnsupportedKey> {
    check_algorithm(algorithm)?;
    let parameters = parameters.and_then(|parameters| parameters.decode_as::<KeyParameters>().ok());
    let curve = parameters.ok_or(UnsupportedKey::NoCurve)?.curve;
    ParameterSet::from_oid(&curve).ok_or(UnsupportedKey::Curve(curve))
}

fn check_algorithm(algorithm: &ObjectIdentifier) -> Result<(), UnsupportedKey> {
    match *algorithm {
        GOST_2012_256 | GOST_2012_256_AGREEMENT => Ok(()),
        GOST_2012_512 | GOST_2012_512_AGREEMENT => Err(UnsupportedKey::Gost512),
        GOST_2001 | GOST_2001_AGREEMENT => Err(UnsupportedKey::Gost2001),
        RSA => Err(UnsupportedKey::Rsa),
        ELLIPTIC_CURVE => Err(UnsupportedKey::EllipticCurve),
        other => Err(UnsupportedKey::Algorithm(other)),
    }
}

/// The algorithm identifier of a key that is written.
pub(crate) fn identifier(set: ParameterSet) -> der::Result<AlgorithmIdentifierOwned> {
    // RFC 9215 §4.2: the digest is named for the older parameter sets and left out for those of TC26.
    let digest = match set {
        ParameterSet::Tc26A | ParameterSet::Tc26B | ParameterSet::Tc26C | ParameterSet::Tc26D => None,
        ParameterSet::CryptoProA
        | ParameterSet::CryptoProB
        | ParameterSet::CryptoProC
        | ParameterSet::CryptoProXchA
        | ParameterSet::CryptoProXchB => Some(STREEBOG_256),
    };
    let parameters = KeyParameters { curve: set.oid(), digest, encryption: None }.to_der()?;
    Ok(AlgorithmIdentifierOwned { oid: GOST_2012_256, parameters: Some(Any::from_der(&parameters)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_read_as_it_is_written() {
        for set in ParameterSet::ALL {
            let written = identifier(set).unwrap();
            let parameters = written.parameters.as_ref().map(AnyRef::from);
            assert_eq!(parameter_set(&written.oid, parameters), Ok(set));
        }
    }

    #[test]
    fn other_algorithms_are_refused_by_name() {
        let unknown = ObjectIdentifier::new_unwrap("1.3.101.112");
        let cases = [
            (GOST_2012_512, UnsupportedKey::Gost512),
            (GOST_2012_512_AGREEMENT, UnsupportedKey::Gost512),
            (GOST_2001, UnsupportedKey::Gost2001),
            (GOST_2001_AGREEMENT, UnsupportedKey::Gost2001),
            (RSA, UnsupportedKey::Rsa),
            (ELLIPTIC_CURVE, UnsupportedKey::EllipticCurve),
            (unknown, UnsupportedKey::Algorithm(unknown)),
            (GOST_2012_256, UnsupportedKey::NoCurve),
        ];
        for (algorithm, refusal) in cases {
            assert_eq!(parameter_set(&algorithm, None), Err(refusal));
        }
    }
}
