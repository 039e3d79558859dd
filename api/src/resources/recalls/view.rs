//! The representation of a recall.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::names::{Names, Party};
use crate::problem::Problem;
use crate::state::ApiState;
use ledger::view::RecallRow;
use serde::Serialize;
use utoipa::ToSchema;

/// A recall: a warning of lots.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct RecallView {
    /// Level, hazard, action, lots and life of the recall.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    row: RecallRow,
    /// Who warns.
    issued_by: Party,
    /// Whether it stands.
    active: bool,
}

/// The recall with its links, and its actions for a caller who may write.
pub(crate) fn resource(
    state: &ApiState,
    names: &Names,
    row: RecallRow,
    may_write: bool,
) -> Result<Resource<RecallView>, Problem> {
    let (id, issuer, active) = (row.id, row.issuer, row.is_active());
    let issued_by = names.actor(&issuer)?;
    let links = Links::to_self(links::recall(&id))
        .and("collection", links::recalls())
        .titled("issuer", links::actor(&issuer), issued_by.name.clone())
        .many("lot", row.lots.iter().map(|recalled| (links::produce(&recalled.lot), None)))
        .many("event", [id].iter().chain(&row.updates).chain(&row.ended_by).map(|event| (links::event(event), None)));
    let resource = Resource::new(RecallView { row, issued_by, active }, links);
    if !may_write || !active || !state.keeps(&issuer) {
        return Ok(resource);
    }
    let change = Action::new("change", "Change the recall", "PATCH", links::recall(&id))
        .takes("level", "public, trade or information")
        .takes("hazard", "What is wrong with the goods")
        .takes("scope", "Which goods, in words")
        .takes("action", "hold, return, destroy or inform")
        .takes("contact", "Whom to ask");
    let end = Action::new("end", "End the recall", "POST", links::recall_end(&id)).needs("reason", "Why");
    Ok(resource.offering(change).offering(end))
}
