//! Events against the rules of what moves, makes, packs and divides lots.

use super::*;
use crate::deeds::{each, text};

pub(super) fn broken(stage: &Stage) -> Broken {
    [transformed(stage), packed(stage), unpacked(stage), moved(stage), answered(stage), told(stage)].concat()
}

/// The free lot.
fn free(stage: &Stage) -> crate::deeds::Lot {
    made(&stage.lot)
}

/// The divided lot on its main lane, in the rival's hands.
fn kept(stage: &Stage) -> crate::deeds::Lot {
    at(&stage.kept, 0)
}

/// The divided lot on both lanes, as the rival could name it.
fn both(stage: &Stage) -> Vec<Touch> {
    vec![touch(kept(stage).0, &[stage.kept.id()]), title(kept(stage).0, &[stage.stored.id()])]
}

fn transformed(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, .. } = &stage.village;
    let fair = farmer.clone().transforms(&[(free(stage), "10")], &["5", "4"]);
    let payload = |change: &dyn Fn(&mut Payload)| altered(&mut farmer.clone(), &fair, change);
    let with = |change: &dyn Fn(&mut ProduceTransformed)| {
        payload(&|payload| {
            let Body::ProduceTransformed(body) = &mut payload.body else { unreachable!("it transforms") };
            change(body);
        })
    };
    let claims = |claims: [&str; 2]| Some(claims.map(text).to_vec());
    let (packed, unit) = (at(&stage.packed, 1), at(&stage.packed, 0));
    let of_unit = farmer.clone().transforms(&[(unit, "1")], &["1"]);
    let of_unit = altered(&mut farmer.clone(), &of_unit, |payload| {
        let Body::ProduceTransformed(body) = &mut payload.body else { unreachable!("it transforms") };
        body.inputs[0].quantity = each();
    });
    let of_kept = rival.clone().transforms(&[(kept(stage), "100")], &["5"]);
    let with_title = |prev: &[EventId]| {
        altered(&mut rival.clone(), &of_kept, |payload| payload.touches.insert(1, title(kept(stage).0, prev)))
    };
    vec![
        rule(Rule::Lines, with(&|body| body.inputs.clear())),
        rule(Rule::Lines, with(&|body| body.outputs.clear())),
        rule(Rule::Lines, with(&|body| body.inputs = vec![body.inputs[0].clone(); 25])),
        rule(Rule::Lines, with(&|body| body.outputs = vec![body.outputs[0].clone(); 33])),
        rule(Rule::UnknownPlace, with(&|body| body.place = Some(id(&stage.place)))),
        rule(Rule::ZeroQuantity, with(&|body| body.outputs[1].quantity = kg("0"))),
        rule(Rule::ZeroQuantity, with(&|body| body.loss = Some(kg("0")))),
        rule(Rule::ListOrder, with(&|body| body.outputs[0].claims = claims(["b", "a"]))),
        rule(Rule::Touches, payload(&|payload| payload.touches.push(new_subject()))),
        rule(Rule::Touches, payload(&|payload| drop(payload.touches.pop()))),
        rule(Rule::Touches, with(&|body| body.inputs[0].lot = id(&stage.crates))),
        rule(Rule::Touches, payload(&|payload| payload.touches.swap(0, 1))),
        rule(Rule::NotHolder, buyer.clone().transforms(&[(free(stage), "10")], &["5"])),
        rule(Rule::LotClosed, farmer.clone().transforms(&[(at(&stage.retired, 0), "10")], &["5"])),
        rule(Rule::OfferOpen, farmer.clone().transforms(&[(at(&stage.offer, 0), "10")], &["5"])),
        rule(Rule::Packed, farmer.clone().transforms(&[(packed, "10")], &["5"])),
        rule(Rule::Packed, of_unit),
        rule(Rule::ZeroQuantity, farmer.clone().transforms(&[(free(stage), "0")], &["5"])),
        rule(Rule::Balance, farmer.clone().transforms(&[(free(stage), "1000.5")], &["5"])),
        rule(Rule::Divided, of_kept.clone()),
        // The owner is somebody else; and a lot that is not divided has no title to name.
        rule(Rule::NotHolder, with_title(&[stage.stored.id()])),
        rule(Rule::Divided, payload(&|payload| payload.touches.insert(1, title(free(stage).0, &[])))),
    ]
}

fn packed(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let (unit, inside) = (at(&stage.packed, 0), at(&stage.packed, 1));
    let fair = farmer.clone().packs(None, &[(free(stage), kg("10"))], 1);
    let payload = |change: &dyn Fn(&mut Payload)| altered(&mut farmer.clone(), &fair, change);
    let with = |change: &dyn Fn(&mut UnitPacked)| {
        payload(&|payload| {
            let Body::UnitPacked(body) = &mut payload.body else { unreachable!("it packs") };
            change(body);
        })
    };
    let into = |unit: &crate::deeds::Lot| farmer.clone().packs(Some(unit), &[(free(stage), kg("1000"))], 0);
    let named = {
        let template = into(&unit);
        altered(&mut farmer.clone(), &template, |payload| {
            let Body::UnitPacked(body) = &mut payload.body else { unreachable!("it packs") };
            body.sscc = Some(Sscc::new("106141411234567897").unwrap());
        })
    };
    let half = Quantity::parse("0.5", each().unit(), None).unwrap();
    vec![
        rule(Rule::Lines, with(&|body| body.contents.clear())),
        rule(Rule::Lines, with(&|body| body.contents = vec![body.contents[0].clone(); 32])),
        rule(Rule::UnknownPlace, with(&|body| body.place = Some(id(&stage.place)))),
        rule(Rule::Touches, named),
        rule(Rule::Touches, with(&|body| body.contents[0].lot = id(&stage.crates))),
        rule(Rule::Touches, payload(&|payload| payload.touches[0] = farmer.attester(free(stage).0, &[]))),
        rule(Rule::Touches, payload(&|payload| payload.touches.push(new_subject()))),
        rule(Rule::Touches, farmer.clone().packs(None, &[(free(stage), kg("10"))], 0)),
        rule(Rule::Touches, into(&made(&stage.crates))),
        rule(Rule::LotClosed, into(&at(&stage.retired, 0))),
        rule(Rule::NotHolder, buyer.clone().packs(Some(&unit), &[(free(stage), kg("1000"))], 0)),
        rule(Rule::NotHolder, buyer.clone().packs(None, &[(free(stage), kg("1000"))], 0)),
        rule(Rule::Packed, farmer.clone().packs(None, &[(inside, kg("10"))], 0)),
        rule(Rule::Packed, farmer.clone().packs(None, &[(unit, half)], 1)),
        rule(Rule::OfferOpen, farmer.clone().packs(None, &[(at(&stage.offer, 0), kg("10"))], 0)),
        rule(Rule::Balance, farmer.clone().packs(None, &[(free(stage), kg("1000.5"))], 1)),
        rule(Rule::ZeroQuantity, farmer.clone().packs(None, &[(free(stage), kg("0"))], 1)),
        rule(Rule::Divided, stage.village.rival.clone().packs(None, &[(kept(stage), kg("1"))], 1)),
    ]
}

fn unpacked(stage: &Stage) -> Broken {
    let Village { farmer, buyer, .. } = &stage.village;
    let (unit, inside) = (at(&stage.packed, 0), at(&stage.packed, 1));
    let fair = farmer.clone().unpacks(&unit, std::slice::from_ref(&inside));
    let payload = |change: &dyn Fn(&mut Payload)| altered(&mut farmer.clone(), &fair, change);
    let with = |change: &dyn Fn(&mut UnitUnpacked)| {
        payload(&|payload| {
            let Body::UnitUnpacked(body) = &mut payload.body else { unreachable!("it unpacks") };
            change(body);
        })
    };
    vec![
        rule(Rule::Lines, with(&|body| body.contents.clear())),
        rule(Rule::Lines, with(&|body| body.contents = vec![inside.0; 64])),
        rule(Rule::UnknownPlace, with(&|body| body.place = Some(id(&stage.place)))),
        rule(Rule::Touches, payload(&|payload| payload.touches.push(new_subject()))),
        rule(Rule::Touches, payload(&|payload| payload.touches[0] = new_subject())),
        rule(Rule::Touches, payload(&|payload| payload.touches.swap(0, 1))),
        rule(Rule::Touches, farmer.clone().unpacks(&free(stage), std::slice::from_ref(&inside))),
        rule(Rule::Touches, farmer.clone().unpacks(&unit, &[inside.clone(), free(stage)])),
        rule(Rule::NotHolder, buyer.clone().unpacks(&unit, std::slice::from_ref(&inside))),
        rule(Rule::NotInside, farmer.clone().unpacks(&unit, &[free(stage)])),
    ]
}

fn moved(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, .. } = &stage.village;
    let main = || touch(free(stage).0, &[stage.lot.id()]);
    let begins = || title(free(stage).0, &[]);
    let offers = |moves, quantity: &str, touches| farmer.clone().offers_by(moves, kg(quantity), touches, buyer);
    let kept_by = |moves, quantity: &str, touches| rival.clone().offers_by(moves, kg(quantity), touches, buyer);
    let kept_main = || vec![touch(kept(stage).0, &[stage.kept.id()])];
    let owned = || vec![title(kept(stage).0, &[stage.stored.id()])];
    let outside = |moves| {
        let template = offers(moves, "1000", vec![main(), begins()]);
        altered(&mut farmer.clone(), &template, |payload| {
            offering(payload).to = Recipient::OutsideGln(Gln::new("6291041500213").unwrap());
        })
    };
    vec![
        rule(Rule::Outside, outside(Moves::Possession)),
        rule(Rule::Outside, outside(Moves::Title)),
        rule(Rule::Divided, offers(Moves::Possession, "1000", vec![main()])),
        rule(Rule::Divided, offers(Moves::Possession, "10", vec![main(), begins()])),
        rule(Rule::Balance, offers(Moves::Possession, "1000.5", vec![main(), begins()])),
        rule(Rule::Divided, kept_by(Moves::Possession, "100", both(stage))),
        rule(Rule::Divided, kept_by(Moves::Possession, "10", kept_main())),
        rule(Rule::Divided, offers(Moves::Title, "1000", vec![main()])),
        rule(Rule::Divided, offers(Moves::Title, "10", vec![main(), begins()])),
        rule(Rule::Divided, kept_by(Moves::Title, "100", both(stage))),
        rule(Rule::NotHolder, kept_by(Moves::Title, "100", owned())),
        rule(Rule::Divided, offers(Moves::Title, "10", owned())),
        rule(Rule::Balance, offers(Moves::Title, "100.5", owned())),
        rule(Rule::Touches, offers(Moves::Title, "1000", vec![begins()])),
        rule(Rule::Touches, offers(Moves::Possession, "100", owned())),
        rule(Rule::Touches, offers(Moves::Title, "1000", vec![main(), begins(), new_subject()])),
        rule(Rule::NotHolder, offers(Moves::Possession, "100", kept_main())),
        rule(Rule::Divided, kept_by(Moves::Both, "100", kept_main())),
        rule(Rule::NotHolder, kept_by(Moves::Both, "100", both(stage))),
        rule(Rule::Divided, offers(Moves::Both, "1000", vec![main(), begins()])),
        rule(Rule::Packed, farmer.clone().offers(at(&stage.packed, 1).0, &[stage.packed.id()], "10", false, buyer)),
        rule(Rule::Packed, {
            let half = Quantity::parse("0.5", each().unit(), None).unwrap();
            let touches = vec![touch(at(&stage.packed, 0).0, &[stage.packed.id()]), new_subject()];
            farmer.clone().offers_by(Moves::Both, half, touches, buyer)
        }),
    ]
}

/// Answers to offers of possession and title. The offers are made here, and so rest on what no bundle of the stage
/// has: they are answered where they are named as not yet open.
fn answered(stage: &Stage) -> Broken {
    let Village { farmer, rival, .. } = &stage.village;
    let (lot, stored) = (kept(stage).0, &stage.stored);
    let on = |touches| rival.clone().accepts_by(touches, stored, crate::story::received("100"));
    let part = AcceptedLine { rejected: Some(kg("10")), ..crate::story::received("90") };
    let touches = vec![touch(lot, &[stored.id()]), new_subject()];
    let closed = TransferClosed { offer: stored.id(), reason: None };
    vec![
        rule(Rule::Divided, rival.clone().accepts_by(touches, stored, part)),
        rule(Rule::Touches, on(vec![title(lot, &[stored.id()])])),
        rule(Rule::Touches, on(vec![touch(lot, &[stored.id()]), title(lot, &[stored.id()])])),
        rule(Rule::NoOpenOffer, on(vec![touch(lot, &[stage.kept.id()])])),
        rule(
            Rule::Touches,
            farmer.clone().says(vec![title(lot, &[stored.id()])], &[], Body::TransferCancelled(closed.clone())),
        ),
        rule(Rule::Touches, {
            let touches = vec![touch(lot, &[stored.id()]), new_subject()];
            farmer.clone().says(touches, &[], Body::TransferCancelled(closed))
        }),
    ]
}

fn told(stage: &Stage) -> Broken {
    let Village { farmer, buyer, rival, .. } = &stage.village;
    let on = |by: &Signatory, touches, body| by.clone().says(touches, &[], body);
    let main = || vec![touch(free(stage).0, &[stage.lot.id()])];
    let limits = Some(TemperatureLimits { min_centicelsius: 1, max_centicelsius: 0 });
    let handled = |place, temperature| {
        Body::ProduceHandled(ProduceHandled { step: text("cool"), place, temperature, remark: None })
    };
    let codes = |codes| Body::ProduceCodesAssigned(CodesAssigned { codes });
    let labels = Codes { lot: Some(text("L-1")), ..Codes::default() };
    let money = Money::new(1, Currency::new("EUR").unwrap()).unwrap();
    let price = PriceUpdated { price: Sealable::Open(Price { money, per: None }), reason: None };
    let priced = |by, touches| on(by, touches, Body::ProducePriceUpdated(price.clone()));
    let kept_main = || vec![touch(kept(stage).0, &[stage.kept.id()])];
    let owned = || vec![title(kept(stage).0, &[stage.stored.id()])];
    let retired = |by, touches| on(by, touches, retire(kg("100")));
    vec![
        rule(Rule::UnknownPlace, on(farmer, main(), handled(Some(id(&stage.place)), limits))),
        rule(Rule::Temperature, on(farmer, main(), handled(None, limits))),
        rule(Rule::NotHolder, on(buyer, main(), handled(None, None))),
        rule(Rule::Empty, on(farmer, main(), codes(Codes::default()))),
        rule(Rule::NotHolder, on(buyer, main(), codes(labels))),
        rule(Rule::Divided, priced(rival, kept_main())),
        rule(Rule::NotHolder, priced(rival, owned())),
        rule(Rule::Touches, priced(farmer, [main(), owned()].concat())),
        rule(Rule::Touches, on(farmer, owned(), handled(None, None))),
        rule(Rule::Divided, retired(rival, kept_main())),
        rule(Rule::NotHolder, retired(rival, both(stage))),
        rule(Rule::Touches, retired(farmer, owned())),
        rule(Rule::Touches, retired(farmer, vec![new_subject()])),
        rule(Rule::Touches, retired(farmer, [main(), vec![new_subject()]].concat())),
        rule(Rule::Packed, {
            let touches = vec![touch(at(&stage.packed, 0).0, &[stage.packed.id()])];
            on(farmer, touches, retire(each()))
        }),
    ]
}
