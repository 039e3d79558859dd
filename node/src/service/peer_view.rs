//! The connected nodes as the API shows them.

use super::anchor_view::time;
use crate::sync::Sync;
use api::{Peer, PeerCosigning};
use p2p::{Handle, PeerInfo};
use std::time::Duration;
use tokio::sync::watch;

/// How often the list is read.
const EVERY: Duration = Duration::from_secs(1);

/// Reads what the sync remembers of its peers.
pub(super) struct PeerView(pub(super) Sync);

/// Those that are connected while the log is recovered, when no log is followed.
pub(super) struct Connected(pub(super) watch::Receiver<Vec<PeerInfo>>);

impl api::PeerView for Connected {
    fn peers(&self) -> Vec<Peer> {
        self.0.borrow().iter().cloned().map(|peer| shown(peer, None, None)).collect()
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
        let mut cosigning = self.0.cosigning();
        let peers = self.0.peers().into_iter();
        peers
            .map(|(peer, followed_size)| {
                let cosigning = cosigning.remove(&peer.id).map(|known| PeerCosigning {
                    cosigned_for: known.cosigned_for,
                    cosigned_by: known.cosigned_by,
                    refused_here: known.refused_here,
                    refused_there: known.refused_there,
                    rewritten: known.rewritten,
                });
                shown(peer, followed_size, cosigning)
            })
            .collect()
    }
}

fn shown(peer: PeerInfo, followed_size: Option<u64>, cosigning: Option<PeerCosigning>) -> Peer {
    Peer {
        cosigning,
        id: peer.id.to_string(),
        addresses: peer.addresses,
        connected_since: time(peer.connected_since_ms),
        round_trip_ms: peer.round_trip.and_then(|time| u64::try_from(time.as_millis()).ok()),
        points: peer.points,
        agent: peer.agent,
        followed_size,
    }
}
