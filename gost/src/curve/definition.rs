//! The curves themselves, over the generic prime-curve arithmetic of RustCrypto.
//!
//! Four curves serve all nine parameter sets in use. Coefficients are those of RFC 4357 (CryptoPro) and
//! RFC 7836 (tc26). All of them have prime order except tc26-A, whose cofactor is 4: points that come from
//! outside must be checked for membership in the subgroup.

use elliptic_curve::bigint::U256;
use elliptic_curve::consts::U32;
use elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use elliptic_curve::{Curve, CurveArithmetic, PrimeCurve};

/// A curve of GOST R 34.10-2012 with 256-bit coordinates.
pub(crate) trait GostCurve:
    PrimeCurve + Curve<FieldBytesSize = U32, Uint = U256> + CurveArithmetic<AffinePoint: Sec1<Self>>
{
}

/// Points that can be read from and written to coordinates.
pub(crate) trait Sec1<C: Curve<FieldBytesSize = U32>>: FromSec1Point<C> + ToSec1Point<C> {}

impl<C: Curve<FieldBytesSize = U32>, P: FromSec1Point<C> + ToSec1Point<C>> Sec1<C> for P {}

/// Defines one curve `y² = x³ + ax + b` over a field of `p` elements, with a base point `(x, y)` of order `q`.
/// `p_generator` and `q_generator` are multiplicative generators of the two fields.
macro_rules! gost_curve {
    (
        $(#[$attribute:meta])* $module:ident, $curve:ident, $equation:ident,
        p: $p:literal, p_generator: $p_generator:literal,
        q: $q:literal, q_generator: $q_generator:literal,
        a: $a:literal, b: $b:literal, x: $x:literal, y: $y:literal $(,)?
    ) => {
        $(#[$attribute])*
        pub(crate) mod $module {
            use elliptic_curve::bigint::{Odd, U256};
            use elliptic_curve::consts::U32;
            use elliptic_curve::ff::PrimeField;
            use elliptic_curve::hazmat::FieldArithmetic;
            use elliptic_curve::ops::BatchInvert;
            use elliptic_curve::scalar::{FromUintUnchecked, IsHigh};
            use elliptic_curve::subtle::{Choice, ConstantTimeEq, ConstantTimeGreater, CtOption};
            use elliptic_curve::{CurveArithmetic, PrimeCurveArithmetic};
            use primeorder::mul_backend::PrecomputedTables;
            use primeorder::{
                BasepointTable, PrimeCurveParams, PrimeCurveWithBasepointTable, point_arithmetic, wnaf,
            };

            #[derive(Copy, Clone, Debug, Default, Eq, PartialEq, PartialOrd, Ord)]
            pub struct $curve;

            const ORDER: Odd<U256> = Odd::<U256>::from_be_hex($q);

            /// One window per octet of a scalar, and one for the carry.
            const WINDOWS: usize = 33;

            #[expect(deprecated, reason = "primefield 0.14 expands to a name that crypto-bigint 0.7 deprecates")]
            mod field {
                use super::*;
                primefield::monty_field_params! {
                    name: FieldParams,
                    modulus: $p,
                    uint: U256,
                    byte_order: primefield::ByteOrder::BigEndian,
                    multiplicative_generator: $p_generator,
                    doc: "modulus of the coordinates' field"
                }
                primefield::monty_field_element! {
                    name: FieldElement, params: FieldParams, uint: U256, doc: "coordinate"
                }
                primefield::monty_field_arithmetic! { name: FieldElement, params: FieldParams, uint: U256 }
                impl BatchInvert for FieldElement {}
            }

            #[expect(deprecated, reason = "primefield 0.14 expands to a name that crypto-bigint 0.7 deprecates")]
            mod scalar {
                use super::*;
                primefield::monty_field_params! {
                    name: ScalarParams,
                    modulus: $q,
                    uint: U256,
                    byte_order: primefield::ByteOrder::BigEndian,
                    multiplicative_generator: $q_generator,
                    doc: "order of the subgroup"
                }
                primefield::monty_field_element! {
                    name: Scalar, params: ScalarParams, uint: U256, doc: "integer modulo the order"
                }
                primefield::monty_field_arithmetic! { name: Scalar, params: ScalarParams, uint: U256 }
                primefield::monty_field_reduce! { name: Scalar, params: ScalarParams, uint: U256, }
                elliptic_curve::scalar_impls!($curve, Scalar);
                wnaf::impl_wnaf_size_for_scalar!(Scalar);

                impl AsRef<Scalar> for Scalar {
                    fn as_ref(&self) -> &Scalar {
                        self
                    }
                }

                impl FromUintUnchecked for Scalar {
                    type Uint = U256;

                    fn from_uint_unchecked(integer: U256) -> Self {
                        Self::from_uint_unchecked(integer)
                    }
                }

                impl IsHigh for Scalar {
                    fn is_high(&self) -> Choice {
                        const HALF: U256 = ORDER.as_ref().shr_vartime(1);
                        self.to_canonical().ct_gt(&HALF)
                    }
                }
            }

            pub(crate) use field::FieldElement;
            pub(crate) use scalar::Scalar;

            impl elliptic_curve::Curve for $curve {
                type FieldBytesSize = U32;
                type Uint = U256;
                const ORDER: Odd<U256> = ORDER;
            }

            impl elliptic_curve::PrimeCurve for $curve {}

            impl elliptic_curve::point::PointCompression for $curve {
                const COMPRESS_POINTS: bool = false;
            }

            impl CurveArithmetic for $curve {
                type AffinePoint = primeorder::AffinePoint<$curve>;
                type ProjectivePoint = primeorder::ProjectivePoint<$curve>;
                type Scalar = Scalar;
            }

            impl FieldArithmetic for $curve {
                type FieldElement = FieldElement;
            }

            impl PrimeCurveArithmetic for $curve {
                type CurveGroup = primeorder::ProjectivePoint<$curve>;
            }

            impl PrimeCurveParams for $curve {
                type PointArithmetic = point_arithmetic::$equation;
                type Backend = PrecomputedTables<WINDOWS>;
                const EQUATION_A: FieldElement = FieldElement::from_hex_vartime($a);
                const EQUATION_B: FieldElement = FieldElement::from_hex_vartime($b);
                const GENERATOR: (FieldElement, FieldElement) =
                    (FieldElement::from_hex_vartime($x), FieldElement::from_hex_vartime($y));
            }

            static TABLE: BasepointTable<primeorder::ProjectivePoint<$curve>, WINDOWS> = BasepointTable::new();

            impl PrimeCurveWithBasepointTable<WINDOWS> for $curve {
                const BASEPOINT_TABLE: &'static BasepointTable<primeorder::ProjectivePoint<$curve>, WINDOWS> =
                    &TABLE;
            }

            impl super::GostCurve for $curve {}
        }
    };
}

gost_curve!(
    tc26_a, Tc26A, EquationAIsGeneric,
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97", p_generator: 7,
    q: "400000000000000000000000000000000fd8cddfc87b6635c115af556c360c67", q_generator: 5,
    a: "c2173f1513981673af4892c23035a27ce25e2013bf95aa33b22c656f277e7335",
    b: "295f9bae7428ed9ccc20e7c359a9d41a22fccd9108e17bf7ba9337a6f8ae9513",
    x: "91e38443a5e82c0d880923425712b2bb658b9196932e02c78b2582fe742daa28",
    y: "32879423ab1a0375895786c4bb46e9565fde0b5344766740af268adb32322e5c",
);

gost_curve!(
    cryptopro_a, CryptoProA, EquationAIsMinusThree,
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97", p_generator: 7,
    q: "ffffffffffffffffffffffffffffffff6c611070995ad10045841b09b761b893", q_generator: 2,
    a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd94",
    b: "00000000000000000000000000000000000000000000000000000000000000a6",
    x: "0000000000000000000000000000000000000000000000000000000000000001",
    y: "8d91e471e0989cda27df505a453f2b7635294f2ddf23e3b122acc99c9e9f1e14",
);

gost_curve!(
    cryptopro_b, CryptoProB, EquationAIsMinusThree,
    p: "8000000000000000000000000000000000000000000000000000000000000c99", p_generator: 3,
    q: "800000000000000000000000000000015f700cfff1a624e5e497161bcc8a198f", q_generator: 5,
    a: "8000000000000000000000000000000000000000000000000000000000000c96",
    b: "3e1af419a269a5f866a7d3c25c3df80ae979259373ff2b182f49d4ce7e1bbc8b",
    x: "0000000000000000000000000000000000000000000000000000000000000001",
    y: "3fa8124359f96680b83d1c3eb2c070e5c545c9858d03ecfb744bf8d717717efc",
);

gost_curve!(
    cryptopro_c, CryptoProC, EquationAIsMinusThree,
    p: "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d759b", p_generator: 2,
    q: "9b9f605f5a858107ab1ec85e6b41c8aa582ca3511eddfb74f02f3a6598980bb9", q_generator: 7,
    a: "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d7598",
    b: "000000000000000000000000000000000000000000000000000000000000805a",
    x: "0000000000000000000000000000000000000000000000000000000000000000",
    y: "41ece55743711a8c3cbf3783cd08c0ee4d4dc440d4641a8f366e550dfdb3bb67",
);

gost_curve!(
    /// The curve of the worked example in RFC 7091 §7.1. Never a real key: refused outside of tests.
    #[cfg(test)]
    rfc_7091, Rfc7091, EquationAIsGeneric,
    p: "8000000000000000000000000000000000000000000000000000000000000431", p_generator: 7,
    q: "8000000000000000000000000000000150fe8a1892976154c59cfc193accf5b3", q_generator: 2,
    a: "0000000000000000000000000000000000000000000000000000000000000007",
    b: "5fbff498aa938ce739b8e022fbafef40563f6e6a3472fc2a514c0ce9dae23b7e",
    x: "0000000000000000000000000000000000000000000000000000000000000002",
    y: "08e2a8a0e65147d4bd6316030e16d19c85c97f0a9ca267122b96abbcea7e8fc8",
);
