//! `GET /api/v1/produces/{id}/trace`: what a lot is made of, or what became of it.

use crate::extract::{PathId, Query};
use crate::hal::{Links, Resource};
use crate::limits::{MAX_RECALLED, MAX_TRACES_AT_ONCE};
use crate::links;
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::trace::{Bounds, Direction, Lineage, Reached};
use provenance::id::SubjectId;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::{IntoParams, ToSchema};

/// Each walk holds what it reached in memory, and reads as fast as the disk gives.
static PLACES: Semaphore = Semaphore::const_new(MAX_TRACES_AT_ONCE);

/// Lots and units shown without another number.
const DEFAULT_LOTS: usize = 1_000;

/// Which way, and how far.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceQuery {
    /// `upstream` (what it is made of, the default) or `downstream` (what became of it).
    #[param(value_type = Option<String>)]
    direction: Option<Direction>,
    /// Most steps; without it all.
    depth: Option<u32>,
    /// Most lots and units, 1 to 131072; 1000 without it.
    limit: Option<usize>,
}

/// The lots and units along a lot's lineage, over transformations, part-lots and units; nearest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TraceView {
    /// The lot.
    #[schema(value_type = String)]
    produce: SubjectId,
    /// Which way.
    #[schema(value_type = String)]
    direction: Direction,
    /// All that was reached, the lot itself first.
    #[schema(value_type = Vec<Object>)]
    lots: Vec<Reached>,
    /// Whether there is more behind the depth or the limit.
    more: bool,
}

/// Trace a lot.
///
/// Each entry names the lot or unit, in how many steps and from which one it was reached first, by which event, and how:
/// `part`, `returned`, `made` or `packed`.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/trace", tag = "produce", operation_id = "trace_produce",
    params(("id" = String, Path, description = "The lot's id"), TraceQuery),
    responses(
        (status = 200, description = "What was reached", body = Resource<TraceView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot or unit here", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The node makes as many traces as it can", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn trace(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    Query(query): Query<TraceQuery>,
) -> Result<Resource<TraceView>, Problem> {
    known(&state, &id)?;
    let direction = query.direction.unwrap_or(Direction::Upstream);
    let lots = query.limit.unwrap_or(DEFAULT_LOTS);
    if !(1..=MAX_RECALLED).contains(&lots) {
        return Err(Problem::new(Code::MalformedQuery, format!("limit is 1 to {MAX_RECALLED}.")).field("limit"));
    }
    let bounds = Bounds { depth: query.depth.unwrap_or(u32::MAX), lots };
    let trace =
        walk(move || Lineage::new(state.ledger.reader().clone()).trace(&[id], direction, bounds).map_err(storage))
            .await?;
    let parameters = [
        ("direction", query.direction.map(|_| name(direction).to_owned())),
        ("depth", query.depth.map(|depth| depth.to_string())),
        ("limit", query.limit.map(|limit| limit.to_string())),
    ];
    let links = Links::to_self(links::with_query(&links::trace(&id), &parameters)).and("produce", links::produce(&id));
    let view = TraceView { produce: id, direction, lots: trace.reached, more: trace.more };
    Ok(Resource::new(view, links))
}

/// Walks where it blocks nobody, if there is a place.
pub(crate) async fn walk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let place: SemaphorePermit<'static> = PLACES.try_acquire().map_err(|_| {
        let detail = "The node makes as many traces as it can. Try again after the time in Retry-After.";
        Problem::new(Code::Overloaded, detail)
    })?;
    let done = tokio::task::spawn_blocking(move || {
        // Given back when the work is done, whether or not the caller still waits for it.
        let _place = place;
        work()
    });
    done.await.map_err(|_| Problem::new(Code::Internal, "The trace could not be made."))?
}

/// Refuses what is neither a lot nor a unit.
pub(crate) fn known(state: &ApiState, id: &SubjectId) -> Result<(), Problem> {
    let lot = state.ledger.reader().lot(id).map_err(storage)?;
    lot.map(|_| ()).ok_or_else(|| Problem::not_found("lot or unit", id))
}

fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Upstream => "upstream",
        Direction::Downstream => "downstream",
    }
}
