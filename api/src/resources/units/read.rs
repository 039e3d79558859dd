//! `GET /api/v1/units/{id}`: one logistic unit.

use super::view::{UnitView, resource};
use crate::auth::MayWrite;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::UnitRow;
use provenance::id::SubjectId;

/// Read a unit.
#[utoipa::path(
    get, path = "/api/v1/units/{id}", tag = "units", operation_id = "read_unit",
    params(("id" = String, Path, description = "The unit's id")),
    responses(
        (status = 200, description = "The unit", body = Resource<UnitView>, content_type = "application/hal+json"),
        (status = 404, description = "No such unit here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<UnitView>, Problem> {
    resource(&state, &Names::of(&state), find(&state, &id)?, may_write)
}

/// A unit.
pub(crate) fn find(state: &ApiState, id: &SubjectId) -> Result<UnitRow, Problem> {
    state.views().unit(id).map_err(storage)?.ok_or_else(|| Problem::not_found("unit", id))
}
