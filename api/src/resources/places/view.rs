//! The representation of a place.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::names::{Names, Party};
use crate::problem::Problem;
use crate::state::ApiState;
use ledger::view::PlaceRow;
use provenance::body::Document;
use provenance::id::{EventId, SubjectId};
use provenance::seal::Sealable;
use provenance::value::{Coordinates, Gln, LangText, Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A farm, packing house, store or shop.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct PlaceView {
    /// The place.
    #[schema(value_type = String)]
    id: SubjectId,
    /// What sort of place.
    #[schema(value_type = String)]
    place_type: Text<64>,
    /// What it is called, by language.
    #[schema(value_type = Object)]
    name: LangText,
    /// Its Global Location Number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    gln: Option<Gln>,
    /// Where it is, to about a kilometre.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    point: Option<Coordinates>,
    /// The commitment to where it is exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    exact_point: Option<Sealable<Coordinates>>,
    /// Its outline as `GeoJSON`, by hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    outline: Option<Document>,
    /// Its area in square metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    area_m2: Option<u64>,
    /// The place of which it is a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    country: Option<Text<2>>,
    /// The actor that registered it, or on whose behalf it was.
    #[schema(value_type = String)]
    registered_by: SubjectId,
    /// The same with its name.
    registrant: Party,
    /// When.
    #[schema(value_type = String)]
    registered: Timestamp,
    /// The latest time at which something was signed about it.
    #[schema(value_type = String)]
    updated: Timestamp,
    /// Events that corrected it.
    #[schema(value_type = Vec<String>)]
    corrections: Vec<EventId>,
}

/// The place with its links, and its actions for a caller who may write.
pub(crate) fn resource(
    state: &ApiState,
    names: &Names,
    row: PlaceRow,
    may_write: bool,
) -> Result<Resource<PlaceView>, Problem> {
    let registrant = names.actor(&row.registered_by)?;
    let links = Links::to_self(links::place(&row.id))
        .and("collection", links::places())
        .titled("registrant", links::actor(&row.registered_by), registrant.name.clone())
        .and("created-by", links::event(&row.event))
        .and_maybe("parent", row.parent.as_ref().map(links::place));
    let view = PlaceView {
        id: row.id,
        place_type: row.place_type,
        name: row.name,
        gln: row.gln,
        point: row.point,
        exact_point: row.exact_point,
        outline: row.outline,
        area_m2: row.area_m2,
        parent: row.parent,
        country: row.country,
        registered_by: row.registered_by,
        registrant,
        registered: row.registered,
        updated: row.updated,
        corrections: row.corrections,
    };
    let changeable = may_write && state.keeps(&view.registered_by);
    let change = Action::new("change", "Change what is told of it", "PATCH", links::place(&view.id))
        .takes("name", "What it is called")
        .takes("gln", "Its Global Location Number")
        .takes("point", "Where it is, to about a kilometre")
        .takes("exact_point", "Where it is exactly; sealed")
        .takes("area_m2", "Its area in square metres")
        .takes("parent", "The place of which it is a part")
        .takes("country", "ISO 3166-1 code of its country");
    let resource = Resource::new(view, links);
    Ok(if changeable { resource.offering(change) } else { resource })
}
