//! Impossible travel: great-circle distance against time.
//!
//! Everything is integers, because two machines need not agree on the last digits of a floating sine: angles and sines
//! are in units of 2^-60.

use super::facts::{Events, Told};
use super::{Finding, FindingKind};
use crate::body::Body;
use crate::id::{EventId, SubjectId};
use crate::value::Coordinates;
use std::collections::BTreeMap;

/// No produce goes faster: freight aircraft cruise at 900 km/h, and the sphere on which distances are taken is wrong by at most
/// 0.6 %.
const MAX_KM_PER_H: u64 = 1_000;

/// Open points are rounded to a kilometre, and a port or an estate is some kilometres wide.
const PLACE_TOLERANCE_M: u64 = 25_000;

/// Two clocks that nobody sets may differ so much.
const CLOCK_TOLERANCE_MS: u64 = 10 * 60 * 1000;

/// Mean radius of the Earth (IUGG, R1 of GRS 80), in metres.
const EARTH_RADIUS_M: i128 = 6_371_009;

/// Half the circumference: nothing is farther away.
const FARTHEST_M: u64 = 20_015_115;

const ONE: i128 = 1 << 60;
/// π × 2^60, rounded.
const PI: i128 = 3_622_009_729_038_561_421;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A day begins first where clocks are 14 hours ahead of UTC.
const EARLIEST_MS: i64 = 14 * 60 * 60 * 1000;

/// That the lot was at a place.
struct Sighting {
    end_ms: u64,
    start_ms: u64,
    event: EventId,
    place: SubjectId,
}

pub(super) fn findings(events: &Events<'_>) -> Vec<Finding> {
    let points = points(events);
    let mut sightings: Vec<Sighting> = events
        .counting()
        .filter_map(|(event, told)| sighting(events, event, told))
        .filter(|sighting| points.contains_key(&sighting.place))
        .collect();
    sightings.sort_unstable_by_key(|one| (one.end_ms, one.start_ms, one.event));
    let mut found = Vec::new();
    for pair in sightings.windows(2) {
        let [from, to] = pair else { continue };
        let (from_points, to_points) = (&points[&from.place], &points[&to.place]);
        // Of a place that was moved on the map, the nearest of its points is taken.
        let pairs = from_points.iter().flat_map(|(_, a)| to_points.iter().map(|(_, b)| distance_m(*a, *b)));
        let elapsed_ms = to.end_ms.saturating_sub(from.start_ms);
        if from.place != to.place && pairs.min().is_some_and(|distance| distance > reach_m(elapsed_ms)) {
            let registered = from_points.iter().chain(to_points).map(|(event, _)| *event);
            let proof = registered.chain([from.event, to.event]);
            found.push(Finding::new(FindingKind::ImpossibleTravel, events.lot, proof));
        }
    }
    found
}

/// How far goods can be after so long.
fn reach_m(elapsed_ms: u64) -> u64 {
    let ms = elapsed_ms.saturating_add(CLOCK_TOLERANCE_MS);
    // 1 km/h is 1 m in 3,600 ms.
    PLACE_TOLERANCE_M + ms.saturating_mul(MAX_KM_PER_H) / 3_600
}

/// All points that a place ever had, with the events that gave them.
fn points(events: &Events<'_>) -> BTreeMap<SubjectId, Vec<(EventId, Coordinates)>> {
    let mut points: BTreeMap<SubjectId, Vec<(EventId, Coordinates)>> = BTreeMap::new();
    for (event, told) in events.all_counting() {
        let point = match &told.body {
            Body::PlaceRegistered(body) => body.point,
            Body::PlaceUpdated(body) => body.point,
            _ => None,
        };
        if let (Some(point), Some(place)) = (point, told.judged.event.subject(0)) {
            points.entry(place).or_default().push((event, point));
        }
    }
    points
}

/// Where an event says that the lot was.
fn sighting(events: &Events<'_>, event: EventId, told: &Told) -> Option<Sighting> {
    let (mut start_ms, end_ms) = told.took_place();
    let place = match &told.body {
        Body::ProduceRegistered(body) => {
            // It was there on any day of the harvest, whenever that was written down.
            let first = body.harvested.map(|days| i64::from(days.first().days()) * DAY_MS - EARLIEST_MS);
            let first = first.and_then(|first| u64::try_from(first).ok());
            start_ms = first.map_or(start_ms, |first| first.min(start_ms));
            match body.places.as_slice() {
                [place] => Some(*place),
                _ => None,
            }
        }
        Body::ProduceMoved(body) => Some(body.place),
        Body::ProduceHandled(body) => body.place,
        Body::ProduceTransformed(body) => body.place,
        Body::UnitPacked(body) => body.place,
        Body::UnitUnpacked(body) => body.place,
        Body::TransferOffered(body) => body.from_place,
        Body::TransferAccepted(body) => match &events.all.get(&body.offer)?.body {
            Body::TransferOffered(offer) => offer.to_place,
            _ => None,
        },
        Body::ConditionMeasured(body) => {
            return Some(Sighting {
                end_ms: body.period.end.ms(),
                start_ms: body.period.start.ms(),
                event,
                place: body.place?,
            });
        }
        _ => None,
    };
    place.map(|place| Sighting { end_ms, start_ms, event, place })
}

/// The great-circle distance of two points in metres, on a sphere of the Earth's mean radius: by the haversine formula
/// (R. W. Sinnott, "Virtues of the Haversine", 1984), rounded down.
pub fn distance_m(a: Coordinates, b: Coordinates) -> u64 {
    let half = |from: i32, to: i32| {
        let degrees = (i64::from(from) - i64::from(to)).abs();
        // The short way around, halved.
        angle(degrees.min(3_600_000_000 - degrees)) / 2
    };
    let square = |x: i128| x * x / ONE;
    let cosine = |latitude: i32| sine(PI / 2 - angle(i64::from(latitude).abs()));
    let across = square(sine(half(a.longitude_e7(), b.longitude_e7())));
    let haversine = square(sine(half(a.latitude_e7(), b.latitude_e7())))
        + cosine(a.latitude_e7()) * cosine(b.latitude_e7()) / ONE * across / ONE;
    // The sine grows over this range, so the distance is found by halving.
    let (mut low, mut high) = (0, FARTHEST_M);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if square(sine(i128::from(middle) * ONE / (2 * EARTH_RADIUS_M))) <= haversine {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// Radians × 2^60 of an angle in 1e-7 degree.
fn angle(degrees_e7: i64) -> i128 {
    i128::from(degrees_e7) * PI / 1_800_000_000
}

/// The sine of an angle from 0 to π/2, by its Taylor series: the first term left out is below 2^-60.
fn sine(x: i128) -> i128 {
    let square = x * x / ONE;
    let (mut term, mut sum) = (x, x);
    for n in 1..=12 {
        term = -(term * square / ONE) / (2 * n * (2 * n + 1));
        sum += term;
    }
    sum
}
