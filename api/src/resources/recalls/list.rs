//! `GET /api/v1/recalls`: recalls, newest first.

use super::view::{RecallView, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::{PageQuery, Paged};
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::RecallFilter;
use provenance::id::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which recalls; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecallsQuery {
    /// Of this lot.
    #[param(value_type = Option<String>)]
    lot: Option<SubjectId>,
    /// Issued by this actor.
    #[param(value_type = Option<String>)]
    issuer: Option<SubjectId>,
    /// true for those that stand, false for those that were ended.
    active: Option<bool>,
}

/// List recalls, newest first.
#[utoipa::path(
    get, path = "/api/v1/recalls", tag = "recalls", operation_id = "list_recalls", params(RecallsQuery, PageQuery),
    responses(
        (status = 200, description = "A page of recalls", body = Resource<Page<RecallView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<RecallsQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<RecallView>>, Problem> {
    let filter = RecallFilter { lot: query.filter.lot, issuer: query.filter.issuer, active: query.filter.active };
    let rows = state.views().recalls(&filter, query.cursor, query.size).map_err(storage)?;
    let links = query.links(&links::recalls(), rows.next);
    let names = Names::of(&state);
    let members = rows.rows.into_iter().map(|row| resource(&state, &names, row, may_write));
    let resource = Resource::new(Page::of(members.collect::<Result<_, _>>()?), links);
    Ok(if may_write { resource.offering(super::issue_action()) } else { resource })
}
