//! `POST /api/v1/certificates/{id}/status`: a certificate is suspended, withdrawn or reinstated.

use super::read::find;
use super::view::{CertificateView, now, resource};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{CertificateStatusInput, Command};
use crate::written::changed;
use axum::extract::State;
use axum::response::Response;
use ledger::author::Context;
use provenance::id::SubjectId;

/// Change how a certificate stands.
///
/// Signed by its issuer if this node keeps the key, unless `actor` names somebody above.
#[utoipa::path(
    post, path = "/api/v1/certificates/{id}/status", tag = "certificates", operation_id = "set_certificate_status",
    params(("id" = String, Path, description = "The certificate's id")), request_body = Command<CertificateStatusInput>,
    responses(
        (status = 200, description = "The certificate as it stands now", body = Resource<CertificateView>, content_type = "application/hal+json"),
        (status = 404, description = "No such certificate here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    _: Writer,
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    command: Command<CertificateStatusInput>,
) -> Result<Response, Problem> {
    let (row, envelope) = (find(&state, &id)?, command.envelope.read()?);
    let actor = envelope.actor.or_else(|| Some(row.issuer).filter(|issuer| state.keeps(issuer)));
    let context = Context { actor, ..envelope };
    let done = state.author.set_certificate_status(context, command.fields.read(id)?).await?;
    let read = || resource(&state, &Names::of(&state), find(&state, &id)?, now(), true);
    Ok(changed(&state, &done, links::certificate(&id), read).await)
}
