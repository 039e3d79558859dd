//! `GET /api/v1/transformations/{event}`: what went in and what came out.

use super::view::{TransformationView, resource};
use crate::extract::PathId;
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use provenance::id::EventId;

/// Read a transformation.
#[utoipa::path(
    get, path = "/api/v1/transformations/{id}", tag = "produce", operation_id = "read_transformation",
    params(("id" = String, Path, description = "The id of its event")),
    responses(
        (status = 200, description = "The transformation", body = Resource<TransformationView>, content_type = "application/hal+json"),
        (status = 404, description = "No such transformation here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
) -> Result<Resource<TransformationView>, Problem> {
    find(&state, &id)
}

/// A transformation that is in the log.
pub(crate) fn find(state: &ApiState, id: &EventId) -> Result<Resource<TransformationView>, Problem> {
    let unknown = || Problem::not_found("transformation", id);
    let stored = state.ledger.reader().stored(id).map_err(storage)?.filter(|stored| stored.index.is_some());
    resource(&Names::of(state), &stored.ok_or_else(unknown)?)?.ok_or_else(unknown)
}
