//! Composing event.corrected.

use super::draft::{Command, Draft};
use super::{AuthorError, CorrectEvent};
use provenance::admission::Rule;
use provenance::body::{Body, EventCorrected};
use provenance::cbor::{self, Any};
use provenance::kind::Kind;
use provenance::seal::{self, Sealable};

/// The number of a field that a correction may replace, by the name it has in JSON.
pub fn correctable_field(kind: Kind, name: &str) -> Option<u8> {
    let fields: &[(u8, &str)] = match kind {
        Kind::ProduceRegistered => &[
            (1, "commodity"),
            (2, "name"),
            (3, "variety"),
            (4, "places"),
            (5, "harvested"),
            (6, "quantity"),
            (7, "grade"),
            (8, "codes"),
            (9, "claims"),
            (10, "harvester"),
            (11, "price"),
        ],
        Kind::ProduceCollected => &[
            (1, "commodity"),
            (2, "name"),
            (3, "variety"),
            (5, "harvested"),
            (7, "grade"),
            (8, "codes"),
            (9, "claims"),
        ],
        Kind::PlaceRegistered => &[
            (1, "place_type"),
            (2, "name"),
            (3, "gln"),
            (4, "point"),
            (5, "exact_point"),
            (6, "outline"),
            (7, "area_m2"),
            (9, "country"),
        ],
        Kind::ProduceMoved => &[(1, "place")],
        Kind::ProduceHandled => &[(1, "step"), (2, "place"), (3, "temperature"), (4, "remark")],
        Kind::ProduceCodesAssigned => &[(1, "codes")],
        Kind::ProduceQualityUpdated => &[(1, "grade"), (2, "reason")],
        Kind::ProducePriceUpdated => &[(1, "price"), (2, "reason")],
        Kind::TransferOffered => {
            &[(4, "carrier"), (5, "from_place"), (6, "to_place"), (7, "temperature"), (8, "price"), (9, "expires")]
        }
        _ => &[],
    };
    fields.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

/// A value as it stands in the replacements of a correction.
pub fn any(value: &impl minicbor::Encode<()>) -> Any {
    cbor::from_slice(&cbor::to_vec(value)).expect("values are encoded as CBOR without floats")
}

impl Command for CorrectEvent {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let unknown = AuthorError::UnknownEvent { field: "target", event: self.target };
        let stored = draft.desk().stored(&self.target)?.filter(|stored| stored.index.is_some());
        let target = stored.ok_or(unknown)?.judged;
        let subject = target.event.subject(0).expect("an admitted event has a touch");
        let told = &target.event.payload().body;
        let (reason, replacement) = (self.reason.clone(), self.replacement.clone());
        let mut body = EventCorrected { target: self.target, reason, replacement };
        // Looked at while everything stands open, because nobody can check what is sealed.
        check(&body.apply(told)?, draft)?;
        for (field, value) in &mut body.replacement {
            if is_sealed(told, *field) && !matches!(value, Any::Bytes(_)) {
                let commitment = draft.commits_to(&[seal::REPLACEMENT, *field], value);
                *value = Any::Bytes(commitment.as_bytes().to_vec());
            }
        }
        draft.attests(subject)?;
        Ok(Body::EventCorrected(body))
    }
}

/// What the first telling of such a body would have had to keep to.
fn check(corrected: &Body, draft: &mut Draft<'_>) -> Result<(), AuthorError> {
    match corrected {
        Body::PlaceRegistered(place) if place.point.is_some_and(|point| !point.is_open()) => {
            Err(AuthorError::Rule(Rule::OpenPoint))
        }
        Body::ProduceRegistered(produce) => {
            produce.places.iter().try_for_each(|place| draft.names_place("replacement.places", place))
        }
        Body::ProduceHandled(handled) => {
            handled.place.iter().try_for_each(|place| draft.names_place("replacement.place", place))
        }
        Body::ProduceMoved(moved) => draft.names_place("replacement.place", &moved.place),
        Body::TransferOffered(offer) => {
            if let Some(carrier) = &offer.carrier {
                draft.names_actor("replacement.carrier", carrier)?;
            }
            let places = offer.from_place.iter().chain(&offer.to_place);
            places.into_iter().try_for_each(|place| draft.names_place("replacement.place", place))
        }
        _ => Ok(()),
    }
}

/// Whether a field stands sealed in the body, or always does.
fn is_sealed(body: &Body, field: u8) -> bool {
    fn sealed<T>(value: &Sealable<T>) -> bool {
        value.open().is_none()
    }
    match (body, [field].as_slice()) {
        (Body::PlaceRegistered(_), seal::EXACT_POINT) | (Body::ProduceRegistered(_), seal::HARVESTER) => true,
        (Body::ProduceRegistered(body), seal::REGISTERED_PRICE) => body.price.as_ref().is_some_and(sealed),
        (Body::ProducePriceUpdated(body), seal::UPDATED_PRICE) => sealed(&body.price),
        (Body::TransferOffered(body), seal::OFFERED_PRICE) => body.price.as_ref().is_some_and(sealed),
        _ => false,
    }
}
