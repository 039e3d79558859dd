//! Body of event.corrected: values that replace those of an earlier event in every view.

use super::Body;
use crate::cbor::{self, Any, CborError};
use crate::id::EventId;
use crate::kind::Kind;
use crate::value::Text;
use minicbor::{Decode, Decoder, Encode, Encoder};
use std::collections::BTreeMap;

/// Body of event.corrected.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(map)]
pub struct EventCorrected {
    /// The event that told something wrong.
    #[n(1)]
    pub target: EventId,
    /// What was wrong with it.
    #[n(2)]
    pub reason: Text<512>,
    /// Number of a field of the target's body → its right value, or null to take the field away.
    #[n(3)]
    pub replacement: BTreeMap<u8, Any>,
}

/// Why a body cannot be corrected so.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    /// A field that decides custody or identity.
    #[error("field {field} of {kind} cannot be corrected; only what it describes can, not who holds what")]
    Field {
        /// Kind of the target.
        kind: &'static str,
        /// Number of the field.
        field: u8,
    },
    /// The corrected body is not valid.
    #[error("the corrected event would not be valid: {0}")]
    Value(#[from] CborError),
}

/// Which fields a correction may replace: those that describe, and how much was registered. Other quantities, lots
/// and parties carry custody, which later events were judged by.
fn correctable(kind: Option<Kind>) -> (&'static str, &'static [u8]) {
    let Some(kind) = kind else { return ("this kind", &[]) };
    let fields: &[u8] = match kind {
        Kind::ProduceRegistered => &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        Kind::ProduceCollected => &[1, 2, 3, 5, 7, 8, 9],
        Kind::PlaceRegistered => &[1, 2, 3, 4, 5, 6, 7, 9],
        Kind::ProduceMoved | Kind::ProduceQualityUpdated | Kind::ProducePriceUpdated => &[1, 2],
        Kind::ProduceHandled => &[1, 2, 3, 4],
        Kind::ProduceCodesAssigned => &[1],
        Kind::TransferOffered => &[4, 5, 6, 7, 8, 9],
        _ => &[],
    };
    (kind.name(), fields)
}

impl EventCorrected {
    /// The target's body with the replacements in place.
    pub fn apply(&self, target: &Body) -> Result<Body, CorrectionError> {
        let kind = target.kind_number();
        let (name, allowed) = correctable(target.kind());
        if let Some(field) = self.replacement.keys().find(|field| !allowed.contains(field)) {
            return Err(CorrectionError::Field { kind: name, field: *field });
        }
        let mut encoded = Vec::new();
        target.encode(&mut Encoder::new(&mut encoded)).expect("writing to a vector cannot fail");
        let Any::Map(mut fields) = cbor::from_slice(&encoded)? else {
            return Err(CorrectionError::Field { kind: name, field: 0 });
        };
        for (field, value) in &self.replacement {
            let key = Any::Integer(i128::from(*field));
            fields.retain(|(existing, _)| *existing != key);
            if *value != Any::Null {
                fields.push((key, value.clone()));
            }
        }
        let corrected = cbor::to_vec(&Any::Map(fields));
        let body = Body::decode(kind, &mut Decoder::new(&corrected)).map_err(CborError::from)?;
        let mut again = Vec::new();
        body.encode(&mut Encoder::new(&mut again)).expect("writing to a vector cannot fail");
        if again == corrected { Ok(body) } else { Err(CborError::NotDeterministic.into()) }
    }
}
