//! `GET /api/v1/actors`: actors, newest first, founders last.

use super::view::{ActorView, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::paging::{PageQuery, Paged};
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::ActorFilter;
use provenance::body::Role;
use provenance::id::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which actors; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActorsQuery {
    /// With this role, such as farmer or node.
    #[param(value_type = Option<String>)]
    role: Option<Role>,
    /// Enrolled by this actor.
    #[param(value_type = Option<String>)]
    enroller: Option<SubjectId>,
}

/// List actors, newest first.
#[utoipa::path(
    get, path = "/api/v1/actors", tag = "actors", operation_id = "list_actors", params(ActorsQuery, PageQuery),
    responses(
        (status = 200, description = "A page of actors", body = Resource<Page<ActorView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<ActorsQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<ActorView>>, Problem> {
    let filter = ActorFilter { role: query.filter.role, enroller: query.filter.enroller };
    let rows = state.views().actors(&filter, query.cursor, query.size).map_err(storage)?;
    let links = query.links(&links::actors(), rows.next);
    let members = rows.rows.into_iter().map(|row| resource(&state, row, may_write)).collect();
    let resource = Resource::new(Page::of(members), links);
    Ok(if may_write { resource.offering(super::enrol_action()) } else { resource })
}
