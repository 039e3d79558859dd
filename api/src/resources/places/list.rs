//! `GET /api/v1/places`: places, newest first.

use super::view::{PlaceView, resource};
use crate::auth::MayWrite;
use crate::extract::Query;
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging;
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
    /// Where the page begins: from the link `next`.
    cursor: Option<String>,
    /// 1 to 200; 50 without it.
    limit: Option<usize>,
}

/// List places, newest first.
#[utoipa::path(
    get, path = "/api/v1/places", tag = "places", operation_id = "list_places", params(PlacesQuery),
    responses(
        (status = 200, description = "A page of places", body = Resource<Page<PlaceView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(query): Query<PlacesQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<PlaceView>>, Problem> {
    let (size, cursor) = paging::of_view(query.limit, query.cursor.as_deref())?;
    let gln = query.gln.as_deref().map(Gln::new).transpose();
    let gln = gln.map_err(|error| Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field("gln"))?;
    let rows = state
        .views()
        .places(&PlaceFilter { registered_by: query.registered_by, gln }, cursor, size)
        .map_err(storage)?;
    let next = rows.next.map(|next| query.url(Some(next.to_string())));
    let links = Links::to_self(query.url(query.cursor.clone())).and("up", links::entry()).and_maybe("next", next);
    let names = Names::of(&state);
    let members =
        rows.rows.into_iter().map(|row| resource(&state, &names, row, may_write)).collect::<Result<_, _>>()?;
    let resource = Resource::new(Page::of(members), links);
    Ok(if may_write { resource.offering(super::register_action()) } else { resource })
}

impl PlacesQuery {
    fn url(&self, cursor: Option<String>) -> String {
        links::with_query(
            &links::places(),
            &[
                ("registered_by", self.registered_by.map(|id| id.to_string())),
                ("gln", self.gln.clone()),
                ("cursor", cursor),
                ("limit", self.limit.map(|limit| limit.to_string())),
            ],
        )
    }
}
