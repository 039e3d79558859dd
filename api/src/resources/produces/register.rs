//! `POST /api/v1/produces`: a lot comes into being.

use super::read::find;
use super::view::{ProduceView, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, ProduceInput};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;

/// Register a lot.
#[utoipa::path(
    post, path = "/api/v1/produces", tag = "produce", operation_id = "register_produce", request_body = Command<ProduceInput>,
    responses(
        (status = 201, description = "The lot", body = Resource<ProduceView>, content_type = "application/hal+json"),
        (status = 400, description = "The JSON cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn register(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<ProduceInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.register_produce(context, command.fields.read()?).await?;
    let id = done.id.subject(0);
    Ok(created(&state, &done, links::produce(&id), || resource(&state, &Names::of(&state), find(&state, &id)?, true))
        .await)
}
