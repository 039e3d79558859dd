//! Events against the rules of places, collections, attesters, devices, certificates, recalls and statements.

use super::*;
use crate::deeds::{apples, celsius, collection, delivery, inspected, measured, moment, recall_updated, text};

pub(super) fn broken(stage: &Stage) -> Broken {
    [
        places(stage),
        collections(stage),
        attesters(stage),
        devices(stage),
        certificates(stage),
        recalls(stage),
        statements(stage),
        corrections(stage),
    ]
    .concat()
}

fn places(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let place = &stage.place;
    let updates = |by: &Signatory, change: &dyn Fn(&mut PlaceUpdated)| {
        let mut body = PlaceUpdated { area_m2: Some(1), ..PlaceUpdated::default() };
        change(&mut body);
        by.clone().says(vec![touch(id(place), &[place.id()])], &[place.id()], Body::PlaceUpdated(Box::new(body)))
    };
    let fair = updates(farmer, &|_| {});
    let payload = |change: &dyn Fn(&mut Payload)| altered(&mut farmer.clone(), &fair, change);
    let exact = || Some(Sealable::Open(Coordinates::from_degrees(44.0, 0.0).unwrap()));
    vec![
        rule(Rule::Touches, payload(&|payload| payload.touches.push(new_subject()))),
        rule(Rule::Touches, payload(&|payload| payload.touches[0] = new_subject())),
        rule(Rule::UnknownPlace, payload(&|payload| payload.basis.retain(|id| *id != place.id()))),
        rule(Rule::NotAbove, updates(buyer, &|_| {})),
        rule(Rule::Empty, updates(farmer, &|body| body.area_m2 = None)),
        rule(Rule::OpenPoint, {
            updates(farmer, &|body| body.point = Some(Coordinates::from_degrees(44.8381, -0.5792).unwrap()))
        }),
        rule(Rule::OpenPoint, updates(farmer, &|body| body.exact_point = exact())),
        rule(Rule::Country, updates(farmer, &|body| body.country = Some(text("fr")))),
        rule(Rule::UnknownPlace, updates(farmer, &|body| body.parent = Some(id(&stage.lot)))),
    ]
}

fn collections(stage: &Stage) -> Broken {
    let Village { farmer, .. } = &stage.village;
    let (by, member) = (&stage.cooperative, &stage.member);
    let says = |by: &Signatory, body| {
        by.clone().says(vec![new_subject()], &[member.key_event], Body::ProduceCollected(Box::new(body)))
    };
    let collects = |deliveries, quantity: &str| says(by, collection(deliveries, quantity));
    let one = |quantity| delivery(member.actor, quantity);
    let litres = Delivery { quantity: Quantity::parse("1", Unit::new("LTR").unwrap(), None).unwrap(), ..one("1") };
    let fair = collects(vec![one("1")], "1");
    vec![
        rule(Rule::Touches, altered(&mut by.clone(), &fair, |payload| payload.touches.push(new_subject()))),
        rule(Rule::Role, says(farmer, collection(vec![one("1")], "1"))),
        rule(Rule::Lines, collects(vec![], "1")),
        rule(Rule::Lines, collects(vec![one("1"); 33], "33")),
        rule(Rule::Lines, collects(vec![one("1"), one("0")], "1")),
        rule(Rule::Lines, collects(vec![one("1"), litres], "2")),
        rule(Rule::Lines, collects(vec![one("1"), one("2")], "3.000000001")),
        rule(Rule::ListOrder, {
            says(by, ProduceCollected { claims: Some(vec![text("a"); 2]), ..collection(vec![one("1")], "1") })
        }),
        rule(Rule::UnknownActor, collects(vec![delivery(farmer.actor, "1")], "1")),
        rule(Rule::UnknownPlace, collects(vec![Delivery { place: Some(id(&stage.place)), ..one("1") }], "1")),
    ]
}

fn attesters(stage: &Stage) -> Broken {
    let (device, laboratory, lot) = (&stage.device, &stage.laboratory, &stage.lot);
    let measures = |change: &dyn Fn(&mut ConditionMeasured)| {
        let mut body = measured();
        change(&mut body);
        device.clone().attests(id(lot), &[lot.id()], Body::ConditionMeasured(Box::new(body)))
    };
    let inspects = |change: &dyn Fn(&mut ProduceInspected)| {
        let mut body = inspected();
        change(&mut body);
        laboratory.clone().attests(id(lot), &[lot.id()], Body::ProduceInspected(body))
    };
    let kelvin = Measure::parse("300", text("KEL")).unwrap();
    let told = measures(&|_| {});
    let on_main = |event: &SignedEvent, by: &Signatory| {
        altered(&mut by.clone(), event, |payload| payload.touches = vec![touch(id(lot), &[lot.id()])])
    };
    let body = Body::ConditionMeasured(Box::new(measured()));
    vec![
        rule(Rule::Role, laboratory.clone().attests(id(lot), &[lot.id()], body.clone())),
        rule(Rule::Touches, on_main(&told, device)),
        rule(Rule::Touches, {
            altered(&mut device.clone(), &told, |payload| payload.touches[0].lane = Lane::Attester(laboratory.actor))
        }),
        rule(Rule::Touches, altered(&mut device.clone(), &told, |payload| payload.touches.push(new_subject()))),
        rule(Rule::UnknownSubject, device.clone().attests(id(lot), &[], body)),
        rule(Rule::Period, measures(&|body| body.period.end = moment(0))),
        rule(Rule::Measures, measures(&|body| body.lowest = celsius("3"))),
        rule(Rule::Measures, measures(&|body| body.highest = celsius("2"))),
        rule(Rule::Measures, measures(&|body| (body.mean, body.lowest) = (None, celsius("5")))),
        rule(Rule::Measures, measures(&|body| body.highest = kelvin.clone())),
        rule(Rule::Measures, measures(&|body| body.mean = Some(kelvin.clone()))),
        rule(Rule::Measures, measures(&|body| body.readings = 0)),
        rule(Rule::UnknownPlace, measures(&|body| body.place = Some(id(&stage.place)))),
        rule(Rule::Role, device.clone().attests(id(lot), &[lot.id()], Body::ProduceInspected(inspected()))),
        rule(Rule::Touches, on_main(&inspects(&|_| {}), laboratory)),
        rule(Rule::UnknownSubject, {
            laboratory.clone().attests(id(lot), &[stage.crates.id()], Body::ProduceInspected(inspected()))
        }),
        rule(Rule::Lines, inspects(&|body| body.analytes = vec![body.analytes[0].clone(); 33])),
        rule(Rule::UnknownPlace, inspects(&|body| body.place = Some(id(&stage.place)))),
    ]
}

fn devices(stage: &Stage) -> Broken {
    let Village { founder, farmer, .. } = &stage.village;
    let (device, lot) = (&stage.device, &stage.lot);
    let attaches = |by: &Signatory, of: &Signatory, basis: &[EventId], until: Option<u64>| {
        let body = DeviceAttached { to: id(lot), from: moment(5), until: until.map(moment) };
        by.clone().says(vec![touch(of.actor, &[of.key_event])], basis, Body::DeviceAttached(body))
    };
    let detaches = |by: &Signatory, basis: &[EventId]| {
        let body = Body::DeviceDetached(DeviceDetached { from: id(lot), at: moment(5) });
        by.clone().says(vec![touch(device.actor, &[device.key_event])], basis, body)
    };
    let all = [device.key_event, lot.id()];
    let fair = attaches(founder, device, &all, None);
    vec![
        rule(Rule::Touches, altered(&mut founder.clone(), &fair, |payload| payload.touches.push(new_subject()))),
        rule(Rule::Touches, {
            altered(&mut founder.clone(), &fair, |payload| {
                payload.touches = vec![founder.attester(device.actor, &[])];
            })
        }),
        rule(Rule::UnknownActor, attaches(founder, device, &[lot.id()], None)),
        rule(Rule::Role, attaches(founder, farmer, &[farmer.key_event, lot.id()], None)),
        rule(Rule::NotAbove, attaches(farmer, device, &all, None)),
        rule(Rule::UnknownSubject, attaches(founder, device, &[device.key_event], None)),
        rule(Rule::Period, attaches(founder, device, &all, Some(4))),
        rule(Rule::UnknownActor, detaches(founder, &[lot.id()])),
        rule(Rule::NotAbove, detaches(farmer, &all)),
        rule(Rule::UnknownSubject, detaches(device, &[])),
    ]
}

fn certificates(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let (certifier, certified) = (&stage.certifier, &stage.certified);
    let issues = |by: &Signatory, change: &dyn Fn(&mut CertificateIssued)| {
        let mut body = certificate(vec![farmer.actor]);
        change(&mut body);
        by.clone().says(vec![new_subject()], &[farmer.key_event], Body::CertificateIssued(Box::new(body)))
    };
    let changes = |by: &Signatory, touches, basis: &[EventId]| {
        let body = CertificateStatus { state: CertificateState::Suspended, from: moment(5), reason: None };
        by.clone().says(touches, basis, Body::CertificateStatus(body))
    };
    let on_it = || vec![touch(id(certified), &[certified.id()])];
    let on_lot = || vec![touch(id(&stage.lot), &[stage.lot.id()])];
    let fair = issues(certifier, &|_| {});
    vec![
        rule(Rule::Touches, altered(&mut certifier.clone(), &fair, |payload| payload.touches.push(new_subject()))),
        rule(Rule::Role, issues(farmer, &|_| {})),
        rule(Rule::ListOrder, issues(certifier, &|body| body.operators.clear())),
        rule(Rule::ListOrder, issues(certifier, &|body| body.operators = vec![farmer.actor; 2])),
        rule(Rule::ListOrder, issues(certifier, &|body| body.places = Some(vec![id(&stage.place); 2]))),
        rule(Rule::ListOrder, issues(certifier, &|body| body.commodities = Some(vec![apples(); 2]))),
        rule(Rule::ZeroQuantity, issues(certifier, &|body| body.volume_cap = Some(kg("0")))),
        rule(Rule::UnknownActor, issues(certifier, &|body| body.operators = vec![buyer.actor])),
        rule(Rule::UnknownPlace, issues(certifier, &|body| body.places = Some(vec![id(&stage.place)]))),
        rule(Rule::Touches, changes(certifier, vec![new_subject()], &[certified.id()])),
        rule(Rule::Touches, changes(certifier, vec![certifier.attester(id(certified), &[])], &[certified.id()])),
        rule(Rule::UnknownSubject, changes(certifier, on_it(), &[])),
        rule(Rule::UnknownSubject, changes(certifier, on_lot(), &[stage.lot.id()])),
        rule(Rule::NotAbove, changes(farmer, on_it(), &[certified.id()])),
    ]
}

fn recalls(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, .. } = &stage.village;
    let (lot, recall) = (&stage.lot, &stage.recall);
    let issue = || Body::RecallIssued(recalled());
    let again = |by: &Signatory| vec![by.attester(id(lot), &[])];
    let update = |by: &Signatory, touches, body| by.clone().says(touches, &[], Body::RecallUpdated(body));
    let nothing = RecallUpdated { level: None, ..recall_updated(recall.id()) };
    let end = |by: &Signatory, touches, recall| {
        by.clone().says(touches, &[], Body::RecallEnded(RecallEnded { recall, reason: text("a false alarm") }))
    };
    let after = || vec![farmer.attester(id(lot), &[recall.id()])];
    let many = (0..33).map(|byte| rival.attester(SubjectId::from_bytes([byte; 32]), &[])).collect();
    vec![
        rule(Rule::Touches, farmer.clone().says(vec![touch(id(lot), &[lot.id()])], &[lot.id()], issue())),
        rule(Rule::Touches, rival.clone().says(vec![farmer.attester(id(lot), &[])], &[lot.id()], issue())),
        rule(Rule::Touches, rival.clone().says(many, &[lot.id()], issue())),
        rule(Rule::UnknownSubject, rival.clone().says(again(rival), &[], issue())),
        // All must be known before it is asked who held them.
        rule(Rule::UnknownSubject, {
            let touches = vec![rival.attester(id(lot), &[]), rival.attester(id(&stage.crates), &[])];
            rival.clone().says(touches, &[lot.id()], issue())
        }),
        rule(Rule::NotParty, rival.clone().says(again(rival), &[lot.id()], issue())),
        rule(Rule::NotParty, {
            let touches = vec![farmer.attester(kept(stage), &[]), farmer.attester(id(&stage.place), &[])];
            farmer.clone().says(touches, &[stage.place.id(), of_kept(stage)], issue())
        }),
        rule(Rule::Recall, update(farmer, after(), recall_updated(lot.id()))),
        rule(Rule::Recall, update(farmer, after(), recall_updated(farmer.network.as_event()))),
        rule(Rule::Touches, update(buyer, after(), recall_updated(recall.id()))),
        rule(Rule::Touches, update(farmer, vec![farmer.attester(id(&stage.crates), &[])], recall_updated(recall.id()))),
        rule(Rule::Touches, {
            update(
                farmer,
                [after(), vec![farmer.attester(id(&stage.crates), &[])]].concat(),
                recall_updated(recall.id()),
            )
        }),
        rule(Rule::NotAbove, update(buyer, again(buyer), recall_updated(recall.id()))),
        rule(Rule::Empty, update(farmer, after(), nothing)),
        rule(Rule::Recall, end(farmer, after(), lot.id())),
        rule(Rule::NotAbove, end(buyer, again(buyer), recall.id())),
    ]
}

/// The divided lot.
fn kept(stage: &Stage) -> SubjectId {
    id(&stage.kept)
}

/// The event that created it.
fn of_kept(stage: &Stage) -> EventId {
    stage.stored.payload().touches[0].prev[0]
}

fn statements(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, .. } = &stage.village;
    let confirms = |by: &Signatory, touches, target| {
        let body = EventConfirmed { target, method: text("paper"), evidence: None };
        by.clone().says(touches, &[], Body::EventConfirmed(body))
    };
    let disputes = |by: &Signatory, target: &SignedEvent| {
        let body = EventDisputed { target: target.id(), reason: text("it never came"), evidence: None };
        by.clone().attests(id(target), &[], Body::EventDisputed(body))
    };
    let on = |by: &Signatory, event: &SignedEvent| vec![by.attester(id(event), &[])];
    let offer = &stage.offer;
    vec![
        rule(Rule::Touches, confirms(buyer, vec![touch(id(offer), &[offer.id()])], offer.id())),
        rule(Rule::Touches, confirms(buyer, on(farmer, offer), offer.id())),
        rule(Rule::Touches, confirms(buyer, on(buyer, &stage.crates), offer.id())),
        rule(Rule::Touches, confirms(buyer, [on(buyer, offer), vec![new_subject()]].concat(), offer.id())),
        rule(Rule::NotParty, confirms(buyer, on(buyer, offer), farmer.network.as_event())),
        rule(Rule::NotParty, confirms(rival, on(rival, offer), offer.id())),
        rule(Rule::NotParty, disputes(rival, offer)),
        rule(Rule::NotParty, disputes(buyer, &stage.kept)),
        rule(Rule::NotParty, disputes(buyer, &stage.certified)),
    ]
}

fn corrections(stage: &Stage) -> Broken {
    let Village { farmer, .. } = &stage.village;
    let corrects = |target: &SignedEvent, field: u8, value: Any| {
        let replacement = [(field, value)].into();
        let body = EventCorrected { target: target.id(), reason: text("typing error"), replacement };
        farmer.clone().attests(id(target), &[], Body::EventCorrected(body))
    };
    let quantity =
        |value: i128, unit: &str| Any::Array(vec![Any::Integer(value), Any::Integer(0), Any::Text(unit.into())]);
    vec![
        rule(Rule::ZeroQuantity, corrects(&stage.crates, 6, quantity(0, "KGM"))),
        rule(Rule::Unit, corrects(&stage.crates, 6, quantity(1, "LTR"))),
        rule(Rule::Correction, corrects(&stage.crates, 6, Any::Null)),
        rule(Rule::Correction, corrects(&stage.packed, 1, Any::Null)),
        rule(Rule::Correction, corrects(&stage.offer, 1, Any::Null)),
        rule(Rule::Correction, corrects(&stage.recall, 2, Any::Text("none".into()))),
        rule(Rule::ListOrder, {
            let claim = || Any::Text("a".into());
            corrects(&stage.crates, 9, Any::Array(vec![claim(), claim()]))
        }),
    ]
}
