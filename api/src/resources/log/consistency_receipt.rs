//! `GET /api/v1/log/consistency-receipt`: the log's signed word that it only grew (RFC 9942).

use crate::caching::{ASK_AGAIN, Cached, IMMUTABLE};
use crate::extract::Query;
use crate::problem::Problem;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// Media type of a `COSE_Sign1`.
const COSE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// Between which sizes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SizesQuery {
    /// The earlier size, at least 1.
    from: u64,
    /// The later size; without it that of the newest checkpoint.
    to: Option<u64>,
}

/// Read a receipt of consistency.
///
/// A COSE receipt (RFC 9942) that an earlier log is the beginning of a later one, signed by the log's key.
#[utoipa::path(
    get, path = "/api/v1/log/consistency-receipt", tag = "log", operation_id = "read_consistency_receipt",
    params(SizesQuery),
    responses(
        (status = 200, description = "The receipt", body = Vec<u8>, content_type = "application/cose"),
        (status = 304, description = "The caller has it already"),
        (status = 400, description = "The query cannot be read, or both sizes are the same", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The log never had such sizes", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn receipt(
    State(state): State<ApiState>,
    Query(query): Query<SizesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (to, keep) = match query.to {
        Some(to) => (to, IMMUTABLE),
        None => (state.ledger.newest_cut()?.size, ASK_AGAIN),
    };
    let receipt = state.ledger.consistency_receipt(query.from, to)?;
    Ok(Cached::new(COSE, keep, receipt.to_vec()).answer(&headers))
}
