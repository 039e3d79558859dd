//! `POST /api/v1/recalls`: somebody warns of lots.

use super::read::find;
use super::view::{RecallView, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, RecallInput};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;

/// Warn of lots.
///
/// Signed by an authority, or by an actor that holds each of the lots or held it once.
#[utoipa::path(
    post, path = "/api/v1/recalls", tag = "recalls", operation_id = "issue_recall", request_body = Command<RecallInput>,
    responses(
        (status = 201, description = "The recall", body = Resource<RecallView>, content_type = "application/hal+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn issue(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<RecallInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.issue_recall(context, command.fields.read()?).await?;
    let read = || resource(&state, &Names::of(&state), find(&state, &done.id)?, true);
    Ok(created(&state, &done, links::recall(&done.id), read).await)
}
