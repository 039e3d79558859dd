//! `GET /api/v1/actors/{id}`: one actor.

use super::view::{ActorView, resource};
use crate::auth::MayWrite;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::ActorRow;
use provenance::id::SubjectId;

/// Read an actor.
#[utoipa::path(
    get, path = "/api/v1/actors/{id}", tag = "actors", operation_id = "read_actor",
    params(("id" = String, Path, description = "The actor's id")),
    responses(
        (status = 200, description = "The actor", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<ActorView>, Problem> {
    Ok(resource(&state, find(&state, &id)?, may_write))
}

/// An actor.
pub(crate) fn find(state: &ApiState, id: &SubjectId) -> Result<ActorRow, Problem> {
    state.views().actor(id).map_err(storage)?.ok_or_else(|| Problem::not_found("actor", id))
}
