//! `/api/v1/peers`: the nodes that are connected.

use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::state::{ApiState, Peer};
use axum::extract::State;

/// List connected nodes.
#[utoipa::path(
    get, path = "/api/v1/peers", tag = "network", operation_id = "list_peers",
    responses((status = 200, description = "All connected nodes", body = Resource<Page<Peer>>, content_type = "application/hal+json")),
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Resource<Page<Peer>> {
    let members = state.peers.peers().into_iter().map(|peer| Resource::new(peer, Links::default())).collect();
    Resource::new(Page::of(members), Links::to_self(links::peers()).and("up", links::entry()))
}
