//! `POST /api/v1/network/amendments` and `{event}/approval`: founders change the network together.

use crate::auth::Writer;
use crate::extract::PathId;
use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use crate::values::{AmendmentInput, Command, NothingInput};
use crate::written::{changed, created};
use axum::extract::State;
use axum::response::Response;
use ledger::author::ApproveAmendment;
use ledger::view::{AmendmentRow, AmendmentState};
use provenance::id::EventId;
use serde::Serialize;
use utoipa::ToSchema;

/// An amendment of the network.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct AmendmentView {
    /// What it follows and changes, who approves it, and whether it is in force.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    row: AmendmentRow,
}

/// Propose a change of the network.
///
/// Signed by a founder, who thereby approves it. It is in force once more than half of the founders approve it.
#[utoipa::path(
    post, path = "/api/v1/network/amendments", tag = "network", operation_id = "amend_network", request_body = Command<AmendmentInput>,
    responses(
        (status = 201, description = "The amendment", body = Resource<AmendmentView>, content_type = "application/hal+json"),
        (status = 422, description = "A value is not valid, or a rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn amend(
    _: Writer,
    State(state): State<ApiState>,
    command: Command<AmendmentInput>,
) -> Result<Response, Problem> {
    let context = command.envelope.read()?;
    let done = state.author.amend_network(context, command.fields.read()?).await?;
    Ok(created(&state, &done, links::event(&done.id), || resource(&state, &done.id)).await)
}

/// Approve an amendment.
///
/// Signed by a founder.
#[utoipa::path(
    post, path = "/api/v1/network/amendments/{event}/approval", tag = "network", operation_id = "approve_amendment",
    params(("event" = String, Path, description = "The id of the amendment's event")), request_body = Command<NothingInput>,
    responses(
        (status = 200, description = "The amendment as it stands now", body = Resource<AmendmentView>, content_type = "application/hal+json"),
        (status = 404, description = "No such amendment here", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A rule does not allow it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn approve(
    _: Writer,
    State(state): State<ApiState>,
    PathId(amendment): PathId<EventId>,
    command: Command<NothingInput>,
) -> Result<Response, Problem> {
    find(&state, &amendment)?;
    let done = state.author.approve_amendment(command.envelope.read()?, ApproveAmendment { amendment }).await?;
    Ok(changed(&state, &done, links::event(&amendment), || resource(&state, &amendment)).await)
}

/// What founders may do with the network.
pub(crate) fn amend_action() -> Action {
    Action::new("amend", "Propose a change of the network", "POST", links::amendments())
        .takes("contracts", "All contracts to which nodes may anchor from now on")
        .takes("parameters", "Parameters that are set; null takes one away")
        .takes("rules", "The version of the rules")
        .takes("leaves", "A founder that leaves")
        .takes("decision", "A decision over a lot that no resolver can take")
        .takes("reason", "Why")
}

fn find(state: &ApiState, id: &EventId) -> Result<AmendmentRow, Problem> {
    let network = state.views().network(state.ledger.network()).map_err(storage)?;
    let found = network.amendments.into_iter().find(|row| row.id == *id);
    found.ok_or_else(|| Problem::not_found("amendment", id))
}

fn resource(state: &ApiState, id: &EventId) -> Result<Resource<AmendmentView>, Problem> {
    let row = find(state, id)?;
    let links = Links::to_self(links::event(id))
        .and("up", links::network())
        .and("proposer", links::actor(&row.proposer))
        .many("approval", row.approvals.values().map(|event| (links::event(event), None)));
    let open = row.state == AmendmentState::Proposed;
    let resource = Resource::new(AmendmentView { row }, links);
    Ok(if open {
        resource.offering(Action::new("approve", "Approve the amendment", "POST", links::approval(id)))
    } else {
        resource
    })
}
