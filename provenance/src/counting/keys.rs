//! The second pass: which keys live, and which of their events lie before the end of their journals.

use super::deciding::Deciding;
use super::network::InForce;
use crate::admission::{Judged, given_key};
use crate::body::{Body, Cut};
use crate::id::{EventId, PublicKey, SubjectId};
use crate::network::Network;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

/// Tells which events of a journal lie before a cut.
pub trait Journals {
    /// What can go wrong while reading.
    type Error;

    /// Whether nothing but the last event of a cut tells what lies before it: then of rotations with the same last event
    /// one is asked about, however many there are. Not so where each cut needs a proof of its own.
    const BY_LAST_EVENT: bool = false;

    /// Whether `event`, which is one of the journal that `cut` cuts, is the last event of the cut or a journal
    /// ancestor of it. `cutter` is the event that cuts.
    fn is_within(&self, cutter: &EventId, cut: &Cut, event: &Judged) -> Result<bool, Self::Error>;
}

/// Events that are known to lie before a cut: by cutter and key event of the journal, the event. Of all others it is
/// taken that they lie beyond.
#[derive(Debug, Clone, Default)]
pub struct Survivors(pub BTreeSet<(EventId, EventId, EventId)>);

impl Journals for Survivors {
    type Error = Infallible;

    fn is_within(&self, cutter: &EventId, cut: &Cut, event: &Judged) -> Result<bool, Infallible> {
        Ok(self.0.contains(&(*cutter, cut.key_event, event.event.id())))
    }
}

/// A journal: the event that gave the key (the network id for founders), and the key.
pub type Journal = (EventId, PublicKey);

/// The cuts that an event makes if it counts, each with the journal that it ends; `given_key` tells which key an
/// event gave.
pub fn cuts(
    network: &Network,
    judged: &Judged,
    given_key: impl Fn(&EventId) -> Option<PublicKey>,
) -> Vec<(Journal, Cut)> {
    let of_actor = |cuts: &[Cut]| {
        let journal = |cut: &Cut| Some(((cut.key_event, given_key(&cut.key_event)?), cut.clone()));
        cuts.iter().filter_map(journal).collect()
    };
    match &judged.event.payload().body {
        Body::ActorKeyReplaced(body) => of_actor(&body.cuts),
        Body::ActorRevoked(body) => of_actor(&body.cuts),
        Body::ActorKeyRotated(body) => {
            let cut = Cut {
                key_event: judged.judgement.key_event,
                last: judged.event.payload().journal,
                count: body.journal.count,
                root: body.journal.root,
                stands: Vec::new(),
            };
            vec![((cut.key_event, judged.event.key()), cut)]
        }
        Body::NetworkAmended(body) => body
            .change
            .leaves
            .iter()
            .filter_map(|leaves| {
                let key = network.founders().get(usize::try_from(leaves.index).ok()?)?;
                Some(((leaves.cut.key_event, *key), leaves.cut.clone()))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A cut that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutInForce {
    /// The event that cuts.
    pub cutter: EventId,
    /// The cut.
    pub cut: Cut,
    /// Whether the key was rotated: rotations do not end each other.
    pub by_rotation: bool,
}

/// Which keys live, and where journals end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Key events that are live.
    live: BTreeSet<EventId>,
    /// Every enrolment, live or not: event and actor.
    enrolments: BTreeMap<EventId, SubjectId>,
    cuts: BTreeMap<Journal, Vec<CutInForce>>,
    /// The same, by what has to be asked of an event.
    ends: BTreeMap<Journal, Ends>,
}

/// The cuts in force of one journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Ends {
    /// Those that end rotations too.
    others: Vec<CutInForce>,
    /// By last event: of the rotations that end there, the one with the lowest id.
    rotations: BTreeMap<EventId, CutInForce>,
}

/// What a rotation changes for events that were there before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// Nothing: its key does not live, or another rotation ends the journal at the same event.
    Nothing,
    /// A journal ends where it did not end before; no key, cut or decision lies beyond.
    Ends(Box<NewEnd>),
}

/// The end that a rotation sets to a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnd {
    /// The journal.
    pub journal: Journal,
    /// The cut.
    pub cut: CutInForce,
    /// The last event of the rotation of this journal that left least of it before; none for the first rotation.
    pub earlier: Option<EventId>,
}

impl Keys {
    /// Finds out about all key events and cuts.
    pub(super) fn of<J: Journals>(
        network: &Network,
        deciding: &Deciding,
        in_force: &InForce,
        journals: &J,
    ) -> Result<Self, J::Error> {
        let mut keys = Self { enrolments: deciding.enrolments().clone(), ..Self::default() };
        for id in &in_force.amendments {
            if let Some(judged) = deciding.get(id) {
                keys.cut_by(network, judged, deciding);
            }
        }
        // A cut depends only on keys above the one that it ends: from the founders downwards.
        for actors in deciding.by_depth() {
            for judged in actors.iter().flat_map(|actor| deciding.signed_above(actor)) {
                keys.take(network, judged, deciding, journals)?;
            }
            for actor in &actors {
                keys.take_own(network, deciding.signed_itself(actor), deciding, journals)?;
            }
        }
        Ok(keys)
    }

    /// Adds a key event that nothing rests on yet. It must cut nothing.
    pub(super) fn add<J: Journals>(&mut self, judged: &Arc<Judged>, journals: &J) -> Result<(), J::Error> {
        if let (Body::ActorEnrolled(_), Some(actor)) = (&judged.event.payload().body, judged.event.subject(0)) {
            self.enrolments.insert(judged.event.id(), actor);
        }
        if self.is_live(judged, journals)? {
            self.live.insert(judged.event.id());
        }
        Ok(())
    }

    /// Whether an event's key lives where it was signed.
    pub fn is_live<J: Journals>(&self, judged: &Judged, journals: &J) -> Result<bool, J::Error> {
        Ok(self.has_live_key(judged) && self.survives(judged, journals)?)
    }

    /// The cuts in force, by journal.
    pub fn cuts(&self) -> &BTreeMap<Journal, Vec<CutInForce>> {
        &self.cuts
    }

    /// The key events that live by one of the two and not by the other.
    pub fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a EventId> {
        self.live.symmetric_difference(&other.live)
    }

    /// Whether a key event is live.
    pub fn is_live_key_event(&self, id: &EventId) -> bool {
        self.live.contains(id)
    }

    fn has_live_key(&self, judged: &Judged) -> bool {
        let payload = judged.event.payload();
        if judged.judgement.key_event == payload.network.as_event() {
            return true;
        }
        let mut enrolments = payload
            .basis
            .iter()
            .filter(|id| self.enrolments.get(id).is_some_and(|actor| *actor == judged.judgement.actor));
        self.live.contains(&judged.judgement.key_event) && enrolments.all(|id| self.live.contains(id))
    }

    fn survives<J: Journals>(&self, judged: &Judged, journals: &J) -> Result<bool, J::Error> {
        let journal = (judged.judgement.key_event, judged.event.key());
        let (Some(cuts), Some(ends)) = (self.cuts.get(&journal), self.ends.get(&journal)) else { return Ok(true) };
        let id = judged.event.id();
        for CutInForce { cutter, cut, .. } in &ends.others {
            let exempt = *cutter == id || cut.stands.contains(&id);
            if !exempt && !journals.is_within(cutter, cut, judged)? {
                return Ok(false);
            }
        }
        if is_rotation(judged) {
            return Ok(true);
        }
        if J::BY_LAST_EVENT {
            return are_within(ends.rotations.values(), judged, journals);
        }
        are_within(cuts.iter().filter(|cut| cut.by_rotation), judged, journals)
    }

    /// Goes on with a rotation that nothing rests on yet. Nothing is done, and None comes back, if it ends a key, a cut or
    /// a decision: then all have to be found out about anew.
    pub(super) fn add_rotation<J: Journals>(
        &mut self,
        network: &Network,
        judged: &Arc<Judged>,
        deciding: &Deciding,
        journals: &J,
    ) -> Result<Option<Rotated>, J::Error> {
        if !self.is_live(judged, journals)? {
            return Ok(Some(Rotated::Nothing));
        }
        let cutter = judged.event.id();
        let Some((journal, cut)) = cuts(network, judged, |id| deciding.given_key(id)).pop() else { return Ok(None) };
        let before = self.ends.get(&journal).map(|ends| &ends.rotations);
        let earlier = before.and_then(|rotations| rotations.values().min_by_key(|end| end.cut.count));
        let earlier = earlier.map(|end| end.cut.last);
        let is_end = before.is_some_and(|rotations| rotations.contains_key(&cut.last));
        if !is_end {
            for signed in deciding.signed_in(&journal).filter(|signed| !is_rotation(signed)) {
                if self.is_live(signed, journals)? && !journals.is_within(&cutter, &cut, signed)? {
                    return Ok(None);
                }
            }
        }
        self.live.insert(cutter);
        let cut = CutInForce { cutter, cut, by_rotation: true };
        self.put_cut(journal, cut.clone());
        Ok(Some(if is_end { Rotated::Nothing } else { Rotated::Ends(Box::new(NewEnd { journal, cut, earlier })) }))
    }

    /// Key events and cuts that an actor signed itself, those of older keys first; of each key its rotations before
    /// the rest, which they end.
    fn take_own<'a, J: Journals>(
        &mut self,
        network: &Network,
        own: impl Iterator<Item = &'a Arc<Judged>>,
        deciding: &Deciding,
        journals: &J,
    ) -> Result<(), J::Error> {
        let mut by_key: HashMap<EventId, Vec<&Arc<Judged>>> = HashMap::new();
        let mut all: Vec<&Arc<Judged>> = own.collect();
        for judged in &all {
            by_key.entry(judged.judgement.key_event).or_default().push(judged);
        }
        // Keys that were not given by one of these events come first, then those that they give, and so on.
        let given: BTreeSet<EventId> = all.iter().map(|judged| judged.event.id()).collect();
        all.retain(|judged| !given.contains(&judged.judgement.key_event));
        let mut ready: BTreeSet<EventId> = all.iter().map(|judged| judged.judgement.key_event).collect();
        while let Some(key_event) = ready.pop_first() {
            let mut signed = by_key.remove(&key_event).unwrap_or_default();
            signed.sort_by_key(|judged| !is_rotation(judged));
            for judged in signed {
                self.take(network, judged, deciding, journals)?;
                ready.insert(judged.event.id());
            }
        }
        Ok(())
    }

    fn take<J: Journals>(
        &mut self,
        network: &Network,
        judged: &Arc<Judged>,
        deciding: &Deciding,
        journals: &J,
    ) -> Result<(), J::Error> {
        if self.is_live(judged, journals)? {
            self.cut_by(network, judged, deciding);
            if given_key(&judged.event).is_some() {
                self.live.insert(judged.event.id());
            }
        }
        Ok(())
    }

    fn cut_by(&mut self, network: &Network, judged: &Judged, deciding: &Deciding) {
        let (cutter, by_rotation) = (judged.event.id(), is_rotation(judged));
        for (journal, cut) in cuts(network, judged, |id| deciding.given_key(id)) {
            self.put_cut(journal, CutInForce { cutter, cut, by_rotation });
        }
    }

    fn put_cut(&mut self, journal: Journal, cut: CutInForce) {
        let ends = self.ends.entry(journal).or_default();
        if cut.by_rotation {
            let lowest = ends.rotations.entry(cut.cut.last).or_insert_with(|| cut.clone());
            if cut.cutter < lowest.cutter {
                *lowest = cut.clone();
            }
        } else {
            insert_by_cutter(&mut ends.others, cut.clone());
        }
        insert_by_cutter(self.cuts.entry(journal).or_default(), cut);
    }
}

fn insert_by_cutter(cuts: &mut Vec<CutInForce>, cut: CutInForce) {
    let at = cuts.partition_point(|other| other.cutter <= cut.cutter);
    cuts.insert(at, cut);
}

/// Whether an event lies before all of these cuts.
fn are_within<'a, J: Journals>(
    cuts: impl Iterator<Item = &'a CutInForce>,
    judged: &Judged,
    journals: &J,
) -> Result<bool, J::Error> {
    for CutInForce { cutter, cut, .. } in cuts {
        if !journals.is_within(cutter, cut, judged)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_rotation(judged: &Judged) -> bool {
    matches!(judged.event.payload().body, Body::ActorKeyRotated(_))
}
