//! What the interface is built on: the ledger, the node's name and token, and views of the node's other parts.

use crate::auth::Token;
use crate::links::BaseUrl;
use ledger::Ledger;
use ledger::author::Author;
use ledger::view::Views;
use provenance::evidence::ProvenLine;
use provenance::id::{PublicKey, SubjectId};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Everything that a request may need. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Events, views and proofs.
    pub ledger: Ledger,
    /// Makes and signs events with the keys that this node keeps.
    pub author: Author,
    /// Who answers.
    pub node: Arc<NodeIdentity>,
    /// What a caller must show to write.
    pub token: Arc<Token>,
    /// Where the node is reached from outside, for the links in QR codes. Without it the request's `Host` is taken.
    pub base_url: Option<BaseUrl>,
    /// Anchoring, as far as readers care.
    pub anchoring: Arc<dyn AnchorView>,
    /// The nodes that are connected.
    pub peers: Arc<dyn PeerView>,
    /// What the program that runs this interface knows to be wrong with itself.
    pub health: Arc<dyn HealthView>,
    /// Copies of the store for backups.
    pub snapshots: Arc<dyn Snapshots>,
}

impl ApiState {
    /// Lots, handovers, actors and places as all events show them.
    pub(crate) fn views(&self) -> Views {
        Views::new(self.ledger.reader().clone())
    }

    /// Whether this node can sign for an actor. Where that cannot be read, no action is offered.
    pub(crate) fn keeps(&self, actor: &SubjectId) -> bool {
        self.author.signs_for(actor).unwrap_or(false)
    }
}

/// Who answers: shown at the entry point, in the status and on the consumer's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeIdentity {
    /// The node's name, as its operator chose it.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The actor that signs where a command names nobody else.
    #[schema(value_type = String)]
    pub actor: SubjectId,
    /// The node's libp2p peer id.
    pub peer_id: Option<String>,
    /// The key that signs the checkpoints of the node's log.
    #[schema(value_type = Option<String>)]
    pub log_key: Option<PublicKey>,
}

/// How anchoring stands. Implemented by the program over the anchoring service.
pub trait AnchorView: Send + Sync + 'static {
    /// How anchoring is now. Called for each request that shows a proof state, so it must not wait.
    fn status(&self) -> AnchoringStatus;
    /// Up to `limit` anchors, newest first, from the one before `before` on.
    fn anchors(&self, before: Option<u64>, limit: usize) -> Vec<Anchor>;
    /// One anchor.
    fn anchor(&self, sequence: u64) -> Option<Anchor>;
    /// The oldest anchor that is confirmed or final and covers the log's entry at `log_index`.
    fn covering(&self, log_index: u64) -> Option<Anchor>;
    /// The anchors that a bundle needs, by their lines: for each of the log's `entries` the oldest that covers it, those
    /// whose `commitments` events name, the newest of at most `log_size` entries, and what proves them. Only final ones,
    /// with `also_confirmed` also those that the chain could still drop.
    fn published(
        &self,
        entries: &[u64],
        commitments: &[[u8; 32]],
        log_size: u64,
        also_confirmed: bool,
    ) -> Vec<ProvenLine>;
}

/// The nodes that are connected. Implemented by the program over the network service.
pub trait PeerView: Send + Sync + 'static {
    /// Those connected now.
    fn peers(&self) -> Vec<Peer>;

    /// How the network stands.
    fn network(&self) -> NetworkState;
}

/// What is wrong beside ledger and anchoring, which are asked themselves. Implemented by the program.
pub trait HealthView: Send + Sync + 'static {
    /// Nothing if all is well.
    fn faults(&self) -> Vec<Fault>;
}

/// Copies of the node's store for backups. Implemented by the program over its folder.
pub trait Snapshots: Send + Sync + 'static {
    /// Makes a consistent copy in the node's own folder. Blocks for as long as the disk needs.
    fn take(&self) -> Result<Snapshot, SnapshotError>;
}

/// A copy of the store, for whoever may read the node's folder to take away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Snapshot {
    /// Its folder on the node's machine.
    pub folder: String,
}

/// Why there is no copy; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SnapshotError(pub String);

/// How anchoring stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnchoringStatus {
    /// Whether this node anchors at all.
    pub enabled: bool,
    /// EIP-155 chain id.
    pub chain_id: Option<u64>,
    /// Address of the contract, `0x…`.
    pub contract: Option<String>,
    /// Address of the account that anchors, `0x…`.
    pub sender: Option<String>,
    /// What the account holds, in wei, as text because it can exceed what JSON numbers hold.
    pub balance_wei: Option<String>,
    /// Spent today (UTC), in wei.
    pub spent_today_wei: Option<String>,
    /// What may be spent in a day, in wei.
    pub daily_budget_wei: Option<String>,
    /// The chain's newest block when it was asked last.
    pub head_block: Option<u64>,
    /// Entries of the log that an anchor covers which is deep enough and was read back.
    pub anchored_size: u64,
    /// Entries of the log that a final anchor covers.
    pub final_size: u64,
    /// Sequence of the anchor on its way.
    pub in_flight: Option<u64>,
    /// How long the oldest entry has waited that no anchor covers, in milliseconds.
    pub oldest_not_anchored_ms: Option<u64>,
    /// What is wrong and what to do; nothing if all is well.
    pub problem: Option<String>,
}

/// One anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Anchor {
    /// Its number on this node, from zero.
    pub sequence: u64,
    /// Where it stands: cut, signed, sent, mined, confirmed, final, failed or superseded.
    pub state: String,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Address of the contract, `0x…`.
    pub contract: String,
    /// Address of the account that anchors, `0x…`.
    pub sender: String,
    /// What the contract stored for the sender before, `0x…`: the commitment is computed from it.
    pub previous: String,
    /// How many entries of the log it covers.
    pub size: u64,
    /// Root of the log at that size, lower-case hex.
    pub log_root: String,
    /// Root of the state map, lower-case hex; zeros while there is none.
    pub state_root: String,
    /// Hashes of all transactions signed for it, oldest first, `0x…`; at most one is mined.
    pub transactions: Vec<String>,
    /// The block that holds it.
    pub block: Option<AnchorBlock>,
    /// What proves without any endpoint that the block holds it, where this node keeps it: `storage` (a proof of the
    /// contract's storage) or `receipt` (a proof of the transaction's receipt).
    pub evidence: Option<String>,
    /// Gas used, once mined.
    pub gas_used: Option<u64>,
    /// What it cost, in wei, once mined.
    pub cost_wei: Option<String>,
    /// When it was cut, RFC 3339 UTC.
    pub cut: String,
    /// When its state changed last, RFC 3339 UTC.
    pub changed: String,
    /// Why it failed or was superseded.
    pub problem: Option<String>,
}

/// The block that an anchor is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnchorBlock {
    /// Its number.
    pub number: u64,
    /// Its hash, `0x…`.
    pub hash: String,
    /// Its own time, RFC 3339 UTC.
    pub time: String,
    /// The same as the chain has it and the commitment needs it, seconds since 1970.
    pub timestamp_s: u64,
    /// The transaction of this anchor that it holds, `0x…`.
    pub transaction: String,
    /// What the contract stores for the sender since, `0x…`.
    pub commitment: String,
}

/// A connected node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Peer {
    /// Its libp2p peer id.
    pub id: String,
    /// Multiaddrs of its connections.
    pub addresses: Vec<String>,
    /// Since when, RFC 3339 UTC.
    pub connected_since: String,
    /// The last ping's time there and back.
    pub round_trip_ms: Option<u64>,
    /// Points for misbehaviour; too many cut it off.
    pub points: u32,
    /// Program and version, as it says itself.
    pub agent: Option<String>,
    /// How far this node has followed its log.
    pub followed_size: Option<u64>,
    /// Entries of its log, as it says itself.
    pub log_size: Option<u64>,
    /// Entries of its log that this node passes per second, lately.
    pub events_per_s: Option<u64>,
    /// Seconds until its log is followed to its end, at this pace; none where nothing moves.
    pub eta_s: Option<u64>,
    /// What became of cosigning each other's checkpoints; none with a peer that is no enrolled node, or was not asked.
    pub cosigning: Option<PeerCosigning>,
}

/// How the network of nodes stands, as this node sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct NetworkState {
    /// Whether others can dial this node: `public`, `private` or `unknown`.
    pub reachability: String,
    /// Multiaddrs at which others were told to find this node, those through relays among them.
    pub external_addresses: Vec<String>,
    /// Peer ids of the relays that hold a place for this node.
    pub relays: Vec<String>,
    /// Whether anyone is let in because no other node is enrolled yet and no peer is configured.
    pub founding: bool,
    /// Strangers that are connected and may only read.
    pub readers: usize,
    /// Peers that were not let in lately, the newest first.
    pub refused: Vec<RefusedPeer>,
    /// What was counted since the start, by name.
    pub counters: BTreeMap<String, u64>,
}

/// A peer that was not let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusedPeer {
    /// Its libp2p peer id.
    pub id: String,
    /// Why, and what to do.
    pub reason: String,
    /// How many of its connections were refused.
    pub times: u64,
}

/// What became of cosigning between this node and a peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeerCosigning {
    /// Entries of the peer's newest checkpoint that this node cosigned.
    pub cosigned_for: Option<u64>,
    /// Entries of this node's newest checkpoint that the peer cosigned.
    pub cosigned_by: Option<u64>,
    /// Why this node refused the peer's last checkpoint.
    pub refused_here: Option<String>,
    /// Why the peer refused this node's last checkpoint.
    pub refused_there: Option<String>,
    /// Whether the peer's log was rewritten: it is neither followed nor cosigned any more. The proof is in the list of
    /// contradictions.
    pub rewritten: bool,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Which part: `ledger`, `anchoring`, `network`, `disk`.
    pub component: String,
    /// What is wrong and what to do.
    pub detail: String,
    /// Whether the node cannot take writes because of it; otherwise it serves on, degraded.
    pub stops_writes: bool,
}
