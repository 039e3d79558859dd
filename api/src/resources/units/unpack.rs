//! `POST /api/v1/units/{id}/unpackings`: goods are taken out of a unit.

use super::read::find;
use super::view::{UnitView, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use crate::values::{Command, UnpackingInput};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::view::{PageSize, ProduceFilter, UnitFilter};
use provenance::id::SubjectId;

/// Take goods out of a unit.
#[utoipa::path(
    post, path = "/api/v1/units/{id}/unpackings", tag = "units", operation_id = "unpack_unit",
    params(("id" = String, Path, description = "The unit's id")), request_body = Command<UnpackingInput>,
    responses(
        (status = 200, description = "The unit as it is now", body = Resource<UnitView>, content_type = "application/hal+json"),
        (status = 404, description = "No such unit here", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is offered, packed, closed or disputed", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn unpack(
    _: Writer,
    State(state): State<ApiState>,
    PathId(unit): PathId<SubjectId>,
    command: Command<UnpackingInput>,
) -> Result<Response, Problem> {
    find(&state, &unit)?;
    let context = command.envelope.read()?;
    let contents = match command.fields.contents.clone() {
        Some(contents) => contents,
        None => all(&state, unit)?,
    };
    if contents.is_empty() {
        return Err(Problem::value("contents", "count", "Nothing is unpacked. Name what is taken out of the unit."));
    }
    let done = state.author.unpack_unit(context, command.fields.read(unit, contents)?).await?;
    Ok(changed(&state, &done, links::unit(&unit), || resource(&state, &Names::of(&state), find(&state, &unit)?, true))
        .await)
}

/// All that lies directly in a unit; more than one event can take out is refused afterwards.
fn all(state: &ApiState, unit: SubjectId) -> Result<Vec<SubjectId>, Problem> {
    let (views, size) = (state.views(), PageSize::new(PageSize::MAX));
    let lots = ProduceFilter { inside: Some(unit), ..ProduceFilter::default() };
    let units = UnitFilter { inside: Some(unit), ..UnitFilter::default() };
    let mut contents: Vec<_> =
        views.produces(&lots, None, size).map_err(storage)?.rows.into_iter().map(|row| row.id).collect();
    contents.extend(views.units(&units, None, size).map_err(storage)?.rows.into_iter().map(|row| row.id));
    Ok(contents)
}
