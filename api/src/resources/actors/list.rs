//! `GET /api/v1/actors`: actors, newest first, founders last.

use super::view::{ActorView, resource};
use crate::auth::MayWrite;
use crate::extract::Query;
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::paging;
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
    /// Where the page begins: from the link `next`.
    cursor: Option<String>,
    /// 1 to 200; 50 without it.
    limit: Option<usize>,
}

/// List actors, newest first.
#[utoipa::path(
    get, path = "/api/v1/actors", tag = "actors", operation_id = "list_actors", params(ActorsQuery),
    responses(
        (status = 200, description = "A page of actors", body = Resource<Page<ActorView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(query): Query<ActorsQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<ActorView>>, Problem> {
    let (size, cursor) = paging::of_view(query.limit, query.cursor.as_deref())?;
    let filter = ActorFilter { role: query.role, enroller: query.enroller };
    let rows = state.views().actors(&filter, cursor, size).map_err(storage)?;
    let next = rows.next.map(|next| query.url(Some(next.to_string())));
    let links = Links::to_self(query.url(query.cursor.clone())).and("up", links::entry()).and_maybe("next", next);
    let members = rows.rows.into_iter().map(|row| resource(&state, row, may_write)).collect();
    let resource = Resource::new(Page::of(members), links);
    Ok(if may_write { resource.offering(super::enrol_action()) } else { resource })
}

impl ActorsQuery {
    fn url(&self, cursor: Option<String>) -> String {
        let role = self
            .role
            .and_then(|role| serde_json::to_value(role).ok())
            .and_then(|name| name.as_str().map(str::to_owned));
        links::with_query(
            &links::actors(),
            &[
                ("role", role),
                ("enroller", self.enroller.map(|id| id.to_string())),
                ("cursor", cursor),
                ("limit", self.limit.map(|limit| limit.to_string())),
            ],
        )
    }
}
