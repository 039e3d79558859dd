//! Whether the node lives and can work: for load balancers, supervisors and people.

use crate::problem::OwnWords;
use crate::state::{ApiState, Fault};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A follower that is further behind than this shows views that are noticeably old.
const FOLLOWER_LAG_FAULT: u64 = 10_000;

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Ready, degraded (serves, but something needs attention), or unready (takes no writes).
    status: ReadyState,
    /// What is wrong, and what to do.
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReadyState {
    Ready,
    Degraded,
    Unready,
}

/// The process lives.
#[utoipa::path(
    get, path = "/health/live", tag = "operations", operation_id = "check_liveness",
    responses((status = 200, description = "It lives", body = String, content_type = "text/plain; charset=utf-8")),
)]
pub(crate) async fn live() -> &'static str {
    "alive\n"
}

/// The node can work.
///
/// 200 also when it is degraded: what it serves is right, and it takes writes. 503 when it takes no writes.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations", operation_id = "check_readiness",
    responses(
        (status = 200, description = "Ready, or degraded with reasons", body = Readiness),
        (status = 503, description = "Not ready, with reasons", body = Readiness),
    ),
)]
pub(crate) async fn ready(State(state): State<ApiState>) -> Response {
    let faults = faults(&state);
    let (code, status) = if faults.iter().any(|fault| fault.stops_writes) {
        (StatusCode::SERVICE_UNAVAILABLE, ReadyState::Unready)
    } else if faults.is_empty() {
        (StatusCode::OK, ReadyState::Ready)
    } else {
        (StatusCode::OK, ReadyState::Degraded)
    };
    let mut response =
        (code, [(header::CACHE_CONTROL, "no-store")], Json(Readiness { status, faults })).into_response();
    response.extensions_mut().insert(OwnWords);
    response
}

/// Everything that is wrong: ledger and anchoring are asked here, the program adds the rest.
pub(crate) fn faults(state: &ApiState) -> Vec<Fault> {
    let health = state.ledger.health();
    let mut faults = Vec::new();
    if let Some(problem) = health.writing {
        faults.push(Fault { component: "ledger".into(), detail: problem, stops_writes: true });
    }
    let size = state.ledger.size();
    for follower in health.followers {
        let lag = size.saturating_sub(follower.next);
        if let Some(problem) = follower.problem {
            let detail = format!("The follower '{}' cannot go on: {problem}", follower.name);
            faults.push(Fault { component: "ledger".into(), detail, stops_writes: false });
        } else if lag > FOLLOWER_LAG_FAULT {
            let detail = format!(
                "The follower '{}' is {lag} entries behind; what it shows is old until it has caught up",
                follower.name
            );
            faults.push(Fault { component: "ledger".into(), detail, stops_writes: false });
        }
    }
    // A node that was told of no endpoint does not anchor by choice; its status says so.
    let anchoring = state.anchoring.status();
    if let Some(problem) = anchoring.problem.filter(|_| anchoring.enabled) {
        faults.push(Fault { component: "anchoring".into(), detail: problem, stops_writes: false });
    }
    faults.extend(state.health.faults());
    faults
}
