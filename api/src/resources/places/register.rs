//! `POST /api/v1/places`: a place becomes known.

use super::read::find;
use super::view::{PlaceView, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, PlaceInput};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;

/// Register a place.
#[utoipa::path(
    post, path = "/api/v1/places", tag = "places", operation_id = "register_place", request_body = Command<PlaceInput>,
    responses(
        (status = 201, description = "The place", body = Resource<PlaceView>, content_type = "application/hal+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn register(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<PlaceInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.register_place(context, command.fields.read()?).await?;
    let id = done.id.subject(0);
    Ok(created(&state, &done, links::place(&id), || resource(&state, &Names::of(&state), find(&state, &id)?, true))
        .await)
}
