//! `/api/v1/events/{id}/openings`: what this node knows of an event's sealed fields, and erasing it.

use super::read::find;
use super::view::json_of;
use crate::auth::Writer;
use crate::extract::{PathId, PathIds};
use crate::hal::{Links, Resource};
use crate::links;
use crate::problem::{Code, Problem};
use crate::refusal::storage;
use crate::state::ApiState;
use axum::extract::State;
use ledger::author::{Knowledge, SealedFieldState};
use provenance::id::EventId;
use provenance::value::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The sealed fields of an event.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct OpeningsView {
    /// The event.
    #[schema(value_type = String)]
    event: EventId,
    /// Each field of it that stands sealed.
    fields: Vec<SealedFieldView>,
}

/// A sealed field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct SealedFieldView {
    /// Field numbers from the body downwards, joined by dots.
    #[schema(example = "10")]
    path: String,
    /// Its name; of a correction, that of the field which is replaced.
    #[schema(example = "harvester")]
    name: &'static str,
    /// What stands in the event: SHA-256, lower-case hex.
    commitment: String,
    /// `opened`, `unknown`, `erased`, or `malformed` where what was sealed does not have the form of the field.
    #[schema(example = "opened")]
    state: &'static str,
    /// The value, where it is opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
    /// When it was erased here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    erased: Option<Timestamp>,
    /// To which peers this node has passed it: they keep theirs when it is erased here.
    passed: Vec<PassedView>,
}

/// A peer that was given an opening.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct PassedView {
    /// Its libp2p peer id.
    peer: String,
    /// When.
    #[schema(value_type = Option<String>)]
    time: Option<Timestamp>,
}

/// List the sealed fields of an event.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/openings", tag = "events", operation_id = "list_openings",
    security(("token" = [])),
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 200, description = "All sealed fields", body = Resource<OpeningsView>, content_type = "application/hal+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Writer,
    PathId(id): PathId<EventId>,
) -> Result<Resource<OpeningsView>, Problem> {
    let fields = fields(&state, id).await?;
    Ok(view(id, fields.iter()))
}

/// Read one sealed field of an event.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/openings/{field}", tag = "events", operation_id = "read_opening",
    security(("token" = [])),
    params(("id" = String, Path, description = "The event's id"), ("field" = String, Path, description = "Name or path of the field")),
    responses(
        (status = 200, description = "The field", body = Resource<OpeningsView>, content_type = "application/hal+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such event, or it has no such sealed field", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    _: Writer,
    PathIds(id, field): PathIds<EventId, String>,
) -> Result<Resource<OpeningsView>, Problem> {
    let fields = fields(&state, id).await?;
    Ok(view(id, std::iter::once(named(&fields, &field)?)))
}

/// Erase what opens the sealed fields of an event.
///
/// No copy stays in the node's store, and it is not fetched from peers again. Peers to which it was passed keep theirs;
/// the answer names them. Backups keep what they hold.
#[utoipa::path(
    delete, path = "/api/v1/events/{id}/openings", tag = "events", operation_id = "erase_openings",
    security(("token" = [])),
    params(("id" = String, Path, description = "The event's id")),
    responses(
        (status = 200, description = "Erased", body = Resource<OpeningsView>, content_type = "application/hal+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn erase_all(
    State(state): State<ApiState>,
    _: Writer,
    PathId(id): PathId<EventId>,
) -> Result<Resource<OpeningsView>, Problem> {
    let paths = fields(&state, id).await?.into_iter().map(|field| field.path).collect();
    erase(state, id, paths).await
}

/// Erase what opens one sealed field of an event, as all of them are erased.
#[utoipa::path(
    delete, path = "/api/v1/events/{id}/openings/{field}", tag = "events", operation_id = "erase_opening",
    security(("token" = [])),
    params(("id" = String, Path, description = "The event's id"), ("field" = String, Path, description = "Name or path of the field")),
    responses(
        (status = 200, description = "Erased", body = Resource<OpeningsView>, content_type = "application/hal+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such event, or it has no such sealed field", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn erase_one(
    State(state): State<ApiState>,
    _: Writer,
    PathIds(id, field): PathIds<EventId, String>,
) -> Result<Resource<OpeningsView>, Problem> {
    let fields = fields(&state, id).await?;
    let path = named(&fields, &field)?.path.clone();
    erase(state, id, vec![path]).await
}

/// The opened values of an event by the names of their fields; nothing where none is opened.
pub(crate) fn opened(state: &ApiState, id: &EventId) -> Result<Option<Value>, Problem> {
    let fields = state.author.sealed_fields(id).map_err(storage)?.unwrap_or_default();
    let values: serde_json::Map<_, _> = fields
        .into_iter()
        .filter_map(|field| match field.value {
            Knowledge::Opened(value) => Some((field.name.to_owned(), json_of(&value))),
            Knowledge::Unknown | Knowledge::Erased(_) | Knowledge::Malformed => None,
        })
        .collect();
    Ok((!values.is_empty()).then_some(Value::Object(values)))
}

async fn erase(state: ApiState, id: EventId, paths: Vec<Vec<u8>>) -> Result<Resource<OpeningsView>, Problem> {
    if !paths.is_empty() {
        let author = state.author.clone();
        // On a thread of its own, and to its end even if the caller goes: it rewrites files of the store.
        let erased = tokio::task::spawn_blocking(move || author.erase_openings(&id, &paths)).await;
        erased.map_err(|_| interrupted())?.map_err(storage)?;
    }
    let fields = fields(&state, id).await?;
    Ok(view(id, fields.iter()))
}

async fn fields(state: &ApiState, id: EventId) -> Result<Vec<SealedFieldState>, Problem> {
    find(state, &id)?;
    let author = state.author.clone();
    let fields = tokio::task::spawn_blocking(move || author.sealed_fields(&id)).await;
    // A void event has no openings that matter.
    Ok(fields.map_err(|_| interrupted())?.map_err(storage)?.unwrap_or_default())
}

fn interrupted() -> Problem {
    Problem::new(Code::Internal, "The node stopped working on this. Its log has the details; tell its operator.")
}

fn named<'a>(fields: &'a [SealedFieldState], wanted: &str) -> Result<&'a SealedFieldState, Problem> {
    let found = fields.iter().find(|field| field.name == wanted || dotted(&field.path) == wanted);
    found.ok_or_else(|| Problem::not_found("sealed field", wanted))
}

fn dotted(path: &[u8]) -> String {
    path.iter().map(u8::to_string).collect::<Vec<_>>().join(".")
}

fn view<'a>(event: EventId, fields: impl Iterator<Item = &'a SealedFieldState>) -> Resource<OpeningsView> {
    let time = |ms: u64| Timestamp::new(ms).ok();
    let fields = fields.map(|field| {
        let (state, value, erased) = match &field.value {
            Knowledge::Unknown => ("unknown", None, None),
            Knowledge::Erased(at) => ("erased", None, time(*at)),
            Knowledge::Opened(value) => ("opened", Some(json_of(value)), None),
            Knowledge::Malformed => ("malformed", None, None),
        };
        let passed = field.passed.iter().map(|(peer, at)| PassedView { peer: peer.clone(), time: time(*at) });
        SealedFieldView {
            path: dotted(&field.path),
            name: field.name,
            commitment: data_encoding::HEXLOWER.encode(field.commitment.as_bytes()),
            state,
            value,
            erased,
            passed: passed.collect(),
        }
    });
    let view = OpeningsView { event, fields: fields.collect() };
    Resource::new(view, Links::to_self(links::openings(&event)).and("up", links::event(&event)))
}
