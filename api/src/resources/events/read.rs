//! `GET /api/v1/events/{id}`: an event as JSON, or as the exact bytes that were signed.

use super::openings;
use super::receipt::{STATEMENT, transparent};
use super::view::{EventView, resource, view};
use crate::auth::MayWrite;
use crate::caching::{Cached, IMMUTABLE};
use crate::extract::{PathId, accepts};
use crate::hal::Resource;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ledger::Stored;
use provenance::body::Body;
use provenance::id::EventId;

/// Media type of a `COSE_Sign1`, as RFC 9052 registers it.
pub(super) const COSE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// Read an event.
///
/// With `Accept: application/cose` the exact signed bytes, of which the id is the SHA-256; with
/// `Accept: application/scitt-statement+cose` the same with the newest receipt in the unprotected header.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events", operation_id = "read_event",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 200, description = "The event, as JSON, as its bytes, or with its receipt", content(
            (Resource<EventView> = "application/hal+json"),
            (Vec<u8> = "application/cose"),
            (Vec<u8> = "application/scitt-statement+cose"),
        )),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    MayWrite(may_write): MayWrite,
    PathId(id): PathId<EventId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&state, &id)?;
    let mut response = if accepts(&headers, "application/cose") {
        bytes(&stored, &headers)
    } else if accepts(&headers, STATEMENT) {
        transparent(&state, &id, None, &headers)?
    } else {
        let corrected = corrected(&state, &stored)?;
        let mut view = view(&stored, corrected.as_ref(), &Names::of(&state), &Proofs::of(state.anchoring.as_ref()))?;
        if may_write {
            view.opened = openings::opened(&state, &id)?;
        }
        resource(view, &stored).into_response()
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept, authorization"));
    Ok(response)
}

/// Read an event's bytes.
///
/// The exact signed bytes, whatever `Accept` says, so that a link can lead to them.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/cose", tag = "events", operation_id = "read_event_bytes",
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "application/cose"),
        (status = 304, description = "The caller has them already"),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn cose(
    State(state): State<ApiState>,
    PathId(id): PathId<EventId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(bytes(&find(&state, &id)?, &headers))
}

/// A judged event.
pub(crate) fn find(state: &ApiState, id: &EventId) -> Result<Stored, Problem> {
    state.ledger.reader().stored(id).map_err(storage)?.ok_or_else(|| Problem::not_found("event", id))
}

/// What an event says after the corrections on the lanes of its first subject, where there were any.
fn corrected(state: &ApiState, stored: &Stored) -> Result<Option<Body>, Problem> {
    let event = &stored.judged.event;
    let first = event.subject(0).expect("an event touches at least one subject");
    let told = state.views().events_about(&first).map_err(storage)?;
    Ok(told.into_iter().find(|entry| entry.id() == event.id()).and_then(|entry| entry.corrected))
}

/// Signed bytes never change, and their name is their hash.
fn bytes(stored: &Stored, headers: &HeaderMap) -> Response {
    let event = &stored.judged.event;
    let cached =
        Cached { media_type: COSE, keep: IMMUTABLE, tag: event.id().to_string(), bytes: event.bytes().to_vec() };
    let file = format!("attachment; filename=\"{}.cose\"", event.id());
    ([(header::CONTENT_DISPOSITION, file)], cached.answer(headers)).into_response()
}
