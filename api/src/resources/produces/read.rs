//! `GET /api/v1/produces/{id}`: one lot.

use super::view::{ProduceView, resource};
use crate::auth::MayWrite;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::ProduceRow;
use provenance::id::SubjectId;

/// Read a lot.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}", tag = "produce", operation_id = "read_produce",
    params(("id" = String, Path, description = "The lot's id")),
    responses(
        (status = 200, description = "The lot", body = Resource<ProduceView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<ProduceView>, Problem> {
    let row = find(&state, &id)?;
    resource(&state, &Names::of(&state), row, may_write)
}

/// A lot.
pub(crate) fn find(state: &ApiState, id: &SubjectId) -> Result<ProduceRow, Problem> {
    state.views().produce(id).map_err(storage)?.ok_or_else(|| Problem::not_found("lot", id))
}
