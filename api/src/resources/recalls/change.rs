//! `PATCH /api/v1/recalls/{event}`: what a recall says changes.

use super::read::{find, signed_by_issuer};
use super::view::{RecallView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, RecallChangeInput};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use provenance::id::EventId;

/// Change a recall.
///
/// Signed by its issuer if this node keeps the key, unless `actor` names somebody above.
#[utoipa::path(
    patch, path = "/api/v1/recalls/{event}", tag = "recalls", operation_id = "update_recall",
    params(("event" = String, Path, description = "The id of the event that issued it")), request_body = Command<RecallChangeInput>,
    responses(
        (status = 200, description = "The recall as it is now", body = Resource<RecallView>, content_type = "application/hal+json"),
        (status = 404, description = "No such recall here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    command: Command<RecallChangeInput>,
) -> Result<Response, Problem> {
    let context = signed_by_issuer(&state, &find(&state, &id)?, command.envelope.read()?);
    let done = state.author.update_recall(context, command.fields.read(id)?).await?;
    let read = || resource(&state, &Names::of(&state), find(&state, &id)?, true);
    Ok(changed(&state, &done, links::recall(&id), read).await)
}
