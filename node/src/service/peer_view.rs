//! The connected nodes as the API shows them.

use super::anchor_view::time;
use crate::sync::Sync;
use api::{NetworkState, Peer, PeerCosigning, RefusedPeer};
use p2p::{Handle, PeerInfo};
use replication::Progress;
use std::time::Duration;
use tokio::sync::watch;

/// How often the list is read.
const EVERY: Duration = Duration::from_secs(1);

/// Reads what the sync remembers of its peers, and what the network tells of itself.
pub(super) struct PeerView {
    pub(super) sync: Sync,
    pub(super) network: Handle,
}

/// Those that are connected while the log is recovered, when no log is followed.
pub(super) struct Connected {
    pub(super) list: watch::Receiver<Vec<PeerInfo>>,
    pub(super) network: Handle,
}

impl api::PeerView for Connected {
    fn peers(&self) -> Vec<Peer> {
        self.list.borrow().iter().cloned().map(|peer| shown(peer, None, None)).collect()
    }

    fn network(&self) -> NetworkState {
        state_of(&self.network)
    }
}

/// Reads the list of peers again and again, so that looking at it never waits.
pub(super) async fn watch_connected(network: Handle, list: watch::Sender<Vec<PeerInfo>>) {
    while let Ok(peers) = network.peers().await {
        list.send_replace(peers);
        tokio::time::sleep(EVERY).await;
    }
}

impl api::PeerView for PeerView {
    fn peers(&self) -> Vec<Peer> {
        let mut cosigning = self.sync.cosigning();
        let peers = self.sync.peers().into_iter();
        peers
            .map(|(peer, progress)| {
                let cosigning = cosigning.remove(&peer.id).map(|known| PeerCosigning {
                    cosigned_for: known.cosigned_for,
                    cosigned_by: known.cosigned_by,
                    refused_here: known.refused_here,
                    refused_there: known.refused_there,
                    rewritten: known.rewritten,
                });
                shown(peer, progress, cosigning)
            })
            .collect()
    }

    fn network(&self) -> NetworkState {
        state_of(&self.network)
    }
}

fn shown(peer: PeerInfo, progress: Option<Progress>, cosigning: Option<PeerCosigning>) -> Peer {
    Peer {
        cosigning,
        id: peer.id.to_string(),
        addresses: peer.addresses,
        connected_since: time(peer.connected_since_ms),
        round_trip_ms: peer.round_trip.and_then(|time| u64::try_from(time.as_millis()).ok()),
        points: peer.points,
        agent: peer.agent,
        followed_size: progress.as_ref().map(|progress| progress.have),
        log_size: progress.as_ref().map(|progress| progress.of),
        events_per_s: progress.as_ref().map(|progress| progress.events_per_s),
        eta_s: progress.and_then(|progress| progress.eta_s),
    }
}

fn state_of(network: &Handle) -> NetworkState {
    let status = network.status();
    let refused = |peer: &p2p::RefusedPeer| RefusedPeer {
        id: peer.id.to_string(),
        reason: peer.reason.to_string(),
        times: peer.times,
    };
    NetworkState {
        reachability: status.reachability.to_string(),
        external_addresses: status.external_addresses.clone(),
        relays: status.relays.iter().map(ToString::to_string).collect(),
        founding: status.founding,
        readers: status.readers,
        refused: status.refused.iter().map(refused).collect(),
        counters: status.counters.named().map(|(name, count)| (name.to_owned(), count)).into(),
    }
}
