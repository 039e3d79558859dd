//! `POST /api/v1/certificates`: a certifier issues a certificate.

use super::read::find;
use super::view::{CertificateView, now, resource};
use crate::auth::Writer;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::values::{CertificateInput, Command};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;

/// Issue a certificate.
///
/// Signed by an actor with the role certifier.
#[utoipa::path(
    post, path = "/api/v1/certificates", tag = "certificates", operation_id = "issue_certificate", request_body = Command<CertificateInput>,
    responses(
        (status = 201, description = "The certificate", body = Resource<CertificateView>, content_type = "application/hal+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn issue(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<CertificateInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.issue_certificate(context, command.fields.read()?).await?;
    let id = done.id.subject(0);
    let read = || resource(&state, &Names::of(&state), find(&state, &id)?, now(), true);
    Ok(created(&state, &done, links::certificate(&id), read).await)
}
