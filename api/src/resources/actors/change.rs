//! `PATCH /api/v1/actors/{id}`: an actor changes its own profile.

use super::read::find;
use super::view::{ActorView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{ActorChangeInput, Command};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::author::Context;
use provenance::id::SubjectId;

/// Change an actor's profile.
///
/// Signed by the actor itself; this node must keep its key.
#[utoipa::path(
    patch, path = "/api/v1/actors/{id}", tag = "actors", operation_id = "change_actor",
    params(("id" = String, Path, description = "The actor's id")), request_body = Command<ActorChangeInput>,
    responses(
        (status = 200, description = "The actor as it is now", body = Resource<ActorView>, content_type = "application/hal+json"),
        (status = 403, description = "This node does not keep the actor's key", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<ActorChangeInput>,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let context = Context { actor: Some(id), ..command.envelope.read()? };
    let done = state.author.update_actor(context, command.fields.read()?).await?;
    Ok(changed(&state, &done, links::actor(&id), || Ok(resource(&state, find(&state, &id)?, true))).await)
}
