//! Tests of the sync: real ledgers on real disks, connected over real sockets.

use super::{PeerCosigning, Sync, start};
use crate::service::LogKey;
use ed25519_dalek::{Signer, SigningKey};
use ledger::author::{
    AtRest, Author, Clock, Context, EnrolActor, EnrolledKey, Keyring, KeyringError, Means, NoAnchors, RegisterPlace,
    Salts,
};
use ledger::view::ViewFollower;
use ledger::{Follower, Ledger, LedgerOptions, LogSigner, Origin, Outcome};
use p2p::PeerId;
use provenance::body::{Body, Custody, NodeDetails, PlaceRegistered, Role};
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::{Lane, Payload, Touch};
use provenance::value::{Coordinates, LangText, Text, Timestamp};
use replication::Cursor;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::StoreOptions;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// No measure of speed, only an end.
const PATIENCE: Duration = Duration::from_mins(1);

pub(in crate::sync) struct Side {
    pub(super) ledger: Ledger,
    author: Author,
    pub(super) peer: PeerId,
    pub(super) sync: Sync,
    pub(super) address: String,
    log: PublicKey,
    tasks: TaskTracker,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

fn founder() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub(super) fn network() -> Network {
    let key = PublicKey::from_bytes(founder().verifying_key().to_bytes());
    Network::new(Text::new("Test").unwrap(), [0; 16], vec![key]).unwrap()
}

/// A node of its own folder; `prepare` sees its ledger before it meets anybody.
pub(super) async fn side(seed: u8, bootstrap: &[&Side], prepare: impl AsyncFnOnce(&Ledger)) -> Side {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreOptions { create: true, cache_bytes: 8 << 20, write_buffer_bytes: 8 << 20 };
    let ledger = open(folder.path(), &network(), seed, store);
    prepare(&ledger).await;
    side_of(folder, ledger, seed, bootstrap).await
}

/// A node with this ledger.
pub(super) async fn side_of(folder: tempfile::TempDir, ledger: Ledger, seed: u8, bootstrap: &[&Side]) -> Side {
    let (network, log) = (ledger.network().clone(), ledger.log_key().unwrap());
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let config = p2p::Config {
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        bootstrap: bootstrap.iter().map(|side| side.address.clone()).collect(),
        ..p2p::Config::new([seed; 32].into(), network.id())
    };
    let (handle, incoming) = p2p::start(config, stop.clone()).await.unwrap();
    let address = handle.listen_addresses().await.unwrap().remove(0);
    let anchors = tokio::sync::watch::channel(anchoring::AnchorStatus::default()).1;
    let author = Author::new(ledger.clone(), means(), network.id().founder(0));
    let peer = handle.local_peer();
    let sync = start(author.clone(), handle, incoming, log, anchors, &tasks, &stop);
    Side { ledger, author, peer, sync, address, log, tasks, stop, folder }
}

/// A ledger as a node has it, with a log key of its own.
pub(super) fn open(folder: &Path, network: &Network, seed: u8, store: StoreOptions) -> Ledger {
    let followers: Vec<Arc<dyn Follower>> = vec![Arc::new(ViewFollower::new(network.clone()))];
    let signer = LogKey::new(&network.id(), SigningKey::from_bytes(&[seed + 50; 32]));
    let log_signer: Option<Arc<dyn LogSigner>> = Some(Arc::new(signer));
    let options = LedgerOptions { store, log_signer, followers, ..LedgerOptions::default() };
    Ledger::open(folder, network.clone(), options).unwrap()
}

impl Side {
    pub(super) async fn end(self) {
        self.end_but_keep().await;
    }

    /// Ends, and gives the folder in which it can begin again.
    pub(super) async fn end_but_keep(self) -> tempfile::TempDir {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("all tasks end");
        self.ledger.close().await;
        self.folder
    }
}

/// Keys in memory, a clock that only counts, and a cipher that hides nothing.
#[derive(Default)]
struct InMemory {
    keys: Mutex<HashMap<PublicKey, SigningKey>>,
    count: AtomicU64,
}

/// The founder's key is kept on every side: each test writes with it on one of them.
fn means() -> Means {
    let memory = Arc::new(InMemory::default());
    memory.keys.lock().unwrap().insert(network().founders()[0], founder());
    let anchors = Arc::new(NoAnchors);
    Means { keyring: memory.clone(), clock: memory.clone(), salts: memory.clone(), at_rest: memory, anchors }
}

impl InMemory {
    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

impl Keyring for InMemory {
    fn holds(&self, key: &PublicKey) -> bool {
        self.keys.lock().unwrap().contains_key(key)
    }

    fn sign(&self, key: &PublicKey, payload: Payload) -> Result<SignedEvent, KeyringError> {
        let keys = self.keys.lock().unwrap();
        Ok(SignedEvent::sign(payload, keys.get(key).ok_or(KeyringError::NotHeld(*key))?)?)
    }

    fn countersign(&self, key: &PublicKey, message: &[u8]) -> Result<[u8; 64], KeyringError> {
        let keys = self.keys.lock().unwrap();
        Ok(keys.get(key).ok_or(KeyringError::NotHeld(*key))?.sign(message).to_bytes())
    }

    fn create_key(&self, _: &str) -> Result<PublicKey, KeyringError> {
        let secret = SigningKey::from_bytes(&[100 + u8::try_from(self.next()).unwrap(); 32]);
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes());
        self.keys.lock().unwrap().insert(key, secret);
        Ok(key)
    }
}

impl Clock for InMemory {
    fn now_ms(&self) -> u64 {
        1_800_000_000_000 + self.next()
    }
}

impl Salts for InMemory {
    fn salt(&self) -> [u8; 16] {
        u128::from(self.next()).to_be_bytes()
    }
}

impl AtRest for InMemory {
    fn seal(&self, _: &[u8], plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, _: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        Some(sealed.to_vec())
    }
}

pub(super) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain until {what}");
}

/// The founder registers a place; on a point that is too exact the event is void.
fn place(journal: EventId, number: u32, point: Option<Coordinates>) -> SignedEvent {
    place_of(&network(), &founder(), journal, number, point)
}

/// A founder of a network registers a place.
fn place_of(
    network: &Network,
    founder: &SigningKey,
    journal: EventId,
    number: u32,
    point: Option<Coordinates>,
) -> SignedEvent {
    let network = network.id();
    let body = PlaceRegistered {
        place_type: Text::new("farm").unwrap(),
        name: LangText::single("en", &format!("Farm {number}")).unwrap(),
        gln: None,
        point,
        exact_point: None,
        outline: None,
        area_m2: None,
        parent: None,
        country: None,
    };
    let payload = Payload {
        network,
        time: Timestamp::new(1_800_000_000_000 + u64::from(number)).unwrap(),
        occurred: None,
        journal,
        touches: vec![Touch { subject: None, lane: Lane::Main, prev: vec![] }],
        basis: vec![network.as_event()],
        body: Body::PlaceRegistered(body),
        on_behalf_of: None,
        captured_by: None,
        refs: None,
        after: None,
        extensions: None,
    };
    SignedEvent::sign(payload, founder).unwrap()
}

/// A journal of so many events, as bytes.
pub(super) fn journal(count: u32) -> Vec<Vec<u8>> {
    let mut last = network().id().as_event();
    (0..count)
        .map(|number| {
            let event = place(last, number, None);
            last = event.id();
            event.bytes().to_vec()
        })
        .collect()
}

pub(super) async fn nothing(_: &Ledger) {}

pub(super) async fn submit(ledger: &Ledger, events: Vec<Vec<u8>>) {
    let count = events.len();
    let outcomes = ledger.submit(events, Origin::Client).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.index().is_some()).count(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_reach_the_other_nodes_both_ways() {
    let first = side(1, &[], nothing).await;
    let second = side(2, &[&first], nothing).await;
    until("they are connected", || first.sync.peers().len() == 1 && second.sync.peers().len() == 1).await;
    let events = journal(2);
    submit(&first.ledger, events[..1].to_vec()).await;
    until("the second node has the event", || second.ledger.size() == 2).await;
    submit(&second.ledger, events[1..].to_vec()).await;
    until("the first node has the other", || first.ledger.size() == 3).await;
    first.end().await;
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_later_catches_up_with_no_new_write() {
    // More than one page of ids and several answers of events.
    let first = side(1, &[], async |ledger| submit(ledger, journal(4_500)).await).await;
    let second = side(2, &[&first], nothing).await;
    until("the second node has all", || second.ledger.size() == 4_501).await;
    assert_eq!(first.ledger.head().unwrap(), second.ledger.head().unwrap(), "one signer, so one order");
    until("its cursor is at the end", || Cursor::load(&second.ledger, &first.peer, &first.log).unwrap().next == 4_501)
        .await;
    until("the peer is shown so", || {
        second
            .sync
            .peers()
            .iter()
            .any(|(_, known)| known.as_ref().is_some_and(|known| (known.have, known.of) == (4_501, 4_501)))
    })
    .await;
    first.end().await;
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_link_of_a_journal_is_fetched_beside_the_log() {
    let exact = Coordinates::new(535_311_000, 96_842_000).unwrap();
    let good = place(network().id().as_event(), 0, None);
    let void = place(good.id(), 1, Some(exact));
    let after = place(void.id(), 2, None);
    let first = side(1, &[], async |ledger| {
        submit(ledger, vec![good.bytes().to_vec()]).await;
        let events = vec![after.bytes().to_vec(), void.bytes().to_vec()];
        let outcomes = ledger.submit(events, Origin::Peer("elsewhere".to_owned())).await.unwrap();
        assert!(matches!(outcomes[..], [Outcome::Held { kept: true, .. }, Outcome::Void { .. }]), "{outcomes:?}");
        assert_eq!(ledger.size(), 3, "the void event stands in no log");
    })
    .await;
    let second = side(2, &[&first], nothing).await;
    until("the event behind the void one is there", || second.ledger.size() == 3).await;
    assert_eq!(second.ledger.reader().stored(&void.id()).unwrap().unwrap().index, None);
    first.end().await;
    second.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_replaced_is_read_from_its_start() {
    for cursor in [
        // The peer lost its data: its log is shorter than what was read.
        Cursor { next: 5_000, last: Some(EventId::from_bytes([9; 32])), gaps: vec![], skipped: None },
        // It was restored and has gone on differently.
        Cursor { next: 3, last: Some(EventId::from_bytes([9; 32])), gaps: vec![], skipped: None },
    ] {
        let first = side(1, &[], async |ledger| submit(ledger, journal(5)).await).await;
        let (peer, log) = (first.peer, first.log);
        let second = side(2, &[&first], async |ledger| cursor.save(ledger, &peer, &log).unwrap()).await;
        until("the second node has all", || second.ledger.size() == 6).await;
        first.end().await;
        second.end().await;
    }
}

/// Enrols an actor; with node details where it is a node.
async fn enrol(side: &Side, by: SubjectId, name: &str, node: Option<&Side>) -> SubjectId {
    enrol_node(side, by, name, node.map(|node| (node.log, node.peer))).await
}

/// The same, of whatever speaks for the node: the key of its log, and its peer id.
pub(super) async fn enrol_node(side: &Side, by: SubjectId, name: &str, node: Option<(PublicKey, PeerId)>) -> SubjectId {
    let details = |(log_key, peer): (PublicKey, PeerId)| NodeDetails {
        log_key,
        peer_id: Text::new(peer.to_string()).unwrap(),
        anchoring: None,
    };
    let node = node.map(details);
    let command = EnrolActor {
        key: EnrolledKey::New,
        custody: Custody::Own,
        roles: vec![if node.is_some() { Role::Node } else { Role::Cooperative }],
        may_give: if node.is_some() { vec![] } else { vec![Role::Node] },
        display_name: Text::new(name).unwrap(),
        personal_name: None,
        gln: None,
        gs1_prefixes: vec![],
        node,
    };
    let context = Context { actor: Some(by), ..Context::default() };
    side.author.enrol_actor(context, command).await.unwrap().id.subject(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_reach_the_nodes_of_a_party_and_no_others() {
    let first = side(1, &[], nothing).await;
    let second = side(2, &[&first], nothing).await;
    let third = side(3, &[&first], nothing).await;
    let founder = network().id().founder(0);
    let cooperative = enrol(&first, founder, "Cooperative", None).await;
    // All three are enrolled nodes; the second one works for the cooperative, as the first does.
    enrol(&first, cooperative, "Its node", Some(&first)).await;
    let other = enrol(&first, founder, "Another cooperative", None).await;
    enrol(&first, other, "Its node", Some(&third)).await;
    let place = RegisterPlace {
        place_type: Text::new("farm").unwrap(),
        name: LangText::single("en", "Farm").unwrap(),
        gln: None,
        point: None,
        exact_point: Some(Coordinates::new(535_311_000, 96_842_000).unwrap()),
        outline: None,
        area_m2: None,
        parent: None,
        country: None,
    };
    let context = Context { actor: Some(cooperative), ..Context::default() };
    let event = first.author.register_place(context, place).await.unwrap().id;
    // It is enrolled later than the event was signed, so it has to look back.
    enrol(&first, cooperative, "Its second node", Some(&second)).await;

    until("the second node has the opening", || !second.author.openings(&event).unwrap().is_empty()).await;
    assert_eq!(second.author.openings(&event).unwrap(), first.author.openings(&event).unwrap());
    until("the third node has the event", || third.ledger.size() == first.ledger.size()).await;
    let state = first.author.sealed_fields(&event).unwrap().unwrap().remove(0);
    assert_eq!(
        state.passed.iter().map(|(peer, _)| peer.as_str().to_owned()).collect::<Vec<_>>(),
        [second.peer.to_string()]
    );
    assert!(third.author.openings(&event).unwrap().is_empty());
    for side in [first, second, third] {
        side.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolled_nodes_cosign_each_other_and_strangers_are_not_asked() {
    let first = side(1, &[], nothing).await;
    let founder = network().id().founder(0);
    let second = side(2, &[&first], nothing).await;
    let third = side(3, &[&first], nothing).await;
    enrol(&first, founder, "One node", Some(&first)).await;
    enrol(&first, founder, "Another node", Some(&second)).await;
    let size = first.ledger.size();
    let of = |side: &Side, peer: &Side| {
        let mut known = side.sync.cosigning().into_iter();
        known.find(|(id, _)| *id == peer.peer).map(|(_, known)| known).unwrap_or_default()
    };
    until("both have cosigned", || {
        [(&first, &second), (&second, &first)].into_iter().all(|(side, peer)| {
            let known = of(side, peer);
            known.cosigned_by >= Some(size) && known.cosigned_for >= Some(size)
        })
    })
    .await;
    for side in [&first, &second] {
        let (covered, note) = side.ledger.cosigned_checkpoint().unwrap().unwrap();
        assert!(covered >= size && note.lines().filter(|line| line.starts_with("— ")).count() == 2, "{note}");
        assert!(!side.sync.cosigning().values().any(|known| known.rewritten || known.refused_here.is_some()));
    }
    assert_eq!((of(&first, &third), of(&third, &first)), (PeerCosigning::default(), PeerCosigning::default()));
    for side in [first, second, third] {
        side.end().await;
    }
}
