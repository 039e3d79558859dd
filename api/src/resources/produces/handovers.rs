//! `/api/v1/produces/{id}/transfers`: the handovers of a lot, and a new one.

use super::read::find;
use crate::auth::{MayWrite, Writer};
use crate::extract::PathId;
use crate::hal::{Page, Resource};
use crate::links;
use crate::paging::{PageQuery, Paged, Unfiltered};
use crate::problem::Problem;
use crate::refusal::storage;
use crate::resources::transfers;
use crate::resources::transfers::view::TransferView;
use crate::state::ApiState;
use crate::values::{Command, OfferInput};
use axum::extract::State;
use axum::response::Response;
use ledger::view::TransferFilter;
use provenance::id::SubjectId;

/// List the handovers of a lot and of the parts taken from it, newest first.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/transfers", tag = "transfers", operation_id = "list_produce_transfers",
    params(("id" = String, Path, description = "The lot's id"), PageQuery),
    responses(
        (status = 200, description = "A page of handovers", body = Resource<Page<TransferView>>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    query: Paged<Unfiltered>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<TransferView>>, Problem> {
    find(&state, &id)?;
    let filter = TransferFilter { lot: Some(id), ..TransferFilter::default() };
    let rows = state.views().transfers(&filter, query.cursor, query.size).map_err(storage)?;
    let links = query.links_below(&links::produce_transfers(&id), rows.next, "produce", links::produce(&id));
    Ok(Resource::new(transfers::list::page(&state, rows, may_write)?, links))
}

/// Offer a lot, or a part of it.
#[utoipa::path(
    post, path = "/api/v1/produces/{id}/transfers", tag = "transfers", operation_id = "offer_produce",
    params(("id" = String, Path, description = "The lot's id")), request_body = Command<OfferInput>,
    responses(
        (status = 201, description = "The handover, which waits for its answer", body = Resource<TransferView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is offered, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn offer(
    _: Writer,
    State(state): State<ApiState>,
    PathId(lot): PathId<SubjectId>,
    command: Command<OfferInput>,
) -> Result<Response, Problem> {
    find(&state, &lot)?;
    let context = command.envelope.read()?;
    transfers::offer::make(&state, context, command.fields.read(lot)?).await
}
