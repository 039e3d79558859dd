//! The cold chain: what devices measured, against the limits that were set.

use super::facts::{Events, Told};
use super::{Finding, FindingKind};
use crate::body::{Body, ConditionMeasured, TemperatureLimits};
use crate::id::{EventId, SubjectId};
use crate::value::{Measure, Text};
use std::cmp::Ordering;

/// Under which name temperatures are measured, in any case of its letters.
const TEMPERATURE: &str = "temperature";

/// Degrees Celsius: the code of UN/ECE Recommendation 20, and the sign of the SI.
const CELSIUS: [&str; 2] = ["CEL", "°C"];

/// Limits that held for a time.
struct Limited {
    event: EventId,
    limits: TemperatureLimits,
    from_ms: u64,
    until_ms: u64,
}

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let limited = limited(events);
    if limited.is_empty() {
        return Vec::new();
    }
    let stays = stays(events);
    let mut found = Vec::new();
    for (id, told) in events.all_counting() {
        let Body::ConditionMeasured(body) = &told.body else { continue };
        let of_lot = events.history.contains_key(&id);
        let (start, end) = (body.period.start.ms(), body.period.end.ms());
        let overlaps = |from: u64, until: u64| start < until && from <= end;
        let stay =
            stays.iter().find(|stay| told.subjects().any(|s| s == stay.unit) && overlaps(stay.from_ms, stay.until_ms));
        if !of_lot && stay.is_none() {
            continue;
        }
        for limit in limited.iter().filter(|limit| overlaps(limit.from_ms, limit.until_ms)) {
            if is_outside(body, limit.limits) {
                let packed = stay.filter(|_| !of_lot).map(|stay| stay.packed);
                let proof = [id, limit.event].into_iter().chain(packed);
                found.push(Finding::new(FindingKind::ColdChainBroken, events.lot, proof));
            }
        }
    }
    found
}

/// Whether the lowest or the highest reading lies beyond the limits.
fn is_outside(body: &ConditionMeasured, limits: TemperatureLimits) -> bool {
    if !body.property.as_str().eq_ignore_ascii_case(TEMPERATURE) {
        return false;
    }
    let compare = |measured: &Measure, centicelsius: i16| {
        if !CELSIUS.contains(&measured.unit()) {
            return None;
        }
        let unit = Text::new(measured.unit()).ok()?;
        measured.compare(&Measure::new(i64::from(centicelsius), 2, unit).ok()?)
    };
    compare(&body.lowest, limits.min_centicelsius) == Some(Ordering::Less)
        || compare(&body.highest, limits.max_centicelsius) == Some(Ordering::Greater)
}

/// The limits of offers hold until these are answered; those of a handling until the lot is handled, moved, packed,
/// processed or handed over next.
fn limited(events: &Events<'_>) -> Vec<Limited> {
    let mut limited = Vec::new();
    for (event, told) in events.counting() {
        let from_ms = told.took_place().0;
        let (limits, until_ms) = match &told.body {
            Body::TransferOffered(offer) => (offer.temperature, answered(events, &event)),
            Body::ProduceHandled(body) => (body.temperature, ended(events, event, from_ms)),
            _ => continue,
        };
        let until_ms = until_ms.unwrap_or(u64::MAX);
        limited.extend(limits.map(|limits| Limited { event, limits, from_ms, until_ms }));
    }
    limited
}

fn answered(events: &Events<'_>, offer: &EventId) -> Option<u64> {
    let answers = events.counting().filter(|(_, told)| match &told.body {
        Body::TransferAccepted(body) => body.offer == *offer,
        Body::TransferDeclined(body) | Body::TransferCancelled(body) => body.offer == *offer,
        _ => false,
    });
    answers.map(|(_, told)| told.took_place().1).min()
}

fn ended(events: &Events<'_>, handled: EventId, from_ms: u64) -> Option<u64> {
    let goes_on = |told: &Told| {
        matches!(
            told.body,
            Body::ProduceHandled(_)
                | Body::ProduceMoved(_)
                | Body::ProduceTransformed(_)
                | Body::TransferOffered(_)
                | Body::UnitPacked(_)
        )
    };
    let later = events.counting().filter(|(id, told)| *id != handled && goes_on(told));
    later.map(|(_, told)| told.took_place().0).filter(|at| *at > from_ms).min()
}

/// How long the lot lay in a unit.
struct Stay {
    unit: SubjectId,
    packed: EventId,
    from_ms: u64,
    until_ms: u64,
}

fn stays(events: &Events<'_>) -> Vec<Stay> {
    let unpacked = |unit: SubjectId, from_ms: u64| {
        let out = events.counting().filter(|(_, told)| {
            matches!(told.body, Body::UnitUnpacked(_)) && told.judged.event.subject(0) == Some(unit)
        });
        out.map(|(_, told)| told.took_place().1).filter(|at| *at >= from_ms).min().unwrap_or(u64::MAX)
    };
    let packed = events.counting().filter_map(|(packed, told)| {
        let Body::UnitPacked(_) = &told.body else { return None };
        let unit = told.judged.event.subject(0)?;
        let from_ms = told.took_place().0;
        Some(Stay { unit, packed, from_ms, until_ms: unpacked(unit, from_ms) })
    });
    packed.collect()
}
