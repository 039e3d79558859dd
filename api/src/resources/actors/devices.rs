//! `POST /api/v1/actors/{id}/attachments`, `detachments`: what a device travels with.

use super::read::find;
use super::view::{ActorView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{AttachmentInput, Command, DetachmentInput};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::author::Context;
use provenance::id::SubjectId;

/// Attach a device.
///
/// What it measures from now on concerns what it is attached to. Signed by the device if this node keeps its key, unless
/// `actor` names somebody above it.
#[utoipa::path(
    post, path = "/api/v1/actors/{id}/attachments", tag = "actors", operation_id = "attach_device",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<AttachmentInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep a living key of the signer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is no living key, or a journal has no single end", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn attach(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<AttachmentInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let envelope = command.envelope.read()?;
    let actor = envelope.actor.or_else(|| Some(id).filter(|device| state.keeps(device)));
    let context = Context { actor, ..envelope };
    let done = state.author.attach_device(context, command.fields.read(id)?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}

/// Detach a device.
///
/// Signed by the device if this node keeps its key, unless `actor` names somebody above it.
#[utoipa::path(
    post, path = "/api/v1/actors/{id}/detachments", tag = "actors", operation_id = "detach_device",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<DetachmentInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep a living key of the signer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is no living key, or a journal has no single end", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn detach(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<DetachmentInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let envelope = command.envelope.read()?;
    let actor = envelope.actor.or_else(|| Some(id).filter(|device| state.keeps(device)));
    let context = Context { actor, ..envelope };
    let done = state.author.detach_device(context, command.fields.read(id)?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}
