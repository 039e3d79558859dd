//! `POST /api/v1/transfers`: several lots are offered at once.

use super::read::find;
use super::view::{TransferView, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::state::ApiState;
use crate::values::{Command, OfferLinesInput};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;
use ledger::author::{Context, OfferTransfer};

/// Offer lots.
#[utoipa::path(
    post, path = "/api/v1/transfers", tag = "transfers", operation_id = "offer_transfer", request_body = Command<OfferLinesInput>,
    responses(
        (status = 201, description = "The handover, which waits for its answer", body = Resource<TransferView>, content_type = "application/hal+json"),
        (status = 409, description = "A lot is offered, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn offer(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<OfferLinesInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    make(&state, context, command.fields.read()?).await
}

/// Makes the offer and represents it.
pub(crate) async fn make(state: &ApiState, context: Context, command: OfferTransfer) -> Result<Response, Problem> {
    let done = state.author.offer_transfer(context, command).await?;
    let read =
        || resource(state, &Names::of(state), &Proofs::of(state.anchoring.as_ref()), find(state, &done.id)?, true);
    Ok(created(state, &done, links::transfer(&done.id), read).await)
}
