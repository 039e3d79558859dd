//! Who has a part in an event.

use super::{Ancestry, Judged};
use crate::body::{Body, Recipient};
use crate::id::{EventId, SubjectId};

/// Whether `actor` has a part in an event: it signed or acted or typed it, or the body names it as a side of what
/// is told.
pub(super) fn is_party<A: Ancestry>(actor: &SubjectId, judged: &Judged, ancestry: &A) -> Result<bool, A::Error> {
    if is_named(actor, judged) {
        return Ok(true);
    }
    match answered(&judged.event.payload().body) {
        Some(offer) => Ok(ancestry.judged(&offer)?.is_some_and(|offer| is_named(actor, &offer))),
        None => Ok(false),
    }
}

/// The offer that an event answers.
fn answered(body: &Body) -> Option<EventId> {
    match body {
        Body::TransferAccepted(body) => Some(body.offer),
        Body::TransferDeclined(body) | Body::TransferCancelled(body) => Some(body.offer),
        _ => None,
    }
}

fn is_named(actor: &SubjectId, judged: &Judged) -> bool {
    let (judgement, payload) = (&judged.judgement, judged.event.payload());
    if judgement.actor == *actor || judgement.acting == *actor || payload.captured_by == Some(*actor) {
        return true;
    }
    match &payload.body {
        Body::TransferOffered(body) => body.to == Recipient::Actor(*actor) || body.carrier == Some(*actor),
        Body::ProduceCollected(body) => body.deliveries.iter().any(|delivery| delivery.member == *actor),
        Body::CertificateIssued(body) => body.operators.contains(actor),
        _ => false,
    }
}
