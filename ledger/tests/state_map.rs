//! The state map on a real store: its root depends on the events alone, its versions are proved as long as they
//! are kept, and its checkpoints are signed once.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ed25519_dalek::{Signer, SigningKey};
use ledger::{Clock, Ledger, LedgerOptions, LogSigner, Origin, Outcome, StateError, SteppedLedger};
use proptest::prelude::*;
use provenance::body::Role;
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::payload::Lane;
use provenance::state_map::{Child, NibblePath, PageKey, digest};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::{Fault, MapPages, MapReplaced, MapVersions, Range, Store, StoreOptions};
use story::Story;
use story::grown::{naive_root, naive_tips, reordered};

struct Signs(SigningKey);

impl LogSigner for Signs {
    #[allow(clippy::unnecessary_literal_bound)] // The trait's signature.
    fn origin(&self) -> &str {
        "furrow.example/test/one"
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

/// A clock that stands still until it is set.
struct Still(AtomicU64);

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn open(path: &Path, story: &Story) -> Ledger {
    open_at(path, story, &Arc::new(Still(AtomicU64::new(1_760_000_000_000))))
}

fn open_at(path: &Path, story: &Story, clock: &Arc<Still>) -> Ledger {
    let options = LedgerOptions {
        log_signer: Some(Arc::new(Signs(log_key()))),
        clock: clock.clone(),
        ..LedgerOptions::default()
    };
    Ledger::open(path, story.network.clone(), options).unwrap()
}

/// Submits until everything is admitted, however often the disk fails.
async fn take(ledger: &Ledger, events: &[SignedEvent]) {
    let bytes: Vec<_> = events.iter().map(|event| event.bytes().to_vec()).collect();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let outcomes = ledger.submit(bytes.clone(), Origin::Client).await.unwrap();
        if outcomes.iter().all(|outcome| outcome.index().is_some()) {
            return;
        }
        assert!(outcomes.iter().all(|o| o.index().is_some() || matches!(o, Outcome::Unavailable(_))), "{outcomes:?}");
        assert!(Instant::now() < deadline, "the disk never came back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

fn grown(choices: &[u8]) -> Story {
    let mut story = Story::new();
    story.grow(choices);
    story
}

fn subjects(story: &Story) -> BTreeSet<SubjectId> {
    let of_event =
        |event: &SignedEvent| (0..event.payload().touches.len()).filter_map(|at| event.subject(at)).collect::<Vec<_>>();
    let mut subjects: BTreeSet<_> = story.events.iter().flat_map(of_event).collect();
    subjects.insert(SubjectId::from_bytes(*story.network.id().as_bytes()));
    subjects
}

/// At this version every subject that the story knows is proved, present or absent.
fn everything_is_proved(ledger: &Ledger, story: &Story, size: u64) {
    let ids = ledger.reader().log_ids(0, usize::try_from(size).unwrap()).unwrap();
    let known: HashMap<_, _> = story.events.iter().map(|event| (event.id(), event)).collect();
    let events: Vec<&SignedEvent> = ids[1..].iter().map(|id| known[id]).collect();
    let expected = naive_tips(events.iter().copied());
    for subject in subjects(story) {
        let proved = ledger.state_proof(&subject, size).unwrap();
        assert_eq!(proved.root, naive_root(events.iter().copied()));
        assert_eq!(proved.tips, expected.get(&subject).cloned().unwrap_or_default());
        proved.proof.verify(&proved.root, &subject, digest(&proved.tips).as_ref()).unwrap();
    }
}

/// The pages that the stored versions read.
fn pages_in_use(ledger: &Ledger) -> BTreeSet<PageKey> {
    let store = ledger.reader().store();
    let mut pages = BTreeSet::new();
    for row in store.scan::<MapVersions>(Range::all()) {
        let Some((version, _)) = row.unwrap().1.root else { continue };
        let mut open = vec![(PageKey { path: NibblePath::ROOT, version }, Vec::new())];
        while let Some((key, nibbles)) = open.pop() {
            let page = store.get::<MapPages>(&key).unwrap().expect("a version reads only what is there");
            pages.insert(key);
            for (nibble, child) in (0_u8..).zip(page.children()) {
                if let Child::Page { version, .. } = child {
                    let mut nibbles = nibbles.clone();
                    nibbles.push(nibble);
                    open.push((PageKey { path: path_of(&nibbles), version: *version }, nibbles));
                }
            }
        }
    }
    pages
}

fn path_of(nibbles: &[u8]) -> NibblePath {
    let mut bytes = [0; 32];
    for (at, nibble) in nibbles.iter().enumerate() {
        bytes[at / 2] |= if at % 2 == 0 { nibble << 4 } else { *nibble };
    }
    NibblePath::of(&SubjectId::from_bytes(bytes), u8::try_from(nibbles.len()).unwrap())
}

fn stored_pages(ledger: &Ledger) -> BTreeSet<PageKey> {
    ledger.reader().store().scan::<MapPages>(Range::all()).map(|row| row.unwrap().0).collect()
}

/// The files as they are on the disk at this moment, as after a kill.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap();
        if file.file_name() != "LOCK" {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn the_root_depends_on_the_events_alone(
        choices in prop::collection::vec(any::<u8>(), 1..60),
        seed in any::<u64>(),
        batches in prop::collection::vec(1_usize..12, 1..6),
    ) {
        let story = grown(&choices);
        run(async {
            let root = naive_root(&story.events);
            for events in [story.events.clone(), reordered(&story.events, seed)] {
                let folder = tempfile::tempdir().unwrap();
                let clock = Arc::new(Still(AtomicU64::new(1_760_000_000_000)));
                let ledger = open_at(folder.path(), &story, &clock);
                let (mut left, mut sizes) = (&events[..], batches.iter().cycle());
                while !left.is_empty() {
                    let (some, rest) = left.split_at((*sizes.next().unwrap()).min(left.len()));
                    take(&ledger, some).await;
                    if seed & left.len() as u64 != 0 {
                        let cut = ledger.cut().await.unwrap();
                        assert_eq!((cut.size, cut.log_root), ledger.head().unwrap());
                        everything_is_proved(&ledger, &story, cut.size);
                    }
                    left = rest;
                }
                let cut = ledger.cut().await.unwrap();
                assert_eq!(cut.state_root, root);
                everything_is_proved(&ledger, &story, cut.size);

                // Made again from zero, and after a kill.
                let note = ledger.checkpoint().unwrap();
                clock.0.fetch_add(1, Ordering::Relaxed);
                assert!(ledger.rebuild("state_map"));
                let killed = copy_of(folder.path());
                while !ledger.newest_cut().is_ok_and(|again| again.cut_ms > cut.cut_ms && again.size == cut.size) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let again = ledger.cut().await.unwrap();
                assert_eq!((again.size, again.state_root), (cut.size, root));
                assert_eq!(ledger.checkpoint().unwrap(), note, "one checkpoint for each size");
                everything_is_proved(&ledger, &story, cut.size);
                ledger.close().await;
                let ledger = open(killed.path(), &story);
                assert_eq!(ledger.cut().await.unwrap().state_root, root);
                assert_eq!(ledger.checkpoint().unwrap(), note);
                ledger.close().await;
            }
        });
    }

    #[test]
    fn what_is_kept_is_proved_and_what_is_not_leaves_nothing(
        choices in prop::collection::vec(any::<u8>(), 40..80),
        seed in any::<u64>(),
    ) {
        let story = grown(&choices);
        run(async {
            let clock = Arc::new(Still(AtomicU64::new(1_760_000_000_000)));
            let folder = tempfile::tempdir().unwrap();
            let ledger = open_at(folder.path(), &story, &clock);
            let mut kept = BTreeSet::new();
            let mut last = (0, 0);
            for (at, events) in story.events.chunks(2).enumerate() {
                take(&ledger, events).await;
                let size = ledger.cut().await.unwrap().size;
                if seed >> (at % 64) & 1 == 1 {
                    kept.insert(size);
                }
                if at % 7 == 3 {
                    let first = kept.pop_first();
                    assert!(first.is_none_or(|first| first <= size));
                }
                ledger.keep(&kept).unwrap();
                clock.0.fetch_add(7 * 60 * 1_000, Ordering::Relaxed);
                last = (at, size);
            }
            let versions = ledger.kept_versions().unwrap();
            assert!(kept.iter().all(|size| versions.contains(size)), "{kept:?} of {versions:?}");
            assert!(versions.len() <= kept.len() + 10, "{kept:?} of {versions:?}, {last:?}");
            for size in &versions {
                everything_is_proved(&ledger, &story, *size);
                assert!(ledger.checkpoint_at(*size).unwrap().is_some());
            }
            let gone = (2..ledger.size()).find(|size| !versions.contains(size)).unwrap();
            let refused = ledger.state_proof(&story.id(0), gone);
            assert!(matches!(refused, Err(StateError::NotKept { size }) if size == gone), "{refused:?}");
            assert_eq!(stored_pages(&ledger), pages_in_use(&ledger), "pages are there as long as a version reads them");
            let newest = versions.last().unwrap();
            for row in ledger.reader().store().scan::<MapReplaced>(Range::all()) {
                let ((size, _), pages) = row.unwrap();
                assert!(size <= *newest && pages.iter().all(|page| stored_pages(&ledger).contains(page)));
            }
            ledger.close().await;
        });
    }
}

proptest! {
    // A follower pauses for a second after each failure.
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn failing_writes_change_nothing(
        choices in prop::collection::vec(any::<u8>(), 10..40),
        faults in prop::collection::vec(prop_oneof![3 => Just(Fault::None), 1 => Just(Fault::NotWritten), 1 => Just(Fault::Written)], 3..12),
    ) {
        let story = grown(&choices);
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let ledger = open(folder.path(), &story);
            let mut signed: HashMap<u64, String> = HashMap::new();
            for events in story.events.chunks(8) {
                ledger.reader().store().inject(faults.iter().copied().take(4));
                take(&ledger, events).await;
                let cut = ledger.cut().await.unwrap();
                let text = ledger.checkpoint().unwrap();
                let checkpoint = Checkpoint::open(&text, &Signs(log_key()).key()).unwrap();
                assert_eq!((checkpoint.size, checkpoint.state_root), (cut.size, cut.state_root));
                assert_eq!(signed.entry(checkpoint.size).or_insert_with(|| text.to_string()), &*text);

                let killed = copy_of(folder.path());
                let again = open(killed.path(), &story);
                assert_eq!(again.cut().await.unwrap().state_root, cut.state_root);
                assert_eq!(again.checkpoint().unwrap(), text);
                again.close().await;
            }
            assert_eq!(ledger.cut().await.unwrap().state_root, naive_root(&story.events));
            everything_is_proved(&ledger, &story, ledger.size());
            ledger.close().await;
        });
    }
}

/// What the main lane of a lot ends with in the newest version, where the log went on after its first `size` entries were
/// counted and before the map was cut.
fn tips_as_of(story: &Story, lot: &SubjectId, size: u64) -> BTreeSet<EventId> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let mut ledger = SteppedLedger::open(store, story.network.clone(), LedgerOptions::default()).unwrap();
    let mut events = story.bytes();
    let later = events.split_off(usize::try_from(size).unwrap() - 1);
    let place = |name| ledger.followers().iter().position(|follower| follower.name == name).unwrap();
    let (counting, map) = (place("counting"), place("state_map"));
    ledger.write(vec![(events, Origin::Client)]);
    assert!(ledger.follow(counting));
    ledger.write(vec![(later, Origin::Client)]);
    assert!(ledger.follow(map));
    assert_eq!(ledger.ledger().size(), story.events.len() as u64 + 1);
    ledger.ledger().state_proof(lot, size).unwrap().tips.remove(&Lane::Main).unwrap()
}

#[test]
fn a_cut_reads_a_long_lane_as_far_as_it_was_counted() {
    let mut story = Story::new();
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let buyers: Vec<usize> = (0..6).map(|_| story.enrol(0, &[Role::Trader], &[])).collect();
    let farm = story.place(farmer, "Hillside");
    let lot = story.lot(farmer, farm, "100");
    // More events than are read at once, which is 64: low on the lane such as come last into the log, so many that some
    // readings find no other, and above them such as come first.
    let before = story.events.len();
    for _ in 0..200 {
        story.with_copied_key(farmer, |story| story.grade(farmer, lot, "C"));
    }
    let late = story.events.split_off(before);
    for number in 0..70 {
        story.grade(farmer, lot, ["A", "B"][number % 2]);
    }
    // Of offers that exclude each other two are tips; a third makes the cut read the whole lane.
    let graded = story.events.len() + 1;
    let offers: Vec<EventId> = buyers
        .iter()
        .map(|buyer| story.with_copied_key(farmer, |story| story.offer(farmer, lot, "100", false, *buyer)).id())
        .collect();
    story.events.extend(late);
    for counted in 3..=offers.len() {
        let ascending: BTreeSet<EventId> = offers[..counted].iter().copied().collect();
        let tips = tips_as_of(&story, &lot, (graded + counted) as u64);
        assert_eq!(tips, ascending.into_iter().take(2).collect());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_stays_until_the_next_cut() {
    let (story, folder) = (grown(&[0, 1, 2, 3, 8, 16, 25]), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    let empty = Checkpoint::open(&ledger.checkpoint().unwrap(), &Signs(log_key()).key()).unwrap();
    assert_eq!((empty.size, empty.state_root), (1, [0; 32]), "there is always one");
    take(&ledger, &story.events).await;
    let cut = ledger.cut().await.unwrap();
    let note = ledger.checkpoint().unwrap();
    let checkpoint = Checkpoint::open(&note, &Signs(log_key()).key()).unwrap();
    assert_eq!(
        (checkpoint.size, checkpoint.root, checkpoint.state_root),
        (cut.size, cut.log_root, naive_root(&story.events))
    );
    assert_eq!(ledger.cut().await.unwrap(), cut, "nothing came, so nothing is cut");
    assert_eq!(ledger.checkpoint().unwrap(), note);
    ledger.close().await;
    let copy = copy_of(folder.path());
    assert_eq!(open(copy.path(), &story).checkpoint().unwrap(), note);

    // A new key of the log signs what is there.
    let key = SigningKey::from_bytes(&[43; 32]);
    let options = LedgerOptions { log_signer: Some(Arc::new(Signs(key.clone()))), ..LedgerOptions::default() };
    let copy = copy_of(folder.path());
    let other = Ledger::open(copy.path(), story.network.clone(), options).unwrap();
    assert_eq!(Checkpoint::open(&other.checkpoint().unwrap(), &Signs(key).key()).unwrap(), checkpoint);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_map_is_cut_by_itself() {
    let (story, folder) = (grown(&[0, 1]), tempfile::tempdir().unwrap());
    let ledger = open(folder.path(), &story);
    take(&ledger, &story.events).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while ledger.newest_cut().unwrap().size < ledger.size() {
        assert!(Instant::now() < deadline, "it was never cut");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ledger.close().await;
}

/// Prints events a second with and without the map. Run it alone, with `--run-ignored only --no-capture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed() {
    let mut story = Story::new();
    let farmers: Vec<_> = (0..20).map(|_| story.enrol(0, &[Role::Farmer], &[])).collect();
    let farms: Vec<_> = farmers.iter().map(|farmer| story.place(*farmer, "Hillside")).collect();
    for number in 0..60_000 {
        let at = number % farmers.len();
        story.lot(farmers[at], farms[at], "100");
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path(), &story);
    let started = Instant::now();
    let bytes = story.bytes();
    for events in bytes.chunks(20_000) {
        ledger.submit(events.to_vec(), Origin::Client).await.unwrap();
    }
    let admitted = started.elapsed();
    let behind = ledger.size() - ledger.newest_cut().unwrap().size;
    while ledger.newest_cut().unwrap().size < ledger.size() {
        ledger.cut().await.unwrap();
    }
    let cut = started.elapsed();
    let events = f64::from(u32::try_from(story.events.len()).unwrap());
    let rate = |time: Duration| events / time.as_secs_f64();
    println!("admitted {:.0}/s with the map following, {behind} behind; all cut {:.0}/s", rate(admitted), rate(cut));
    ledger.rebuild("state_map");
    let started = Instant::now();
    tokio::time::sleep(Duration::from_millis(50)).await;
    while ledger.newest_cut().map_or(0, |cut| cut.size) < ledger.size() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("made again alone: {:.0} entries/s", rate(started.elapsed()));
    let mut times = Vec::new();
    for number in 0..200 {
        let at = number % farmers.len();
        story.lot(farmers[at], farms[at], "100");
        take(&ledger, &story.events[story.events.len() - 1..]).await;
        let started = Instant::now();
        ledger.cut().await.unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    println!("a cut of one event: median {:?}, 95 % {:?}", times[100], times[190]);
    let pages = stored_pages(&ledger).len();
    println!("{pages} pages, {} versions", ledger.kept_versions().unwrap().len());
    ledger.close().await;
}
