//! Receipts over real trees, bit by bit, and against bytes put together by hand.

use super::*;
use crate::id::{NetworkId, sha256};
use crate::merkle::{Nodes, complete_root, consistency_proof, inclusion_proof, root};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use std::convert::Infallible;

/// A log whose entry `n` has the id SHA-256 of `n`.
struct Log;

impl Nodes for Log {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let leaves = (index << level)..((index + 1) << level);
        Ok(complete_root(&leaves.map(|n| leaf_hash(event(n).as_bytes())).collect::<Vec<_>>()))
    }
}

fn event(number: u64) -> EventId {
    EventId::from_bytes(sha256(&[&number.to_be_bytes()]))
}

fn key() -> (SigningKey, PublicKey) {
    let key = SigningKey::from_bytes(&[5; 32]);
    let public = PublicKey::from_bytes(key.verifying_key().to_bytes());
    (key, public)
}

fn origin() -> LogOrigin {
    LogOrigin { network: NetworkId::from_bytes([1; 32]), key: key().1 }
}

fn inclusion(index: u64, size: u64) -> Result<InclusionReceipt, ReceiptError> {
    let (key, public) = key();
    let path = inclusion_proof(index, size, &Log).unwrap().unwrap();
    let included = Included { size, index, root: root(size, &Log).unwrap() };
    InclusionReceipt::issue(&public, event(index), &included, path, |bytes| key.sign(bytes).to_bytes())
}

fn consistency(old: u64, new: u64) -> Result<ConsistencyReceipt, ReceiptError> {
    let path = consistency_proof(old, new, &Log).unwrap().unwrap();
    let roots = [root(old, &Log).unwrap(), root(new, &Log).unwrap()];
    let sign = |bytes: &[u8]| key().0.sign(bytes).to_bytes();
    ConsistencyReceipt::issue(&origin(), [old, new], [&roots[0], &roots[1]], path, sign)
}

/// A text or byte string of CBOR of less than 256 bytes.
fn string(major: u8, bytes: &[u8]) -> Vec<u8> {
    let len = u8::try_from(bytes.len()).unwrap();
    let head = if len < 24 { vec![major | len] } else { vec![major | 0x18, len] };
    [head, bytes.to_vec()].concat()
}

/// Protected header, proof and signature as RFC 9942 has them, written by hand.
fn by_hand(subject: &str, label: u8, proof: &[u8], signed_root: &Hash) -> Vec<u8> {
    let (key, public) = key();
    let iss = did_key(&public);
    let protected = [
        &[0xa4, 0x01, 0x27, 0x04][..],
        &string(0x40, public.as_bytes()),
        &[0x0f, 0xa2, 0x01],
        &string(0x60, iss.as_bytes()),
        &[0x02],
        &string(0x60, subject.as_bytes()),
        &[0x19, 0x01, 0x8b, 0x01],
    ]
    .concat();
    let signed =
        [&[0x84, 0x6a][..], b"Signature1", &string(0x40, &protected), &[0x40], &string(0x40, signed_root)].concat();
    [
        &[0xd2, 0x84][..],
        &string(0x40, &protected),
        &[0xa1, 0x19, 0x01, 0x8c, 0xa1, label, 0x81],
        &string(0x40, proof),
        &[0xf6],
        &string(0x40, &key.sign(&signed).to_bytes()),
    ]
    .concat()
}

#[test]
fn golden_bytes() {
    let leaves: Vec<_> = (0..3).map(|n| leaf_hash(event(n).as_bytes())).collect();
    let old = complete_root(&leaves[..2]);
    let new = root(3, &Log).unwrap();
    let proof = [&[0x83, 0x03, 0x02, 0x81][..], &string(0x40, &old)].concat();
    let subject = format!("urn:furrow:event:{}", event(2));
    assert_eq!(inclusion(2, 3).unwrap().to_vec(), by_hand(&subject, 0x20, &proof, &new));
    let proof = [&[0x83, 0x02, 0x03, 0x81][..], &string(0x40, &leaves[2])].concat();
    assert_eq!(consistency(2, 3).unwrap().to_vec(), by_hand(&origin().to_string(), 0x21, &proof, &new));
}

/// The validator knows no tags and no encoded CBOR, so these are taken out of the grammar.
#[test]
fn receipts_fit_the_cddl() {
    let grammar = include_str!("../../../docs/receipt.cddl");
    let grammar = grammar.replace("#6.18([", "[").replace("\n])\n", "\n]\n");
    let bare = ["protected-header", "inclusion-proof", "consistency-proof"]
        .iter()
        .fold(grammar.clone(), |text, rule| text.replace(&format!("bstr .cbor {rule}"), "bstr"));
    let fits = |rule, bytes: &[u8]| cddl_cat::validate_cbor_bytes(rule, &bare, bytes).unwrap();
    let (included, grown) = (inclusion(5, 9).unwrap(), consistency(5, 9).unwrap());
    fits("inclusion-receipt", &included.to_vec()[1..]);
    fits("consistency-receipt", &grown.to_vec()[1..]);
    for (rule, bytes) in [
        ("protected-header", included.protected()),
        ("protected-header", grown.protected()),
        ("inclusion-proof", included.proof.to_vec()),
        ("consistency-proof", grown.proof.to_vec()),
    ] {
        fits(rule, &bytes);
    }
}

#[test]
fn what_the_rfc_does_not_allow_is_not_issued() {
    assert_eq!(inclusion(0, 1), Err(ReceiptError::Path(0)));
    assert_eq!(consistency(3, 3), Err(ReceiptError::Path(0)));
    let (key, public) = key();
    let included = Included { size: 3, index: 2, root: [0; 32] };
    let path = inclusion_proof(2, 3, &Log).unwrap().unwrap();
    let wrong = InclusionReceipt::issue(&public, event(2), &included, path, |bytes| key.sign(bytes).to_bytes());
    assert_eq!(wrong, Err(ReceiptError::Proof(ProofError::Root)), "a wrong root is never signed");
}

#[test]
fn another_form_is_refused() {
    let good = inclusion(5, 9).unwrap().to_vec();
    assert!(matches!(ConsistencyReceipt::decode(&good), Err(ReceiptFormatError::Shape(_))));
    let other = consistency(5, 9).unwrap().to_vec();
    assert!(matches!(InclusionReceipt::decode(&other), Err(ReceiptFormatError::Shape(_))));
    let long = [&[0xd8, 0x12][..], &good[1..]].concat();
    assert_eq!(InclusionReceipt::decode(&long), Err(ReceiptFormatError::NotDeterministic), "a tag in two bytes");
    let longer = [&good[..], &[0; MAX_RECEIPT_BYTES]].concat();
    assert_eq!(InclusionReceipt::decode(&longer), Err(ReceiptFormatError::TooLarge(longer.len())));
    for bytes in [&good, &other] {
        for end in 0..bytes.len() {
            assert!(InclusionReceipt::decode(&bytes[..end]).is_err());
            assert!(ConsistencyReceipt::decode(&bytes[..end]).is_err());
        }
        assert!(InclusionReceipt::decode(&[bytes, &[0][..]].concat()).is_err());
        assert!(ConsistencyReceipt::decode(&[bytes, &[0][..]].concat()).is_err());
    }
}

proptest! {
    #[test]
    fn every_receipt_verifies_and_no_flipped_bit_changes_what_is_signed(
        size in 2_u64..40,
        at in any::<prop::sample::Index>(),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 32),
    ) {
        let index = at.index(usize::try_from(size).unwrap()) as u64;
        let (log, now) = (key().1, root(size, &Log).unwrap());
        let bytes = inclusion(index, size).unwrap().to_vec();
        let receipt = InclusionReceipt::decode(&bytes).unwrap();
        prop_assert_eq!(receipt.verify(&event(index), &log), Ok(Included { size, index, root: now }));
        prop_assert_eq!(receipt.verify(&event(index + 1), &log), Err(ReceiptError::Other));
        prop_assert_eq!(receipt.verify(&event(index), &PublicKey::from_bytes([1; 32])), Err(ReceiptError::Other));

        let (old, new) = (index.max(1), size + u64::from(index.max(1) == size));
        let old_root = root(old, &Log).unwrap();
        let growth = consistency(old, new).unwrap().to_vec();
        let grown = ConsistencyReceipt::decode(&growth).unwrap();
        prop_assert_eq!(grown.sizes(), [old, new]);
        prop_assert_eq!(grown.verify(&origin(), &old_root), Ok(root(new, &Log).unwrap()));
        prop_assert!(grown.verify(&origin(), &[9; 32]).is_err());

        for flip in flips {
            let flipped = |bytes: &[u8]| {
                let (bit, mut bytes) = (flip.index(bytes.len() * 8), bytes.to_vec());
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            // The sizes and the index are not signed: another may lead to the same root.
            if let Ok(receipt) = InclusionReceipt::decode(&flipped(&bytes))
                && let Ok(included) = receipt.verify(&event(index), &log)
            {
                prop_assert_eq!(included.root, now);
                prop_assert!(included.size != size || included.index != index);
            }
            if let Ok(receipt) = ConsistencyReceipt::decode(&flipped(&growth))
                && let Ok(new_root) = receipt.verify(&origin(), &old_root)
            {
                prop_assert_eq!(new_root, root(new, &Log).unwrap());
                prop_assert!(receipt.sizes() != [old, new]);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(InclusionReceipt::decode(&bytes).is_err());
        prop_assert!(ConsistencyReceipt::decode(&bytes).is_err());
    }
}
