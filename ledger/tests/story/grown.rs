//! Stories that grow at random: lots of several farmers, forks, parts and corrections.

use super::{Story, Who, text};
use ed25519_dalek::{Signer, SigningKey};
use provenance::body::{ActorEnrolled, Body, Custody, NodeDetails, Role};
use provenance::cbor::Any;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::merkle::Hash;
use provenance::payload::Lane;
use provenance::state_map::{EMPTY, Page, PageKey, Pages, digest, update};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;

/// A map without any pages.
struct NoPages;

impl Pages for NoPages {
    type Error = Infallible;

    fn page(&self, _: &PageKey) -> Result<Option<Page>, Infallible> {
        Ok(None)
    }
}

/// Tips by subject and lane, as the definition says it, without any cleverness.
pub fn naive_tips<'a>(
    events: impl IntoIterator<Item = &'a SignedEvent> + Clone,
) -> BTreeMap<SubjectId, BTreeMap<Lane, BTreeSet<EventId>>> {
    let mut extended: HashSet<(SubjectId, Lane, EventId)> = HashSet::new();
    for event in events.clone() {
        for (at, touch) in event.payload().touches.iter().enumerate() {
            let subject = event.subject(at).unwrap();
            extended.extend(touch.prev.iter().map(|prev| (subject, touch.lane, *prev)));
        }
    }
    let mut tips: BTreeMap<SubjectId, BTreeMap<Lane, BTreeSet<EventId>>> = BTreeMap::new();
    for event in events {
        for (at, touch) in event.payload().touches.iter().enumerate() {
            let subject = event.subject(at).unwrap();
            if !extended.contains(&(subject, touch.lane, event.id())) {
                tips.entry(subject).or_default().entry(touch.lane).or_default().insert(event.id());
            }
        }
    }
    tips
}

/// The state root of a set of events.
pub fn naive_root<'a>(events: impl IntoIterator<Item = &'a SignedEvent> + Clone) -> Hash {
    let changes = naive_tips(events).iter().map(|(subject, tips)| (*subject, digest(tips))).collect();
    update(None, &changes, 1, &NoPages).unwrap().root.map_or(EMPTY, |root| root.hash)
}

impl Story {
    /// Enrols a node with the key of its log.
    pub fn enrol_node(&mut self, log: &SigningKey) -> Who {
        let number = self.actors.len();
        let key = super::key(number);
        let node = NodeDetails { log_key: super::public(log), peer_id: text("12D3KooW"), anchoring: None };
        let mut body = ActorEnrolled {
            key: super::public(&key),
            custody: Custody::Own,
            roles: vec![Role::Node],
            may_give: Vec::new(),
            display_name: text(&format!("Node {number}")),
            personal_name: None,
            gln: None,
            gs1_prefixes: None,
            node: Some(node),
            countersignature: [0; 64].into(),
        };
        let message = body.countersigned_bytes(&self.network.id(), &self.actors[0].id);
        body.countersignature = key.sign(&message).to_bytes().into();
        let event = self.tell(0, vec![Self::new_subject()], &[], Body::ActorEnrolled(body));
        let (id, enrolment) = (event.id().subject(0), event.id());
        self.actors.push(super::Actor { key, id, enrolment, key_event: enrolment, journal: enrolment });
        number
    }

    /// Tells one thing for each choice; farmers and traders act beside each other.
    pub fn grow(&mut self, choices: &[u8]) {
        let farmers = [(); 3].map(|()| self.enrol(0, &[Role::Farmer], &[]));
        let buyer = self.enrol(0, &[Role::Trader], &[]);
        let farms = farmers.map(|farmer| self.place(farmer, "Hillside"));
        let mut lots: Vec<(Who, SubjectId, SignedEvent)> = Vec::new();
        for choice in choices {
            let at = usize::from(choice / 8);
            let farmer = at % farmers.len();
            if lots.is_empty() || choice % 8 == 0 {
                let lot = self.lot(farmers[farmer], farms[farmer], "100");
                lots.push((farmers[farmer], lot, self.events.last().unwrap().clone()));
                continue;
            }
            let at = at % lots.len();
            let (who, lot, registered) = lots[at].clone();
            match choice % 8 {
                1 => drop(self.grade(who, lot, "A")),
                2 => drop(self.price(who, lot, 130)),
                3 => drop(self.correct(who, &registered, 3, Any::Text("Fuji".into()))),
                4 => drop(self.rename(who, "Hillside Farm")),
                5 => {
                    // A part is offered, and perhaps taken.
                    let offer = self.offer(who, lot, "1", true, buyer);
                    if choice / 8 % 2 == 0 {
                        self.accept(buyer, offer.id(), offer.id().subject(1), "1", None);
                    }
                }
                6 => {
                    // A cancellation and an acceptance cross, and nothing more is told of that lot.
                    let lot = self.lot(who, self_farm(&farmers, &farms, who), "30");
                    let offer = self.offer(who, lot, "30", false, buyer);
                    self.beside(|story| story.cancel(who, offer.id(), lot));
                    self.accept(buyer, offer.id(), lot, "30", None);
                    self.meet();
                }
                _ => drop(self.move_to(who, lot, self_farm(&farmers, &farms, who))),
            }
        }
    }

    /// The events that are chosen, with all on which they rest.
    pub fn closed(&self, first: usize, chosen: &[bool]) -> Vec<SignedEvent> {
        let known: HashSet<EventId> = self.events.iter().map(SignedEvent::id).collect();
        let mut taken: HashSet<EventId> = HashSet::new();
        let mut events = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            let rests = event.payload().ancestors().all(|id| taken.contains(&id) || !known.contains(&id));
            if at < first || (rests && chosen[at % chosen.len()]) {
                taken.insert(event.id());
                events.push(event.clone());
            }
        }
        events
    }
}

fn self_farm(farmers: &[Who], farms: &[SubjectId], who: Who) -> SubjectId {
    farms[farmers.iter().position(|farmer| *farmer == who).unwrap()]
}

/// Another order in which every event comes after those on which it rests.
pub fn reordered(events: &[SignedEvent], seed: u64) -> Vec<SignedEvent> {
    let mut left: Vec<SignedEvent> = events.to_vec();
    let mut state = seed | 1;
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let open: HashSet<EventId> = left.iter().map(SignedEvent::id).collect();
        let ready: Vec<usize> =
            (0..left.len()).filter(|at| left[*at].payload().ancestors().all(|id| !open.contains(&id))).collect();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = usize::try_from(state >> 33).unwrap() % ready.len();
        ordered.push(left.remove(ready[pick]));
    }
    ordered
}
