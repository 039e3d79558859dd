//! Opened fields: each fits the commitment that its event was signed with.

use super::{Failure, Reason};
use crate::admission::Judged;
use crate::body::Body;
use crate::bundle::Bundle;
use crate::history::History;
use crate::kind::Kind;
use crate::seal::{Opening, REPLACEMENT, SealedField, sealable_name, sealed_fields};

/// Check 12.
pub(super) fn check(bundle: &Bundle, history: &History) -> Result<(), Failure> {
    for opened in &bundle.openings {
        let wrong = |reason, detail: &str| Failure::of_event(reason, opened.event, detail);
        let unknown = || wrong(Reason::UnknownField, "the event is not in the bundle, or has no sealed field there");
        let judged = history.get(&opened.event).ok_or_else(unknown)?;
        let fields = sealed_fields(&judged.event.payload().body);
        let (_, commitment) = fields.iter().find(|(path, _)| *path == opened.path).ok_or_else(unknown)?;
        field_kind(judged, &opened.path, history).ok_or_else(unknown)?;
        let opening = Opening { salt: opened.salt, value: opened.value.clone() };
        let field =
            SealedField { signer: &judged.event.key(), journal: &judged.event.payload().journal, path: &opened.path };
        if opening.commitment(field) != *commitment {
            return Err(wrong(Reason::BadOpening, "the opened value is not the one that was sealed"));
        }
    }
    Ok(())
}

/// The kind that has the field, where it can be sealed: of event.corrected it is the target's.
fn field_kind(judged: &Judged, path: &[u8], history: &History) -> Option<Kind> {
    let body = &judged.event.payload().body;
    let (body, path) = match (body, path) {
        (Body::EventCorrected(correction), [REPLACEMENT, path @ ..]) => {
            (&history.get(&correction.target)?.event.payload().body, path)
        }
        (body, path) => (body, path),
    };
    body.kind().filter(|kind| sealable_name(*kind, path).is_some())
}
