//! What counts, kept beside the log: the same as counting the whole set at once, whatever order events came in.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ed25519_dalek::{Signer, SigningKey};
use ledger::view::{ViewFollower, Views};
use ledger::{CheckError, Follower, Ledger, LedgerOptions, Origin, SteppedLedger, forget_followed, verify_store};
use proptest::prelude::*;
use provenance::admission::{Ancestry, Judged, resolver};
use provenance::body::{
    AcceptedLine, ActorRevoked, Body, Custody, Cut, DisputeResolved, JournalRoot, KeyAdded, KeyReplaced, KeyRotated,
    Recipient, Role, TransferAccepted,
};
use provenance::counting::{Deciding, Journals, Reach, Settlement, reach};
use provenance::event::SignedEvent;
use provenance::history::History;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::{Frontier, leaf_hash};
use provenance::payload::{Lane, Touch};
use provenance::state_map;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use store::{Column, Entries, Range, Raw, Store, StoreOptions, Table};
use story::{Story, Who, text};

const COOPERATIVE: &[Role] = &[Role::Cooperative, Role::Farmer, Role::Trader];

struct Node {
    ledger: Ledger,
    views: Views,
    _folder: tempfile::TempDir,
}

impl Node {
    fn open(story: &Story) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), story)
    }

    fn open_in(folder: tempfile::TempDir, story: &Story) -> Self {
        let options = LedgerOptions { followers: followers(story), ..LedgerOptions::default() };
        let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
        let views = Views::new(ledger.reader().clone());
        Self { ledger, views, _folder: folder }
    }

    /// Whether the event was admitted.
    async fn take(&self, event: &SignedEvent) -> bool {
        let outcomes = self.ledger.submit(vec![event.bytes().to_vec()], Origin::Own).await.unwrap();
        outcomes[0].index().is_some()
    }

    async fn settled(&self) -> ([u8; 32], [u8; 32]) {
        assert!(self.ledger.followed(self.ledger.size() - 1).await);
        let cut = self.ledger.cut().await.unwrap();
        (cut.state_root, self.views.digest().unwrap())
    }
}

fn followers(story: &Story) -> Vec<Arc<dyn Follower>> {
    vec![Arc::new(ViewFollower::new(story.network.clone()))]
}

/// A story of which a node admits every event: what it refuses was never told.
struct World {
    story: Story,
    node: Node,
    lots: Vec<SubjectId>,
    offers: Vec<(EventId, SubjectId, Who)>,
    keys: u8,
}

impl World {
    async fn new() -> Self {
        let mut story = Story::new();
        let cooperative = story.enrol(0, COOPERATIVE, COOPERATIVE);
        for _ in 0..2 {
            story.enrol(cooperative, COOPERATIVE, &[]);
        }
        story.enrol(0, COOPERATIVE, &[]);
        let place = story.place(1, "Farm");
        let node = Node::open(&story);
        let lots = (1..4).map(|who| story.lot(who, place, "100")).collect();
        for event in &story.events {
            assert!(node.take(event).await);
        }
        Self { story, node, lots, offers: Vec::new(), keys: 100 }
    }

    /// Lets something be told; it was never told if the node does not admit it.
    async fn attempt<T>(&mut self, tell: impl FnOnce(&mut Story) -> (SignedEvent, T)) -> Option<(SignedEvent, T)> {
        let before: Vec<_> = self.story.actors.iter().map(|actor| actor.journal).collect();
        let (event, more) = tell(&mut self.story);
        if self.node.take(&event).await {
            return Some((event, more));
        }
        self.story.events.pop();
        for (actor, journal) in self.story.actors.iter_mut().zip(before) {
            actor.journal = journal;
        }
        self.story.meet();
        None
    }

    fn lot(&self, number: u8) -> SubjectId {
        self.lots[usize::from(number) % self.lots.len()]
    }

    fn new_key(&mut self) -> SigningKey {
        self.keys += 1;
        SigningKey::from_bytes(&[self.keys; 32])
    }

    /// The journal of an actor's present key, oldest first, as its holder knows it.
    fn journal(&self, who: Who) -> Vec<EventId> {
        let actor = &self.story.actors[who];
        let by_id: HashMap<EventId, &SignedEvent> = self.story.events.iter().map(|it| (it.id(), it)).collect();
        let (mut ids, mut next) = (Vec::new(), actor.journal);
        while next != actor.key_event {
            ids.push(next);
            next = by_id[&next].payload().journal;
        }
        ids.reverse();
        ids
    }

    /// The end of an actor's present journal after `count` of its events, with a later one that stands.
    fn cut(&self, who: Who, count: usize, stands: bool) -> Cut {
        let (journal, key_event) = (self.journal(who), self.story.actors[who].key_event);
        let count = count % (journal.len() + 1);
        let last = if count == 0 { key_event } else { journal[count - 1] };
        let stands: Vec<EventId> = journal.get(count + 1).copied().filter(|_| stands).into_iter().collect();
        Cut { key_event, last, count: count as u64, root: root(&journal[..count]), stands }
    }

    async fn deed(&mut self, (deed, who, first, second): (u8, u8, u8, u8)) {
        let who = 1 + usize::from(who) % 4;
        let lot = self.lot(first);
        match deed % 12 {
            0 | 1 => {
                self.attempt(|story| (story.grade(who, lot, if second % 2 == 0 { "A" } else { "C" }), ())).await;
            }
            2 | 3 => {
                let to = 1 + usize::from(second) % 4;
                let (part, quantity) = if second % 3 == 0 { (false, "100") } else { (true, "40") };
                let told = self.attempt(|story| (story.offer(who, lot, quantity, part, to), ())).await;
                if let Some((offer, ())) = told {
                    let item = if part { offer.id().subject(1) } else { lot };
                    self.offers.push((offer.id(), item, to));
                    self.lots.extend(part.then_some(item));
                }
            }
            4 | 5 => {
                let Some((offer, item, to)) = self.offers.get(usize::from(first) % self.offers.len().max(1)).copied()
                else {
                    return;
                };
                let received = if self.lots[..3].contains(&item) { "100" } else { "40" };
                self.attempt(|story| (story.accept(to, offer, item, received, None), ())).await;
            }
            // A copy of the key signs from an earlier place of the journal, knowing less of the lot.
            6 | 7 => {
                let journal = self.journal(who);
                let Some(link) = journal.get(usize::from(second) % journal.len().max(1)) else { return };
                let kept = std::mem::replace(&mut self.story.actors[who].journal, *link);
                let origin = self.node.ledger.reader().origin(&lot).unwrap().unwrap().0;
                let touch = Touch { subject: Some(lot), lane: Lane::Main, prev: vec![origin] };
                self.attempt(|story| (story.tell(who, vec![touch], &[], Story::graded("B")), ())).await;
                if second % 2 == 0 {
                    self.story.actors[who].journal = kept;
                }
            }
            8 => self.give_key(who, first).await,
            9 => {
                let cut = self.cut(who, usize::from(second), first % 3 == 0);
                self.replace_key(usize::from(first % 2), who, cut).await;
            }
            10 => {
                let cut = self.cut(who, usize::from(second), false);
                let touch = self.story.on(self.story.id(who));
                let basis = [self.story.actors[who].enrolment];
                let body = ActorRevoked { reason: text("stolen"), cuts: vec![cut] };
                self.attempt(|story| (story.tell(0, vec![touch], &basis, Body::ActorRevoked(body)), ())).await;
            }
            _ => self.decide(lot, second).await,
        }
    }

    async fn give_key(&mut self, who: Who, choice: u8) {
        let (network, actor) = (self.story.network.id(), self.story.id(who));
        let (key, touch) = (self.new_key(), self.story.on(actor));
        let countersignature = [0; 64].into();
        let body = if choice.is_multiple_of(2) {
            let mut body = KeyAdded { key: public(&key), custody: Custody::Own, name: None, countersignature };
            body.countersignature = key.sign(&body.countersigned_bytes(&network, &actor)).to_bytes().into();
            Body::ActorKeyAdded(body)
        } else {
            let ids = self.journal(who);
            let journal = JournalRoot { count: ids.len() as u64, root: root(&ids) };
            let mut body = KeyRotated { key: public(&key), custody: Custody::Own, journal, countersignature };
            body.countersignature = key.sign(&body.countersigned_bytes(&network, &actor)).to_bytes().into();
            Body::ActorKeyRotated(body)
        };
        if let Some((event, ())) = self.attempt(|story| (story.tell(who, vec![touch], &[], body), ())).await {
            self.take_key(who, key, event.id());
        }
    }

    /// What replaced the key of an actor, if it was admitted.
    async fn replace_key(&mut self, by: Who, who: Who, cut: Cut) -> Option<EventId> {
        let (key, touch) = (self.new_key(), self.story.on(self.story.id(who)));
        let mut body = KeyReplaced {
            key: public(&key),
            custody: Custody::Own,
            cuts: vec![cut],
            reason: None,
            countersignature: [0; 64].into(),
        };
        let signed = body.countersigned_bytes(&self.story.network.id(), &self.story.id(who));
        body.countersignature = key.sign(&signed).to_bytes().into();
        let basis = [self.story.actors[who].enrolment];
        let body = Body::ActorKeyReplaced(body);
        let (event, ()) = self.attempt(|story| (story.tell(by, vec![touch], &basis, body), ())).await?;
        self.take_key(who, key, event.id());
        Some(event.id())
    }

    fn take_key(&mut self, who: Who, key: SigningKey, given: EventId) {
        let actor = &mut self.story.actors[who];
        (actor.key, actor.key_event, actor.journal) = (key, given, given);
    }

    /// Whoever may decide lets one of two offers of a lot stand.
    async fn decide(&mut self, lot: SubjectId, choice: u8) {
        let reader = self.node.ledger.reader().clone();
        let mut branches = Vec::new();
        for id in reader.lane_events(&lot, Lane::Main).unwrap() {
            let judged = reader.judged(&id).unwrap().unwrap();
            branches.extend(matches!(judged.event.payload().body, Body::TransferOffered(_)).then_some(judged));
        }
        branches.truncate(2);
        if branches.len() < 2 {
            return;
        }
        let Some(resolver) = resolver(&branches, &reader).unwrap() else { return };
        let Some(who) = self.story.actors.iter().position(|actor| actor.id == resolver) else { return };
        let mut ids: Vec<EventId> = branches.iter().map(|judged| judged.event.id()).collect();
        ids.sort_unstable();
        let stands = vec![ids[usize::from(choice % 2)]];
        let body = DisputeResolved { branches: ids.clone(), stands, reason: text("decided"), replaces: None };
        let touch = self.story.on_lane(lot, Lane::Attester(resolver));
        self.attempt(|story| (story.tell(who, vec![touch], &[], Body::DisputeResolved(body)), ())).await;
    }

    /// All events of the log, in its order.
    fn log(&self) -> Vec<Arc<Judged>> {
        let reader = self.node.ledger.reader();
        let ids = reader.log_ids(1, 10_000).unwrap();
        ids.iter().map(|id| reader.judged(id).unwrap().unwrap()).collect()
    }
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

fn root(ids: &[EventId]) -> [u8; 32] {
    let mut frontier = Frontier::default();
    for id in ids {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
    }
    frontier.root()
}

/// Journals by walking them.
struct Walked(HashMap<EventId, EventId>);

impl Journals for Walked {
    type Error = Infallible;

    fn is_within(&self, _: &EventId, cut: &Cut, event: &Judged) -> Result<bool, Infallible> {
        let mut next = cut.last;
        for _ in 0..cut.count {
            if next == event.event.id() {
                return Ok(true);
            }
            next = self.0[&next];
        }
        Ok(false)
    }
}

/// The same, where all cuts with the same last event end the journal alike; and how often somebody asked.
struct Asked(Walked, Cell<usize>);

impl Journals for Asked {
    type Error = Infallible;

    const BY_LAST_EVENT: bool = true;

    fn is_within(&self, cutter: &EventId, cut: &Cut, event: &Judged) -> Result<bool, Infallible> {
        self.1.set(self.1.get() + 1);
        self.0.is_within(cutter, cut, event)
    }
}

/// Settles event by event, as a node does, and compares with what all of them settle at once. Gives back the last.
fn settle(world: &World) -> (Deciding, Settlement, Asked) {
    let (log, network) = (world.log(), &world.story.network);
    let links = || Walked(log.iter().map(|judged| (judged.event.id(), judged.event.payload().journal)).collect());
    let asked = Asked(links(), Cell::new(0));
    let mut deciding = Deciding::default();
    let Ok(mut settlement) = Settlement::of(network, &deciding, &asked);
    for judged in &log {
        deciding.add(judged);
        match reach(judged) {
            Reach::Nothing => continue,
            Reach::NewKey => {
                let Ok(()) = settlement.add_key(judged, &asked);
            }
            Reach::Others => {
                let rotates = matches!(judged.event.payload().body, Body::ActorKeyRotated(_));
                let anew = !rotates
                    || settlement
                        .add_rotation(network, judged, &deciding, &asked)
                        .is_ok_and(|rotated| rotated.is_none());
                if anew {
                    let Ok(all) = Settlement::of(network, &deciding, &asked);
                    settlement = all;
                }
            }
        }
        // Where each cut is asked about by itself, the same comes out.
        let Ok(whole) = Settlement::of(network, &deciding, &links());
        assert_eq!(settlement, whole, "{:?}", judged.event.payload().body);
    }
    asked.1.set(0);
    (deciding, settlement, asked)
}

/// The set counted at once, in the order of its log.
fn model(world: &World) -> History {
    let mut history = History::default();
    let log = world.log();
    let links = log.iter().map(|judged| (judged.event.id(), judged.event.payload().journal)).collect();
    for judged in log {
        history.add(judged);
    }
    history.count(&world.story.network, &Walked(links));
    history
}

/// The events in another order in which each comes after those on which it rests.
fn shuffled(world: &World, choices: &[u16]) -> Vec<SignedEvent> {
    let mut waiting: BTreeMap<EventId, Arc<Judged>> =
        world.log().into_iter().map(|judged| (judged.event.id(), judged)).collect();
    let mut order = Vec::new();
    let mut choices = choices.iter().cycle();
    while !waiting.is_empty() {
        let ready: Vec<EventId> = waiting
            .iter()
            .filter(|(_, judged)| judged.event.payload().ancestors().all(|id| !waiting.contains_key(&id)))
            .map(|(id, _)| *id)
            .collect();
        let next = ready[usize::from(*choices.next().unwrap()) % ready.len()];
        order.push(waiting.remove(&next).unwrap().event.clone());
    }
    order
}

async fn check(deeds: &[(u8, u8, u8, u8)], choices: &[u16]) -> usize {
    let mut world = World::new().await;
    for deed in deeds {
        world.deed(*deed).await;
    }
    let settled = world.node.settled().await;
    settle(&world);

    let history = model(&world);
    let subjects: BTreeSet<SubjectId> = world
        .log()
        .iter()
        .flat_map(|judged| (0..judged.event.payload().touches.len()).filter_map(|at| judged.event.subject(at)))
        .collect();
    let mut uncounted = 0;
    for subject in &subjects {
        let proven = world.node.ledger.state_proof(subject, world.node.ledger.size()).unwrap();
        assert_eq!(state_map::digest(&proven.tips), history.digest(subject), "{subject}");
        proven.proof.verify(&proven.root, subject, history.digest(subject).as_ref()).unwrap();
        uncounted += history.uncounted(subject).len();
    }

    let other = Node::open(&world.story);
    for event in shuffled(&world, choices) {
        assert!(other.take(&event).await, "{:?}", event.payload().body);
    }
    assert_eq!(other.settled().await, settled);
    restored(&world, settled).await;
    uncounted
}

/// A copy of the store is verified, and counts again from its events alone whatever its other rows say.
async fn restored(world: &World, settled: ([u8; 32], [u8; 32])) {
    let (folder, node) = (tempfile::tempdir().unwrap(), &world.node);
    // The store makes the folder of its copy itself.
    std::fs::remove_dir(folder.path()).unwrap();
    node.ledger.reader().store().backup(folder.path()).unwrap();
    let (rows, (size, root)) = (counted_rows(folder.path()), node.ledger.head().unwrap());
    let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let whole = verify_store(&store, &world.story.network, |_| ()).unwrap();
    assert_eq!((whole.size, whole.root), (size, root));

    // What was made of the log is damaged in each of its columns.
    let mut batch = store.batch();
    let some = world.story.events[0].id();
    batch.clear(Column::Counted);
    batch.put::<Counted>(&(some, 2), &vec![0xf6]);
    batch.put::<DecidingRows>(&1, &some.as_bytes().to_vec());
    batch.put::<CutJournals>(&(some, some, 0, 0), &vec![7; 32]);
    batch.put::<Produces>(&world.lots[0], &b"no row".to_vec());
    batch.clear(Column::MapTips);
    batch.commit_synced().unwrap();
    forget_followed(&store, &followers(&world.story)).unwrap();
    drop(store);
    let copy = Node::open_in(folder, &world.story);
    assert_eq!(copy.settled().await, settled);
    for judged in world.log() {
        let (one, other) = (node.ledger.reader(), copy.ledger.reader());
        let id = judged.event.id();
        assert_eq!(other.counted(&id).unwrap(), one.counted(&id).unwrap(), "{id}");
    }
    copy.ledger.close().await;
    let Node { ledger, views, _folder: folder } = copy;
    drop((ledger, views));
    assert_eq!(counted_rows(folder.path()), rows, "what counted at which size is known as before");
    let strange = |(_, tile): &(Vec<u8>, Vec<u8>)| *tile == vec![7; 32];
    assert!(
        !rows_of::<CutJournals>(folder.path()).iter().any(strange),
        "trees are made when they are needed, from the log"
    );
}

/// The rows of counting as bytes.
fn counted_rows(folder: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    [rows_of::<Counted>(folder), rows_of::<DecidingRows>(folder)].concat()
}

fn rows_of<T: Table<Value: AsRef<[u8]>, Key: std::fmt::Debug>>(folder: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let row = |row: Result<(T::Key, T::Value), _>| {
        let (key, value) = row.unwrap();
        (format!("{:?} {key:?}", T::COLUMN).into_bytes(), value.as_ref().to_vec())
    };
    let notes = tempfile::tempdir().unwrap();
    let store = Store::open_to_read(folder, notes.path(), &StoreOptions::default()).unwrap();
    store.scan::<T>(Range::all()).map(row).collect()
}

/// Rows of counting as they are on the disk.
struct Counted;

impl Table for Counted {
    const COLUMN: Column = Column::Counted;
    type Key = (EventId, u64);
    type Value = Vec<u8>;
    type Encoding = Raw;
}

/// What counting starts from, as rows.
struct DecidingRows;

impl Table for DecidingRows {
    const COLUMN: Column = Column::Deciding;
    type Key = u64;
    type Value = Vec<u8>;
    type Encoding = Raw;
}

struct CutJournals;

impl Table for CutJournals {
    const COLUMN: Column = Column::CutJournals;
    type Key = (EventId, EventId, u8, u64);
    type Value = Vec<u8>;
    type Encoding = Raw;
}

struct Produces;

impl Table for Produces {
    const COLUMN: Column = Column::Produces;
    type Key = SubjectId;
    type Value = Vec<u8>;
    type Encoding = Raw;
}

/// Whoever bought from a thief leaves that purchase behind by naming the cut that removed it, whether the thief went on
/// with the journal or forked it; naming any other event is not enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_from_a_thief_is_left_behind_by_naming_the_cut() {
    let (farmer, buyer) = (1, 2);
    for forks in [false, true] {
        let mut world = World::new().await;
        let lot = world.lots[0];
        let origin = world.story.tips(lot, Lane::Main)[0];
        let link = world.story.actors[farmer].journal;
        let (sale, ()) = world.attempt(|story| (story.offer(farmer, lot, "100", false, buyer), ())).await.unwrap();
        world.attempt(|story| (story.accept(buyer, sale.id(), lot, "100", None), ())).await.unwrap();
        if forks {
            // The farmer went on with the key from before the sale.
            world.story.actors[farmer].journal = link;
            let barn = |story: &mut Story| {
                story.place(farmer, "Barn");
                (story.events.last().unwrap().clone(), ())
            };
            world.attempt(barn).await.unwrap();
        }
        let honest = world.journal(farmer).len();
        let count = if forks { honest } else { honest - 1 };
        let cut = world.cut(farmer, count, false);
        let unrelated = world.cut(3, 1, false);
        let cutter = world.replace_key(0, farmer, cut).await.unwrap();
        let unrelated = world.replace_key(0, 3, unrelated).await.unwrap();

        let touch = |prev| vec![Touch { subject: Some(lot), lane: Lane::Main, prev: vec![prev] }];
        let to = Recipient::Actor(world.story.id(buyer));
        let enrolment = world.story.actors[buyer].enrolment;
        let body = Story::offer_body(lot, "100", to, None);
        let told = world.attempt(|story| (story.tell(farmer, touch(origin), &[enrolment], body), ())).await;
        let offer = told.unwrap().0.id();
        let line = AcceptedLine { received: story::kg("100"), rejected: None, lost: None, reason: None };
        let body = Body::TransferAccepted(TransferAccepted { offer, lines: vec![line] });
        for (basis, admitted) in [(vec![], false), (vec![unrelated], false), (vec![cutter], true)] {
            let body = body.clone();
            let told = world.attempt(|story| (story.tell(buyer, touch(offer), &basis, body), ())).await;
            assert_eq!(told.is_some(), admitted, "{forks} {basis:?}");
        }
        world.node.settled().await;
        let shown = world.node.views.produce(&lot).unwrap().unwrap();
        assert_eq!(shown.holder, world.story.id(buyer));
    }
}

/// Nobody sells twice with one journal by letting the first sale follow something that a cut removes.
#[tokio::test(flavor = "multi_thread")]
async fn no_cut_of_another_key_excuses_a_second_sale() {
    let (farmer, one, other) = (1, 2, 3);
    let mut world = World::new().await;
    let lot = world.lots[0];
    let origin = world.story.tips(lot, Lane::Main)[0];
    let (key, key_event) = (world.story.actors[farmer].key.clone(), world.story.actors[farmer].key_event);
    let link = world.story.actors[farmer].journal;
    world.give_key(farmer, 0).await;
    assert_ne!(world.story.actors[farmer].key_event, key_event, "a second key was added");
    let cut = world.cut(farmer, 0, false);
    let (graded, ()) = world.attempt(|story| (story.grade(farmer, lot, "B"), ())).await.unwrap();
    let cutter = world.replace_key(0, farmer, cut).await.unwrap();

    let added = world.story.events.iter().find(|event| event.payload().journal == link).unwrap().id();
    world.take_key(farmer, key, key_event);
    world.story.actors[farmer].journal = added;
    let mut sells = async |to: Who, prev, more: &[EventId]| {
        let touches = vec![Touch { subject: Some(lot), lane: Lane::Main, prev: vec![prev] }];
        let basis: Vec<EventId> = more.iter().copied().chain([world.story.actors[to].enrolment]).collect();
        let body = Story::offer_body(lot, "100", Recipient::Actor(world.story.id(to)), None);
        world.attempt(|story| (story.tell(farmer, touches, &basis, body), ())).await.is_some()
    };
    assert!(sells(one, graded.id(), &[]).await);
    assert!(!sells(other, origin, &[cutter]).await, "the first sale counts, whatever became of the grade");
}

/// No judgement can be put in the place of another without being seen, also where it could be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_judgement_that_the_rules_do_not_make_is_seen() {
    let mut world = World::new().await;
    for deed in [(0, 1, 1, 0), (2, 1, 1, 3), (4, 0, 0, 0), (9, 1, 1, 2)] {
        world.deed(deed).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    world.node.ledger.reader().store().backup(&copy).unwrap();
    let store = Store::open(&copy, &StoreOptions::default()).unwrap();
    verify_store(&store, &world.story.network, |_| ()).unwrap();
    let rows: Vec<_> = store.scan::<Entries>(Range::all()).map(|row| row.unwrap()).collect();
    let (mut changes, mut named) = (0, 0);
    for (index, row) in rows {
        for at in 0..row.judgement.len() {
            let mut changed = row.clone();
            changed.judgement[at] ^= 1;
            let mut batch = store.batch();
            batch.put::<Entries>(&index, &changed);
            batch.commit().unwrap();
            // CBOR's null and undefined are read as the same.
            if row.judgement[at] == 0xf6 {
                continue;
            }
            let Err(error) = verify_store(&store, &world.story.network, |_| ()) else {
                panic!("byte {at} of {:02x?} is not seen", row.judgement);
            };
            changes += 1;
            named += usize::from(matches!(error, CheckError::Damaged(what) if what.contains("judgement")));
        }
        let mut batch = store.batch();
        batch.put::<Entries>(&index, &row);
        batch.commit().unwrap();
    }
    assert!(changes > 100 && named > changes / 4, "{named} of {changes} changes name the judgement");
    verify_store(&store, &world.story.network, |_| ()).unwrap();
}

/// What a ledger shows that wrote all of a story, had counted only its first `counted` events when it stopped, and
/// was opened again.
fn shown_after_a_stop(story: &Story, counted: usize) -> ([u8; 32], [u8; 32]) {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let options = LedgerOptions { followers: followers(story), ..LedgerOptions::default() };
        let store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
        SteppedLedger::open(store, story.network.clone(), options).unwrap()
    };
    let follow = |ledger: &mut SteppedLedger| {
        for follower in 0..ledger.followers().len() {
            while ledger.followers()[follower].next < ledger.ledger().size() {
                assert!(ledger.follow(follower));
            }
        }
    };
    let (before, after) = story.events.split_at(counted);
    let bytes = |events: &[SignedEvent]| events.iter().map(|event| event.bytes().to_vec()).collect();
    let mut ledger = open();
    ledger.write(vec![(bytes(before), Origin::Own)]);
    follow(&mut ledger);
    ledger.write(vec![(bytes(after), Origin::Own)]);
    assert_eq!(ledger.ledger().size(), story.events.len() as u64 + 1);
    drop(ledger);
    let mut ledger = open();
    follow(&mut ledger);
    let views = Views::new(ledger.ledger().reader().clone());
    (ledger.ledger().newest_cut().unwrap().state_root, views.digest().unwrap())
}

/// Also where a node stops between what decides and what rests on events that no longer count.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stopped_before_it_counted_counts_the_same() {
    let mut world = World::new().await;
    for deed in [(0, 1, 1, 0), (2, 1, 1, 3), (4, 0, 0, 0), (9, 1, 1, 2), (0, 2, 1, 0), (0, 3, 3, 1), (2, 3, 3, 4)] {
        world.deed(deed).await;
    }
    let settled = world.node.settled().await;
    for counted in 0..=world.story.events.len() {
        assert_eq!(shown_after_a_stop(&world.story, counted), settled, "{counted}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_counts_is_a_function_of_the_set(
        deeds in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 20..60),
        choices in prop::collection::vec(any::<u16>(), 8..64),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(check(&deeds, &choices));
    }
}

/// The worlds by chance are no test if nothing in them ever ceases to count.
#[tokio::test(flavor = "multi_thread")]
async fn a_thief_is_cut_off() {
    // A farmer grades, whoever has stolen its key offers the lot, a buyer accepts, and the cooperative replaces the key
    // as of the grading.
    let deeds = [(0, 1, 1, 0), (2, 1, 1, 3), (4, 0, 0, 0), (9, 1, 1, 2)];
    assert!(check(&deeds, &[1, 5, 3]).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_rotations_costs_each_but_little() {
    let mut world = World::new().await;
    let copied = &world.story.actors[1];
    let (key, key_event, journal) = (copied.key.clone(), copied.key_event, copied.journal);
    let size = world.node.ledger.size();
    for _ in 0..100 {
        world.give_key(1, 1).await;
        let actor = &mut world.story.actors[1];
        (actor.key, actor.key_event, actor.journal) = (key.clone(), key_event, journal);
    }
    assert_eq!(world.node.ledger.size(), size + 100, "all are on the same link, and admitted");
    let (deciding, settlement, asked) = settle(&world);
    let Ok(whole) = Settlement::of(&world.story.network, &deciding, &asked);
    assert_eq!(settlement, whole);
    // Once for each event that the journal has beside them.
    assert!(asked.1.get() < 20, "{} questions", asked.1.get());
    check(&[(8, 0, 1, 0), (6, 0, 1, 0), (8, 0, 1, 0)], &[1, 5, 3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_revocation_reaches_is_read_once() {
    const ENROLLED: usize = 120;
    let mut story = Story::new();
    let cooperative = story.enrol(0, COOPERATIVE, COOPERATIVE);
    let other = story.enrol(0, COOPERATIVE, &[]);
    let farm = story.place(other, "Farm");
    let lot = story.lot(cooperative, farm, "100");
    let before = story.actors[cooperative].journal;
    for _ in 0..ENROLLED {
        let who = story.enrol(cooperative, COOPERATIVE, &[]);
        let place = story.place(who, "Field");
        story.lot(who, place, "1");
        story.grade(cooperative, lot, "A");
        story.grade(cooperative, lot, "B");
    }
    for number in 0..1_000 {
        story.place(other, &format!("Place {number}"));
    }
    let node = Node::open(&story);
    let outcomes = node.ledger.submit(story.bytes(), Origin::Own).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.index().is_some()));
    node.settled().await;
    let store = node.ledger.reader().store().clone();
    let rows = store.rows_read();
    let revoked = story.revoke(0, cooperative, before);
    assert!(node.take(&revoked).await);
    node.settled().await;
    let last = story.events[4 + 5 * ENROLLED - 1].id();
    assert!(!node.ledger.reader().counts(&last).unwrap(), "what came after the cut does not count");
    let read = store.rows_read() - rows;
    assert!(read < 60_000, "{read} rows were read of a log of {}", story.events.len());
}
