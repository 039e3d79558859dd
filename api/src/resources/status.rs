//! `/api/v1/status`: how the node is, in one answer for its operator.

use crate::hal::{Links, Resource};
use crate::health;
use crate::links;
use crate::problem::Problem;
use crate::state::{AnchoringStatus, ApiState, Fault, NodeIdentity};
use axum::extract::State;
use data_encoding::HEXLOWER;
use provenance::id::{NetworkId, PublicKey};
use serde::Serialize;
use utoipa::ToSchema;

/// How the node is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Status {
    node: NodeIdentity,
    network: NetworkName,
    log: LogStatus,
    followers: Vec<FollowerState>,
    /// Events that wait for an ancestor or an upgrade.
    held: usize,
    anchoring: AnchoringStatus,
    /// How many nodes are connected.
    peers: usize,
    /// What is wrong; nothing if all is well.
    faults: Vec<Fault>,
}

/// Which network.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct NetworkName {
    /// SHA-256 of its definition.
    #[schema(value_type = String)]
    pub(crate) id: NetworkId,
    /// What it is called.
    pub(crate) name: String,
}

/// The log's head.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct LogStatus {
    /// Durable entries, the network id at index 0 included.
    size: u64,
    /// Root of its Merkle tree, lower-case hex.
    root: String,
    /// The name under which it signs checkpoints.
    origin: Option<String>,
    /// The key that signs them.
    #[schema(value_type = Option<String>)]
    key: Option<PublicKey>,
}

/// How far a follower of the log is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct FollowerState {
    name: &'static str,
    /// Entries that it has still to read.
    lag: u64,
    /// What keeps it from going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Read how the node is.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "operations", operation_id = "read_status",
    responses(
        (status = 200, description = "How it is, also when something is wrong", body = Resource<Status>, content_type = "application/hal+json"),
        (status = 503, description = "The storage cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(State(state): State<ApiState>) -> Result<Resource<Status>, Problem> {
    let ledger = &state.ledger;
    let (size, root) = ledger.head()?;
    let health = ledger.health();
    // A node without a log key signs nothing.
    let origin = ledger.log_origin().map(str::to_owned);
    let follower = |follower: ledger::FollowerStatus| FollowerState {
        name: follower.name,
        lag: size.saturating_sub(follower.next),
        problem: follower.problem,
    };
    let status = Status {
        node: state.node.as_ref().clone(),
        network: NetworkName { id: ledger.network().id(), name: ledger.network().name().to_owned() },
        log: LogStatus { size, root: HEXLOWER.encode(&root), origin, key: state.node.log_key },
        followers: health.followers.into_iter().map(follower).collect(),
        held: health.held,
        anchoring: state.anchoring.status(),
        peers: state.peers.peers().len(),
        faults: health::faults(&state),
    };
    let links = Links::to_self(links::status())
        .and("up", links::entry())
        .and("anchors", links::anchors())
        .and("peers", links::peers())
        .and("network", links::network())
        .and("actor", links::actor(&state.node.actor));
    Ok(Resource::new(status, links))
}
