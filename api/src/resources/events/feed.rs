//! `GET /api/v1/events`: the log as a feed, in its order, to be followed by its index.

use super::view::{EventView, resource, view};
use crate::extract::Query;
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
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// From where to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// The first log index; without it from the beginning. Index 0 is the network itself and no event.
    from: Option<u64>,
    /// 1 to 1000; 50 without it.
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
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", operation_id = "read_feed", params(FeedQuery),
    responses(
        (status = 200, description = "A page of events", body = Resource<Feed>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn feed(
    State(state): State<ApiState>,
    Query(query): Query<FeedQuery>,
) -> Result<Resource<Feed>, Problem> {
    let limit = page_size_up_to(MAX_FEED_PAGE, query.limit)?;
    let (names, proofs) = (Names::of(&state), Proofs::of(state.anchoring.as_ref()));
    let (reader, log_size) = (state.ledger.reader(), state.ledger.size());
    let from = query.from.unwrap_or(1).max(1);
    // Rows beyond the durable size belong to a batch that is not acknowledged yet.
    let wanted = usize::try_from(log_size.saturating_sub(from)).unwrap_or(usize::MAX).min(limit);
    let ids = reader.log_ids(from, wanted).map_err(storage)?;
    let next_from = from + ids.len() as u64;
    let mut members = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(stored) = reader.stored(&id).map_err(storage)? {
            members.push(resource(view(&stored, None, &names, &proofs)?, &stored));
        }
    }
    let more = (next_from < log_size).then(|| links::feed(next_from, query.limit));
    let links = Links::to_self(links::feed(from, query.limit)).and_maybe("next", more);
    Ok(Resource::new(Feed { next_from, log_size, page: Page::of(members) }, links))
}
