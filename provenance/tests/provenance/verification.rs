//! Verdicts: honest bundles are valid, and every way of tampering is named.

use crate::bundles::*;
use crate::story::*;
use proptest::prelude::*;
use provenance::bundle::{AnchorLine, Bundle, BundleError};
use provenance::evidence::Evidence;
use provenance::id::{EventId, SubjectId};
use provenance::merkle::Hash;
use provenance::state_map::{Place, Proof};
use provenance::verification::{CheckResult, Conclusion, Policy, Verdict, verify};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SEASON: LazyLock<Season> = LazyLock::new(season);
static RICH: LazyLock<Bundle> = LazyLock::new(|| SEASON.rich());

/// An auditor who knows the network, wants a cosigner and brought the block hashes of the honest bundle.
fn policy() -> Policy {
    Policy { network: Some(network().id()), wanted_cosigners: 1, cosigners: BTreeSet::new(), blocks: blocks(&RICH) }
}

fn judge(bundle: &Bundle) -> Verdict {
    verify(&bundle.to_vec(), &policy())
}

/// The check that failed, its reason, event and subject.
type Named = (String, &'static str, Option<EventId>, Option<SubjectId>);

fn failure(verdict: &Verdict) -> Option<Named> {
    let line = verdict.checks.iter().find(|line| line.result == CheckResult::Failed)?;
    let check = serde_json::to_value(line.check).unwrap().as_str().unwrap().to_owned();
    Some((check, line.reason.unwrap(), line.event, line.subject))
}

#[track_caller]
fn fails(verdict: &Verdict, check: &str, reason: &str, event: Option<EventId>, subject: Option<SubjectId>) {
    assert_eq!(verdict.conclusion, Conclusion::Invalid, "{verdict:?}");
    assert!(verdict.subject.is_none() && verdict.network.is_none() && verdict.as_of.is_none() && verdict.lot.is_none());
    assert!(verdict.findings.is_empty() && verdict.events.is_empty() && verdict.blocks.is_empty());
    let (found_check, found_reason, found_event, found_subject) = failure(verdict).unwrap();
    assert_eq!((found_check.as_str(), found_reason), (check, reason), "{verdict:?}");
    assert_eq!((found_event, found_subject), (event, subject), "{check} {reason}");
    let failed = verdict.checks.iter().position(|line| line.result == CheckResult::Failed).unwrap();
    assert!(verdict.checks[failed + 1..].iter().all(|line| line.result == CheckResult::Skipped));
}

/// Changes the honest bundle, and says what must be found.
#[track_caller]
fn changed(
    change: impl FnOnce(&mut Bundle),
    check: &str,
    reason: &str,
    event: Option<EventId>,
    subject: Option<SubjectId>,
) {
    let mut bundle = RICH.clone();
    change(&mut bundle);
    fails(&judge(&bundle), check, reason, event, subject);
}

fn event(name: &str) -> EventId {
    SEASON.events[name].id()
}

fn place_of(bundle: &Bundle, id: EventId) -> usize {
    bundle.entries.iter().position(|entry| EventId::of(&entry.event) == id).unwrap()
}

#[test]
fn an_honest_bundle_is_valid() {
    let verdict = judge(&RICH);
    assert_eq!(verdict.conclusion, Conclusion::Valid, "{verdict:?}");
    assert!(verdict.checks.iter().all(|line| line.result == CheckResult::Passed));
    assert_eq!(verdict.subject, Some(SEASON.part));
    let as_of = verdict.as_of.as_ref().unwrap();
    assert_eq!((as_of.node, as_of.size), (SEASON.log.node.actor, SEASON.log.size()));
    assert_eq!(as_of.cosigned_by[0].node, SEASON.cosigner.actor);
    let lot = verdict.lot.as_ref().unwrap();
    assert_eq!((lot.holder, lot.balance, lot.disputed), (SEASON.buyer.actor, kg("250"), false));

    // Between which blocks each event was made.
    let [first, second] = SEASON.log.anchors.as_slice() else { panic!("there are two anchors") };
    let line = |name| verdict.events.iter().find(|line| line.id == event(name)).unwrap();
    assert_eq!(line("registered").before.unwrap().number, first.number);
    assert_eq!(line("graded").after.unwrap().number, first.number);
    assert_eq!(line("graded").before.unwrap().number, second.number);
    assert_eq!(line("offered").after, None);
    let findings: Vec<_> = verdict.findings.iter().map(|finding| finding.finding).collect();
    assert_eq!(findings, ["corrected"]);
    assert!(verdict.events.iter().all(|line| line.id != event("stranger")), "nothing else is in it");
}

#[test]
fn what_the_auditor_did_not_bring_stays_open() {
    let open = |bundle: &Bundle, policy: &Policy| {
        let verdict = verify(&bundle.to_vec(), policy);
        assert_eq!(verdict.conclusion, Conclusion::Incomplete, "{verdict:?}");
        let lines = verdict.checks.iter().filter(|line| line.result == CheckResult::Open);
        (lines.map(|line| line.reason.unwrap()).collect::<Vec<_>>(), verdict.blocks.len())
    };
    assert_eq!(open(&RICH, &Policy::default()), (vec!["block_hash_needed"], 1));
    let mut bare = SEASON.log.bundle(SEASON.lot, &[], vec![], false);
    bare.openings.clear();
    assert_eq!(open(&bare, &Policy::default()), (vec!["not_anchored", "not_anchored"], 0));
}

#[test]
fn the_policy_is_kept() {
    let bytes = RICH.to_vec();
    let other = Policy { network: Some(provenance::id::NetworkId::from_bytes([1; 32])), ..policy() };
    fails(&verify(&bytes, &other), "network", "other_network", None, None);
    let two = Policy { wanted_cosigners: 2, ..policy() };
    fails(&verify(&bytes, &two), "cosignatures", "too_few_cosigners", None, None);
    let others = Policy { cosigners: [SEASON.log.node.actor].into(), ..policy() };
    fails(&verify(&bytes, &others), "cosignatures", "too_few_cosigners", None, None);
    let blocks = Policy { blocks: [[9; 32]].into(), ..policy() };
    fails(&verify(&bytes, &blocks), "chain", "unknown_block", None, Some(SEASON.log.node.actor));
}

#[test]
fn a_bundle_of_every_lot_of_the_season_verifies() {
    for lot in [SEASON.lot, SEASON.part, SEASON.returned, SEASON.stranger] {
        for shallow in [false, true] {
            let mut bundle = SEASON.log.bundle(lot, &[&SEASON.cosigner], vec![SEASON.line()], shallow);
            if shallow && bundle.left_out.as_ref().is_some_and(Vec::is_empty) {
                // A lot that was registered has no parent to leave out.
                bundle.left_out = None;
            }
            SEASON.open(&mut bundle);
            let verdict = judge(&bundle);
            assert_eq!(verdict.conclusion, Conclusion::Valid, "{lot} {shallow} {verdict:?}");
        }
    }
}

#[test]
fn what_leaves_the_parents_out_says_which() {
    let bundle = SEASON.log.bundle(SEASON.returned, &[&SEASON.cosigner], vec![SEASON.line()], true);
    assert_eq!(bundle.left_out, Some(vec![SEASON.part]));
    let verdict = judge(&bundle);
    assert!(
        verdict.findings.iter().any(|finding| finding.finding == "left_out" && finding.subject == Some(SEASON.part))
    );
    let other = Bundle { left_out: Some(vec![SEASON.lot]), ..bundle.clone() };
    fails(&judge(&other), "scope", "left_out", None, Some(SEASON.lot.min(SEASON.part)));
    let silent = Bundle { left_out: None, ..bundle };
    fails(&judge(&silent), "scope", "missing_subject", None, Some(SEASON.lot.min(SEASON.part)));
}

#[test]
fn bytes_that_are_cut_or_continued_are_no_bundle() {
    let bytes = RICH.to_vec();
    for end in 0..bytes.len() {
        assert!(matches!(Bundle::decode(&bytes[..end]), Err(BundleError::Form(_))), "cut at {end}");
    }
    fails(&verify(&bytes[..100], &policy()), "format", "not_a_bundle", None, None);
    fails(&verify(&[&bytes[..], &[0]].concat(), &policy()), "format", "not_a_bundle", None, None);
    let mut newer = bytes;
    newer[2] = 2;
    fails(&verify(&newer, &policy()), "format", "newer_version", None, None);
}

#[test]
fn a_claim_of_a_thousand_million_entries_costs_nothing() {
    let mut bytes = RICH.to_vec();
    let head = [0x04, 0x80 | u8::try_from(RICH.entries.len()).unwrap()];
    let at = bytes.windows(3).position(|w| w[..2] == head && w[2] == 0x83).expect("field 4 and its head");
    bytes.splice(at + 1..at + 2, [0x9a, 0x3b, 0x9a, 0xca, 0x00]);
    fails(&verify(&bytes, &policy()), "format", "not_a_bundle", None, None);
}

#[test]
fn lists_out_of_order_and_repeated_items_are_refused() {
    let changes: [fn(&mut Bundle); 6] = [
        |bundle| bundle.entries.swap(0, 1),
        |bundle| bundle.entries.push(bundle.entries.last().unwrap().clone()),
        |bundle| bundle.entries[0].index = 0,
        |bundle| bundle.subjects.swap(0, 1),
        |bundle| bundle.openings.swap(0, 1),
        |bundle| bundle.anchors[0].anchors[0].words.size = 1 << 53,
    ];
    for change in changes {
        changed(change, "format", "not_a_bundle", None, None);
    }
}

#[test]
fn networks_are_looked_at() {
    changed(|bundle| bundle.network.name = "two\nlines".into(), "network", "malformed_network", None, None);
    changed(|bundle| bundle.network.founders.swap(0, 1), "network", "other_network", None, None);
    let mut bundle = RICH.clone();
    bundle.network.founders.swap(0, 1);
    let first = EventId::of(&bundle.entries[0].event);
    fails(&verify(&bundle.to_vec(), &Policy::default()), "signatures", "event_of_other_network", Some(first), None);
}

#[test]
fn events_are_looked_at() {
    let mut bytes = RICH.entries[3].event.clone();
    *bytes.last_mut().unwrap() ^= 1;
    let id = EventId::of(&bytes);
    changed(|bundle| bundle.entries[3].event = bytes, "signatures", "bad_event", Some(id), None);
    let garbage = Some(EventId::of(&[1, 2, 3]));
    changed(|bundle| bundle.entries[4].event = vec![1, 2, 3], "signatures", "bad_event", garbage, None);
    let repeated = Some(EventId::of(&RICH.entries[0].event));
    let repeat = |bundle: &mut Bundle| {
        let (first, last) = (bundle.entries[0].clone(), bundle.entries.last().unwrap().index);
        bundle.entries.push(provenance::bundle::Entry { index: last + 1, ..first });
    };
    changed(repeat, "signatures", "repeated_event", repeated, None);
}

#[test]
fn events_come_after_what_they_rest_on() {
    // Two events change their places: the first of them names the later one.
    let swap = |bundle: &mut Bundle| {
        let (one, other) = (place_of(bundle, event("offered")), place_of(bundle, event("accepted")));
        let event = bundle.entries[one].event.clone();
        bundle.entries[one].event = std::mem::replace(&mut bundle.entries[other].event, event);
    };
    changed(swap, "rules", "missing_ancestor", Some(event("accepted")), None);
    // A gap in a lane.
    let gap = |bundle: &mut Bundle| {
        bundle.entries.remove(place_of(bundle, event("graded")));
    };
    changed(gap, "rules", "missing_ancestor", Some(event("offered")), None);
}

#[test]
fn events_against_the_rules_are_named() {
    // The farmer gives away what it gave away already; the node that keeps this log did not mind.
    let mut farmer = SEASON.farmer.clone();
    let greedy = farmer.offers(SEASON.lot, &[event("graded")], "900", true, &SEASON.buyer);
    let late = farmer.grades(SEASON.part, &[event("sorted")], "C");
    let unknown = provenance::body::Body::Unknown { kind: 90, body: provenance::cbor::Any::Map(vec![]) };
    let recall = farmer.says(vec![new_subject()], &[], unknown);
    for (event, reason) in [(&late, "not_holder"), (&recall, "unsupported")] {
        let index = RICH.entries.last().unwrap().index + 1;
        let entry = provenance::bundle::Entry { index, event: event.bytes().to_vec(), path: vec![] };
        changed(|bundle| bundle.entries.push(entry), "rules", reason, Some(event.id()), None);
    }
    // Alone it keeps the rules; beside the other it is a conflict, and not in the log.
    let index = RICH.entries.last().unwrap().index + 1;
    let entry = provenance::bundle::Entry { index, event: greedy.bytes().to_vec(), path: vec![] };
    let missing = greedy.subject(1).unwrap();
    changed(|bundle| bundle.entries.push(entry), "scope", "missing_subject", None, Some(missing));
}

#[test]
fn the_bundle_holds_what_belongs_to_the_lot_and_nothing_else() {
    let without =
        |subject: SubjectId| move |bundle: &mut Bundle| bundle.subjects.retain(|proof| proof.subject != subject);
    for subject in [SEASON.lot, SEASON.log.node.actor, SEASON.cosigner.actor, SEASON.farmer.actor] {
        changed(without(subject), "scope", "missing_subject", None, Some(subject));
    }
    let stranger = SEASON.stranger;
    let with_proof = |bundle: &mut Bundle| {
        bundle.subjects.push(SEASON.log.proof(stranger));
        bundle.subjects.sort_by_key(|proof| proof.subject);
    };
    changed(with_proof, "scope", "extra_subject", None, Some(stranger));
    let with_event = |bundle: &mut Bundle| {
        bundle.entries.push(SEASON.log.entry(SEASON.log.index(&event("stranger"))));
        bundle.entries.sort_by_key(|entry| entry.index);
    };
    changed(with_event, "scope", "extra_event", Some(event("stranger")), None);
    let lot = SubjectId::from_bytes([3; 32]);
    changed(|bundle| bundle.lot = lot, "scope", "unknown_lot", None, Some(lot));
    let actor = SEASON.farmer.actor;
    changed(|bundle| bundle.lot = actor, "scope", "unknown_lot", None, Some(actor));
    let unknown = Node { log_key: key(99), ..SEASON.log.node.clone() };
    let of_unknown = sign(&SEASON.log.checkpoint(), &unknown, &[]);
    let origin = SEASON.log.node.origin().to_string();
    let note = of_unknown.replace(&origin, &unknown.origin().to_string());
    changed(|bundle| bundle.checkpoint = note, "scope", "unknown_log", None, None);
    changed(|bundle| bundle.checkpoint = "no note".into(), "scope", "unknown_log", None, None);
}

#[test]
fn the_checkpoint_bears_the_words_of_nodes() {
    let flip = |text: &str, line: usize| {
        // The last character of a line's signature that carries whole bits.
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = lines[line].len() - 4;
        let other = if &lines[line][at..=at] == "A" { "B" } else { "A" };
        lines[line].replace_range(at..=at, other);
        lines.join("\n") + "\n"
    };
    let forged = flip(&RICH.checkpoint, 5);
    changed(|bundle| bundle.checkpoint = forged, "checkpoint", "bad_signature", None, None);
    let forged = flip(&RICH.checkpoint, 6);
    let cosigner = Some(SEASON.cosigner.actor);
    changed(|bundle| bundle.checkpoint = forged, "cosignatures", "bad_cosignature", None, cosigner);
    let mut other = SEASON.log.checkpoint();
    let foreign = provenance::id::NetworkId::from_bytes([8; 32]).to_string();
    other.origin = other.origin.replace(&network().id().to_string(), &foreign);
    let note = sign(&other, &SEASON.log.node, &[&SEASON.cosigner]);
    changed(|bundle| bundle.checkpoint = note, "checkpoint", "other_log", None, None);
    let alone = SEASON.log.note(&[]);
    changed(|bundle| bundle.checkpoint = alone, "scope", "extra_subject", None, cosigner);
}

#[test]
fn a_withheld_event_is_seen() {
    // The last event of the lot, and what somebody else attested of its parent.
    for (name, subject) in [("sorted", SEASON.part), ("corrected", SEASON.lot)] {
        let hide = |bundle: &mut Bundle| {
            bundle.entries.remove(place_of(bundle, event(name)));
        };
        changed(hide, "whole", "not_whole", None, Some(subject));
    }
    // An update by the node itself, of which the log knows and the bundle tells nothing.
    let stale = |bundle: &mut Bundle| {
        let proof = bundle.subjects.iter_mut().find(|proof| proof.subject == SEASON.part).unwrap();
        proof.proof.siblings[0][0] ^= 1;
    };
    changed(stale, "whole", "not_whole", None, Some(SEASON.part));
    let absent = |bundle: &mut Bundle| {
        let proof = bundle.subjects.iter_mut().find(|proof| proof.subject == SEASON.lot).unwrap();
        proof.proof = Proof { place: Place::Empty, siblings: proof.proof.siblings.clone() };
    };
    changed(absent, "whole", "not_whole", None, Some(SEASON.lot));
}

#[test]
fn an_event_that_is_not_in_the_log_is_seen() {
    let first = EventId::of(&RICH.entries[0].event);
    changed(|bundle| bundle.entries[0].path[0][0] ^= 1, "log", "bad_inclusion", Some(first), None);
    let last = EventId::of(&RICH.entries.last().unwrap().event);
    let beyond = |bundle: &mut Bundle| bundle.entries.last_mut().unwrap().index = SEASON.log.size();
    changed(beyond, "log", "bad_inclusion", Some(last), None);
}

#[test]
fn anchors_of_others_are_refused() {
    let node = Some(SEASON.log.node.actor);
    changed(|bundle| bundle.anchors[0].place.chain_id = 1, "anchors", "foreign_anchor", None, node);
    changed(|bundle| bundle.anchors[0].place.sender[0] ^= 1, "anchors", "foreign_anchor", None, node);
    changed(|bundle| bundle.anchors[0].place.contract[0] ^= 1, "anchors", "foreign_anchor", None, node);
    let order = |bundle: &mut Bundle| bundle.anchors[0].anchors[0].words.number = 1 << 40;
    changed(order, "anchors", "anchor_order", None, node);
    let link = |bundle: &mut Bundle| bundle.anchors[0].anchors[0].words.previous[0] ^= 1;
    changed(link, "anchors", "bad_link", None, node);
    changed(|bundle| bundle.anchors[0].anchors[1].evidence = None, "anchors", "bad_link", None, node);
    let inconsistent = |bundle: &mut Bundle| bundle.anchors[0].anchors[1].consistency = None;
    changed(inconsistent, "anchors", "bad_consistency", None, node);
    let inconsistent = |bundle: &mut Bundle| bundle.anchors[0].anchors[1].words.log_root[0] ^= 1;
    changed(inconsistent, "anchors", "bad_consistency", None, node);
    let unproven = |bundle: &mut Bundle| bundle.anchors[0].anchors[1].words.state_root[0] ^= 1;
    changed(unproven, "chain", "bad_receipt_proof", None, node);
    let header = |bundle: &mut Bundle| {
        let Some(Evidence::Receipt { header, .. }) = &mut bundle.anchors[0].anchors[1].evidence else { unreachable!() };
        header.pop();
    };
    changed(header, "chain", "bad_header", None, node);

    // Another node's anchors, as those of this log.
    let other = AnchorLine { node: SEASON.cosigner.actor, place: SEASON.cosigner.place, ..SEASON.line() };
    changed(|bundle| bundle.anchors = vec![other], "anchors", "bad_consistency", None, Some(SEASON.cosigner.actor));
    // An anchor of the same size with another state.
    let mut log = SEASON.log.anchors.clone();
    log[1] =
        provenance::evidence::AnchorWords { size: SEASON.log.size(), log_root: SEASON.log.checkpoint().root, ..log[1] };
    let (evidence, words) = (evidence(&SEASON.log.node.place, &log[1]).0, log[1]);
    let same_size = |bundle: &mut Bundle| {
        let anchor = &mut bundle.anchors[0].anchors[1];
        (anchor.words, anchor.consistency, anchor.evidence) = (words, Some(vec![]), Some(evidence));
    };
    changed(same_size, "anchors", "other_state_root", None, node);
}

#[test]
fn openings_open_what_was_sealed() {
    let id = RICH.openings[0].event;
    changed(|bundle| bundle.openings[0].opening.salt[0] ^= 1, "openings", "bad_opening", Some(id), None);
    changed(|bundle| bundle.openings[0].opening.value[0] ^= 1, "openings", "bad_opening", Some(id), None);
    changed(|bundle| bundle.openings[0].path = vec![1 << 40], "openings", "unknown_field", Some(id), None);
    changed(|bundle| bundle.openings[0].path.push(1), "openings", "unknown_field", Some(id), None);
    let nobody = EventId::from_bytes([0; 32]);
    changed(|bundle| bundle.openings[0].event = nobody, "openings", "unknown_field", Some(nobody), None);
}

#[test]
fn a_conflict_is_shown_with_the_parts_of_both_rivals() {
    let (log, cosigner, lot, rivals) = dispute();
    let line = {
        let place = log.node.place;
        log.line(|_, words| Some(evidence(&place, words).0))
    };
    let bundle = log.bundle(lot, &[&cosigner], vec![line], false);
    let policy = Policy { blocks: blocks(&bundle), ..Policy::default() };
    let verdict = verify(&bundle.to_vec(), &policy);
    assert_eq!(verdict.conclusion, Conclusion::Valid, "{verdict:?}");
    assert!(verdict.lot.as_ref().unwrap().disputed);
    let conflict = verdict.findings.iter().find(|finding| finding.finding == "conflict").unwrap();
    let mut expected: Vec<_> = rivals.iter().map(provenance::event::SignedEvent::id).collect();
    expected.sort_unstable();
    assert_eq!((conflict.subject, &conflict.events), (Some(lot), &expected));
    assert!(verdict.findings.iter().any(|finding| finding.finding == "journal_fork"));
    for rival in &rivals {
        let part = rival.subject(1).unwrap();
        assert!(bundle.subjects.iter().any(|proof| proof.subject == part), "the part {part} is whole too");
    }
}

#[test]
fn the_format_is_the_one_that_is_written_down() {
    let cddl = include_str!("../../../docs/bundle.cddl");
    let shallow = SEASON.log.bundle(SEASON.returned, &[&SEASON.cosigner], vec![SEASON.line()], true);
    for bundle in [&*RICH, &shallow] {
        let bytes = bundle.to_vec();
        assert_eq!(&Bundle::decode(&bytes).unwrap(), bundle);
        cddl_cat::validate_cbor_bytes("bundle", cddl, &bytes).unwrap();
    }
}

#[test]
fn golden_bundles() {
    let pretty = |verdict: &Verdict| serde_json::to_string_pretty(verdict).unwrap();
    let shallow = SEASON.log.bundle(SEASON.returned, &[&SEASON.cosigner], vec![SEASON.line()], true);
    let (log, cosigner, lot, _) = dispute();
    let place = log.node.place;
    let line = log.line(|_, words| Some(evidence(&place, words).0));
    let disputed = log.bundle(lot, &[&cosigner], vec![line], false);
    let mut hidden = RICH.clone();
    hidden.entries.remove(place_of(&hidden, event("corrected")));
    for (name, bundle) in [("rich", &*RICH), ("shallow", &shallow), ("disputed", &disputed), ("hidden", &hidden)] {
        let bytes = bundle.to_vec();
        crate::golden::check(&format!("bundle_{name}.hex"), &data_encoding::HEXLOWER.encode(&bytes));
        crate::golden::check(&format!("bundle_{name}.json"), &pretty(&verify(&bytes, &Policy::default())));
    }
}

/// A log in which a farmer sold the same apples twice, and both buyers' parts are still open.
fn dispute() -> (Log, Node, SubjectId, [provenance::event::SignedEvent; 2]) {
    let mut founder = Signatory::founder(&network(), 0);
    let (node_event, _, node) =
        enrols_node(&mut founder, 40, vec![provenance::body::Role::Cooperative, provenance::body::Role::Node]);
    let (cosigner_event, _, cosigner) = enrols_node(&mut founder, 41, vec![provenance::body::Role::Node]);
    let (farmer_event, mut farmer) = founder.enrols(10, vec![provenance::body::Role::Farmer], vec![]);
    let (buyer_event, buyer) = founder.enrols(11, vec![provenance::body::Role::Trader], vec![]);
    let registered = farmer.registers("1000", None);
    let lot = registered.subject(0).unwrap();
    let mut twin = farmer.clone();
    let one = farmer.offers(lot, &[registered.id()], "800", true, &buyer);
    let two = twin.offers(lot, &[registered.id()], "700", true, &buyer);
    let mut log = Log::new(node);
    for event in [&node_event, &cosigner_event, &farmer_event, &buyer_event, &registered, &one, &two] {
        log.append(event);
    }
    log.anchor();
    (log, cosigner, lot, [one, two])
}

#[test]
fn fifty_events_take_milliseconds() {
    let mut season = season();
    let mut tip = event("sorted");
    let mut buyer = season.buyer.clone();
    for grade in ["A", "B", "C", "A", "B", "C", "A"].repeat(6) {
        let graded = buyer.grades(season.part, &[tip], grade);
        season.log.append(&graded);
        tip = graded.id();
    }
    let bundle = season.rich();
    assert!(bundle.entries.len() >= 50);
    let (bytes, policy) = (bundle.to_vec(), policy());
    assert_eq!(verify(&bytes, &policy).conclusion, Conclusion::Valid);
    let start = std::time::Instant::now();
    for _ in 0..10 {
        std::hint::black_box(verify(&bytes, &policy));
    }
    println!("{} events: {:?} each", bundle.entries.len(), start.elapsed() / 10);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_changed_byte_never_says_the_same_thing(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let honest = RICH.to_vec();
        let mut bytes = honest.clone();
        bytes[at.index(honest.len())] ^= 1 << bit;
        let verdict = verify(&bytes, &policy());
        // Whoever changes a byte must change what the verdict says, or it is no longer valid.
        prop_assert_ne!(verdict.conclusion, Conclusion::Valid, "{:?}", at);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(verify(&bytes, &Policy::default()).conclusion, Conclusion::Invalid);
        let beginning = [&RICH.to_vec()[..100], &bytes].concat();
        prop_assert_eq!(verify(&beginning, &Policy::default()).conclusion, Conclusion::Invalid);
    }

    #[test]
    fn hashes_anywhere_are_all_checked(which in any::<prop::sample::Index>(), at in 0_usize..32, bit in 0..8_u8) {
        let mut bundle = RICH.clone();
        let mut hashes: Vec<&mut Hash> = bundle.entries.iter_mut().flat_map(|entry| entry.path.iter_mut()).collect();
        hashes.extend(bundle.subjects.iter_mut().flat_map(|proof| proof.proof.siblings.iter_mut()));
        let which = which.index(hashes.len());
        hashes[which][at] ^= 1 << bit;
        prop_assert_eq!(judge(&bundle).conclusion, Conclusion::Invalid);
    }
}
