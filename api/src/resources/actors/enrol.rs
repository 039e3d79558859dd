//! `POST /api/v1/actors`: somebody is brought into the network.

use super::read::find;
use super::view::{ActorView, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, EnrolmentInput};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;

/// Enrol an actor.
#[utoipa::path(
    post, path = "/api/v1/actors", tag = "actors", operation_id = "enrol_actor", request_body = Command<EnrolmentInput>,
    responses(
        (status = 201, description = "The actor", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep the enroller's key, or the new one", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn enrol(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<EnrolmentInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.enrol_actor(context, command.fields.read()?).await?;
    let id = done.id.subject(0);
    Ok(created(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}
