//! Where goods are, as far as was told.

use super::history::{self, HistoryEntry};
use crate::reader::Reader;
use provenance::body::{Body, Moves};
use provenance::id::SubjectId;
use store::StoreError;

/// The last place that was told in these entries, oldest first, of which those that do not count say nothing.
pub(crate) fn last_told(reader: &Reader, told: &[HistoryEntry]) -> Result<Option<SubjectId>, StoreError> {
    for entry in told.iter().rev().filter(|entry| entry.counts) {
        let place = told_by(reader, entry.body())?;
        if place.is_some() {
            return Ok(place);
        }
    }
    Ok(None)
}

/// The place that an event tells of the lots that it touches.
pub(crate) fn told_by(reader: &Reader, body: &Body) -> Result<Option<SubjectId>, StoreError> {
    Ok(match body {
        // A lot is where it was grown until something else is told, where that is one place.
        Body::ProduceRegistered(body) => match body.places.as_slice() {
            [place] => Some(*place),
            _ => None,
        },
        Body::ProduceMoved(body) => Some(body.place),
        Body::ProduceHandled(body) => body.place,
        Body::ProduceTransformed(body) => body.place,
        Body::UnitPacked(body) => body.place,
        Body::UnitUnpacked(body) => body.place,
        // It arrived where the offer said that it would go; title goes nowhere.
        Body::TransferAccepted(body) => match reader.stored(&body.offer)? {
            Some(offer) => match history::corrected_body(reader, &offer)?.0 {
                Body::TransferOffered(offer) if offer.moves != Moves::Title => offer.to_place,
                _ => None,
            },
            None => None,
        },
        _ => None,
    })
}
