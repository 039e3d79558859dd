//! The commands to register and to change a place, as JSON.

use super::produce::maybe;
use super::{CoordinatesInput, LangTextInput, gln, hex, text};
use crate::problem::Problem;
use ledger::author::{RegisterPlace, UpdatePlace};
use provenance::body::Document;
use provenance::id::SubjectId;
use provenance::value::Text;
use serde::Deserialize;
use utoipa::ToSchema;

/// A place to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceInput {
    /// What sort of place.
    #[schema(example = "farm")]
    place_type: String,
    /// What it is called: a text, or texts by language.
    name: LangTextInput,
    /// Its Global Location Number.
    gln: Option<String>,
    /// Where it is, for everybody; rounded to 0.01°, about a kilometre.
    point: Option<CoordinatesInput>,
    /// Where it is exactly; sealed.
    exact_point: Option<CoordinatesInput>,
    /// Its outline as `GeoJSON`, by hash.
    outline: Option<DocumentInput>,
    /// Its area in square metres.
    area_m2: Option<u64>,
    /// The place of which it is a part.
    #[schema(value_type = Option<String>)]
    parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    #[schema(example = "FR")]
    country: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentInput {
    /// SHA-256 of the document, in hex.
    sha256: String,
    /// Its media type.
    #[schema(example = "application/geo+json")]
    media_type: String,
}

impl PlaceInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<RegisterPlace, Problem> {
        let point = |point: Option<CoordinatesInput>, field| point.map(|point| point.read(field)).transpose();
        Ok(RegisterPlace {
            place_type: text(&self.place_type, "place_type")?,
            name: self.name.read("name")?,
            gln: self.gln.as_deref().map(|value| gln(value, "gln")).transpose()?,
            // What stands open may expose no farm, so it is rounded here and not refused.
            point: point(self.point, "point")?.map(provenance::value::Coordinates::to_open),
            exact_point: point(self.exact_point, "exact_point")?,
            outline: self.outline.as_ref().map(|outline| outline.read("outline")).transpose()?,
            area_m2: self.area_m2,
            parent: self.parent,
            country: country(self.country.as_deref())?,
        })
    }
}

/// What changes of a place; what is not given stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceChangeInput {
    /// A new name: a text, or texts by language.
    name: Option<LangTextInput>,
    /// A new Global Location Number.
    gln: Option<String>,
    /// Where it is, for everybody; rounded to 0.01°, about a kilometre.
    point: Option<CoordinatesInput>,
    /// Where it is exactly; sealed.
    exact_point: Option<CoordinatesInput>,
    /// Its outline as `GeoJSON`, by hash.
    outline: Option<DocumentInput>,
    /// Its area in square metres.
    area_m2: Option<u64>,
    /// The place of which it is a part.
    #[schema(value_type = Option<String>)]
    parent: Option<SubjectId>,
    /// ISO 3166-1 alpha-2 code of its country.
    #[schema(example = "FR")]
    country: Option<String>,
}

impl PlaceChangeInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self, place: SubjectId) -> Result<UpdatePlace, Problem> {
        let point = |point: Option<CoordinatesInput>, field| point.map(|point| point.read(field)).transpose();
        Ok(UpdatePlace {
            place,
            name: self.name.map(|name| name.read("name")).transpose()?,
            gln: self.gln.as_deref().map(|value| gln(value, "gln")).transpose()?,
            point: point(self.point, "point")?.map(provenance::value::Coordinates::to_open),
            exact_point: point(self.exact_point, "exact_point")?,
            outline: self.outline.as_ref().map(|outline| outline.read("outline")).transpose()?,
            area_m2: self.area_m2,
            parent: self.parent,
            country: country(self.country.as_deref())?,
        })
    }
}

fn country(code: Option<&str>) -> Result<Option<Text<2>>, Problem> {
    match code {
        Some(code) if !(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())) => {
            let shown: String = code.chars().take(16).collect();
            let detail = format!("'{shown}' is not a country code. Use two capital letters of ISO 3166-1, such as FR.");
            Err(Problem::value("country", "country", detail))
        }
        code => maybe(code, "country"),
    }
}

impl DocumentInput {
    /// The document's name, or what is wrong with it.
    pub(super) fn read(&self, field: &str) -> Result<Document, Problem> {
        let sha256 = hex(&self.sha256, &format!("{field}.sha256"))?;
        Ok(Document { sha256, media_type: text(&self.media_type, &format!("{field}.media_type"))? })
    }
}
