//! `POST /api/v1/produces/{id}/decisions`: which of several events of a lot stand.

use super::read::find;
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::problem::Problem;
use crate::resources::events::told::told;
use crate::resources::events::view::EventView;
use crate::state::ApiState;
use crate::values::{Command, DecisionInput};
use axum::extract::State;
use axum::response::Response;
use provenance::id::SubjectId;

/// Decide over a disputed lot.
///
/// Signed by the resolver: the nearest actor above all who signed the branches that is party to none of them. A refusal says who that is.
#[utoipa::path(
    post, path = "/api/v1/produces/{id}/decisions", tag = "produce", operation_id = "resolve_dispute",
    params(("id" = String, Path, description = "The lot's id")), request_body = Command<DecisionInput>,
    responses(
        (status = 201, description = "The decision", body = Resource<EventView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn decide(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<DecisionInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let done = state.author.resolve_dispute(command.envelope.read()?, command.fields.read(id)?).await?;
    Ok(told(&state, &done).await)
}
