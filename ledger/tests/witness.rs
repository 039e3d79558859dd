//! Cosigning between two nodes: a line is given if, and only if, the log's roots are those of its entries.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ed25519_dalek::{Signer, SigningKey};
use ledger::view::ViewFollower;
use ledger::{
    AddCosignatureError, Clock, Compared, CosignRefusal, Follower, Ledger, LedgerOptions, LogSigner, ObserveError,
    Origin,
};
use proptest::prelude::*;
use provenance::checkpoint::Checkpoint;
use provenance::contradiction::{Contradiction, Reread, Rereading};
use provenance::cosignature::cosignatures;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, Hash, leaf_hash};
use provenance::note::Note;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use story::Story;
use story::grown::{naive_root, reordered};

const MINUTE_MS: u64 = 60 * 1_000;

struct Signs {
    origin: String,
    key: SigningKey,
}

impl LogSigner for Signs {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn key(&self) -> PublicKey {
        public(&self.key)
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }
}

struct Still(AtomicU64);

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

fn log_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + number; 32])
}

/// A network with two nodes, whose enrolments are the first two events.
fn network() -> Story {
    let mut story = Story::new();
    story.enrol_node(&log_key(0));
    story.enrol_node(&log_key(1));
    story
}

fn signer(story: &Story, key: SigningKey) -> Signs {
    Signs { origin: format!("furrow/{}/{}", story.network.id(), public(&key)), key }
}

struct Node {
    ledger: Ledger,
    log: PublicKey,
    clock: Arc<Still>,
    folder: tempfile::TempDir,
}

impl Node {
    fn open(story: &Story, number: u8) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), story, number)
    }

    fn open_in(folder: tempfile::TempDir, story: &Story, number: u8) -> Self {
        let clock = Arc::new(Still(AtomicU64::new(1_760_000_000_000)));
        let followers: Vec<Arc<dyn Follower>> = vec![Arc::new(ViewFollower::new(story.network.clone()))];
        let options = LedgerOptions {
            log_signer: Some(Arc::new(signer(story, log_key(number)))),
            followers,
            clock: clock.clone(),
            ..LedgerOptions::default()
        };
        let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
        Self { ledger, log: public(&log_key(number)), clock, folder }
    }

    async fn take(&self, events: &[SignedEvent]) {
        let bytes = events.iter().map(|event| event.bytes().to_vec()).collect();
        let outcomes = self.ledger.submit(bytes, Origin::Client).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.index().is_some()), "{outcomes:?}");
        assert!(self.ledger.followed(self.ledger.size() - 1).await);
    }

    /// Reads the other's log as far as its checkpoint, and cosigns that.
    async fn cosign(&self, other: &Self, at_once: usize) -> Result<String, CosignRefusal> {
        other.ledger.cut().await.unwrap();
        let note = other.ledger.checkpoint().unwrap();
        let ids = other.ledger.reader().log_ids(0, 10_000).unwrap();
        self.read(&other.log, &ids, at_once);
        self.ledger.witness().cosign(&note).await
    }

    fn read(&self, log: &PublicKey, ids: &[EventId], at_once: usize) {
        let witness = self.ledger.witness();
        let mut next = witness.next(log).unwrap();
        while let Some(ids) = ids.get(usize::try_from(next).unwrap()..).filter(|ids| !ids.is_empty()) {
            next = witness.observe(log, next, &ids[..at_once.min(ids.len())]).unwrap();
        }
    }

    fn entries(&self) -> BTreeSet<EventId> {
        self.ledger.reader().log_ids(1, 10_000).unwrap().into_iter().collect()
    }

    fn pass(&self, ms: u64) {
        self.clock.0.fetch_add(ms, Ordering::Relaxed);
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// What a log says that has these entries and this state.
fn note_of(story: &Story, key: &SigningKey, ids: &[EventId], state_root: Hash) -> String {
    let signs = signer(story, key.clone());
    let mut frontier = Frontier::default();
    for id in ids {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
    }
    let checkpoint =
        Checkpoint { origin: signs.origin.clone(), size: frontier.size(), root: frontier.root(), state_root };
    checkpoint.to_note(&public(key), |text| signs.sign(text))
}

fn ids_of(story: &Story, events: &[SignedEvent]) -> Vec<EventId> {
    std::iter::once(story.network.id().as_event()).chain(events.iter().map(SignedEvent::id)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_given_exactly_where_the_roots_are_right(
        choices in prop::collection::vec(any::<u8>(), 10..60),
        own in prop::collection::vec(prop::bool::weighted(0.9), 7..30),
        theirs in prop::collection::vec(prop::bool::weighted(0.9), 7..30),
        subset in any::<bool>(),
        seed in any::<u64>(),
        at_once in 1_usize..40,
    ) {
        let mut story = network();
        story.grow(&choices);
        run(async {
            let (witness, log) = (Node::open(&story, 0), Node::open(&story, 1));
            let own_events = story.closed(2, &own);
            let known: BTreeSet<EventId> = own_events.iter().map(SignedEvent::id).collect();
            let mut their_events = story.closed(2, &theirs);
            if subset {
                // What both would take is closed too.
                their_events.retain(|event| known.contains(&event.id()));
            }
            // The enrolments of both nodes first.
            let half = (own_events.len() / 2).max(2);
            witness.take(&own_events[..half]).await;
            let reordered = reordered(&their_events, seed);
            for events in reordered.chunks(15) {
                log.take(events).await;
                log.ledger.cut().await.unwrap();
                witness.read(&log.log, &log.ledger.reader().log_ids(0, 10_000).unwrap(), at_once);
            }
            witness.take(&own_events[half..]).await;

            let (ours, theirs) = (witness.entries(), log.entries());
            let answer = witness.cosign(&log, at_once).await;
            if theirs.is_subset(&ours) {
                let line = answer.unwrap();
                assert_eq!(witness.cosign(&log, 1).await.unwrap(), line, "the same note has the same answer");
                let size = log.ledger.size();
                log.ledger.add_cosignature(size, &line).unwrap();
                log.ledger.add_cosignature(size, &format!("{line}\n")).unwrap();
                let note = Note::parse(&log.ledger.checkpoint().unwrap()).unwrap();
                let lines: Vec<_> = cosignatures(&note).map(|line| line.verify(note.text()).unwrap()).collect();
                assert_eq!(lines.iter().map(|line| line.cosigner.key).collect::<Vec<_>>(), [witness.log]);
                assert_eq!(log.ledger.cosigned_checkpoint().unwrap().unwrap().0, size);
                let state = log.ledger.newest_cut().unwrap().state_root;
                assert_eq!(state, naive_root(&their_events), "what was cosigned is right");
            } else {
                let Err(CosignRefusal::Unknown(named)) = answer else { panic!("{answer:?}") };
                assert!(!named.is_empty() && named.iter().all(|id| theirs.contains(id) && !ours.contains(id)));
            }

            // Later on the log must hold what was admitted here.
            witness.ledger.cut().await.unwrap();
            witness.pass(11 * MINUTE_MS);
            witness.take(&their_events).await;
            // One more entry, so that the checkpoint is another.
            let next = |event: &&SignedEvent| {
                !theirs.contains(&event.id()) && event.payload().ancestors().all(|id| {
                    theirs.contains(&id) || story.events.iter().all(|event| event.id() != id)
                })
            };
            if let Some(more) = story.events.iter().find(next) {
                log.take(std::slice::from_ref(more)).await;
                witness.take(std::slice::from_ref(more)).await;
                let answer = witness.cosign(&log, at_once).await;
                let withheld: BTreeSet<_> = ours.difference(&log.entries()).copied().collect();
                match answer {
                    Ok(_) => assert!(withheld.is_empty()),
                    Err(CosignRefusal::Withheld(named)) => {
                        assert!(!named.is_empty() && named.iter().all(|id| withheld.contains(id)));
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
            witness.ledger.close().await;
            log.ledger.close().await;
        });
    }
}

/// A witness and a story of which it knows everything; the log's key is that of node 1.
async fn told() -> (Story, Node) {
    let mut story = network();
    story.grow(&[0, 8, 16, 1, 9, 6, 3, 5, 17, 4, 13, 33, 40]);
    let witness = Node::open(&story, 0);
    witness.take(&story.events).await;
    // Entries are compared with what the map covers.
    witness.ledger.cut().await.unwrap();
    (story, witness)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_hides_an_event_from_its_map_is_refused() {
    let (story, witness) = told().await;
    let ids = ids_of(&story, &story.events);
    witness.read(&public(&log_key(1)), &ids, 7);
    for hidden in [story.events.len() - 1, story.events.len() - 5] {
        let mut shown = story.events.clone();
        shown.remove(hidden);
        let note = note_of(&story, &log_key(1), &ids, naive_root(&shown));
        let refused = witness.ledger.witness().cosign(&note).await;
        assert!(matches!(refused, Err(CosignRefusal::OtherState)), "{refused:?}");
    }
    let honest = note_of(&story, &log_key(1), &ids, naive_root(&story.events));
    assert!(witness.ledger.witness().cosign(&honest).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_rewritten_is_refused_for_ever_and_the_evidence_kept() {
    let (story, witness) = told().await;
    let (log, ids) = (public(&log_key(1)), ids_of(&story, &story.events));
    let half = ids.len() / 2;
    witness.read(&log, &ids[..half], 7);
    let first = note_of(&story, &log_key(1), &ids[..half], naive_root(&story.events[..half - 1]));
    witness.ledger.witness().cosign(&first).await.unwrap();

    let mut other = ids.clone();
    other.swap(2, 3);
    let size = half;
    witness.read(&log, &ids[..size], 7);
    let second = note_of(&story, &log_key(1), &other[..size], naive_root(&story.events[..size - 1]));
    let honest = note_of(&story, &log_key(1), &ids[..size], naive_root(&story.events[..size - 1]));
    for note in [&second, &honest] {
        let refused = witness.ledger.witness().cosign(note).await;
        assert!(matches!(refused, Err(CosignRefusal::Rewritten { .. })), "{refused:?}");
    }
    let found = witness.ledger.witness().contradictions().unwrap();
    assert_eq!(found.iter().map(|found| found.log).collect::<Vec<_>>(), [log]);
    assert_eq!(Some(&found[0].proof), Contradiction::of_one_size(&second, &first, &log).unwrap().as_ref());

    // Read again, other entries do not pass the root that was cosigned.
    witness.ledger.witness().read_again(&log).unwrap();
    let refused = witness.ledger.witness().observe(&log, 0, &other[..half]);
    assert!(matches!(refused, Err(ObserveError::OtherEntries { size }) if size == half as u64), "{refused:?}");
    assert_eq!(witness.ledger.witness().next(&log).unwrap(), 0);
    witness.read(&log, &ids, 5);
    let whole = note_of(&story, &log_key(1), &ids, naive_root(&story.events));
    let refused = witness.ledger.witness().cosign(&whole).await;
    assert!(matches!(refused, Err(CosignRefusal::Rewritten { .. })), "two signed notes are never forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_are_compared_with_the_newest_one_whoever_shows_them() {
    let (story, witness) = told().await;
    let (log, ids) = (public(&log_key(1)), ids_of(&story, &story.events));
    let mut other = ids.clone();
    other.swap(2, 3);
    let note = |ids: &[EventId], state| note_of(&story, &log_key(1), ids, [state; 32]);
    let (small, large, rewritten) = (note(&ids[..5], 0), note(&ids, 0), note(&other, 0));
    let judge = witness.ledger.witness();
    assert_eq!(judge.compare(&log, &small).unwrap(), Compared::Agrees);
    assert_eq!(judge.compare(&log, &small).unwrap(), Compared::Agrees, "it is the same");
    for larger in [&large, &rewritten] {
        assert_eq!(judge.compare(&log, larger).unwrap(), Compared::OtherSize { kept: small.clone() });
    }
    assert!(judge.compare(&log, &note_of(&story, &log_key(5), &ids, [0; 32])).is_err(), "somebody else has signed it");
    let nobody = public(&log_key(5));
    assert_eq!(judge.compare(&nobody, &note_of(&story, &log_key(5), &ids, [0; 32])).unwrap(), Compared::Agrees);
    assert!(judge.kept(&nobody, 0, 0).unwrap().note.is_none(), "nobody's log is not kept");

    let mut rereading = Rereading::new(&small, &rewritten, &log).unwrap().unwrap();
    for id in &other {
        rereading.read(id);
    }
    let Reread::Contradiction(proof) = rereading.finish() else { panic!("no contradiction") };
    assert!(!judge.keep_contradiction(&nobody, &proof).unwrap(), "it is not about that log");
    let mut rubbish = proof.clone();
    rubbish.between[0] = [0; 32];
    assert!(!judge.keep_contradiction(&log, &rubbish).unwrap());
    assert!(!judge.contradicts_itself(&log).unwrap());
    assert!(judge.keep_contradiction(&log, &proof).unwrap());

    let Node { ledger, folder, .. } = witness;
    ledger.close().await;
    drop((ledger, judge));
    let witness = Node::open_in(folder, &story, 0);
    let judge = witness.ledger.witness();
    let found = judge.contradictions().unwrap();
    assert_eq!((found[0].log, &found[0].proof), (log, &proof));
    assert!(found[0].node.is_some() && judge.contradicts_itself(&log).unwrap());
    assert_eq!(judge.compare(&log, &small).unwrap(), Compared::Contradicts);
    witness.read(&log, &ids, 100);
    let honest = note_of(&story, &log_key(1), &ids, naive_root(&story.events));
    assert!(matches!(judge.cosign(&honest).await, Err(CosignRefusal::Rewritten { .. })));
    // Of one size, the first look is enough.
    let own = Node::open(&story, 2);
    own.take(&story.events).await;
    let judge = own.ledger.witness();
    assert_eq!(judge.compare(&log, &large).unwrap(), Compared::Agrees);
    assert_eq!(judge.compare(&log, &note(&ids, 1)).unwrap(), Compared::Contradicts);
    assert_eq!(judge.contradictions().unwrap()[0].proof.verify().unwrap().first.size, ids.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_somebody_made_up_do_not_stain_the_log() {
    let (story, witness) = told().await;
    let (log, ids) = (public(&log_key(1)), ids_of(&story, &story.events));
    let mut lies = ids.clone();
    lies.swap(2, 3);
    let note = note_of(&story, &log_key(1), &ids, naive_root(&story.events));
    witness.read(&log, &lies, 7);
    let refused = witness.ledger.witness().cosign(&note).await;
    assert!(matches!(refused, Err(CosignRefusal::OtherEntries { .. })), "{refused:?}");
    assert!(witness.ledger.witness().contradictions().unwrap().is_empty());
    witness.read(&log, &ids, 7);
    witness.ledger.witness().cosign(&note).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_entry_of_a_followed_log_is_not_taken() {
    let (story, witness) = told().await;
    let (log, ids) = (public(&log_key(1)), ids_of(&story, &story.events));
    let judge = witness.ledger.witness();
    assert!(matches!(judge.observe(&public(&log_key(5)), 0, &ids), Err(ObserveError::UnknownLog(_))));
    assert!(matches!(judge.observe(&log, 0, &ids[1..]), Err(ObserveError::OtherNetwork)));
    assert!(matches!(judge.observe(&log, 1, &ids[1..]), Err(ObserveError::Gap { next: 0 })));
    assert!(matches!(judge.observe(&log, 0, &vec![ids[1]; 8_193]), Err(ObserveError::TooMany(8_193))));
    let twice = [&ids[..4], &ids[2..3]].concat();
    assert!(matches!(judge.observe(&log, 0, &twice), Err(ObserveError::Repeated(id)) if id == ids[2]));

    // Said twice at different times, it is found when a checkpoint is to be cosigned.
    let repeated = [&ids[..9], &ids[2..3]].concat();
    judge.observe(&log, 0, &repeated[..9]).unwrap();
    judge.observe(&log, 9, &repeated[9..]).unwrap();
    let note = note_of(&story, &log_key(1), &repeated, naive_root(&story.events[..8]));
    let refused = judge.cosign(&note).await;
    assert!(matches!(refused, Err(CosignRefusal::Repeated(id)) if id == ids[2]), "{refused:?}");
    assert!(matches!(judge.cosign(&note_of(&story, &log_key(0), &ids, [0; 32])).await, Err(CosignRefusal::OwnLog)));
    let refused = judge.cosign(&note_of(&story, &log_key(5), &ids, [0; 32])).await;
    assert!(matches!(refused, Err(CosignRefusal::UnknownLog(_))), "{refused:?}");
    let refused = judge.cosign(&note_of(&story, &log_key(1), &ids, [0; 32])).await;
    assert!(matches!(refused, Err(CosignRefusal::NotRead { next: 10, .. })), "{refused:?}");
    let forged = note_of(&story, &log_key(1), &ids, [0; 32]).replace("\n\n", "\n\n\u{2014} x AAAAAAAA\n");
    assert!(!matches!(judge.cosign(&forged).await, Err(CosignRefusal::Note(_))), "lines of others are ignored");
    let unsigned: String = forged.split_inclusive('\n').take(6).collect();
    assert!(matches!(judge.cosign(&unsigned).await, Err(CosignRefusal::Note(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_has_ten_minutes_to_take_in_what_was_admitted_here() {
    let (story, witness) = told().await;
    let (log, ids) = (public(&log_key(1)), ids_of(&story, &story.events));
    let (old, young) = (story.events.len() - 6, story.events.len() - 1);
    let mut size = old;
    let mut at = async |minutes: u64| {
        witness.pass(minutes * MINUTE_MS);
        size += 1;
        witness.read(&log, &ids[..size], 50);
        let note = note_of(&story, &log_key(1), &ids[..size], naive_root(&story.events[..size - 1]));
        (size, witness.ledger.witness().cosign(&note).await)
    };
    let (_, given) = at(0).await;
    given.unwrap();
    let (_, given) = at(10).await;
    let Err(CosignRefusal::Withheld(named)) = given else { panic!("{given:?}") };
    assert!(named.iter().all(|id| ids[old + 1..].contains(id)), "{named:?}");
    let (_, given) = at(0).await;
    assert!(matches!(given, Err(CosignRefusal::Withheld(_))));
    assert!(size < young);
    witness.read(&log, &ids, 50);
    let note = note_of(&story, &log_key(1), &ids, naive_root(&story.events));
    witness.ledger.witness().cosign(&note).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_nodes_of_the_network_cosign_and_each_counts_once() {
    let (story, witness) = told().await;
    let log = Node::open(&story, 1);
    log.take(&story.events).await;
    let line = witness.cosign(&log, 9).await.unwrap();
    let size = log.ledger.size();
    let refused = |line: &str| log.ledger.add_cosignature(size, line).unwrap_err();
    assert!(matches!(log.ledger.add_cosignature(2, &line), Err(AddCosignatureError::NoCheckpoint(2))));
    assert!(matches!(refused("nonsense"), AddCosignatureError::Note(_)));
    assert!(matches!(refused(&format!("{line}\n{line}")), AddCosignatureError::NotANode));
    let own = log.ledger.checkpoint().unwrap();
    assert!(matches!(refused(own.lines().last().unwrap()), AddCosignatureError::NotANode));
    let by = |key: &SigningKey, text: &str| {
        let origin = signer(&story, key.clone()).origin.parse().unwrap();
        provenance::cosignature::cosign(text, &origin, 1, |text| key.sign(text).to_bytes()).to_string()
    };
    let note = Note::parse(&own).unwrap();
    assert!(matches!(refused(&by(&log_key(1), note.text())), AddCosignatureError::OwnLog));
    assert!(matches!(refused(&by(&log_key(7), note.text())), AddCosignatureError::UnknownLog(_)));
    assert!(matches!(refused(&by(&log_key(0), "another text\n")), AddCosignatureError::Cosignature(_)));
    assert_eq!(log.ledger.cosigned_checkpoint().unwrap(), None);

    log.ledger.add_cosignature(size, &line).unwrap();
    log.ledger.add_cosignature(size, &by(&log_key(0), note.text())).unwrap();
    let cosigned = log.ledger.checkpoint().unwrap();
    assert_eq!(*cosigned, format!("{own}{line}\n"), "a node counts once");
    Checkpoint::open(&cosigned, &log.log).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_somebody_makes_up_do_not_fill_the_disk() {
    let story = network();
    let judge = Node::open(&story, 0);
    judge.take(&story.events).await;
    let (witness, log) = (judge.ledger.witness(), public(&log_key(1)));
    let made_up = |from: u64| {
        let id = |index: u64| EventId::of(&index.to_be_bytes());
        let first = [story.network.id().as_event()];
        first.into_iter().chain((1..).map(id)).skip(usize::try_from(from).unwrap()).take(8_192).collect::<Vec<_>>()
    };
    let mut next = 0;
    let refused = loop {
        assert!(next < 100_000, "the reading goes on and on");
        match witness.observe(&log, next, &made_up(next)) {
            Ok(read) => next = read,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ObserveError::Ahead { size } if size == judge.ledger.size()), "{refused}");
    // Once they are forgotten, the log itself is read as if nothing had been.
    witness.read_again(&log).unwrap();
    let honest = Node::open(&story, 1);
    honest.take(&story.events).await;
    assert!(judge.cosign(&honest, 100).await.is_ok());
}
