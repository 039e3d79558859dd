//! `GET /api/v1/certificates/{id}`: one certificate, as it stands now or at another moment.

use super::view::{CertificateView, now, resource};
use crate::auth::MayWrite;
use crate::extract::{PathId, Query};
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use crate::values::timestamp;
use axum::extract::State;
use ledger::view::CertificateRow;
use provenance::id::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// For which moment.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StandingQuery {
    /// RFC 3339; now without it.
    at: Option<String>,
}

/// Read a certificate.
#[utoipa::path(
    get, path = "/api/v1/certificates/{id}", tag = "certificates", operation_id = "read_certificate",
    params(("id" = String, Path, description = "The certificate's id"), StandingQuery),
    responses(
        (status = 200, description = "The certificate", body = Resource<CertificateView>, content_type = "application/hal+json"),
        (status = 404, description = "No such certificate here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    Query(query): Query<StandingQuery>,
    MayWrite(may_write): MayWrite,
) -> Result<Resource<CertificateView>, Problem> {
    let at = query.at.as_deref().map_or_else(|| Ok(now()), |at| timestamp(at, "at"))?;
    resource(&state, &Names::of(&state), find(&state, &id)?, at, may_write)
}

/// A certificate.
pub(crate) fn find(state: &ApiState, id: &SubjectId) -> Result<CertificateRow, Problem> {
    state.views().certificate(id).map_err(storage)?.ok_or_else(|| Problem::not_found("certificate", id))
}
