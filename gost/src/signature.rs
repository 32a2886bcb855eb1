//! Signatures of GOST R 34.10-2012 with 256-bit keys (RFC 7091).
//!
//! Octet orders follow the GOST profiles of X.509 and XMLDSig (RFC 9215, RFC 4491): private keys, public keys
//! and digests are little-endian, the signature is `s` then `r`, each big-endian.
//!
//! The nonce is hedged: HMAC-Streebog-512 keyed by the private key over fresh randomness and the digest. A weak
//! random generator alone does not leak the key, and neither does a repeated digest.
//!
//! Numbers that are secret, or that lead to the key, are wiped on drop. Working values of the curve arithmetic,
//! and copies that the compiler makes when it moves a value, are out of reach.

use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::group::{Curve as _, Group};
use elliptic_curve::ops::{MulByGeneratorVartime, Reduce};
use elliptic_curve::point::AffineCoordinates;
use elliptic_curve::sec1::{FromSec1Point, Sec1Point};
use elliptic_curve::{CurveArithmetic, FieldBytes};
use hmac::{Hmac, KeyInit, Mac};
use streebog::Streebog512;
use zeroize::Zeroizing;

use crate::ParameterSet;
use crate::curve::definition::GostCurve;
use crate::curve::on_curve;

type Scalar<C> = <C as CurveArithmetic>::Scalar;
type Point<C> = <C as CurveArithmetic>::ProjectivePoint;

/// Why octets are not a key, or a signature could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The number is zero or not below the order of the curve.
    #[error("the private key is not between 1 and the order of the curve")]
    OutOfRange,
    /// The coordinates are not a point of the curve's prime-order subgroup.
    #[error("the public key is not a point of the curve")]
    NotOnCurve,
    /// The operating system gave no random octets.
    #[error("the operating system gave no random numbers")]
    NoRandomness,
}

/// The signature does not belong to this digest and public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// A signature: 64 octets, `s` then `r`, each big-endian, as `ds:SignatureValue` holds them in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Takes the octets as they are: whether they verify is told by [`PublicKey::verify`].
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// `s` then `r`.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = BadSignature;

    fn try_from(bytes: &[u8]) -> Result<Self, BadSignature> {
        bytes.try_into().map(Self).map_err(|_wrong_length| BadSignature)
    }
}

/// A private key. Its octets are wiped when it is dropped.
#[derive(Clone)]
pub struct PrivateKey {
    set: ParameterSet,
    /// Big-endian, between 1 and the order of the curve.
    octets: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PrivateKey({:?}, ***)", self.set)
    }
}

impl PrivateKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate(set: ParameterSet) -> Result<Self, KeyError> {
        loop {
            let mut octets = Zeroizing::new([0; 32]);
            getrandom::fill(octets.as_mut_slice()).map_err(|_unavailable| KeyError::NoRandomness)?;
            on_curve!(set, C => clear_above_order::<C>(&mut octets));
            if let Ok(key) = Self::from_be_octets(set, octets) {
                return Ok(key);
            }
        }
    }

    /// A key from its 32 little-endian octets, the form of key files.
    ///
    /// # Errors
    /// [`KeyError::OutOfRange`].
    pub fn from_le_octets(set: ParameterSet, octets: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_be_octets(set, reversed(octets))
    }

    /// The key as 32 little-endian octets.
    pub fn to_le_octets(&self) -> Zeroizing<[u8; 32]> {
        reversed(&self.octets)
    }

    /// The product of little-endian numbers modulo the order: how masked PKCS#8 keys are kept.
    pub(crate) fn from_product(set: ParameterSet, factors: &[[u8; 32]]) -> Result<Self, KeyError> {
        let product = on_curve!(set, C => {
            let mut product = Zeroizing::new(Scalar::<C>::ONE);
            for factor in factors {
                *product *= *reduced::<C>(factor);
            }
            Zeroizing::new(<[u8; 32]>::from(product.to_repr()))
        });
        Self::from_be_octets(set, product)
    }

    /// `masked` divided by `mask` modulo the order, all little-endian: how CryptoPro containers keep keys.
    pub(crate) fn from_quotient(
        set: ParameterSet,
        masked: &[u8; 32],
        mask: &[u8; 32],
    ) -> Result<Self, KeyError> {
        let quotient = on_curve!(set, C => {
            let divisor = Option::<Scalar<C>>::from(Field::invert(&*reduced::<C>(mask))).map(Zeroizing::new);
            divisor.map(|divisor| {
                let quotient = Zeroizing::new(*reduced::<C>(masked) * *divisor);
                Zeroizing::new(<[u8; 32]>::from(quotient.to_repr()))
            })
        });
        Self::from_be_octets(set, quotient.ok_or(KeyError::OutOfRange)?)
    }

    fn from_be_octets(set: ParameterSet, octets: Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let valid = on_curve!(set, C => non_zero_scalar::<C>(&octets).is_some());
        if valid { Ok(Self { set, octets }) } else { Err(KeyError::OutOfRange) }
    }

    /// The parameter set that the key file named.
    pub fn parameter_set(&self) -> ParameterSet {
        self.set
    }

    /// The public key that belongs to this key.
    pub fn public_key(&self) -> PublicKey {
        let set = self.set;
        on_curve!(set, C => {
            let point = Point::<C>::mul_by_generator(&scalar::<C>(&self.octets)).to_affine();
            PublicKey { set, x: point.x().into(), y: point.y().into() }
        })
    }

    /// Signs a Streebog-256 digest, given as hashed.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn sign(&self, digest: &[u8; 32]) -> Result<Signature, KeyError> {
        let mut fresh = Zeroizing::new([0; 32]);
        getrandom::fill(fresh.as_mut_slice()).map_err(|_unavailable| KeyError::NoRandomness)?;
        Ok(on_curve!(self.set, C => {
            let key = scalar::<C>(&self.octets);
            // Practically always the first: a nonce fails with probability of about 2^-255.
            let mut nonces = (0_u32..).filter_map(|counter| nonce::<C>(&self.octets, &fresh, digest, counter));
            loop {
                let signature = nonces.next().and_then(|nonce| sign_with::<C>(&key, digest, &nonce));
                if let Some(signature) = signature {
                    break signature;
                }
            }
        }))
    }
}

/// A public key: a point of the curve. Keys are equal when their points are, whatever the parameter set is called.
#[derive(Clone, Debug)]
pub struct PublicKey {
    set: ParameterSet,
    /// Big-endian.
    x: [u8; 32],
    /// Big-endian.
    y: [u8; 32],
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.set.curve() == other.set.curve() && self.x == other.x && self.y == other.y
    }
}

impl Eq for PublicKey {}

impl PublicKey {
    /// A key from the 64 octets of a certificate: X then Y, each little-endian (RFC 9215 §4.3).
    ///
    /// # Errors
    /// [`KeyError::NotOnCurve`], also for a point outside of the prime-order subgroup.
    pub fn from_le_xy(set: ParameterSet, octets: &[u8; 64]) -> Result<Self, KeyError> {
        let (x, y) = halves(octets);
        let key = Self { set, x: *reversed(&x), y: *reversed(&y) };
        let valid = on_curve!(set, C => key.point::<C>().is_some_and(|point| in_subgroup::<C>(&point)));
        if valid { Ok(key) } else { Err(KeyError::NotOnCurve) }
    }

    /// X then Y, each little-endian.
    pub fn to_le_xy(&self) -> [u8; 64] {
        joined(&reversed(&self.x), &reversed(&self.y))
    }

    /// The parameter set that the certificate named.
    pub fn parameter_set(&self) -> ParameterSet {
        self.set
    }

    /// Checks a signature of a Streebog-256 digest, given as hashed.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, digest: &[u8; 32], signature: &Signature) -> Result<(), BadSignature> {
        let valid = on_curve!(self.set, C => verify::<C>(self, digest, signature));
        if valid == Some(true) { Ok(()) } else { Err(BadSignature) }
    }

    fn point<C: GostCurve>(&self) -> Option<Point<C>> {
        let (x, y) = (FieldBytes::<C>::from(self.x), FieldBytes::<C>::from(self.y));
        let encoded = Sec1Point::<C>::from_affine_coordinates(&x, &y, false);
        Option::<C::AffinePoint>::from(C::AffinePoint::from_sec1_point(&encoded)).map(Point::<C>::from)
    }
}

/// RFC 7091 §6.1, steps 2 to 6. `None` asks for another nonce.
fn sign_with<C: GostCurve>(key: &Scalar<C>, digest: &[u8; 32], nonce: &Scalar<C>) -> Option<Signature> {
    let x = Point::<C>::mul_by_generator(nonce).to_affine().x();
    let r = <Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&x);
    // Each of the two leads to the key.
    let from_key = Zeroizing::new(r * key);
    let from_nonce = Zeroizing::new(*nonce * message_number::<C>(digest));
    let s = *from_key + *from_nonce;
    let usable = !bool::from(r.is_zero() | s.is_zero());
    usable.then(|| Signature(joined(&s.to_repr().into(), &r.to_repr().into())))
}

/// RFC 7091 §6.2. `None` for numbers out of range.
fn verify<C: GostCurve>(key: &PublicKey, digest: &[u8; 32], signature: &Signature) -> Option<bool> {
    let (s, r) = halves(&signature.0);
    let (s, r) = (*non_zero_scalar::<C>(&s)?, *non_zero_scalar::<C>(&r)?);
    let inverse = Option::<Scalar<C>>::from(Field::invert(&message_number::<C>(digest)))?;
    let point =
        Point::<C>::mul_by_generator_and_mul_add_vartime(&(s * inverse), &-(r * inverse), &key.point::<C>()?);
    Some(<Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&point.to_affine().x()) == r)
}

/// The digest as a number modulo the order; zero counts as one (RFC 7091 §6.1, step 2).
fn message_number<C: GostCurve>(digest: &[u8; 32]) -> Scalar<C> {
    let number = *reduced::<C>(digest);
    if bool::from(number.is_zero()) { Scalar::<C>::ONE } else { number }
}

/// A candidate for the nonce, or `None` when it is not below the order: the next counter gives another.
fn nonce<C: GostCurve>(
    key: &[u8; 32],
    fresh: &[u8; 32],
    digest: &[u8; 32],
    counter: u32,
) -> Option<Zeroizing<Scalar<C>>> {
    let mut mac = Hmac::<Streebog512>::new_from_slice(key).ok()?;
    mac.update(fresh);
    mac.update(digest);
    mac.update(&counter.to_be_bytes());
    let wide = mac.finalize();
    let mut candidate = Zeroizing::new(*wide.as_bytes().first_chunk()?);
    clear_above_order::<C>(&mut candidate);
    non_zero_scalar::<C>(&candidate)
}

/// Clears the bits above the order's highest, so that a random number is below the order at least half of the time.
fn clear_above_order<C: GostCurve>(octets: &mut [u8; 32]) {
    let unused = C::ORDER.as_ref().leading_zeros();
    let [first, ..] = octets;
    *first &= u8::MAX.checked_shr(unused).unwrap_or(0);
}

/// Cofactor 4 of tc26-A: a point of the curve need not be one of the subgroup.
///
/// The addition formulas fail where the difference of two operands has order 2. Points of order 2 and 4 are
/// therefore ruled out by doubling, which has no exceptions, before the multiplication by the order may be trusted.
fn in_subgroup<C: GostCurve>(point: &Point<C>) -> bool {
    let of_small_order = bool::from(point.double().double().is_identity());
    let minus_one = -Scalar::<C>::ONE;
    !of_small_order && bool::from((*point * minus_one + point).is_identity())
}

/// Big-endian octets known to be a number below the order.
fn scalar<C: GostCurve>(octets: &[u8; 32]) -> Zeroizing<Scalar<C>> {
    let octets = Zeroizing::new(FieldBytes::<C>::from(*octets));
    Zeroizing::new(<Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&octets))
}

/// Little-endian octets as a number modulo the order.
fn reduced<C: GostCurve>(octets: &[u8; 32]) -> Zeroizing<Scalar<C>> {
    scalar::<C>(&reversed(octets))
}

/// Big-endian octets, if they are a number between 1 and the order.
fn non_zero_scalar<C: GostCurve>(octets: &[u8; 32]) -> Option<Zeroizing<Scalar<C>>> {
    let number = Option::<Scalar<C>>::from(Scalar::<C>::from_repr(FieldBytes::<C>::from(*octets)))?;
    let number = Zeroizing::new(number);
    (!bool::from(number.is_zero())).then_some(number)
}

fn reversed(octets: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let mut copy = Zeroizing::new(*octets);
    copy.reverse();
    copy
}

fn halves(octets: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (first, second) = octets.split_at(32);
    let mut halves = ([0; 32], [0; 32]);
    halves.0.copy_from_slice(first);
    halves.1.copy_from_slice(second);
    halves
}

fn joined(first: &[u8; 32], second: &[u8; 32]) -> [u8; 64] {
    let mut octets = [0; 64];
    let (head, tail) = octets.split_at_mut(32);
    head.copy_from_slice(first);
    tail.copy_from_slice(second);
    octets
}

#[cfg(test)]
mod tests;
