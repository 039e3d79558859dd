//! `POST /api/v1/produces/{id}/inspections`: what an inspector saw or a laboratory found.

use super::read::find;
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::problem::Problem;
use crate::resources::events::told::told;
use crate::resources::events::view::EventView;
use crate::state::ApiState;
use crate::values::{Command, InspectionInput};
use axum::extract::State;
use axum::response::Response;
use provenance::id::SubjectId;

/// Tell what an inspection found.
///
/// Signed by an inspector, a laboratory or an authority, named by `actor`; it stands in the lot's history beside what its holders tell.
#[utoipa::path(
    post, path = "/api/v1/produces/{id}/inspections", tag = "produce", operation_id = "inspect_produce",
    params(("id" = String, Path, description = "The lot's id")), request_body = Command<InspectionInput>,
    responses(
        (status = 201, description = "The event", body = Resource<EventView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn inspect(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<InspectionInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let done = state.author.inspect_produce(command.envelope.read()?, command.fields.read(id)?).await?;
    Ok(told(&state, &done).await)
}
