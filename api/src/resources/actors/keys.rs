//! `POST /api/v1/actors/{id}/keys`, `rotation`, `replacement`, `revocation`: keys come and go.

use super::read::find;
use super::view::{ActorView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, KeyAdditionInput, ReplacementInput, RevocationInput, RotationInput};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::author::Context;
use ledger::view::ActorRow;
use provenance::id::SubjectId;

/// Add a key.
///
/// A further key of the same actor, as for a second device. Signed by the actor itself.
#[utoipa::path(
    post, path = "/api/v1/actors/{id}/keys", tag = "actors", operation_id = "add_key",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<KeyAdditionInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep a living key of the signer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is no living key, or a journal has no single end", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn add(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<KeyAdditionInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let context = Context { actor: Some(id), ..command.envelope.read()? };
    let done = state.author.add_key(context, command.fields.read()?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}

/// Rotate a key.
///
/// A new key in the place of one that the actor still has, which signs this as its last event.
#[utoipa::path(
    post, path = "/api/v1/actors/{id}/rotation", tag = "actors", operation_id = "rotate_key",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<RotationInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep a living key of the signer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is no living key, or a journal has no single end", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn rotate(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<RotationInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let context = Context { actor: Some(id), ..command.envelope.read()? };
    let done = state.author.rotate_key(context, command.fields.read()?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}

/// Replace an actor's keys from above.
///
/// Where a key was lost or stolen: the actor gets a new one, and all old ones end, each with the last event that is known
/// here, or that `last` names. What was signed with them later does not count, but for what `stands`. Signed by the enroller
/// if this node keeps its key, unless `actor` names somebody else above.
#[utoipa::path(
    post, path = "/api/v1/actors/{id}/replacement", tag = "actors", operation_id = "replace_key",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<ReplacementInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep a living key of the signer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is no living key, or a journal has no single end", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn replace(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<ReplacementInput>,
) -> Result<Response, Problem> {
    let context = signed_above(&state, &find(&state, &id)?, command.envelope.read()?);
    let done = state.author.replace_key(context, command.fields.read(id)?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}

/// Revoke an actor.
///
/// All its keys end, as for a replacement, and it gets no new one. Signed by the enroller if this node keeps its key, unless
/// `actor` names somebody else above.
#[utoipa::path(
    post, path = "/api/v1/actors/{id}/revocation", tag = "actors", operation_id = "revoke_actor",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<RevocationInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep a living key of the signer", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There is no living key, or a journal has no single end", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn revoke(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<RevocationInput>,
) -> Result<Response, Problem> {
    let context = signed_above(&state, &find(&state, &id)?, command.envelope.read()?);
    let done = state.author.revoke_actor(context, command.fields.read(id)?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}

/// The enroller signs where nobody is named and this node can sign for it.
fn signed_above(state: &ApiState, row: &ActorRow, context: Context) -> Context {
    let actor = context.actor.or_else(|| row.enroller.filter(|enroller| state.keeps(enroller)));
    Context { actor, ..context }
}
