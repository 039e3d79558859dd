//! Commands become signed events: what they name, seal and refuse, and that journals never fork.

mod attestations;
mod goods;
mod governance;
mod journals;
mod keys;
mod refusals;
pub mod village;

use ledger::author::{
    AcceptTransfer, CancelTransfer, CorrectEvent, DeclineTransfer, EnrolledKey, Knowledge, MoveProduce, OfferLine,
    RetireProduce, To, UpdateActor, UpdatePrice, UpdateQuality, any, correctable_field,
};
use provenance::body::{AcceptedLine, Body, Outcome, Recipient, Role};
use provenance::cbor::{self, Any};
use provenance::custody::Closed;
use provenance::kind::Kind;
use provenance::payload::Lane;
use provenance::seal::{self, Sealable, SealedField, SealedValue};
use provenance::value::{Grade, Text};
use std::collections::BTreeMap;
use store::Openings;
use village::{Village, apples, by, enrolment, euro_cents, farm, kg, offer, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_is_told_of_and_sold_in_parts_whose_buyers_answer_in_the_other_order() {
    let v = Village::new().await;
    let lot = v.lot("1000").await;
    let store = v.author.register_place(by(v.founder), farm()).await.unwrap().id.subject(0);
    let grade = UpdateQuality { lot, grade: Grade::standard("A").unwrap(), reason: Some(text("sorted by hand")) };
    v.author.update_quality(by(v.farmer), grade).await.unwrap();
    let price = UpdatePrice { lot, price: euro_cents(120), seal_price: false, reason: None };
    v.author.update_price(by(v.farmer), price).await.unwrap();
    let moved = v.author.move_produce(by(v.farmer), MoveProduce { lot, place: store }).await.unwrap();
    assert_eq!(moved.event.payload().touches[0].prev.len(), 1);
    assert_eq!(v.journal(v.farmer), (1, 5));

    let first = v.offer(v.farmer, lot, Some("300"), v.trader).await;
    let second = v.offer(v.farmer, lot, Some("200.5"), v.grocer).await;
    assert_eq!(v.balance(lot), "499.5 KGM");
    let (part_of_trader, part_of_grocer) = (first.id.subject(1), second.id.subject(1));
    v.author.accept_transfer(by(v.grocer), AcceptTransfer { offer: second.id, lines: None }).await.unwrap();
    let lines = vec![AcceptedLine {
        received: kg("250"),
        rejected: Some(kg("40")),
        lost: Some(kg("10")),
        reason: Some(text("bruised")),
    }];
    let in_part = AcceptTransfer { offer: first.id, lines: Some(lines) };
    let accepted = v.author.accept_transfer(by(v.trader), in_part).await.unwrap();
    assert_eq!((v.holder(part_of_grocer), v.balance(part_of_grocer).as_str()), (v.grocer, "200.5 KGM"));
    assert_eq!((v.holder(part_of_trader), v.balance(part_of_trader).as_str()), (v.trader, "250 KGM"));
    let given_back = accepted.id.subject(1);
    assert_eq!((v.holder(given_back), v.balance(given_back).as_str()), (v.farmer, "40 KGM"));

    let retired = RetireProduce { lot, quantity: None, outcome: Outcome::Consumed };
    v.author.retire_produce(by(v.farmer), retired).await.unwrap();
    assert_eq!(v.counted(lot).state.closed, Some(Closed::Retired));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_of_several_lots_is_declined_cancelled_and_at_last_taken() {
    let v = Village::new().await;
    let (whole, part) = (v.lot("10").await, v.lot("20").await);
    let both = || {
        let mut both = offer(whole, None, To::Actor(v.trader));
        both.lines.push(OfferLine { lot: part, quantity: Some(kg("5")) });
        (both.carrier, both.from_place, both.to_place) = (Some(v.founder), Some(v.farm), Some(v.farm));
        both
    };
    let declined = v.author.offer_transfer(by(v.farmer), both()).await.unwrap();
    let decline = DeclineTransfer { offer: declined.id, reason: Some(text("too late")) };
    v.author.decline_transfer(by(v.trader), decline).await.unwrap();
    assert_eq!(v.balance(part), "15 KGM");
    assert_eq!(v.holder(declined.id.subject(2)), v.farmer);

    let cancelled = v.author.offer_transfer(by(v.farmer), both()).await.unwrap();
    let cancel = CancelTransfer { offer: cancelled.id, reason: None };
    v.author.cancel_transfer(by(v.farmer), cancel).await.unwrap();

    let taken = v.author.offer_transfer(by(v.farmer), both()).await.unwrap();
    let zero = AcceptedLine { received: kg("5"), rejected: Some(kg("0")), lost: Some(kg("0")), reason: None };
    let all = AcceptedLine { received: kg("10"), rejected: None, lost: None, reason: None };
    let accept = AcceptTransfer { offer: taken.id, lines: Some(vec![all, zero]) };
    let accepted = v.author.accept_transfer(by(v.trader), accept).await.unwrap();
    assert_eq!(accepted.event.payload().touches.len(), 2);
    assert_eq!((v.holder(whole), v.holder(taken.id.subject(2))), (v.trader, v.trader));
    assert_eq!(v.balance(part), "5 KGM");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cooperative_records_for_its_member_and_actors_tell_of_themselves() {
    let v = Village::new().await;
    let mut context = by(v.cooperative);
    (context.on_behalf_of, context.captured_by) = (Some(v.farmer), Some(v.trader));
    let done = v.author.register_produce(context.clone(), apples("7", &[v.farm])).await.unwrap();
    let lot = done.id.subject(0);
    assert_eq!(v.holder(lot), v.farmer);
    context.captured_by = None;
    let grade = UpdateQuality { lot, grade: Grade::standard("B").unwrap(), reason: None };
    v.author.update_quality(context, grade).await.unwrap();
    // The member's own key goes on where the cooperative's stopped.
    v.offer(v.farmer, lot, None, v.trader).await;

    let renamed = |name: &str| UpdateActor { display_name: Some(text(name)), ..UpdateActor::default() };
    for actor in [v.founder, v.founder, v.farmer, v.farmer] {
        v.author.update_actor(by(actor), renamed("Another name")).await.unwrap();
        let tips = provenance::admission::Ancestry::lane_tips(v.ledger.reader(), &actor, Lane::Main).unwrap();
        assert_eq!(tips.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_is_opened_by_what_is_kept_beside() {
    let v = Village::new().await;
    let mut produce = apples("5", &[v.farm]);
    (produce.harvester, produce.price, produce.seal_price) = (Some(text("Bruno Rossi")), Some(euro_cents(99)), true);
    let registered = v.author.register_produce(by(v.farmer), produce).await.unwrap();
    let Body::ProduceRegistered(body) = &registered.event.payload().body else { panic!() };
    let commitment = |field: &Option<Sealable<_>>| match field {
        Some(Sealable::Sealed(commitment)) => *commitment,
        _ => panic!("the field stands open"),
    };
    assert!(matches!(body.price, Some(Sealable::Sealed(_))));
    let opening = v.author.opening(&registered.id, seal::HARVESTER).unwrap().unwrap();
    assert_eq!(cbor::from_slice::<Text<128>>(&opening.value).unwrap().as_str(), "Bruno Rossi");
    let (signer, journal) = (registered.event.key(), registered.event.payload().journal);
    let field = SealedField { signer: &signer, journal: &journal, path: seal::HARVESTER };
    assert_eq!(opening.commitment(field), commitment(&body.harvester));
    assert!(!registered.event.bytes().windows(5).any(|window| window == b"Bruno"));

    let mut person = enrolment("A member", &[Role::Farmer]);
    person.personal_name = Some(text("Carla Bianchi"));
    let enrolled = v.author.enrol_actor(by(v.cooperative), person).await.unwrap();
    assert!(v.author.opening(&enrolled.id, seal::PERSONAL_NAME).unwrap().is_some());
    let outside = offer(registered.id.subject(0), Some("1"), To::OutsideName(text("Market stall")));
    let offered = v.author.offer_transfer(by(v.farmer), outside).await.unwrap();
    let Body::TransferOffered(body) = &offered.event.payload().body else { panic!() };
    assert!(matches!(body.to, Recipient::OutsideName(Sealable::Sealed(_))));
    assert!(v.author.opening(&offered.id, seal::OUTSIDE_NAME).unwrap().is_some());

    let place = v.author.register_place(by(v.farmer), farm()).await.unwrap();
    let Body::PlaceRegistered(body) = &place.event.payload().body else { panic!() };
    assert!(body.point.unwrap().is_open() && body.exact_point.as_ref().unwrap().open().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_names_fields_and_seals_what_was_sealed() {
    let v = Village::new().await;
    let registered = v.author.register_produce(by(v.farmer), apples("5", &[v.farm])).await.unwrap();
    let field = |name| correctable_field(Kind::ProduceRegistered, name).unwrap();
    let replacement = BTreeMap::from([
        (field("variety"), any(&text::<128>("Fuji"))),
        (field("harvester"), any(&text::<128>("Dora Neri"))),
    ]);
    let command = CorrectEvent { target: registered.id, reason: text("mixed up"), replacement };
    // The farmer's enroller may correct it, and so may the farmer.
    for actor in [v.cooperative, v.farmer] {
        let corrected = v.author.correct_event(by(actor), command.clone()).await.unwrap();
        let Body::EventCorrected(body) = &corrected.event.payload().body else { panic!() };
        assert!(matches!(&body.replacement[&10], Any::Bytes(commitment) if commitment.len() == 32));
        let Body::ProduceRegistered(body) = body.apply(&registered.event.payload().body).unwrap() else { panic!() };
        assert_eq!(body.variety.unwrap().as_str(), "Fuji");
        assert!(v.author.opening(&corrected.id, &[3, 10]).unwrap().is_some());
    }
    assert_eq!(correctable_field(Kind::TransferOffered, "lines"), None);
    assert_eq!(v.balance(registered.id.subject(0)), "5 KGM");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_kept_elsewhere_countersigns_its_enrolment() {
    let v = Village::new().await;
    let key = v.keys.add(77);
    let mut command = enrolment("Far away", &[Role::Trader]);
    command.key = EnrolledKey::Held(key);
    let here = v.author.enrol_actor(by(v.founder), command.clone()).await.unwrap();
    let Body::ActorEnrolled(body) = &here.event.payload().body else { panic!() };
    let countersignature = *body.countersignature;
    v.keys.forget(&key);
    // The same enrolment by the same enroller, whose new key is on another machine.
    command.key = EnrolledKey::Foreign { key, countersignature };
    let there = v.author.enrol_actor(by(v.founder), command.clone()).await.unwrap();
    assert!(!v.author.signs_for(&there.id.subject(0)).unwrap());
    assert!(v.author.signs_for(&v.farmer).unwrap());
    command.display_name = text("Somebody else");
    let error = v.author.enrol_actor(by(v.founder), command).await.unwrap_err();
    assert_eq!(error.field(), Some("body.countersignature"));
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_pass_to_nodes_of_parties_and_are_erased_for_good() {
    let v = Village::new().await;
    let mut produce = apples("5", &[v.farm]);
    produce.harvester = Some(text("Bruno Rossi"));
    let registered = v.author.register_produce(by(v.farmer), produce).await.unwrap().id;
    let enrol = async |by_whom, name: &str| {
        let done = v.author.enrol_actor(by(by_whom), enrolment(name, &[Role::Farmer])).await.unwrap();
        done.id.subject(0)
    };
    let node = enrol(v.cooperative, "Node of the cooperative").await;
    let stranger = enrol(v.founder, "Node of somebody else").await;

    assert!(v.author.pass_openings(&registered, &[stranger], "stranger").unwrap().is_empty());
    assert!(v.author.pass_openings(&registered, &[], "nobody").unwrap().is_empty());
    let passed = v.author.pass_openings(&registered, &[stranger, node], "peer").unwrap();
    assert_eq!(passed, v.author.openings(&registered).unwrap());
    assert_eq!(passed[0].0, seal::HARVESTER);
    let [field] = &v.author.sealed_fields(&registered).unwrap().unwrap()[..] else { panic!() };
    assert_eq!((field.name, &field.value), ("harvester", &Knowledge::Opened(SealedValue::Name(text("Bruno Rossi")))));
    assert!(matches!(&field.passed[..], [(peer, _)] if peer == "peer"));

    // As a node that was not given it: the row is gone, and nothing says that it was erased.
    let path = || seal::HARVESTER.to_vec();
    let mut batch = v.author.ledger().reader().store().batch();
    batch.delete::<Openings>(&(registered, path()));
    batch.commit().unwrap();
    assert!(v.author.lacks_openings(&registered, &[node]).unwrap());
    assert!(!v.author.lacks_openings(&registered, &[stranger]).unwrap());
    let mut forged = passed[0].1.clone();
    forged.salt[0] ^= 1;
    assert_eq!(v.author.take_openings(&registered, vec![(path(), forged), (vec![9], passed[0].1.clone())]).unwrap(), 2);
    assert!(v.author.openings(&registered).unwrap().is_empty());
    assert_eq!(v.author.take_openings(&registered, passed.clone()).unwrap(), 0);
    assert_eq!(v.author.openings(&registered).unwrap(), passed);

    v.author.erase_openings(&registered, &[path()]).unwrap();
    assert!(!v.author.lacks_openings(&registered, &[node]).unwrap(), "it is not asked for again");
    assert_eq!(v.author.take_openings(&registered, passed).unwrap(), 0);
    assert!(v.author.openings(&registered).unwrap().is_empty(), "nor taken in");
    let [field] = &v.author.sealed_fields(&registered).unwrap().unwrap()[..] else { panic!() };
    assert!(matches!(field.value, Knowledge::Erased(_)) && field.passed.len() == 1);
}
