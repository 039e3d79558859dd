//! `/api/v1/peers`: the nodes that are connected, and how the network stands.

use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::state::{ApiState, NetworkState, Peer};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// The connected nodes, and how the network stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Peers {
    #[serde(flatten)]
    page: Page<Peer>,
    /// Whether this node can be reached, and whom it did not let in.
    network: NetworkState,
}

/// List connected nodes.
#[utoipa::path(
    get, path = "/api/v1/peers", tag = "network", operation_id = "list_peers",
    responses((status = 200, description = "All connected nodes, and how the network stands", body = Resource<Peers>, content_type = "application/hal+json")),
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Resource<Peers> {
    let members = state.peers.peers().into_iter().map(|peer| Resource::new(peer, Links::default())).collect();
    let peers = Peers { page: Page::of(members), network: state.peers.network() };
    Resource::new(peers, Links::to_self(links::peers()).and("up", links::entry()))
}
