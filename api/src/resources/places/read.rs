//! `GET /api/v1/places/{id}`: one place.

use super::view::{PlaceView, resource};
use crate::auth::MayWrite;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::PlaceRow;
use provenance::id::SubjectId;

/// Read a place.
#[utoipa::path(
    get, path = "/api/v1/places/{id}", tag = "places", operation_id = "read_place",
    params(("id" = String, Path, description = "The place's id")),
    responses(
        (status = 200, description = "The place", body = Resource<PlaceView>, content_type = "application/hal+json"),
        (status = 404, description = "No such place here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<PlaceView>, Problem> {
    resource(&state, &Names::of(&state), find(&state, &id)?, may_write)
}

/// A place.
pub(crate) fn find(state: &ApiState, id: &SubjectId) -> Result<PlaceRow, Problem> {
    state.views().place(id).map_err(storage)?.ok_or_else(|| Problem::not_found("place", id))
}
