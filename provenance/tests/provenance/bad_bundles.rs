//! Bundles that deceive: each is invalid, for the right reason, on the right event or subject.

use crate::bundles::{failed, with_blocks};
use crate::chain::Scene;
use crate::maker::{Wish, make, note};
use crate::story::*;
use crate::tales::{self, LINE_A, Tale};
use proptest::prelude::*;
use provenance::bundle::{Anchor, Bundle};
use provenance::checkpoint::Checkpoint;
use provenance::id::{EventId, SubjectId};
use provenance::note::Note;
use provenance::payload::Lane;
use provenance::verification::{Check, Overall, Policy, Reason, verify};
use std::sync::OnceLock;

/// What fails where the auditor brings nothing.
fn failed_with(bundle: &Bundle) -> crate::bundles::Failed {
    failed(&verify(&bundle.to_vec(), &Policy::default()))
}

#[track_caller]
fn on_event(bundle: &Bundle, check: Check, reason: Reason, event: EventId) {
    assert_eq!(failed_with(bundle), Some((check, reason, Some(event), None)));
}

#[track_caller]
fn on_subject(bundle: &Bundle, check: Check, reason: Reason, subject: SubjectId) {
    assert_eq!(failed_with(bundle), Some((check, reason, None, Some(subject))));
}

#[track_caller]
fn on_nothing(bundle: &Bundle, check: Check, reason: Reason) {
    assert_eq!(failed_with(bundle), Some((check, reason, None, None)));
}

fn rich() -> (Tale, Bundle) {
    let tale = tales::rich("rich", false);
    let bundle = tale.bundle();
    (tale, bundle)
}

fn id_of(bundle: &Bundle, at: usize) -> EventId {
    EventId::of(&bundle.entries[at].event)
}

#[test]
fn bytes_cut_at_any_length_are_no_bundle() {
    let bytes = tales::simple().bundle().to_vec();
    for end in 0..bytes.len() {
        let verdict = verify(&bytes[..end], &Policy::default());
        assert_eq!(failed(&verdict), Some((Check::Format, Reason::NotABundle, None, None)), "cut at {end}");
    }
}

#[test]
fn the_last_event_cannot_be_hidden() {
    let (tale, mut bundle) = rich();
    bundle.entries.pop();
    on_subject(&bundle, Check::Whole, Reason::NotWhole, tale.wish.lot);
}

#[test]
fn a_gap_in_a_lane_is_seen() {
    let (_, mut bundle) = rich();
    let before_last = bundle.entries.len() - 2;
    bundle.entries.remove(before_last);
    on_event(&bundle, Check::Rules, Reason::MissingAncestor, id_of(&bundle, before_last));
}

#[test]
fn a_correction_cannot_be_hidden() {
    let (tale, mut bundle) = rich();
    let corrected = tale
        .world
        .logged
        .events()
        .iter()
        .find(|judged| judged.event.payload().touches.iter().any(|touch| matches!(touch.lane, Lane::Attester(_))));
    let corrected = &corrected.unwrap().event;
    bundle.entries.retain(|entry| EventId::of(&entry.event) != corrected.id());
    bundle.openings.retain(|opening| opening.event != corrected.id());
    on_subject(&bundle, Check::Whole, Reason::NotWhole, corrected.subject(0).unwrap());
}

#[test]
fn a_proof_of_an_older_state_is_refused() {
    let (tale, mut bundle) = rich();
    for proof in &mut bundle.subjects {
        proof.proof = tale.world.state_proof(&proof.subject, tale.world.size() - 1);
    }
    on_subject(&bundle, Check::Whole, Reason::NotWhole, bundle.subjects[0].subject);
}

#[test]
fn anchors_of_elsewhere_are_refused() {
    let (tale, bundle) = rich();
    let node = tale.wish.keeper.actor;
    let foreign = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        on_subject(&bundle, Check::Anchors, Reason::ForeignAnchor, node);
    };
    foreign(&|bundle| bundle.lines[0].chain_id = 2);
    foreign(&|bundle| bundle.lines[0].line.contract[0] ^= 1);
    foreign(&|bundle| bundle.lines[0].line.sender[0] ^= 1);
    foreign(&|bundle| bundle.lines[1].chain_id = 1);
    let mut bundle = bundle.clone();
    bundle.lines[2].chain_id = 10;
    on_subject(&bundle, Check::Anchors, Reason::ForeignAnchor, bundle.lines[2].node);
}

#[test]
fn anchors_follow_each_other_and_the_log() {
    let (tale, bundle) = rich();
    let node = tale.wish.keeper.actor;
    let wrong = |reason, change: &dyn Fn(&mut Vec<Anchor>)| {
        let mut bundle = bundle.clone();
        change(&mut bundle.lines[0].anchors);
        on_subject(&bundle, Check::Anchors, reason, node);
    };
    wrong(Reason::AnchorOrder, &|anchors| anchors.swap(0, 1));
    wrong(Reason::AnchorOrder, &|anchors| anchors[0].words.number = 111);
    wrong(Reason::AnchorOrder, &|anchors| anchors[0].words.timestamp_s = 1_790_000_111);
    wrong(Reason::BadLink, &|anchors| drop(anchors.pop()));
    wrong(Reason::BadLink, &|anchors| anchors[0].words.state_root[0] ^= 1);
    wrong(Reason::BadLink, &|anchors| anchors[1].evidence = None);
    // Both rules look at the whole line: the broken link of the last anchor comes before the proof of the first.
    wrong(Reason::BadLink, &|anchors| {
        anchors[0].consistency = None;
        anchors[1].evidence = None;
    });
    wrong(Reason::BadConsistency, &|anchors| anchors[0].consistency = None);
    wrong(Reason::BadConsistency, &|anchors| anchors[0].consistency.as_mut().unwrap()[0][0] ^= 1);
    wrong(Reason::BadConsistency, &|anchors| anchors[1].words.log_root[0] ^= 1);
    wrong(Reason::BadConsistency, &|anchors| anchors[1].words.size += 1);
    let mut other = bundle.clone();
    other.lines[2].anchors[0].consistency = Some(vec![]);
    on_subject(&other, Check::Anchors, Reason::BadConsistency, other.lines[2].node);

    let tale = tales::simple();
    let mut bundle = tale.bundle();
    bundle.lines[0].anchors[0].words.state_root = [0; 32];
    on_subject(&bundle, Check::Anchors, Reason::OtherStateRoot, tale.wish.keeper.actor);
    // The same two rules in the other order of anchors: an old one of another state, then one without a proof.
    let mut twice = bundle.clone();
    let mut second = twice.lines[0].anchors[0].clone();
    second.consistency = None;
    twice.lines[0].anchors.push(second);
    on_subject(&twice, Check::Anchors, Reason::BadConsistency, tale.wish.keeper.actor);
}

#[test]
fn evidence_is_looked_at_in_its_turn() {
    let (tale, bundle) = rich();
    let policy = with_blocks(&bundle.to_vec());
    let wrong = |reason, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        on_subject(&bundle, Check::Chain, reason, tale.wish.keeper.actor);
    };
    let words = bundle.lines[0].anchors[1].words;
    let scene = |change: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::of(LINE_A, &words);
        change(&mut scene);
        Some(scene.evidence())
    };
    wrong(Reason::BadHeader, &|bundle| {
        bundle.lines[0].anchors[1].evidence = scene(&|scene| scene.number -= 1).map(|both| both.0);
    });
    wrong(Reason::BadHeader, &|bundle| {
        bundle.lines[0].anchors[1].evidence = scene(&|scene| scene.timestamp_s += 1).map(|both| both.1);
    });
    wrong(Reason::BadAccountProof, &|bundle| {
        bundle.lines[0].anchors[1].evidence = scene(&|scene| scene.line.contract[0] ^= 1).map(|both| both.0);
    });
    wrong(Reason::BadStorageProof, &|bundle| {
        bundle.lines[0].anchors[1].evidence = scene(&|scene| scene.stored[0] ^= 1).map(|both| both.0);
    });
    wrong(Reason::BadReceiptProof, &|bundle| {
        bundle.lines[0].anchors[1].evidence = scene(&|scene| scene.status = 0).map(|both| both.1);
    });

    // A block that the auditor does not know.
    for known in &policy.block_hashes {
        let mut policy = policy.clone();
        policy.block_hashes.remove(known);
        let (check, reason, event, subject) = failed(&verify(&bundle.to_vec(), &policy)).unwrap();
        assert_eq!((check, reason, event), (Check::Chain, Reason::UnknownBlock, None));
        assert!(subject.is_some());
    }
}

#[test]
fn another_network_than_the_expected_one_is_refused() {
    let (_, mut bundle) = rich();
    let bytes = bundle.to_vec();
    let policy = Policy { network: Some(provenance::id::NetworkId::from_bytes([1; 32])), ..Policy::default() };
    assert_eq!(failed(&verify(&bytes, &policy)), Some((Check::Network, Reason::OtherNetwork, None, None)));
    let founders = vec![public(&key(3))];
    let name = provenance::value::Text::new("other").unwrap();
    bundle.network = provenance::network::Network::new(name, [0; 16], founders).unwrap();
    on_event(&bundle, Check::Signatures, Reason::EventOfOtherNetwork, id_of(&bundle, 0));
}

#[test]
fn openings_fit_the_event_and_a_field_that_can_be_sealed() {
    let (_, bundle) = rich();
    for at in 0..bundle.openings.len() {
        let event = bundle.openings[at].event;
        let wrong = |reason, change: &dyn Fn(&mut Bundle)| {
            let mut bundle = bundle.clone();
            change(&mut bundle);
            bundle.openings.sort_by_key(|opening| (opening.event, opening.path.clone()));
            on_event(&bundle, Check::Openings, reason, event);
        };
        wrong(Reason::BadOpening, &|bundle| bundle.openings[at].salt[0] ^= 1);
        wrong(Reason::BadOpening, &|bundle| *bundle.openings[at].value.last_mut().unwrap() ^= 1);
        wrong(Reason::UnknownField, &|bundle| bundle.openings[at].path = vec![99]);
        wrong(Reason::UnknownField, &|bundle| bundle.openings[at].path.push(0));
    }
    let mut strange = bundle.clone();
    let event = EventId::from_bytes([0; 32]);
    strange.openings[0].event = event;
    on_event(&strange, Check::Openings, Reason::UnknownField, event);
}

#[test]
fn what_does_not_belong_is_refused() {
    let mut tale = tales::simple();
    let mut stranger = Signatory::founder(&network(), 1);
    let place = stranger.registers_place();
    tale.world.admit(&place);
    tale.wish.lines.clear();
    let extra = make(&tale.world, &Wish { besides: vec![place.id()], ..tale.wish.clone() });
    on_event(&extra, Check::Scope, Reason::ExtraEvent, place.id());

    let mut bundle = tale.bundle();
    let more = provenance::bundle::SubjectProof {
        subject: place.subject(0).unwrap(),
        proof: tale.world.state_proof(&place.subject(0).unwrap(), tale.world.size()),
    };
    bundle.subjects.push(more);
    bundle.subjects.sort_by_key(|proof| proof.subject);
    on_subject(&bundle, Check::Scope, Reason::ExtraSubject, place.subject(0).unwrap());

    let bundle = tale.bundle();
    for at in 0..bundle.subjects.len() {
        let mut bundle = bundle.clone();
        let removed = bundle.subjects.remove(at);
        on_subject(&bundle, Check::Scope, Reason::MissingSubject, removed.subject);
    }
    let mut other = bundle.clone();
    other.lot = place.subject(0).unwrap();
    on_subject(&other, Check::Scope, Reason::UnknownLot, other.lot);
}

#[test]
fn the_list_of_lots_left_out_is_exact() {
    let bundle = tales::rich("shallow", true).bundle();
    let left_out = bundle.left_out.clone().unwrap();
    assert_eq!(left_out.len(), 1);
    let mut more = bundle.clone();
    let stranger = SubjectId::from_bytes([0; 32]);
    more.left_out = Some(vec![stranger, left_out[0]]);
    on_subject(&more, Check::Scope, Reason::LeftOut, stranger);
    let mut other = bundle.clone();
    other.left_out = Some(vec![SubjectId::from_bytes([0xff; 32])]);
    on_subject(&other, Check::Scope, Reason::LeftOut, left_out[0]);
    // Deep, it lacks the parents' histories.
    let mut deep = bundle;
    deep.left_out = None;
    assert_eq!(failed_with(&deep).unwrap().1, Reason::MissingSubject);
}

#[test]
fn events_stand_once_in_the_order_of_the_log() {
    let (_, bundle) = rich();
    let mut repeated = bundle.clone();
    let mut last = repeated.entries.last().unwrap().clone();
    last.index += 1;
    repeated.entries.push(last);
    on_event(&repeated, Check::Signatures, Reason::RepeatedEvent, id_of(&bundle, bundle.entries.len() - 1));

    // Two entries exchange their events: what comes first names one that comes later.
    let mut swapped = bundle.clone();
    let last = swapped.entries.len() - 1;
    let event = std::mem::take(&mut swapped.entries[last].event);
    swapped.entries[last].event = std::mem::replace(&mut swapped.entries[last - 1].event, event);
    on_event(&swapped, Check::Rules, Reason::MissingAncestor, id_of(&swapped, last - 1));

    let mut descending = bundle.clone();
    descending.entries.swap(0, 1);
    on_nothing(&descending, Check::Format, Reason::NotABundle);
    let mut elsewhere = bundle.clone();
    elsewhere.entries[0].path[0][0] ^= 1;
    on_event(&elsewhere, Check::Log, Reason::BadInclusion, id_of(&bundle, 0));
    let mut shifted = bundle;
    shifted.entries.last_mut().unwrap().index += 1;
    on_event(&shifted, Check::Log, Reason::BadInclusion, id_of(&shifted, last));
}

#[test]
fn a_signature_of_somebody_else_is_none() {
    let (_, bundle) = rich();
    for at in 0..bundle.entries.len() {
        let mut bundle = bundle.clone();
        *bundle.entries[at].event.last_mut().unwrap() ^= 1;
        on_event(&bundle, Check::Signatures, Reason::BadEvent, id_of(&bundle, at));
    }
}

#[test]
fn checkpoints_are_signed_and_cosigned() {
    let (tale, bundle) = rich();
    let parsed = Note::parse(&bundle.checkpoint).unwrap();
    let checkpoint = Checkpoint::parse(parsed.text()).unwrap();
    let with = |checkpoint: String| Bundle { checkpoint, ..bundle.clone() };
    let keeper = &tale.wish.keeper;
    let signed = |checkpoint: &Checkpoint| note(&tale.world, checkpoint, keeper, &tale.wish.cosigners);
    assert_eq!(signed(&checkpoint), bundle.checkpoint);

    on_nothing(&with("nothing".into()), Check::Scope, Reason::UnknownLog);
    let strange = Checkpoint { origin: checkpoint.origin.replace("furrow/", "other/"), ..checkpoint.clone() };
    on_nothing(&with(signed(&strange)), Check::Scope, Reason::UnknownLog);
    let text = bundle.checkpoint.replacen(&format!("\n{}\n", checkpoint.size), "\n1\n", 1);
    on_nothing(&with(text), Check::Checkpoint, Reason::BadSignature);

    // The log's own key on a checkpoint of another network.
    let other = provenance::origin::LogOrigin {
        network: provenance::id::NetworkId::from_bytes([1; 32]),
        key: public(&keeper.log),
    };
    let other = Checkpoint { origin: other.to_string(), ..checkpoint.clone() };
    let mut elsewhere = with(note(&tale.world, &other, keeper, &[]));
    // Nobody cosigned this one, so its cosigners must not be shown.
    let without = Wish { cosigners: vec![], ..tale.wish.clone() };
    elsewhere.subjects = make(&tale.world, &without).subjects;
    elsewhere.entries = make(&tale.world, &without).entries;
    on_nothing(&elsewhere, Check::Checkpoint, Reason::OtherLog);

    let forged = |tamper: &dyn Fn(&mut Vec<u8>)| {
        let mut forged = Note::new(parsed.text().to_owned(), parsed.signatures()[0].clone()).unwrap();
        for line in &parsed.signatures()[1..] {
            let mut line = line.clone();
            tamper(&mut line.signature);
            forged.add_signature_line(line).unwrap();
        }
        with(forged.to_string())
    };
    let cosigner = tale.wish.cosigners[0].0.actor;
    let lowest = tale.wish.cosigners.iter().map(|(keeper, _)| keeper.actor).min().unwrap();
    for tamper in [
        (&|signature: &mut Vec<u8>| signature[7] ^= 1) as &dyn Fn(&mut Vec<u8>),
        &|signature| signature[71] ^= 1,
        &|signature| signature.truncate(71),
        &|signature| signature.push(0),
    ] {
        let (check, reason, event, subject) = failed_with(&forged(tamper)).unwrap();
        assert_eq!((check, reason, event), (Check::Cosignatures, Reason::BadCosignature, None));
        assert!(subject == Some(cosigner) || subject == Some(lowest));
    }
}

#[test]
fn cosigners_are_counted_once_and_only_those_that_are_trusted() {
    let (tale, bundle) = rich();
    let bytes = bundle.to_vec();
    let cosigners: Vec<SubjectId> = tale.wish.cosigners.iter().map(|(keeper, _)| keeper.actor).collect();
    let verdict = |count, trusted: Option<Vec<SubjectId>>| {
        let trusted_cosigners = trusted.map(|trusted| trusted.into_iter().collect());
        let policy = Policy { cosigners: count, trusted_cosigners, ..with_blocks(&bytes) };
        verify(&bytes, &policy)
    };
    assert_eq!(verdict(2, None).verdict, Overall::Valid);
    assert_eq!(verdict(1, Some(vec![cosigners[0]])).verdict, Overall::Valid);
    let too_few = Some((Check::Cosignatures, Reason::TooFewCosigners, None, None));
    assert_eq!(failed(&verdict(3, None)), too_few);
    assert_eq!(failed(&verdict(2, Some(vec![cosigners[0]]))), too_few);
    assert_eq!(failed(&verdict(1, Some(vec![]))), too_few);
    assert_eq!(failed(&verdict(1, Some(vec![tale.wish.keeper.actor]))), too_few);

    // The log's own node does not count, and of two times the earlier does.
    let mut wish = tale.wish.clone();
    wish.cosigners.push((wish.keeper.clone(), 5));
    wish.cosigners.push((wish.cosigners[0].0.clone(), 1_790_000_100));
    let bytes = make(&tale.world, &wish).to_vec();
    let policy = Policy { cosigners: 3, ..Policy::default() };
    assert_eq!(failed(&verify(&bytes, &policy)), too_few);
    let as_of = verify(&bytes, &Policy::default()).as_of.unwrap();
    let times: Vec<u64> = cosigners
        .iter()
        .map(|node| as_of.cosigned_by.iter().find(|cosigner| cosigner.node == *node).unwrap().time_s)
        .collect();
    assert_eq!(times, [1_790_000_100, 1_790_000_131]);
}

/// Heads that claim 10^9 entries cost nothing, wherever they stand.
#[test]
fn claims_of_a_thousand_million_entries_are_refused_at_once() {
    let bytes = tales::rich("shallow", true).bundle().to_vec();
    let started = std::time::Instant::now();
    for at in 0..bytes.len() {
        let major = bytes[at] & 0xe0;
        if ![0x40, 0x60, 0x80, 0xa0].contains(&major) {
            continue;
        }
        for claim in [
            vec![major | 0x1a, 0x3b, 0x9a, 0xca, 0],
            vec![major | 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            let claiming = [&bytes[..at], &claim, &bytes[at + 1..]].concat();
            assert_eq!(verify(&claiming, &Policy::default()).verdict, Overall::Invalid, "at {at}");
        }
    }
    assert!(started.elapsed().as_secs() < 60, "it took {:?}", started.elapsed());
}

#[test]
fn a_newer_version_is_told_from_no_bundle() {
    let newer = |bytes: &[u8]| failed(&verify(bytes, &Policy::default())).unwrap().1;
    assert_eq!(newer(&[0xa2, 1, 2]), Reason::NewerVersion);
    assert_eq!(newer(&[0xa1, 1, 0x18, 0xff]), Reason::NewerVersion);
    assert_eq!(newer(&[0xa1, 1, 0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Reason::NewerVersion);
    assert_eq!(newer(&[0xa2, 1, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0]), Reason::NewerVersion);
    for none in [&[0xa2, 1, 0][..], &[0xa2, 1, 0x18, 2], &[0xa2, 0x18, 1, 2], &[]] {
        assert_eq!(newer(none), Reason::NotABundle, "{none:?}");
    }
}

/// All honest bundles, made once.
fn honest() -> &'static [Vec<u8>] {
    static HONEST: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    HONEST.get_or_init(|| tales::all().iter().map(|tale| tale.bundle().to_vec()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn no_changed_byte_goes_unseen(which: prop::sample::Index, at: prop::sample::Index, change in 1..=255_u8) {
        let bytes = which.get(honest());
        // A cosignature under another name is nobody's, so this auditor wants as many as there were.
        let cosigners = verify(bytes, &Policy::default()).as_of.unwrap().cosigned_by.len();
        let policy = Policy { cosigners, ..with_blocks(bytes) };
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= change;
        let verdict = verify(&changed, &policy);
        prop_assert_eq!(verdict.verdict, Overall::Invalid);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, start in prop::sample::select(vec![&b""[..], b"\xa8\x01\x01\x02", b"\xa9\x01\x01\x02\x83"])) {
        let bytes = [start, &bytes].concat();
        prop_assert_eq!(verify(&bytes, &Policy::default()).verdict, Overall::Invalid);
    }
}
