//! A node's log and state map in memory: what bundles are made from. It can be made to log what it should not.

use provenance::admission::{Judged, Judgement, LaneLine, Replay, Standing, replay};
use provenance::event::SignedEvent;
use provenance::evidence::AnchorWords;
use provenance::history::History;
use provenance::id::SubjectId;
use provenance::merkle::{self, Frontier, Hash, leaf_hash};
use provenance::network::Network;
use provenance::signature::Verifier;
use provenance::state_map::{self, Page, PageKey, Pages, RootRef};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

/// Everything that one node knows.
#[derive(Clone)]
pub struct World {
    pub network: Network,
    /// What keeps the rules.
    pub honest: History,
    /// All that is logged.
    pub logged: History,
    frontier: Frontier,
    subtrees: HashMap<(u32, u64), Hash>,
    pages: HashMap<PageKey, Page>,
    /// The root of the state map by the size of the log.
    roots: Vec<Option<RootRef>>,
}

impl World {
    /// A log that holds the network's id alone.
    pub fn new(network: Network) -> Self {
        let id = *network.id().as_bytes();
        let mut world = Self {
            network,
            honest: History::default(),
            logged: History::default(),
            frontier: Frontier::default(),
            subtrees: HashMap::new(),
            pages: HashMap::new(),
            roots: vec![None],
        };
        world.append(&id, &BTreeMap::new());
        world
    }

    /// Logs what keeps the rules, and nothing else.
    pub fn admit(&mut self, event: &SignedEvent) {
        match self.judge(event) {
            Replay::Stands(judgement) => {
                let judged = Arc::new(Judged { event: event.clone(), judgement });
                self.honest.add(judged.clone());
                self.log(judged);
            }
            other => panic!("{:?} is not admitted: {other:?}", event.payload().body),
        }
    }

    pub fn admit_all(&mut self, events: &[&SignedEvent]) {
        for event in events {
            self.admit(event);
        }
    }

    /// What an honest node makes of it.
    pub fn judge(&self, event: &SignedEvent) -> Replay {
        let verified = Verifier::new().verify(event.clone()).unwrap();
        let Ok(replayed) = replay(&self.network, &verified, &self.honest);
        replayed
    }

    /// Logs an event whatever the rules say.
    pub fn log_unruly(&mut self, event: &SignedEvent, signer: SubjectId) {
        let line = LaneLine { height: 1, effect: None, lot: None };
        let judgement = Judgement {
            standing: Standing::Admitted,
            actor: signer,
            acting: signer,
            key_event: self.network.id().as_event(),
            journal_height: 0,
            lines: vec![line; event.payload().touches.len()],
            amendment: None,
        };
        self.log(Arc::new(Judged { event: event.clone(), judgement }));
    }

    fn log(&mut self, judged: Arc<Judged>) {
        let id = judged.event.id();
        let touched = touched(&judged.event);
        self.logged.add(judged);
        let changes = touched.into_iter().map(|subject| (subject, self.logged.digest(&subject))).collect();
        self.append(id.as_bytes(), &changes);
    }

    fn append(&mut self, entry: &[u8], changes: &BTreeMap<SubjectId, Option<Hash>>) {
        let Self { frontier, subtrees, .. } = self;
        frontier.append(leaf_hash(entry), |level, index, hash| {
            subtrees.insert((level, index), hash);
        });
        let before = *self.roots.last().unwrap();
        let update = state_map::update(before, changes, self.size(), self).unwrap();
        self.pages.extend(update.written);
        self.roots.push(update.root);
    }

    /// Entries of the log, the network's id included.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The log's root when it had this size.
    pub fn log_root(&self, size: u64) -> Hash {
        let Ok(root) = merkle::root(size, self);
        root
    }

    /// The root of the state map when the log had this size.
    pub fn state_root(&self, size: u64) -> Hash {
        self.root(size).map_or(state_map::EMPTY, |root| root.hash)
    }

    pub fn state_proof(&self, subject: &SubjectId, size: u64) -> state_map::Proof {
        state_map::prove(self.root(size), subject, self).unwrap()
    }

    pub fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        let Ok(path) = merkle::inclusion_proof(index, size, self);
        path.unwrap()
    }

    pub fn consistency(&self, old: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = merkle::consistency_proof(old, size, self);
        proof.unwrap()
    }

    /// The anchor of the log as it is now.
    pub fn anchor(&self, previous: Option<&AnchorWords>, number: u64, timestamp_s: u64) -> AnchorWords {
        AnchorWords {
            previous: previous.map_or([0; 32], AnchorWords::commitment),
            number,
            timestamp_s,
            size: self.size(),
            log_root: self.log_root(self.size()),
            state_root: self.state_root(self.size()),
        }
    }

    fn root(&self, size: u64) -> Option<RootRef> {
        self.roots[usize::try_from(size).unwrap()]
    }
}

/// All subjects of an event, those that it creates included.
pub fn touched(event: &SignedEvent) -> Vec<SubjectId> {
    (0..event.payload().touches.len()).filter_map(|index| event.subject(index)).collect()
}

impl merkle::Nodes for World {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.subtrees[&(level, index)])
    }
}

impl Pages for World {
    type Error = Infallible;

    fn page(&self, key: &PageKey) -> Result<Option<Page>, Infallible> {
        Ok(self.pages.get(key).cloned())
    }
}
