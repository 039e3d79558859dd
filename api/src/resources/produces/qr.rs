//! `GET /api/v1/produces/{id}/qr.svg` and `qr.png`: the code to print, which leads to the page for consumers.

use super::read::find;
use crate::extract::{PathId, Query};
use crate::links::{self, BaseUrl};
use crate::problem::{Code, Problem, sentence};
use crate::qr::{self, PictureError};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use provenance::id::SubjectId;
use serde::Deserialize;
use utoipa::IntoParams;

/// The code depends on the address of the node, which an operator can change.
const CACHE: &str = "public, max-age=86400";

/// Read a lot's QR code as SVG.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/qr.svg", tag = "produce", operation_id = "read_qr_svg",
    params(("id" = String, Path, description = "The lot's id")),
    responses(
        (status = 200, description = "The code", body = String, content_type = "image/svg+xml"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn svg(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let image = qr::svg(&page_url(&state, &headers, &id)?).map_err(|error| unprintable(&error))?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, CACHE)], image).into_response())
}

/// How large the picture is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PngQuery {
    /// Pixels to the module, 1 to 40; 8 without it, which prints at 300 dpi to about 3 cm.
    scale: Option<usize>,
}

/// Read a lot's QR code as PNG.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/qr.png", tag = "produce", operation_id = "read_qr_png",
    params(("id" = String, Path, description = "The lot's id"), PngQuery),
    responses(
        (status = 200, description = "The code", body = Vec<u8>, content_type = "image/png"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn png(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    Query(query): Query<PngQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    find(&state, &id)?;
    let scale = query.scale.unwrap_or(8);
    if !(1..=40).contains(&scale) {
        return Err(Problem::new(Code::MalformedQuery, "A module has 1 to 40 pixels.").field("scale").rule("range"));
    }
    let image = qr::png(&page_url(&state, &headers, &id)?, scale).map_err(|error| unprintable(&error))?;
    Ok(([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, CACHE)], image).into_response())
}

/// The address of a lot's page: under the configured base, else under the host that the caller used.
pub(crate) fn page_url(state: &ApiState, headers: &HeaderMap, id: &SubjectId) -> Result<String, Problem> {
    if let Some(base) = &state.base_url {
        return Ok(base.join(&links::page(id)));
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let base = host.and_then(|host| BaseUrl::parse(&format!("http://{host}")).ok());
    base.map(|base| base.join(&links::page(id))).ok_or_else(|| {
        let detail = "The request names no valid Host, and the node has no base URL, so the address of the page is not known. Configure base_url.";
        Problem::new(Code::MalformedPath, detail).field("Host")
    })
}

fn unprintable(error: &PictureError) -> Problem {
    Problem::new(Code::Internal, sentence(&error.to_string()))
}
