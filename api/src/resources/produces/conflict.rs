//! `GET /api/v1/produces/{id}/conflict`: the events of a lot that cannot all stand, as a proof.

use super::read::find;
use crate::caching::{ASK_AGAIN, Cached};
use crate::extract::PathId;
use crate::limits::MAX_BUNDLES_AT_ONCE;
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use provenance::conflict::{CONTENT_TYPE, Gathered};
use provenance::id::SubjectId;
use tokio::sync::Semaphore;

/// Each is made as a bundle is: out of all on which a lot's events rest.
static PLACES: Semaphore = Semaphore::const_new(MAX_BUNDLES_AT_ONCE);

/// Read the proof that events of a lot exclude each other.
///
/// It verifies without any node: by `furrow verify`, by the npm package `furrow-verifier`, or by whatever follows
/// `docs/conflict.md`. There is one as long as the lot is in conflict, whether or not an acceptance has settled that.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/conflict", tag = "produce", operation_id = "read_conflict",
    params(("id" = String, Path, description = "The lot's id")),
    responses(
        (status = 200, description = "The conflict proof", body = Vec<u8>, content_type = "application/vnd.furrow.conflict+cbor"),
        (status = 304, description = "The caller has it already"),
        (status = 404, description = "No such lot here, or its events can all stand", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The node makes as many proofs as it can", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(lot): PathId<SubjectId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = find(&state, &lot)?;
    let nothing = || {
        let detail = "No events of this lot are known to exclude each other, so there is nothing to prove.";
        Problem::new(Code::NotFound, detail)
    };
    if row.in_conflict.is_empty() {
        return Err(nothing());
    }
    let made = made(move || {
        let (reader, network) = (state.ledger.reader(), state.ledger.network());
        ledger::conflict::of_lot(reader, network, &lot, &row.in_conflict).map_err(storage)
    });
    Ok(file(made.await?.ok_or_else(nothing)?, &lot.to_string(), &headers))
}

/// Makes a proof where it keeps nobody waiting.
pub(crate) async fn made(
    make: impl FnOnce() -> Result<Option<Gathered>, Problem> + Send + 'static,
) -> Result<Option<Gathered>, Problem> {
    let place = PLACES.try_acquire().map_err(|_| {
        let detail = "The node makes as many proofs as it can. Try again after the time in Retry-After.";
        Problem::new(Code::Overloaded, detail)
    })?;
    let made = tokio::task::spawn_blocking(move || {
        // Given back when the work is done, whether or not the caller still waits for it.
        let _place = place;
        make()
    });
    made.await.map_err(|_| Problem::new(Code::Internal, "The proof could not be made."))?
}

/// A proof as a file with a name.
pub(crate) fn file(gathered: Gathered, name: &str, headers: &HeaderMap) -> Response {
    let mut response = Cached::new(CONTENT_TYPE, ASK_AGAIN, gathered.bytes).answer(headers);
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.conflict\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
