//! Everything that can go wrong with an anchor, and the way out of it, on a real EVM.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod support;

use alloy::primitives::{B256, Bytes, U256};
use alloy::sol_types::SolCall;
use anchoring::{AnchorConfig, AnchorState, Line, TxHash, newest_content, read_commitment};
use support::{Anvil, Bench, CHAIN_ID, Cable, Fault, Proxy, raw};

alloy::sol! {
    function anchor(bytes32 previous, uint64 size, bytes32 logRoot, bytes32 stateRoot) external;
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const ETHER: u128 = 1_000_000_000_000_000_000;

/// The same account anchors the same log from somewhere else, so that a nonce is spent that the node wanted.
async fn anchor_elsewhere(bench: &Bench, size: u64) {
    let stored = read_commitment(&bench.anvil.url, bench.config.contract, bench.sender()).await.unwrap();
    let call = anchorCall {
        previous: B256::from(*stored.as_bytes()),
        size,
        logRoot: B256::from(bench.book.root(size)),
        stateRoot: B256::ZERO,
    };
    let transaction = serde_json::json!({
        "from": raw(bench.sender()),
        "to": raw(bench.config.contract),
        "nonce": U256::from(bench.anvil.nonce(bench.sender()).await),
        "data": Bytes::from(call.abi_encode()),
    });
    bench.anvil.call("eth_sendTransaction", (transaction,)).await;
    bench.anvil.mine(1).await;
}

async fn drop_from_pool(bench: &Bench, hash: TxHash) {
    bench.anvil.call("anvil_dropTransaction", (B256::from(*hash.as_bytes()),)).await;
}

fn slot(bench: &Bench) -> B256 {
    use alloy::sol_types::SolValue;
    alloy::primitives::keccak256((raw(bench.sender()), U256::ZERO).abi_encode())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_transaction_was_written_down_and_before_it_was_sent() {
    let mut bench = Bench::start().await;
    let nonce = bench.anvil.nonce(bench.sender()).await;
    bench.book.grow_to(5);
    bench.book.fail_at("signed", Fault::Kept);
    bench.service.step().await;
    assert!(bench.problem().contains("cannot be written (the disk is full)"), "{}", bench.problem());
    assert_eq!(bench.book.states(), ["signed"]);
    let written = bench.book.newest().attempts;
    assert_eq!(written.len(), 1);
    let known = bench.anvil.call("eth_getTransactionByHash", (written[0].hash,)).await;
    assert!(known.is_null(), "it was sent before it was known to be written down");

    bench.restart();
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["sent"]);
    bench.advance(2).await;
    assert_eq!(bench.book.states(), ["confirmed"]);
    assert_eq!(bench.book.newest().attempts, written, "the bytes that were written down are those that were mined");
    assert_eq!(bench.anvil.nonce(bench.sender()).await, nonce + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_that_fails_is_made_up_for_with_and_without_a_restart() {
    let mut bench = Bench::start().await;
    let mut size = 10;
    for state in ["cut", "signed", "sent", "mined", "confirmed", "final"] {
        for fault in [Fault::Lost, Fault::Kept] {
            for restarts in [false, true] {
                let nonce = bench.anvil.nonce(bench.sender()).await;
                let records = bench.book.records().len();
                size += 10;
                bench.book.grow_to(size);
                bench.pass_ms(bench.config.interval_ms);
                bench.book.fail_at(state, fault);
                let mut told = false;
                for _ in 0..6 {
                    bench.service.step().await;
                    if bench.problem().contains("the disk is full") {
                        told = true;
                        if restarts {
                            bench.restart();
                        }
                    }
                    bench.anvil.mine(1).await;
                }
                bench.service.step().await;
                assert!(told, "nobody was told that a write failed at {state}");
                let newest = bench.book.newest();
                assert!(
                    matches!(newest.state, AnchorState::Final(_)),
                    "{state}: {:?} {}",
                    newest.state,
                    bench.problem()
                );
                assert_eq!(newest.content.size, size);
                assert_eq!(
                    bench.anvil.nonce(bench.sender()).await,
                    nonce + 1,
                    "{state}: one transaction is one anchor"
                );
                assert_eq!(bench.book.records().len(), records + 1, "{state}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_what_was_mined_meanwhile() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let nonce = bench.anvil.nonce(bench.sender()).await;
    bench.anvil.mine(5).await;
    bench.restart();
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["final"]);
    assert_eq!(bench.anvil.nonce(bench.sender()).await, nonce + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_endpoint_is_told_and_anchoring_goes_on_when_it_returns() {
    let mut bench = Bench::start().await;
    let cable = Cable::to(&bench.anvil.url).await;
    bench.config.rpc_urls = vec![format!("{}/?key=secret", cable.url)];
    bench.restart();
    bench.book.grow_to(5);
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["sent"], "{}", bench.problem());

    cable.cut();
    for _ in 0..5 {
        bench.anvil.mine(1).await;
        bench.service.step().await;
        assert!(bench.problem().contains("no RPC endpoint can be used: 127.0.0.1:"), "{}", bench.problem());
        assert!(!bench.problem().contains("secret"), "{}", bench.problem());
    }
    cable.mend();
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["sent"], "the circuit breaker lets no request through");
    bench.pass_ms(60_000);
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["final"], "{}", bench.problem());
    assert_eq!(bench.status().problem, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_takes_over_at_once() {
    let mut bench = Bench::start().await;
    let cable = Cable::to(&bench.anvil.url).await;
    bench.config.rpc_urls.insert(0, cable.url.clone());
    bench.restart();
    bench.book.grow_to(5);
    bench.service.step().await;
    cable.cut();
    bench.advance(2).await;
    assert_eq!(bench.book.states(), ["confirmed"], "{}", bench.problem());
    assert_eq!(bench.status().problem, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_block_brings_the_anchor_back_and_the_same_bytes_are_sent_again() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let attempts = bench.book.newest().attempts;
    bench.advance(1).await;
    let dropped = *bench.book.newest().inclusion().unwrap();

    bench.anvil.call("anvil_reorg", (1, Vec::<u8>::new())).await;
    drop_from_pool(&bench, attempts[0].hash).await;
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["sent"], "{}", bench.problem());

    bench.advance(2).await;
    assert_eq!(bench.book.states(), ["confirmed"], "{}", bench.problem());
    let record = bench.book.newest();
    assert_eq!(record.attempts, attempts);
    assert_ne!(record.inclusion().unwrap().block_hash, dropped.block_hash);
    assert_ne!(record.inclusion().unwrap().commitment, dropped.commitment);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_deeper_than_the_confirmations_takes_a_confirmed_anchor_back() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let snapshot = bench.anvil.call("evm_snapshot", ()).await;
    bench.advance(2).await;
    assert_eq!((bench.book.states(), bench.status().anchored_size), (vec!["confirmed"], 5));

    bench.anvil.call("evm_revert", (snapshot,)).await;
    bench.service.step().await;
    assert!(bench.problem().contains("behind what was seen before"), "{}", bench.problem());
    drop_from_pool(&bench, bench.book.newest().attempts[0].hash).await;
    bench.anvil.mine(3).await;
    bench.service.step().await;
    assert_eq!((bench.book.states(), bench.status().anchored_size), (vec!["sent"], 0), "{}", bench.problem());
    bench.advance(3).await;
    assert_eq!((bench.book.states(), bench.status().final_size), (vec!["final"], 5), "{}", bench.problem());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_whose_nonce_was_spent_elsewhere_is_cut_anew() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    drop_from_pool(&bench, bench.book.newest().attempts[0].hash).await;
    anchor_elsewhere(&bench, 3).await;
    bench.service.step().await;
    assert_eq!(bench.book.states(), ["sent"], "one block is not deep enough to give up");
    bench.advance(1).await;
    assert_eq!(bench.book.states(), ["superseded"]);

    bench.pass_ms(bench.config.interval_ms);
    bench.service.step().await;
    bench.advance(2).await;
    assert_eq!(bench.book.states(), ["superseded", "confirmed"], "{}", bench.problem());
    assert_eq!(bench.status().anchored_size, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_shorter_than_the_anchored_one_is_never_anchored() {
    let mut bench = Bench::start().await;
    anchor_elsewhere(&bench, 100).await;
    bench.book.grow_to(5);
    bench.service.step().await;
    assert!(bench.problem().starts_with("the log has 5 entries, but 100 are anchored"), "{}", bench.problem());
    bench.book.grow_to(100);
    bench.service.step().await;
    assert_eq!((bench.status().problem, bench.book.records().len()), (None, 0), "nothing new to anchor");
    bench.anchor(101).await;
    assert_eq!(bench.status().problem, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_begin_with_what_was_anchored_is_never_anchored() {
    let mut bench = Bench::start().await;
    let anchored = bench.anchor(10).await;
    bench.advance(2).await;
    let before = read_commitment(&bench.anvil.url, bench.config.contract, bench.sender()).await.unwrap();
    bench.book.rewrite();
    // Sizes alone do not tell it: the other history has come to be the longer one.
    for size in [10, 11, 1_000] {
        bench.book.grow_to(size);
        bench.pass_ms(bench.config.interval_ms);
        bench.service.step().await;
        bench.advance(1).await;
        if size > 10 {
            let problem = bench.problem();
            assert!(problem.starts_with("the log's root at 10 entries is not the one that was anchored"), "{problem}");
            for told in [anchored.content.log_root, bench.book.root(10)] {
                assert!(problem.contains(&alloy::hex::encode(told)), "{problem}");
            }
        }
        assert_eq!(bench.book.states(), ["final"]);
    }
    let after = read_commitment(&bench.anvil.url, bench.config.contract, bench.sender()).await.unwrap();
    assert_eq!(before, after, "the chain holds what it held");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_anchored_last_is_read_from_the_chain_alone() {
    let mut bench = Bench::start().await;
    let line = Line { chain_id: CHAIN_ID, contract: bench.config.contract, sender: bench.sender() };
    assert_eq!(newest_content(&bench.anvil.url, &line).await.unwrap(), None);
    bench.anchor(5).await;
    let newest = bench.anchor(9).await;
    assert_eq!(newest_content(&bench.anvil.url, &line).await.unwrap(), Some(newest.content));
    let elsewhere = newest_content(&bench.anvil.url, &Line { chain_id: 1, ..line }).await.unwrap_err();
    assert!(elsewhere.to_string().contains("serves chain 31337, not 1"), "{elsewhere}");
    // An endpoint that has no old events cannot say it, and must not be taken to say that there is nothing.
    let proxy = Proxy::to(&bench.anvil.url).await;
    proxy.answer("eth_getLogs", serde_json::json!([]));
    let silent = newest_content(&proxy.url, &line).await.unwrap_err();
    assert!(silent.to_string().contains("does not give its event"), "{silent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_that_the_contract_refuses_is_failed_and_cut_anew() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    let (contract, slot) = (raw(bench.config.contract), slot(&bench));
    bench.anvil.call("anvil_setStorageAt", (contract, slot, B256::repeat_byte(9))).await;
    bench.advance(2).await;
    let record = bench.book.newest();
    assert!(
        matches!(&record.state, AnchorState::Failed { reason, .. } if reason.contains("refused")),
        "{:?}",
        record.state
    );
    assert_eq!(bench.status().anchored_size, 0);

    bench.pass_ms(bench.config.interval_ms);
    bench.service.step().await;
    assert!(bench.problem().contains("another program uses this key"), "{}", bench.problem());
    bench.anvil.call("anvil_setStorageAt", (contract, slot, B256::ZERO)).await;
    bench.service.step().await;
    bench.advance(2).await;
    assert_eq!(bench.book.states(), ["failed", "confirmed"], "{}", bench.problem());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_counts_only_if_the_contract_stored_what_the_node_computes() {
    let mut bench = Bench::start().await;
    bench.config.confirmations = 1;
    bench.restart();
    bench.book.grow_to(5);
    bench.service.step().await;
    bench.anvil.mine(1).await;
    let other = (raw(bench.config.contract), slot(&bench), B256::repeat_byte(9));
    bench.anvil.call("anvil_setStorageAt", other).await;
    bench.service.step().await;
    let record = bench.book.newest();
    let AnchorState::Failed { reason, .. } = &record.state else { panic!("{:?}", record.state) };
    assert!(reason.starts_with("the contract stored 0x0909"), "{reason}");
    assert_eq!(bench.status().anchored_size, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_chain_and_a_missing_contract_are_told() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    let good = bench.config.clone();
    bench.config.chain_id = 1;
    bench.restart();
    bench.service.step().await;
    assert!(bench.problem().contains(&format!("serves chain {CHAIN_ID}, not 1")), "{}", bench.problem());

    bench.config = AnchorConfig { contract: bench.sender(), ..good.clone() };
    bench.restart();
    bench.service.step().await;
    assert!(bench.problem().contains("knows no contract at"), "{}", bench.problem());

    bench.config = good;
    bench.restart();
    bench.service.step().await;
    assert_eq!((bench.book.states(), bench.status().problem), (vec!["sent"], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_without_ether_waits_until_it_has_some() {
    let mut bench = Bench::start().await;
    bench.anvil.set_balance(bench.sender(), 1000).await;
    bench.book.grow_to(5);
    bench.service.step().await;
    assert!(bench.problem().ends_with("send it ether"), "{}", bench.problem());
    assert_eq!(bench.book.states(), ["cut"]);

    bench.anvil.set_balance(bench.sender(), ETHER).await;
    bench.book.grow_to(9);
    bench.service.step().await;
    bench.advance(2).await;
    assert_eq!((bench.book.states(), bench.status().problem), (vec!["confirmed"], None));
    assert_eq!(bench.status().anchored_size, 9, "what came meanwhile is covered too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_budget_pauses_anchoring_until_the_next_day() {
    let mut bench = Bench::start().await;
    bench.anchor(5).await;
    bench.config.daily_budget_wei = bench.status().spent_today_wei + 1;
    bench.restart();
    bench.book.grow_to(9);
    bench.pass_ms(bench.config.interval_ms);
    bench.service.step().await;
    assert!(bench.problem().contains("the day's budget"), "{}", bench.problem());
    assert_eq!(bench.book.states(), ["confirmed", "cut"]);

    bench.config.daily_budget_wei = ETHER;
    bench.restart();
    bench.pass_ms(DAY_MS);
    bench.service.step().await;
    assert_eq!((bench.book.states(), bench.status().problem), (vec!["confirmed", "sent"], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn gas_that_is_too_dear_is_waited_for() {
    let mut bench = Bench::start().await;
    bench.config.max_fee_gwei = 2;
    bench.restart();
    bench.book.grow_to(5);
    bench.anvil.call("anvil_setNextBlockBaseFeePerGas", (U256::from(500_000_000_000_u64),)).await;
    bench.advance(1).await;
    assert!(bench.problem().contains("the limit is 2 gwei"), "{}", bench.problem());
    assert_eq!(bench.book.states(), ["cut"]);
    bench.anvil.call("anvil_setNextBlockBaseFeePerGas", (U256::from(500_000_000_u64),)).await;
    bench.advance(1).await;
    assert_eq!((bench.book.states(), bench.status().problem), (vec!["sent"], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_began_anew_is_told() {
    let mut bench = Bench::start().await;
    bench.anchor(5).await;
    bench.advance(2).await;
    assert_eq!(bench.book.states(), ["final"]);
    let (anvil, old) = (Anvil::start(), bench.config.contract);
    assert_eq!(anvil.deploy().await, old, "a development chain repeats its addresses");
    bench.config.rpc_urls = vec![anvil.url.clone()];
    bench.restart();
    bench.book.grow_to(9);
    bench.pass_ms(bench.config.interval_ms);
    bench.service.step().await;
    assert!(bench.problem().starts_with("the contract holds no anchor of"), "{}", bench.problem());
    assert_eq!(bench.book.states(), ["final"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_another_contract_begins_a_new_line() {
    let mut bench = Bench::start().await;
    bench.book.grow_to(5);
    bench.service.step().await;
    bench.anvil.mine(1).await;
    bench.config.contract = bench.anvil.deploy().await;
    bench.restart();
    assert_eq!(bench.book.states(), ["superseded"]);
    bench.anchor(9).await;
    assert_eq!(bench.book.states(), ["superseded", "confirmed"]);
}
