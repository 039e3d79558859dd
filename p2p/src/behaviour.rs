//! The libp2p behaviours that make up a node, and how each is set up.

use crate::admission::Door;
use crate::allowance::Rate;
use crate::codec::SyncCodec;
use crate::config::{
    CONNECTIONS_PENDING, CONNECTIONS_PER_PEER, CONNECTIONS_PER_PLACE, Config, IDLE_TIMEOUT, PING_INTERVAL,
    PING_TIMEOUT, STREAMS_PER_CONNECTION,
};
use crate::discovery::{self, Discovery};
use crate::gate;
use crate::gossip::MAX_GOSSIP_BYTES;
use crate::members::Members;
use crate::meter::Totals;
use crate::observed::Observed;
use crate::reach;
use crate::transport::transport;
use futures::future::BoxFuture;
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::gossipsub::{
    self, IdentTopic, IdentityTransform, MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds,
    TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
};
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{self, NetworkBehaviour};
use libp2p::{
    StreamProtocol, Swarm, autonat, connection_limits, dcutr, identify, mdns, memory_connection_limits, ping, relay,
};
use provenance::id::{NetworkId, sha256};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The gossip score at which a peer is not listened to any more, and is cut off. Peers start at 0.
pub(crate) const GRAYLIST_SCORE: f64 = -80.0;

/// How much of the machine's memory the process may hold before connections are refused: what is left
/// keeps the system's own caches, which the store depends on.
const MEMORY_SHARE: f64 = 0.75;
/// The most bytes that the gossip protocol puts around a message: topic and field heads.
const GOSSIP_FRAME_BYTES: usize = 1024;
/// Messages that wait to be sent to one slow peer: 8 MiB. What does not fit is dropped; the peer
/// finds it in the log.
const GOSSIP_QUEUED: usize = 128;
/// The length from which on a message is announced to those who need not send it any more.
const GOSSIP_WORTH_A_WORD: usize = 1024;
/// Ids in one announcement: 34 bytes each, well within the 16 KiB that a peer accepts.
const GOSSIP_IDS: usize = 400;

/// Gossip that takes part in listed topics only.
type Gossip = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// All behaviours of a node. The first four come first because they refuse connections, before the
/// others take note of them.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) blocked: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) gate: gate::Behaviour,
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) memory: memory_connection_limits::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) identify: Observed<identify::Behaviour>,
    pub(crate) gossip: Members<Gossip>,
    pub(crate) sync: request_response::Behaviour<SyncCodec>,
    pub(crate) mdns: Toggle<mdns::tokio::Behaviour>,
    pub(crate) kad: Toggle<Members<Discovery>>,
    pub(crate) relay_server: Toggle<Members<relay::Behaviour>>,
    pub(crate) relay_client: Toggle<relay::client::Behaviour>,
    pub(crate) holes: Toggle<dcutr::Behaviour>,
    pub(crate) reached: Toggle<Members<autonat::v2::client::Behaviour>>,
    pub(crate) reaching: Toggle<Members<autonat::v2::server::Behaviour>>,
}

/// The name of the sync protocol in a network.
pub(crate) fn sync_protocol(network: &NetworkId) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/furrow/{network}/sync/1")).expect("the name starts with a slash")
}

/// The topic of new events in a network.
pub(crate) fn events_topic(network: &NetworkId) -> IdentTopic {
    IdentTopic::new(format!("/furrow/{network}/events/1"))
}

/// A swarm that is not listening yet. Connections run as tasks that `spawn` starts. The system's
/// resolver is asked only if `names` are to be dialled, for its configuration may be missing.
pub(crate) fn swarm(
    config: &Config,
    door: &Door,
    totals: &Arc<Totals>,
    names: bool,
    spawn: impl Fn(BoxFuture<'static, ()>) + Send + 'static,
) -> io::Result<Swarm<Behaviour>> {
    let keypair = config.identity_seed.keypair();
    let own = keypair.public().to_peer_id();
    let (relayed, relay_client) = config.relay_client.then(|| relay::client::new(own)).unzip();
    let rate =
        Rate { per_second: config.download_bytes_per_second.max(1), burst: config.download_bytes_per_second.max(1) };
    let transport = transport(&keypair, names, rate, totals, relayed)?;
    let behaviour = Behaviour::new(config, door, &keypair, relay_client);
    let swarm_config = swarm::Config::with_executor(spawn).with_idle_connection_timeout(IDLE_TIMEOUT);
    Ok(Swarm::new(transport, behaviour, own, swarm_config))
}

impl Behaviour {
    fn new(config: &Config, door: &Door, keypair: &Keypair, relay_client: Option<relay::client::Behaviour>) -> Self {
        let own = keypair.public().to_peer_id();
        let memory = match config.max_memory_bytes {
            0 => memory_connection_limits::Behaviour::with_max_percentage(MEMORY_SHARE),
            bytes => memory_connection_limits::Behaviour::with_max_bytes(bytes),
        };
        let identify = identify::Behaviour::new(
            identify::Config::new("/furrow/1".to_owned(), keypair.public())
                .with_agent_version(concat!("furrow/", env!("CARGO_PKG_VERSION")).to_owned())
                // A place at a relay, or a confirmed address, is told to peers at once.
                .with_push_listen_addr_updates(true)
                // What peers say of their addresses goes where it is bounded, not into a cache for dials.
                .with_cache_size(0),
        );
        let sync = request_response::Behaviour::with_codec(
            SyncCodec,
            [(sync_protocol(&config.network), ProtocolSupport::Full)],
            request_response::Config::default()
                .with_request_timeout(config.request_timeout)
                .with_max_concurrent_streams(STREAMS_PER_CONNECTION),
        );
        let kad = config.discovery.then(|| Members::new(discovery::behaviour(own, &config.network), door.clone()));
        let relay_server = config.relay_server.then(|| Members::new(reach::relay_server(own), door.clone()));
        let holes = config.relay_client.then(|| dcutr::Behaviour::new(own));
        let reached = config.autonat.then(|| Members::new(autonat::v2::client::Behaviour::default(), door.clone()));
        let reaching = config.autonat.then(|| Members::new(autonat::v2::server::Behaviour::default(), door.clone()));
        Self {
            blocked: allow_block_list::Behaviour::default(),
            gate: gate::Behaviour::new(door.clone(), config.max_connections_per_address),
            limits: connection_limits::Behaviour::new(connection_limits(config)),
            memory,
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT)),
            identify: Observed::new(identify),
            gossip: Members::new(gossip(config), door.clone()),
            sync,
            mdns: multicast_dns(config, keypair).into(),
            kad: kad.into(),
            relay_server: relay_server.into(),
            relay_client: relay_client.into(),
            holes: holes.into(),
            reached: reached.into(),
            reaching: reaching.into(),
        }
    }
}

fn connection_limits(config: &Config) -> connection_limits::ConnectionLimits {
    let peers = u32::try_from(config.max_peers).unwrap_or(u32::MAX);
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(CONNECTIONS_PENDING))
        .with_max_pending_outgoing(Some(CONNECTIONS_PENDING))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER))
        .with_max_established(Some(peers.saturating_mul(CONNECTIONS_PER_PLACE).saturating_add(CONNECTIONS_PENDING)))
}

/// Multicast DNS where it is wanted and the system has it. It is an aid, so a node runs without.
fn multicast_dns(config: &Config, keypair: &Keypair) -> Option<mdns::tokio::Behaviour> {
    if !config.mdns {
        return None;
    }
    let own = keypair.public().to_peer_id();
    mdns::tokio::Behaviour::new(mdns::Config::default(), own)
        .inspect_err(|error| {
            tracing::warn!(%error, "no multicast DNS on this system; only bootstrap peers are found");
        })
        .ok()
}

/// Gossip that works from two nodes up: a publisher sends to all its peers, and nothing is passed
/// on before this node's verdict. Messages carry no author and no signature of their own, because
/// every event in them is signed; the same batch is the same message, whoever sends it.
fn gossip(config: &Config) -> Gossip {
    let topic = events_topic(&config.network);
    let parameters = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| MessageId::new(&sha256(&[&message.data])))
        .max_transmit_size(MAX_GOSSIP_BYTES + GOSSIP_FRAME_BYTES)
        // A node's own events go to all its peers and not to the mesh only: networks have tens of nodes,
        // and hostile neighbours in the mesh cannot keep an event from the honest ones outside of it.
        .flood_publish(true)
        .duplicate_cache_time(config.gossip_memory)
        // Peers are told of a message that is on its way to them by another way already, if telling
        // them (some 40 bytes) costs much less than the message.
        .idontwant_message_size_threshold(GOSSIP_WORTH_A_WORD)
        // Addresses of further peers are learnt from members by Kademlia, not from who prunes.
        .prune_peers(0)
        .max_ihave_messages_heartbeat(10)
        // The protocol's usual mesh. With fewer peers than this all are in it.
        .mesh_outbound_min(2)
        .mesh_n_low(4)
        .mesh_n(6)
        .mesh_n_high(12)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .connection_handler_queue_len(GOSSIP_QUEUED)
        .max_control_messages_sent(GOSSIP_IDS)
        .build()
        .expect("the gossip parameters are valid");
    let mut gossip = gossipsub::Behaviour::new_with_subscription_filter(
        MessageAuthenticity::Anonymous,
        parameters,
        WhitelistSubscriptionFilter(HashSet::from([topic.hash()])),
    )
    .expect("anonymous messages suit anonymous validation");
    gossip.with_peer_score(score(&topic, config.block_for), thresholds()).expect("the score parameters are valid");
    gossip.subscribe(&topic).expect("the filter admits the one topic");
    gossip
}

/// What the gossip protocol holds against a peer. Only what no honest node does counts: a
/// cooperative's network may be silent for days, run behind one address, and have slow lines.
fn score(topic: &IdentTopic, block_for: Duration) -> PeerScoreParams {
    let events = TopicScoreParams {
        topic_weight: 1.0,
        // Small credits, so that they outweigh no misbehaviour.
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 100.0,
        first_message_deliveries_weight: 0.05,
        first_message_deliveries_decay: 0.99,
        first_message_deliveries_cap: 100.0,
        // Silence is no fault.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // Messages that are not even well formed for the gossip protocol: the ninth cuts off. Those
        // that the node rejects count here as well, and more in the peer's standing.
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: 0.99,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: [(topic.hash(), events)].into(),
        topic_score_cap: 10.0,
        // The application's score is minus the points of the peer's standing. Half of them count, so
        // that the standing cuts off before this score does.
        app_specific_weight: 0.5,
        // Several nodes behind one address are normal: a packing station, a test.
        ip_colocation_factor_weight: 0.0,
        // Promises not kept and joins repeated too soon happen on bad lines; a habit of it counts.
        behaviour_penalty_weight: -1.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: 0.9,
        // A slow line is no fault; the peer catches up from the log.
        slow_peer_weight: 0.0,
        // Who comes back when it is not cut off any more is forgiven here, too.
        retain_score: block_for / 2,
        ..PeerScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds { graylist_threshold: GRAYLIST_SCORE, ..PeerScoreThresholds::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::IdentitySeed;

    #[test]
    fn names_carry_the_network() {
        let network = NetworkId::from_bytes([0; 32]);
        let zeros = "a".repeat(52);
        assert_eq!(sync_protocol(&network).as_ref(), format!("/furrow/{zeros}/sync/1"));
        assert_eq!(events_topic(&network).to_string(), format!("/furrow/{zeros}/events/1"));
    }

    #[test]
    fn the_parameters_are_valid() {
        let network = NetworkId::from_bytes([1; 32]);
        let config = Config::new(IdentitySeed::from([1; 32]), network);
        let door = Door::new(HashSet::new(), &config.admission, config.block_for);
        let behaviour = Behaviour::new(&config, &door, &config.identity_seed.keypair(), None);
        assert_eq!(behaviour.gossip.topics().count(), 1);
    }
}
