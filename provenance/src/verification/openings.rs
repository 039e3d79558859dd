//! Check 12: the opened values are those that the signers sealed.

use super::report::{Failure, MATHEMATICS, Passed};
use crate::body::{Body, Recipient};
use crate::bundle::Opening;
use crate::cbor;
use crate::history::History;
use crate::id::EventId;
use crate::seal::{Commitment, Sealable, SealedField};
use minicbor::{Decode, Encode};
use std::collections::BTreeSet;

/// Passes with the events of which an opened value does not have the form of its field.
pub(super) fn openings(openings: &[Opening], history: &History) -> Result<Passed<BTreeSet<EventId>>, Failure> {
    let mut malformed = BTreeSet::new();
    for Opening { event: id, path, opening } in openings {
        let unknown = || Failure::new("unknown_field", "the event has no sealed field there").of_event(*id);
        let event = &history.event(id).ok_or_else(unknown)?.event;
        let path: Vec<u8> =
            path.iter().map(|step| u8::try_from(*step)).collect::<Result<_, _>>().map_err(|_| unknown())?;
        let sealed = sealed_field(&event.payload().body, &path, history).ok_or_else(unknown)?;
        let field = SealedField { signer: &event.key(), journal: &event.payload().journal, path: &path };
        if opening.commitment(field) != sealed.commitment {
            return Err(Failure::new("bad_opening", "the value is not the one that was sealed").of_event(*id));
        }
        if !(sealed.has_form)(&opening.value) {
            malformed.insert(*id);
        }
    }
    let proves = if openings.is_empty() {
        "No sealed value is opened.".to_owned()
    } else {
        format!("The {} opened values are those that the signers sealed.", openings.len())
    };
    Ok(Passed::new(malformed, proves, MATHEMATICS))
}

/// What stands in a sealed field.
struct Sealed {
    commitment: Commitment,
    /// Whether bytes are a value of the field.
    has_form: fn(&[u8]) -> bool,
}

/// The sealed field at a path of a body.
fn sealed_field(body: &Body, path: &[u8], history: &History) -> Option<Sealed> {
    match (body, path) {
        (Body::ActorEnrolled(body), [6]) => sealed(body.personal_name.as_ref()),
        (Body::PlaceRegistered(body), [5]) => sealed(body.exact_point.as_ref()),
        (Body::ProduceRegistered(body), [10]) => sealed(body.harvester.as_ref()),
        (Body::ProduceRegistered(body), [11]) => sealed(body.price.as_ref()),
        (Body::ProducePriceUpdated(body), [1]) => sealed(Some(&body.price)),
        (Body::TransferOffered(body), [8]) => sealed(body.price.as_ref()),
        (Body::TransferOffered(body), [2, 1]) => match &body.to {
            Recipient::OutsideName(name) => sealed(Some(name)),
            Recipient::Actor(_) | Recipient::OutsideGln(_) => None,
        },
        // What a correction replaces is found where it stands in the corrected body.
        (Body::EventCorrected(body), [3, field]) if body.replacement.contains_key(field) => {
            let target = history.event(&body.target)?;
            let corrected = body.apply(&target.event.payload().body).ok()?;
            sealed_field(&corrected, &[*field], history)
        }
        _ => None,
    }
}

fn sealed<T: Encode<()> + for<'b> Decode<'b, ()>>(field: Option<&Sealable<T>>) -> Option<Sealed> {
    match field? {
        Sealable::Open(_) => None,
        Sealable::Sealed(commitment) => {
            Some(Sealed { commitment: *commitment, has_form: |value| cbor::from_slice::<T>(value).is_ok() })
        }
    }
}
