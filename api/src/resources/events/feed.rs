//! `GET /api/v1/events`: the log as a feed, in its order, to be followed by its index.

use super::sequence;
use super::view::{EventView, resource, view};
use crate::extract::{Query, accepts};
use crate::hal::{Links, Page, Resource};
use crate::limits::MAX_FEED_PAGE;
use crate::links;
use crate::names::Names;
use crate::paging::page_size_up_to;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// From where to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// The first log index; without it from the beginning. Index 0 is the network itself and no event.
    from: Option<u64>,
    /// 1 to 1000, as bytes 1 to 4096; without it 50, as bytes 4096.
    limit: Option<usize>,
}

/// Events in the order of this node's log.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Feed {
    /// Where to go on, now or when the log has grown.
    next_from: u64,
    /// Durable entries of the log.
    log_size: u64,
    #[serde(flatten)]
    page: Page<EventView>,
}

/// Read the feed.
///
/// With `Accept: application/cbor-seq` the exact signed bytes, one event after the other (RFC 8742): as many as `limit`
/// or some megabytes allow. The header `Link` with `rel="next"` (RFC 8288) says where to go on, until the log ends.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", operation_id = "read_feed", params(FeedQuery),
    responses(
        (status = 200, description = "A page of events, or their bytes", content(
            (Resource<Feed> = "application/hal+json"),
            (Vec<u8> = "application/cbor-seq"),
        )),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn feed(
    State(state): State<ApiState>,
    Query(query): Query<FeedQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let from = query.from.unwrap_or(1).max(1);
    let mut response = if accepts(&headers, sequence::MEDIA_TYPE) {
        sequence::read(state, from, query.limit).await?
    } else {
        page(&state, from, query.limit)?.into_response()
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn page(state: &ApiState, from: u64, limit: Option<usize>) -> Result<Resource<Feed>, Problem> {
    let most = page_size_up_to(MAX_FEED_PAGE, limit)?;
    let (names, proofs) = (Names::of(state), Proofs::of(state.anchoring.as_ref()));
    let (reader, log_size) = (state.ledger.reader(), state.ledger.size());
    // Rows beyond the durable size belong to a batch that is not acknowledged yet.
    let wanted = usize::try_from(log_size.saturating_sub(from)).unwrap_or(usize::MAX).min(most);
    let ids = reader.log_ids(from, wanted).map_err(storage)?;
    let next_from = from + ids.len() as u64;
    let mut members = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(stored) = reader.stored(&id).map_err(storage)? {
            members.push(resource(view(&stored, None, &names, &proofs)?, &stored));
        }
    }
    let more = (next_from < log_size).then(|| links::feed(next_from, limit));
    let links = Links::to_self(links::feed(from, limit)).and_maybe("next", more);
    Ok(Resource::new(Feed { next_from, log_size, page: Page::of(members) }, links))
}
