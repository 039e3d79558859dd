//! `GET /api/v1/produces/{id}/history`: all that was ever signed about a lot.

use crate::extract::{PathId, Query};
use crate::hal::{Links, Page, Resource};
use crate::limits::MAX_FEED_PAGE;
use crate::links;
use crate::names::Names;
use crate::paging::page_size_up_to;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::refusal::storage;
use crate::resources::events::view::{EventView, event_links, lane_name, view};
use crate::resources::produces::findings::{Finding, findings};
use crate::resources::produces::read::find;
use crate::state::ApiState;
use axum::extract::State;
use ledger::view::{HistoryEntry, ProduceRow};
use provenance::id::{EventId, SubjectId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which part of a long history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Position of the first event, from zero.
    from: Option<usize>,
    /// 1 to 1000; 1000 without it.
    limit: Option<usize>,
}

/// The history of a lot, oldest event first. A part-lot begins with the history of the lot from which it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct History {
    /// The lot.
    #[schema(value_type = String)]
    produce: SubjectId,
    /// How many events there are in all.
    events: usize,
    /// What a reader of the history should know; computed, never signed.
    findings: Vec<Finding>,
    #[serde(flatten)]
    page: Page<HistoryItem>,
}

/// An event of a history.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct HistoryItem {
    #[serde(flatten)]
    event: EventView,
    /// The lot on whose line it lies: this one, or one of which it was a part.
    #[schema(value_type = String)]
    subject: SubjectId,
    /// The line: `main`, `title`, or the id of the actor that attests.
    lane: String,
    /// Whether its values show in the present state.
    counts: bool,
    /// Whether it is one of several events that cannot all stand.
    in_conflict: bool,
    /// The events that corrected it.
    #[schema(value_type = Vec<String>)]
    corrections: Vec<EventId>,
}

/// Read a lot's history.
#[utoipa::path(
    get, path = "/api/v1/produces/{id}/history", tag = "produce", operation_id = "read_produce_history",
    params(("id" = String, Path, description = "The lot's id"), HistoryQuery),
    responses(
        (status = 200, description = "All events, with signers and proof state", body = Resource<History>, content_type = "application/hal+json"),
        (status = 404, description = "No such lot here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn history(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Resource<History>, Problem> {
    let limit = page_size_up_to(MAX_FEED_PAGE, Some(query.limit.unwrap_or(MAX_FEED_PAGE)))?;
    let from = query.from.unwrap_or(0);
    let (row, entries) = told(&state, &id)?;
    let (names, proofs) = (Names::of(&state), Proofs::of(state.anchoring.as_ref()));
    let shown = entries.iter().skip(from).take(limit);
    let members = shown.map(|entry| item(entry, &row, &names, &proofs)).collect::<Result<_, _>>()?;
    let part = |from: usize| {
        let parameters = [("from", Some(from.to_string())), ("limit", query.limit.map(|limit| limit.to_string()))];
        links::with_query(&links::history(&id), &parameters)
    };
    let own = if from == 0 && query.limit.is_none() { links::history(&id) } else { part(from) };
    let more = (from.saturating_add(limit) < entries.len()).then(|| part(from + limit));
    let links = Links::to_self(own).and("produce", links::produce(&id)).and_maybe("next", more);
    let findings = findings(&state, &row, &entries)?;
    let history = History { produce: id, events: entries.len(), findings, page: Page::of(members) };
    Ok(Resource::new(history, links))
}

/// A lot with its history.
pub(crate) fn told(state: &ApiState, id: &SubjectId) -> Result<(ProduceRow, Vec<HistoryEntry>), Problem> {
    let row = find(state, id)?;
    let entries = state.views().history(id).map_err(storage)?.ok_or_else(|| Problem::not_found("lot", id))?;
    Ok((row, entries))
}

fn item(
    entry: &HistoryEntry,
    row: &ProduceRow,
    names: &Names,
    proofs: &Proofs<'_>,
) -> Result<Resource<HistoryItem>, Problem> {
    let event = view(&entry.stored, entry.corrected.as_ref(), names, proofs)?;
    let links = event_links(&entry.stored, &event);
    let item = HistoryItem {
        event,
        subject: entry.subject,
        lane: lane_name(entry.lane),
        counts: entry.counts,
        in_conflict: row.in_conflict.contains(&entry.id()),
        corrections: entry.corrections.clone(),
    };
    Ok(Resource::new(item, links))
}
