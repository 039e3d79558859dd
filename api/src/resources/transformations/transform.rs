//! `POST /api/v1/transformations`: lots are made of others.

use super::read;
use super::view::TransformationView;
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use crate::values::{Command, TransformationInput};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;
use ledger::author::AuthorError;

/// Make lots of others: split, merge, pack, press.
#[utoipa::path(
    post, path = "/api/v1/transformations", tag = "produce", operation_id = "transform_produce",
    request_body = Command<TransformationInput>,
    responses(
        (status = 201, description = "The transformation, with the ids of the lots that came out", body = Resource<TransformationView>, content_type = "application/hal+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "An input is offered, packed, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn transform(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<TransformationInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let lot = command.fields.first_input()?;
    let first = state.views().produce(&lot).map_err(storage)?;
    let first = first.ok_or(AuthorError::UnknownLot { field: "inputs[0].lot", lot })?;
    let done = state.author.transform_produce(context, command.fields.read(&first)?).await?;
    Ok(created(&state, &done, links::transformation(&done.id), || read::find(&state, &done.id)).await)
}
