//! A node's memory in its simplest form: every event that came, judged as soon as it can be.

use provenance::admission::{Ancestry, Hold, Judged, Judgement, Rule, Verdict, judge};
use provenance::counting::{self, CountedLot};
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use provenance::signature::Verifier;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    Admitted,
    Void(Rule),
    Held,
    Rejected,
}

pub struct Archive {
    network: Network,
    judged: BTreeMap<EventId, Arc<Judged>>,
    held: BTreeMap<EventId, SignedEvent>,
}

impl Archive {
    pub fn new(network: Network) -> Self {
        Self { network, judged: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// Takes an event, and then again all that waited.
    pub fn take(&mut self, event: SignedEvent) -> Became {
        let became = self.judge(event);
        while self.held.values().cloned().collect::<Vec<_>>().into_iter().any(|held| self.judge(held) != Became::Held) {
        }
        became
    }

    fn judge(&mut self, event: SignedEvent) -> Became {
        let Ok(verified) = Verifier::new().verify(event) else { return Became::Rejected };
        let (id, verdict) = (verified.id(), judge(&self.network, &verified, self).unwrap());
        let event = verified.into_signed();
        let (became, judgement): (Became, Judgement) = match verdict {
            Verdict::Reject(_) => return Became::Rejected,
            Verdict::Hold(Hold::Missing(_) | Hold::Unsupported(_)) => {
                self.held.insert(id, event);
                return Became::Held;
            }
            Verdict::Void(rule, judgement) => (Became::Void(rule), judgement),
            Verdict::Admit(judgement) => (Became::Admitted, judgement),
        };
        self.held.remove(&id);
        self.judged.insert(id, Arc::new(Judged { event, judgement }));
        became
    }

    pub fn judgements(&self) -> BTreeMap<EventId, Judgement> {
        self.judged.iter().map(|(id, judged)| (*id, judged.judgement.clone())).collect()
    }

    pub fn subjects(&self) -> Vec<SubjectId> {
        let admitted = self.judged.values().filter(|judged| judged.judgement.is_admitted());
        let mut all: Vec<_> = admitted
            .flat_map(|judged| (0..judged.event.payload().touches.len()).filter_map(|i| judged.event.subject(i)))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub fn lot(&self, subject: &SubjectId) -> Option<CountedLot> {
        self.counted(subject, Lane::Main)
    }

    /// A lot by its main lane, or who owns it by its title lane.
    pub fn counted(&self, subject: &SubjectId, lane: Lane) -> Option<CountedLot> {
        let tips = self.lane_tips(subject, lane).unwrap().into_iter().collect();
        counting::lot(subject, lane, &tips, self).unwrap()
    }
}

impl Ancestry for Archive {
    type Error = Infallible;

    fn judged(&self, id: &EventId) -> Result<Option<Arc<Judged>>, Infallible> {
        Ok(self.judged.get(id).cloned())
    }

    fn lane_tips(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Infallible> {
        let events = self.lane_events(subject, lane)?;
        let extended = |tip: &EventId| {
            events.iter().any(|id| {
                let event = &self.judged[id].event;
                let on_lane =
                    |i: &usize| event.payload().touches[*i].lane == lane && event.subject(*i) == Some(*subject);
                (0..event.payload().touches.len())
                    .find(on_lane)
                    .is_some_and(|i| event.payload().touches[i].prev.contains(tip))
            })
        };
        Ok(events.iter().copied().filter(|id| !extended(id)).collect())
    }

    fn lane_events(&self, subject: &SubjectId, lane: Lane) -> Result<Vec<EventId>, Infallible> {
        let on_lane = |judged: &&Arc<Judged>| {
            judged.judgement.is_admitted()
                && (0..judged.event.payload().touches.len()).any(|i| {
                    judged.event.payload().touches[i].lane == lane && judged.event.subject(i) == Some(*subject)
                })
        };
        Ok(self.judged.values().filter(on_lane).map(|judged| judged.event.id()).collect())
    }
}
