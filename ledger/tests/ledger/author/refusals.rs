//! What cannot be told, and that nothing is stored then.

use super::village::{Village, apples, by, enrolment, euro_cents, farm, kg, offer, text};
use ledger::author::{
    AcceptTransfer, AuthorError, CancelTransfer, Context, CorrectEvent, DeclineTransfer, EnrolledKey, MoveProduce,
    RetireProduce, To, UpdatePrice, UpdateQuality, any,
};
use ledger::{Origin, WriteError};
use provenance::admission::Rule;
use provenance::body::{Moves, Outcome, Role};
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Payload;
use provenance::seal;
use provenance::value::{Grade, Quantity, Unit};
use std::collections::{BTreeMap, BTreeSet};
use store::{Openings, Range};

fn nobody() -> SubjectId {
    SubjectId::from_bytes([3; 32])
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_subjects_are_named_with_their_field() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let size = v.ledger.size();
    let field = |error: AuthorError| (error.field(), error.to_string());

    let error = v.author.register_produce(by(nobody()), apples("1", &[])).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownActor { field: "actor", .. }), "{error}");
    let error = v.author.register_produce(by(v.farmer), apples("1", &[v.trader])).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownPlace { field: "places", .. }), "{error}");
    let error = v.author.move_produce(by(v.farmer), MoveProduce { lot: v.farm, place: v.farm }).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownLot { field: "lot", .. }), "{error}");
    let error = v.author.offer_transfer(by(v.farmer), offer(lot, None, To::Actor(nobody()))).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownActor { field: "to", .. }), "{error}");
    let context = Context { on_behalf_of: Some(nobody()), ..by(v.cooperative) };
    let error = v.author.register_produce(context, apples("1", &[])).await.unwrap_err();
    assert_eq!(field(error).0, Some("on_behalf_of"));
    let registration = v.ledger.reader().origin(&lot).unwrap().unwrap().0;
    let accept = AcceptTransfer { offer: registration, lines: None };
    let error = v.author.accept_transfer(by(v.trader), accept).await.unwrap_err();
    assert!(matches!(error, AuthorError::NoSuchOffer { .. }), "{error}");
    let target = EventId::from_bytes([5; 32]);
    let correct = CorrectEvent { target, reason: text("wrong"), replacement: BTreeMap::new() };
    let error = v.author.correct_event(by(v.farmer), correct).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownEvent { field: "target", .. }), "{error}");

    v.keys.forget(&v.key_of(v.trader));
    let error = v.author.register_place(by(v.trader), farm()).await.unwrap_err();
    assert!(matches!(error, AuthorError::KeyNotKept { .. }), "{error}");
    assert_eq!(v.ledger.size(), size);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_come_back_by_name() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let size = v.ledger.size();
    let rule = |error: AuthorError| match error {
        AuthorError::Rule(rule) => rule,
        other => panic!("{other}"),
    };
    let grade = UpdateQuality { lot, grade: Grade::standard("C").unwrap(), reason: None };
    assert_eq!(rule(v.author.update_quality(by(v.trader), grade.clone()).await.unwrap_err()), Rule::NotHolder);
    let too_much = offer(lot, Some("10.01"), To::Actor(v.trader));
    assert_eq!(rule(v.author.offer_transfer(by(v.farmer), too_much).await.unwrap_err()), Rule::Balance);
    let to_self = offer(lot, None, To::Actor(v.farmer));
    assert_eq!(rule(v.author.offer_transfer(by(v.farmer), to_self).await.unwrap_err()), Rule::ToSelf);
    let litres = Quantity::parse("1", Unit::new("LTR").unwrap(), None).unwrap();
    let retire = RetireProduce { lot, quantity: Some(litres), outcome: Outcome::Lost };
    assert_eq!(rule(v.author.retire_produce(by(v.farmer), retire).await.unwrap_err()), Rule::Unit);
    assert_eq!(rule(v.author.register_produce(by(v.trader), apples("1", &[])).await.unwrap_err()), Rule::Role);
    let mut open = farm();
    open.point = open.exact_point;
    assert_eq!(rule(v.author.register_place(by(v.farmer), open).await.unwrap_err()), Rule::OpenPoint);
    let mut possession = offer(lot, Some("1"), To::Actor(v.trader));
    possession.moves = Moves::Possession;
    assert_eq!(rule(v.author.offer_transfer(by(v.farmer), possession).await.unwrap_err()), Rule::Divided);
    let mut twice = offer(lot, Some("1"), To::Actor(v.trader));
    twice.lines.push(twice.lines[0]);
    let error = v.author.offer_transfer(by(v.farmer), twice).await.unwrap_err();
    assert!(matches!(error, AuthorError::Structure(_)), "{error}");
    assert_eq!(v.ledger.size(), size);

    let offered = v.offer(v.farmer, lot, None, v.trader).await;
    let retire = RetireProduce { lot, quantity: None, outcome: Outcome::Lost };
    assert_eq!(rule(v.author.retire_produce(by(v.farmer), retire).await.unwrap_err()), Rule::OfferOpen);
    let decline = DeclineTransfer { offer: offered.id, reason: None };
    assert_eq!(rule(v.author.decline_transfer(by(v.grocer), decline).await.unwrap_err()), Rule::NotAddressee);
    let cancel = CancelTransfer { offer: offered.id, reason: None };
    assert_eq!(rule(v.author.cancel_transfer(by(v.grocer), cancel.clone()).await.unwrap_err()), Rule::NotOfferer);
    v.author.cancel_transfer(by(v.farmer), cancel.clone()).await.unwrap();
    assert_eq!(rule(v.author.cancel_transfer(by(v.farmer), cancel).await.unwrap_err()), Rule::NoOpenOffer);
    // Nothing of that stands in the journals' way.
    v.author.update_quality(by(v.farmer), grade).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_enrolment_makes_no_key_and_a_refused_event_leaves_no_opening() {
    let v = Village::new().await;
    let openings = || v.ledger.reader().store().scan::<Openings>(Range::all()).count();
    let (keys, kept) = (v.keys.count(), openings());
    for roles in [vec![Role::Certifier], vec![], vec![Role::Node]] {
        let error = v.author.enrol_actor(by(v.cooperative), enrolment("Too much", &roles)).await.unwrap_err();
        assert!(matches!(error, AuthorError::Rule(Rule::RolesGiven)), "{error}");
    }
    let error = v.author.enrol_actor(by(v.founder), enrolment("No node", &[Role::Node])).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::NodeDetails)), "{error}");
    let mut foreign = enrolment("Far away", &[Role::Trader]);
    foreign.key = EnrolledKey::Foreign { key: v.key_of(v.trader), countersignature: [0; 64] };
    foreign.personal_name = Some(text("Elio Verdi"));
    let error = v.author.enrol_actor(by(v.founder), foreign).await.unwrap_err();
    assert!(matches!(error, AuthorError::ForeignPersonalName), "{error}");

    let mut produce = apples("0", &[]);
    produce.harvester = Some(text("Bruno Rossi"));
    let error = v.author.register_produce(by(v.farmer), produce).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::ZeroQuantity)), "{error}");
    assert_eq!((v.keys.count(), openings()), (keys, kept));
    assert!(v.author.opening(&EventId::from_bytes([5; 32]), seal::HARVESTER).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_checked_before_it_is_sealed() {
    let v = Village::new().await;
    let registered = v.author.register_produce(by(v.farmer), apples("5", &[v.farm])).await.unwrap();
    let correct = |field, value| CorrectEvent {
        target: registered.id,
        reason: text("wrong"),
        replacement: BTreeMap::from([(field, value)]),
    };
    for wrong in [correct(12, any(&kg("500"))), correct(10, any(&7_u8)), correct(11, any(&text::<8>("cheap")))] {
        let error = v.author.correct_event(by(v.farmer), wrong).await.unwrap_err();
        assert!(matches!(error, AuthorError::Correction(_)), "{error}");
    }
    let error = v.author.correct_event(by(v.farmer), correct(4, any(&vec![nobody()]))).await.unwrap_err();
    assert_eq!(error.field(), Some("replacement.places"));
    let error = v.author.correct_event(by(v.trader), correct(11, any(&euro_cents(5)))).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::NotAbove)), "{error}");
    let farm_event = v.ledger.reader().origin(&v.farm).unwrap().unwrap().0;
    let exact = any(&farm().exact_point.unwrap());
    let expose = CorrectEvent { target: farm_event, reason: text("wrong"), replacement: BTreeMap::from([(4, exact)]) };
    let error = v.author.correct_event(by(v.farmer), expose).await.unwrap_err();
    assert!(matches!(error, AuthorError::Rule(Rule::OpenPoint)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_expects_other_tips_is_stale() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let seen = v.counted(lot).tips;
    let price = |cents| UpdatePrice { lot, price: euro_cents(cents), seal_price: false, reason: None };
    let expecting = |tips: &BTreeSet<EventId>| Context { expected_tips: Some(tips.clone()), ..by(v.farmer) };
    v.author.update_price(expecting(&seen), price(100)).await.unwrap();
    let error = v.author.update_price(expecting(&seen), price(110)).await.unwrap_err();
    let AuthorError::Stale { present } = error else { panic!("{error}") };
    v.author.update_price(expecting(&present), price(110)).await.unwrap();
}

/// What a key says a second time on a link that it has used already.
async fn signs_beside(v: &Village, actor: SubjectId, first: &SignedEvent, change: impl Fn(&mut Payload)) -> EventId {
    let key = v.keys.forget(&v.key_of(actor)).unwrap();
    v.keys.add(key.to_bytes()[0]);
    let mut payload = first.payload().clone();
    change(&mut payload);
    let rival = SignedEvent::sign(payload, &key).unwrap();
    let outcomes = v.ledger.submit(vec![rival.bytes().to_vec()], Origin::Peer("elsewhere".into())).await.unwrap();
    assert!(outcomes[0].index().is_some(), "{outcomes:?}");
    rival.id()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_offered_twice_is_disputed_until_an_addressee_accepts() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let to_trader = v.offer(v.farmer, lot, None, v.trader).await;
    // The founder is known to every event that names the network.
    signs_beside(&v, v.farmer, &to_trader.event, |payload| {
        let provenance::body::Body::TransferOffered(body) = &mut payload.body else { panic!() };
        body.to = provenance::body::Recipient::Actor(v.cooperative);
        payload.basis.push(v.ledger.reader().origin(&v.cooperative).unwrap().unwrap().0);
        payload.basis.sort_unstable();
        payload.basis.dedup();
    })
    .await;
    assert!(v.counted(lot).disputed);
    let error = v.author.register_place(by(v.farmer), farm()).await.unwrap_err();
    assert!(matches!(error, AuthorError::JournalForked { .. }), "{error}");
    let context = Context { on_behalf_of: Some(v.farmer), ..by(v.cooperative) };
    let grade = UpdateQuality { lot, grade: Grade::standard("C").unwrap(), reason: None };
    let error = v.author.update_quality(context, grade.clone()).await.unwrap_err();
    assert!(matches!(error, AuthorError::Disputed { .. }), "{error}");

    let accept = AcceptTransfer { offer: to_trader.id, lines: None };
    let accepted = v.author.accept_transfer(by(v.trader), accept).await.unwrap();
    let counted = v.counted(lot);
    assert!(!counted.disputed && counted.state.holder == v.trader && counted.tips.len() == 2);
    // The rival offer stays beside; the new holder goes on from its own acceptance.
    let graded = v.author.update_quality(by(v.trader), grade).await.unwrap();
    assert_eq!(graded.event.payload().touches[0].prev, [accepted.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_ledger_takes_nothing() {
    let v = Village::new().await;
    v.author.close().await;
    v.ledger.close().await;
    let error = v.author.register_place(by(v.farmer), farm()).await.unwrap_err();
    assert!(matches!(error, AuthorError::Closed), "{error}");
    assert_eq!(v.ledger.submit(Vec::new(), Origin::Client).await.unwrap_err(), WriteError::Closed);
}
