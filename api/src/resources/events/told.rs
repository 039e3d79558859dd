//! The answer to a command that adds an event to what others told: the event.

use super::read::find;
use super::view::{resource, view};
use crate::links;
use crate::names::Names;
use crate::proof_state::Proofs;
use crate::state::ApiState;
use crate::written::created;
use axum::response::Response;
use ledger::author::Done;

/// 201 with the event that was made.
pub(crate) async fn told(state: &ApiState, done: &Done) -> Response {
    let shown = || {
        let stored = find(state, &done.id)?;
        let view = view(&stored, None, &Names::of(state), &Proofs::of(state.anchoring.as_ref()))?;
        Ok(resource(view, &stored))
    };
    created(state, done, links::event(&done.id), shown).await
}
