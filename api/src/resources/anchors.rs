//! `/api/v1/anchors`: what this node anchored, and how its anchoring stands.

use crate::extract::{PathId, Query};
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::paging::page_size;
use crate::problem::Problem;
use crate::state::{Anchor, AnchoringStatus, ApiState};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where a page of anchors begins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AnchorsQuery {
    /// Only anchors with a lower sequence.
    before: Option<u64>,
    /// 1 to 200; 50 without it.
    limit: Option<usize>,
}

/// Anchors, newest first, and how anchoring stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Anchors {
    status: AnchoringStatus,
    #[serde(flatten)]
    page: Page<Anchor>,
}

/// List anchors, newest first.
#[utoipa::path(
    get, path = "/api/v1/anchors", tag = "anchors", operation_id = "list_anchors", params(AnchorsQuery),
    responses(
        (status = 200, description = "How anchoring stands, and a page of anchors", body = Resource<Anchors>, content_type = "application/hal+json"),
        (status = 400, description = "The query cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Query(query): Query<AnchorsQuery>,
) -> Result<Resource<Anchors>, Problem> {
    let limit = page_size(query.limit)?;
    let anchors = state.anchoring.anchors(query.before, limit);
    let last = anchors.last().map(|anchor| anchor.sequence).filter(|sequence| anchors.len() == limit && *sequence > 0);
    let page = |before: Option<u64>| {
        let parameters = [("before", before.map(|b| b.to_string())), ("limit", query.limit.map(|l| l.to_string()))];
        links::with_query(&links::anchors(), &parameters)
    };
    let links = Links::to_self(page(query.before)).and_maybe("next", last.map(|sequence| page(Some(sequence))));
    let members = anchors.into_iter().map(resource).collect();
    Ok(Resource::new(Anchors { status: state.anchoring.status(), page: Page::of(members) }, links))
}

/// Read an anchor.
#[utoipa::path(
    get, path = "/api/v1/anchors/{sequence}", tag = "anchors", operation_id = "read_anchor",
    params(("sequence" = u64, Path, description = "The anchor's number on this node")),
    responses(
        (status = 200, description = "The anchor", body = Resource<Anchor>, content_type = "application/hal+json"),
        (status = 404, description = "No such anchor", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathId(sequence): PathId<u64>,
) -> Result<Resource<Anchor>, Problem> {
    state.anchoring.anchor(sequence).map(resource).ok_or_else(|| Problem::not_found("anchor with the number", sequence))
}

fn resource(anchor: Anchor) -> Resource<Anchor> {
    let links = Links::to_self(links::anchor(anchor.sequence))
        .and("collection", links::anchors())
        .typed("checkpoint", links::CHECKPOINT, "text/plain")
        .and_maybe("prev", anchor.sequence.checked_sub(1).map(links::anchor));
    Resource::new(anchor, links)
}
