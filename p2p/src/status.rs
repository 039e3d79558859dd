//! What the network tells of itself: whether it can be reached, whom it refused, and what it counted.

use crate::admission::RefusedPeer;
use crate::peer::PeerId;
use std::fmt;

/// Whether others can connect to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reachability {
    /// Nobody has tried yet, or there is nobody who could.
    #[default]
    Unknown,
    /// At least one address was dialled from outside, or the operator vouches for one.
    Public,
    /// Peers tried the addresses at which they see this node, and did not reach it: a router or
    /// firewall is in between. It is reached through relays and by hole punching.
    Private,
}

impl fmt::Display for Reachability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Public => "public",
            Self::Private => "private",
        })
    }
}

/// The state of the network as of a fraction of a second ago.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkStatus {
    /// Whether others can connect to this node.
    pub reachability: Reachability,
    /// Addresses at which others were told to find this node, in its own networks or outside; those
    /// through relays are among them.
    pub external_addresses: Vec<String>,
    /// The relays that hold a place for this node.
    pub relays: Vec<PeerId>,
    /// Whether anyone is let in because no other node is enrolled yet and no peer is named.
    pub founding: bool,
    /// Strangers that are connected and may only read.
    pub readers: usize,
    /// The peers that were refused last, the newest first; at most 16.
    pub refused: Vec<RefusedPeer>,
    /// What was counted since the start.
    pub counters: Counters,
}

/// Events since the start, each with a name for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections of peers that are not let in.
    pub connections_not_admitted: u64,
    /// Incoming connections over a limit: of all, of one peer, of one address, of memory.
    pub connections_over_limit: u64,
    /// Peers that were cut off for misbehaviour.
    pub peers_cut_off: u64,
    /// Requests that came in and were passed to the program.
    pub requests_served: u64,
    /// Requests over a peer's rate.
    pub requests_over_rate: u64,
    /// Requests that found all places taken, of the peer or of all.
    pub requests_busy: u64,
    /// Requests of readers for what only members get.
    pub requests_not_allowed: u64,
    /// Requests, answers and gossip that are no messages, those over the size limits among them.
    pub malformed: u64,
    /// Answers that do not fit their question.
    pub wrong_answers: u64,
    /// Answers that waited because their peer, or all together, had used up their bytes.
    pub answers_delayed: u64,
    /// Bytes of answers sent.
    pub answer_bytes_out: u64,
    /// Bytes of answers read.
    pub answer_bytes_in: u64,
    /// Gossip messages passed to the program.
    pub gossip_received: u64,
    /// Gossip messages ignored because their peer, or all together, brought too many bytes.
    pub gossip_over_rate: u64,
    /// Gossip messages that a peer sent again long after the first time.
    pub gossip_replayed: u64,
    /// Gossip messages with an invalid event.
    pub gossip_rejected: u64,
    /// Batches of this node's own events that were more than gossip carries.
    pub gossip_not_published: u64,
    /// Direct connections that replaced ones through a relay.
    pub holes_punched: u64,
    /// Bytes read from all streams, whatever they were.
    pub bytes_in: u64,
    /// Bytes written to all streams.
    pub bytes_out: u64,
    /// How often reading paused because a connection had brought more than its share.
    pub reads_paused: u64,
}

impl Counters {
    /// All of them with their names, in the order of their declaration.
    pub fn named(&self) -> [(&'static str, u64); 21] {
        [
            ("connections_not_admitted", self.connections_not_admitted),
            ("connections_over_limit", self.connections_over_limit),
            ("peers_cut_off", self.peers_cut_off),
            ("requests_served", self.requests_served),
            ("requests_over_rate", self.requests_over_rate),
            ("requests_busy", self.requests_busy),
            ("requests_not_allowed", self.requests_not_allowed),
            ("malformed", self.malformed),
            ("wrong_answers", self.wrong_answers),
            ("answers_delayed", self.answers_delayed),
            ("answer_bytes_out", self.answer_bytes_out),
            ("answer_bytes_in", self.answer_bytes_in),
            ("gossip_received", self.gossip_received),
            ("gossip_over_rate", self.gossip_over_rate),
            ("gossip_replayed", self.gossip_replayed),
            ("gossip_rejected", self.gossip_rejected),
            ("gossip_not_published", self.gossip_not_published),
            ("holes_punched", self.holes_punched),
            ("bytes_in", self.bytes_in),
            ("bytes_out", self.bytes_out),
            ("reads_paused", self.reads_paused),
        ]
    }
}
