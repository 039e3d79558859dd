//! `GET /api/v1/units`: logistic units, newest first.

use super::view::{UnitView, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::{PageQuery, Paged};
use crate::problem::{Code, Problem, sentence};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::{LotStanding, UnitFilter};
use provenance::id::SubjectId;
use provenance::value::Sscc;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which units; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UnitsQuery {
    /// With this serial shipping container code.
    sscc: Option<String>,
    /// Lying directly in this unit.
    #[param(value_type = Option<String>)]
    unit: Option<SubjectId>,
    /// Held by this actor.
    #[param(value_type = Option<String>)]
    holder: Option<SubjectId>,
    /// Owned by this actor.
    #[param(value_type = Option<String>)]
    owner: Option<SubjectId>,
    /// held, offered, packed, disputed or closed.
    #[param(value_type = Option<String>)]
    state: Option<LotStanding>,
}

/// List units, newest first.
#[utoipa::path(
    get, path = "/api/v1/units", tag = "units", operation_id = "list_units", params(UnitsQuery, PageQuery),
    responses(
        (status = 200, description = "A page of units", body = Resource<Page<UnitView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<UnitsQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<UnitView>>, Problem> {
    let sscc = query.filter.sscc.as_deref().map(Sscc::new).transpose();
    let sscc = sscc.map_err(|error| Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field("sscc"))?;
    let filter = UnitFilter {
        sscc,
        inside: query.filter.unit,
        holder: query.filter.holder,
        owner: query.filter.owner,
        standing: query.filter.state,
    };
    let page = state.views().units(&filter, query.cursor, query.size).map_err(storage)?;
    let names = Names::of(&state);
    let members =
        page.rows.into_iter().map(|row| resource(&state, &names, row, may_write)).collect::<Result<_, _>>()?;
    let links = query
        .links(&links::units(), page.next)
        .templated("find", links::units() + "{?sscc,unit,holder,owner,state,cursor,limit}");
    let resource = Resource::new(Page::of(members), links);
    Ok(if may_write { resource.offering(super::pack_action()) } else { resource })
}
