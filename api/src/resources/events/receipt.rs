//! `GET /api/v1/events/{id}/receipt` and `/statement`: the log's signed word that it holds an event (RFC 9942), alone
//! or in the event's own header.

use super::read::COSE;
use crate::caching::{ASK_AGAIN, Cached, IMMUTABLE};
use crate::extract::{PathId, Query};
use crate::problem::{Code, Problem, sentence};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use provenance::id::EventId;
use provenance::receipt::InclusionReceipt;
use provenance::transparent::with_receipts;
use serde::Deserialize;
use utoipa::IntoParams;

/// Media type of a signed statement, with or without receipts (RFC 9943).
pub(super) const STATEMENT: &str = "application/scitt-statement+cose";

/// At which size of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReceiptQuery {
    /// The size of the log of which the receipt speaks; without it that of the newest checkpoint.
    size: Option<u64>,
}

/// Read an event's receipt.
///
/// A COSE receipt (RFC 9942): a proof that the event stands in the log of a size, and the signature of the log's key on
/// the root to which it leads.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/receipt", tag = "events", operation_id = "read_receipt",
    params(("id" = String, Path, description = "The event's id"), ReceiptQuery),
    responses(
        (status = 200, description = "The receipt", body = Vec<u8>, content_type = "application/cose"),
        (status = 304, description = "The caller has it already"),
        (status = 404, description = "No such event, or no checkpoint covers it yet", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The state map, and so the checkpoint, is being made again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn receipt(
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    Query(query): Query<ReceiptQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let receipt = issue(&state, &id, query.size)?;
    Ok(Cached::new(COSE, keep(query.size), receipt.to_vec()).answer(&headers))
}

/// Read an event as a transparent statement.
///
/// The signed event with its receipt in the unprotected header, as SCITT has it (RFC 9943). The event's id is the
/// SHA-256 of the bytes without what stands there.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/statement", tag = "events", operation_id = "read_statement",
    params(("id" = String, Path, description = "The event's id"), ReceiptQuery),
    responses(
        (status = 200, description = "The statement", body = Vec<u8>, content_type = "application/scitt-statement+cose"),
        (status = 304, description = "The caller has it already"),
        (status = 404, description = "No such event, or no checkpoint covers it yet", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The state map, and so the checkpoint, is being made again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn statement(
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    Query(query): Query<ReceiptQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    transparent(&state, &id, query.size, &headers)
}

/// The event with its receipt.
pub(super) fn transparent(
    state: &ApiState,
    id: &EventId,
    size: Option<u64>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let receipt = issue(state, id, size)?;
    let event = state.ledger.reader().bytes(&[*id]).map_err(storage)?.pop().flatten();
    let event = event.ok_or_else(|| Problem::not_found("event", id))?;
    let statement = with_receipts(&event, &[receipt.to_vec()])
        .map_err(|error| Problem::new(Code::Internal, sentence(&error.to_string())))?;
    Ok(Cached::new(STATEMENT, keep(size), statement).answer(headers))
}

fn issue(state: &ApiState, id: &EventId, size: Option<u64>) -> Result<InclusionReceipt, Problem> {
    let size = match size {
        Some(size) => size,
        None => state.ledger.newest_cut()?.size,
    };
    Ok(state.ledger.inclusion_receipt(id, size)?)
}

/// Signatures are deterministic, so a receipt of a given size never changes.
fn keep(size: Option<u64>) -> &'static str {
    if size.is_some() { IMMUTABLE } else { ASK_AGAIN }
}
