//! What comes of events that make, pack, divide, attest, certify and recall.

use crate::archive::{Archive, Became};
use crate::deeds::*;
use crate::story::*;
use provenance::admission::Rule;
use provenance::body::*;
use provenance::cbor::Any;
use provenance::custody::{Closed, LotState};
use provenance::event::SignedEvent;
use provenance::id::SubjectId;
use provenance::payload::Lane;
use provenance::value::*;

fn with(cast: &Cast) -> Archive {
    let mut archive = Archive::new(network());
    admit(&mut archive, &cast.events.iter().collect::<Vec<_>>());
    archive
}

#[track_caller]
fn admit(archive: &mut Archive, events: &[&SignedEvent]) {
    for event in events {
        assert_eq!(archive.take((*event).clone()), Became::Admitted, "{:?}", event.payload().body);
    }
}

#[track_caller]
fn void(archive: &mut Archive, event: SignedEvent, rule: Rule) {
    assert_eq!(archive.take(event), Became::Void(rule));
}

fn state(archive: &Archive, lot: SubjectId) -> LotState {
    archive.lot(&lot).unwrap().state
}

fn owner(archive: &Archive, lot: SubjectId) -> LotState {
    archive.counted(&lot, Lane::Title).unwrap().state
}

#[test]
fn what_goes_in_is_used_up_and_what_comes_out_is_new() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let (one, two) = (cast.farmer.registers("100", None), cast.farmer.registers("50", None));
    let pressed = cast.farmer.transforms(&[(made(&one), "100"), (made(&two), "20")], &["60", "5"]);
    admit(&mut archive, &[&one, &two, &pressed]);
    let (used, rest) = (state(&archive, made(&one).0), state(&archive, made(&two).0));
    assert_eq!((used.closed, used.balance), (Some(Closed::Transformed), kg("0")));
    assert_eq!((rest.closed, rest.balance), (None, kg("30")));
    assert_eq!(state(&archive, at(&pressed, 2).0).balance, kg("60"));
    assert_eq!(state(&archive, at(&pressed, 3).0), LotState::new(cast.farmer.actor, kg("5")));
    void(&mut archive, cast.farmer.transforms(&[(at(&pressed, 0), "1")], &["1"]), Rule::LotClosed);
}

#[test]
fn a_lot_in_a_unit_goes_where_the_unit_goes() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let (whole, partly) = (cast.farmer.registers("10", None), cast.farmer.registers("50", None));
    let packed = cast.farmer.packs(None, &[(made(&whole), kg("10")), (made(&partly), kg("20"))], 1);
    admit(&mut archive, &[&whole, &partly, &packed]);
    let (unit, inside, rest, part) = (at(&packed, 0), at(&packed, 1), at(&packed, 2), at(&packed, 3));
    assert_eq!((state(&archive, unit.0).contents, state(&archive, unit.0).balance), (Some(2), each()));
    assert_eq!(state(&archive, inside.0).inside, Some(unit.0));
    assert_eq!((state(&archive, part.0).inside, state(&archive, part.0).balance), (Some(unit.0), kg("20")));
    assert_eq!((state(&archive, rest.0).inside, state(&archive, rest.0).balance), (None, kg("30")));

    void(&mut archive, cast.farmer.clone().grades(inside.0, &inside.1, "C"), Rule::Packed);
    void(&mut archive, cast.farmer.clone().retires(&unit, each()), Rule::Packed);
    void(&mut archive, cast.farmer.clone().packs(Some(&rest), &[(unit.clone(), each())], 0), Rule::Touches);

    // More is put in; then the unit is sold, and the buyer takes out what is in it.
    let more = cast.farmer.packs(Some(&unit), &[(rest.clone(), kg("30"))], 0);
    let sold = cast.farmer.offers_by(Moves::Both, each(), vec![touch(unit.0, &[more.id()])], &cast.buyer);
    let line = AcceptedLine { received: each(), rejected: None, lost: None, reason: None };
    let bought = cast.buyer.accepts_by(vec![touch(unit.0, &[sold.id()])], &sold, line);
    admit(&mut archive, &[&more, &sold, &bought]);
    assert_eq!(state(&archive, unit.0).contents, Some(3));
    void(&mut archive, cast.farmer.clone().unpacks(&at(&bought, 0), std::slice::from_ref(&inside)), Rule::NotHolder);
    let free = cast.buyer.registers_place();
    let apart = cast.buyer.unpacks(&at(&bought, 0), &[inside.clone(), part.clone()]);
    admit(&mut archive, &[&free, &apart]);
    assert_eq!(state(&archive, unit.0).contents, Some(1));
    for lot in [inside.0, part.0] {
        let state = state(&archive, lot);
        assert_eq!((state.holder, state.inside), (cast.buyer.actor, None));
    }
    void(&mut archive, cast.buyer.clone().unpacks(&at(&apart, 0), &[at(&apart, 1)]), Rule::NotInside);
    let emptied = cast.buyer.unpacks(&at(&apart, 0), &[at(&more, 1)]);
    let burnt = cast.buyer.retires(&at(&emptied, 0), each());
    admit(&mut archive, &[&emptied, &burnt]);
}

#[test]
fn units_lie_in_units_but_never_in_themselves() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot = cast.farmer.registers("10", None);
    let inner = cast.farmer.packs(None, &[(made(&lot), kg("10"))], 0);
    let outer = cast.farmer.packs(None, &[(at(&inner, 0), each())], 0);
    admit(&mut archive, &[&lot, &inner, &outer]);
    void(&mut archive, cast.farmer.clone().packs(Some(&at(&outer, 1)), &[(at(&outer, 0), each())], 0), Rule::Packed);
    void(&mut archive, cast.farmer.clone().unpacks(&at(&outer, 1), &[at(&inner, 1)]), Rule::Packed);
    let half = Quantity::parse("0.5", each().unit(), None).unwrap();
    let halves = cast.farmer.clone().packs(Some(&at(&outer, 0)), &[(at(&outer, 1), half)], 1);
    void(&mut archive, halves, Rule::Packed);
}

#[test]
fn a_warehouse_holds_what_others_own_and_sell() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("100", None);
    let lot = made(&lot_event).0;
    // The farmer's apples go into the rival's cold store, where two kilos dry up.
    let moves = |prev| vec![touch(lot, prev), title(lot, &[])];
    let stored = cast.farmer.offers_by(Moves::Possession, kg("100"), moves(&[lot_event.id()]), &cast.rival);
    let lost = AcceptedLine { lost: Some(kg("2")), ..received("98") };
    let taken = cast.rival.accepts_by(vec![touch(lot, &[stored.id()])], &stored, lost);
    admit(&mut archive, &[&lot_event, &stored, &taken]);
    let held = state(&archive, lot);
    assert_eq!((held.holder, held.balance, held.divided), (cast.rival.actor, kg("98"), true));
    assert_eq!(owner(&archive, lot), LotState::new(cast.farmer.actor, kg("100")));

    // The store cannot sell, use up or take a part; it tells, and the owner tells the price.
    let keeper = || cast.rival.clone();
    void(&mut archive, keeper().retires(&(lot, vec![taken.id()]), kg("98")), Rule::Divided);
    void(&mut archive, keeper().retires(&(lot, vec![taken.id()]), kg("1")), Rule::Divided);
    void(&mut archive, keeper().transforms(&[((lot, vec![taken.id()]), "98")], &["1"]), Rule::Divided);
    void(&mut archive, keeper().offers(lot, &[taken.id()], "98", false, &cast.buyer), Rule::Divided);
    let price = Price { money: Money::new(1, Currency::new("EUR").unwrap()).unwrap(), per: None };
    let price = |touch| {
        (
            vec![touch],
            Body::ProducePriceUpdated(PriceUpdated { price: provenance::seal::Sealable::Open(price), reason: None }),
        )
    };
    let (touches, body) = price(touch(lot, &[taken.id()]));
    void(&mut archive, keeper().says(touches, &[], body), Rule::Divided);
    let graded = cast.rival.grades(lot, &[taken.id()], "B");
    let (touches, body) = price(title(lot, &[stored.id()]));
    let priced = cast.farmer.says(touches, &[], body);
    admit(&mut archive, &[&graded, &priced]);

    // The owner sells title alone; then the store hands the goods to the new owner, who has both again.
    let sold = cast.farmer.offers_by(Moves::Title, kg("100"), vec![title(lot, &[priced.id()])], &cast.buyer);
    let bought = cast.buyer.accepts_by(vec![title(lot, &[sold.id()])], &sold, received("100"));
    let fetched = cast.rival.offers_by(Moves::Possession, kg("98"), vec![touch(lot, &[graded.id()])], &cast.buyer);
    let part = AcceptedLine { rejected: Some(kg("8")), ..received("90") };
    admit(&mut archive, &[&sold, &bought, &fetched]);
    void(&mut archive, cast.buyer.clone().accepts(lot, &fetched, part), Rule::Divided);
    let home = cast.buyer.accepts_by(vec![touch(lot, &[fetched.id()])], &fetched, received("98"));
    admit(&mut archive, &[&home]);
    assert_eq!(owner(&archive, lot).holder, cast.buyer.actor);

    // Both together: sold whole, rejected whole, and in the end used up.
    let both = |prev_main, prev_title| vec![touch(lot, &[prev_main]), title(lot, &[prev_title])];
    let offered = cast.buyer.offers_by(Moves::Both, kg("98"), both(home.id(), bought.id()), &cast.farmer);
    let refused = AcceptedLine { received: kg("0"), rejected: Some(kg("98")), lost: None, reason: None };
    let sent_back = cast.farmer.accepts_by(both(offered.id(), offered.id()), &offered, refused);
    admit(&mut archive, &[&offered, &sent_back]);
    assert_eq!((owner(&archive, lot).balance, owner(&archive, lot).holder), (kg("98"), cast.buyer.actor));
    let body = ProduceRetired { quantity: kg("98"), outcome: Outcome::Consumed };
    let eaten = cast.buyer.says(both(sent_back.id(), sent_back.id()), &[], Body::ProduceRetired(body));
    admit(&mut archive, &[&eaten]);
    assert_eq!(owner(&archive, lot).closed, Some(Closed::Retired));
}

#[test]
fn title_is_sold_while_the_goods_stay() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("100", None);
    let lot = made(&lot_event).0;
    let touches = vec![touch(lot, &[lot_event.id()]), title(lot, &[])];
    let sold = cast.farmer.offers_by(Moves::Title, kg("100"), touches, &cast.buyer);
    admit(&mut archive, &[&lot_event, &sold]);
    assert!(owner(&archive, lot).open.is_some() && state(&archive, lot).open.is_none());
    let lost = AcceptedLine { received: kg("0"), rejected: None, lost: Some(kg("100")), reason: None };
    let on_title = || vec![title(lot, &[sold.id()])];
    void(&mut archive, cast.buyer.clone().accepts_by(on_title(), &sold, lost), Rule::Divided);
    let declined = TransferClosed { offer: sold.id(), reason: None };
    let declined = cast.buyer.says(on_title(), &[], Body::TransferDeclined(declined));
    admit(&mut archive, &[&declined]);
    // It stays apart for good, but one actor has both.
    let both = vec![touch(lot, &[sold.id()]), title(lot, &[declined.id()])];
    let out = cast.farmer.clone().offers_by(Moves::Both, kg("100"), both, &cast.rival);
    admit(&mut archive, &[&out]);
}

#[test]
fn deliveries_make_one_lot() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let (event, mut cooperative) = cast.founder.enrols(20, vec![Role::Cooperative], vec![]);
    let body = collection(vec![delivery(cast.farmer.actor, "12.5"), delivery(cast.farmer.actor, "7.50")], "20");
    let basis = [cast.farmer.key_event];
    let collected = cooperative.says(vec![new_subject()], &basis, Body::ProduceCollected(Box::new(body)));
    // The member says that it was so, and nobody else can.
    let confirmed = EventConfirmed { target: collected.id(), method: text("paper"), evidence: None };
    let lot = made(&collected).0;
    let confirmed = cast.farmer.attests(lot, &[], Body::EventConfirmed(confirmed));
    let disputed = EventDisputed { target: collected.id(), reason: text("too much"), evidence: None };
    admit(&mut archive, &[&event, &collected, &confirmed]);
    assert_eq!(state(&archive, lot), LotState::new(cooperative.actor, kg("20")));
    void(&mut archive, cast.buyer.attests(lot, &[], Body::EventDisputed(disputed)), Rule::NotParty);
}

#[test]
fn those_who_measure_inspect_certify_and_warn() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let (e1, mut device) = cast.founder.enrols(21, vec![Role::Device], vec![]);
    let (e2, mut laboratory) = cast.founder.enrols(22, vec![Role::Laboratory], vec![]);
    let (e3, mut certifier) = cast.founder.enrols(23, vec![Role::Certifier], vec![]);
    let (e4, mut authority) = cast.founder.enrols(24, vec![Role::Authority], vec![]);
    let lot_event = cast.farmer.registers("100", None);
    let (lot, basis) = (made(&lot_event).0, [lot_event.id()]);
    admit(&mut archive, &[&e1, &e2, &e3, &e4, &lot_event]);

    let device_lane = |prev| vec![touch(device.actor, &[prev])];
    let attached = DeviceAttached { to: lot, from: moment(1), until: None };
    let attached_basis = [device.key_event, lot_event.id()];
    let attached = cast.founder.says(device_lane(device.key_event), &attached_basis, Body::DeviceAttached(attached));
    let detached = Body::DeviceDetached(DeviceDetached { from: lot, at: moment(2) });
    let detached = device.clone().says(device_lane(attached.id()), &attached_basis, detached);
    let told = device.attests(lot, &basis, Body::ConditionMeasured(Box::new(measured())));
    let analysed = laboratory.attests(lot, &basis, Body::ProduceInspected(inspected()));
    let certified = Body::CertificateIssued(Box::new(certificate(vec![cast.farmer.actor])));
    let certified = certifier.says(vec![new_subject()], &[cast.farmer.key_event], certified);
    let status = |state| Body::CertificateStatus(CertificateStatus { state, from: moment(5), reason: None });
    let on_it = |prev| vec![touch(made(&certified).0, &[prev])];
    let suspended = certifier.says(on_it(certified.id()), &[certified.id()], status(CertificateState::Suspended));
    let by_founder = cast.founder.says(on_it(suspended.id()), &[certified.id()], status(CertificateState::Withdrawn));
    admit(&mut archive, &[&attached, &told, &analysed, &certified, &suspended, &by_founder]);
    // Its journal has two branches here, of which either is admitted.
    admit(&mut archive, &[&detached]);

    // A former holder warns of what it sold, and an authority of anything.
    let sold = cast.farmer.offers(lot, &[lot_event.id()], "100", false, &cast.buyer);
    let bought = cast.buyer.accepts_all(lot, &sold, "100");
    let warned = cast.farmer.attests(lot, &basis, Body::RecallIssued(recalled()));
    let recalled_by = authority.attests(lot, &basis, Body::RecallIssued(recalled()));
    let update = Body::RecallUpdated(recall_updated(warned.id()));
    let updated = vec![cast.farmer.attester(lot, &[warned.id()])];
    let updated = cast.farmer.says(updated, &[], update.clone());
    let from_above = cast.founder.attests(lot, &[], update.clone());
    let ended = Body::RecallEnded(RecallEnded { recall: warned.id(), reason: text("a false alarm") });
    let ended = cast.farmer.says(vec![cast.farmer.attester(lot, &[updated.id()])], &[], ended);
    admit(&mut archive, &[&sold, &bought, &warned, &recalled_by, &updated, &from_above, &ended]);
    void(&mut archive, cast.rival.attests(lot, &basis, Body::RecallIssued(recalled())), Rule::NotParty);
    void(&mut archive, cast.buyer.attests(lot, &basis, Body::RecallIssued(recalled())), Rule::NotParty);
    let touches = vec![authority.attester(lot, &[recalled_by.id()])];
    void(&mut archive, authority.says(touches, &[], update), Rule::NotAbove);
}

#[test]
fn a_place_is_updated_by_who_registered_it_or_stands_above() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let place = cast.farmer.registers_place();
    let body = PlaceUpdated { country: Some(text("ES")), ..PlaceUpdated::default() };
    let update = |by: &mut Signatory, prev| {
        by.says(vec![touch(made(&place).0, &[prev])], &[place.id()], Body::PlaceUpdated(Box::new(body.clone())))
    };
    let moved = update(&mut cast.farmer, place.id());
    let from_above = update(&mut cast.founder, moved.id());
    admit(&mut archive, &[&place, &moved, &from_above]);
    void(&mut archive, update(&mut cast.buyer, place.id()), Rule::NotAbove);
}

#[test]
fn how_much_was_registered_can_be_corrected_in_its_unit() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("100", None);
    let corrected = |unit: &str| {
        let quantity = Any::Array(vec![Any::Integer(90), Any::Integer(0), Any::Text(unit.into())]);
        let reason = text("typing error");
        let body = EventCorrected { target: lot_event.id(), reason, replacement: [(6, quantity)].into() };
        cast.farmer.clone().attests(made(&lot_event).0, &[], Body::EventCorrected(body))
    };
    admit(&mut archive, &[&lot_event, &corrected("KGM")]);
    void(&mut archive, corrected("LTR"), Rule::Unit);
    // What others judged by is as it was; views show the correction.
    assert_eq!(state(&archive, made(&lot_event).0).balance, kg("100"));
}

#[test]
fn what_is_packed_and_sold_at_once_is_disputed() {
    let mut cast = cast();
    let mut archive = with(&cast);
    let lot_event = cast.farmer.registers("10", None);
    let mut twin = cast.farmer.clone();
    let packed = cast.farmer.packs(None, &[(made(&lot_event), kg("10"))], 0);
    let sold = twin.offers(made(&lot_event).0, &[lot_event.id()], "10", false, &cast.buyer);
    admit(&mut archive, &[&lot_event, &packed, &sold]);
    let counted = archive.lot(&made(&lot_event).0).unwrap();
    assert!(counted.disputed && counted.in_conflict.len() == 2);
    // Packing a part beside an offer of another part hurts nobody.
    let lot_event = cast.farmer.registers("10", None);
    let mut twin = cast.farmer.clone();
    let packed = cast.farmer.packs(None, &[(made(&lot_event), kg("4"))], 1);
    let sold = twin.offers(made(&lot_event).0, &[lot_event.id()], "6", true, &cast.buyer);
    admit(&mut archive, &[&lot_event, &packed, &sold]);
    let counted = archive.lot(&made(&lot_event).0).unwrap();
    assert!(!counted.disputed && counted.state.balance == kg("0"));
}
