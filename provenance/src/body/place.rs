//! Bodies of place.registered and place.updated.

use super::Document;
use crate::id::SubjectId;
use crate::seal::Sealable;
use crate::value::{Coordinates, Gln, LangText, Text};
use minicbor::{Decode, Encode};

/// A farm, packing house, store or shop.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct PlaceRegistered {
    /// What sort of place: farm, field, packing house, cold store, shop and so on.
    #[n(1)]
    pub place_type: Text<64>,
    /// What it is called.
    #[n(2)]
    pub name: LangText,
    /// Its Global Location Number.
    #[n(3)]
    pub gln: Option<Gln>,
    /// Where it is, to 0.01° and so about a kilometre.
    #[n(4)]
    pub point: Option<Coordinates>,
    /// Where it is exactly.
    #[n(5)]
    pub exact_point: Option<Sealable<Coordinates>>,
    /// Its outline as `GeoJSON` (RFC 7946), by hash.
    #[n(6)]
    pub outline: Option<Document>,
    /// Its area in square metres.
    #[n(7)]
    pub area_m2: Option<u64>,
    /// The place of which it is a part.
    #[n(8)]
    pub parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    #[n(9)]
    pub country: Option<Text<2>>,
}

/// Body of place.updated: what is given replaces what stood before. Fields are numbered as in place.registered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct PlaceUpdated {
    /// A new name.
    #[n(2)]
    pub name: Option<LangText>,
    /// A new Global Location Number.
    #[n(3)]
    pub gln: Option<Gln>,
    /// Where it is, to 0.01° and so about a kilometre.
    #[n(4)]
    pub point: Option<Coordinates>,
    /// Where it is exactly.
    #[n(5)]
    pub exact_point: Option<Sealable<Coordinates>>,
    /// Its outline as `GeoJSON` (RFC 7946), by hash.
    #[n(6)]
    pub outline: Option<Document>,
    /// Its area in square metres.
    #[n(7)]
    pub area_m2: Option<u64>,
    /// The place of which it is a part.
    #[n(8)]
    pub parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    #[n(9)]
    pub country: Option<Text<2>>,
}
