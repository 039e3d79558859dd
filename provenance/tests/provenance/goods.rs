//! Honest histories of goods that are collected, pressed, packed, measured and recalled, or stored for others.

use crate::deeds::*;
use crate::maker::Wish;
use crate::story::*;
use crate::tales::{LINE_A, Tale, Village, line, logged, village};
use provenance::body::*;
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};

/// A day's apples become juice, of which a part is packed twice, sold, unpacked, and recalled.
pub fn pressed(name: &'static str, shallow: bool) -> Tale {
    let Village { mut world, mut founder, mut farmer, mut buyer, rival, keeper_a, .. } = village();
    let mut enrols = |seed, role| {
        let (event, signatory) = founder.enrols(seed, vec![role], vec![]);
        world.admit(&event);
        signatory
    };
    let (mut cooperative, mut device) = (enrols(20, Role::Cooperative), enrols(22, Role::Device));
    let (mut laboratory, mut certifier) = (enrols(23, Role::Laboratory), enrols(24, Role::Certifier));
    let place = farmer.registers_place();
    let update = PlaceUpdated { country: Some(text("ES")), ..PlaceUpdated::default() };
    let update = Body::PlaceUpdated(Box::new(update));
    let updated = farmer.says(vec![touch(made(&place).0, &[place.id()])], &[place.id()], update);
    world.admit_all(&[&place, &updated]);

    // Two members bring apples, one of them twice; a machine watches them, and a slip was written wrong.
    let from = Some(made(&place).0);
    let deliveries = vec![
        Delivery { place: from, ..delivery(farmer.actor, "40") },
        delivery(rival.actor, "35.5"),
        Delivery { place: from, ..delivery(farmer.actor, "24.5") },
    ];
    let basis = [farmer.key_event, rival.key_event, place.id()];
    let body = Body::ProduceCollected(Box::new(collection(deliveries, "100")));
    let collected = cooperative.says(vec![new_subject()], &basis, body);
    let apples = made(&collected);
    let attached = Body::DeviceAttached(DeviceAttached { to: apples.0, from: moment(1), until: Some(moment(2)) });
    let touches = vec![touch(device.actor, &[device.key_event])];
    let attached = founder.says(touches, &[device.key_event, collected.id()], attached);
    let measured = Body::ConditionMeasured(Box::new(measured()));
    let measured = device.attests(apples.0, &[collected.id()], measured);
    let slip = corrects(&mut cooperative, &collected, 3, Any::Text("Gala".into()));
    let inspected = laboratory.attests(apples.0, &[collected.id()], Body::ProduceInspected(inspected()));
    world.admit_all(&[&collected, &attached, &measured, &slip, &inspected]);
    let body = Body::CertificateIssued(Box::new(certificate(vec![cooperative.actor])));
    let certified = certifier.says(vec![new_subject()], &[cooperative.key_event], body);
    let status = CertificateStatus { state: CertificateState::Suspended, from: moment(5), reason: None };
    let on_it = vec![touch(made(&certified).0, &[certified.id()])];
    let suspended = certifier.says(on_it, &[certified.id()], Body::CertificateStatus(status));
    world.admit_all(&[&certified, &suspended]);

    // What the farmer has left goes into the same run.
    let bought = buys(&mut world, &mut farmer, &mut cooperative);
    let run = cooperative.transforms(&[(apples, "100"), (bought, "30")], &["60", "20"]);
    let (juice, cider) = (at(&run, 2), at(&run, 3));
    let handled = ProduceHandled {
        step: text("cool"),
        place: from,
        temperature: Some(TemperatureLimits { min_centicelsius: 100, max_centicelsius: 400 }),
        remark: None,
    };
    let handled = cooperative.says(vec![touch(juice.0, &juice.1)], &[place.id()], Body::ProduceHandled(handled));
    let labels = CodesAssigned { codes: Codes { lot: Some(text("J-1")), ..Codes::default() } };
    let labelled = cooperative.says(vec![touch(juice.0, &[handled.id()])], &[], Body::ProduceCodesAssigned(labels));
    let contents = [((juice.0, vec![labelled.id()]), kg("40")), (cider, kg("20"))];
    let crate_of = cooperative.packs(None, &contents, 1);
    let pallet = cooperative.packs(None, &[(at(&crate_of, 0), each())], 0);
    world.admit_all(&[&run, &handled, &labelled, &crate_of, &pallet]);

    // The pallet is sold; the buyer opens it, and says that all came.
    let touches = vec![touch(at(&pallet, 0).0, &[pallet.id()])];
    let sold = cooperative.offers_by(Moves::Both, each(), touches, &buyer);
    let line_of = AcceptedLine { received: each(), rejected: None, lost: None, reason: None };
    let taken = buyer.accepts_by(vec![touch(at(&pallet, 0).0, &[sold.id()])], &sold, line_of);
    let opened = buyer.unpacks(&at(&taken, 0), &[at(&pallet, 1)]);
    let part = at(&crate_of, 3);
    let emptied = buyer.unpacks(&at(&opened, 1), std::slice::from_ref(&part));
    let confirmed = EventConfirmed { target: sold.id(), method: text("paper"), evidence: None };
    let confirmed = buyer.attests(at(&pallet, 0).0, &[], Body::EventConfirmed(confirmed));
    let disputed = EventDisputed { target: taken.id(), reason: text("too early"), evidence: None };
    let disputed = cooperative.attests(at(&pallet, 0).0, &[], Body::EventDisputed(disputed));
    world.admit_all(&[&sold, &taken, &opened, &emptied, &confirmed, &disputed]);

    // A recall of the juice and of the part, which is made smaller and ended.
    let lanes = |by: &Signatory, prev: &[EventId]| vec![by.attester(juice.0, prev), by.attester(part.0, prev)];
    let touches = lanes(&cooperative, &[]);
    let recall = cooperative.says(touches, &[run.id(), crate_of.id()], Body::RecallIssued(recalled()));
    let touches = lanes(&cooperative, &[recall.id()]);
    let smaller = cooperative.says(touches, &[], Body::RecallUpdated(recall_updated(recall.id())));
    let ended = Body::RecallEnded(RecallEnded { recall: recall.id(), reason: text("all came back") });
    let touches = lanes(&cooperative, &[smaller.id()]);
    let ended = cooperative.says(touches, &[], ended);
    let eaten = buyer.retires(&at(&emptied, 1), kg("40"));
    world.admit_all(&[&recall, &smaller, &ended, &eaten]);
    let words = world.anchor(None, 100, 1_790_000_100);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![logged(LINE_A, words)])];
    Tale { name, wish: Wish { shallow, lines, ..Wish::of(part.0, &keeper_a) }, world }
}

/// The farmer registers 30 and sells them.
fn buys(world: &mut crate::world::World, farmer: &mut Signatory, to: &mut Signatory) -> Lot {
    let registered = farmer.registers("30", None);
    let lot = made(&registered).0;
    let offer = farmer.offers(lot, &[registered.id()], "30", false, to);
    let taken = to.accepts_all(lot, &offer, "30");
    let corrected = Any::Array(vec![Any::Integer(31), Any::Integer(0), Any::Text("KGM".into())]);
    let corrected = corrects(farmer, &registered, 6, corrected);
    world.admit_all(&[&registered, &offer, &taken, &corrected]);
    (lot, vec![taken.id()])
}

fn corrects(by: &mut Signatory, target: &SignedEvent, field: u8, value: Any) -> SignedEvent {
    let reason = text("typing error");
    let body = EventCorrected { target: target.id(), reason, replacement: [(field, value)].into() };
    by.attests(made(target).0, &[], Body::EventCorrected(body))
}

/// Apples lie in a cold store while they are sold twice, and a little dries up.
pub fn stored() -> Tale {
    let Village { mut world, mut farmer, mut buyer, mut rival, keeper_a, .. } = village();
    let registered = farmer.registers("100", None);
    let lot = made(&registered).0;
    let both = |main: &SignedEvent, of_title: &SignedEvent| vec![on(lot, main), title(lot, &[of_title.id()])];
    let begins = vec![on(lot, &registered), title(lot, &[])];
    let stored = farmer.offers_by(Moves::Possession, kg("100"), begins, &rival);
    let lost = AcceptedLine { lost: Some(kg("2")), ..received("98") };
    let kept = rival.accepts_by(vec![on(lot, &stored)], &stored, lost);
    let sold = farmer.offers_by(Moves::Title, kg("100"), vec![title(lot, &[stored.id()])], &buyer);
    let bought = buyer.accepts_by(vec![title(lot, &[sold.id()])], &sold, received("100"));
    let graded = rival.grades(lot, &[kept.id()], "B");
    let fetched = rival.offers_by(Moves::Possession, kg("98"), vec![on(lot, &graded)], &buyer);
    let home = buyer.accepts_by(vec![on(lot, &fetched)], &fetched, received("98"));
    let offered = buyer.offers_by(Moves::Both, kg("98"), both(&home, &bought), &farmer);
    let refused = AcceptedLine { received: kg("0"), rejected: Some(kg("98")), lost: None, reason: None };
    let back = farmer.accepts_by(both(&offered, &offered), &offered, refused);
    let again = buyer.offers_by(Moves::Title, kg("98"), vec![title(lot, &[back.id()])], &farmer);
    world.admit_all(&[&registered, &stored, &kept, &sold, &bought, &graded, &fetched, &home, &offered, &back, &again]);
    let words = world.anchor(None, 100, 1_790_000_100);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![logged(LINE_A, words)])];
    Tale { name: "stored", wish: Wish { lines, ..Wish::of(lot, &keeper_a) }, world }
}

fn on(lot: SubjectId, prev: &SignedEvent) -> provenance::payload::Touch {
    touch(lot, &[prev.id()])
}
