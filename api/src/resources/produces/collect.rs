//! `POST /api/v1/collections`: deliveries of members become a lot.

use super::read::find;
use super::view::{ProduceView, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{CollectionInput, Command};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;

/// Collect deliveries of members in one lot.
#[utoipa::path(
    post, path = "/api/v1/collections", tag = "produce", operation_id = "collect_produce", request_body = Command<CollectionInput>,
    responses(
        (status = 201, description = "The lot", body = Resource<ProduceView>, content_type = "application/hal+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn collect(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<CollectionInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.collect_produce(context, command.fields.read()?).await?;
    let id = done.id.subject(0);
    Ok(created(&state, &done, links::produce(&id), || resource(&state, &Names::of(&state), find(&state, &id)?, true))
        .await)
}
