//! Events beyond the corpus, one by one: newcomers who each register lots and tell of them, and rest on nobody else's.

use super::Corpus;
use super::actor::{self, Actor, Frame, new_subject, text};
use super::lot::Lot;
use super::season::{APART_MS, BEGINS_MS, Season};
use ed25519_dalek::Signer;
use provenance::body::{ActorEnrolled, Body, Custody, NodeDetails, Role};
use provenance::event::SignedEvent;
use provenance::id::{EventId, NetworkId, PublicKey};
use provenance::value::Text;
use rayon::prelude::*;

/// The first newcomer's number: nobody of the corpus has it.
const FIRST: usize = 1_000_000;

/// Events of a lot before it would go to somebody else.
const OF_ONE_LOT: usize = 4;

/// Those who come after everybody of the corpus.
pub struct Singles {
    network: NetworkId,
    /// The founder's last event.
    journal: EventId,
    /// When nothing was signed yet.
    time_ms: u64,
    lines: Vec<Line>,
}

/// What one of them tells.
struct Line {
    actor: Actor,
    lot: Lot,
    told: usize,
    time_ms: u64,
}

impl Singles {
    /// So many newcomers, and the events that bring them in. They may follow on any part of the corpus in which
    /// everybody else was enrolled.
    pub fn enrol(corpus: &Corpus, count: usize) -> anyhow::Result<(Self, Vec<Vec<u8>>)> {
        let network = corpus.network().id();
        let time_ms = BEGINS_MS + APART_MS * corpus.len();
        let journal = Season::new(corpus.len()).last_enrolment()?;
        let mut singles = Self { network, journal, time_ms, lines: Vec::new() };
        let mut events = Vec::new();
        for number in FIRST..FIRST + count {
            let enrolled = singles.by_founder(actor::enrolment(number, &network, &network.founder(0)))?;
            let (key, id, enrolment) = (actor::key(number), enrolled.id().subject(0), enrolled.id());
            let frame = singles.frame(enrolment, enrolment);
            let place = frame.sign(&key, vec![new_subject()], &[], actor::place(number)?)?;
            let actor = Actor { key, id, enrolment, journal: place.id(), place: (place.id().subject(0), place.id()) };
            singles.lines.push(Line { actor, lot: Lot::new(number as u64, 0), told: 0, time_ms });
            events.extend([enrolled, place].map(|event| event.bytes().to_vec()));
        }
        Ok((singles, events))
    }

    /// The event that enrols a node with the key of its log.
    pub fn enrol_node(&mut self, peer_id: &str, log_key: PublicKey) -> anyhow::Result<Vec<u8>> {
        let key = actor::key(FIRST - 1);
        let mut body = ActorEnrolled {
            key: actor::public(&key),
            custody: Custody::Own,
            roles: vec![Role::Node],
            may_give: Vec::new(),
            display_name: text("Node"),
            personal_name: None,
            gln: None,
            gs1_prefixes: None,
            node: Some(NodeDetails { log_key, peer_id: Text::new(peer_id)?, anchoring: None }),
            countersignature: [0; 64].into(),
        };
        let countersigned = body.countersigned_bytes(&self.network, &self.network.founder(0));
        body.countersignature = key.sign(&countersigned).to_bytes().into();
        Ok(self.by_founder(Body::ActorEnrolled(body))?.bytes().to_vec())
    }

    /// So many further events of each newcomer. Those of one rest on each other, those of two never.
    pub fn lines(&mut self, each: usize) -> anyhow::Result<Vec<Vec<Vec<u8>>>> {
        let network = self.network;
        let tell = |line: &mut Line| (0..each).map(|_| line.tell(network)).collect();
        self.lines.par_iter_mut().map(tell).collect()
    }

    fn by_founder(&mut self, body: Body) -> anyhow::Result<SignedEvent> {
        let frame = self.frame(self.journal, self.network.as_event());
        let event = frame.sign(&actor::key(0), vec![new_subject()], &[], body)?;
        self.journal = event.id();
        Ok(event)
    }

    fn frame(&self, journal: EventId, enrolment: EventId) -> Frame {
        Frame { network: self.network, time_ms: self.time_ms, journal, enrolment }
    }
}

impl Line {
    fn tell(&mut self, network: NetworkId) -> anyhow::Result<Vec<u8>> {
        if self.told.is_multiple_of(OF_ONE_LOT) {
            self.lot = Lot::new(self.told as u64, 0);
        }
        self.told += 1;
        self.time_ms += APART_MS;
        let Actor { key, enrolment, journal, .. } = &self.actor;
        let said = self.lot.say(std::slice::from_ref(&self.actor), 0)?;
        let frame = Frame { network, time_ms: self.time_ms, journal: *journal, enrolment: *enrolment };
        let event = frame.sign(key, said.touches, &said.basis, said.body)?;
        self.lot.go_on(&event, 0);
        self.actor.journal = event.id();
        Ok(event.bytes().to_vec())
    }
}
