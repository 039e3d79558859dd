//! `POST /api/v1/units` and `/api/v1/units/{id}/contents`: goods are packed.

use super::read::find;
use super::view::{UnitView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{Command, ContentsInput, PackingInput};
use crate::written::{changed, created};
use axum::extract::State;
use axum::response::Response;
use provenance::id::SubjectId;

/// Pack goods into a new unit.
///
/// A content of which not all is packed becomes a part-lot, which lies in the unit.
#[utoipa::path(
    post, path = "/api/v1/units", tag = "units", operation_id = "pack_unit", request_body = Command<PackingInput>,
    responses(
        (status = 201, description = "The unit", body = Resource<UnitView>, content_type = "application/hal+json"),
        (status = 401, description = "The token is missing or wrong", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A content is offered, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn pack(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<PackingInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.pack_unit(context, command.fields.read()?).await?;
    let id = done.id.subject(0);
    Ok(created(&state, &done, links::unit(&id), || resource(&state, &Names::of(&state), find(&state, &id)?, true))
        .await)
}

/// Put more into a unit.
#[utoipa::path(
    post, path = "/api/v1/units/{id}/contents", tag = "units", operation_id = "pack_more",
    params(("id" = String, Path, description = "The unit's id")), request_body = Command<ContentsInput>,
    responses(
        (status = 200, description = "The unit as it is now", body = Resource<UnitView>, content_type = "application/hal+json"),
        (status = 404, description = "No such unit here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It, or a content, is offered, packed, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn pack_more(
    _: Writer,
    State(state): State<ApiState>,
    PathId(unit): PathId<SubjectId>,
    command: Command<ContentsInput>,
) -> Result<Response, Problem> {
    find(&state, &unit)?;
    let context = command.envelope.read()?;
    let done = state.author.pack_unit(context, command.fields.read(unit)?).await?;
    Ok(changed(&state, &done, links::unit(&unit), || resource(&state, &Names::of(&state), find(&state, &unit)?, true))
        .await)
}
