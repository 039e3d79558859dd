//! Tests with logs that were rewritten: nodes on real sockets, and an enrolled peer that signs what it should not.

use crate::sync::cosign::Reason;
use crate::sync::tests::{Side, enrol_node, journal, network, nothing, open, side, side_of, submit, until};
use ed25519_dalek::{Signer, SigningKey};
use p2p::{Greeting, Handle, Incoming, PeerId, Request, Response};
use provenance::checkpoint::Checkpoint;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, leaf_hash};
use provenance::origin::LogOrigin;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::StoreOptions;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An enrolled node that shows each peer whatever log it wants.
struct Rewriting {
    handle: Handle,
    peer: PeerId,
    /// What it shows, by peer.
    logs: Arc<Mutex<HashMap<PeerId, Vec<EventId>>>>,
    _stop: DropGuard,
}

const SEED: u8 = 77;

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[SEED; 32])
}

fn log() -> PublicKey {
    PublicKey::from_bytes(log_key().verifying_key().to_bytes())
}

impl Rewriting {
    async fn start(peers: &[&Side]) -> Self {
        let config = p2p::Config {
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            bootstrap: peers.iter().map(|side| side.address.clone()).collect(),
            ..p2p::Config::new([SEED; 32].into(), network().id())
        };
        let stop = CancellationToken::new();
        let (handle, mut incoming) = p2p::start(config, stop.clone()).await.unwrap();
        let logs: Arc<Mutex<HashMap<PeerId, Vec<EventId>>>> = Arc::default();
        let shown = logs.clone();
        tokio::spawn(async move {
            while let Some(event) = incoming.recv().await {
                let Incoming::Request { from, request, reply } = event else { continue };
                let ids = shown.lock().unwrap().get(&from).cloned().unwrap_or_default();
                let log_size = ids.len() as u64;
                let response = match request {
                    Request::Hello(_) => Response::Hello(Greeting { log: log(), log_size, program: "liar/1".into() }),
                    Request::LogPage { from, max } => {
                        let skipped = ids.iter().skip(usize::try_from(from).unwrap());
                        Response::LogPage { log_size, ids: skipped.take(max as usize).copied().collect() }
                    }
                    Request::Bodies { ids } => Response::Bodies { bodies: vec![None; ids.len()] },
                    Request::Growth { .. } => Response::Growth { proof: None },
                    _ => Response::Unsupported { kind: 0 },
                };
                let _ = reply.send(response).await;
            }
        });
        let peer = handle.local_peer();
        Self { handle, peer, logs, _stop: stop.drop_guard() }
    }

    /// Shows a peer this log, and asks it to cosign a checkpoint of it. Gives why that is refused.
    async fn show(&self, to: &Side, ids: &[EventId]) -> u32 {
        self.logs.lock().unwrap().insert(to.peer, ids.to_vec());
        let mut frontier = Frontier::default();
        for id in ids {
            frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
        }
        let origin = LogOrigin { network: network().id(), key: log() }.to_string();
        let checkpoint = Checkpoint { origin, size: frontier.size(), root: frontier.root(), state_root: [1; 32] };
        let note = checkpoint.to_note(&log(), |text| log_key().sign(text).to_bytes());
        let again = [Reason::NotEnrolled, Reason::Behind].map(|reason| reason as u32);
        loop {
            match self.handle.request(&to.peer, Request::Cosign { note: note.clone() }).await {
                // The list of nodes is some seconds old, and the log is read while the peer waits.
                Ok(Response::CosignRefused { reason, .. }) if again.contains(&reason) => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Ok(Response::CosignRefused { reason, .. }) => return reason,
                other => panic!("{other:?}"),
            }
        }
    }

    async fn is_connected_with(&self, sides: &[&Side]) {
        until("the peer is connected", || {
            sides.iter().all(|side| side.sync.peers().iter().any(|(peer, _)| peer.id == self.peer))
        })
        .await;
    }
}

/// Whether the side shows the peer as one whose log is followed, and as one that has rewritten it.
fn shown(side: &Side, peer: &PeerId) -> (bool, bool) {
    let follows = side.sync.peers().iter().any(|(info, progress)| info.id == *peer && progress.is_some());
    (follows, side.sync.cosigning().get(peer).is_some_and(|known| known.rewritten))
}

fn ids_of(side: &Side) -> Vec<EventId> {
    side.ledger.reader().log_ids(0, 1_000).unwrap()
}

async fn enrol(first: &Side, peer: PeerId, log: PublicKey, name: &str) {
    enrol_node(first, network().id().founder(0), name, Some((log, peer))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_two_histories_is_dropped_for_good_and_events_come_from_others() {
    for larger_by in [0, 1] {
        let first = side(1, &[], async |ledger| submit(ledger, journal(6)).await).await;
        let second = side(2, &[&first], nothing).await;
        let rewriting = Rewriting::start(&[&first]).await;
        rewriting.is_connected_with(&[&first]).await;
        enrol(&first, rewriting.peer, log(), "A node").await;
        let ids = ids_of(&first);
        assert_ne!(rewriting.show(&first, &ids[..5]).await, Reason::Rewritten as u32);
        until("its log is followed", || shown(&first, &rewriting.peer) == (true, false)).await;

        let mut rewritten = ids.clone();
        rewritten.swap(2, 3);
        let reason = rewriting.show(&first, &rewritten[..5 + larger_by]).await;
        assert_eq!(reason, Reason::Rewritten as u32);
        until("its log is dropped", || shown(&first, &rewriting.peer) == (false, true)).await;
        let found = first.ledger.witness().contradictions().unwrap();
        assert_eq!((found.len(), found[0].log, found[0].node.is_some()), (1, log(), true));
        let proven = found[0].proof.verify().unwrap();
        assert_eq!((proven.first.size, proven.second.size), (5, 5 + larger_by as u64));

        // What others sign and pass on comes as before.
        until("the second node has all", || second.ledger.size() == first.ledger.size()).await;
        enrol(&second, second.peer, PublicKey::from_bytes([9; 32]), "Another node").await;
        until("the first node has it too", || second.ledger.size() == first.ledger.size()).await;

        // After a restart it is still so.
        drop(rewriting);
        let folder = first.end_but_keep().await;
        let store = StoreOptions { create: true, cache_bytes: 8 << 20, write_buffer_bytes: 8 << 20 };
        let ledger = open(folder.path(), &network(), 1, store);
        let first = side_of(folder, ledger, 1, &[]).await;
        let rewriting = Rewriting::start(&[&first]).await;
        rewriting.is_connected_with(&[&first]).await;
        assert_eq!(rewriting.show(&first, &ids).await, Reason::Rewritten as u32);
        until("it is shown so", || shown(&first, &rewriting.peer) == (false, true)).await;
        assert_eq!(first.ledger.witness().contradictions().unwrap(), found);
        first.end().await;
        second.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_shows_each_node_another_history_is_found_when_they_compare() {
    let first = side(1, &[], async |ledger| submit(ledger, journal(6)).await).await;
    let second = side(2, &[&first], nothing).await;
    let rewriting = Rewriting::start(&[&first, &second]).await;
    rewriting.is_connected_with(&[&first, &second]).await;
    enrol(&first, rewriting.peer, log(), "A node").await;
    for (side, name) in [(&first, "One"), (&second, "Another")] {
        enrol(&first, side.peer, side.ledger.log_key().unwrap(), name).await;
    }
    until("both know all", || second.ledger.size() == first.ledger.size()).await;
    let ids = ids_of(&first);
    let mut rewritten = ids.clone();
    rewritten.swap(2, 3);
    // Each of them alone sees a log that only grew.
    until("the enrolment is known", || second.ledger.size() == ids.len() as u64).await;
    for (side, ids) in [(&second, &rewritten[..7]), (&first, &ids[..5])] {
        assert_ne!(rewriting.show(side, ids).await, Reason::Rewritten as u32);
        assert!(side.ledger.witness().contradictions().unwrap().is_empty());
    }
    let found = |side: &Side| !side.ledger.witness().contradictions().unwrap().is_empty();
    until("one of them has found it", || found(&first) || found(&second)).await;
    for side in [&first, &second].into_iter().filter(|side| found(side)) {
        let proven = side.ledger.witness().contradictions().unwrap()[0].proof.verify().unwrap();
        assert_eq!((proven.origin.key, proven.first.size, proven.second.size), (log(), 5, 7));
        until("its log is dropped", || shown(side, &rewriting.peer) == (false, true)).await;
    }
    first.end().await;
    second.end().await;
}
