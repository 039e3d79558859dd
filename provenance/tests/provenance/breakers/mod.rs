//! For each rule that a bundle can break, events that break it: logged and proven by a node that should not have.

mod custody;
mod telling;

use crate::bundles::failed;
use crate::deeds::{at, certificate, made, recalled, title};
use crate::foreign_rules;
use crate::maker::{Wish, make};
use crate::story::*;
use crate::tales::{Village, altered, enrols_with, node_details, village};
use provenance::admission::{Replay, Rule};
use provenance::body::*;
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Payload, Touch};
use provenance::seal::Sealable;
use provenance::value::*;
use provenance::verification::{Check, Policy, Reason, verify};
use std::collections::BTreeSet;

/// A village in which there is something of everything.
struct Stage {
    village: Village,
    cooperative: Signatory,
    member: Signatory,
    place: SignedEvent,
    /// Free, in the farmer's hands.
    lot: SignedEvent,
    /// The same, with ten packages.
    crates: SignedEvent,
    /// Registered, and offered to the buyer.
    offered: SignedEvent,
    offer: SignedEvent,
    /// Registered, and used up.
    gone: SignedEvent,
    retired: SignedEvent,
    /// Registered, and offered to two.
    torn: SignedEvent,
    rivals: [SignedEvent; 2],
    /// Packed into a new unit, whole.
    packed: SignedEvent,
    /// Owned by the farmer, held by the rival: the offer, and its acceptance.
    stored: SignedEvent,
    kept: SignedEvent,
    device: Signatory,
    laboratory: Signatory,
    certifier: Signatory,
    certified: SignedEvent,
    /// Of the free lot, by the farmer.
    recall: SignedEvent,
}

fn stage() -> Stage {
    let mut village = village();
    let Village { world, founder, farmer, buyer, rival, .. } = &mut village;
    let (event, mut cooperative) = founder.enrols(20, vec![Role::Cooperative], vec![Role::Farmer]);
    world.admit(&event);
    let (event, member) = cooperative.enrols(21, vec![Role::Farmer], vec![]);
    world.admit(&event);
    let place = farmer.registers_place();
    let lot = farmer.registers("1000", None);
    let template = farmer.clone().registers("100", None);
    let crates = altered(farmer, &template, |payload| registration(payload).quantity = boxes("100", 10));
    let offered = farmer.registers("10", None);
    let offer = farmer.offers(id(&offered), &[offered.id()], "10", false, buyer);
    let gone = farmer.registers("10", None);
    let retired = farmer.says(vec![touch(id(&gone), &[gone.id()])], &[], retire(kg("10")));
    let torn = farmer.registers("10", None);
    let mut twin = farmer.clone();
    let one = farmer.offers(id(&torn), &[torn.id()], "10", false, buyer);
    let two = twin.offers(id(&torn), &[torn.id()], "10", false, rival);
    world.admit_all(&[&place, &lot, &crates, &offered, &offer, &gone, &retired, &torn, &one, &two]);

    let loose = farmer.registers("10", None);
    let packed = farmer.packs(None, &[(made(&loose), kg("10"))], 0);
    let apart = farmer.registers("100", None);
    let touches = vec![touch(id(&apart), &[apart.id()]), title(id(&apart), &[])];
    let stored = farmer.offers_by(Moves::Possession, kg("100"), touches, rival);
    let kept = rival.accepts_all(id(&apart), &stored, "100");
    world.admit_all(&[&loose, &packed, &apart, &stored, &kept]);
    let mut enrols = |seed, role| {
        let (event, signatory) = founder.enrols(seed, vec![role], vec![]);
        world.admit(&event);
        signatory
    };
    let (device, laboratory) = (enrols(22, Role::Device), enrols(23, Role::Laboratory));
    let mut certifier = enrols(24, Role::Certifier);
    let body = Body::CertificateIssued(Box::new(certificate(vec![farmer.actor])));
    let certified = certifier.says(vec![new_subject()], &[farmer.key_event], body);
    let recall = farmer.attests(id(&lot), &[lot.id()], Body::RecallIssued(recalled()));
    world.admit_all(&[&certified, &recall]);
    Stage {
        village,
        cooperative,
        member,
        place,
        lot,
        crates,
        offered,
        offer,
        gone,
        retired,
        torn,
        rivals: [one, two],
        packed,
        stored,
        kept,
        device,
        laboratory,
        certifier,
        certified,
        recall,
    }
}

fn id(event: &SignedEvent) -> SubjectId {
    event.subject(0).unwrap()
}

fn boxes(decimal: &str, packages: u32) -> Quantity {
    Quantity::parse(decimal, Unit::new("KGM").unwrap(), Some(packages)).unwrap()
}

fn retire(quantity: Quantity) -> Body {
    Body::ProduceRetired(ProduceRetired { quantity, outcome: Outcome::Destroyed })
}

fn registration(payload: &mut Payload) -> &mut ProduceRegistered {
    let Body::ProduceRegistered(body) = &mut payload.body else { unreachable!("it registers") };
    body
}

fn offering(payload: &mut Payload) -> &mut TransferOffered {
    let Body::TransferOffered(body) = &mut payload.body else { unreachable!("it offers") };
    body
}

fn placing(payload: &mut Payload) -> &mut PlaceRegistered {
    let Body::PlaceRegistered(body) = &mut payload.body else { unreachable!("it registers a place") };
    body
}

/// Events, each with the code of what is wrong with it.
type Broken = Vec<(Reason, SignedEvent)>;

fn broken(stage: &Stage) -> Broken {
    [
        of_signers(stage),
        of_actors(stage),
        of_produce(stage),
        of_offers(stage),
        of_answers(stage),
        of_corrections(stage),
        custody::broken(stage),
        telling::broken(stage),
    ]
    .concat()
}

fn rule(rule: Rule, event: SignedEvent) -> (Reason, SignedEvent) {
    (Reason::Rule(rule), event)
}

fn of_signers(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, founder, .. } = &stage.village;
    let (lot, prev) = (id(&stage.lot), [stage.lot.id()]);
    let registers = |by: &Signatory, change: &dyn Fn(&mut Payload)| {
        let template = by.clone().registers("1", None);
        altered(&mut by.clone(), &template, change)
    };
    let graded = farmer.clone().grades(lot, &prev, "B");
    let grades = |change: &dyn Fn(&mut Payload)| altered(&mut farmer.clone(), &graded, change);
    let body = |kind, body| Body::Unknown { kind, body };
    vec![
        rule(Rule::Signer, registers(farmer, &|payload| payload.basis = vec![buyer.key_event])),
        rule(Rule::Signer, registers(founder, &|payload| payload.basis = vec![buyer.key_event])),
        rule(Rule::OnBehalf, registers(farmer, &|payload| payload.on_behalf_of = Some(stage.member.actor))),
        rule(Rule::OnBehalf, registers(&stage.cooperative, &|payload| payload.on_behalf_of = Some(stage.member.actor))),
        rule(Rule::OnBehalf, {
            let template = stage.cooperative.clone().says(vec![touch(lot, &prev)], &[], retire(kg("1")));
            altered(&mut stage.cooperative.clone(), &template, |payload| {
                payload.basis.push(stage.member.key_event);
                payload.on_behalf_of = Some(stage.member.actor);
            })
        }),
        rule(Rule::UnknownActor, registers(farmer, &|payload| payload.captured_by = Some(buyer.actor))),
        rule(Rule::Prev, grades(&|payload| payload.touches[0].prev = vec![stage.crates.id()])),
        rule(Rule::Prev, grades(&|payload| payload.touches[0].prev = vec![payload.network.as_event()])),
        rule(Rule::Conflict, {
            rival.clone().grades(id(&stage.torn), &[stage.rivals[0].id(), stage.rivals[1].id()], "A")
        }),
        (Reason::MissingAncestor, grades(&|payload| payload.basis.push(strange(payload.journal)))),
        rule(Rule::Prev, grades(&|payload| payload.touches[0].lane = Lane::Title)),
        (Reason::Unsupported, grades(&|payload| payload.body = body(60_000, Any::Null))),
    ]
}

/// An id that no event has.
fn strange(id: EventId) -> EventId {
    let mut bytes = *id.as_bytes();
    bytes[31] ^= 1;
    EventId::from_bytes(bytes)
}

fn of_actors(stage: &Stage) -> Broken {
    let Village { founder, farmer, node_a, .. } = &stage.village;
    let enrols = |by: &Signatory, change: &dyn Fn(&mut ActorEnrolled)| {
        let new = key(90);
        let mut body = by.enrolment(&new, vec![Role::Farmer], vec![]);
        change(&mut body);
        enrols_with(&mut by.clone(), body, &new)
    };
    let prefix = |text: &str| Gs1Prefix::new(text).unwrap();
    let updates = |by: &Signatory, of: &Signatory, body: ActorUpdated| {
        by.clone().says(vec![touch(of.actor, &[of.key_event])], &[], Body::ActorUpdated(body))
    };
    let nothing = || ActorUpdated { display_name: None, gln: None, gs1_prefixes: None, node: None };
    let named = || ActorUpdated { display_name: Some(Text::new("new").unwrap()), ..nothing() };
    let two_touches = {
        let template = enrols(founder, &|_| {});
        altered(&mut founder.clone(), &template, |payload| payload.touches.push(new_subject()))
    };
    vec![
        rule(Rule::Touches, two_touches),
        rule(Rule::RolesGiven, enrols(founder, &|body| body.roles = vec![])),
        rule(Rule::RolesGiven, enrols(founder, &|body| body.roles = vec![Role::Trader, Role::Farmer])),
        rule(Rule::RolesGiven, enrols(founder, &|body| body.may_give = vec![Role::Trader, Role::Trader])),
        rule(Rule::RolesGiven, enrols(&stage.cooperative, &|body| body.roles = vec![Role::Trader])),
        rule(Rule::RolesGiven, enrols(farmer, &|_| {})),
        rule(Rule::NodeDetails, enrols(founder, &|body| body.roles = vec![Role::Node])),
        rule(Rule::NodeDetails, enrols(founder, &|body| body.node = Some(node_details(1, None)))),
        rule(Rule::ListOrder, {
            enrols(founder, &|body| body.gs1_prefixes = Some(vec![prefix("4012345"), prefix("4012345")]))
        }),
        rule(Rule::OwnKey, {
            let body = founder.enrolment(&founder.key, vec![Role::Farmer], vec![]);
            enrols_with(&mut founder.clone(), body, &founder.key)
        }),
        rule(Rule::Countersignature, {
            let stolen = founder.enrolment(&key(91), vec![Role::Farmer], vec![]);
            stage.cooperative.clone().says(vec![new_subject()], &[], Body::ActorEnrolled(stolen))
        }),
        rule(Rule::OwnLane, updates(farmer, node_a, named())),
        rule(Rule::Empty, updates(farmer, farmer, nothing())),
        rule(Rule::NodeDetails, {
            updates(farmer, farmer, ActorUpdated { node: Some(node_details(1, None)), ..nothing() })
        }),
        rule(Rule::ListOrder, {
            let prefixes = Some(vec![prefix("5012345"), prefix("4012345")]);
            updates(farmer, farmer, ActorUpdated { gs1_prefixes: prefixes, ..nothing() })
        }),
        rule(Rule::Touches, {
            let template = updates(farmer, farmer, named());
            altered(&mut farmer.clone(), &template, |payload| payload.touches.push(new_subject()))
        }),
    ]
}

fn of_produce(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let (lot, prev) = (id(&stage.lot), [stage.lot.id()]);
    let template = farmer.clone().registers("1", None);
    let registers = |change: &dyn Fn(&mut ProduceRegistered)| {
        altered(&mut farmer.clone(), &template, |payload| change(registration(payload)))
    };
    let place_template = farmer.clone().registers_place();
    let places = |change: &dyn Fn(&mut PlaceRegistered)| {
        altered(&mut farmer.clone(), &place_template, |payload| change(placing(payload)))
    };
    let retires = |of: &SignedEvent, prev: &SignedEvent, quantity| {
        farmer.clone().says(vec![touch(id(of), &[prev.id()])], &[], retire(quantity))
    };
    let litres = Quantity::parse("1", Unit::new("LTR").unwrap(), None).unwrap();
    let moves = |place: SubjectId| {
        farmer.clone().says(vec![touch(lot, &prev)], &[], Body::ProduceMoved(ProduceMoved { place }))
    };
    let claim = |text: &str| Text::new(text).unwrap();
    vec![
        rule(Rule::Role, buyer.clone().registers("1", None)),
        rule(Rule::ZeroQuantity, registers(&|body| body.quantity = kg("0"))),
        rule(Rule::ListOrder, registers(&|body| body.claims = Some(vec![claim("b"), claim("a")]))),
        rule(Rule::ListOrder, registers(&|body| body.places = vec![id(&stage.place); 2])),
        rule(Rule::UnknownPlace, registers(&|body| body.places = vec![id(&stage.place)])),
        rule(Rule::OpenPoint, places(&|body| body.point = Some(Coordinates::from_degrees(44.8381, -0.5792).unwrap()))),
        rule(Rule::OpenPoint, {
            places(&|body| body.exact_point = Some(Sealable::Open(Coordinates::from_degrees(44.0, 0.0).unwrap())))
        }),
        rule(Rule::Country, places(&|body| body.country = Some(Text::new("fr").unwrap()))),
        rule(Rule::UnknownPlace, places(&|body| body.parent = Some(id(&stage.place)))),
        rule(Rule::UnknownPlace, moves(id(&stage.place))),
        rule(Rule::NotHolder, buyer.clone().grades(lot, &prev, "C")),
        rule(Rule::OfferOpen, farmer.clone().grades(id(&stage.offered), &[stage.offer.id()], "C")),
        rule(Rule::LotClosed, farmer.clone().grades(id(&stage.gone), &[stage.retired.id()], "C")),
        rule(Rule::Touches, farmer.clone().grades(farmer.actor, &[farmer.key_event], "C")),
        rule(Rule::Touches, {
            let template = farmer.clone().grades(lot, &prev, "C");
            altered(&mut farmer.clone(), &template, |payload| payload.touches.push(new_subject()))
        }),
        rule(Rule::ZeroQuantity, retires(&stage.lot, &stage.lot, kg("0"))),
        rule(Rule::Unit, retires(&stage.lot, &stage.lot, litres)),
        rule(Rule::Packages, retires(&stage.lot, &stage.lot, boxes("1", 1))),
        rule(Rule::Balance, retires(&stage.lot, &stage.lot, kg("1000.000000001"))),
        rule(Rule::Balance, retires(&stage.crates, &stage.crates, boxes("1", 11))),
        rule(Rule::Balance, retires(&stage.crates, &stage.crates, boxes("100", 9))),
    ]
}

fn of_offers(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let (lot, prev) = (id(&stage.lot), [stage.lot.id()]);
    let whole = farmer.clone().offers(lot, &prev, "1000", false, buyer);
    let offers = |change: &dyn Fn(&mut Payload)| altered(&mut farmer.clone(), &whole, change);
    let with = |change: &dyn Fn(&mut TransferOffered)| offers(&|payload| change(offering(payload)));
    let limits = TemperatureLimits { min_centicelsius: 1, max_centicelsius: 0 };
    vec![
        rule(Rule::NotAnOffer, with(&|body| body.returns = Some(farmer.network.as_event()))),
        rule(Rule::NotAnOffer, with(&|body| body.returns = Some(stage.lot.id()))),
        rule(Rule::Lines, with(&|body| body.lines.clear())),
        rule(Rule::Temperature, with(&|body| body.temperature = Some(limits))),
        rule(Rule::ToSelf, with(&|body| body.to = Recipient::Actor(farmer.actor))),
        rule(Rule::UnknownActor, offers(&|payload| payload.basis.retain(|id| *id != buyer.key_event))),
        rule(Rule::UnknownActor, with(&|body| body.carrier = Some(stage.member.actor))),
        rule(Rule::UnknownPlace, with(&|body| body.to_place = Some(id(&stage.place)))),
        rule(Rule::Touches, with(&|body| body.lines[0].lot = id(&stage.crates))),
        rule(Rule::Touches, offers(&|payload| payload.touches.push(new_subject()))),
        rule(Rule::Touches, farmer.clone().offers(lot, &prev, "1", false, buyer)),
        rule(Rule::Balance, farmer.clone().offers(lot, &prev, "1000.1", false, buyer)),
        rule(Rule::ZeroQuantity, farmer.clone().offers(lot, &prev, "0", true, buyer)),
        rule(Rule::Divided, with(&|body| body.moves = Moves::Title)),
    ]
}

fn of_answers(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, .. } = &stage.village;
    let (lot, offer) = (id(&stage.offered), &stage.offer);
    let taken = buyer.clone().accepts_all(lot, offer, "10");
    let accepts = |change: &dyn Fn(&mut Payload)| altered(&mut buyer.clone(), &taken, change);
    let names = |named| {
        accepts(&|payload| {
            let Body::TransferAccepted(body) = &mut payload.body else { unreachable!("it accepts") };
            body.offer = named;
        })
    };
    let closes = |by: &Signatory, declines: bool, offer, touches| {
        let body = TransferClosed { offer, reason: None };
        let body = if declines { Body::TransferDeclined(body) } else { Body::TransferCancelled(body) };
        by.clone().says(touches, &[], body)
    };
    let network = farmer.network.as_event();
    let on_lot = || vec![touch(lot, &[offer.id()])];
    let on_other = || vec![touch(id(&stage.lot), &[stage.lot.id()])];
    let before = || vec![touch(lot, &[stage.offered.id()])];
    let line = |received: &str, rejected: Option<&str>| AcceptedLine {
        rejected: rejected.map(kg),
        ..crate::story::received(received)
    };
    vec![
        rule(Rule::NotAnOffer, names(network)),
        rule(Rule::NotAddressee, names(stage.lot.id())),
        rule(Rule::NotAddressee, rival.clone().accepts_all(lot, offer, "10")),
        rule(Rule::Lines, buyer.clone().accepts_all(lot, offer, "9")),
        rule(Rule::Lines, buyer.clone().accepts(lot, offer, line("9", Some("2")))),
        rule(Rule::ZeroQuantity, buyer.clone().accepts(lot, offer, line("10", Some("0")))),
        rule(Rule::Touches, accepts(&|payload| payload.touches = on_other())),
        rule(Rule::Touches, accepts(&|payload| payload.touches.push(new_subject()))),
        rule(Rule::NoOpenOffer, accepts(&|payload| payload.touches = before())),
        rule(Rule::NotAnOffer, closes(buyer, true, network, on_lot())),
        rule(Rule::NotAddressee, closes(buyer, true, stage.lot.id(), on_lot())),
        rule(Rule::NotOfferer, closes(farmer, false, stage.lot.id(), on_lot())),
        rule(Rule::NotAddressee, closes(rival, true, offer.id(), on_lot())),
        rule(Rule::NotOfferer, closes(buyer, false, offer.id(), on_lot())),
        rule(Rule::Touches, closes(farmer, false, offer.id(), on_other())),
        rule(Rule::NoOpenOffer, closes(farmer, false, offer.id(), before())),
    ]
}

fn of_corrections(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let corrects = |by: &Signatory, target: &SignedEvent, replacement: Vec<(u8, Any)>| {
        let body = EventCorrected {
            target: target.id(),
            reason: Text::new("typing error").unwrap(),
            replacement: replacement.into_iter().collect(),
        };
        let touch = Touch { subject: target.subject(0), lane: Lane::Attester(by.actor), prev: vec![] };
        by.clone().says(vec![touch], &[], Body::EventCorrected(body))
    };
    let lot = &stage.lot;
    let variety = || vec![(3, Any::Text("Gala".into()))];
    let fair = corrects(farmer, lot, variety());
    let place = |id: SubjectId| Any::Array(vec![Any::Bytes(id.as_bytes().to_vec())]);
    vec![
        rule(
            Rule::Correction,
            altered(&mut farmer.clone(), &fair, |payload| {
                let Body::EventCorrected(body) = &mut payload.body else { unreachable!("it corrects") };
                body.target = farmer.network.as_event();
            }),
        ),
        rule(Rule::Touches, {
            altered(&mut farmer.clone(), &fair, |payload| payload.touches[0].lane = Lane::Attester(buyer.actor))
        }),
        rule(Rule::Touches, {
            altered(&mut farmer.clone(), &fair, |payload| payload.touches[0].subject = Some(farmer.actor))
        }),
        rule(Rule::NotAbove, corrects(buyer, lot, variety())),
        rule(Rule::Empty, corrects(farmer, lot, vec![])),
        rule(Rule::Correction, corrects(farmer, lot, vec![(12, Any::Integer(1))])),
        rule(Rule::Correction, corrects(farmer, lot, vec![(3, Any::Integer(1))])),
        rule(Rule::Correction, corrects(farmer, lot, vec![(1, Any::Null)])),
        rule(Rule::Correction, corrects(farmer, &stage.retired, vec![(2, Any::Integer(2))])),
        rule(Rule::UnknownPlace, corrects(farmer, lot, vec![(4, place(id(&stage.place)))])),
        rule(Rule::Country, corrects(farmer, &stage.place, vec![(9, Any::Text("fr".into()))])),
        rule(Rule::Temperature, {
            corrects(farmer, &stage.offer, vec![(7, Any::Array(vec![Any::Integer(1), Any::Integer(0)]))])
        }),
        rule(Rule::Correction, corrects(farmer, lot, vec![(6, Any::Integer(1))])),
    ]
}

/// Bundles of a malicious log, each with the event and the reason for which it must fail.
pub fn bundles() -> Vec<(Reason, SignedEvent, Vec<u8>)> {
    let stage = stage();
    let make_one = |(reason, event): (Reason, SignedEvent)| {
        let mut world = stage.village.world.clone();
        world.log_unruly(&event, stage.village.farmer.actor);
        let wish = Wish { besides: vec![event.id()], ..Wish::of(id(&stage.lot), &stage.village.keeper_a) };
        let bytes = make(&world, &wish).to_vec();
        (reason, event, bytes)
    };
    broken(&stage).into_iter().map(make_one).collect()
}

#[test]
fn every_rule_that_a_bundle_can_break_makes_it_invalid() {
    let mut codes = BTreeSet::new();
    for (reason, event, bytes) in bundles() {
        let failed = failed(&verify(&bytes, &Policy::default()));
        let body = &event.payload().body;
        assert_eq!(failed, Some((Check::Rules, reason, Some(event.id()), None)), "{body:?}");
        codes.insert(reason.code().to_owned());
    }
    // The second verifier's cases are for kinds that are not told of here.
    for (code, bytes) in foreign_rules::bundles().into_iter().filter(|(code, _)| code != "admitted") {
        let (check, reason, ..) = failed(&verify(&bytes, &Policy::default())).unwrap();
        assert_eq!((check, reason.code()), (Check::Rules, &*code));
        codes.insert(code);
    }
    let in_bundles =
        |rule: &&Rule| !matches!(rule, Rule::Journal | Rule::LaneFork | Rule::VoidAncestor | Rule::AmendmentOrder);
    let missing: Vec<_> =
        Rule::ALL.iter().filter(in_bundles).map(|rule| rule.code()).filter(|code| !codes.contains(*code)).collect();
    assert!(missing.is_empty(), "no event breaks {missing:?}");
}

#[test]
fn honest_nodes_admit_none_of_them() {
    let stage = stage();
    for (_, event) in broken(&stage) {
        assert!(!matches!(stage.village.world.judge(&event), Replay::Stands(_)), "{:?}", event.payload().body);
    }
}
