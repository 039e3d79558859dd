//! The representation of a logistic unit, with what the caller may do with it now.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::names::{Names, Party, PlaceName};
use crate::problem::Problem;
use crate::resources::produces::view::{OpenOfferView, open_offer};
use crate::resources::transfers::view::answers;
use crate::state::ApiState;
use ledger::view::{LotStanding, UnitRow};
use provenance::custody::Closed;
use provenance::id::{EventId, SubjectId};
use provenance::value::{Sscc, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A logistic unit as all events together show it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct UnitView {
    /// The unit.
    #[schema(value_type = String)]
    id: SubjectId,
    /// How it stands: held, offered, packed, disputed or closed.
    #[schema(value_type = String, example = "held")]
    state: LotStanding,
    /// Its serial shipping container code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    sscc: Option<Sscc>,
    /// How many lots and smaller units lie directly in it.
    contents: u32,
    /// Who holds it, or the outermost unit in which it lies.
    holder: Party,
    /// Who owns it.
    owner: Party,
    /// Who packed it first.
    packed_by: Party,
    /// The unit in which it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    unit: Option<SubjectId>,
    /// Where it is, as far as was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceName>,
    /// The offer that waits for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_offer: Option<OpenOfferView>,
    /// The offer of title alone that waits for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    title_offer: Option<OpenOfferView>,
    /// Why it left the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    closed: Option<Closed>,
    /// When it was packed first.
    #[schema(value_type = String)]
    created: Timestamp,
    /// The latest time at which something was signed about it.
    #[schema(value_type = String)]
    updated: Timestamp,
    /// The events that the next one extends.
    #[schema(value_type = Vec<String>)]
    tips: Vec<EventId>,
    /// Events that cannot all stand: a finding.
    #[schema(value_type = Vec<String>)]
    in_conflict: Vec<EventId>,
    /// Events whose values do not show, because an accepted handover was followed instead.
    #[schema(value_type = Vec<String>)]
    beside: Vec<EventId>,
    /// Events that corrected something of it.
    #[schema(value_type = Vec<String>)]
    corrections: Vec<EventId>,
}

/// The unit with its links, and its actions for a caller who may write.
pub(crate) fn resource(
    state: &ApiState,
    names: &Names,
    row: UnitRow,
    may_write: bool,
) -> Result<Resource<UnitView>, Problem> {
    let view = UnitView {
        id: row.id,
        state: row.standing,
        sscc: row.sscc,
        contents: row.contents,
        holder: names.actor(&row.holder)?,
        owner: names.actor(&row.owner)?,
        packed_by: names.actor(&row.packed_by)?,
        unit: row.inside,
        place: row.place.map(|place| names.place(&place)).transpose()?,
        open_offer: open_offer(names, row.open_offer)?,
        title_offer: open_offer(names, row.title_offer)?,
        closed: row.closed,
        created: row.created,
        updated: row.updated,
        tips: row.tips,
        in_conflict: row.in_conflict,
        beside: row.beside,
        corrections: row.corrections,
    };
    let id = Some(view.id.to_string());
    let links = Links::to_self(links::unit(&view.id))
        .and("collection", links::units())
        .and("lots", links::with_query(&links::produces(), &[("unit", id.clone())]))
        .and("units", links::with_query(&links::units(), &[("unit", id.clone())]))
        .and("transfers", links::with_query(&links::transfers(), &[("lot", id)]))
        .titled("holder", links::actor(&view.holder.id), view.holder.name.clone())
        .titled("owner", links::actor(&view.owner.id), view.owner.name.clone())
        .and_maybe("unit", view.unit.as_ref().map(links::unit))
        .and_maybe("place", view.place.as_ref().map(|place| links::place(&place.id)))
        .and("created-by", links::event(&row.created_by))
        .and_maybe("open-transfer", view.open_offer.as_ref().map(|open| links::transfer(&open.transfer)))
        .and_maybe("title-transfer", view.title_offer.as_ref().map(|open| links::transfer(&open.transfer)));
    let resource = Resource::new(view.clone(), links);
    Ok(if may_write { with_actions(state, resource, &view) } else { resource })
}

/// What may be done now by an actor whose key this node keeps.
fn with_actions(state: &ApiState, resource: Resource<UnitView>, view: &UnitView) -> Resource<UnitView> {
    let keeps = |actor: &SubjectId| state.keeps(actor);
    let resource = match &view.title_offer {
        Some(open) => answers(resource, &open.transfer, keeps(&open.to.id), keeps(&view.owner.id)),
        None => resource,
    };
    match (&view.state, &view.open_offer) {
        (LotStanding::Held, _) if keeps(&view.holder.id) => {
            let resource = resource
                .offering(
                    Action::new("pack", "Put more into it", "POST", links::contents(&view.id))
                        .needs("contents", "Lots and units, each with a quantity where not all of it is packed")
                        .takes("place", "Where"),
                )
                .offering(super::super::transfers::offer_action());
            if view.contents == 0 {
                return resource;
            }
            resource.offering(
                Action::new("unpack", "Take something out of it", "POST", links::unpackings(&view.id))
                    .takes("contents", "Lots and units; all that lies in it unless given")
                    .takes("place", "Where"),
            )
        }
        (LotStanding::Offered, Some(open)) => {
            answers(resource, &open.transfer, keeps(&open.to.id), keeps(&view.holder.id))
        }
        _ => resource,
    }
}
