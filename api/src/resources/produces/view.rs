//! The representation of a lot, with what the caller may do with it now.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::names::{Names, Party, PlaceName};
use crate::problem::Problem;
use crate::resources::transfers::view::answers;
use crate::state::ApiState;
use ledger::view::{HandledStep, LotOrigin, LotStanding, ProduceRow};
use provenance::body::{Codes, Commodity};
use provenance::custody::{Closed, OpenOffer};
use provenance::id::{EventId, SubjectId};
use provenance::seal::Sealable;
use provenance::value::{DateRange, Grade, LangText, Price, Quantity, Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A lot as all events together show it, corrections applied.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ProduceView {
    /// The lot.
    #[schema(value_type = String)]
    id: SubjectId,
    /// How it stands: held, offered, packed, disputed or closed.
    #[schema(value_type = String, example = "held")]
    state: LotStanding,
    /// What it is, as a code of a published scheme.
    #[schema(value_type = Object)]
    commodity: Commodity,
    /// What people call it, by language.
    #[schema(value_type = Object)]
    name: LangText,
    /// The variety.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    variety: Option<Text<128>>,
    /// Where it was grown.
    places: Vec<PlaceName>,
    /// When it was harvested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    harvested: Option<DateRange>,
    /// How much there was when it came into being.
    #[schema(value_type = Object)]
    quantity: Quantity,
    /// How much there is.
    #[schema(value_type = Object)]
    balance: Quantity,
    /// Its grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    grade: Option<Grade>,
    /// Its price, or the commitment to a sealed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    price: Option<Sealable<Price>>,
    /// Codes on its labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    codes: Option<Codes>,
    /// Certificates that it claims.
    #[schema(value_type = Vec<String>)]
    claims: Vec<Text<128>>,
    /// Who holds it; the last holder where it is closed.
    pub(crate) holder: Party,
    /// Who registered it, or on whose behalf it was.
    originator: Party,
    /// Where it is, as far as was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceName>,
    /// Who owns it.
    owner: Party,
    /// How it came into being, or the lot of which it was a part: registered, collected or transformed.
    #[schema(value_type = String, example = "registered")]
    origin: LotOrigin,
    /// The lot of which it was a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parent: Option<SubjectId>,
    /// The lots from which it was taken, or of which it was made.
    #[schema(value_type = Vec<String>)]
    parents: Vec<SubjectId>,
    /// The unit in which it lies, and with which it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    unit: Option<SubjectId>,
    /// What was done with it last, oldest first.
    #[schema(value_type = Vec<Object>)]
    steps: Vec<HandledStep>,
    /// What the quantity was corrected to, as long as somebody who took it over has not confirmed that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    unconfirmed_quantity: Option<Quantity>,
    /// The offer that waits for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_offer: Option<OpenOfferView>,
    /// The offer of title alone that waits for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    title_offer: Option<OpenOfferView>,
    /// Why it left the chain: transformed, retired, `handed_out` or `lost_in_transfer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    closed: Option<Closed>,
    /// When it came into being.
    #[schema(value_type = String)]
    created: Timestamp,
    /// When its lot of origin was registered.
    #[schema(value_type = String)]
    registered: Timestamp,
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

/// An offer that waits for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct OpenOfferView {
    /// The transfer.
    #[schema(value_type = String)]
    pub(crate) transfer: EventId,
    /// Who may accept it.
    pub(crate) to: Party,
}

/// An offer with the name of its addressee.
pub(crate) fn open_offer(names: &Names, open: Option<OpenOffer>) -> Result<Option<OpenOfferView>, Problem> {
    let Some(open) = open else { return Ok(None) };
    Ok(Some(OpenOfferView { transfer: open.offer, to: names.actor(&open.to)? }))
}

/// The lot with its links, and its actions for a caller who may write.
pub(crate) fn resource(
    state: &ApiState,
    names: &Names,
    row: ProduceRow,
    may_write: bool,
) -> Result<Resource<ProduceView>, Problem> {
    let id = row.id;
    let places = row.places.iter().map(|place| names.place(place)).collect::<Result<Vec<_>, _>>()?;
    let parent = row.part_of();
    let view = ProduceView {
        id,
        state: row.standing,
        commodity: row.commodity,
        name: row.name,
        variety: row.variety,
        places,
        harvested: row.harvested,
        quantity: row.quantity,
        balance: row.balance,
        grade: row.grade,
        price: row.price,
        codes: row.codes,
        claims: row.claims,
        holder: names.actor(&row.holder)?,
        originator: names.actor(&row.originator)?,
        place: row.place.map(|place| names.place(&place)).transpose()?,
        owner: names.actor(&row.owner)?,
        origin: row.origin,
        parent,
        parents: row.parents,
        unit: row.inside,
        steps: row.steps,
        unconfirmed_quantity: row.unconfirmed_quantity,
        open_offer: open_offer(names, row.open_offer)?,
        title_offer: open_offer(names, row.title_offer)?,
        closed: row.closed,
        created: row.created,
        registered: row.registered,
        updated: row.updated,
        tips: row.tips,
        in_conflict: row.in_conflict,
        beside: row.beside,
        corrections: row.corrections,
    };
    let links = links_of(&view, row.created_by);
    Ok(with_actions(state, Resource::new(view.clone(), links), &view, may_write))
}

fn links_of(view: &ProduceView, created_by: EventId) -> Links {
    let id = &view.id;
    let links = Links::to_self(links::produce(id))
        .and("collection", links::produces())
        .and("history", links::history(id))
        .and("trace", links::trace(id))
        .and("recall-report", links::recall_report(id))
        .and("prices", links::prices(id))
        .and("transfers", links::produce_transfers(id))
        .typed("page", links::page(id), "text/html")
        .typed("bundle", links::bundle(id), provenance::bundle::CONTENT_TYPE)
        .typed("qr-svg", links::qr_svg(id), "image/svg+xml")
        .typed("qr-png", links::qr_png(id), "image/png")
        .titled("holder", links::actor(&view.holder.id), view.holder.name.clone())
        .titled("originator", links::actor(&view.originator.id), view.originator.name.clone())
        .many("grown-at", view.places.iter().map(|place| (links::place(&place.id), None)))
        .and_maybe("place", view.place.as_ref().map(|place| links::place(&place.id)))
        .titled("owner", links::actor(&view.owner.id), view.owner.name.clone())
        .many("parent", view.parents.iter().map(|parent| (links::produce(parent), None)))
        .and_maybe("unit", view.unit.as_ref().map(links::unit))
        .and("parts", links::with_query(&links::produces(), &[("parent", Some(id.to_string()))]))
        .and("created-by", links::event(&created_by))
        .and_maybe("open-transfer", view.open_offer.as_ref().map(|open| links::transfer(&open.transfer)))
        .and_maybe("title-transfer", view.title_offer.as_ref().map(|open| links::transfer(&open.transfer)));
    if view.in_conflict.is_empty() {
        return links;
    }
    links.typed("conflict", links::conflict(id), provenance::conflict::CONTENT_TYPE)
}

/// What may be done now by an actor whose key this node keeps.
fn with_actions(
    state: &ApiState,
    resource: Resource<ProduceView>,
    view: &ProduceView,
    may_write: bool,
) -> Resource<ProduceView> {
    if !may_write {
        return resource;
    }
    let keeps = |actor: &SubjectId| state.keeps(actor);
    let resource = match &view.title_offer {
        Some(open) => answers(resource, &open.transfer, keeps(&open.to.id), keeps(&view.owner.id)),
        None => resource,
    };
    match (&view.state, &view.open_offer) {
        (LotStanding::Held, _) if keeps(&view.holder.id) => of_holder(resource, view),
        // What only an owner does, where somebody else holds it.
        (LotStanding::Held, _) if keeps(&view.owner.id) => {
            resource.offering(change(&view.id)).offering(transfer(&view.id))
        }
        (LotStanding::Offered, Some(open)) => {
            answers(resource, &open.transfer, keeps(&open.to.id), keeps(&view.holder.id))
        }
        _ => resource,
    }
}

fn of_holder(resource: Resource<ProduceView>, view: &ProduceView) -> Resource<ProduceView> {
    let resource = resource
        .offering(change(&view.id))
        .offering(
            Action::new("handle", "Tell what was done with it", "POST", links::handlings(&view.id))
                .needs("step", "Such as cooled, washed or stored")
                .takes("place", "Where")
                .takes("temperature", "How cold or warm")
                .takes("remark", "What else there is to say"),
        )
        .offering(
            Action::new("assign-codes", "Give it codes on labels", "POST", links::codes(&view.id))
                .takes("gtin", "GTIN")
                .takes("lot", "Batch or lot number")
                .takes("traceability_lot_code", "Traceability lot code"),
        )
        .offering(transfer(&view.id));
    // What uses a lot up is done by whoever both holds and owns it.
    if view.owner != view.holder {
        return resource;
    }
    resource.offering(
        Action::new("retire", "Take it out of the chain", "POST", links::retirement(&view.id))
            .needs("outcome", "sold, consumed, lost or destroyed")
            .takes("quantity", "How much; all of it unless given"),
    )
}

fn change(lot: &SubjectId) -> Action {
    Action::new("change", "Change grade, price or place", "PATCH", links::produce(lot))
        .takes("grade", "The grade from now on")
        .takes("price", "The price from now on; told by the owner")
        .takes("place", "The place where it is now")
        .takes("reason", "Why")
}

fn transfer(lot: &SubjectId) -> Action {
    Action::new("transfer", "Offer it to somebody", "POST", links::produce_transfers(lot))
        .needs("to", "An actor, or an outside party by GLN or name")
        .takes("moves", "possession, title or both")
        .takes("quantity", "How much; all of it unless given")
        .takes("price", "For how much")
        .takes("to_place", "Where it goes")
}
