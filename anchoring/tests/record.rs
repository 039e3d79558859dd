//! The states of an anchor and how a record is kept.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use anchoring::fees::Fees;
use anchoring::record::MAX_ATTEMPTS;
use anchoring::{
    Address, AnchorRecord, AnchorState, Attempt, BlockHash, Commitment, Content, DecodeError, Inclusion, Line, TxHash,
};
use provenance::evidence::Evidence;

const NONCE: u64 = 7;

fn cut() -> AnchorRecord {
    let line =
        Line { chain_id: 31337, contract: Address::from_bytes([0xc0; 20]), sender: Address::from_bytes([0x5e; 20]) };
    let content =
        Content { previous: Commitment::from_bytes([0x01; 32]), size: 1000, log_root: [0x02; 32], state_root: [0; 32] };
    AnchorRecord::cut(3, line, content, 1_760_000_000_000)
}

fn attempt(number: u8) -> Attempt {
    Attempt {
        hash: TxHash::from_bytes([number; 32]),
        raw: vec![0x02, number],
        fees: Fees { max_fee_wei: 21_000_000_000, priority_fee_wei: 1_000_000_000 },
        gas_limit: 38_750,
        signed_ms: 1_760_000_001_000,
    }
}

fn inclusion(attempt: u8, succeeded: bool) -> Inclusion {
    Inclusion {
        tx_hash: TxHash::from_bytes([attempt; 32]),
        block_number: 21_000_000,
        block_hash: BlockHash::from_bytes([0xb1; 32]),
        timestamp_s: 1_760_000_012,
        succeeded,
        commitment: Commitment::from_bytes([0x03; 32]),
        gas_used: 30_539,
        gas_price_wei: 11_000_000_000,
    }
}

fn storage_evidence() -> Evidence {
    Evidence::Storage { header: vec![0x01, 0x02], account: vec![vec![0x03], vec![0x04]], slot: vec![vec![0x05; 24]] }
}

/// A record in every state, on the ways that there are to it.
fn all() -> Vec<AnchorRecord> {
    let cut = cut();
    let then = |from: &AnchorRecord, step: &dyn Fn(&mut AnchorRecord)| {
        let mut record = from.clone();
        step(&mut record);
        record
    };
    let signed = then(&cut, &|record| record.signed(NONCE, attempt(1), 20).unwrap());
    let sent = then(&signed, &|record| record.sent(2).unwrap());
    let replaced = then(&sent, &|record| record.signed(NONCE, attempt(2), 20).unwrap());
    let mined = then(&replaced, &|record| record.mined(inclusion(1, true), 3).unwrap());
    let reverted = then(&sent, &|record| record.mined(inclusion(1, false), 3).unwrap());
    let confirmed = then(&mined, &|record| record.confirmed(4).unwrap());
    let finalised = then(&confirmed, &|record| record.finalised(5).unwrap());
    let failed = then(&reverted, &|record| record.failed("refused".to_owned(), 4).unwrap());
    let superseded = then(&sent, &|record| record.superseded("spent".to_owned(), 4).unwrap());
    vec![cut, signed, sent, replaced, mined, reverted, confirmed, finalised, failed, superseded]
}

#[test]
fn every_state_leads_where_the_diagram_says_and_nowhere_else() {
    type Step = (&'static str, fn(&mut AnchorRecord) -> bool, &'static [&'static str]);
    let steps: [Step; 9] = [
        ("recut", |r| r.recut(r.content).is_ok(), &["cut"]),
        ("signed", |r| r.signed(NONCE, attempt(9), 20).is_ok(), &["cut", "signed", "sent"]),
        ("sent", |r| r.sent(9).is_ok(), &["signed"]),
        ("mined", |r| r.mined(inclusion(1, true), 9).is_ok(), &["signed", "sent", "mined", "confirmed"]),
        ("confirmed", |r| r.confirmed(9).is_ok(), &["mined"]),
        ("final", |r| r.finalised(9).is_ok(), &["confirmed"]),
        ("dropped", |r| r.dropped(30, 9).is_ok(), &["mined", "confirmed"]),
        ("failed", |r| r.failed(String::new(), 9).is_ok(), &["mined"]),
        ("superseded", |r| r.superseded(String::new(), 9).is_ok(), &["cut", "signed", "sent"]),
    ];
    for record in all() {
        let reverted = record.inclusion().is_some_and(|inclusion| !inclusion.succeeded);
        for (name, step, from) in steps {
            let mut changed = record.clone();
            let allowed = from.contains(&record.state.name()) && !(reverted && name == "confirmed");
            assert_eq!(step(&mut changed), allowed, "{name} from {}", record.state.name());
            assert!(allowed || changed == record, "a refused step changed the record");
        }
        let is_end = ["final", "failed", "superseded"].contains(&record.state.name());
        assert_eq!(record.is_open(), !is_end, "{}", record.state.name());
    }
}

#[test]
fn a_replacement_keeps_the_nonce_and_there_are_not_too_many() {
    let mut record = cut();
    record.signed(NONCE, attempt(0), 20).unwrap();
    assert!(record.signed(NONCE + 1, attempt(1), 20).is_err());
    for number in 1..MAX_ATTEMPTS {
        record.signed(NONCE, attempt(u8::try_from(number).unwrap()), 20).unwrap();
    }
    assert!(record.signed(NONCE, attempt(99), 20).is_err());
    assert_eq!(record.attempts.len(), MAX_ATTEMPTS);
}

#[test]
fn only_its_own_transactions_are_its_blocks() {
    let mut record = cut();
    record.signed(NONCE, attempt(1), 20).unwrap();
    assert!(record.mined(inclusion(2, true), 1).is_err());
}

#[test]
fn the_cost_is_the_worst_case_until_it_is_known() {
    let costs: Vec<_> = all().iter().map(|record| (record.state.name(), record.cost_wei())).collect();
    let (worst, paid) = (38_750 * 21_000_000_000, 30_539 * 11_000_000_000);
    assert_eq!(
        costs,
        [
            ("cut", 0),
            ("signed", worst),
            ("sent", worst),
            ("signed", worst),
            ("mined", paid),
            ("mined", paid),
            ("confirmed", paid),
            ("final", paid),
            ("failed", paid),
            ("superseded", 0),
        ]
    );
}

#[test]
fn every_record_survives_its_encoding() {
    for record in all() {
        assert_eq!(AnchorRecord::decode(&record.encode()).unwrap(), record);
    }
}

/// A record of a program that kept no evidence is read as one without.
#[test]
fn records_from_before_evidence_are_read() {
    let golden = include_str!("golden/confirmed.hex").trim();
    let record = AnchorRecord::decode(&alloy::hex::decode(golden).unwrap()).unwrap();
    assert_eq!((record.state.name(), record.evidence), ("confirmed", None));
}

#[test]
fn evidence_goes_with_the_block() {
    for record in all() {
        let mut proven = AnchorRecord { evidence: Some(storage_evidence()), ..record.clone() };
        if proven.mined(inclusion(1, true), 9).is_ok() {
            assert_eq!(proven.evidence, None, "that of another block");
        }
        let mut proven = AnchorRecord { evidence: Some(storage_evidence()), ..record.clone() };
        if proven.dropped(30, 9).is_ok() {
            assert_eq!(proven.evidence, None);
        }
        let mut proven = AnchorRecord { evidence: Some(storage_evidence()), ..record.clone() };
        if proven.confirmed(9).is_ok() {
            assert!(proven.evidence.is_some(), "the block is the same");
        }
        let mut unproven = record.clone();
        assert!(unproven.proven(storage_evidence()).is_err(), "bytes that prove nothing");
        assert_eq!(unproven, record);
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = all().pop().unwrap().encode();
    for length in 0..bytes.len() {
        assert!(matches!(AnchorRecord::decode(&bytes[..length]), Err(DecodeError::Damaged(_))), "{length} bytes");
    }
    assert!(matches!(AnchorRecord::decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::Damaged(_))));
    let mut newer = bytes;
    newer[1] = 2;
    assert!(matches!(AnchorRecord::decode(&newer), Err(DecodeError::NewerVersion(2))));
}

/// These bytes are on disks. A change that breaks this test needs a new version of the encoding.
#[test]
fn the_encoding_is_what_it_was() {
    let confirmed = all().into_iter().find(|record| matches!(record.state, AnchorState::Confirmed(_))).unwrap();
    let golden = include_str!("golden/confirmed.hex").trim();
    assert_eq!(alloy::hex::encode(confirmed.encode()), golden);
    let failed = all().into_iter().find(|record| matches!(record.state, AnchorState::Failed { .. })).unwrap();
    let golden = include_str!("golden/failed.hex").trim();
    assert_eq!(alloy::hex::encode(failed.encode()), golden);
    let proven = AnchorRecord { evidence: Some(storage_evidence()), ..confirmed.clone() };
    assert_eq!(alloy::hex::encode(proven.encode()), include_str!("golden/proven_by_storage.hex").trim());
    let receipt = vec![vec![0x06], vec![0x07]];
    let evidence = Evidence::Receipt { header: vec![0x01, 0x02], receipt, transaction: 300, log: 1 };
    let proven = AnchorRecord { evidence: Some(evidence), ..confirmed };
    assert_eq!(alloy::hex::encode(proven.encode()), include_str!("golden/proven_by_receipt.hex").trim());
}
