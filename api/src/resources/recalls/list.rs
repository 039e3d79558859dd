//! `GET /api/v1/recalls`: recalls, newest first.

use super::view::{RecallView, resource};
use crate::auth::MayWrite;
use crate::extract::Query;
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging;
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
    /// Where the page begins: from the link `next`.
    cursor: Option<String>,
    /// 1 to 200; 50 without it.
    limit: Option<usize>,
}

/// List recalls, newest first.
#[utoipa::path(
    get, path = "/api/v1/recalls", tag = "recalls", operation_id = "list_recalls", params(RecallsQuery),
    responses(
        (status = 200, description = "A page of recalls", body = Resource<Page<RecallView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(query): Query<RecallsQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<RecallView>>, Problem> {
    let (size, cursor) = paging::of_view(query.limit, query.cursor.as_deref())?;
    let filter = RecallFilter { lot: query.lot, issuer: query.issuer, active: query.active };
    let rows = state.views().recalls(&filter, cursor, size).map_err(storage)?;
    let next = rows.next.map(|next| query.url(Some(next.to_string())));
    let links = Links::to_self(query.url(query.cursor.clone())).and("up", links::entry()).and_maybe("next", next);
    let names = Names::of(&state);
    let members = rows.rows.into_iter().map(|row| resource(&state, &names, row, may_write));
    let resource = Resource::new(Page::of(members.collect::<Result<_, _>>()?), links);
    Ok(if may_write { resource.offering(super::issue_action()) } else { resource })
}

impl RecallsQuery {
    fn url(&self, cursor: Option<String>) -> String {
        links::with_query(
            &links::recalls(),
            &[
                ("lot", self.lot.map(|id| id.to_string())),
                ("issuer", self.issuer.map(|id| id.to_string())),
                ("active", self.active.map(|active| active.to_string())),
                ("cursor", cursor),
                ("limit", self.limit.map(|limit| limit.to_string())),
            ],
        )
    }
}
