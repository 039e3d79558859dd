//! `POST /api/v1/produces/{id}/codes`: a lot gets codes on its labels.

use super::read::find;
use super::view::{ProduceView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{CodesInput, Command};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use provenance::id::SubjectId;

/// Give a lot codes on labels.
#[utoipa::path(
    post, path = "/api/v1/produces/{id}/codes", tag = "produce", operation_id = "assign_codes",
    params(("id" = String, Path, description = "The lot's id")), request_body = Command<CodesInput>,
    responses(
        (status = 200, description = "The lot as it is now", body = Resource<ProduceView>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is offered, packed, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn assign(
    _: Writer,
    State(state): State<ApiState>,
    PathId(lot): PathId<SubjectId>,
    command: Command<CodesInput>,
) -> Result<Response, Problem> {
    find(&state, &lot)?;
    let context = command.envelope.read()?;
    let done = state.author.assign_codes(context, command.fields.assign(lot)?).await?;
    Ok(changed(&state, &done, links::produce(&lot), || resource(&state, &Names::of(&state), find(&state, &lot)?, true))
        .await)
}
