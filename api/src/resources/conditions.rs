//! `POST /api/v1/subjects/{id}/conditions`: what a device measured of a lot, a unit or a place.

use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::resources::events::told::told;
use crate::resources::events::view::EventView;
use crate::state::ApiState;
use crate::values::{Command, ConditionInput};
use axum::extract::State;
use axum::response::Response;
use provenance::id::SubjectId;

/// Tell what a device measured.
///
/// Signed by an actor with the role device, named by `actor`: a summary of its readings over a period.
#[utoipa::path(
    post, path = "/api/v1/subjects/{id}/conditions", tag = "produce", operation_id = "measure_condition",
    params(("id" = String, Path, description = "The id of a lot, a unit or a place")), request_body = Command<ConditionInput>,
    responses(
        (status = 201, description = "The event", body = Resource<EventView>, content_type = "application/hal+json"),
        (status = 404, description = "No such subject here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn measure(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<ConditionInput>,
) -> Result<Response, Problem> {
    known(&state, &id)?;
    let done = state.author.measure_condition(command.envelope.read()?, command.fields.read(id)?).await?;
    Ok(told(&state, &done).await)
}

/// Whether there is such a subject at all.
fn known(state: &ApiState, id: &SubjectId) -> Result<(), Problem> {
    let origin = state.ledger.reader().origin(id).map_err(storage)?;
    origin.map(|_| ()).ok_or_else(|| Problem::not_found("subject", id))
}
