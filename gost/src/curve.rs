//! Parameter sets: what the object identifiers in keys and certificates mean.
//!
//! Nine identifiers name four curves. The identifier is kept beside the key because it must be written back
//! unchanged, but arithmetic and comparison look at the curve alone.

pub(crate) mod definition;

use der::oid::ObjectIdentifier;

/// A named set of parameters of GOST R 34.10-2012 with a 256-bit order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterSet {
    /// `id-tc26-gost-3410-2012-256-paramSetA`, a twisted Edwards curve in Weierstrass form, cofactor 4.
    Tc26A,
    /// `id-tc26-gost-3410-2012-256-paramSetB`, the curve of CryptoPro A.
    Tc26B,
    /// `id-tc26-gost-3410-2012-256-paramSetC`, the curve of CryptoPro B.
    Tc26C,
    /// `id-tc26-gost-3410-2012-256-paramSetD`, the curve of CryptoPro C.
    Tc26D,
    /// `id-GostR3410-2001-CryptoPro-A-ParamSet`.
    CryptoProA,
    /// `id-GostR3410-2001-CryptoPro-B-ParamSet`.
    CryptoProB,
    /// `id-GostR3410-2001-CryptoPro-C-ParamSet`.
    CryptoProC,
    /// `id-GostR3410-2001-CryptoPro-XchA-ParamSet`: what CryptoPro CSP writes by default; the curve of A.
    CryptoProXchA,
    /// `id-GostR3410-2001-CryptoPro-XchB-ParamSet`, the curve of C.
    CryptoProXchB,
}

/// One of the four curves behind the parameter sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurveName {
    Tc26A,
    CryptoProA,
    CryptoProB,
    CryptoProC,
}

impl ParameterSet {
    /// Every parameter set that this crate can sign and verify with.
    pub const ALL: [Self; 9] = [
        Self::Tc26A,
        Self::Tc26B,
        Self::Tc26C,
        Self::Tc26D,
        Self::CryptoProA,
        Self::CryptoProB,
        Self::CryptoProC,
        Self::CryptoProXchA,
        Self::CryptoProXchB,
    ];

    /// The object identifier (RFC 4357 §8.4, RFC 7836 appendix A).
    pub const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::Tc26A => "1.2.643.7.1.2.1.1.1",
            Self::Tc26B => "1.2.643.7.1.2.1.1.2",
            Self::Tc26C => "1.2.643.7.1.2.1.1.3",
            Self::Tc26D => "1.2.643.7.1.2.1.1.4",
            Self::CryptoProA => "1.2.643.2.2.35.1",
            Self::CryptoProB => "1.2.643.2.2.35.2",
            Self::CryptoProC => "1.2.643.2.2.35.3",
            Self::CryptoProXchA => "1.2.643.2.2.36.0",
            Self::CryptoProXchB => "1.2.643.2.2.36.1",
        })
    }

    /// The parameter set of an object identifier, `None` for an unknown one.
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.oid() == *oid)
    }

    pub(crate) const fn curve(self) -> CurveName {
        match self {
            Self::Tc26A => CurveName::Tc26A,
            Self::Tc26B | Self::CryptoProA | Self::CryptoProXchA => CurveName::CryptoProA,
            Self::Tc26C | Self::CryptoProB => CurveName::CryptoProB,
            Self::Tc26D | Self::CryptoProC | Self::CryptoProXchB => CurveName::CryptoProC,
        }
    }
}

/// Runs an expression with `$curve` bound to the curve type of a parameter set.
macro_rules! on_curve {
    ($set:expr, $curve:ident => $body:expr) => {
        match $set.curve() {
            $crate::curve::CurveName::Tc26A => {
                type $curve = $crate::curve::definition::tc26_a::Tc26A;
                $body
            }
            $crate::curve::CurveName::CryptoProA => {
                type $curve = $crate::curve::definition::cryptopro_a::CryptoProA;
                $body
            }
            $crate::curve::CurveName::CryptoProB => {
                type $curve = $crate::curve::definition::cryptopro_b::CryptoProB;
                $body
            }
            $crate::curve::CurveName::CryptoProC => {
                type $curve = $crate::curve::definition::cryptopro_c::CryptoProC;
                $body
            }
        }
    };
}
pub(crate) use on_curve;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_finds_its_set() {
        for set in ParameterSet::ALL {
            assert_eq!(ParameterSet::from_oid(&set.oid()), Some(set));
        }
        let unknown = ObjectIdentifier::new_unwrap("1.2.643.2.2.35.0");
        assert_eq!(ParameterSet::from_oid(&unknown), None, "the test curve of RFC 7091 is not for real keys");
    }
}
