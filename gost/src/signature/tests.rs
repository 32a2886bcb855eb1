use super::*;
use crate::curve::definition::rfc_7091::Rfc7091;
use crate::hash::streebog256;
use elliptic_curve::Curve;
use proptest::prelude::*;

fn number(hex_digits: &str) -> [u8; 32] {
    hex::decode(hex_digits).unwrap().try_into().unwrap()
}

/// RFC 7091 §7.1: all numbers of the worked example.
#[test]
fn the_example_of_rfc_7091() {
    let key = scalar::<Rfc7091>(&number("7a929ade789bb9be10ed359dd39a72c11b60961f49397eee1d19ce9891ec3b28"));
    let digest = *reversed(&number("2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5"));
    let nonce =
        scalar::<Rfc7091>(&number("77105c9b20bcd3122823c8cf6fcc7b956de33814e95b7fe64fed924594dceab3"));

    let point = Point::<Rfc7091>::mul_by_generator(&key).to_affine();
    // The set is only a name here: the curve of the example belongs to none of the real ones.
    let public = PublicKey { set: ParameterSet::Tc26A, x: point.x().into(), y: point.y().into() };
    assert_eq!(public.x, number("7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b"));
    assert_eq!(public.y, number("26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da"));

    let signature = sign_with::<Rfc7091>(&key, &digest, &nonce).unwrap();
    let (s, r) = halves(signature.as_bytes());
    assert_eq!(s, number("01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40"));
    assert_eq!(r, number("41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493"));
    assert_eq!(verify::<Rfc7091>(&public, &digest, &signature), Some(true));
}

#[test]
fn what_each_set_signs_verifies_and_nothing_else_does() {
    for set in ParameterSet::ALL {
        let key = PrivateKey::generate(set).unwrap();
        let public = PublicKey::from_le_xy(set, &key.public_key().to_le_xy()).unwrap();
        let digest = streebog256(b"message");
        let signature = key.sign(&digest).unwrap();
        assert_eq!(public.verify(&digest, &signature), Ok(()), "{set:?}");
        assert_eq!(public.verify(&streebog256(b"another"), &signature), Err(BadSignature), "{set:?}");
        let other = PrivateKey::generate(set).unwrap().public_key();
        assert_eq!(other.verify(&digest, &signature), Err(BadSignature), "{set:?}");
    }
}

#[test]
fn two_signatures_of_one_digest_differ() {
    let key = PrivateKey::generate(ParameterSet::CryptoProXchA).unwrap();
    let digest = streebog256(b"message");
    assert_ne!(key.sign(&digest).unwrap(), key.sign(&digest).unwrap());
}

#[test]
fn numbers_out_of_range_are_no_keys() {
    for set in ParameterSet::ALL {
        assert_eq!(PrivateKey::from_le_octets(set, &[0; 32]).unwrap_err(), KeyError::OutOfRange);
        assert_eq!(PrivateKey::from_le_octets(set, &[0xff; 32]).unwrap_err(), KeyError::OutOfRange);
        let order = on_curve!(set, C => <[u8; 32]>::from(C::ORDER.as_ref().to_le_bytes()));
        assert_eq!(PrivateKey::from_le_octets(set, &order).unwrap_err(), KeyError::OutOfRange);
        assert_eq!(PublicKey::from_le_xy(set, &[1; 64]).unwrap_err(), KeyError::NotOnCurve);
    }
}

/// tc26-A has points outside of the subgroup: neither one of order 2, nor its sum with a good key, is a key.
#[test]
fn a_point_outside_of_the_subgroup_is_no_key() {
    use crate::curve::definition::tc26_a::{FieldElement, Tc26A};
    use primeorder::PrimeCurveParams;
    let key = PrivateKey::generate(ParameterSet::Tc26A).unwrap().public_key();
    let is_root =
        |x: FieldElement| bool::from((x * x * x + Tc26A::EQUATION_A * x + Tc26A::EQUATION_B).is_zero());
    // RFC 7836 A.2: the Weierstrass form comes from the twisted Edwards form with x = s·u + t, and the point of
    // order 2 is at u = 0, hence x = t = (e + d) / 6.
    let d =
        FieldElement::from_hex_vartime("0605f6b7c183fa81578bc39cfad518132b9df62897009af7e522c32d6dc7bffb");
    let t = (FieldElement::ONE + d) * FieldElement::from_u64(6).invert().unwrap();
    assert!(is_root(t));
    let of_order_two = PublicKey { set: ParameterSet::Tc26A, x: t.to_bytes().into(), y: [0; 32] };
    let outside = of_order_two.point::<Tc26A>().unwrap() + key.point::<Tc26A>().unwrap();
    let outside = outside.to_affine();
    let outside = PublicKey { set: ParameterSet::Tc26A, x: outside.x().into(), y: outside.y().into() };
    assert!(outside.point::<Tc26A>().is_some(), "it is a point of the curve");
    assert_eq!(
        PublicKey::from_le_xy(ParameterSet::Tc26A, &outside.to_le_xy()).unwrap_err(),
        KeyError::NotOnCurve
    );
    assert_eq!(
        PublicKey::from_le_xy(ParameterSet::Tc26A, &of_order_two.to_le_xy()).unwrap_err(),
        KeyError::NotOnCurve
    );
}

#[test]
fn keys_of_one_curve_are_equal_under_all_its_names() {
    // Small enough to be a key of every curve.
    let mut octets = [0; 32];
    octets[0] = 7;
    let key = PrivateKey::from_le_octets(ParameterSet::CryptoProA, &octets).unwrap();
    for (set, same) in
        [(ParameterSet::CryptoProXchA, true), (ParameterSet::Tc26B, true), (ParameterSet::Tc26A, false)]
    {
        let other = PrivateKey::from_le_octets(set, &octets).unwrap();
        assert_eq!(other.public_key() == key.public_key(), same, "{set:?}");
    }
}

#[test]
fn nothing_of_the_key_is_printed() {
    let key = PrivateKey::from_le_octets(ParameterSet::Tc26A, &[7; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(Tc26A, ***)");
}

proptest! {
    #[test]
    fn a_masked_key_comes_back(seed in any::<[u8; 32]>(), mask in any::<[u8; 32]>()) {
        for set in ParameterSet::ALL {
            let (Ok(key), Ok(mask)) = (PrivateKey::from_product(set, &[seed]), PrivateKey::from_product(set, &[mask])) else {
                continue;
            };
            let masked = PrivateKey::from_product(set, &[*key.to_le_octets(), *mask.to_le_octets()]).unwrap();
            let unmasked = PrivateKey::from_quotient(set, &masked.to_le_octets(), &mask.to_le_octets()).unwrap();
            prop_assert_eq!(unmasked.to_le_octets(), key.to_le_octets());
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_breaks_the_signature(message in any::<Vec<u8>>(), bit in 0_usize..512) {
        let key = PrivateKey::generate(ParameterSet::CryptoProXchA).unwrap();
        let digest = streebog256(&message);
        let mut octets = *key.sign(&digest).unwrap().as_bytes();
        octets[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(key.public_key().verify(&digest, &Signature::from_bytes(octets)), Err(BadSignature));
    }
}
