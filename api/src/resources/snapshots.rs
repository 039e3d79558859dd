//! `/api/v1/snapshots`: a copy of the store of the running node, for `furrow backup` on the same machine.

use crate::auth::Writer;
use crate::problem::{Code, Problem, sentence};
use crate::state::{ApiState, Snapshot};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// Make a copy of the node's store.
///
/// It is consistent and lies in the node's own folder until whoever asked for it takes it away; the next one, and the
/// next start, remove what was left. Writing goes on meanwhile.
#[utoipa::path(
    post, path = "/api/v1/snapshots", tag = "operations", operation_id = "take_snapshot",
    responses(
        (status = 201, description = "Where it lies on the node's machine", body = Snapshot),
        (status = 503, description = "The disk does not take it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn take(_: Writer, State(state): State<ApiState>) -> Result<(StatusCode, Json<Snapshot>), Problem> {
    let snapshots = state.snapshots.clone();
    let taken = tokio::task::spawn_blocking(move || snapshots.take()).await;
    let taken = taken
        .map_err(|_| Problem::new(Code::Internal, "The copy could not be made. The node's log has the details."))?;
    let snapshot = taken.map_err(|error| Problem::new(Code::Storage, sentence(&error.to_string())))?;
    Ok((StatusCode::CREATED, Json(snapshot)))
}
