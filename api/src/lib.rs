//! The HTTP interface of a node: REST resources with links (HAL), problems (RFC 9457), the log for auditors, numbers
//! for operators, and the page that a consumer sees.
//!
//! [`router`] builds all of it over an [`ApiState`]; [`serve`] runs it. Each resource has a module that holds its
//! representation, its handlers with their documentation, and its actions. Every URL is built in `links`, every way to
//! fail is a [`problem::Code`].
//!
//! **Invariant:** a handler decides nothing about produce. It reads a request into values, hands them to the ledger,
//! and represents what comes back; which rule allows what stands in `provenance` alone.
//!
//! **Invariant:** a request that is answered with a 4xx stored nothing and passed nothing on.
//!
//! **Invariant:** reading needs no token, except of what is sealed; writing always does, and no answer holds a secret.

mod auth;
mod caching;
mod document;
mod extract;
mod hal;
mod health;
mod limits;
mod links;
mod metrics;
mod names;
mod page;
mod paging;
pub mod problem;
mod proof_state;
mod qr;
mod refusal;
mod resources;
mod routes;
mod serve;
mod state;
mod values;
mod written;

pub use auth::{Token, TokenError};
pub use document::openapi;
pub use links::{BaseUrl, BaseUrlError};
pub use routes::router;
pub use serve::serve;
pub use state::{
    Anchor, AnchorBlock, AnchorView, AnchoringStatus, ApiState, Fault, HealthView, NetworkState, NodeIdentity, Peer,
    PeerCosigning, PeerView, RefusedPeer, Snapshot, SnapshotError, Snapshots,
};
