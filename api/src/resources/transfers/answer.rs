//! `POST /api/v1/transfers/{id}/acceptance`, `refusal`, `cancellation`: the answer to an offer.

use super::read::find;
use super::view::{TransferView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::state::ApiState;
use crate::values::{AcceptanceInput, AnswerInput, Command};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::author::{CancelTransfer, Context, DeclineTransfer, Done};
use provenance::body::Recipient;
use provenance::id::EventId;

/// Accept an offer, whole or in part.
///
/// Signed by the addressee, unless `actor` names somebody else; this node must keep its key.
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/acceptance", tag = "transfers", operation_id = "accept_transfer",
    params(("id" = String, Path, description = "The id of the offer's event")), request_body = Command<AcceptanceInput>,
    responses(
        (status = 200, description = "The handover, now with both signatures", body = Resource<TransferView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep the addressee's key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such offer here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The offer is not open any more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn accept(
    _: Writer,
    State(state): State<ApiState>,
    PathId(offer): PathId<EventId>,
    command: Command<AcceptanceInput>,
) -> Result<Response, Problem> {
    let context = signed_by(&state, command.envelope.read()?, &offer, Side::Addressee)?;
    let done = state.author.accept_transfer(context, command.fields.read(offer)?).await?;
    Ok(answered(&state, &done, &offer).await)
}

/// Refuse an offer.
///
/// Signed by the addressee, unless `actor` names somebody else; this node must keep its key.
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/refusal", tag = "transfers", operation_id = "decline_transfer",
    params(("id" = String, Path, description = "The id of the offer's event")), request_body = Command<AnswerInput>,
    responses(
        (status = 200, description = "The handover, refused", body = Resource<TransferView>, content_type = "application/hal+json"),
        (status = 404, description = "No such offer here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The offer is not open any more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn decline(
    _: Writer,
    State(state): State<ApiState>,
    PathId(offer): PathId<EventId>,
    command: Command<AnswerInput>,
) -> Result<Response, Problem> {
    let context = signed_by(&state, command.envelope.read()?, &offer, Side::Addressee)?;
    let done =
        state.author.decline_transfer(context, DeclineTransfer { offer, reason: command.fields.reason()? }).await?;
    Ok(answered(&state, &done, &offer).await)
}

/// Take an offer back.
///
/// Signed by the offerer, unless `actor` names somebody else; this node must keep its key.
#[utoipa::path(
    post, path = "/api/v1/transfers/{id}/cancellation", tag = "transfers", operation_id = "cancel_transfer",
    params(("id" = String, Path, description = "The id of the offer's event")), request_body = Command<AnswerInput>,
    responses(
        (status = 200, description = "The handover, cancelled", body = Resource<TransferView>, content_type = "application/hal+json"),
        (status = 404, description = "No such offer here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The offer is not open any more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn cancel(
    _: Writer,
    State(state): State<ApiState>,
    PathId(offer): PathId<EventId>,
    command: Command<AnswerInput>,
) -> Result<Response, Problem> {
    let context = signed_by(&state, command.envelope.read()?, &offer, Side::Offerer)?;
    let done =
        state.author.cancel_transfer(context, CancelTransfer { offer, reason: command.fields.reason()? }).await?;
    Ok(answered(&state, &done, &offer).await)
}

#[derive(Clone, Copy)]
enum Side {
    Addressee,
    Offerer,
}

/// Only one actor can give an answer, so it signs where nobody is named and this node can sign for it.
fn signed_by(state: &ApiState, context: Context, offer: &EventId, side: Side) -> Result<Context, Problem> {
    let row = find(state, offer)?;
    let only = match (side, &row.recipient) {
        (Side::Offerer, _) => Some(row.offerer),
        (Side::Addressee, Recipient::Actor(to)) => Some(*to),
        (Side::Addressee, _) => None,
    };
    let actor = context.actor.or_else(|| only.filter(|actor| state.keeps(actor)));
    Ok(Context { actor, ..context })
}

async fn answered(state: &ApiState, done: &Done, offer: &EventId) -> Response {
    let read = || resource(state, &Names::of(state), &Proofs::of(state.anchoring.as_ref()), find(state, offer)?, true);
    changed(state, done, links::transfer(offer), read).await
}
