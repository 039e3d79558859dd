//! Commands for goods that are collected, worked on, made of others, packed, and owned by others than hold them.

use super::village::{Village, apples, by, euro_cents, farm, kg, offer, text};
use ledger::author::{
    AcceptTransfer, AssignCodes, AuthorError, CollectProduce, CorrectEvent, HandleProduce, PackInto, PackUnit, Portion,
    RetireProduce, To, TransformProduce, UnpackUnit, UpdatePlace, UpdatePrice, any, correctable_field,
};
use provenance::admission::Rule;
use provenance::body::{Body, Codes, Commodity, Delivery, Moves, Outcome, Output, TemperatureLimits};
use provenance::custody::Closed;
use provenance::id::SubjectId;
use provenance::kind::Kind;
use provenance::payload::Lane;
use provenance::value::{Coordinates, LangText, Quantity, Sscc, Unit};
use std::collections::{BTreeMap, BTreeSet};

fn delivery(member: SubjectId, place: Option<SubjectId>, kilograms: &str) -> Delivery {
    Delivery { member, place, quantity: kg(kilograms), grade: None, slip: Some(text("S-17")) }
}

fn collection(deliveries: Vec<Delivery>) -> CollectProduce {
    CollectProduce {
        commodity: Commodity { scheme: text("HS"), code: text("0808.10") },
        name: LangText::single("en", "Apples").unwrap(),
        variety: None,
        deliveries,
        harvested: None,
        grade: None,
        codes: None,
        claims: vec![text("B"), text("A")],
    }
}

fn juice(kilograms: &str) -> Output {
    Output {
        commodity: Commodity { scheme: text("HS"), code: text("2009.71") },
        name: LangText::single("en", "Apple juice").unwrap(),
        variety: None,
        quantity: kg(kilograms),
        grade: None,
        codes: None,
        claims: Some(vec![text("B"), text("A"), text("A")]),
    }
}

fn pressing(inputs: &[(SubjectId, Option<&str>)], outputs: &[&str]) -> TransformProduce {
    TransformProduce {
        run: None,
        process: text("press"),
        inputs: inputs.iter().map(|(lot, quantity)| Portion { lot: *lot, quantity: quantity.map(kg) }).collect(),
        outputs: outputs.iter().map(|kilograms| juice(kilograms)).collect(),
        loss: Some(kg("0")),
        place: None,
    }
}

fn packing(into: PackInto, contents: &[(SubjectId, Option<&str>)]) -> PackUnit {
    let contents = contents.iter().map(|(lot, quantity)| Portion { lot: *lot, quantity: quantity.map(kg) }).collect();
    PackUnit { into, contents, place: None }
}

fn rule(error: AuthorError) -> Rule {
    match error {
        AuthorError::Rule(rule) => rule,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_become_a_lot_that_is_worked_on_and_made_into_others() {
    let v = Village::new().await;
    let deliveries = vec![delivery(v.farmer, Some(v.farm), "60.5"), delivery(v.cooperative, None, "40")];
    let collected = v.author.collect_produce(by(v.cooperative), collection(deliveries)).await.unwrap();
    let lot = collected.id.subject(0);
    assert_eq!((v.holder(lot), v.balance(lot).as_str()), (v.cooperative, "100.5 KGM"));
    let Body::ProduceCollected(body) = &collected.event.payload().body else { panic!() };
    assert_eq!(body.claims, Some(vec![text("A"), text("B")]));

    let step = HandleProduce {
        lot,
        step: text("cooled"),
        place: Some(v.farm),
        temperature: Some(TemperatureLimits { min_centicelsius: 100, max_centicelsius: 400 }),
        remark: None,
    };
    let handled = v.author.handle_produce(by(v.cooperative), step.clone()).await.unwrap();
    let codes = Codes { lot: Some(text("L-9")), ..Codes::default() };
    let labelled = v.author.assign_codes(by(v.cooperative), AssignCodes { lot, codes }).await.unwrap();

    let own = v.author.register_produce(by(v.cooperative), apples("20", &[])).await.unwrap().id.subject(0);
    let made = pressing(&[(lot, Some("90")), (own, None)], &["70", "8"]);
    let made = v.author.transform_produce(by(v.cooperative), made).await.unwrap();
    assert_eq!((v.balance(lot).as_str(), v.counted(own).state.closed), ("10.5 KGM", Some(Closed::Transformed)));
    assert_eq!((v.holder(made.id.subject(2)), v.balance(made.id.subject(3)).as_str()), (v.cooperative, "8 KGM"));
    let Body::ProduceTransformed(body) = &made.event.payload().body else { panic!() };
    assert_eq!((body.run.as_str().len(), &body.loss, body.outputs[0].claims.as_ref().unwrap().len()), (52, &None, 2));

    // What was told wrongly of it is put right.
    for (kind, event, name, value) in [
        (Kind::ProduceHandled, handled.id, "step", any(&text::<64>("washed"))),
        (Kind::ProduceCodesAssigned, labelled.id, "codes", any(&Codes { lot: Some(text("L-10")), ..Codes::default() })),
        (Kind::ProduceCollected, collected.id, "variety", any(&text::<128>("Gala"))),
    ] {
        let replacement = BTreeMap::from([(correctable_field(kind, name).unwrap(), value)]);
        let correct = CorrectEvent { target: event, reason: text("typing error"), replacement };
        v.author.correct_event(by(v.cooperative), correct).await.unwrap();
    }
    let quantity = correctable_field(Kind::ProduceRegistered, "quantity").unwrap();
    let registration = v.ledger.reader().origin(&own).unwrap().unwrap().0;
    let correct = |value| CorrectEvent {
        target: registration,
        reason: text("typing error"),
        replacement: BTreeMap::from([(quantity, value)]),
    };
    v.author.correct_event(by(v.cooperative), correct(any(&kg("21")))).await.unwrap();
    let litres = Quantity::parse("21", Unit::new("LTR").unwrap(), None).unwrap();
    let error = v.author.correct_event(by(v.cooperative), correct(any(&litres))).await.unwrap_err();
    assert_eq!(rule(error), Rule::Unit);
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_packed_nested_handed_over_and_unpacked() {
    let v = Village::new().await;
    let (first, second) = (v.lot("10").await, v.lot("20").await);
    let sscc = Sscc::new("106141411234567897").unwrap();
    let carton = packing(PackInto::New(None), &[(first, Some("4"))]);
    let carton = v.author.pack_unit(by(v.farmer), carton).await.unwrap();
    let (carton, part) = (carton.id.subject(0), carton.id.subject(2));
    let pallet = packing(PackInto::New(Some(sscc)), &[(carton, None)]);
    let pallet = v.author.pack_unit(by(v.farmer), pallet).await.unwrap().id.subject(0);
    v.author.pack_unit(by(v.farmer), packing(PackInto::Unit(pallet), &[(second, None)])).await.unwrap();
    assert_eq!(v.counted(pallet).state.contents, Some(2));

    // What lies inside stays as it is.
    let retire = RetireProduce { lot: second, quantity: None, outcome: Outcome::Sold };
    assert_eq!(rule(v.author.retire_produce(by(v.farmer), retire).await.unwrap_err()), Rule::Packed);
    let elsewhere = packing(PackInto::New(None), &[(part, None)]);
    assert_eq!(rule(v.author.pack_unit(by(v.farmer), elsewhere).await.unwrap_err()), Rule::Packed);
    let used_up = RetireProduce { lot: pallet, quantity: None, outcome: Outcome::Lost };
    assert_eq!(rule(v.author.retire_produce(by(v.farmer), used_up).await.unwrap_err()), Rule::Packed);

    let sent = v.offer(v.farmer, pallet, None, v.trader).await;
    v.author.accept_transfer(by(v.trader), AcceptTransfer { offer: sent.id, lines: None }).await.unwrap();
    let unpack = |unit, contents: &[SubjectId]| UnpackUnit { unit, contents: contents.to_vec(), place: None };
    assert_eq!(rule(v.author.unpack_unit(by(v.farmer), unpack(pallet, &[carton])).await.unwrap_err()), Rule::NotHolder);
    assert_eq!(rule(v.author.unpack_unit(by(v.trader), unpack(pallet, &[part])).await.unwrap_err()), Rule::NotInside);
    assert_eq!(rule(v.author.unpack_unit(by(v.trader), unpack(pallet, &[])).await.unwrap_err()), Rule::Lines);
    v.author.unpack_unit(by(v.trader), unpack(pallet, &[carton, second])).await.unwrap();
    v.author.unpack_unit(by(v.trader), unpack(carton, &[part])).await.unwrap();
    assert_eq!((v.holder(part), v.holder(second), v.holder(first)), (v.trader, v.trader, v.farmer));
    let sold = RetireProduce { lot: part, quantity: None, outcome: Outcome::Sold };
    v.author.retire_produce(by(v.trader), sold).await.unwrap();
    let into_a_lot = packing(PackInto::Unit(second), &[(pallet, None)]);
    assert_eq!(rule(v.author.pack_unit(by(v.trader), into_a_lot).await.unwrap_err()), Rule::Touches);
}

#[tokio::test(flavor = "multi_thread")]
async fn possession_goes_to_a_carrier_and_title_is_sold_by_its_owner() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let alone = |moves, quantity, to| {
        let mut offered = offer(lot, quantity, To::Actor(to));
        offered.moves = moves;
        offered
    };
    let owner = || v.ledger.reader().title(&lot).unwrap().unwrap().state.holder;
    let some = alone(Moves::Possession, Some("4"), v.trader);
    assert_eq!(rule(v.author.offer_transfer(by(v.farmer), some).await.unwrap_err()), Rule::Divided);
    let carried = v.author.offer_transfer(by(v.farmer), alone(Moves::Possession, None, v.trader)).await.unwrap();
    v.author.accept_transfer(by(v.trader), AcceptTransfer { offer: carried.id, lines: None }).await.unwrap();
    assert_eq!((v.holder(lot), owner()), (v.trader, v.farmer));

    // Neither of both alone can use it up or sell all of it.
    let retire = || RetireProduce { lot, quantity: None, outcome: Outcome::Sold };
    assert_eq!(rule(v.author.retire_produce(by(v.trader), retire()).await.unwrap_err()), Rule::NotHolder);
    assert_eq!(rule(v.author.retire_produce(by(v.farmer), retire()).await.unwrap_err()), Rule::NotHolder);
    let price = || UpdatePrice { lot, price: euro_cents(90), seal_price: false, reason: None };
    assert_eq!(rule(v.author.update_price(by(v.trader), price()).await.unwrap_err()), Rule::NotHolder);
    let mut seen = by(v.farmer);
    seen.expected_tips = Some(v.counted(lot).tips);
    let priced = v.author.update_price(seen, price()).await.unwrap();
    assert_eq!(priced.event.payload().touches[0].lane, Lane::Title);
    let mut stale = by(v.farmer);
    stale.expected_tips = Some(BTreeSet::new());
    assert!(matches!(v.author.update_price(stale, price()).await, Err(AuthorError::Stale { .. })));

    let sold = v.author.offer_transfer(by(v.farmer), alone(Moves::Title, None, v.grocer)).await.unwrap();
    assert_eq!(sold.event.payload().touches.len(), 1);
    v.author.accept_transfer(by(v.grocer), AcceptTransfer { offer: sold.id, lines: None }).await.unwrap();
    let brought = v.author.offer_transfer(by(v.trader), alone(Moves::Possession, None, v.grocer)).await.unwrap();
    v.author.accept_transfer(by(v.grocer), AcceptTransfer { offer: brought.id, lines: None }).await.unwrap();
    assert_eq!((v.holder(lot), owner()), (v.grocer, v.grocer));
    // Now both are in one hand, and go together.
    let both = v.author.offer_transfer(by(v.grocer), alone(Moves::Both, None, v.trader)).await.unwrap();
    v.author.accept_transfer(by(v.trader), AcceptTransfer { offer: both.id, lines: None }).await.unwrap();
    assert_eq!((v.holder(lot), owner()), (v.trader, v.trader));
    let made = v.author.transform_produce(by(v.trader), pressing(&[(lot, None)], &["7"])).await.unwrap();
    assert_eq!(made.event.payload().touches.len(), 3);

    // Title to a lot that its owner goes on to hold.
    let kept = v.lot("5").await;
    let mut sale = offer(kept, None, To::Actor(v.grocer));
    sale.moves = Moves::Title;
    let sale = v.author.offer_transfer(by(v.farmer), sale).await.unwrap();
    v.author.accept_transfer(by(v.grocer), AcceptTransfer { offer: sale.id, lines: None }).await.unwrap();
    assert_eq!((v.holder(kept), v.ledger.reader().title(&kept).unwrap().unwrap().state.holder), (v.farmer, v.grocer));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clerk_gets_wrong_is_named() {
    let v = Village::new().await;
    let lot = v.lot("10").await;
    let size = v.ledger.size();
    let collect = |deliveries| v.author.collect_produce(by(v.cooperative), collection(deliveries));
    assert_eq!(rule(collect(vec![]).await.unwrap_err()), Rule::Lines);
    assert_eq!(rule(collect(vec![delivery(v.farmer, None, "0")]).await.unwrap_err()), Rule::Lines);
    let nobody = SubjectId::from_bytes([3; 32]);
    let error = collect(vec![delivery(nobody, None, "1")]).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownActor { field: "deliveries.member", .. }), "{error}");
    let error = collect(vec![delivery(v.farmer, Some(lot), "1")]).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownPlace { field: "deliveries.place", .. }), "{error}");
    let mut litres = delivery(v.farmer, None, "1");
    litres.quantity = Quantity::parse("1", Unit::new("LTR").unwrap(), None).unwrap();
    let error = collect(vec![delivery(v.farmer, None, "1"), litres]).await.unwrap_err();
    assert!(matches!(error, AuthorError::Value(_)), "{error}");
    let trade = v.author.collect_produce(by(v.trader), collection(vec![delivery(v.farmer, None, "1")]));
    assert_eq!(rule(trade.await.unwrap_err()), Rule::Role);

    let transform = |command| v.author.transform_produce(by(v.farmer), command);
    assert_eq!(rule(transform(pressing(&[(lot, Some("11"))], &["1"])).await.unwrap_err()), Rule::Balance);
    assert_eq!(rule(transform(pressing(&[(lot, None)], &[])).await.unwrap_err()), Rule::Lines);
    assert_eq!(rule(transform(pressing(&[(lot, None)], &["0"])).await.unwrap_err()), Rule::ZeroQuantity);
    assert!(matches!(transform(pressing(&[(lot, None), (lot, None)], &["1"])).await, Err(AuthorError::Structure(_))));
    let error = transform(pressing(&[(v.farm, None)], &["1"])).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownLot { field: "inputs.lot", .. }), "{error}");
    let error = v.author.pack_unit(by(v.farmer), packing(PackInto::Unit(nobody), &[(lot, None)])).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownLot { field: "unit", .. }), "{error}");
    let codes = AssignCodes { lot, codes: Codes::default() };
    assert_eq!(rule(v.author.assign_codes(by(v.farmer), codes).await.unwrap_err()), Rule::Empty);
    assert_eq!(v.ledger.size(), size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_updated_by_who_registered_it_or_stands_above() {
    let v = Village::new().await;
    let nothing = UpdatePlace {
        place: v.farm,
        name: None,
        gln: None,
        point: None,
        exact_point: None,
        outline: None,
        area_m2: None,
        parent: None,
        country: None,
    };
    let renamed = UpdatePlace { name: Some(LangText::single("en", "Lower Orchard").unwrap()), ..nothing.clone() };
    v.author.update_place(by(v.farmer), renamed.clone()).await.unwrap();
    let moved = UpdatePlace { exact_point: Some(Coordinates::from_degrees(45.0, 11.0).unwrap()), ..nothing.clone() };
    let moved = v.author.update_place(by(v.cooperative), moved).await.unwrap();
    let Body::PlaceUpdated(body) = &moved.event.payload().body else { panic!() };
    assert!(body.exact_point.as_ref().unwrap().open().is_none() && body.point.unwrap().is_open());
    assert_eq!(v.author.openings(&moved.id).unwrap().len(), 1);
    assert_eq!(rule(v.author.update_place(by(v.trader), renamed).await.unwrap_err()), Rule::NotAbove);
    assert_eq!(rule(v.author.update_place(by(v.farmer), nothing.clone()).await.unwrap_err()), Rule::Empty);
    let lot = v.lot("1").await;
    let error = v.author.update_place(by(v.farmer), UpdatePlace { place: lot, ..nothing.clone() }).await.unwrap_err();
    assert!(matches!(error, AuthorError::UnknownPlace { field: "place", .. }), "{error}");
    let inside = v.author.register_place(by(v.farmer), farm()).await.unwrap().id.subject(0);
    v.author.update_place(by(v.farmer), UpdatePlace { parent: Some(inside), ..nothing }).await.unwrap();
}
