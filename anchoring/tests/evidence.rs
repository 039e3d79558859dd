//! Evidence of anchors on a real EVM: fetched when they are mined, anew after a reorganisation, and by another way where
//! an endpoint does not give storage proofs.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod support;

use alloy::primitives::{U256, keccak256};
use anchoring::{AnchorRecord, AnchorState, UnprovenError};
use provenance::evidence::{AnchorWords, Evidence, EvidenceError, Line};
use serde_json::json;
use support::{Bench, Proxy, raw};

/// Verifies a record's evidence as a stranger does, who has the evidence, the anchor and the line.
fn verify(record: &AnchorRecord) -> Result<[u8; 32], EvidenceError> {
    let inclusion = record.inclusion().expect("it is in a block");
    let line = Line { contract: *record.line.contract.as_bytes(), sender: *record.line.sender.as_bytes() };
    let words = AnchorWords {
        previous: *record.content.previous.as_bytes(),
        number: inclusion.block_number,
        timestamp_s: inclusion.timestamp_s,
        size: record.content.size,
        log_root: record.content.log_root,
        state_root: record.content.state_root,
    };
    record.evidence.as_ref().expect("there is evidence").verify(&line, &words).map(|block| block.hash)
}

fn kinds(bench: &Bench) -> Vec<Option<&'static str>> {
    bench.book.records().iter().map(|record| record.evidence.as_ref().map(Evidence::kind)).collect()
}

/// A bench whose only endpoint is a proxy.
async fn behind_a_proxy() -> (Bench, Proxy) {
    let mut bench = Bench::start().await;
    let proxy = Proxy::to(&bench.anvil.url).await;
    bench.config.rpc_urls = vec![proxy.url.clone()];
    bench.restart();
    (bench, proxy)
}

/// Lets strangers' transactions into the next block, so that its tries have more than one leaf.
async fn crowd(bench: &Bench) {
    let accounts = bench.anvil.call("eth_accounts", ()).await;
    for account in accounts.as_array().unwrap().iter().skip(1) {
        let transaction =
            json!({ "from": account, "to": raw(bench.config.contract), "value": "0x0", "gas": "0x20000" });
        bench.anvil.call("eth_sendTransaction", (transaction,)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_kept_as_soon_as_the_anchor_is_mined() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    assert_eq!(kinds(&bench), [None]);
    crowd(&bench).await;
    bench.advance(1).await;
    assert_eq!((bench.book.states(), kinds(&bench)), (vec!["mined"], vec![Some("storage")]), "{}", bench.problem());
    let record = bench.book.newest();
    assert_eq!(verify(&record).unwrap(), *record.inclusion().unwrap().block_hash.as_bytes());

    bench.advance(2).await;
    assert_eq!((bench.book.states(), kinds(&bench)), (vec!["final"], vec![Some("storage")]));
    assert_eq!(bench.book.newest().evidence, record.evidence);
    assert_eq!(bench.status().problem, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_storage_proofs_the_receipts_of_the_block_are_evidence() {
    let (mut bench, proxy) = behind_a_proxy().await;
    proxy.refuse("eth_getProof");
    bench.anchor(5).await;
    bench.book.grow_to(9);
    bench.pass_ms(bench.config.interval_ms);
    bench.service.step().await;
    crowd(&bench).await;
    bench.advance(2).await;
    assert_eq!(kinds(&bench), [Some("receipt"), Some("receipt")], "{}", bench.problem());
    assert_eq!(bench.status().problem, None);
    for record in bench.book.records() {
        assert_eq!(verify(&record).unwrap(), *record.inclusion().unwrap().block_hash.as_bytes());
    }
    let Some(Evidence::Receipt { receipt, .. }) = bench.book.newest().evidence else { panic!("receipt evidence") };
    assert!(receipt.len() > 1, "the block holds other transactions too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_proof_that_does_not_verify_is_not_kept() {
    let (mut bench, proxy) = behind_a_proxy().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    // The proof of a time before the anchor.
    let key = alloy::primitives::B256::ZERO;
    let stale = bench.anvil.call("eth_getProof", (raw(bench.config.contract), [key], "latest")).await;
    proxy.answer("eth_getProof", stale);
    bench.advance(1).await;
    assert_eq!(kinds(&bench), [Some("receipt")], "{}", bench.problem());
    verify(&bench.book.newest()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_evidence_anchors_go_their_way_and_the_lack_is_told() {
    let (mut bench, proxy) = behind_a_proxy().await;
    proxy.refuse("eth_getProof");
    proxy.refuse("eth_getBlockReceipts");
    bench.anchor(5).await;
    bench.advance(3).await;
    assert_eq!((bench.book.states(), kinds(&bench)), (vec!["final"], vec![None]));
    assert!(bench.problem().starts_with("no RPC endpoint gives evidence of anchor 0"), "{}", bench.problem());
    assert!(proxy.asked("eth_getProof") <= 3, "an endpoint that refuses is asked less and less often");

    // Not even a restart forgets it, and an endpoint that learns to answer heals it.
    bench.restart();
    proxy.pass("eth_getBlockReceipts");
    bench.service.step().await;
    assert_eq!((kinds(&bench), bench.status().problem), (vec![Some("receipt")], None));
    verify(&bench.book.newest()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_nobody_has_is_given_up_after_a_day() {
    let (mut bench, proxy) = behind_a_proxy().await;
    proxy.refuse("eth_getProof");
    proxy.refuse("eth_getBlockReceipts");
    bench.anchor(5).await;
    bench.advance(1).await;
    bench.pass_ms(24 * 60 * 60 * 1000);
    bench.service.step().await;
    assert_eq!((kinds(&bench), bench.status().problem), (vec![None], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_gives_what_the_first_does_not() {
    let (mut bench, proxy) = behind_a_proxy().await;
    proxy.refuse("eth_getProof");
    proxy.refuse("eth_getBlockReceipts");
    bench.config.rpc_urls.push(bench.anvil.url.clone());
    bench.restart();
    bench.anchor(5).await;
    assert_eq!((kinds(&bench), bench.status().problem), (vec![Some("storage")], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_with_fields_of_the_future_is_asked_for_raw() {
    let (mut bench, proxy) = behind_a_proxy().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    bench.anvil.mine(1).await;
    // The same block under a hash that its known fields do not make: as if it had a field more.
    let block = bench.anvil.call("eth_getBlockByNumber", ("latest", false)).await;
    let known: alloy::rpc::types::Block = serde_json::from_value(block.clone()).unwrap();
    let header = json!(alloy::hex::encode_prefixed(alloy::rlp::encode(&known.header.inner)));
    let mut other = block;
    other["extraData"] = json!("0x00");
    proxy.answer("eth_getBlockByHash", other);
    proxy.answer("debug_getRawHeader", header.clone());
    bench.service.step().await;
    assert_eq!(proxy.asked("debug_getRawHeader"), 1);
    let record = bench.book.newest();
    let Some(Evidence::Storage { header: kept, .. }) = &record.evidence else { panic!("{}", bench.problem()) };
    assert_eq!(json!(alloy::hex::encode_prefixed(kept)), header);
    assert_eq!(keccak256(kept).0, *record.inclusion().unwrap().block_hash.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_block_takes_its_evidence_with_it() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let snapshot = bench.anvil.call("evm_snapshot", ()).await;
    bench.advance(2).await;
    let old = bench.book.newest();
    assert!(matches!(old.state, AnchorState::Confirmed(_)) && old.evidence.is_some(), "{}", bench.problem());

    bench.anvil.call("evm_revert", (snapshot,)).await;
    bench.anvil.call("anvil_dropTransaction", (old.attempts[0].hash.to_string(),)).await;
    bench.anvil.mine(3).await;
    bench.service.step().await;
    assert_eq!((bench.book.states(), kinds(&bench)), (vec!["sent"], vec![None]), "{}", bench.problem());

    bench.advance(1).await;
    let new = bench.book.newest();
    assert_eq!(kinds(&bench), [Some("storage")], "{}", bench.problem());
    assert_ne!(new.evidence, old.evidence);
    assert_ne!(verify(&new).unwrap(), verify(&old).unwrap());
    // What was true of the other block is not of this one.
    let mut mixed = new;
    let refused = mixed.proven(old.evidence.clone().unwrap());
    assert!(matches!(refused, Err(UnprovenError::Evidence(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_that_moves_to_another_block_gets_evidence_of_that() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    bench.advance(1).await;
    let old = bench.book.newest();
    // The transaction returns to the pool and is in the next block at once, so it is never seen outside of one.
    bench.anvil.call("anvil_reorg", (1, Vec::<u8>::new())).await;
    bench.anvil.call("evm_increaseTime", (U256::from(60),)).await;
    bench.anvil.call("eth_sendRawTransaction", (alloy::hex::encode_prefixed(&old.attempts[0].raw),)).await;
    bench.anvil.mine(1).await;
    bench.service.step().await;
    let new = bench.book.newest();
    assert_ne!(new.inclusion(), old.inclusion(), "{:?} {}", new.state, bench.problem());
    assert_eq!(verify(&new).unwrap(), *new.inclusion().unwrap().block_hash.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_kept_evidence_matters() {
    let (mut bench, proxy) = behind_a_proxy().await;
    bench.anchor(5).await;
    proxy.refuse("eth_getProof");
    bench.anchor(9).await;
    for record in bench.book.records() {
        let flips = record.evidence.as_ref().map(flipped).unwrap();
        assert!(flips.len() > 500);
        for evidence in flips {
            let mut record = record.clone();
            assert!(record.proven(evidence).is_err());
        }
    }
}

/// The evidence with one bit flipped, in every byte of it once.
fn flipped(evidence: &Evidence) -> Vec<Evidence> {
    let bytes = minicbor::to_vec(evidence).unwrap();
    let flip = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        minicbor::decode::<Evidence>(&bytes).ok().filter(|changed| changed != evidence)
    };
    (0..bytes.len()).filter_map(flip).collect()
}
