//! Answers to commands: the resource as it is after the event that the command made.

use crate::hal::{Created, Links, Resource, WrittenEvent};
use crate::limits::VIEWS_WAIT;
use crate::problem::Problem;
use crate::state::ApiState;
use axum::response::{IntoResponse, Response};
use ledger::author::Done;
use serde::Serialize;

/// All that is said of a resource that the views do not show yet. Its event is durable.
#[derive(Debug, Serialize)]
struct NotShownYet {
    note: &'static str,
}

/// Waits until the views show the event, within bounds.
pub(crate) async fn settle(state: &ApiState, done: &Done) -> WrittenEvent {
    // If the views do not follow in time the answer shows an older state, and names the event all the same.
    let _ = tokio::time::timeout(VIEWS_WAIT, state.ledger.followed(done.index)).await;
    WrittenEvent { id: done.id, log_index: done.index }
}

/// 201 with the new resource.
pub(crate) async fn created<T: Serialize>(
    state: &ApiState,
    done: &Done,
    href: String,
    read: impl FnOnce() -> Result<Resource<T>, Problem>,
) -> Response {
    let event = settle(state, done).await;
    match read() {
        Ok(resource) => Created(resource.written(event)).into_response(),
        Err(_) => Created(not_shown_yet(href).written(event)).into_response(),
    }
}

/// 200 with the changed resource.
pub(crate) async fn changed<T: Serialize>(
    state: &ApiState,
    done: &Done,
    href: String,
    read: impl FnOnce() -> Result<Resource<T>, Problem>,
) -> Response {
    let event = settle(state, done).await;
    match read() {
        Ok(resource) => resource.written(event).into_response(),
        Err(_) => not_shown_yet(href).written(event).into_response(),
    }
}

/// The write is done, so whatever keeps the views from showing it is no failure of the request.
fn not_shown_yet(href: String) -> Resource<NotShownYet> {
    let note =
        "The event is durable. The views are being made again and will show it in a while; read the resource then.";
    Resource::new(NotShownYet { note }, Links::to_self(href))
}
