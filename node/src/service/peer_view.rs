//! The connected nodes as the API shows them.

use super::anchor_view::time;
use crate::sync::Sync;
use api::{NetworkState, Peer, PeerCosigning, RefusedPeer};

/// Reads what the sync remembers of its peers, and what the network tells of itself.
pub(super) struct PeerView {
    pub(super) sync: Sync,
    pub(super) network: p2p::Handle,
}

impl api::PeerView for PeerView {
    fn peers(&self) -> Vec<Peer> {
        let mut cosigning = self.sync.cosigning();
        let peers = self.sync.peers().into_iter();
        peers
            .map(|(peer, progress)| Peer {
                cosigning: cosigning.remove(&peer.id).map(|known| PeerCosigning {
                    cosigned_for: known.cosigned_for,
                    cosigned_by: known.cosigned_by,
                    refused_here: known.refused_here,
                    refused_there: known.refused_there,
                    rewritten: known.rewritten,
                }),
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
            })
            .collect()
    }
    fn network(&self) -> NetworkState {
        let status = self.network.status();
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
}
