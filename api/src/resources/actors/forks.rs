//! `GET /api/v1/actors/{id}/forks`: where an actor's journals forked, each with a file that proves it.

use super::read::find;
use crate::extract::{PathId, PathIds};
use crate::hal::{Links, Page, Resource};
use crate::links;
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::resources::produces::conflict::{file, made};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use ledger::conflict::{ForkedLink, forked_links, of_link};
use provenance::conflict::CONTENT_TYPE;
use provenance::id::{EventId, PublicKey, SubjectId};
use serde::Serialize;
use utoipa::ToSchema;

/// Forked links shown of one actor: a key that forked so often is told as well by these.
const MAX_SHOWN: usize = 200;

/// Events cited on one link.
const MAX_CITED: usize = 64;

/// A link of a journal on which several events stand.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ForkView {
    /// The key that signed them.
    #[schema(value_type = String)]
    key: PublicKey,
    /// The event that all of them name as the one before; the network's id for a founder's first.
    #[schema(value_type = String)]
    link: EventId,
    /// The events, at most 64; some may be void.
    #[schema(value_type = Vec<String>)]
    events: Vec<EventId>,
}

/// List where an actor's journals forked: one key signed two events on one link.
#[utoipa::path(
    get, path = "/api/v1/actors/{id}/forks", tag = "actors", operation_id = "list_forks",
    params(("id" = String, Path, description = "The actor's id")),
    responses(
        (status = 200, description = "All forks, oldest first in each journal, at most 200", body = Resource<Page<ForkView>>, content_type = "application/hal+json"),
        (status = 404, description = "No such actor here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    PathId(id): PathId<SubjectId>,
) -> Result<Resource<Page<ForkView>>, Problem> {
    let shown = forks(&state, &id)?.into_iter().take(MAX_SHOWN).map(|forked| {
        let links = Links::to_self(links::fork(&id, &forked.link))
            .and("actor", links::actor(&id))
            .typed("proof", links::fork(&id, &forked.link), CONTENT_TYPE)
            .many("event", forked.events.iter().take(MAX_CITED).map(|it| (links::event(&it.judged.event.id()), None)));
        let events = forked.events.iter().take(MAX_CITED).map(|stored| stored.judged.event.id()).collect();
        Resource::new(ForkView { key: forked.key, link: forked.link, events }, links)
    });
    let links = Links::to_self(links::actor_forks(&id)).and("actor", links::actor(&id));
    Ok(Resource::new(Page::of(shown.collect()), links))
}

/// Read the proof that a journal of an actor forked on a link.
///
/// It verifies without any node: by `furrow verify`, by the npm package `furrow-verifier`, or by whatever follows
/// `docs/conflict.md`.
#[utoipa::path(
    get, path = "/api/v1/actors/{id}/forks/{link}", tag = "actors", operation_id = "read_fork",
    params(
        ("id" = String, Path, description = "The actor's id"),
        ("link" = String, Path, description = "The event that several of one key name as the one before"),
    ),
    responses(
        (status = 200, description = "The conflict proof", body = Vec<u8>, content_type = "application/vnd.furrow.conflict+cbor"),
        (status = 304, description = "The caller has it already"),
        (status = 404, description = "No such actor here, or no fork on this link", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The node makes as many proofs as it can", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    PathIds(id, link): PathIds<SubjectId, EventId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let nothing = || Problem::new(Code::NotFound, "No journal of this actor is known to have forked on this link.");
    let forked = forks(&state, &id)?.into_iter().find(|forked| forked.link == link).ok_or_else(nothing)?;
    let made = made(move || of_link(state.ledger.reader(), state.ledger.network(), &forked).map_err(storage));
    Ok(file(made.await?.ok_or_else(nothing)?, &link.to_string(), &headers))
}

/// The forked links of all keys that an actor ever had.
fn forks(state: &ApiState, id: &SubjectId) -> Result<Vec<ForkedLink>, Problem> {
    let mut forks = Vec::new();
    for key in find(state, id)?.keys {
        forks.extend(forked_links(state.ledger.reader(), &key.key).map_err(storage)?);
    }
    Ok(forks)
}
