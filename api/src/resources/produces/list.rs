//! `GET /api/v1/produces`: lots, newest first.

use super::view::{ProduceView, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::{PageQuery, Paged};
use crate::problem::{Code, Problem, sentence};
use crate::refusal::storage;
use crate::state::ApiState;
use crate::values::text;
use axum::extract::State;
use ledger::view::{LotStanding, ProduceFilter};
use provenance::body::Commodity;
use provenance::id::SubjectId;
use provenance::value::{Grade, Gtin, ValueError};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which lots; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProducesQuery {
    /// Held by this actor.
    #[param(value_type = Option<String>)]
    holder: Option<SubjectId>,
    /// Owned by this actor.
    #[param(value_type = Option<String>)]
    owner: Option<SubjectId>,
    /// Lying directly in this unit.
    #[param(value_type = Option<String>)]
    unit: Option<SubjectId>,
    /// Registered, collected or made by this actor, or on its behalf.
    #[param(value_type = Option<String>)]
    originator: Option<SubjectId>,
    /// Scheme and code, such as `HS:0808.10`.
    commodity: Option<String>,
    /// A grade of the default scheme, or scheme and grade, such as `UNECE FFV-50:Extra`.
    grade: Option<String>,
    /// held, offered, packed, disputed or closed.
    #[param(value_type = Option<String>)]
    state: Option<LotStanding>,
    /// Taken directly from this lot, or made of it.
    #[param(value_type = Option<String>)]
    parent: Option<SubjectId>,
    /// Labelled with this GTIN.
    gtin: Option<String>,
    /// Labelled with this batch number; needs `gtin`.
    lot: Option<String>,
}

/// List lots, newest first.
#[utoipa::path(
    get, path = "/api/v1/produces", tag = "produce", operation_id = "list_produces", params(ProducesQuery, PageQuery),
    responses(
        (status = 200, description = "A page of lots", body = Resource<Page<ProduceView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<ProducesQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<ProduceView>>, Problem> {
    let page = state.views().produces(&query.filter.read()?, query.cursor, query.size).map_err(storage)?;
    let names = Names::of(&state);
    let members =
        page.rows.into_iter().map(|row| resource(&state, &names, row, may_write)).collect::<Result<_, _>>()?;
    let links = query.links(&links::produces(), page.next).templated(
        "find",
        links::produces() + "{?holder,owner,unit,originator,commodity,grade,state,parent,gtin,lot,cursor,limit}",
    );
    let resource = Resource::new(Page::of(members), links);
    Ok(if may_write { resource.offering(super::register_action()).offering(super::collect_action()) } else { resource })
}

impl ProducesQuery {
    fn read(&self) -> Result<ProduceFilter, Problem> {
        let gtin = self.gtin.as_deref().map(Gtin::new).transpose().map_err(|error| unreadable("gtin", &error))?;
        if self.lot.is_some() && gtin.is_none() {
            let detail = "A batch number means something only beside its GTIN. Add the parameter gtin.";
            return Err(Problem::new(Code::MalformedQuery, detail).field("lot").rule("needs_gtin"));
        }
        Ok(ProduceFilter {
            holder: self.holder,
            owner: self.owner,
            inside: self.unit,
            originator: self.originator,
            commodity: self.commodity.as_deref().map(commodity).transpose()?,
            grade: self.grade.as_deref().map(grade).transpose()?,
            standing: self.state,
            parent: self.parent,
            gtin,
            batch: self.lot.clone(),
        })
    }
}

fn commodity(given: &str) -> Result<Commodity, Problem> {
    let (scheme, code) = given.split_once(':').ok_or_else(|| {
        let detail = "Name scheme and code with a colon between them, such as HS:0808.10.";
        Problem::new(Code::MalformedQuery, detail).field("commodity").rule("scheme_and_code")
    })?;
    Ok(Commodity { scheme: text(scheme, "commodity")?, code: text(code, "commodity")? })
}

fn grade(given: &str) -> Result<Grade, Problem> {
    let read = match given.rsplit_once(':') {
        None => Grade::standard(given),
        Some((scheme, value)) => Grade::new(text(scheme, "grade")?, text(value, "grade")?),
    };
    read.map_err(|error| unreadable("grade", &error))
}

fn unreadable(field: &str, error: &ValueError) -> Problem {
    Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field(field)
}
