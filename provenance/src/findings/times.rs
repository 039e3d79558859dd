//! Times that run backwards, entries that come late, answers after the offer expired.

use super::facts::Events;
use super::{Finding, FindingKind};
use crate::body::Body;
use crate::id::EventId;
use crate::payload::Payload;

/// Signed so much later than it took place, an event was written from memory: slips from the field are typed in by the next
/// weekly day at the office.
const LATE_AFTER_MS: u64 = 7 * 24 * 60 * 60 * 1000;

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let payload_of = |id: &EventId| events.all.get(id).map(|told| told.judged.event.payload());
    for (id, told) in events.counting() {
        let payload = told.judged.event.payload();
        let earlier = earlier_than(payload, payload_of);
        found.extend(earlier.map(|prev| Finding::new(FindingKind::TimeRunsBackwards, events.lot, [id, prev])));
        if payload.occurred.is_some() && told.signed().ms() > told.took_place().1.saturating_add(LATE_AFTER_MS) {
            found.push(Finding::new(FindingKind::LateEntry, events.lot, [id]));
        }
        if let Some(offer) = accepted_after_expiry(payload, payload_of) {
            found.push(Finding::new(FindingKind::AfterExpiry, events.lot, [id, offer]));
        }
    }
    found
}

/// What an event extends that was signed later than itself, by the clocks of both.
pub(crate) fn earlier_than<'a, 'p>(
    payload: &'p Payload,
    find: impl Fn(&EventId) -> Option<&'a Payload> + 'p,
) -> impl Iterator<Item = EventId> + 'p {
    let extended = payload.touches.iter().flat_map(|touch| touch.prev.iter().copied());
    extended.filter(move |prev| find(prev).is_some_and(|prev| prev.time > payload.time))
}

/// The offer that an acceptance answers, where it had expired.
pub(crate) fn accepted_after_expiry<'a>(
    payload: &Payload,
    find: impl Fn(&EventId) -> Option<&'a Payload>,
) -> Option<EventId> {
    let Body::TransferAccepted(acceptance) = &payload.body else { return None };
    let Body::TransferOffered(offer) = &find(&acceptance.offer)?.body else { return None };
    offer.expires.is_some_and(|expires| payload.time > expires).then_some(acceptance.offer)
}
