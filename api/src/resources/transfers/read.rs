//! `GET /api/v1/transfers/{id}`: one handover.

use super::view::{TransferView, resource};
use crate::auth::MayWrite;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::TransferRow;
use provenance::id::EventId;

/// Read a handover.
#[utoipa::path(
    get, path = "/api/v1/transfers/{id}", tag = "transfers", operation_id = "read_transfer",
    params(("id" = String, Path, description = "The id of the offer's event")),
    responses(
        (status = 200, description = "The handover", body = Resource<TransferView>, content_type = "application/hal+json"),
        (status = 404, description = "No such handover here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<TransferView>, Problem> {
    let row = find(&state, &id)?;
    resource(&state, &Names::of(&state), &Proofs::of(state.anchoring.as_ref()), row, may_write)
}

/// A handover.
pub(crate) fn find(state: &ApiState, id: &EventId) -> Result<TransferRow, Problem> {
    state.views().transfer(id).map_err(storage)?.ok_or_else(|| Problem::not_found("transfer", id))
}
