//! Exchanging checkpoints: nodes ask each other what they have seen of the logs of others, so that a log which shows itself to each
//! of them in another way is found.

use super::super::Shared;
use super::compare::{Shown, compare};
use p2p::{PeerId, Request, Response};
use provenance::id::PublicKey;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio::task::JoinSet;

/// How often each peer is asked about one log. A network of fifty nodes is gone round in eight minutes, for a question in ten
/// seconds.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// Asks all connected nodes for the newest checkpoint that they keep of one log after the other, until the network ends.
pub(in super::super) async fn exchange(shared: Arc<Shared>) {
    let mut next = tokio::time::interval(ASK_EVERY);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        next.tick().await;
        let now = shared.clone();
        let Ok(turn) = tokio::task::spawn_blocking(move || Turn::after(&now, last)).await else { return };
        let turn = match turn {
            Ok(Some(turn)) => turn,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "the list of nodes cannot be read");
                continue;
            }
        };
        last = Some(turn.log);
        let mut asking = JoinSet::new();
        for peer in turn.peers {
            let shared = shared.clone();
            asking.spawn(async move { ask(&shared, peer, turn.log).await });
        }
        while asking.join_next().await.is_some() {}
    }
}

/// About which log is asked next, and whom.
#[derive(Debug)]
struct Turn {
    log: PublicKey,
    peers: Vec<PeerId>,
}

impl Turn {
    /// The log whose key comes after `last`, and around; those asked are nodes, but not its own.
    fn after(shared: &Shared, last: Option<PublicKey>) -> Result<Option<Self>, StoreError> {
        let mut logs: BTreeSet<PublicKey> = shared.nodes.logs()?;
        logs.remove(&shared.log);
        let next = logs.iter().find(|log| last.is_none_or(|last| **log > last)).or_else(|| logs.first());
        let Some(log) = next.copied() else { return Ok(None) };
        let mut peers = Vec::new();
        for peer in shared.peers() {
            let nodes = shared.nodes.behind(&peer)?;
            if nodes.is_empty() {
                continue;
            }
            let mut rewritten = false;
            for node in &nodes {
                rewritten |= shared.ledger.witness().contradicts_itself(&node.log)?;
            }
            // The list of peers knows it again after a restart in this way, and forgets it once the node has a new log.
            shared.cosigning.set_rewritten(&peer, rewritten);
            if nodes.iter().all(|node| node.log != log) {
                peers.push(peer);
            }
        }
        Ok(Some(Self { log, peers }))
    }
}

async fn ask(shared: &Arc<Shared>, peer: PeerId, log: PublicKey) {
    match shared.network.request(&peer, Request::KeptLog { log, from: 0, max: 0 }).await {
        Ok(Response::KeptLog { note: Some(note), .. }) => {
            if let Some(verdict) = compare(shared, log, &note, Shown::ByKeeper(peer)).await {
                tracing::debug!(%peer, %log, ?verdict, "what a peer keeps of a log was compared");
            }
        }
        Ok(_) => {}
        Err(error) => tracing::debug!(%peer, %error, "a peer was asked in vain what it keeps of a log"),
    }
}
