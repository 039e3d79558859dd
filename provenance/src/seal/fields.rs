//! Which fields of an event stand sealed: where, under what name, and what form their values have.

use super::{Commitment, Sealable};
use crate::body::{Body, Recipient};
use crate::cbor::{self, Any};
use crate::kind::Kind;
use crate::value::{Coordinates, Price, Text};

/// Path of the personal name in actor.enrolled. Paths are field numbers from the body downwards,
/// and in an array the position, from 0.
pub const PERSONAL_NAME: &[u8] = &[6];
/// Path of the exact point in place.registered and place.updated.
pub const EXACT_POINT: &[u8] = &[5];
/// Path of the harvester in produce.registered.
pub const HARVESTER: &[u8] = &[10];
/// Path of the price in produce.registered.
pub const REGISTERED_PRICE: &[u8] = &[11];
/// Path of the price in `produce.price_updated`.
pub const UPDATED_PRICE: &[u8] = &[1];
/// Path of an outside party's name in transfer.offered.
pub const OUTSIDE_NAME: &[u8] = &[2, 1];
/// Path of the price in transfer.offered.
pub const OFFERED_PRICE: &[u8] = &[8];
/// First number of the paths into the replacements of event.corrected; the number of the field in
/// the target's body follows.
pub const REPLACEMENT: u8 = 3;

/// What a sealed field holds once it is opened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum SealedValue {
    /// A name of somebody.
    Name(Text<128>),
    /// A point on Earth.
    Point(Coordinates),
    /// A price.
    Price(Price),
}

/// The sealed fields of a body: path and commitment of each, by path.
///
/// In event.corrected every replacement that is a byte string of 32 bytes counts: the body alone does
/// not tell the kind of its target. Where it replaces an id that stands open, nothing can ever open it.
pub fn sealed_fields(body: &Body) -> Vec<(Vec<u8>, Commitment)> {
    match body {
        Body::ActorEnrolled(body) => one(PERSONAL_NAME, body.personal_name.as_ref()),
        Body::PlaceRegistered(body) => one(EXACT_POINT, body.exact_point.as_ref()),
        Body::PlaceUpdated(body) => one(EXACT_POINT, body.exact_point.as_ref()),
        Body::ProduceRegistered(body) => {
            [one(HARVESTER, body.harvester.as_ref()), one(REGISTERED_PRICE, body.price.as_ref())].concat()
        }
        Body::ProducePriceUpdated(body) => one(UPDATED_PRICE, Some(&body.price)),
        Body::TransferOffered(body) => {
            let name = match &body.to {
                Recipient::OutsideName(name) => Some(name),
                Recipient::Actor(_) | Recipient::OutsideGln(_) => None,
            };
            [one(OUTSIDE_NAME, name), one(OFFERED_PRICE, body.price.as_ref())].concat()
        }
        Body::EventCorrected(body) => {
            let sealed = body.replacement.iter().filter_map(|(field, value)| match value {
                Any::Bytes(bytes) => {
                    let bytes = bytes.as_slice().try_into().ok()?;
                    Some((vec![REPLACEMENT, *field], Commitment::from_bytes(bytes)))
                }
                _ => None,
            });
            sealed.collect()
        }
        _ => Vec::new(),
    }
}

/// The name that people and the API use for a field of this kind that may be sealed. For a path into
/// event.corrected, ask for the target's kind and the path without [`REPLACEMENT`].
pub fn sealable_name(kind: Kind, path: &[u8]) -> Option<&'static str> {
    Some(match (kind, path) {
        (Kind::ActorEnrolled, PERSONAL_NAME) => "personal_name",
        (Kind::PlaceRegistered | Kind::PlaceUpdated, EXACT_POINT) => "exact_point",
        (Kind::ProduceRegistered, HARVESTER) => "harvester",
        (Kind::TransferOffered, OUTSIDE_NAME) => "to",
        (Kind::ProduceRegistered, REGISTERED_PRICE)
        | (Kind::ProducePriceUpdated, UPDATED_PRICE)
        | (Kind::TransferOffered, OFFERED_PRICE) => "price",
        _ => return None,
    })
}

/// Reads the value of an opening in the form that its field has; nothing where it has another form.
/// For a path into event.corrected, ask for the target's kind and the path without [`REPLACEMENT`].
pub fn read_sealed(kind: Kind, path: &[u8], value: &[u8]) -> Option<SealedValue> {
    match sealable_name(kind, path)? {
        "exact_point" => cbor::from_slice(value).ok().map(SealedValue::Point),
        "price" => cbor::from_slice(value).ok().map(SealedValue::Price),
        _ => cbor::from_slice(value).ok().map(SealedValue::Name),
    }
}

fn one<T>(path: &[u8], field: Option<&Sealable<T>>) -> Vec<(Vec<u8>, Commitment)> {
    match field {
        Some(Sealable::Sealed(commitment)) => vec![(path.to_vec(), *commitment)],
        Some(Sealable::Open(_)) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{EventCorrected, PriceUpdated, ProduceMoved};
    use crate::id::{EventId, SubjectId};
    use std::collections::BTreeMap;

    #[test]
    fn sealed_fields_are_found_and_open_ones_are_not() {
        let seal = Commitment::from_bytes([7; 32]);
        let sealed = Body::ProducePriceUpdated(PriceUpdated { price: Sealable::Sealed(seal), reason: None });
        assert_eq!(sealed_fields(&sealed), [(UPDATED_PRICE.to_vec(), seal)]);
        let open = Body::ProduceMoved(ProduceMoved { place: SubjectId::from_bytes([1; 32]) });
        assert!(sealed_fields(&open).is_empty());
    }

    #[test]
    fn replacements_are_sealed_where_they_are_32_bytes() {
        let replacement = BTreeMap::from([
            (2, Any::Text("x".to_owned())),
            (10, Any::Bytes(vec![9; 32])),
            (11, Any::Bytes(vec![9; 31])),
        ]);
        let body =
            EventCorrected { target: EventId::from_bytes([1; 32]), reason: Text::new("typo").unwrap(), replacement };
        let found = sealed_fields(&Body::EventCorrected(body));
        assert_eq!(found, [(vec![REPLACEMENT, 10], Commitment::from_bytes([9; 32]))]);
    }

    #[test]
    fn values_have_the_form_of_their_field() {
        let name = cbor::to_vec(&Text::<128>::new("Lea").unwrap());
        assert!(matches!(read_sealed(Kind::ProduceRegistered, HARVESTER, &name), Some(SealedValue::Name(_))));
        assert_eq!(read_sealed(Kind::PlaceRegistered, EXACT_POINT, &name), None);
        assert_eq!(read_sealed(Kind::ProduceMoved, &[1], &name), None);
    }
}
