//! Honest histories, each with a bundle of one of its lots.

use crate::chain::Scene;
use crate::goods;
use crate::maker::{Keeper, Wish, make};
use crate::story::*;
use crate::world::World;
use ed25519_dalek::{Signer, SigningKey};
use minicbor::bytes::ByteArray;
use provenance::body::*;
use provenance::bundle::{Anchor, AnchorLine, Bundle, OpenedField};
use provenance::cbor::{self, Any};
use provenance::event::SignedEvent;
use provenance::evidence::{AnchorWords, Line};
use provenance::id::{EventId, SubjectId};
use provenance::payload::{After, Lane, Payload, Touch};
use provenance::seal::{Commitment, Opening, Sealable, SealedField};
use provenance::value::*;

/// A history and what a bundle is to show of it.
pub struct Tale {
    pub name: &'static str,
    pub world: World,
    pub wish: Wish,
}

impl Tale {
    pub fn bundle(&self) -> Bundle {
        make(&self.world, &self.wish)
    }
}

/// Each of them once.
pub fn all() -> Vec<Tale> {
    vec![
        simple(),
        rich("rich", false),
        rich("shallow", true),
        conflict("disputed", false),
        conflict("settled", true),
        closed(),
        clocks(),
        unanchored(),
        goods::pressed("pressed", false),
        goods::pressed("pressed_shallow", true),
        goods::stored(),
    ]
}

/// Where the nodes of these tales anchor.
pub const LINE_A: Line = Line { contract: [0xc0; 20], sender: [0xa0; 20] };
const LINE_A_LATER: Line = Line { contract: [0xc1; 20], sender: [0xa1; 20] };
const LINE_B: Line = Line { contract: [0xc0; 20], sender: [0xb0; 20] };

/// A network in which two nodes run, and a farmer and two buyers trade.
pub struct Village {
    pub world: World,
    pub founder: Signatory,
    pub farmer: Signatory,
    pub buyer: Signatory,
    pub rival: Signatory,
    pub node_a: Signatory,
    pub keeper_a: Keeper,
    pub keeper_b: Keeper,
}

pub fn village() -> Village {
    let mut world = World::new(network());
    let Cast { mut founder, farmer, buyer, rival, events } = cast();
    world.admit_all(&events.iter().collect::<Vec<_>>());
    let (event, node_a, keeper_a) = enrols_keeper(&mut founder, 50, Some((1, LINE_A)));
    world.admit(&event);
    let (event, _, keeper_b) = enrols_keeper(&mut founder, 51, Some((1, LINE_B)));
    world.admit(&event);
    Village { world, founder, farmer, buyer, rival, node_a, keeper_a, keeper_b }
}

/// Enrols a node whose log key is that of `seed + 100`.
pub fn enrols_keeper(by: &mut Signatory, seed: u8, anchors: Option<(u64, Line)>) -> (SignedEvent, Signatory, Keeper) {
    let new = key(seed);
    let body =
        ActorEnrolled { node: Some(node_details(seed, anchors)), ..by.enrolment(&new, vec![Role::Node], vec![]) };
    let event = enrols_with(by, body, &new);
    let signatory = signatory_of(by, &event, new);
    let keeper = Keeper { actor: signatory.actor, log: key(seed + 100) };
    (event, signatory, keeper)
}

pub fn node_details(seed: u8, anchors: Option<(u64, Line)>) -> NodeDetails {
    let anchoring =
        anchors.map(|(chain_id, line)| AnchoringDetails { chain_id, contract: line.contract, sender: line.sender });
    NodeDetails { log_key: public(&key(seed + 100)), peer_id: Text::new("12D3KooW").unwrap(), anchoring }
}

/// Enrols with a body whose countersignature is made here.
pub fn enrols_with(by: &mut Signatory, mut body: ActorEnrolled, new: &SigningKey) -> SignedEvent {
    let bytes = body.countersigned_bytes(&by.network, &by.actor);
    body.countersignature = ByteArray::from(new.sign(&bytes).to_bytes());
    by.says(vec![new_subject()], &[], Body::ActorEnrolled(body))
}

fn signatory_of(by: &Signatory, event: &SignedEvent, key: SigningKey) -> Signatory {
    let actor = event.subject(0).unwrap();
    Signatory { key, actor, key_event: event.id(), journal: event.id(), network: by.network, time_ms: by.time_ms }
}

/// What `by` commits to in its next event, and what opens it once that event has an id.
pub fn seal(by: &Signatory, path: &[u8], value: Vec<u8>) -> (Commitment, OpenedField) {
    let opening = Opening { salt: [path[0]; 16], value };
    let field = SealedField { signer: &public(&by.key), journal: &by.journal, path };
    let commitment = opening.commitment(field);
    let event = EventId::from_bytes([0; 32]);
    (commitment, OpenedField { event, path: path.to_vec(), salt: opening.salt, value: opening.value })
}

fn euros(minor: i128) -> Price {
    let money = Money::new(minor, Currency::new("EUR").unwrap()).unwrap();
    Price { money, per: Some(Unit::new("KGM").unwrap()) }
}

/// The event once more, changed before it is signed.
pub fn altered(by: &mut Signatory, template: &SignedEvent, change: impl FnOnce(&mut Payload)) -> SignedEvent {
    let mut payload = template.payload().clone();
    change(&mut payload);
    payload.basis.sort_unstable();
    payload.basis.dedup();
    by.sign(payload)
}

pub fn line(node: SubjectId, chain_id: u64, line: Line, anchors: Vec<Anchor>) -> AnchorLine {
    AnchorLine { node, chain_id, line, anchors }
}

/// An anchor that rests on the next of its line.
pub fn linked(words: AnchorWords) -> Anchor {
    Anchor { words, consistency: None, evidence: None }
}

pub fn stored(line: Line, words: AnchorWords) -> Anchor {
    Anchor { evidence: Some(Scene::of(line, &words).evidence().0), ..linked(words) }
}

pub fn logged(line: Line, words: AnchorWords) -> Anchor {
    Anchor { evidence: Some(Scene::of(line, &words).evidence().1), ..linked(words) }
}

/// A lot is registered, graded and sold whole; one node, one anchor.
pub fn simple() -> Tale {
    let Village { mut world, mut farmer, mut buyer, keeper_a, keeper_b, .. } = village();
    let lot_event = farmer.registers("1000", None);
    let lot = lot_event.subject(0).unwrap();
    let graded = farmer.grades(lot, &[lot_event.id()], "B");
    let offer = farmer.offers(lot, &[graded.id()], "1000", false, &buyer);
    let accepted = buyer.accepts_all(lot, &offer, "1000");
    world.admit_all(&[&lot_event, &graded, &offer, &accepted]);
    let words = world.anchor(None, 100, 1_790_000_100);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![stored(LINE_A, words)])];
    let cosigners = vec![(keeper_b, 1_790_000_120)];
    Tale { name: "simple", wish: Wish { cosigners, lines, ..Wish::of(lot, &keeper_a) }, world }
}

/// An anchor of a log that no bundle shows.
fn words_of_b() -> AnchorWords {
    AnchorWords {
        previous: [0xbb; 32],
        number: 90,
        timestamp_s: 1_789_999_000,
        size: 7,
        log_root: [0xb1; 32],
        state_root: [0xb2; 32],
    }
}

/// Everything that a history can have: parts of parts, sealed fields, corrections, several lines of anchors.
pub fn rich(name: &'static str, shallow: bool) -> Tale {
    let Village { mut world, mut founder, mut buyer, mut rival, mut node_a, keeper_a, keeper_b, .. } = village();
    let mut openings = Vec::new();
    let mut open = |mut opened: OpenedField, event: &SignedEvent| {
        opened.event = event.id();
        openings.push(opened);
    };
    let (event, _, keeper_c) = enrols_keeper(&mut founder, 52, None);
    world.admit(&event);
    let (event, mut cooperative) = founder.enrols(20, vec![Role::Cooperative], vec![Role::Farmer]);
    world.admit(&event);

    // A member whose name is sealed, and for whom the cooperative records.
    let member_key = key(21);
    let mut body = cooperative.enrolment(&member_key, vec![Role::Farmer], vec![]);
    let (commitment, opened) = seal(&cooperative, &[6], cbor::to_vec(&Text::<128>::new("Lea Martin").unwrap()));
    body.personal_name = Some(Sealable::Sealed(commitment));
    let member_event = enrols_with(&mut cooperative, body, &member_key);
    open(opened, &member_event);
    let mut member = signatory_of(&cooperative, &member_event, member_key);
    let place = cooperative.registers_place();
    world.admit_all(&[&member_event, &place]);
    let template = cooperative.clone().registers("1000", Some(&place));
    let (price, opened) = seal(&cooperative, &[11], cbor::to_vec(&euros(95)));
    let lot_event = altered(&mut cooperative, &template, |payload| {
        payload.on_behalf_of = Some(member.actor);
        payload.basis.push(member.key_event);
        let Body::ProduceRegistered(body) = &mut payload.body else { unreachable!("it registers") };
        body.price = Some(Sealable::Sealed(price));
    });
    open(opened, &lot_event);
    let lot = lot_event.subject(0).unwrap();
    world.admit(&lot_event);
    let first = world.anchor(None, 100, 1_790_000_100);
    let of_b = words_of_b();

    let template = member.clone().grades(lot, &[lot_event.id()], "Premium");
    let after = After { chain_id: 1, commitment: of_b.commitment() };
    let graded = altered(&mut member, &template, |payload| payload.after = Some(after));
    world.admit(&graded);
    let template = member.clone().offers(lot, &[graded.id()], "300.5", true, &buyer);
    let (price, opened) = seal(&member, &[8], cbor::to_vec(&euros(1 << 70)));
    let offer = altered(&mut member, &template, |payload| {
        let Body::TransferOffered(body) = &mut payload.body else { unreachable!("it offers") };
        body.price = Some(Sealable::Sealed(price));
        body.expires = Some(Timestamp::new(1_790_000_000_000).unwrap());
        body.temperature = Some(TemperatureLimits { min_centicelsius: -100, max_centicelsius: 400 });
    });
    open(opened, &offer);
    let part = offer.subject(1).unwrap();
    let other_part = member.offers(lot, &[offer.id()], "100", true, &rival);
    let answer = AcceptedLine {
        received: kg("250.5"),
        rejected: Some(kg("40")),
        lost: Some(kg("10")),
        reason: Some(Text::new("bruised").unwrap()),
    };
    let accepted = buyer.accepts(part, &offer, answer);
    let rejected = accepted.subject(1).unwrap();
    world.admit_all(&[&offer, &other_part, &accepted]);

    // The founder corrects what the cooperative wrote, and seals another price.
    let (price, opened) = seal(&founder, &[3, 11], cbor::to_vec(&euros(90)));
    let correction = EventCorrected {
        target: lot_event.id(),
        reason: Text::new("typing error").unwrap(),
        replacement: [(3, Any::Text("Gala".into())), (11, Any::Bytes(price.as_bytes().to_vec()))].into(),
    };
    let touches = vec![Touch { subject: Some(lot), lane: Lane::Attester(founder.actor), prev: vec![] }];
    let corrected = founder.says(touches, &[], Body::EventCorrected(correction));
    open(opened, &corrected);
    world.admit(&corrected);
    let second = world.anchor(Some(&first), 110, 1_790_000_110);

    // The node moves to another chain.
    let update = ActorUpdated {
        display_name: Some(Text::new("node A").unwrap()),
        gln: None,
        gs1_prefixes: None,
        node: Some(node_details(50, Some((10, LINE_A_LATER)))),
    };
    let updated = node_a.says(vec![touch(node_a.actor, &[node_a.key_event])], &[], Body::ActorUpdated(update));
    let sold = member.offers(rejected, &[accepted.id()], "40", false, &rival);
    let bought = rival.accepts_all(rejected, &sold, "40");
    world.admit_all(&[&updated, &sold, &bought]);
    let third = world.anchor(None, 5_000, 1_790_000_120);
    let moved = ProduceMoved { place: place.subject(0).unwrap() };
    let moved = rival.says(vec![touch(rejected, &[bought.id()])], &[place.id()], Body::ProduceMoved(moved));
    let template = rival.clone().grades(rejected, &[moved.id()], "C");
    let after = After { chain_id: 10, commitment: third.commitment() };
    let downgraded = altered(&mut rival, &template, |payload| payload.after = Some(after));
    world.admit_all(&[&moved, &downgraded]);

    let lines = vec![
        line(keeper_a.actor, 1, LINE_A, vec![linked(first), stored(LINE_A, second)]),
        line(keeper_a.actor, 10, LINE_A_LATER, vec![logged(LINE_A_LATER, third)]),
        line(keeper_b.actor, 1, LINE_B, vec![logged(LINE_B, of_b)]),
    ];
    let cosigners = vec![(keeper_b, 1_790_000_130), (keeper_c, 1_790_000_131)];
    if shallow {
        openings.clear();
    }
    Tale { name, wish: Wish { shallow, cosigners, lines, openings, ..Wish::of(rejected, &keeper_a) }, world }
}

/// A lot of which a part goes to one, and beside it the whole to another.
fn conflict(name: &'static str, settled: bool) -> Tale {
    let Village { mut world, mut farmer, mut buyer, rival, keeper_a, .. } = village();
    let lot_event = farmer.registers("100", None);
    let lot = lot_event.subject(0).unwrap();
    let mut twin = farmer.clone();
    let part = farmer.offers(lot, &[lot_event.id()], "60", true, &buyer);
    let whole = twin.offers(lot, &[lot_event.id()], "100", false, &rival);
    world.admit_all(&[&lot_event, &part, &whole]);
    if settled {
        world.admit(&buyer.accepts_all(part.subject(1).unwrap(), &part, "60"));
    }
    let words = world.anchor(None, 100, 1_790_000_100);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![logged(LINE_A, words)])];
    Tale { name, wish: Wish { lines, ..Wish::of(lot, &keeper_a) }, world }
}

/// A part is sold to somebody outside whose name is sealed, and the rest is used up.
fn closed() -> Tale {
    let Village { mut world, mut farmer, keeper_a, keeper_b, .. } = village();
    let lot_event = farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    let body = TransferOffered {
        lines: vec![OfferedLine { lot, quantity: kg("4") }],
        to: Recipient::OutsideName(Sealable::Open(Text::new("x").unwrap())),
        moves: Moves::Both,
        carrier: None,
        from_place: None,
        to_place: None,
        temperature: None,
        price: None,
        expires: None,
        returns: None,
    };
    let (name, mut opened) = seal(&farmer, &[2, 1], cbor::to_vec(&Text::<128>::new("Market hall").unwrap()));
    let body = TransferOffered { to: Recipient::OutsideName(Sealable::Sealed(name)), ..body };
    let touches = vec![touch(lot, &[lot_event.id()]), new_subject()];
    let out = farmer.says(touches, &[], Body::TransferOffered(Box::new(body)));
    opened.event = out.id();
    let retire = ProduceRetired { quantity: kg("6"), outcome: Outcome::Consumed };
    let retired = farmer.says(vec![touch(lot, &[out.id()])], &[], Body::ProduceRetired(retire));
    world.admit_all(&[&lot_event, &out, &retired]);
    let words = world.anchor(None, 100, 1_790_000_100);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![stored(LINE_A, words)])];
    let cosigners = vec![(keeper_b, 1_790_000_120)];
    let wish = Wish { cosigners, lines, openings: vec![opened], ..Wish::of(lot, &keeper_a) };
    Tale { name: "closed", wish, world }
}

/// Clocks that run wrong, and a price that is none.
fn clocks() -> Tale {
    let Village { mut world, mut farmer, keeper_a, .. } = village();
    farmer.time_ms += 3_600_000;
    let template = farmer.clone().registers("10", None);
    let (price, mut opened) = seal(&farmer, &[11], cbor::to_vec(&Text::<128>::new("cheap").unwrap()));
    let lot_event = altered(&mut farmer, &template, |payload| {
        let Body::ProduceRegistered(body) = &mut payload.body else { unreachable!("it registers") };
        body.price = Some(Sealable::Sealed(price));
    });
    opened.event = lot_event.id();
    let lot = lot_event.subject(0).unwrap();
    world.admit(&lot_event);
    let words = world.anchor(None, 100, 1_790_000_500);
    farmer.time_ms -= 3_600_000;
    let template = farmer.clone().grades(lot, &[lot_event.id()], "B");
    let after = After { chain_id: 1, commitment: words.commitment() };
    let graded = altered(&mut farmer, &template, |payload| payload.after = Some(after));
    world.admit(&graded);
    let lines = vec![line(keeper_a.actor, 1, LINE_A, vec![stored(LINE_A, words)])];
    Tale { name: "clocks", wish: Wish { lines, openings: vec![opened], ..Wish::of(lot, &keeper_a) }, world }
}

/// A log that was never anchored.
fn unanchored() -> Tale {
    let Tale { world, mut wish, .. } = simple();
    wish.lines.clear();
    Tale { name: "unanchored", world, wish }
}

/// A node that anchors on two chains at once.
pub fn ties() -> Tale {
    let Village { mut world, mut farmer, mut node_a, keeper_a, .. } = village();
    let update = ActorUpdated {
        display_name: None,
        gln: None,
        gs1_prefixes: None,
        node: Some(node_details(50, Some((10, LINE_A_LATER)))),
    };
    let updated = node_a.says(vec![touch(node_a.actor, &[node_a.key_event])], &[], Body::ActorUpdated(update));
    let lot_event = farmer.registers("10", None);
    world.admit_all(&[&updated, &lot_event]);
    let on_10 = world.anchor(None, 100, 1_790_000_100);
    let on_1 = world.anchor(None, 200, 1_790_000_100);
    let lines = vec![
        line(keeper_a.actor, 10, LINE_A_LATER, vec![stored(LINE_A_LATER, on_10)]),
        line(keeper_a.actor, 1, LINE_A, vec![logged(LINE_A, on_1)]),
    ];
    let wish = Wish { lines, ..Wish::of(lot_event.subject(0).unwrap(), &keeper_a) };
    Tale { name: "ties", wish, world }
}

/// An offer whose carrier is corrected, with an opening that claims the carrier was sealed.
pub fn carrier_corrected() -> Tale {
    let Village { mut world, mut farmer, buyer, rival, keeper_a, .. } = village();
    let lot_event = farmer.registers("10", None);
    let lot = lot_event.subject(0).unwrap();
    let offer = farmer.offers(lot, &[lot_event.id()], "10", false, &buyer);
    let correction = EventCorrected {
        target: offer.id(),
        reason: Text::new("another carrier").unwrap(),
        replacement: [(4, Any::Bytes(rival.actor.as_bytes().to_vec()))].into(),
    };
    let touches = vec![Touch { subject: Some(lot), lane: Lane::Attester(farmer.actor), prev: vec![] }];
    let corrected = farmer.says(touches, &[rival.key_event], Body::EventCorrected(correction));
    world.admit_all(&[&lot_event, &offer, &corrected]);
    let opening = OpenedField { event: corrected.id(), path: vec![3, 4], salt: [0; 16], value: vec![0] };
    Tale { name: "carrier", wish: Wish { openings: vec![opening], ..Wish::of(lot, &keeper_a) }, world }
}
