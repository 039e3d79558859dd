//! The evidence of an anchor, before libraries that know Ethereum's tries and nothing of Furrow.

use crate::judge::Judge;
use data_encoding::HEXLOWER;
use end_to_end::anvil::Anvil;
use end_to_end::scene::Scene;
use end_to_end::trade;
use end_to_end::wait::until;
use provenance::bundle::{Anchor, AnchorLine, Bundle};
use provenance::evidence::Evidence;
use serde_json::json;

const MPT: Judge = Judge::Node("storage_mpt.mjs");
const TRIE: Judge = Judge::Python("storage_trie.py");

/// What the judges are given.
#[derive(Debug, Clone)]
struct Given {
    header: Vec<u8>,
    contract: [u8; 20],
    sender: [u8; 20],
    commitment: [u8; 32],
    account: Vec<Vec<u8>>,
    slot: Vec<Vec<u8>>,
}

/// A change by its name.
type Change = (&'static str, fn(&mut Given));

const CHANGES: [Change; 9] = [
    ("another state root", |given| given.header[STATE_ROOT_AT] ^= 1),
    ("another contract", |given| given.contract[0] ^= 1),
    ("another sender", |given| given.sender[0] ^= 1),
    ("another commitment", |given| given.commitment[31] ^= 1),
    ("another account", |given| flip_last(&mut given.account)),
    ("another slot", |given| flip_last(&mut given.slot)),
    ("the slot's first node for the account's", |given| given.account[0] = given.slot[0].clone()),
    ("the account's first node for the slot's", |given| given.slot[0] = given.account[0].clone()),
    ("an account without its leaf", |given| given.account.truncate(given.account.len() - 1)),
];

/// Where a header's state root begins: behind the list's head of three bytes, two hashes, an address, and heads of one
/// byte each for these and itself.
const STATE_ROOT_AT: usize = 3 + 33 + 33 + 21 + 1;

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_an_anchor_is_what_ethereum_proves() {
    let mut scene = Scene::new(&["node"], &[]).await;
    let anvil = Anvil::start(scene.folder()).await;
    scene.site("node").anchor_in(&anvil).await;
    let node = scene.start("node").await;
    scene.site("node").json(&["actor", "enrol", "--name", "Node of Jork", "--this-node"]).await;
    let farm = trade::farm(&node.client, "Jork").await;
    let lot = trade::lot(&node.client, &farm, "500").await;
    let given = until("a bundle bears evidence of its own", async || {
        let made = node.client.read(&format!("/api/v1/produces/{lot}/bundle")).await;
        let bundle = (made.status == 200).then(|| Bundle::decode(&made.body).unwrap())?;
        bundle.lines.iter().find_map(|line| line.anchors.iter().find_map(|anchor| Given::of(line, anchor)))
    })
    .await;
    for judge in [MPT, TRIE] {
        judge.accepts("the evidence of an anchor", &["FILE"], &given.to_json()).await;
        for (what, change) in CHANGES {
            let mut given = given.clone();
            change(&mut given);
            judge.refuses(what, &["FILE"], &given.to_json()).await;
        }
    }
}

impl Given {
    fn of(line: &AnchorLine, anchor: &Anchor) -> Option<Self> {
        let Some(Evidence::Storage { header, account, slot }) = &anchor.evidence else { return None };
        Some(Self {
            header: header.clone(),
            contract: line.line.contract,
            sender: line.line.sender,
            commitment: anchor.words.commitment(),
            account: account.clone(),
            slot: slot.clone(),
        })
    }

    fn to_json(&self) -> Vec<u8> {
        let nodes = |nodes: &[Vec<u8>]| nodes.iter().map(|node| hex(node)).collect::<Vec<_>>();
        let value = json!({
            "header": hex(&self.header),
            "contract": hex(&self.contract),
            "sender": hex(&self.sender),
            "commitment": hex(&self.commitment),
            "account": nodes(&self.account),
            "slot": nodes(&self.slot),
        });
        value.to_string().into_bytes()
    }
}

fn flip_last(nodes: &mut [Vec<u8>]) {
    let byte = nodes.last_mut().and_then(|node| node.last_mut());
    *byte.expect("proofs and nodes are not empty") ^= 1;
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", HEXLOWER.encode(bytes))
}
