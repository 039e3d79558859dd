//! A log in memory that makes bundles, and a season for it to tell of.

use crate::evidence::Scene;
use crate::story::*;
use ed25519_dalek::{Signer, SigningKey};
use minicbor::bytes::ByteArray;
use provenance::body::*;
use provenance::bundle::{Anchor, AnchorLine, Bundle, Entry, NetworkDefinition, Opening, Scope, SubjectProof};
use provenance::cbor::{self, Any};
use provenance::checkpoint::Checkpoint;
use provenance::cosignature::cosign;
use provenance::event::SignedEvent;
use provenance::evidence::{AnchorWords, Evidence, Line};
use provenance::history::History;
use provenance::id::{EventId, SubjectId};
use provenance::merkle::{self, Frontier, Hash, Nodes, leaf_hash};
use provenance::note::Note;
use provenance::origin::LogOrigin;
use provenance::payload::{After, Lane, Touch};
use provenance::seal::{self, Sealable, SealedField};
use provenance::signature::Verifier;
use provenance::state_map::{self, Page, PageKey, Pages, RootRef};
use provenance::value::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;

pub const CHAIN_ID: u64 = 31_337;

/// A node: an actor with a log key, and where it anchors.
#[derive(Clone)]
pub struct Node {
    pub actor: SubjectId,
    pub log_key: SigningKey,
    pub place: AnchoringDetails,
}

impl Node {
    pub fn origin(&self) -> LogOrigin {
        LogOrigin { network: network().id(), key: public(&self.log_key) }
    }
}

/// The log of a node.
pub struct Log {
    pub node: Node,
    pub history: History,
    tree: Tree,
    pub anchors: Vec<AnchorWords>,
}

#[derive(Default)]
struct Tree {
    nodes: HashMap<(u32, u64), Hash>,
    frontier: Frontier,
}

impl Tree {
    fn append(&mut self, entry: &[u8; 32]) {
        let Self { nodes, frontier } = self;
        frontier.append(leaf_hash(entry), |level, index, hash| {
            nodes.insert((level, index), hash);
        });
    }
}

impl Nodes for Tree {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.nodes[&(level, index)])
    }
}

/// A state map in memory.
struct StateMap {
    root: Option<RootRef>,
    pages: HashMap<PageKey, Page>,
}

impl Pages for StateMap {
    type Error = Infallible;
    fn page(&self, key: &PageKey) -> Result<Option<Page>, Infallible> {
        Ok(self.pages.get(key).cloned())
    }
}

impl StateMap {
    fn of(history: &History) -> Self {
        let touched = history.events().iter().flat_map(|judged| {
            (0..judged.event.payload().touches.len()).filter_map(|index| judged.event.subject(index))
        });
        let changes = touched.map(|subject| (subject, state_map::digest(&history.tips(&subject)))).collect();
        let mut map = Self { root: None, pages: HashMap::new() };
        let update = state_map::update(None, &changes, 1, &map).unwrap();
        map.root = update.root;
        map.pages = update.written.into_iter().collect();
        map
    }

    fn root(&self) -> Hash {
        self.root.map_or(state_map::EMPTY, |root| root.hash)
    }
}

impl Log {
    pub fn new(node: Node) -> Self {
        let mut tree = Tree::default();
        tree.append(network().id().as_event().as_bytes());
        Self { node, history: History::default(), tree, anchors: Vec::new() }
    }

    pub fn append(&mut self, event: &SignedEvent) {
        self.history.replay(&network(), Verifier::new().verify(event.clone()).unwrap()).unwrap();
        self.tree.append(event.id().as_bytes());
    }

    pub fn size(&self) -> u64 {
        self.tree.frontier.size()
    }

    /// Index of an event.
    pub fn index(&self, id: &EventId) -> u64 {
        1 + self.history.events().iter().position(|judged| judged.event.id() == *id).unwrap() as u64
    }

    /// Anchors what the log holds now.
    pub fn anchor(&mut self) -> AnchorWords {
        let number = 21_000_000 + 50 * self.anchors.len() as u64;
        let words = AnchorWords {
            previous: self.anchors.last().map_or([0; 32], AnchorWords::commitment),
            number,
            timestamp_s: 1_790_000_100 + 600 * self.anchors.len() as u64,
            size: self.size(),
            log_root: self.tree.frontier.root(),
            state_root: StateMap::of(&self.history).root(),
        };
        self.anchors.push(words);
        words
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: self.node.origin().to_string(),
            size: self.size(),
            root: self.tree.frontier.root(),
            state_root: StateMap::of(&self.history).root(),
        }
    }

    /// The signed checkpoint with cosignatures.
    pub fn note(&self, cosigners: &[&Node]) -> String {
        sign(&self.checkpoint(), &self.node, cosigners)
    }

    /// The entries that belong into a bundle, and the subjects that are whole in it: as the makers of
    /// bundles find them, generation by generation.
    pub fn select(&self, lot: SubjectId, nodes: &[SubjectId], shallow: bool) -> (BTreeSet<u64>, Scope) {
        let mut scope = Scope::new(lot, &network().id(), nodes.iter().copied(), shallow);
        let mut wanted: Vec<SubjectId> = scope.subjects().iter().copied().collect();
        let mut taken: BTreeSet<EventId> = BTreeSet::new();
        let mut part = History::default();
        while !wanted.is_empty() {
            let mut open: Vec<EventId> = Vec::new();
            for judged in self.history.events() {
                let touches = 0..judged.event.payload().touches.len();
                if touches.filter_map(|index| judged.event.subject(index)).any(|subject| wanted.contains(&subject)) {
                    open.push(judged.event.id());
                }
            }
            while let Some(id) = open.pop() {
                if let Some(judged) = self.history.event(&id)
                    && taken.insert(id)
                {
                    open.extend(judged.event.payload().grounds());
                }
            }
            for judged in self.history.events().iter().filter(|judged| taken.contains(&judged.event.id())) {
                part.append(judged.event.clone(), judged.judgement.clone());
            }
            wanted = scope.extend(&part);
        }
        (taken.iter().map(|id| self.index(id)).collect(), scope)
    }

    pub fn entry(&self, index: u64) -> Entry {
        let judged = &self.history.events()[usize::try_from(index).unwrap() - 1];
        let path = merkle::inclusion_proof(index, self.size(), &self.tree).unwrap().unwrap();
        Entry { index, event: judged.event.bytes().to_vec(), path }
    }

    pub fn proof(&self, subject: SubjectId) -> SubjectProof {
        let map = StateMap::of(&self.history);
        SubjectProof { subject, proof: state_map::prove(map.root, &subject, &map).unwrap() }
    }

    /// A line of this log's anchors; the last one bears evidence, and those at `also`.
    pub fn line(&self, evidence: impl Fn(usize, &AnchorWords) -> Option<Evidence>) -> AnchorLine {
        let anchors = self.anchors.iter().enumerate().map(|(at, words)| Anchor {
            words: *words,
            consistency: Some(merkle::consistency_proof(words.size, self.size(), &self.tree).unwrap().unwrap()),
            evidence: evidence(at, words),
        });
        AnchorLine { node: self.node.actor, place: self.node.place, anchors: anchors.collect() }
    }

    pub fn bundle(&self, lot: SubjectId, cosigners: &[&Node], anchors: Vec<AnchorLine>, shallow: bool) -> Bundle {
        let nodes: Vec<_> =
            cosigners.iter().map(|node| node.actor).chain(anchors.iter().map(|line| line.node)).collect();
        let nodes: Vec<_> = nodes.into_iter().chain([self.node.actor]).collect();
        let (indexes, scope) = self.select(lot, &nodes, shallow);
        Bundle {
            network: NetworkDefinition::from(&network()),
            lot,
            entries: indexes.into_iter().map(|index| self.entry(index)).collect(),
            subjects: scope.subjects().iter().map(|subject| self.proof(*subject)).collect(),
            checkpoint: self.note(cosigners),
            anchors,
            openings: Vec::new(),
            left_out: shallow.then(|| scope.left_out().into_iter().collect()),
        }
    }
}

/// A note that the node signs and others cosign.
pub fn sign(checkpoint: &Checkpoint, node: &Node, cosigners: &[&Node]) -> String {
    let note = checkpoint.to_note(&public(&node.log_key), |text| node.log_key.sign(text).to_bytes());
    let mut note = Note::parse(&note).unwrap();
    for cosigner in cosigners {
        let line =
            cosign(note.text(), &cosigner.origin(), 1_790_002_000, |text| cosigner.log_key.sign(text).to_bytes());
        note.add_signature_line(line).unwrap();
    }
    note.to_string()
}

/// What proves an anchor of a place: storage evidence and receipt evidence.
pub fn evidence(place: &AnchoringDetails, words: &AnchorWords) -> (Evidence, Evidence) {
    Scene::at(Line { contract: place.contract, sender: place.sender }, words).evidence()
}

/// Hashes of the blocks to which the evidence of a bundle leads.
pub fn blocks(bundle: &Bundle) -> BTreeSet<[u8; 32]> {
    let with_evidence = bundle.anchors.iter().flat_map(|line| line.anchors.iter().map(move |anchor| (line, anchor)));
    let hashes = with_evidence.filter_map(|(line, anchor)| {
        let sender = Line { contract: line.place.contract, sender: line.place.sender };
        Some(anchor.evidence.as_ref()?.verify(&sender, &anchor.words).ok()?.hash)
    });
    hashes.collect()
}

/// Seals a value in the next event of a signer: what stands in the event, and what opens it.
pub fn seal<T>(signer: &Signatory, path: &[u8], value: Vec<u8>) -> (Sealable<T>, seal::Opening) {
    let opening = seal::Opening { salt: [7; 16], value };
    let field = SealedField { signer: &public(&signer.key), journal: &signer.journal, path };
    (Sealable::Sealed(opening.commitment(field)), opening)
}

pub fn opening(event: &SignedEvent, path: &[u8], opening: &seal::Opening) -> Opening {
    Opening { event: event.id(), path: path.iter().copied().map(u64::from).collect(), opening: opening.clone() }
}

/// Enrols a node with its log key and place.
pub fn enrols_node(founder: &mut Signatory, seed: u8, roles: Vec<Role>) -> (SignedEvent, Signatory, Node) {
    let new = key(seed);
    let log_key = key(seed + 100);
    let place = AnchoringDetails { chain_id: CHAIN_ID, contract: [0xc0; 20], sender: [seed; 20] };
    let mut body = founder.enrolment(&new, roles, vec![Role::Farmer]);
    body.node = Some(NodeDetails {
        log_key: public(&log_key),
        peer_id: Text::new("12D3KooWExample").unwrap(),
        anchoring: Some(place),
    });
    let bytes = body.countersigned_bytes(&founder.network, &founder.actor);
    body.countersignature = ByteArray::from(new.sign(&bytes).to_bytes());
    let event = founder.says(vec![new_subject()], &[], Body::ActorEnrolled(body));
    let actor = event.subject(0).unwrap();
    let signatory = Signatory {
        key: new,
        actor,
        key_event: event.id(),
        journal: event.id(),
        network: founder.network,
        time_ms: founder.time_ms,
    };
    (event, signatory, Node { actor, log_key, place })
}

/// A season: a lot of which a part was bought and partly rejected, with sealed values, a correction,
/// strangers' lots beside it, and two anchors of the log.
pub struct Season {
    pub log: Log,
    pub cosigner: Node,
    pub farmer: Signatory,
    pub buyer: Signatory,
    pub lot: SubjectId,
    pub part: SubjectId,
    pub returned: SubjectId,
    pub stranger: SubjectId,
    pub openings: Vec<Opening>,
    /// Events by a word.
    pub events: BTreeMap<&'static str, SignedEvent>,
}

#[allow(clippy::too_many_lines)] // A story reads better in one piece.
pub fn season() -> Season {
    let mut founder = Signatory::founder(&network(), 0);
    let (node_event, _, node) = enrols_node(&mut founder, 40, vec![Role::Cooperative, Role::Node]);
    let (cosigner_event, _, cosigner) = enrols_node(&mut founder, 41, vec![Role::Node, Role::Trader]);
    let (farmer_event, mut farmer) = founder.enrols(10, vec![Role::Farmer], vec![]);
    let (buyer_event, mut buyer) = founder.enrols(11, vec![Role::Trader], vec![]);
    let mut log = Log::new(node);
    let mut events = BTreeMap::new();
    let mut openings = Vec::new();
    for event in [&node_event, &cosigner_event, &farmer_event, &buyer_event] {
        log.append(event);
    }

    let template = farmer.clone().registers_place();
    let Body::PlaceRegistered(mut body) = template.payload().body.clone() else { unreachable!() };
    let (exact, opened) = seal(&farmer, &[5], cbor::to_vec(&Coordinates::new(448_381_234, -5_792_345).unwrap()));
    body.exact_point = Some(exact);
    let place = farmer.says(vec![new_subject()], &[], Body::PlaceRegistered(body));
    openings.push(opening(&place, &[5], &opened));
    log.append(&place);

    let template = farmer.clone().registers("1000", Some(&place));
    let Body::ProduceRegistered(mut body) = template.payload().body.clone() else { unreachable!() };
    let (harvester, opened) = seal(&farmer, &[10], cbor::to_vec(&Text::<128>::new("Ada Lovelace").unwrap()));
    body.harvester = Some(harvester);
    let registered = farmer.says(vec![new_subject()], &[place.id()], Body::ProduceRegistered(body));
    openings.push(opening(&registered, &[10], &opened));
    log.append(&registered);
    let lot = registered.subject(0).unwrap();
    let stranger = farmer.registers("5", Some(&place));
    log.append(&stranger);
    let first = log.anchor();

    // The signer of this event had seen the first anchor.
    let body = QualityUpdated { grade: Grade::standard("B").unwrap(), reason: None };
    let mut payload = farmer.payload(vec![touch(lot, &[registered.id()])], &[], Body::ProduceQualityUpdated(body));
    payload.after = Some(After { chain_id: CHAIN_ID, commitment: first.commitment() });
    payload.time = Timestamp::new(first.timestamp_s * 1000 + 5_000).unwrap();
    farmer.time_ms = payload.time.ms();
    let graded = farmer.sign(payload);
    log.append(&graded);
    farmer.time_ms += 1000;
    let template = farmer.clone().offers(lot, &[graded.id()], "300", true, &buyer);
    let Body::TransferOffered(mut body) = template.payload().body.clone() else { unreachable!() };
    let price =
        Price { money: Money::new(45, Currency::new("EUR").unwrap()).unwrap(), per: Some(Unit::new("KGM").unwrap()) };
    let (sealed, opened) = seal(&farmer, &[8], cbor::to_vec(&price));
    body.price = Some(sealed);
    body.expires = Some(Timestamp::new(farmer.time_ms + 86_400_000).unwrap());
    let touches = vec![touch(lot, &[graded.id()]), new_subject()];
    let offered = farmer.says(touches, &[buyer.key_event], Body::TransferOffered(body));
    openings.push(opening(&offered, &[8], &opened));
    log.append(&offered);
    let part = offered.subject(1).unwrap();

    buyer.time_ms = farmer.time_ms + 10_000;
    let line = AcceptedLine {
        received: kg("250"),
        rejected: Some(kg("40")),
        lost: Some(kg("10")),
        reason: Some(Text::new("bruised").unwrap()),
    };
    let accepted = buyer.accepts(part, &offered, line);
    log.append(&accepted);
    let returned = accepted.subject(1).unwrap();
    let correction = EventCorrected {
        target: registered.id(),
        reason: Text::new("typing error").unwrap(),
        replacement: [(3, Any::Text("Gala".into()))].into(),
    };
    founder.time_ms = buyer.time_ms + 1000;
    let attester = Touch { subject: Some(lot), lane: Lane::Attester(founder.actor), prev: vec![] };
    let corrected = founder.says(vec![attester], &[], Body::EventCorrected(correction));
    log.append(&corrected);
    let sorted = buyer.grades(part, &[accepted.id()], "A");
    log.append(&sorted);
    log.anchor();
    let stranger_graded = farmer.grades(stranger.subject(0).unwrap(), &[stranger.id()], "C");
    log.append(&stranger_graded);

    openings.sort_by(|one, next| (one.event, &one.path).cmp(&(next.event, &next.path)));
    let stranger_lot = stranger.subject(0).unwrap();
    for (name, event) in [
        ("place", place),
        ("registered", registered),
        ("graded", graded),
        ("offered", offered),
        ("accepted", accepted),
        ("corrected", corrected),
        ("sorted", sorted),
        ("stranger", stranger),
    ] {
        events.insert(name, event);
    }
    Season { log, cosigner, farmer, buyer, lot, part, returned, stranger: stranger_lot, openings, events }
}

impl Season {
    /// The line of the node's anchors: the first rests on the second, which has receipt evidence.
    pub fn line(&self) -> AnchorLine {
        let place = self.log.node.place;
        self.log.line(|at, words| (at == 1).then(|| evidence(&place, words).1))
    }

    /// A bundle of the part-lot, with everything that a bundle can have.
    pub fn rich(&self) -> Bundle {
        let mut bundle = self.log.bundle(self.part, &[&self.cosigner], vec![self.line()], false);
        self.open(&mut bundle);
        bundle
    }

    /// Puts in the openings of events that are in the bundle.
    pub fn open(&self, bundle: &mut Bundle) {
        let ids: BTreeSet<_> = bundle.entries.iter().map(|entry| EventId::of(&entry.event)).collect();
        bundle.openings = self.openings.iter().filter(|opening| ids.contains(&opening.event)).cloned().collect();
    }
}
