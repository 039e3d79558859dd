//! The life of anchors on a real EVM: from the cut to finality, and what is spent on the way.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod support;

use alloy::primitives::{B256, U256};
use anchoring::{
    AnchorClaim, AnchorState, Commitment, Content, Mismatch, Stored, VerifyError, read_commitment, verify_anchor,
};
use support::{Bench, CHAIN_ID};
use tokio_util::sync::CancellationToken;

/// What a repeat anchor may cost as a whole transaction.
const BUDGET_GAS: u64 = 31_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_counts_once_it_is_deep_enough_and_read_back() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["sent"], "{}", bench.problem());
    assert_eq!(bench.status().anchored_size, 0);
    assert_eq!(bench.status().in_flight, Some(bench.book.newest()));

    bench.advance(1).await;
    assert_eq!(bench.book.states(), ["mined"]);
    assert_eq!(bench.status().anchored_size, 0);

    bench.advance(1).await;
    assert_eq!(bench.book.states(), ["confirmed"]);
    let status = bench.status();
    assert_eq!((status.anchored_size, status.final_size, status.in_flight, status.problem), (5, 0, None, None));

    bench.advance(1).await;
    assert_eq!(bench.book.states(), ["final"]);
    assert_eq!(bench.status().final_size, 5);

    let record = bench.book.newest();
    let inclusion = *record.inclusion().unwrap();
    assert_eq!(record.content.previous, Commitment::ZERO);
    assert_eq!(bench.status().spent_today_wei, inclusion.cost_wei());
    let stored = read_commitment(&bench.anvil.url, bench.config.contract, bench.sender()).await.unwrap();
    assert_eq!(stored, inclusion.commitment);
    assert_eq!(bench.status().final_commitment, Some(inclusion.commitment));
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_form_a_chain_and_stay_within_the_gas_budget() {
    let mut bench = Bench::start().await;
    let first = bench.anchor(1000).await;
    let second = bench.anchor(1_000_000).await;
    assert_eq!(second.content.state_root[..8], 1_000_000_u64.to_le_bytes(), "both roots are of one size");
    assert_eq!(second.content.previous, first.inclusion().unwrap().commitment);
    let gas_used = second.inclusion().unwrap().gas_used;
    assert!(gas_used <= BUDGET_GAS, "a repeat anchor used {gas_used} gas");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_anchored_while_the_log_does_not_grow() {
    let mut bench = Bench::start().await;
    bench.service.step().await;
    assert!(bench.book.records().is_empty(), "a log without events was anchored");
    bench.anchor(10).await;
    bench.pass_ms(10 * bench.config.interval_ms);
    bench.advance(3).await;
    assert_eq!(bench.book.states(), ["final"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_waits_for_the_interval_or_for_many_entries() {
    let mut bench = Bench::start().await;
    bench.anchor(10).await;
    bench.book.grow_to(10 + bench.config.max_waiting - 1);
    bench.service.step().await;
    assert_eq!(bench.book.records().len(), 1);
    bench.book.grow_to(10 + bench.config.max_waiting);
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["confirmed", "sent"]);

    bench.book.grow_to(5000);
    bench.pass_ms(bench.config.interval_ms);
    bench.service.step().await;
    assert_eq!(bench.book.records().len(), 2, "two anchors are in flight");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_waits_is_replaced_with_higher_fees() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let first = bench.book.newest().attempts[0].clone();

    // The base fee rises beyond what the transaction offers, so blocks pass it by.
    for _ in 0..bench.config.replace_after_blocks {
        let base_fee_wei = first.fees.max_fee_wei * 4;
        bench.anvil.call("anvil_setNextBlockBaseFeePerGas", (U256::from(base_fee_wei),)).await;
        bench.advance(1).await;
    }
    let record = bench.book.newest();
    assert_eq!(record.attempts.len(), 2, "{:?} {}", record.state, bench.problem());
    assert_eq!(record.attempts[0], first);
    let (old, new) = (first.fees, record.attempts[1].fees);
    assert!(new.max_fee_wei * 8 >= old.max_fee_wei * 9 && new.priority_fee_wei * 8 >= old.priority_fee_wei * 9);

    bench.advance(2).await;
    let record = bench.book.newest();
    assert!(matches!(record.state, AnchorState::Confirmed(_)), "{:?} {}", record.state, bench.problem());
    assert_eq!(record.inclusion().unwrap().tx_hash, record.attempts[1].hash);
    let stored = read_commitment(&bench.anvil.url, bench.config.contract, bench.sender()).await.unwrap();
    assert_eq!(stored, record.inclusion().unwrap().commitment);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_transaction_that_was_mined_all_the_same_is_found() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let first = bench.book.newest().attempts[0].clone();
    for _ in 0..bench.config.replace_after_blocks {
        bench.anvil.call("anvil_setNextBlockBaseFeePerGas", (U256::from(first.fees.max_fee_wei * 4),)).await;
        bench.advance(1).await;
    }
    let second = bench.book.newest().attempts[1].hash;
    bench.anvil.call("anvil_dropTransaction", (B256::from(*second.as_bytes()),)).await;
    let raw = alloy::hex::encode_prefixed(&first.raw);
    bench.anvil.call("anvil_setNextBlockBaseFeePerGas", (U256::from(1),)).await;
    bench.anvil.call("eth_sendRawTransaction", (raw,)).await;
    bench.advance(2).await;
    let record = bench.book.newest();
    assert!(matches!(record.state, AnchorState::Confirmed(_)), "{:?} {}", record.state, bench.problem());
    assert_eq!(record.inclusion().unwrap().tx_hash, first.hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_verifies_an_anchor_and_notices_every_change_of_it() {
    let mut bench = Bench::start().await;
    let record = bench.anchor(1000).await;
    let (url, contract, sender) = (bench.anvil.url.clone(), bench.config.contract, bench.sender());
    let claim = record.claim().unwrap();
    let verified = verify_anchor(&url, contract, sender, &claim).await.unwrap();
    assert_eq!(verified.commitment, record.inclusion().unwrap().commitment);
    assert_eq!((verified.stored, verified.depth_blocks, verified.is_final), (Stored::AtItsBlock, 2, Some(false)));

    let content = claim.content;
    let changes = [
        Content { size: content.size + 1, ..content },
        Content { log_root: [9; 32], ..content },
        Content { state_root: [9; 32], ..content },
        Content { previous: Commitment::from_bytes([9; 32]), ..content },
    ];
    for content in changes {
        let verdict = verify_anchor(&url, contract, sender, &AnchorClaim { content, ..claim }).await;
        assert_eq!(verdict, Err(VerifyError::Mismatch(Mismatch::OtherEvent)));
    }
    let other_chain = AnchorClaim { chain_id: 1, ..claim };
    let verdict = verify_anchor(&url, contract, sender, &other_chain).await;
    assert_eq!(verdict, Err(VerifyError::WrongChain { found: CHAIN_ID, expected: 1 }));
    let verdict = verify_anchor(&url, contract, contract, &claim).await;
    assert_eq!(verdict, Err(VerifyError::Mismatch(Mismatch::NoEvent)));
    let verdict = verify_anchor(&url, sender, sender, &claim).await;
    assert_eq!(verdict, Err(VerifyError::Mismatch(Mismatch::NoEvent)));

    // A later anchor does not take the proof of an earlier one away.
    bench.anchor(2000).await;
    let verified = verify_anchor(&url, contract, sender, &claim).await.unwrap();
    assert_eq!((verified.stored, verified.is_final), (Stored::AtItsBlock, Some(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_runs_until_it_is_stopped() {
    let mut bench = Bench::start().await;
    bench.config.poll_ms = 20;
    bench.restart();
    bench.book.grow_to(7);
    let (stop, mut status) = (CancellationToken::new(), bench.service.status());
    let Bench { anvil, service, book, .. } = bench;
    let running = tokio::spawn(service.run(stop.clone()));
    let anchored = async {
        loop {
            anvil.mine(1).await;
            let _ = tokio::time::timeout(std::time::Duration::from_millis(100), status.changed()).await;
            if status.borrow().final_size == 7 {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), anchored).await.expect("the log is anchored");
    stop.cancel();
    running.await.expect("the service ends");
    assert_eq!(book.states(), ["final"]);
}
