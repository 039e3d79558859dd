//! What admission refuses, and what counting makes of what it let in.

use crate::archive::{Archive, Became};
use crate::story::*;
use provenance::admission::Rule;
use provenance::body::*;
use provenance::cbor::Any;
use provenance::custody::Closed;
use provenance::event::SignedEvent;
use provenance::payload::{Lane, Touch};
use provenance::value::*;

fn with(cast: &Cast) -> Archive {
    let mut archive = Archive::new(network());
    for event in &cast.events {
        assert_eq!(archive.take(event.clone()), Became::Admitted);
    }
    archive
}

fn admit(archive: &mut Archive, events: &[&SignedEvent]) {
    for event in events {
        assert_eq!(archive.take((*event).clone()), Became::Admitted, "{:?}", event.payload().body);
    }
}

#[track_caller]
fn void(archive: &mut Archive, event: SignedEvent, rule: Rule) {
    assert_eq!(archive.take(event), Became::Void(rule));
}

#[test]
fn a_lot_goes_from_hand_to_hand_in_part_and_the_buyers_answer_in_the_other_order() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let place = cast.farmer.registers_place();
    let lot_event = cast.farmer.registers("1000", Some(&place));
    let lot = lot_event.subject(0).unwrap();
    let first = cast.farmer.offers(lot, &[lot_event.id()], "300", true, &cast.buyer);
    let second = cast.farmer.offers(lot, &[first.id()], "200.5", true, &cast.rival);
    let (one, two) = (first.subject(1).unwrap(), second.subject(1).unwrap());
    let late = cast.rival.accepts_all(two, &second, "200.5");
    let early = cast.buyer.accepts(
        one,
        &first,
        AcceptedLine {
            received: kg("250"),
            rejected: Some(kg("40")),
            lost: Some(kg("10")),
            reason: Some(Text::new("bruised").unwrap()),
        },
    );
    admit(&mut archive, &[&place, &lot_event, &first, &second, &late, &early]);

    let state = |id| archive.lot(&id).unwrap().state;
    assert_eq!((state(lot).balance.decimal(), state(lot).holder), ("499.5".into(), cast.farmer.actor));
    assert_eq!((state(one).balance, state(one).holder), (kg("250"), cast.buyer.actor));
    assert_eq!((state(two).balance, state(two).holder), (kg("200.5"), cast.rival.actor));
    let returned = early.subject(1).unwrap();
    assert_eq!((state(returned).balance, state(returned).holder), (kg("40"), cast.farmer.actor));
}

#[test]
fn a_seller_cannot_undo_an_open_offer_but_by_cancelling() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    let offer = cast.farmer.offers(lot, &[lot_event.id()], "10", false, &cast.buyer);
    admit(&mut archive, &[&lot_event, &offer]);

    // Each try starts from the same journal link: a void event is not stored by anybody.
    let seller = cast.farmer.clone();
    void(&mut archive, seller.clone().grades(lot, &[offer.id()], "C"), Rule::OfferOpen);
    void(&mut archive, seller.clone().offers(lot, &[offer.id()], "10", false, &cast.rival), Rule::OfferOpen);
    void(&mut archive, seller.clone().offers(lot, &[lot_event.id()], "10", false, &cast.rival), Rule::LaneFork);
    void(&mut archive, seller.clone().accepts_all(lot, &offer, "10"), Rule::NotAddressee);
    let retire = ProduceRetired { quantity: kg("10"), outcome: Outcome::Destroyed };
    let retire = seller.clone().says(vec![touch(lot, &[offer.id()])], &[], Body::ProduceRetired(retire));
    void(&mut archive, retire, Rule::OfferOpen);

    let cancel = cast.farmer.cancels(lot, &offer);
    admit(&mut archive, &[&cancel]);
    assert_eq!(archive.lot(&lot).unwrap().state.open, None);
    void(&mut archive, cast.buyer.clone().grades(lot, &[cancel.id()], "B"), Rule::NotHolder);
}

#[test]
fn an_acceptance_that_crosses_a_cancellation_stands() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    let offer = cast.farmer.offers(lot, &[lot_event.id()], "10", false, &cast.buyer);
    let (cancel, accept) = (cast.farmer.cancels(lot, &offer), cast.buyer.accepts_all(lot, &offer, "10"));
    admit(&mut archive, &[&lot_event, &offer, &cancel, &accept]);
    let counted = archive.lot(&lot).unwrap();
    assert!(!counted.disputed);
    assert_eq!(counted.state.holder, cast.buyer.actor);
    // The next event names both tips and joins them.
    let graded = cast.buyer.grades(lot, &[cancel.id(), accept.id()], "B");
    admit(&mut archive, &[&graded]);
}

#[test]
fn a_lot_given_away_twice_is_disputed_until_one_buyer_accepts() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    // Two tablets with one key: a journal fork, so neither event is in the other's journal.
    let mut twin = cast.farmer.clone();
    let one = cast.farmer.offers(lot, &[lot_event.id()], "10", false, &cast.buyer);
    let two = twin.offers(lot, &[lot_event.id()], "10", false, &cast.rival);
    admit(&mut archive, &[&lot_event, &one, &two]);
    let counted = archive.lot(&lot).unwrap();
    assert!(counted.disputed && counted.tips.len() == 2 && counted.in_conflict.len() == 2);
    assert_eq!(counted.state.holder, cast.farmer.actor);
    // Nobody can join what excludes each other.
    void(&mut archive, cast.buyer.clone().grades(lot, &[one.id(), two.id()], "A"), Rule::Conflict);

    let accept = cast.buyer.accepts_all(lot, &one, "10");
    admit(&mut archive, &[&accept]);
    let counted = archive.lot(&lot).unwrap();
    assert!(!counted.disputed && counted.beside.contains(&two.id()));
    assert_eq!(counted.state.holder, cast.buyer.actor);

    let rival = cast.rival.accepts_all(lot, &two, "10");
    admit(&mut archive, &[&rival]);
    assert!(archive.lot(&lot).unwrap().disputed);
}

#[test]
fn concurrent_draws_that_fit_are_joined_and_beyond_the_balance_conflict() {
    for (second_draw, disputed) in [("400", false), ("700.000000001", true)] {
        let mut cast = cast();
        let mut archive = with(&cast);
        let lot_event = cast.farmer.registers("1000", None);
        let lot = lot_event.subject(0).unwrap();
        let mut twin = cast.farmer.clone();
        let one = cast.farmer.offers(lot, &[lot_event.id()], "300", true, &cast.buyer);
        let two = twin.offers(lot, &[lot_event.id()], second_draw, true, &cast.rival);
        admit(&mut archive, &[&lot_event, &one, &two]);
        let counted = archive.lot(&lot).unwrap();
        assert_eq!(counted.disputed, disputed);
        assert_eq!(counted.state.balance.decimal(), if disputed { "1000" } else { "300" });
        let joined = cast.farmer.clone().grades(lot, &[one.id(), two.id()], "B");
        let became = archive.take(joined);
        assert_eq!(became, if disputed { Became::Void(Rule::Conflict) } else { Became::Admitted });
    }
}

#[test]
fn nobody_gives_what_it_does_not_have() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let (lot, prev) = (lot_event.subject(0).unwrap(), [lot_event.id()]);
    admit(&mut archive, &[&lot_event]);
    let farmer = || cast.farmer.clone();
    void(&mut archive, cast.buyer.clone().offers(lot, &prev, "10", false, &cast.rival), Rule::NotHolder);
    void(&mut archive, farmer().offers(lot, &prev, "10.000000001", false, &cast.buyer), Rule::Balance);
    void(&mut archive, farmer().offers(lot, &prev, "0", true, &cast.buyer), Rule::ZeroQuantity);
    void(&mut archive, farmer().offers(lot, &prev, "3", false, &cast.buyer), Rule::Touches);
    void(&mut archive, farmer().offers(lot, &prev, "10", true, &cast.buyer), Rule::Touches);
    void(&mut archive, farmer().offers(lot, &prev, "10", false, &cast.farmer), Rule::ToSelf);
    void(&mut archive, cast.buyer.clone().registers("1", None), Rule::Role);
    void(&mut archive, farmer().registers("0", None), Rule::ZeroQuantity);
    let litres = ProduceRetired {
        quantity: Quantity::parse("1", Unit::new("LTR").unwrap(), None).unwrap(),
        outcome: Outcome::Sold,
    };
    void(&mut archive, farmer().says(vec![touch(lot, &prev)], &[], Body::ProduceRetired(litres)), Rule::Unit);
}

#[test]
fn a_lot_that_left_takes_nothing_more() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    let retire = |quantity| Body::ProduceRetired(ProduceRetired { quantity: kg(quantity), outcome: Outcome::Sold });
    let part = cast.farmer.says(vec![touch(lot, &[lot_event.id()])], &[], retire("4"));
    let rest = cast.farmer.says(vec![touch(lot, &[part.id()])], &[], retire("6.0"));
    admit(&mut archive, &[&lot_event, &part, &rest]);
    assert_eq!(archive.lot(&lot).unwrap().state.closed, Some(Closed::Retired));
    void(&mut archive, cast.farmer.clone().grades(lot, &[rest.id()], "A"), Rule::LotClosed);
}

#[test]
fn one_sided_handovers_are_complete_by_themselves() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    let body = TransferOffered {
        lines: vec![OfferedLine { lot, quantity: kg("4") }],
        to: Recipient::OutsideGln(Gln::new("6291041500213").unwrap()),
        moves: Moves::Both,
        carrier: None,
        from_place: None,
        to_place: None,
        temperature: None,
        price: None,
        expires: None,
        returns: None,
    };
    let touches = vec![touch(lot, &[lot_event.id()]), new_subject()];
    let out = cast.farmer.says(touches, &[], Body::TransferOffered(Box::new(body)));
    admit(&mut archive, &[&lot_event, &out]);
    assert_eq!(archive.lot(&lot).unwrap().state.balance, kg("6"));
    let part = archive.lot(&out.subject(1).unwrap()).unwrap().state;
    assert_eq!((part.closed, part.open), (Some(Closed::HandedOut), None));
}

#[test]
fn enrolment_needs_the_right_and_the_new_keys_consent() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let (event, mut cooperative) = cast.founder.enrols(20, vec![Role::Cooperative], vec![Role::Farmer]);
    let (member, _) = cooperative.enrols(21, vec![Role::Farmer], vec![]);
    admit(&mut archive, &[&event, &member]);
    void(&mut archive, cooperative.clone().enrols(22, vec![Role::Trader], vec![]).0, Rule::RolesGiven);
    void(&mut archive, cast.farmer.clone().enrols(22, vec![Role::Farmer], vec![]).0, Rule::RolesGiven);
    void(&mut archive, cooperative.clone().enrols(22, vec![], vec![]).0, Rule::RolesGiven);
    void(&mut archive, cast.founder.clone().enrols(22, vec![Role::Node], vec![]).0, Rule::NodeDetails);

    // A countersignature for one enroller is none for another.
    let stolen = cast.founder.enrolment(&key(23), vec![Role::Farmer], vec![]);
    let event = cooperative.clone().says(vec![new_subject()], &[], Body::ActorEnrolled(stolen));
    void(&mut archive, event, Rule::Countersignature);
}

#[test]
fn a_cooperative_records_for_its_member_but_gives_nothing_of_it_away() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let (event, mut cooperative) = cast.founder.enrols(20, vec![Role::Cooperative], vec![Role::Farmer]);
    let (member_event, member) = cooperative.enrols(21, vec![Role::Farmer], vec![]);
    admit(&mut archive, &[&event, &member_event]);
    let register = |signer: &Signatory| {
        let mut signer = signer.clone();
        let template = signer.clone().registers("5", None);
        let mut payload = signer.payload(vec![new_subject()], &[member.key_event], template.payload().body.clone());
        payload.on_behalf_of = Some(member.actor);
        signer.sign(payload)
    };
    let lot_event = register(&cooperative);
    cooperative.journal = lot_event.id();
    admit(&mut archive, &[&lot_event]);
    let lot = lot_event.subject(0).unwrap();
    assert_eq!(archive.lot(&lot).unwrap().state.holder, member.actor);
    void(&mut archive, register(&cast.farmer), Rule::OnBehalf);

    let mut signer = cooperative.clone();
    let template = signer.clone().offers(lot, &[lot_event.id()], "5", false, &cast.buyer);
    let mut payload = template.payload().clone();
    payload.on_behalf_of = Some(member.actor);
    payload.basis.push(member.key_event);
    payload.basis.sort_unstable();
    void(&mut archive, signer.sign(payload), Rule::OnBehalf);
}

#[test]
fn the_basis_must_name_every_actor_and_place() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let place = cast.farmer.registers_place();
    let lot_event = cast.farmer.registers("5", None);
    let (lot, prev) = (lot_event.subject(0).unwrap(), [lot_event.id()]);
    admit(&mut archive, &[&place, &lot_event]);
    let moved = Body::ProduceMoved(ProduceMoved { place: place.subject(0).unwrap() });
    void(&mut archive, cast.farmer.clone().says(vec![touch(lot, &prev)], &[], moved.clone()), Rule::UnknownPlace);
    let offer = cast.farmer.clone().offers(lot, &prev, "5", false, &cast.buyer);
    let mut payload = offer.payload().clone();
    payload.basis.retain(|id| *id != cast.buyer.key_event);
    void(&mut archive, cast.farmer.clone().sign(payload), Rule::UnknownActor);
    let mut payload = cast.farmer.payload(vec![touch(lot, &prev)], &[place.id()], moved.clone());
    payload.basis.retain(|id| *id != cast.farmer.key_event);
    void(&mut archive, cast.farmer.clone().sign(payload), Rule::Signer);
    let moved = cast.farmer.says(vec![touch(lot, &prev)], &[place.id()], moved);
    admit(&mut archive, &[&moved]);
}

#[test]
fn a_void_event_is_a_link_of_its_journal_and_of_nothing_else() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let mistake = cast.farmer.registers("0", None);
    let lot_event = cast.farmer.registers("5", None);
    void(&mut archive, mistake.clone(), Rule::ZeroQuantity);
    admit(&mut archive, &[&lot_event]);
    let graded = cast.farmer.clone().grades(mistake.subject(0).unwrap(), &[mistake.id()], "A");
    void(&mut archive, graded, Rule::VoidAncestor);
    // A link to somebody else's event is no link.
    let place = cast.buyer.registers_place();
    admit(&mut archive, &[&place]);
    let mut thief = cast.farmer.clone();
    thief.journal = place.id();
    void(&mut archive, thief.registers("1", None), Rule::Journal);
}

#[test]
fn kinds_without_rules_are_held_and_other_networks_rejected() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let future = Body::Unknown { kind: 60_000, body: Any::Null };
    assert_eq!(archive.take(cast.farmer.clone().says(vec![new_subject()], &[], future)), Became::Held);
    let mut payload = cast.farmer.registers("1", None).payload().clone();
    payload.network = provenance::id::NetworkId::from_bytes([1; 32]);
    assert_eq!(archive.take(cast.farmer.clone().sign(payload)), Became::Rejected);
}

#[test]
fn corrections_change_what_is_told_never_who_holds_what() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("5", None);
    admit(&mut archive, &[&lot_event]);
    let correct = |signer: &Signatory, field: u8, value: Any| {
        let mut signer = signer.clone();
        let body = EventCorrected {
            target: lot_event.id(),
            reason: Text::new("typing error").unwrap(),
            replacement: [(field, value)].into(),
        };
        let lane = Lane::Attester(signer.actor);
        let touch = Touch { subject: lot_event.subject(0), lane, prev: vec![] };
        signer.says(vec![touch], &[], Body::EventCorrected(body))
    };
    let variety = || Any::Text("Gala".into());
    void(&mut archive, correct(&cast.buyer, 3, variety()), Rule::NotAbove);
    void(&mut archive, correct(&cast.farmer, 6, Any::Integer(1)), Rule::Correction);
    void(&mut archive, correct(&cast.farmer, 12, Any::Integer(1)), Rule::Correction);
    void(&mut archive, correct(&cast.farmer, 3, Any::Integer(1)), Rule::Correction);
    let (by_signer, from_above) = (correct(&cast.farmer, 3, variety()), correct(&cast.founder, 3, variety()));
    admit(&mut archive, &[&by_signer, &from_above]);
    let Body::EventCorrected(body) = &by_signer.payload().body else { panic!("it is one") };
    let Ok(Body::ProduceRegistered(corrected)) = body.apply(&lot_event.payload().body) else { panic!("it fits") };
    assert_eq!(corrected.variety, Some(Text::new("Gala").unwrap()));
    assert_eq!(archive.lot(&lot_event.subject(0).unwrap()).unwrap().state.balance, kg("5"));
}

#[test]
fn an_accepted_part_is_an_accepted_handover() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("100", None);
    let lot = lot_event.subject(0).unwrap();
    let mut twin = cast.farmer.clone();
    let part = cast.farmer.offers(lot, &[lot_event.id()], "60", true, &cast.buyer);
    let whole = twin.offers(lot, &[lot_event.id()], "100", false, &cast.rival);
    let bought = cast.buyer.accepts_all(part.subject(1).unwrap(), &part, "60");
    admit(&mut archive, &[&lot_event, &part, &whole, &bought]);
    // The buyer of the part accepted, nobody the whole: the part stands.
    let counted = archive.lot(&lot).unwrap();
    assert!(!counted.disputed && counted.beside.contains(&whole.id()));
    assert_eq!((counted.state.balance, counted.state.holder), (kg("40"), cast.farmer.actor));
    // Both accepted: 160 of 100 were given away, and nobody's word settles that.
    let taken = cast.rival.accepts_all(lot, &whole, "100");
    admit(&mut archive, &[&taken]);
    assert!(archive.lot(&lot).unwrap().disputed);
}

#[test]
fn packages_are_not_invented() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let boxes = |decimal: &str, packages| Quantity::parse(decimal, Unit::new("KGM").unwrap(), Some(packages)).unwrap();
    let template = cast.farmer.clone().registers("100", None);
    let Body::ProduceRegistered(mut body) = template.payload().body.clone() else { unreachable!() };
    body.quantity = boxes("100", 10);
    let lot_event = cast.farmer.says(vec![new_subject()], &[], Body::ProduceRegistered(body));
    let lot = lot_event.subject(0).unwrap();
    let template = cast.farmer.clone().offers(lot, &[lot_event.id()], "100", false, &cast.buyer);
    let offer = |quantity| {
        let Body::TransferOffered(mut body) = template.payload().body.clone() else { unreachable!() };
        body.lines[0].quantity = quantity;
        let mut payload = template.payload().clone();
        payload.body = Body::TransferOffered(body);
        SignedEvent::sign(payload, &cast.farmer.key).unwrap()
    };
    admit(&mut archive, &[&lot_event]);
    void(&mut archive, offer(boxes("100", 11)), Rule::Balance);
    void(&mut archive, offer(boxes("100", 9)), Rule::Balance);
    let fair = offer(boxes("100", 10));
    admit(&mut archive, &[&fair]);
    let line = |received| AcceptedLine { received, rejected: None, lost: None, reason: None };
    void(&mut archive, cast.buyer.clone().accepts(lot, &fair, line(boxes("100", 1_000_000))), Rule::Lines);
    admit(&mut archive, &[&cast.buyer.accepts(lot, &fair, line(boxes("100", 10)))]);
}

#[test]
fn nobody_takes_a_lot_by_touching_it_in_the_place_of_a_part() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lots: Vec<_> = (1..=3).map(|kilos| cast.farmer.registers(&kilos.to_string(), None)).collect();
    let [one, other, sold] = [0, 1, 2].map(|at: usize| (lots[at].subject(0).unwrap(), lots[at].id()));
    admit(&mut archive, &lots.iter().collect::<Vec<_>>());
    let offer = cast.farmer.offers(sold.0, &[sold.1], "3", false, &cast.buyer);
    let bought = cast.buyer.accepts_all(sold.0, &offer, "3");
    admit(&mut archive, &[&offer, &bought]);

    let template = cast.farmer.clone().offers(one.0, &[one.1], "0.5", true, &cast.rival);
    let Body::TransferOffered(mut body) = template.payload().body.clone() else { unreachable!() };
    body.lines.push(OfferedLine { lot: other.0, quantity: kg("0.5") });
    let touches = |last| vec![touch(one.0, &[one.1]), touch(other.0, &[other.1]), new_subject(), last];
    let offers = |last| {
        let mut payload = template.payload().clone();
        (payload.touches, payload.body) = (touches(last), Body::TransferOffered(body.clone()));
        SignedEvent::sign(payload, &cast.farmer.key).unwrap()
    };
    void(&mut archive, offers(touch(sold.0, &[bought.id()])), Rule::Touches);
    admit(&mut archive, &[&offers(new_subject())]);
}
