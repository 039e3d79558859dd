//! `POST /api/v1/events/{id}/corrections`: what an event told wrong is put right by another event.

use super::read::find;
use super::view::{EventView, resource, view};
use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::Resource;
use crate::links;
use crate::names::Names;
use crate::problem::Problem;
use crate::proof_state::Proofs;
use crate::state::ApiState;
use crate::values::{Command, replacement, text, too_many};
use crate::written::created;
use axum::extract::State;
use axum::response::Response;
use ledger::author::CorrectEvent;
use provenance::id::EventId;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most fields of a body.
const MAX_FIELDS: usize = 16;

/// What was wrong, and what is right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorrectionInput {
    /// What was wrong with it.
    reason: String,
    /// Name of a field of the event's body → its right value, as the command for such an event takes it.
    #[schema(value_type = Object, example = json!({"variety": "Gala"}))]
    replacement: Map<String, Value>,
}

/// Correct an event.
///
/// Signed by whoever signed the event, or by an actor above it. The event itself stays; views show the right values,
/// and that it was corrected. Only fields that describe can be corrected, none that decides who holds what.
#[utoipa::path(
    post, path = "/api/v1/events/{id}/corrections", tag = "events", operation_id = "correct_event",
    params(("id" = String, Path, description = "The id of the event that told something wrong")), request_body = Command<CorrectionInput>,
    responses(
        (status = 201, description = "The correcting event", body = Resource<EventView>, content_type = "application/hal+json"),
        (status = 404, description = "No such event here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value is not valid, or the field cannot be corrected", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn correct(
    _: Writer,
    State(state): State<ApiState>,
    PathId(target): PathId<EventId>,
    command: Command<CorrectionInput>,
) -> Result<Response, Problem> {
    let stored = find(&state, &target)?;
    let (context, fields) = (command.envelope.read()?, command.fields);
    too_many("replacement", fields.replacement.len(), MAX_FIELDS)?;
    let reason = text(&fields.reason, "reason")?;
    let body = &stored.judged.event.payload().body;
    let read = |(name, value): (String, Value)| replacement(body, &name, value);
    let replacement: BTreeMap<u8, _> = fields.replacement.into_iter().map(read).collect::<Result<_, _>>()?;
    let done = state.author.correct_event(context, CorrectEvent { target, reason, replacement }).await?;
    let shown = || {
        let stored = find(&state, &done.id)?;
        let view = view(&stored, None, &Names::of(&state), &Proofs::of(state.anchoring.as_ref()))?;
        Ok(resource(view, &stored))
    };
    Ok(created(&state, &done, links::event(&done.id), shown).await)
}
