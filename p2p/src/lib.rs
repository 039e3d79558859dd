//! Furrow's network: nodes tell each other of new events and follow each other's logs, over libp2p.
//!
//! [`start`] runs the network as a service of its own: commands go in through a [`Handle`], what
//! comes from peers goes out as [`Incoming`]. Two ways lead an event from node to node:
//!
//! - **Gossip** brings new events within a network round trip. Each message is passed on only after
//!   the node's verdict on the events in it. It is lossy under load, by design.
//! - **Sync** loses nothing: a node asks a peer for the ids in its log from the node's own cursor,
//!   and then for the events that it lacks. See [`message`] for the protocol.
//!
//! **Invariant:** events are opaque bytes here. What they say, and whether they are valid, the
//! program decides; this crate counts and limits them.
//!
//! **Invariant:** no type of libp2p leaves this crate.
//!
//! **Invariant:** every queue, table and message is bounded, and the event loop never waits for the
//! program. Whoever sends garbage, invalid events or too many requests loses standing, is cut off,
//! and is forgiven after a while ([`Misbehaviour`]).

mod admission;
mod allowance;
mod behaviour;
mod codec;
mod config;
mod connected;
mod dial;
mod discovery;
mod events;
mod gate;
mod gossip;
mod handle;
mod members;
pub mod message;
mod meter;
mod observed;
mod peer;
mod reach;
mod replay;
mod service;
mod socket;
mod standing;
mod start;
mod status;
mod transport;
mod wire;

pub use admission::{Admission, Refusal, RefusedPeer, Roll};
pub use config::{Config, DEFAULT_PORT, IdentitySeed};
pub use gossip::{EventTooLong, MAX_GOSSIP_BYTES, MAX_GOSSIP_EVENTS};
pub use handle::{GossipId, GossipVerdict, Handle, Incoming, PublishError, RequestError, Responder, Stopped};
pub use message::{Greeting, MapRoot, Oversize, PassedOpening, Request, Response};
pub use peer::{PeerId, PeerIdError, PeerInfo};
pub use standing::{BLOCKING_POINTS, Misbehaviour};
pub use start::{StartError, start};
pub use status::{Counters, NetworkStatus, Reachability};
pub use wire::Malformed;
