//! `GET /api/v1/recalls/{event}`: one recall.

use super::view::{RecallView, resource};
use crate::auth::MayWrite;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::author::Context;
use ledger::view::RecallRow;
use provenance::id::EventId;

/// Read a recall.
#[utoipa::path(
    get, path = "/api/v1/recalls/{event}", tag = "recalls", operation_id = "read_recall",
    params(("event" = String, Path, description = "The id of the event that issued it")),
    responses(
        (status = 200, description = "The recall", body = Resource<RecallView>, content_type = "application/hal+json"),
        (status = 404, description = "No such recall here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<RecallView>, Problem> {
    resource(&state, &Names::of(&state), find(&state, &id)?, may_write)
}

/// A recall.
pub(crate) fn find(state: &ApiState, id: &EventId) -> Result<RecallRow, Problem> {
    state.views().recall(id).map_err(storage)?.ok_or_else(|| Problem::not_found("recall", id))
}

/// The issuer signs where nobody is named and this node can sign for it.
pub(super) fn signed_by_issuer(state: &ApiState, row: &RecallRow, context: Context) -> Context {
    let actor = context.actor.or_else(|| Some(row.issuer).filter(|issuer| state.keeps(issuer)));
    Context { actor, ..context }
}
