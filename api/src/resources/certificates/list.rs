//! `GET /api/v1/certificates`: certificates, newest first.

use super::view::{CertificateView, now, resource};
use crate::auth::MayWrite;
use crate::hal::{Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::{PageQuery, Paged};
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::CertificateFilter;
use provenance::id::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which certificates; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CertificatesQuery {
    /// Of this scheme; together with `number`.
    scheme: Option<String>,
    /// With this number; together with `scheme`.
    number: Option<String>,
    /// Holding for this actor.
    #[param(value_type = Option<String>)]
    operator: Option<SubjectId>,
    /// Issued by this actor.
    #[param(value_type = Option<String>)]
    issuer: Option<SubjectId>,
}

/// List certificates, newest first.
#[utoipa::path(
    get, path = "/api/v1/certificates", tag = "certificates", operation_id = "list_certificates", params(CertificatesQuery, PageQuery),
    responses(
        (status = 200, description = "A page of certificates", body = Resource<Page<CertificateView>>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    query: Paged<CertificatesQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<Page<CertificateView>>, Problem> {
    let number = match (&query.filter.scheme, &query.filter.number) {
        (None, None) => None,
        (Some(scheme), Some(number)) => Some((scheme.clone(), number.clone())),
        _ => {
            let detail = "A number means something within its scheme only. Ask for both.";
            return Err(Problem::new(Code::MalformedQuery, detail).field("number"));
        }
    };
    let filter = CertificateFilter { number, operator: query.filter.operator, issuer: query.filter.issuer };
    let rows = state.views().certificates(&filter, query.cursor, query.size).map_err(storage)?;
    let links = query.links(&links::certificates(), rows.next);
    let (names, at) = (Names::of(&state), now());
    let members = rows.rows.into_iter().map(|row| resource(&state, &names, row, at, may_write));
    let resource = Resource::new(Page::of(members.collect::<Result<_, _>>()?), links);
    Ok(if may_write { resource.offering(super::issue_action()) } else { resource })
}
