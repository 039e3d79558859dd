//! A peer as the rest of the program sees it: its name and how the connection is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The name of a node in the network: a multihash of its Ed25519 key, shown as `12D3KooW…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(crate) libp2p::PeerId);

impl PeerId {
    /// The multihash bytes, as an enrolment names them.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Reads the multihash bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PeerIdError> {
        libp2p::PeerId::from_bytes(bytes).map(Self).map_err(|_| PeerIdError)
    }
}

/// The text or bytes are not a peer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a peer id; a node prints its own with its listen addresses, as 12D3KooW…")]
pub struct PeerIdError;

impl FromStr for PeerId {
    type Err = PeerIdError;

    fn from_str(text: &str) -> Result<Self, PeerIdError> {
        text.parse().map(Self).map_err(|_| PeerIdError)
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its name.
    pub id: PeerId,
    /// The remote multiaddrs of its connections.
    pub addresses: Vec<String>,
    /// When it was connected, in milliseconds since the Unix epoch.
    pub connected_since_ms: u64,
    /// The last ping's time there and back, once there was one.
    pub round_trip: Option<Duration>,
    /// Its points for misbehaviour. At [`BLOCKING_POINTS`](crate::BLOCKING_POINTS) it is cut off.
    pub points: u32,
    /// Program and version, as it says itself.
    pub agent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_comes_back_from_text_and_bytes() {
        let peer = PeerId(libp2p::PeerId::random());
        assert_eq!(peer.to_string().parse(), Ok(peer));
        assert_eq!(PeerId::from_bytes(&peer.to_bytes()), Ok(peer));
    }

    #[test]
    fn what_is_no_peer_id_is_refused() {
        assert_eq!("12D3KooW".parse::<PeerId>(), Err(PeerIdError));
        assert_eq!("".parse::<PeerId>(), Err(PeerIdError));
        assert_eq!(PeerId::from_bytes(&[1, 2, 3]), Err(PeerIdError));
    }
}
