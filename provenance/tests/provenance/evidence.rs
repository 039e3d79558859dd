//! Evidence from a chain of one block.

use crate::chain::{Scene, TRANSACTION, integer, list, string};
use alloy_primitives::keccak256;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use provenance::evidence::{AnchorWords, Evidence, EvidenceError, Line, commitment_slot};

const LINE: Line = Line { contract: [0xc0; 20], sender: [0x5e; 20] };

fn words() -> AnchorWords {
    AnchorWords {
        previous: [1; 32],
        number: 21_000_000,
        timestamp_s: 1_760_000_000,
        size: 1000,
        log_root: [2; 32],
        state_root: [3; 32],
    }
}

/// What both kinds of evidence of a block say of `words`.
fn verdicts(scene: &Scene, words: &AnchorWords) -> (Option<EvidenceError>, Option<EvidenceError>) {
    let (storage, receipt) = scene.evidence();
    (storage.verify(&LINE, words).err(), receipt.verify(&LINE, words).err())
}

#[test]
fn both_kinds_lead_to_the_same_block() {
    let (words, scene) = (words(), Scene::of(LINE, &words()));
    for more_fields in [0, 6, 20] {
        let (storage, receipt) = Scene { more_fields, ..scene.clone() }.evidence();
        let block = storage.verify(&LINE, &words).unwrap();
        assert_eq!(receipt.verify(&LINE, &words), Ok(block));
        let Evidence::Storage { header, .. } = &storage else { unreachable!("storage evidence comes first") };
        assert_eq!(block.hash, keccak256(header).0);
        assert_eq!((block.number, block.timestamp_s), (words.number, words.timestamp_s));
    }
    // A receipt from before EIP-2718 has no type.
    assert_eq!(verdicts(&Scene { kind: None, ..scene }, &words), (None, None));
}

#[test]
fn the_commitment_is_that_of_the_contract() {
    // The same vectors stand in the tests of the contract.
    let first = AnchorWords {
        previous: [0; 32],
        number: 21_000_000,
        timestamp_s: 1_760_000_000,
        size: 1000,
        log_root: [0x11; 32],
        state_root: [0; 32],
    };
    assert_eq!(
        HEXLOWER.encode(&first.commitment()),
        "4f96868d1a8a1d6927de6855243835e1b3d745fb4c4856efe41a9a37582e6420"
    );
    let second = AnchorWords {
        previous: first.commitment(),
        number: 21_000_300,
        timestamp_s: 1_760_003_600,
        size: 1_000_000,
        log_root: [0x22; 32],
        state_root: [0x33; 32],
    };
    assert_eq!(
        HEXLOWER.encode(&second.commitment()),
        "6b8750fc8c3cec2199bb298bed8deaaf422b2879c582ceb44427528db72755e4"
    );
}

#[test]
fn the_slot_is_where_solidity_puts_it() {
    // `cast index address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 0`
    let sender = HEXLOWER.decode(b"f39fd6e51aad88f6f4ce6ab8827279cfffb92266").unwrap().try_into().unwrap();
    assert_eq!(
        HEXLOWER.encode(&commitment_slot(&sender)),
        "723077b8a1b173adc35e5f0e7e3662fd1208212cb629f9c128551ea7168da722"
    );
}

#[test]
fn a_later_block_shows_what_is_stored_but_not_the_log() {
    let words = words();
    let later = Scene { number: words.number + 5, timestamp_s: words.timestamp_s + 60, ..Scene::of(LINE, &words) };
    assert_eq!(verdicts(&later, &words), (None, Some(EvidenceError::BadHeader)));
    let earlier = Scene { number: words.number - 1, ..Scene::of(LINE, &words) };
    assert_eq!(verdicts(&earlier, &words), (Some(EvidenceError::BadHeader), Some(EvidenceError::BadHeader)));
    let other_time = Scene { timestamp_s: words.timestamp_s + 1, ..Scene::of(LINE, &words) };
    assert_eq!(verdicts(&other_time, &words), (None, Some(EvidenceError::BadHeader)));
}

#[test]
fn every_other_anchor_is_refused() {
    let scene = Scene::of(LINE, &words());
    let others = [
        AnchorWords { previous: [9; 32], ..words() },
        AnchorWords { size: 1001, ..words() },
        AnchorWords { log_root: [9; 32], ..words() },
        AnchorWords { state_root: [9; 32], ..words() },
    ];
    for other in others {
        assert_eq!(
            verdicts(&scene, &other),
            (Some(EvidenceError::BadStorageProof), Some(EvidenceError::BadReceiptProof))
        );
    }
    let (storage, receipt) = scene.evidence();
    let other_contract = Line { contract: [9; 20], ..LINE };
    assert_eq!(storage.verify(&other_contract, &words()), Err(EvidenceError::BadAccountProof));
    assert_eq!(receipt.verify(&other_contract, &words()), Err(EvidenceError::BadReceiptProof));
    let other_sender = Line { sender: [9; 20], ..LINE };
    assert_eq!(storage.verify(&other_sender, &words()), Err(EvidenceError::BadStorageProof));
    assert_eq!(receipt.verify(&other_sender, &words()), Err(EvidenceError::BadReceiptProof));
}

#[test]
fn a_block_that_tells_otherwise_is_refused() {
    let scene = Scene::of(LINE, &words());
    let stored = |stored: &[u8]| verdicts(&Scene { stored: stored.to_vec(), ..scene.clone() }, &words()).0;
    assert_eq!(stored(&[9; 32]), Some(EvidenceError::BadStorageProof));
    assert_eq!(stored(&[9; 33]), Some(EvidenceError::BadStorageProof));
    assert_eq!(stored(&words().commitment()[..31]), Some(EvidenceError::BadStorageProof));

    let [event, sender] = [scene.topics[0].clone(), scene.topics[1].clone()];
    let others = [
        Scene { status: 0, ..scene.clone() },
        Scene { kind: Some(0x80), ..scene.clone() },
        Scene { address: vec![9; 20], ..scene.clone() },
        Scene { topics: vec![event.clone()], ..scene.clone() },
        Scene { topics: vec![event.clone(), sender.clone(), sender.clone()], ..scene.clone() },
        Scene { topics: vec![event, vec![9; 32]], ..scene.clone() },
        Scene { topics: vec![vec![9; 32], sender], ..scene.clone() },
        Scene { data: [&words().to_bytes()[..], &[0]].concat(), ..scene },
    ];
    for other in others {
        assert_eq!(verdicts(&other, &words()).1, Some(EvidenceError::BadReceiptProof));
    }
}

#[test]
fn the_other_log_and_the_other_transaction_are_refused() {
    let (_, evidence) = Scene::of(LINE, &words()).evidence();
    let Evidence::Receipt { header, receipt, .. } = evidence else { unreachable!("receipt evidence comes second") };
    for (transaction, log) in [(TRANSACTION, 0), (TRANSACTION, 2), (TRANSACTION, u64::MAX), (149, 1), (u64::MAX, 1)] {
        let other = Evidence::Receipt { header: header.clone(), receipt: receipt.clone(), transaction, log };
        assert_eq!(other.verify(&LINE, &words()), Err(EvidenceError::BadReceiptProof), "{transaction} {log}");
    }
}

#[test]
fn a_header_is_a_list_of_fifteen_fields_at_least() {
    let (storage, _) = Scene::of(LINE, &words()).evidence();
    let with = |header: Vec<u8>| {
        let Evidence::Storage { account, slot, .. } = storage.clone() else { unreachable!("it is storage evidence") };
        Evidence::Storage { header, account, slot }.verify(&LINE, &words())
    };
    let field = || string(&[4; 32]);
    let mut headers = vec![vec![], vec![0x80], vec![0xc0], list(&vec![field(); 14]), list(&vec![field(); 15])];
    headers.push(list(&vec![field(); 200]));
    let Evidence::Storage { header, .. } = &storage else { unreachable!("it is storage evidence") };
    headers.push([&header[..], &[0x80]].concat());
    headers.push(header[..header.len() - 1].to_vec());
    for header in headers {
        assert_eq!(with(header), Err(EvidenceError::BadHeader));
    }
    // Numbers beyond what stays exact in JSON.
    let beyond = AnchorWords { number: 1 << 53, ..words() };
    assert_eq!(verdicts(&Scene::of(LINE, &beyond), &beyond).0, Some(EvidenceError::BadHeader));
}

#[test]
fn evidence_fits_the_cddl_and_survives_its_encoding() {
    let cddl = include_str!("../../../docs/bundle.cddl");
    let (storage, receipt) = Scene::of(LINE, &words()).evidence();
    for evidence in [storage, receipt] {
        let bytes = minicbor::to_vec(&evidence).unwrap();
        cddl_cat::validate_cbor_bytes("evidence", cddl, &bytes).unwrap();
        assert_eq!(minicbor::decode::<Evidence>(&bytes).unwrap(), evidence);
        for end in 0..bytes.len() {
            assert!(minicbor::decode::<Evidence>(&bytes[..end]).is_err());
        }
    }
    let no_nodes = Evidence::Storage { header: vec![1], account: vec![], slot: vec![vec![1]] };
    assert!(minicbor::decode::<Evidence>(&minicbor::to_vec(&no_nodes).unwrap()).is_err());
    let long_header = Evidence::Storage { header: vec![1; 4097], account: vec![vec![1]], slot: vec![vec![1]] };
    assert!(minicbor::decode::<Evidence>(&minicbor::to_vec(&long_header).unwrap()).is_err());
    let many_nodes = Evidence::Receipt { header: vec![1], receipt: vec![vec![1]; 65], transaction: 0, log: 0 };
    assert!(minicbor::decode::<Evidence>(&minicbor::to_vec(&many_nodes).unwrap()).is_err());
}

/// All byte strings of evidence.
fn parts(evidence: &mut Evidence) -> Vec<&mut Vec<u8>> {
    match evidence {
        Evidence::Storage { header, account, slot } => {
            std::iter::once(header).chain(account.iter_mut()).chain(slot.iter_mut()).collect()
        }
        Evidence::Receipt { header, receipt, .. } => std::iter::once(header).chain(receipt.iter_mut()).collect(),
    }
}

proptest! {
    #[test]
    fn one_flipped_bit_in_a_proof_proves_nothing(kind: bool, part: prop::sample::Index, at: prop::sample::Index, bit in 0..8_u8) {
        let (storage, receipt) = Scene::of(LINE, &words()).evidence();
        let mut evidence = if kind { storage } else { receipt };
        let proven = evidence.verify(&LINE, &words());
        let mut parts = parts(&mut evidence);
        let part = part.index(parts.len());
        let byte = at.index(parts[part].len());
        parts[part][byte] ^= 1 << bit;
        drop(parts);
        let changed = evidence.verify(&LINE, &words());
        prop_assert!(proven.is_ok());
        // Of a header any field but four may be another: then it is another block, which the auditor does not know.
        prop_assert!(changed.is_err() || (part == 0 && changed.unwrap().hash != proven.unwrap().hash));
    }

    #[test]
    fn no_bytes_make_it_panic(header: Vec<u8>, nodes: Vec<Vec<u8>>, more: Vec<Vec<u8>>, transaction: u64, log: u64, cbor: Vec<u8>) {
        let storage = Evidence::Storage { header: header.clone(), account: nodes.clone(), slot: more };
        prop_assert!(storage.verify(&LINE, &words()).is_err());
        let receipt = Evidence::Receipt { header, receipt: nodes, transaction, log };
        prop_assert!(receipt.verify(&LINE, &words()).is_err());
        prop_assert!(minicbor::decode::<Evidence>(&cbor).is_err());
    }

    /// A receipt of random bytes whose way is right, so that its parser is reached.
    #[test]
    fn no_receipt_makes_it_panic(receipt in prop::collection::vec(any::<u8>(), 1..400)) {
        let leaf = list(&[string(&[0x20, 0x80]), string(&receipt)]);
        let mut fields = vec![string(&[4; 32]); 15];
        fields[5] = string(keccak256(&leaf).as_slice());
        fields[8] = integer(words().number);
        fields[11] = integer(words().timestamp_s);
        let evidence = Evidence::Receipt { header: list(&fields), receipt: vec![leaf], transaction: 0, log: 0 };
        prop_assert_eq!(evidence.verify(&LINE, &words()), Err(EvidenceError::BadReceiptProof));
    }
}
