//! `/log/…`: the log as static files (C2SP tlog-tiles): checkpoint, tiles of hashes, bundles of entries.

use super::tile_path::TilePath;
use crate::caching::{ASK_AGAIN, Cached, IMMUTABLE};
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

/// Where the names of tiles begin.
const TILES: &str = "/log/tile/";

/// A partial tile never changes either, but a wider one takes its place as soon as the log grows: nobody will ask for
/// it an hour later.
const PARTIAL: &str = "public, max-age=3600";

/// The newest checkpoint.
///
/// A signed note (C2SP signed-note, tlog-checkpoint) of the newest cut: origin, size, root, and the state root on its
/// extension line; then the cosignatures of other nodes. The log is cut at least once a second while it grows.
#[utoipa::path(
    get, path = "/log/checkpoint", tag = "log", operation_id = "read_checkpoint",
    responses(
        (status = 200, description = "The signed note", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 304, description = "The caller has the newest one"),
        (status = 404, description = "This node keeps no log of its own", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn checkpoint(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, Problem> {
    let note = state.ledger.checkpoint()?;
    Ok(Cached::new("text/plain; charset=utf-8", ASK_AGAIN, note.as_bytes().to_vec()).answer(&headers))
}

/// A tile of hashes, or a bundle of entries.
///
/// `{level}/{index}[.p/{width}]` or `entries/{index}[.p/{width}]`, the index in elements of three digits, all but the
/// last with an `x` before them: `0/x001/x234/067.p/5`. Entries are event ids, each behind its length in two bytes.
#[utoipa::path(
    get, path = "/log/tile/{*path}", tag = "log", operation_id = "read_tile",
    params(("path" = String, Path, description = "Level and index, as tlog-tiles writes them", example = "0/000.p/5")),
    responses(
        (status = 200, description = "The hashes or entries, one after the other", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The caller has it"),
        (status = 400, description = "Not the name of a tile", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The log does not reach so far yet", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn tile(State(state): State<ApiState>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    // The path as it was sent: a name has no other spelling, percent-encoded or otherwise.
    let tile = uri.path().strip_prefix(TILES).and_then(TilePath::parse).ok_or_else(|| {
        let detail = "This is not the name of a tile. Write level and index as tlog-tiles does, such as 0/x001/067 or 0/000.p/5.";
        Problem::new(Code::MalformedPath, detail).field("path").rule("tile_path")
    })?;
    let bytes = match tile.level {
        Some(level) => state.ledger.tile(level, tile.index, u64::from(tile.width)).map_err(storage)?,
        None => entries(&state, tile)?,
    };
    let bytes = bytes.ok_or_else(|| {
        let detail = format!(
            "The log has {} entries, so this tile is not complete. Read the checkpoint and ask for what it covers.",
            state.ledger.size()
        );
        Problem::new(Code::NotFound, detail)
    })?;
    let keep = if tile.is_full() { IMMUTABLE } else { PARTIAL };
    Ok(Cached::new("application/octet-stream", keep, bytes).answer(&headers))
}

/// Entries, each behind its length as two bytes, big-endian; nothing if they do not all exist.
fn entries(state: &ApiState, tile: TilePath) -> Result<Option<Vec<u8>>, Problem> {
    let Some(first) = tile.index.checked_mul(256) else { return Ok(None) };
    let width = usize::from(tile.width);
    if first.checked_add(u64::from(tile.width)).is_none_or(|end| end > state.ledger.size()) {
        return Ok(None);
    }
    let ids = state.ledger.reader().log_ids(first, width).map_err(storage)?;
    let mut bytes = Vec::with_capacity(width * 34);
    for id in &ids {
        bytes.extend_from_slice(&[0, 32]);
        bytes.extend_from_slice(id.as_bytes());
    }
    Ok((ids.len() == width).then_some(bytes))
}
