//! The connected nodes as the API shows them.

use super::anchor_view::time;
use crate::sync::Sync;
use api::{Peer, PeerCosigning};

/// Reads what the sync remembers of its peers.
pub(super) struct PeerView(pub(super) Sync);

impl api::PeerView for PeerView {
    fn peers(&self) -> Vec<Peer> {
        let mut cosigning = self.0.cosigning();
        let peers = self.0.peers().into_iter();
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
}
