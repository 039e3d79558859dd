//! `GET /api/v1/transfers`: handovers, newest first.

use super::view::{TransferView, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::{PageQuery, Paged};
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::{Page as Rows, TransferFilter, TransferRow, TransferState};
use provenance::id::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which handovers; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TransfersQuery {
    /// open, accepted, declined, cancelled or `one_sided`.
    #[param(value_type = Option<String>)]
    state: Option<TransferState>,
    /// With this actor on either side.
    #[param(value_type = Option<String>)]
    party: Option<SubjectId>,
    /// Offered by this actor.
    #[param(value_type = Option<String>)]
    offerer: Option<SubjectId>,
    /// Addressed to this actor.
    #[param(value_type = Option<String>)]
    recipient: Option<SubjectId>,
    /// Of this lot or unit, of a part taken from it, or of a part given back.
    #[param(value_type = Option<String>)]
    lot: Option<SubjectId>,
}

/// List handovers, newest first.
#[utoipa::path(
    get, path = "/api/v1/transfers", tag = "transfers", operation_id = "list_transfers", params(TransfersQuery, PageQuery),
    responses(
        (status = 200, description = "A page of handovers", body = Resource<Page<TransferView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<TransfersQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<TransferView>>, Problem> {
    let filter = TransferFilter {
        state: query.filter.state,
        party: query.filter.party,
        offerer: query.filter.offerer,
        recipient: query.filter.recipient,
        lot: query.filter.lot,
    };
    let rows = state.views().transfers(&filter, query.cursor, query.size).map_err(storage)?;
    let links = query.links(&links::transfers(), rows.next);
    let resource = Resource::new(page(&state, rows, may_write)?, links);
    Ok(if may_write { resource.offering(super::offer_action()) } else { resource })
}

/// A page of these handovers.
pub(crate) fn page(state: &ApiState, rows: Rows<TransferRow>, may_write: bool) -> Result<Page<TransferView>, Problem> {
    let (names, proofs) = (Names::of(state), Proofs::of(state.anchoring.as_ref()));
    let members = rows.rows.into_iter().map(|row| resource(state, &names, &proofs, row, may_write));
    Ok(Page::of(members.collect::<Result<_, _>>()?))
}
