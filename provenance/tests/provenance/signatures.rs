//! Batch and single verification agree on every input, crafted ones included.

use crate::story::*;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use provenance::event::SignedEvent;
use provenance::id::PublicKey;
use provenance::signature::{SignatureError, Verifier, is_well_formed, verify_detached};
use sha2::{Digest, Sha512};

fn event(seed: u8) -> SignedEvent {
    let mut founder = Signatory::founder(&network(), 0);
    founder.time_ms += u64::from(seed);
    founder.registers("1", None)
}

/// The event with another key and signature. The header names the key, so it is built again.
fn forged(event: &SignedEvent, key: [u8; 32], signature: [u8; 64]) -> SignedEvent {
    let bytes = event.bytes();
    let old_key = event.key();
    let old_did = provenance::payload::did_key(&old_key);
    let new_did = provenance::payload::did_key(&PublicKey::from_bytes(key));
    assert_eq!(old_did.len(), new_did.len());
    let mut forged = replace(bytes, old_key.as_bytes(), &key);
    forged = replace(&forged, old_did.as_bytes(), new_did.as_bytes());
    let start = forged.len() - 64;
    forged[start..].copy_from_slice(&signature);
    SignedEvent::decode(forged).expect("the form is right")
}

fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|window| window == old).expect("it is there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let mut hash = Sha512::new();
    hash.update(r);
    hash.update(key);
    hash.update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// A signature whose R carries a point of small order: ZIP 215 takes it, cofactorless rules do not.
fn with_mixed_r(event: &SignedEvent, torsion: usize) -> SignedEvent {
    let secret = Scalar::from(123_456_789_u64);
    let key = (B * secret).compress().to_bytes();
    let base = forged(event, key, [0; 64]);
    let nonce = Scalar::from(987_654_321_u64);
    let r = (B * nonce + EIGHT_TORSION[torsion]).compress().to_bytes();
    let s = nonce + challenge(&r, &key, &base.signed_bytes()) * secret;
    let signature = [r, s.to_bytes()].concat().try_into().unwrap();
    forged(event, key, signature)
}

/// The order of the group, little-endian (RFC 8032 §5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn with_large_s(event: &SignedEvent) -> SignedEvent {
    let mut signature = *event.signature();
    let mut carry = 0_u16;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = ((sum & 0xff) as u8, sum >> 8);
    }
    forged(event, *event.key().as_bytes(), signature)
}

fn crafted() -> Vec<(SignedEvent, Result<(), SignatureError>)> {
    let honest = event(1);
    let mut cases = vec![(honest.clone(), Ok(())), (with_large_s(&honest), Err(SignatureError::Signature))];
    for (torsion, small) in EIGHT_TORSION.iter().enumerate() {
        cases.push((with_mixed_r(&honest, torsion), Ok(())));
        // Every key of small order, with the signature that cofactored rules would take for it.
        let key = small.compress().to_bytes();
        let identity = EdwardsPoint::default().compress().to_bytes();
        let signature = [identity, [0; 32]].concat().try_into().unwrap();
        cases.push((forged(&honest, key, signature), Err(SignatureError::Key)));
        // A key of mixed order.
        let mixed = (B * Scalar::from(77_u64) + small).compress().to_bytes();
        let expected = if torsion == 0 { SignatureError::Signature } else { SignatureError::Key };
        cases.push((forged(&honest, mixed, *honest.signature()), Err(expected)));
    }
    // Encodings of y that are not reduced, and bytes that are no point.
    for low in 0xed..=0xff {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (low, 0x7f);
        cases.push((forged(&honest, key, *honest.signature()), Err(SignatureError::Key)));
    }
    cases
}

#[test]
fn crafted_vectors_get_the_verdict_of_the_rule() {
    for (index, (event, expected)) in crafted().into_iter().enumerate() {
        assert_eq!(Verifier::new().verify(event).map(|_| ()), expected, "case {index}");
    }
}

#[test]
fn a_batch_gives_each_event_the_verdict_that_it_gets_alone() {
    let cases = crafted();
    let results = Verifier::new().verify_all(cases.iter().map(|(event, _)| event.clone()).collect());
    for (index, (result, (_, expected))) in results.into_iter().zip(cases).enumerate() {
        assert_eq!(result.map(|_| ()), expected, "case {index}");
    }
    // Only mixed-order R: the batch equation itself must take them.
    let mixed: Vec<_> = (0..8).map(|torsion| with_mixed_r(&event(2), torsion)).collect();
    assert!(Verifier::new().verify_all(mixed).into_iter().all(|result| result.is_ok()));
}

/// A batch that does not hold is taken apart, and more than one part of it may not hold.
#[test]
fn bad_events_of_a_large_batch_are_found_and_no_others() {
    let honest: Vec<SignedEvent> = (0..4).map(event).collect();
    let mut events: Vec<SignedEvent> = honest.iter().cycle().take(700).cloned().collect();
    let bad = [0, 127, 128, 300, 699];
    for at in bad {
        let wrong = [events[at].signature()[0] ^ 1];
        let signature = [&wrong, &events[at].signature()[1..]].concat();
        events[at] = forged(&events[at], *events[at].key().as_bytes(), signature.try_into().unwrap());
    }
    let results = Verifier::new().verify_all(events);
    let refused: Vec<usize> = (0..results.len()).filter(|at| results[*at].is_err()).collect();
    assert_eq!((results.len(), refused.as_slice()), (700, bad.as_slice()));
}

#[test]
fn keys_that_no_honest_signer_has() {
    for point in EIGHT_TORSION {
        assert!(!is_well_formed(&PublicKey::from_bytes(point.compress().to_bytes())));
    }
    assert!(is_well_formed(&public(&key(5))));
    assert_eq!(verify_detached(&PublicKey::from_bytes([0; 32]), b"", &[0; 64]), Err(SignatureError::Key));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn one_flipped_bit_never_verifies(bits in prop::collection::vec(any::<prop::sample::Index>(), 1..40), good in 0_usize..40) {
        let honest = event(3);
        let mut events: Vec<SignedEvent> = (0..good).map(|n| event(u8::try_from(n).unwrap())).collect();
        let expected_good = events.len();
        for bit in bits {
            let mut bytes = honest.bytes().to_vec();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Most flips are no event any more; those that are must fail the signature.
            if let Ok(event) = SignedEvent::decode(bytes) {
                prop_assert!(Verifier::new().verify(event.clone()).is_err());
                events.push(event);
            }
        }
        let results = Verifier::new().verify_all(events);
        prop_assert_eq!(results.iter().filter(|result| result.is_ok()).count(), expected_good);
        prop_assert!(results[..expected_good].iter().all(Result::is_ok));
    }
}
