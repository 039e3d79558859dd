//! The feed as a CBOR sequence (RFC 8742): the log's events byte for byte, for auditors and mirrors.

use crate::caching::ASK_AGAIN;
use crate::limits::{MAX_SEQUENCE_BYTES, MAX_SEQUENCE_EVENTS};
use crate::links;
use crate::paging::page_size_up_to;
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use ledger::Ledger;

/// Media type of many events, one after the other.
pub(super) const MEDIA_TYPE: &str = "application/cbor-seq";

/// Events that are read from the disk at a time; the last of them may be read in vain.
const CHUNK: usize = 256;

/// Events from the log index `from` on.
pub(super) async fn read(state: ApiState, from: u64, limit: Option<usize>) -> Result<Response, Problem> {
    let most = page_size_up_to(MAX_SEQUENCE_EVENTS, limit.or(Some(MAX_SEQUENCE_EVENTS)))?;
    let ledger = state.ledger.clone();
    // Some megabytes may have to come from the disk, which must not stop other requests.
    let read = tokio::task::spawn_blocking(move || collect(&ledger, from, most)).await;
    let (bytes, next, size) = read.map_err(|_| {
        Problem::new(Code::Internal, "Reading the events failed. The node's log has the details; tell its operator.")
    })??;
    let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, ASK_AGAIN)];
    let link = (next < size).then(|| [(header::LINK, format!("<{}>; rel=\"next\"", links::feed(next, limit)))]);
    Ok(match link {
        Some(link) => (headers, link, bytes).into_response(),
        None => (headers, bytes).into_response(),
    })
}

/// The bytes, the index of the first event that is not among them, and the size of the durable log.
fn collect(ledger: &Ledger, from: u64, most: usize) -> Result<(Vec<u8>, u64, u64), Problem> {
    let (reader, size) = (ledger.reader(), ledger.size());
    // Rows beyond the durable size belong to a batch that is not acknowledged yet.
    let wanted = usize::try_from(size.saturating_sub(from)).unwrap_or(usize::MAX).min(most);
    let ids = reader.log_ids(from, wanted).map_err(storage)?;
    let (mut bytes, mut next) = (Vec::new(), from);
    for some in ids.chunks(CHUNK) {
        for (id, event) in some.iter().zip(reader.bytes(some).map_err(storage)?) {
            let event = event.ok_or_else(|| storage(format!("the body of event {id} is missing")))?;
            bytes.extend_from_slice(&event);
            next += 1;
            if bytes.len() >= MAX_SEQUENCE_BYTES {
                return Ok((bytes, next, size));
            }
        }
    }
    Ok((bytes, next, size))
}
