//! `GET /api/v1/places`: places, newest first.

use super::view::{PlaceView, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::{PageQuery, Paged};
use crate::problem::{Code, Problem, sentence};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::PlaceFilter;
use provenance::id::SubjectId;
use provenance::value::Gln;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which places; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlacesQuery {
    /// Registered by this actor, or on its behalf.
    #[param(value_type = Option<String>)]
    registered_by: Option<SubjectId>,
    /// With this Global Location Number.
    gln: Option<String>,
}

/// List places, newest first.
#[utoipa::path(
    get, path = "/api/v1/places", tag = "places", operation_id = "list_places", params(PlacesQuery, PageQuery),
    responses(
        (status = 200, description = "A page of places", body = Resource<Page<PlaceView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<PlacesQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<PlaceView>>, Problem> {
    let gln = query.filter.gln.as_deref().map(Gln::new).transpose();
    let gln = gln.map_err(|error| Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field("gln"))?;
    let rows = state
        .views()
        .places(&PlaceFilter { registered_by: query.filter.registered_by, gln }, query.cursor, query.size)
        .map_err(storage)?;
    let links = query.links(&links::places(), rows.next);
    let names = Names::of(&state);
    let members =
        rows.rows.into_iter().map(|row| resource(&state, &names, row, may_write)).collect::<Result<_, _>>()?;
    let resource = Resource::new(Page::of(members), links);
    Ok(if may_write { resource.offering(super::register_action()) } else { resource })
}
