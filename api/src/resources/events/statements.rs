//! `POST /api/v1/events/{id}/confirmation`, `dispute`: a party says whether an event is right.

use super::read::find;
use super::told::told;
use super::view::EventView;
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, ConfirmationInput, DisputeInput};
use axum::extract::State;
use axum::response::Response;
use provenance::id::EventId;

/// Confirm an event.
///
/// Signed by a party of the event: who signed or recorded it, or whom it names as addressee, carrier, member or operator.
#[utoipa::path(
    post, path = "/api/v1/events/{id}/confirmation", tag = "events", operation_id = "confirm_event",
    params(("id" = String, Path, description = "The id of the event that is right")), request_body = Command<ConfirmationInput>,
    responses(
        (status = 201, description = "The confirming event", body = Resource<EventView>, content_type = "application/hal+json"),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn confirm(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    command: Command<ConfirmationInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let done = state.author.confirm_event(command.envelope.read()?, command.fields.read(id)?).await?;
    Ok(told(&state, &done).await)
}

/// Dispute an event.
///
/// Signed by a party of the event. The event stays and counts; whoever reads it sees that it is disputed.
#[utoipa::path(
    post, path = "/api/v1/events/{id}/dispute", tag = "events", operation_id = "dispute_event",
    params(("id" = String, Path, description = "The id of the event that is wrong")), request_body = Command<DisputeInput>,
    responses(
        (status = 201, description = "The disputing event", body = Resource<EventView>, content_type = "application/hal+json"),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn dispute(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    command: Command<DisputeInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let done = state.author.dispute_event(command.envelope.read()?, command.fields.read(id)?).await?;
    Ok(told(&state, &done).await)
}
