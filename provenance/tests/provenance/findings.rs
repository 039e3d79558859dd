//! Findings: each has a history that breaks it and one that nearly does, and no order matters.

use super::deeds::recalled;
use super::story::*;
use proptest::prelude::*;
use provenance::admission::{Judged, Judgement, Standing};
use provenance::body::*;
use provenance::event::SignedEvent;
use provenance::findings::{Agreement, Facts, Finding, FindingKind, Told, distance_m, of};
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Payload, Touch};
use provenance::value::*;
use std::collections::BTreeSet;
use std::sync::Arc;

const HOUR_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// 2026-09-21.
const START_MS: u64 = 1_790_000_000_000;

fn told(event: &SignedEvent, actor: SubjectId) -> Told {
    let judgement = Judgement {
        standing: Standing::Admitted,
        actor,
        acting: actor,
        key_event: event.payload().journal,
        journal_height: 1,
        lines: vec![],
        amendment: None,
    };
    Told::plain(Arc::new(Judged { event: event.clone(), judgement }))
}

/// A lot and what is told of it and around it.
struct Tale {
    who: Signatory,
    lot: SubjectId,
    tip: EventId,
    facts: Facts,
}

impl Tale {
    fn of(change: impl FnOnce(&mut ProduceRegistered)) -> Self {
        Self::by(Signatory::founder(&network(), 0), change)
    }

    fn by(mut who: Signatory, change: impl FnOnce(&mut ProduceRegistered)) -> Self {
        let template = who.clone().registers("100", None);
        let Body::ProduceRegistered(mut body) = template.payload().body.clone() else { unreachable!() };
        change(&mut body);
        let event = who.says(vec![new_subject()], &[], Body::ProduceRegistered(body));
        let lot = event.subject(0).unwrap();
        let history = vec![told(&event, who.actor)];
        let facts = Facts { lot, sources: BTreeSet::new(), agreement: Agreement::default(), history, around: vec![] };
        Self { who, lot, tip: event.id(), facts }
    }

    fn tells(&mut self, body: Body) -> EventId {
        self.tells_as(body, |_| {})
    }

    fn tells_as(&mut self, body: Body, change: impl FnOnce(&mut Payload)) -> EventId {
        let mut payload = self.who.payload(vec![touch(self.lot, &[self.tip])], &[], body);
        change(&mut payload);
        let event = self.who.sign(payload);
        self.tip = event.id();
        self.facts.history.push(told(&event, self.who.actor));
        event.id()
    }

    fn around(&mut self, touch: Touch, body: Body) -> SignedEvent {
        let event = self.who.says(vec![touch], &[], body);
        self.facts.around.push(told(&event, self.who.actor));
        event
    }

    fn place(&mut self, latitude: f64, longitude: f64) -> SubjectId {
        let template = self.who.clone().registers_place();
        let Body::PlaceRegistered(mut body) = template.payload().body.clone() else { unreachable!() };
        body.point = Some(Coordinates::from_degrees(latitude, longitude).unwrap());
        self.around(new_subject(), Body::PlaceRegistered(body)).subject(0).unwrap()
    }

    fn later(&mut self, ms: u64) {
        self.who.time_ms += ms;
    }

    fn kinds(&self) -> Vec<FindingKind> {
        of(&self.facts).into_iter().map(|finding| finding.finding).collect()
    }

    fn finding(&self, kind: FindingKind) -> Finding {
        let found = of(&self.facts);
        found.iter().find(|finding| finding.finding == kind).unwrap_or_else(|| panic!("{kind:?} in {found:?}")).clone()
    }

    fn proves(&self, kind: FindingKind, events: &[EventId]) {
        let mut events = events.to_vec();
        events.sort_unstable();
        assert_eq!(self.finding(kind).events, events);
    }
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

fn moved(place: SubjectId) -> Body {
    Body::ProduceMoved(ProduceMoved { place })
}

#[test]
fn a_plain_history_has_no_findings() {
    let mut tale = Tale::of(|_| {});
    let place = tale.place(44.84, -0.58);
    tale.tells(moved(place));
    assert_eq!(tale.kinds(), []);
}

#[test]
fn conflict_and_what_settles_it() {
    let mut tale = Tale::of(|_| {});
    let id = tale.tip;
    tale.facts.agreement = Agreement { disputed: true, in_conflict: [id].into(), beside: [id].into() };
    tale.proves(FindingKind::Conflict, &[id]);
    tale.facts.agreement.disputed = false;
    assert_eq!(tale.kinds(), [FindingKind::SettledConflict]);
    tale.facts.agreement.in_conflict.clear();
    assert_eq!(tale.kinds(), [FindingKind::Beside]);
    tale.facts.agreement.beside.clear();
    assert_eq!(tale.kinds(), []);
}

#[test]
fn a_fork_is_told_of_the_signer() {
    let mut tale = Tale::of(|_| {});
    let mut other = tale.who.clone();
    let (a, b) = (tale.who.registers_place(), other.registers("1", None));
    tale.facts.around.push(told(&a, tale.who.actor));
    assert_eq!(tale.kinds(), [], "one event on a link is no fork");
    tale.facts.around.push(told(&b, tale.who.actor));
    tale.proves(FindingKind::JournalFork, &[a.id(), b.id()]);
    assert_eq!(tale.finding(FindingKind::JournalFork).subject, tale.who.actor);
}

#[test]
fn a_recall_reaches_what_came_from_the_lot_until_it_ends() {
    let mut tale = Tale::of(|_| {});
    let source = tale.who.registers("5", None).subject(0).unwrap();
    let touch = tale.who.attester(source, &[]);
    let recall = tale.around(touch, Body::RecallIssued(recalled()));
    assert_eq!(tale.kinds(), [], "another lot is recalled");
    tale.facts.sources.insert(source);
    tale.proves(FindingKind::Recalled, &[recall.id()]);
    assert_eq!(tale.finding(FindingKind::Recalled).subject, source);
    let touch = tale.who.attester(source, &[recall.id()]);
    tale.around(touch, Body::RecallEnded(RecallEnded { recall: recall.id(), reason: text("unfounded") }));
    assert_eq!(tale.kinds(), []);
}

#[test]
fn distances_are_those_of_the_sphere() {
    let at = |latitude, longitude| Coordinates::from_degrees(latitude, longitude).unwrap();
    assert_eq!(distance_m(at(10.0, 20.0), at(10.0, 20.0)), 0);
    // A degree of the equator, a quarter and a half of the circumference, and across the date line.
    let near = |found: u64, expected: u64| assert!(found.abs_diff(expected) <= 2, "{found} is not {expected}");
    near(distance_m(at(0.0, 0.0), at(0.0, 1.0)), 111_195);
    near(distance_m(at(0.0, 0.0), at(90.0, 0.0)), 10_007_557);
    near(distance_m(at(0.0, -90.0), at(0.0, 90.0)), 20_015_115);
    near(distance_m(at(0.0, 179.5), at(0.0, -179.5)), 111_195);
    near(distance_m(at(52.52, 13.40), at(48.86, 2.35)), 877_091);
}

proptest! {
    #[test]
    fn distances_agree_with_floating_arithmetic(
        a in (-89.9..89.9_f64, -180.0..180.0_f64),
        b in (-89.9..89.9_f64, -180.0..180.0_f64),
    ) {
        let point = |(latitude, longitude)| Coordinates::from_degrees(latitude, longitude).unwrap();
        let (from, to) = (point(a), point(b));
        let found = distance_m(from, to);
        prop_assert_eq!(found, distance_m(to, from));
        let ((lat1, lon1), (lat2, lon2)) = (from.degrees(), to.degrees());
        let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
        let haversine = half(lat1, lat2) + lat1.to_radians().cos() * lat2.to_radians().cos() * half(lon1, lon2);
        let expected = 2.0 * 6_371_009.0 * haversine.sqrt().min(1.0).asin();
        // Near the antipode a floating haversine loses half of its digits.
        let allowed = if expected > 19_000_000.0 { 500.0 } else { 2.0 };
        #[allow(clippy::cast_precision_loss)] // No distance on Earth needs more than 52 bits.
        let found = found as f64;
        prop_assert!((found - expected).abs() <= allowed, "{} is not {}", found, expected);
    }
}

/// Moves a lot from Bordeaux to Berlin, 1,331 km, in this time.
fn journey(ms: u64) -> (Tale, [EventId; 2]) {
    let mut tale = Tale::of(|_| {});
    let (bordeaux, berlin) = (tale.place(44.84, -0.58), tale.place(52.52, 13.40));
    let from = tale.tells(moved(bordeaux));
    tale.later(ms - 1_000);
    let to = tale.tells(moved(berlin));
    (tale, [from, to])
}

#[test]
fn travel_faster_than_any_aircraft_is_told() {
    let (tale, [from, to]) = journey(HOUR_MS);
    let proof = tale.finding(FindingKind::ImpossibleTravel).events;
    assert!(proof.len() == 4 && proof.contains(&from) && proof.contains(&to), "with both places: {proof:?}");
    // 1,331 km less 25 km at 1,000 km/h take 78.4 minutes, of which the clocks may have ten.
    assert_eq!(journey(68 * 60 * 1000).0.kinds().len(), 1);
    assert_eq!(journey(69 * 60 * 1000).0.kinds(), []);
}

#[test]
fn a_lot_comes_from_any_day_of_its_harvest() {
    let register = |harvested: Option<DateRange>| {
        let mut who = Signatory::founder(&network(), 0);
        let place = who.registers_place();
        let mut tale = Tale::by(who, |body| {
            body.places = vec![place.subject(0).unwrap()];
            body.harvested = harvested;
        });
        tale.facts.around.push(told(&place, tale.who.actor));
        let berlin = tale.place(52.52, 13.40);
        tale.tells(moved(berlin));
        tale.kinds()
    };
    assert_eq!(register(None), [FindingKind::ImpossibleTravel]);
    let day = Date::parse("2026-09-19").unwrap();
    assert_eq!(register(Some(DateRange::new(day, day).unwrap())), []);
}

#[test]
fn more_cannot_come_out_than_went_in() {
    let press = |input: Quantity, output: Quantity, loss: Option<Quantity>| {
        let mut tale = Tale::of(|_| {});
        let output = Output {
            commodity: Commodity { scheme: text("HS"), code: text("2009.79") },
            name: LangText::single("en", "Juice").unwrap(),
            variety: None,
            quantity: output,
            grade: None,
            codes: None,
            claims: None,
        };
        let inputs = vec![Input { lot: tale.lot, quantity: input }];
        let (run, process) = (text("1"), text("pressed"));
        let body = ProduceTransformed { run, process, inputs, outputs: vec![output], loss, place: None };
        let id = tale.tells(Body::ProduceTransformed(Box::new(body)));
        (tale, id)
    };
    let (tale, id) = press(kg("100"), kg("60.5"), Some(kg("39.501")));
    tale.proves(FindingKind::MassBalance, &[id]);
    assert_eq!(press(kg("100"), kg("60.5"), Some(kg("39.5"))).0.kinds(), []);
    let litres = Quantity::parse("700", Unit::new("LTR").unwrap(), None).unwrap();
    assert_eq!(press(kg("100"), litres, None).0.kinds(), [], "litres are no kilograms");
}

/// A lot of 100 kg that claims the certificate as `claim` writes it, registered on 2026-09-21.
fn certified(
    change: impl FnOnce(&mut CertificateIssued, SubjectId),
    claim: impl FnOnce(SubjectId) -> String,
) -> (Tale, SignedEvent) {
    let mut who = Signatory::founder(&network(), 0);
    let day = |text| Date::parse(text).unwrap();
    let mut body = CertificateIssued {
        scheme: text("organic"),
        number: text("FR-BIO-01"),
        operators: vec![who.actor],
        places: None,
        commodities: None,
        valid: DateRange::new(day("2026-01-01"), day("2026-12-31")).unwrap(),
        volume_cap: None,
        document: None,
    };
    change(&mut body, who.actor);
    let issued = who.says(vec![new_subject()], &[], Body::CertificateIssued(Box::new(body)));
    let claim = claim(issued.subject(0).unwrap());
    let mut tale = Tale::by(who, |body| body.claims = Some(vec![text(&claim)]));
    tale.facts.around.push(told(&issued, tale.who.actor));
    (tale, issued)
}

fn by_id(id: SubjectId) -> String {
    id.to_string()
}

#[test]
fn claims_stay_within_the_days_of_a_certificate() {
    let valid = |first: &'static str, last: &'static str| {
        certified(
            |body, _| body.valid = DateRange::new(Date::parse(first).unwrap(), Date::parse(last).unwrap()).unwrap(),
            by_id,
        )
    };
    let (tale, issued) = valid("2026-01-01", "2026-09-19");
    tale.proves(FindingKind::CertificateOutOfDate, &[tale.tip, issued.id()]);
    assert_eq!(valid("2026-09-23", "2026-12-31").0.kinds(), [FindingKind::CertificateOutOfDate]);
    assert_eq!(valid("2026-09-21", "2026-09-21").0.kinds(), []);
}

#[test]
fn a_suspended_certificate_certifies_nothing() {
    let with = |states: &[(CertificateState, u64)]| {
        let (mut tale, issued) = certified(|_, _| {}, |_| "organic FR-BIO-01".to_owned());
        for (state, from) in states {
            let body = CertificateStatus { state: *state, from: Timestamp::new(*from).unwrap(), reason: None };
            tale.around(touch(issued.subject(0).unwrap(), &[issued.id()]), Body::CertificateStatus(body));
        }
        tale.kinds()
    };
    let suspended = (CertificateState::Suspended, START_MS - DAY_MS);
    assert_eq!(with(&[suspended]), [FindingKind::CertificateSuspended]);
    assert_eq!(with(&[(CertificateState::Withdrawn, START_MS)]), [FindingKind::CertificateSuspended]);
    assert_eq!(with(&[suspended, (CertificateState::Reinstated, START_MS - HOUR_MS)]), []);
    assert_eq!(with(&[(CertificateState::Suspended, START_MS + DAY_MS)]), []);
}

#[test]
fn a_certificate_is_for_those_whom_it_names() {
    let others = |body: &mut CertificateIssued, actor: SubjectId| {
        let other = network().id().founder(1);
        assert_ne!(other, actor);
        body.operators = vec![other];
    };
    assert_eq!(certified(others, |_| "FR-BIO-01".to_owned()).0.kinds(), [FindingKind::CertificateOfOthers]);
    assert_eq!(certified(|_, _| {}, |_| "FR-BIO-01".to_owned()).0.kinds(), []);
    assert_eq!(certified(others, |_| "FR-BIO-02".to_owned()).0.kinds(), [], "another certificate");
}

#[test]
fn no_more_is_sold_than_a_certificate_allows() {
    let with = |cap: &'static str, more: Quantity| {
        let (mut tale, issued) = certified(|body, _| body.volume_cap = Some(kg(cap)), by_id);
        let mut other = Tale::by(tale.who.clone(), |body| {
            body.claims = Some(vec![text(&issued.subject(0).unwrap().to_string())]);
            body.quantity = more;
        });
        let event = other.tip;
        tale.facts.around.append(&mut other.facts.history);
        (tale, issued, event)
    };
    let (tale, issued, other) = with("149.9", kg("50"));
    tale.proves(FindingKind::VolumeCapExceeded, &[tale.tip, issued.id(), other]);
    assert_eq!(with("150", kg("50")).0.kinds(), []);
    let boxes = Quantity::parse("5000", Unit::new("H87").unwrap(), None).unwrap();
    assert_eq!(with("100", boxes).0.kinds(), [], "pieces are no kilograms");
}

/// A lot on the way between 2 and 8 °C, and what was measured some time after it was offered.
fn cooled(
    lowest: &str,
    highest: &str,
    unit: &str,
    after_ms: u64,
    answered_ms: Option<u64>,
) -> (Tale, EventId, EventId) {
    let mut tale = Tale::of(|_| {});
    let limits = TemperatureLimits { min_centicelsius: 200, max_centicelsius: 800 };
    let offer = TransferOffered {
        lines: vec![OfferedLine { lot: tale.lot, quantity: kg("100") }],
        to: Recipient::Actor(tale.who.network.founder(1)),
        moves: Moves::Both,
        carrier: None,
        from_place: None,
        to_place: None,
        temperature: Some(limits),
        price: None,
        expires: None,
        returns: None,
    };
    let offer = tale.tells(Body::TransferOffered(Box::new(offer)));
    if let Some(ms) = answered_ms {
        tale.later(ms);
        tale.tells(Body::TransferDeclined(TransferClosed { offer, reason: None }));
    }
    let start = START_MS + after_ms;
    let measure = |value: &str| Measure::parse(value, text(unit)).unwrap();
    let body = ConditionMeasured {
        property: text("temperature"),
        period: Period { start: Timestamp::new(start).unwrap(), end: Timestamp::new(start + HOUR_MS).unwrap() },
        lowest: measure(lowest),
        highest: measure(highest),
        mean: None,
        readings: 60,
        series: None,
        place: None,
    };
    let lane = Lane::Attester(tale.who.actor);
    let touch = Touch { subject: Some(tale.lot), lane, prev: vec![] };
    tale.later(DAY_MS);
    let event = tale.who.says(vec![touch], &[], Body::ConditionMeasured(Box::new(body)));
    tale.facts.history.push(told(&event, tale.who.actor));
    (tale, offer, event.id())
}

#[test]
fn the_cold_chain_is_kept_until_the_handover_is_answered() {
    let (tale, offer, measured) = cooled("2.5", "8.01", "CEL", HOUR_MS, None);
    tale.proves(FindingKind::ColdChainBroken, &[offer, measured]);
    assert_eq!(cooled("1.9", "7", "CEL", HOUR_MS, None).0.kinds(), [FindingKind::ColdChainBroken]);
    assert_eq!(cooled("2", "8.00", "CEL", HOUR_MS, None).0.kinds(), []);
    assert_eq!(cooled("2", "20", "CEL", 3 * HOUR_MS, Some(2 * HOUR_MS)).0.kinds(), [], "after the answer");
    assert_eq!(cooled("36", "46", "FAH", HOUR_MS, None).0.kinds(), [], "another unit");
}

/// A lot labelled with this trade item number by somebody who names this prefix.
fn labelled(gtin: &str, prefix: Option<&str>) -> Vec<FindingKind> {
    let mut founder = Signatory::founder(&network(), 0);
    let new = key(10);
    let mut body = founder.enrolment(&new, vec![Role::Farmer], vec![]);
    body.gs1_prefixes = prefix.map(|prefix| vec![Gs1Prefix::new(prefix).unwrap()]);
    let enrolled = founder.says(vec![new_subject()], &[], Body::ActorEnrolled(body));
    let farmer = Signatory { key: new, actor: enrolled.subject(0).unwrap(), journal: enrolled.id(), ..founder.clone() };
    let codes = Codes { gtin: Some(Gtin::new(gtin).unwrap()), ..Codes::default() };
    let mut tale = Tale::by(farmer, |body| body.codes = Some(codes));
    tale.facts.around.push(told(&enrolled, founder.actor));
    tale.kinds()
}

#[test]
fn codes_begin_with_a_prefix_of_who_uses_them() {
    assert_eq!(labelled("4006381333931", Some("4006382")), [FindingKind::ForeignCodes]);
    assert_eq!(labelled("4006381333931", Some("4006381")), []);
    assert_eq!(labelled("4006381333931", None), [], "who names no prefix says nothing");
    assert_eq!(labelled("036000291452", Some("036000")), []);
    assert_eq!(labelled("036000291452", Some("0036000")), []);
    assert_eq!(labelled("036000291452", Some("0136000")), [FindingKind::ForeignCodes]);
    assert_eq!(labelled("96385074", Some("4006382")), [], "a GTIN-8 has no company prefix");
}

#[test]
fn late_entries_and_clocks_that_run_backwards() {
    let signed_after = |ms: u64| {
        let mut tale = Tale::of(|_| {});
        let place = tale.place(44.84, -0.58);
        let at = Timestamp::new(tale.who.time_ms - ms).unwrap();
        let id = tale.tells_as(moved(place), |payload| payload.occurred = Some(Occurred::new(at, None, 120).unwrap()));
        (tale, id)
    };
    let (tale, id) = signed_after(7 * DAY_MS + 1);
    tale.proves(FindingKind::LateEntry, &[id]);
    assert_eq!(signed_after(7 * DAY_MS).0.kinds(), []);

    let mut tale = Tale::of(|_| {});
    let place = tale.place(44.84, -0.58);
    let first = tale.tip;
    tale.who.time_ms = START_MS;
    tale.tells(moved(place));
    assert_eq!(tale.kinds(), [], "the same moment is not earlier");
    tale.who.time_ms = START_MS - 1;
    let before = tale.tip;
    let id = tale.tells(moved(place));
    assert_ne!(first, before);
    tale.proves(FindingKind::TimeRunsBackwards, &[id, before]);
}

proptest! {
    #[test]
    fn no_order_matters(seed in any::<u64>(), which in 0..6_usize) {
        let tale = match which {
            0 => journey(HOUR_MS).0,
            1 => cooled("1", "9", "CEL", HOUR_MS, Some(2 * HOUR_MS)).0,
            2 => certified(|body, _| body.volume_cap = Some(kg("1")), by_id).0,
            3 => certified(|body, _| body.operators.clear(), by_id).0,
            4 => {
                let mut tale = journey(10 * HOUR_MS).0;
                tale.facts.around.push(told(&tale.who.clone().registers("1", None), tale.who.actor));
                tale.facts.around.push(told(&tale.who.clone().registers("2", None), tale.who.actor));
                tale
            }
            _ => journey(75 * 60 * 1000).0,
        };
        let expected = of(&tale.facts);
        prop_assert_eq!(expected.is_empty(), which == 5);
        let mut facts = tale.facts.clone();
        // Shuffled, told twice, and with something of the history told around it too.
        facts.history.extend(tale.facts.history.clone());
        facts.around.extend(tale.facts.around.iter().chain(&tale.facts.history).cloned());
        let order = |told: &Told| provenance::id::sha256(&[told.id().as_bytes(), &seed.to_be_bytes()]);
        facts.history.sort_by_key(order);
        facts.around.sort_by_key(order);
        prop_assert_eq!(of(&facts), expected);
    }
}
