//! Conflict proofs: what is made of conflicts, and that nothing else proves one.

use crate::archive::{Archive, Became};
use crate::bundles::golden as golden_bytes;
use crate::mutants;
use crate::story::*;
use crate::tree::Tree;
use ed25519_dalek::Signer;
use minicbor::bytes::ByteArray;
use proptest::prelude::*;
use provenance::admission::{Ancestry, Judged};
use provenance::body::*;
use provenance::cbor::Any;
use provenance::conflict::{
    Claim, ConflictError, ConflictKind, ConflictProof, Gathered, MAX_PROOF_BYTES, Shown, journal_fork, lane_conflict,
    prove, verify,
};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, SubjectId};
use provenance::payload::Lane;
use provenance::verification::Overall;
use std::sync::Arc;

/// Some people, a lot of 100 kg that the farmer holds, and what is known of both.
struct Scene {
    cast: Cast,
    archive: Archive,
    lot: SubjectId,
    registered: EventId,
    /// The last event of the farmer's own lane.
    farmer_tip: EventId,
}

impl Scene {
    fn begin() -> Self {
        let mut cast = cast();
        let registered = cast.farmer.registers("100", None);
        let mut scene = Self {
            archive: Archive::new(network()),
            lot: registered.subject(0).unwrap(),
            registered: registered.id(),
            farmer_tip: cast.farmer.key_event,
            cast,
        };
        let events = scene.cast.events.clone();
        scene.admit(&events.iter().collect::<Vec<_>>());
        scene.admit(&[&registered]);
        scene
    }

    fn admit(&mut self, events: &[&SignedEvent]) {
        for event in events {
            assert_eq!(self.archive.take((*event).clone()), Became::Admitted, "{:?}", event.payload().body);
        }
    }

    fn judged(&self, event: &SignedEvent) -> Arc<Judged> {
        self.archive.judged(&event.id()).unwrap().unwrap()
    }

    /// What a node makes of the lot as it stands.
    fn conflict(&self) -> Option<Gathered> {
        let counted = self.archive.lot(&self.lot).unwrap();
        let in_conflict: Vec<EventId> = counted.in_conflict.into_iter().collect();
        lane_conflict(&network(), (self.lot, Lane::Main), &in_conflict, &self.archive).unwrap()
    }

    fn fork(&self, one: &SignedEvent, other: &SignedEvent) -> Option<Gathered> {
        journal_fork(&network(), [&self.judged(one), &self.judged(other)], &self.archive).unwrap()
    }

    /// The farmer on another device, with a key of its own.
    fn second_key(&mut self, seed: u8) -> Signatory {
        let farmer = &mut self.cast.farmer;
        let new = key(seed);
        let mut body = KeyAdded {
            key: public(&new),
            custody: Custody::Own,
            name: None,
            countersignature: ByteArray::from([0; 64]),
        };
        let bytes = body.countersigned_bytes(&farmer.network, &farmer.actor);
        body.countersignature = ByteArray::from(new.sign(&bytes).to_bytes());
        let added = farmer.says(vec![touch(farmer.actor, &[self.farmer_tip])], &[], Body::ActorKeyAdded(body));
        let second = Signatory { key: new, key_event: added.id(), journal: added.id(), ..farmer.clone() };
        self.farmer_tip = added.id();
        self.admit(&[&added]);
        second
    }
}

/// What both offers of the farmer are when a copy of the key makes one of them.
fn offered_twice(parting: usize) -> (Scene, [SignedEvent; 2]) {
    let mut scene = Scene::begin();
    let mut twin = scene.cast.farmer.clone();
    twin.time_ms += 500;
    let (lot, prev) = (scene.lot, [scene.registered]);
    for at in 0..parting {
        let besides = [&mut scene.cast.farmer, &mut twin].map(|signer| signer.registers(&(at + 1).to_string(), None));
        scene.admit(&besides.iter().collect::<Vec<_>>());
    }
    let part = scene.cast.farmer.offers(lot, &prev, "60", true, &scene.cast.buyer);
    let whole = twin.offers(lot, &prev, "100", false, &scene.cast.rival);
    scene.admit(&[&part, &whole]);
    (scene, [part, whole])
}

/// Three devices of the farmer each draw 40 of 100.
fn drawn_thrice() -> (Scene, Vec<SignedEvent>) {
    let mut scene = Scene::begin();
    let devices = [scene.second_key(31), scene.second_key(32)];
    let mut signers = vec![scene.cast.farmer.clone()];
    signers.extend(devices);
    let enrolment = scene.cast.farmer.key_event;
    let draws: Vec<SignedEvent> = signers
        .iter_mut()
        .map(|signer| {
            let template = signer.clone().offers(scene.lot, &[scene.registered], "40", true, &scene.cast.buyer);
            let mut payload = template.payload().clone();
            payload.basis.push(enrolment);
            payload.basis.sort_unstable();
            payload.basis.dedup();
            signer.sign(payload)
        })
        .collect();
    scene.admit(&draws.iter().collect::<Vec<_>>());
    (scene, draws)
}

/// A farmer registers twice on one link, and what a void event makes of it.
fn forked(void: bool) -> (Scene, Gathered) {
    let mut scene = Scene::begin();
    let mut twin = scene.cast.farmer.clone();
    let one = scene.cast.farmer.registers("7", None);
    scene.admit(&[&one]);
    let other = twin.registers(if void { "0" } else { "8" }, None);
    let became = scene.archive.take(other.clone());
    assert_eq!(matches!(became, Became::Void(_)), void);
    let gathered = scene.fork(&one, &other).unwrap();
    (scene, gathered)
}

/// One file of each shape, for this verifier and the other.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let founder = {
        let mut scene = Scene::begin();
        let mut twin = scene.cast.founder.clone();
        let (one, other) = (scene.cast.founder.registers_place(), twin.registers("1", None));
        scene.admit(&[&one, &other]);
        scene.fork(&one, &other).unwrap()
    };
    vec![
        ("double_offer", offered_twice(0).0.conflict().unwrap().bytes),
        ("double_offer_later", offered_twice(2).0.conflict().unwrap().bytes),
        ("triple_draw", drawn_thrice().0.conflict().unwrap().bytes),
        ("crossing", crossing().0.conflict().unwrap().bytes),
        ("fork", forked(false).1.bytes),
        ("fork_void", forked(true).1.bytes),
        ("fork_founder", founder.bytes),
    ]
}

/// The farmer takes an offer back and makes another, while the buyer accepts the first.
fn crossing() -> (Scene, [SignedEvent; 2]) {
    let mut scene = Scene::begin();
    let lot = scene.lot;
    let offer = scene.cast.farmer.offers(lot, &[scene.registered], "100", false, &scene.cast.buyer);
    let accepted = scene.cast.buyer.accepts_all(lot, &offer, "100");
    let cancelled = scene.cast.farmer.cancels(lot, &offer);
    let anew = scene.cast.farmer.offers(lot, &[cancelled.id()], "100", false, &scene.cast.rival);
    scene.admit(&[&offer, &accepted, &cancelled, &anew]);
    (scene, [accepted, anew])
}

fn ids(events: &[SignedEvent]) -> Vec<EventId> {
    let mut ids: Vec<EventId> = events.iter().map(SignedEvent::id).collect();
    ids.sort_unstable();
    ids
}

fn shown(bytes: &[u8]) -> Shown {
    prove(bytes, Some(network().id())).unwrap()
}

#[test]
fn a_lot_offered_twice_is_proved_by_the_two_offers() {
    let (mut scene, offers) = offered_twice(0);
    let gathered = scene.conflict().unwrap();
    let found = shown(&gathered.bytes);
    assert_eq!(found.conflict, ConflictKind::LaneConflict);
    assert_eq!(found.lane, Some((scene.lot, Lane::Main)));
    assert_eq!(found.actor, Some(scene.cast.farmer.actor));
    assert_eq!(found.events.iter().map(|event| event.id).collect::<Vec<_>>(), ids(&offers));
    // Whoever accepts is accused of nothing, and the proof stays the same.
    let accepted = scene.cast.rival.accepts_all(scene.lot, &offers[1], "100");
    scene.admit(&[&accepted]);
    assert_eq!(scene.conflict(), Some(gathered));
}

#[test]
fn journals_are_followed_to_where_they_part() {
    for (parting, expected) in [(0, 0), (1, 2), (3, 6)] {
        let (scene, _) = offered_twice(parting);
        let gathered = scene.conflict().unwrap();
        let Claim::LaneConflict { journals, .. } = &gathered.proof.claim else { panic!("it is of a lane") };
        assert_eq!(journals.len(), expected);
        shown(&gathered.bytes);
    }
}

#[test]
fn three_draws_that_exceed_the_balance_are_needed_all() {
    let (scene, draws) = drawn_thrice();
    let gathered = scene.conflict().unwrap();
    let found = shown(&gathered.bytes);
    assert_eq!(found.events.iter().map(|event| event.id).collect::<Vec<_>>(), ids(&draws));
    assert_eq!(found.actor, Some(scene.cast.farmer.actor));
}

#[test]
fn what_several_did_accuses_nobody() {
    let (scene, events) = crossing();
    let found = shown(&scene.conflict().unwrap().bytes);
    assert_eq!(found.events.iter().map(|event| event.id).collect::<Vec<_>>(), ids(&events));
    assert_eq!(found.actor, None);
}

#[test]
fn a_fork_is_proved_by_void_events_too() {
    for void in [false, true] {
        let (scene, gathered) = forked(void);
        let found = shown(&gathered.bytes);
        assert_eq!((found.conflict, found.actor), (ConflictKind::JournalFork, Some(scene.cast.farmer.actor)));
        assert_eq!((found.link, found.lane), (Some(scene.registered), None));
    }
}

#[test]
fn events_without_rules_prove_a_fork() {
    let mut scene = Scene::begin();
    let farmer = &mut scene.cast.farmer;
    let mut unknown = || {
        let mut twin = farmer.clone();
        twin.time_ms += 1;
        farmer.time_ms += 1;
        twin.says(vec![new_subject()], &[], Body::Unknown { kind: 60_000, body: Any::Null })
    };
    let mut events = [unknown(), unknown()];
    events.sort_by_key(SignedEvent::id);
    let (_, Gathered { mut proof, .. }) = forked(false);
    let Claim::JournalFork { events: rivals, .. } = &mut proof.claim else { panic!("it is a fork") };
    *rivals = events.map(|event| event.bytes().to_vec());
    let found = shown(&proof.to_vec());
    assert!(found.events.iter().all(|event| event.kind == "unknown"));
}

#[test]
fn what_can_stand_is_no_conflict() {
    let mut scene = Scene::begin();
    let lot = scene.lot;
    let mut second = scene.second_key(31);
    let mut draws = Vec::new();
    for signer in [&mut scene.cast.farmer, &mut second] {
        let template = signer.clone().offers(lot, &[scene.registered], "40", true, &scene.cast.buyer);
        let mut payload = template.payload().clone();
        payload.basis.push(scene.cast.events[0].id());
        payload.basis.sort_unstable();
        payload.basis.dedup();
        draws.push(signer.sign(payload));
    }
    scene.admit(&draws.iter().collect::<Vec<_>>());
    let conflict = lane_conflict(&network(), (lot, Lane::Main), &ids(&draws), &scene.archive).unwrap();
    assert_eq!(conflict, None);
}

fn refused(proof: &ConflictProof) -> ConflictError {
    prove(&proof.to_vec(), None).unwrap_err()
}

/// Changes the events that a claim names, and those of journals.
fn change(proof: &mut ConflictProof, with: impl FnOnce(&mut Vec<EventId>, &mut Vec<Vec<u8>>)) {
    let Claim::LaneConflict { tips, journals, .. } = &mut proof.claim else { panic!("it is of a lane") };
    with(tips, journals);
    tips.sort_unstable();
    journals.sort_by_key(|event| EventId::of(event));
}

/// Adds an event and puts all in their order by depth and id.
fn with_event(proof: &mut ConflictProof, event: &SignedEvent) {
    proof.events.push(event.bytes().to_vec());
    let decoded: Vec<SignedEvent> =
        proof.events.iter().map(|bytes| SignedEvent::decode(bytes.clone()).unwrap()).collect();
    let depth_of = |id: EventId| {
        fn depth(id: EventId, all: &[SignedEvent]) -> usize {
            let Some(event) = all.iter().find(|event| event.id() == id) else { return 0 };
            1 + event.payload().rests_on().map(|below| depth(below, all)).max().unwrap_or(0)
        }
        depth(id, &decoded)
    };
    let mut sorted = decoded.clone();
    sorted.sort_by_key(|event| (depth_of(event.id()), event.id()));
    proof.events = sorted.iter().map(|event| event.bytes().to_vec()).collect();
}

/// The later of two offers in one journal is void: nobody is accused by it.
#[test]
fn a_void_event_proves_no_conflict_of_a_lane() {
    let mut scene = Scene::begin();
    let (lot, prev) = (scene.lot, [scene.registered]);
    let part = scene.cast.farmer.offers(lot, &prev, "60", true, &scene.cast.buyer);
    let whole = scene.cast.farmer.offers(lot, &prev, "100", false, &scene.cast.rival);
    scene.admit(&[&part]);
    assert!(matches!(scene.archive.take(whole.clone()), Became::Void(_)));
    assert_eq!(
        lane_conflict(&network(), (lot, Lane::Main), &ids(&[part.clone(), whole.clone()]), &scene.archive).unwrap(),
        None
    );
    // Even where somebody makes the file by hand: one is signed after the other in one journal.
    let mut proof = offered_twice(0).0.conflict().unwrap().proof;
    let void = [part, whole];
    let Claim::LaneConflict { tips, .. } = &proof.claim else { panic!("it is of a lane") };
    let tips = tips.clone();
    proof.events.retain(|event| !tips.contains(&EventId::of(event)));
    for event in &void {
        with_event(&mut proof, event);
    }
    change(&mut proof, |tips, _| *tips = ids(&void));
    assert!(matches!(refused(&proof), ConflictError::OneJournal(_)));
}

/// Files that prove nothing, each with the reason and the event that it concerns.
pub fn wrong() -> Vec<(&'static str, Option<EventId>, ConflictProof)> {
    [wrong_lanes(), wrong_forks()].concat()
}

fn wrong_lanes() -> Vec<(&'static str, Option<EventId>, ConflictProof)> {
    let (mut scene, offers) = offered_twice(2);
    let whole = scene.conflict().unwrap().proof;
    let with = |edit: &dyn Fn(&mut ConflictProof)| {
        let mut proof = whole.clone();
        edit(&mut proof);
        proof
    };
    let (unknown, registered) = (EventId::from_bytes([7; 32]), scene.registered);
    let nowhere = |proof: &mut ConflictProof| {
        let Claim::LaneConflict { subject, .. } = &mut proof.claim else { panic!("it is of a lane") };
        *subject = SubjectId::from_bytes([7; 32]);
    };
    let title = |proof: &mut ConflictProof| {
        let Claim::LaneConflict { lane, .. } = &mut proof.claim else { panic!("it is of a lane") };
        *lane = Lane::Title;
    };
    let later = offers.iter().max_by_key(|offer| offer.id()).unwrap().id();
    let swapped = EventId::of(&whole.events[0]);
    let missing = whole.events.iter().find(|event| {
        let event = SignedEvent::decode((*event).clone()).unwrap();
        event.payload().rests_on().any(|below| below == swapped)
    });
    let enrolled = whole.events[0].clone();
    let place = scene.cast.founder.registers_place();
    // Who accepts an offer is not accused where the offer alone is in conflict.
    let accepted = scene.cast.rival.accepts_all(scene.lot, &offers[1], "100");
    let accuses_acceptance = |proof: &mut ConflictProof| {
        with_event(proof, &accepted);
        change(proof, |tips, _| *tips = ids(&[offers[0].clone(), accepted.clone()]));
    };
    let mut thrice = drawn_thrice().0.conflict().unwrap().proof;
    change(&mut thrice, |tips, _| tips.truncate(2));
    let mut wrong = vec![
        ("unknown_event", Some(unknown), with(&|proof| change(proof, |tips, _| tips[0] = unknown))),
        ("other_lane", Some(ids(&offers)[0]), with(&nowhere)),
        ("other_lane", Some(ids(&offers)[0]), with(&title)),
        ("reducible", Some(registered), with(&|proof| change(proof, |tips, _| tips.push(registered)))),
        ("one_journal", Some(later), with(&|proof| change(proof, |_, journals| drop(journals.pop())))),
        ("event_order", Some(swapped), with(&|proof| proof.events.swap(0, 1))),
        ("missing_ancestor", missing.map(|event| EventId::of(event)), with(&|proof| drop(proof.events.remove(0)))),
        ("repeated_event", Some(swapped), with(&|proof| change(proof, |_, journals| journals.push(enrolled.clone())))),
        ("extra_event", Some(place.id()), with(&|proof| with_event(proof, &place))),
        (
            "extra_event",
            Some(place.id()),
            with(&|proof| change(proof, |_, journals| journals.push(place.bytes().to_vec()))),
        ),
        ("reducible", Some(accepted.id()), with(&accuses_acceptance)),
        ("no_conflict", None, thrice),
    ];
    let void = [
        scene.cast.farmer.clone().offers(scene.lot, &[registered], "101", true, &scene.cast.buyer),
        scene.cast.buyer.clone().offers(scene.lot, &[registered], "1", true, &scene.cast.rival),
    ];
    for (rule, void) in ["balance", "not_holder"].into_iter().zip(void) {
        let proof = with(&|proof| {
            with_event(proof, &void);
            change(proof, |tips, _| tips[0] = void.id());
        });
        wrong.push((rule, Some(void.id()), proof));
    }
    wrong
}

fn wrong_forks() -> Vec<(&'static str, Option<EventId>, ConflictProof)> {
    let (mut scene, Gathered { proof, .. }) = forked(false);
    let with = |key_event: EventId, one: &SignedEvent, other: &SignedEvent| {
        let mut events = [one.clone(), other.clone()];
        events.sort_by_key(SignedEvent::id);
        let claim = Claim::JournalFork { key_event, events: events.map(|event| event.bytes().to_vec()) };
        ConflictProof { claim, ..proof.clone() }
    };
    let mut twin = scene.cast.farmer.clone();
    let (one, later) = (twin.registers("1", None), twin.registers("2", None));
    let (foreign, other) = (scene.cast.founder.registers_place(), scene.cast.farmer.registers("3", None));
    let [farmer, buyer] = [&scene.cast.farmer, &scene.cast.buyer].map(|signer| signer.key_event);
    let nobody = network().id().as_event();
    let second = |a: &SignedEvent, b: &SignedEvent| Some(a.id().max(b.id()));
    let mut other_key = with(buyer, &one, &other);
    other_key.events = vec![scene.cast.events[1].bytes().to_vec()];
    let mut more = with(farmer, &one, &other);
    with_event(&mut more, &scene.cast.events[2]);
    let extra = scene.cast.events[2].id();
    let twice = with(farmer, &one, &one);
    vec![
        ("other_link", second(&one, &later), with(farmer, &one, &later)),
        ("other_key", second(&one, &foreign), with(farmer, &one, &foreign)),
        ("unknown_event", Some(buyer), with(buyer, &one, &other)),
        ("key_of_nobody", Some(nobody), with(nobody, &one, &other)),
        ("key_of_nobody", Some(buyer), other_key),
        ("extra_event", Some(extra), more),
        ("not_a_conflict_proof", None, twice),
    ]
}

#[test]
fn files_that_prove_nothing_say_why() {
    for (code, event, proof) in wrong() {
        let error = refused(&proof);
        assert_eq!((error.code(), error.event()), (code, event), "{error}");
    }
}

#[test]
fn only_conflict_proofs_of_this_network_and_version_are_taken() {
    let (_, Gathered { bytes, .. }) = forked(false);
    let expected = NetworkId::from_bytes([1; 32]);
    let found = network().id();
    assert_eq!(prove(&bytes, Some(expected)), Err(ConflictError::OtherNetwork { found, expected }));
    assert!(ConflictProof::is_one(&bytes));
    let mut newer = bytes.clone();
    newer[18] = b'2';
    assert_eq!(prove(&newer, None), Err(ConflictError::NewerVersion(2)));
    assert!(ConflictProof::is_one(&newer));
    for bundle in [&b"\xa8\x01\x01\x02"[..], b"", b"\x84", b"\x84\x71furrow/conflict/", b"\x84\x72furrow/conflict/01"] {
        assert!(!ConflictProof::is_one(bundle));
        assert!(matches!(prove(bundle, None), Err(ConflictError::Malformed(_))));
    }
    let large = [bytes, vec![0; MAX_PROOF_BYTES]].concat();
    assert!(matches!(prove(&large, None), Err(ConflictError::Malformed(_))));
}

#[test]
fn golden_conflict_proofs_and_their_verdicts() {
    let cddl = include_str!("../../../docs/conflict.cddl");
    for (name, bytes) in all() {
        golden_bytes(&format!("{name}.conflict"), &bytes);
        let verdict = verify(&bytes, None);
        assert_eq!(verdict.verdict, Overall::Valid, "{name}: {verdict:?}");
        let text = serde_json::to_string_pretty(&verdict).unwrap();
        golden_bytes(&format!("{name}.conflict.json"), format!("{text}\n").as_bytes());
        assert_eq!(ConflictProof::decode(&bytes).unwrap().to_vec(), bytes, "{name}");
        cddl_cat::validate_cbor_bytes("conflict-proof", cddl, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// There is no byte that could be otherwise.
#[test]
fn every_changed_byte_is_refused() {
    for (name, bytes) in all() {
        // In one file of each sort every byte, in the others here and there.
        let step = if ["double_offer", "fork_founder"].contains(&name) { 1 } else { 23 };
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert_eq!(verify(&changed, None).verdict, Overall::Invalid, "{name}, byte {at}");
        }
    }
}

#[test]
fn every_changed_part_is_refused() {
    for (name, bytes) in all() {
        for (change, mutant) in mutants::of(&Tree::parse(&bytes)).into_iter().step_by(3) {
            let changed = mutant.to_vec();
            assert!(changed == bytes || verify(&changed, None).verdict == Overall::Invalid, "{name}: {change}");
        }
    }
}

proptest! {
    /// Whatever the bytes are, there is a verdict.
    #[test]
    fn hostile_bytes_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..400), begin in any::<bool>()) {
        if begin {
            bytes.splice(0..0, b"\x84\x71furrow/conflict/1".iter().copied());
        }
        prop_assert_eq!(verify(&bytes, None).verdict, Overall::Invalid);
    }

    /// The order in which events came decides nothing.
    #[test]
    fn every_node_makes_the_same_file(seed in any::<u64>()) {
        let (scene, _) = offered_twice(2);
        let mut events: Vec<SignedEvent> = scene.archive.judgements().keys().map(|id| {
            scene.archive.judged(id).unwrap().unwrap().event.clone()
        }).collect();
        let mut state = seed | 1;
        events.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state
        });
        let mut other = Scene { archive: Archive::new(network()), ..offered_twice(2).0 };
        for event in events {
            other.archive.take(event);
        }
        prop_assert_eq!(other.conflict(), scene.conflict());
    }
}
