//! Composing place.registered and place.updated.

use super::draft::{Command, Draft};
use super::{AuthorError, RegisterPlace, UpdatePlace};
use provenance::body::{Body, PlaceRegistered, PlaceUpdated};
use provenance::seal;
use provenance::value::Coordinates;

impl Command for RegisterPlace {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.creates();
        if let Some(parent) = &self.parent {
            draft.names_place("parent", parent)?;
        }
        Ok(Body::PlaceRegistered(PlaceRegistered {
            place_type: self.place_type.clone(),
            name: self.name.clone(),
            gln: self.gln.clone(),
            point: self.point.or_else(|| self.exact_point.map(Coordinates::to_open)),
            exact_point: self.exact_point.as_ref().map(|point| draft.seals(seal::EXACT_POINT, point)),
            outline: self.outline.clone(),
            area_m2: self.area_m2,
            parent: self.parent,
            country: self.country.clone(),
        }))
    }
}

impl Command for UpdatePlace {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_place("place", self.place)?;
        if let Some(parent) = &self.parent {
            draft.names_place("parent", parent)?;
        }
        Ok(Body::PlaceUpdated(Box::new(PlaceUpdated {
            name: self.name.clone(),
            gln: self.gln.clone(),
            point: self.point.or_else(|| self.exact_point.map(Coordinates::to_open)),
            exact_point: self.exact_point.as_ref().map(|point| draft.seals(seal::EXACT_POINT, point)),
            outline: self.outline.clone(),
            area_m2: self.area_m2,
            parent: self.parent,
            country: self.country.clone(),
        })))
    }
}
