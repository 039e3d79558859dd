//! `PATCH /api/v1/places/{id}`: what is told of a place changes.

use super::read::find;
use super::view::{PlaceView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, PlaceChangeInput};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use provenance::id::SubjectId;

/// Change what is told of a place.
#[utoipa::path(
    patch, path = "/api/v1/places/{id}", tag = "places", operation_id = "change_place",
    params(("id" = String, Path, description = "The place's id")), request_body = Command<PlaceChangeInput>,
    responses(
        (status = 200, description = "The place as it is now", body = Resource<PlaceView>, content_type = "application/hal+json"),
        (status = 404, description = "No such place here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    _: Writer,
    State(state): State<ApiState>,
    PathId(place): PathId<SubjectId>,
    command: Command<PlaceChangeInput>,
) -> Result<Response, Problem> {
    find(&state, &place)?;
    let context = command.envelope.read()?;
    let done = state.author.update_place(context, command.fields.read(place)?).await?;
    let read = || resource(&state, &Names::of(&state), find(&state, &place)?, true);
    Ok(changed(&state, &done, links::place(&place), read).await)
}
