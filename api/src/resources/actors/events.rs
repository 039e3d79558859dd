//! `GET /api/v1/actors/{id}/events`: all that an actor's keys signed, those of the newest key first.

use super::read::find;
use crate::extract::{PathId, Query};
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::names::Names;
use crate::paging::page_size;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::refusal::storage;
use crate::resources::events::view::{EventView, resource, view};
use crate::state::ApiState;
use axum::extract::State;
use ledger::Stored;
use ledger::view::{ActorRow, PageSize};
use provenance::id::{EventId, SubjectId};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which part of a journal.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JournalQuery {
    /// Only events signed before this one: from the link `next`.
    #[param(value_type = Option<String>)]
    before: Option<EventId>,
    /// 1 to 200; 50 without it.
    limit: Option<usize>,
}

/// List what an actor signed, newest first.
///
/// Void events that the key's journal passes through are among them, without a log index.
#[utoipa::path(
    get, path = "/api/v1/actors/{id}/events", tag = "actors", operation_id = "list_actor_events",
    params(("id" = String, Path, description = "The actor's id"), JournalQuery),
    responses(
        (status = 200, description = "A page of events", body = Resource<Page<EventView>>, content_type = "application/hal+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
    Query(query): Query<JournalQuery>,
) -> Result<Resource<Page<EventView>>, Problem> {
    let limit = page_size(query.limit)?;
    let actor = find(&state, &id)?;
    let signed = signed(&state, &actor, query.before, limit)?;
    let (names, proofs) = (Names::of(&state), Proofs::of(state.anchoring.as_ref()));
    let last = signed.last().map(|stored| stored.judged.event.id()).filter(|_| signed.len() == limit);
    let members = signed.iter().map(|stored| Ok(resource(view(stored, None, &names, &proofs)?, stored)));
    let page = Page::of(members.collect::<Result<_, Problem>>()?);
    let url = |before: Option<EventId>| {
        let parameters =
            [("before", before.map(|id| id.to_string())), ("limit", query.limit.map(|limit| limit.to_string()))];
        links::with_query(&links::actor_events(&id), &parameters)
    };
    let links = Links::to_self(url(query.before))
        .and("actor", links::actor(&id))
        .and_maybe("next", last.map(|last| url(Some(last))));
    Ok(Resource::new(page, links))
}

/// Journal after journal, the newest key's first; a page goes on in the journal of the event before it.
fn signed(state: &ApiState, actor: &ActorRow, before: Option<EventId>, limit: usize) -> Result<Vec<Stored>, Problem> {
    let reader = state.ledger.reader();
    let last = before.map(|before| reader.stored(&before)).transpose().map_err(storage)?.flatten();
    let last = last.map(|stored| stored.judged.event.key());
    let keys = actor.keys.iter().rev().map(|key| key.key);
    let mut found = Vec::new();
    for key in keys.skip_while(|key| last.is_some_and(|last| last != *key)) {
        let before = before.filter(|_| last == Some(key));
        let rest = PageSize::new(limit - found.len());
        found.extend(state.views().signed_by(&key, before, rest).map_err(storage)?);
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}
