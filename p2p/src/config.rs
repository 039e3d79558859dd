//! What a node must say to take part in the network, and the limits it lives within.

use crate::admission::Admission;
use crate::message::REQUESTS_AT_ONCE;
use crate::peer::PeerId;
use libp2p::identity::Keypair;
use provenance::id::NetworkId;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// The port of the default listen addresses, for TCP and UDP alike. It lies below the range from
/// which Linux hands out ports to clients, so that no outgoing connection takes it first.
pub const DEFAULT_PORT: u16 = 4874;

/// Commands from the program that wait for the event loop. Senders wait while the queue is full.
pub(crate) const COMMANDS_QUEUED: usize = 256;
/// Incoming events that wait for the program: at most 16 MiB of gossip. While the queue is full,
/// gossip is ignored and requests get no answer; both are asked for again by those who need them.
pub(crate) const INCOMING_QUEUED: usize = 256;
/// Requests of this node that wait for an answer: at most 256 MiB of answers at a time.
pub(crate) const REQUESTS_OUTSTANDING: usize = 64;
/// Requests of one peer that are being answered. Twice what a peer sends at a time, because it can
/// have read an answer before this node knows.
pub(crate) const REQUESTS_SERVED_PER_PEER: usize = 2 * REQUESTS_AT_ONCE;
/// Requests that are being answered: at most 256 MiB of answers that are read slowly or never.
pub(crate) const REQUESTS_SERVED: usize = 64;
/// Streams of the sync protocol on one connection, both directions together.
pub(crate) const STREAMS_PER_CONNECTION: usize = 32;
/// Connections to one peer: two nodes that dial each other at the same moment get two, a hole that is
/// punched adds one to the one through the relay, and `AutoNAT` dials back over one of its own.
pub(crate) const CONNECTIONS_PER_PEER: u32 = 4;
/// Connections in all, for each peer that there is a place for: most peers have one.
pub(crate) const CONNECTIONS_PER_PLACE: u32 = 2;
/// Relays that hold a place for a node that cannot be dialled: if one is gone, the other is there.
pub(crate) const RELAYS_USED: usize = 2;
/// Connections that are being set up, each way. More would only help those who open without end.
pub(crate) const CONNECTIONS_PENDING: u32 = 32;
/// How long a new peer may take to show that it belongs to this network.
pub(crate) const INTRODUCTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection that nobody uses stays open. Peers of this network gossip and are in use.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// How often a peer is pinged, which also keeps its way through routers open (many forget a UDP
/// flow after 30 seconds).
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(15);
/// How long a peer may take to answer a ping before the connection counts as dead.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long opening a listening socket may take; it is a matter of milliseconds where it works.
pub(crate) const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the connections' farewell may take on shutdown before they are cut.
pub(crate) const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// How a node takes part in the network.
#[allow(clippy::struct_excessive_bools)] // Each is a setting of its own, and all combinations are meant.
#[derive(Debug, Clone)]
pub struct Config {
    /// The seed of the node's network identity.
    pub identity_seed: IdentitySeed,
    /// The network to take part in. Peers of another network are let go politely.
    pub network: NetworkId,
    /// Multiaddrs to listen on: `/ip4/…/tcp/PORT` or `/ip4/…/udp/PORT/quic-v1`, port 0 for any
    /// free one. By default TCP and QUIC on [`DEFAULT_PORT`] of every IPv4 interface.
    pub listen: Vec<String>,
    /// Multiaddrs to stay connected with, such as `/dns4/node.example/tcp/4874/p2p/12D3KooW…`;
    /// without the `/p2p/…` part whoever answers there is taken. They are dialled for ever, at
    /// most 30 seconds apart.
    pub bootstrap: Vec<String>,
    /// Whether to find nodes of the local network with multicast DNS, and be found.
    pub mdns: bool,
    /// The most peers connected at a time. Each costs a few hundred kilobytes at rest and up to
    /// 16 MiB if it reads slowly. As long as bootstrap peers are missing, places are kept for them.
    pub max_peers: usize,
    /// How long a peer may take to answer a request: 4 MiB arrive in this time over 2.5 Mbit/s.
    pub request_timeout: Duration,
    /// How long a peer that misbehaved stays cut off, until it is forgiven. A peer that is not let in
    /// is written about again after this time.
    pub block_for: Duration,
    /// Who is let in. By default anyone who speaks this network's protocols.
    pub admission: Admission,
    /// Peers that are let in though no ledger enrols them, beside the bootstrap peers that are given
    /// with their ids: the nodes of other founders, before any node is enrolled.
    pub trusted: Vec<PeerId>,
    /// The most connections from one IPv4 address or IPv6 /64, also those that are being set up. A
    /// packing station or a village behind one router has several nodes.
    pub max_connections_per_address: u32,
    /// No new connections while the process holds more memory than this, in bytes; 0 for three quarters
    /// of what the machine has.
    pub max_memory_bytes: usize,
    /// The most bytes of answers that this node sends in a second, to all peers together. One peer
    /// gets at most half of them. What is more waits.
    pub upload_bytes_per_second: u32,
    /// The most bytes that are read from one connection in a second, of whatever protocol. Who sends more
    /// is read more slowly.
    pub download_bytes_per_second: u32,
    /// Whether to find nodes of the network through other nodes (Kademlia), and to be found.
    pub discovery: bool,
    /// Whether to have relays hold a place for this node where it cannot be dialled, and to try for
    /// direct connections with peers that come through them (`DCUtR`).
    pub relay_client: bool,
    /// Whether to carry connections between nodes that cannot dial each other. For nodes that can be
    /// dialled from everywhere, and have [`Config::external_addresses`] or find them by themselves.
    pub relay_server: bool,
    /// Whether to ask peers if they can dial this node, and to try it for others (`AutoNAT`).
    pub autonat: bool,
    /// Multiaddrs under which others reach this node, such as a forwarded port of the router. They are
    /// told to peers as they stand.
    pub external_addresses: Vec<String>,
    /// How long gossip is remembered, so that what comes on several ways is passed on once. Longer
    /// than any message travels; what a peer sends again after this time is held against it.
    pub gossip_memory: Duration,
}

impl Config {
    /// The defaults for this identity and network: no bootstrap peers, no multicast DNS, no discovery.
    pub fn new(identity_seed: IdentitySeed, network: NetworkId) -> Self {
        Self {
            identity_seed,
            network,
            listen: vec![
                format!("/ip4/0.0.0.0/tcp/{DEFAULT_PORT}"),
                format!("/ip4/0.0.0.0/udp/{DEFAULT_PORT}/quic-v1"),
            ],
            bootstrap: Vec::new(),
            mdns: false,
            max_peers: 64,
            request_timeout: Duration::from_secs(15),
            block_for: Duration::from_mins(10),
            admission: Admission::Anyone,
            trusted: Vec::new(),
            max_connections_per_address: 32,
            max_memory_bytes: 0,
            upload_bytes_per_second: 128 << 20,
            download_bytes_per_second: 64 << 20,
            discovery: false,
            relay_client: true,
            relay_server: false,
            autonat: true,
            external_addresses: Vec::new(),
            gossip_memory: Duration::from_mins(2),
        }
    }
}

/// The 32 secret bytes of the node's Ed25519 network identity. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct IdentitySeed(Zeroizing<[u8; 32]>);

impl IdentitySeed {
    /// The name under which peers know the node with this seed.
    pub fn peer_id(&self) -> PeerId {
        PeerId(self.keypair().public().to_peer_id())
    }

    pub(crate) fn keypair(&self) -> Keypair {
        // The library wipes the copy that it is given.
        Keypair::ed25519_from_bytes(*self.0).expect("any 32 bytes are an Ed25519 seed")
    }
}

impl From<[u8; 32]> for IdentitySeed {
    fn from(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }
}

impl fmt::Debug for IdentitySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentitySeed(secret of {})", self.peer_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_peer_id_always_and_hides_itself() {
        let seed = IdentitySeed::from([7; 32]);
        let text = "12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7";
        assert_eq!(seed.peer_id().to_string(), text);
        assert_eq!(format!("{seed:?}"), format!("IdentitySeed(secret of {text})"));
    }
}
