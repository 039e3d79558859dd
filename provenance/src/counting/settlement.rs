//! What the first three passes find: by it, each other event is counted.

use super::deciding::Deciding;
use super::decisions::{Overruled, overruled};
use super::keys::{Journals, Keys, Rotated};
use super::network::{InForce, in_force};
use crate::admission::Judged;
use crate::id::{EventId, SubjectId};
use crate::network::Network;
use crate::payload::Lane;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Which amendments are in force, which keys live, and what is overruled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    in_force: InForce,
    keys: Keys,
    overruled: Overruled,
}

impl Settlement {
    /// Of all admitted events that decide about others.
    pub fn of<J: Journals>(network: &Network, deciding: &Deciding, journals: &J) -> Result<Self, J::Error> {
        let in_force = in_force(network, deciding.network());
        let keys = Keys::of(network, deciding, &in_force, journals)?;
        let overruled = overruled(deciding, &in_force, &keys, journals)?;
        Ok(Self { in_force, keys, overruled })
    }

    /// Goes on with an event that gives a new key ([`super::Reach::NewKey`]): what was found of others stays.
    pub fn add_key<J: Journals>(&mut self, judged: &Arc<Judged>, journals: &J) -> Result<(), J::Error> {
        self.keys.add(judged, journals)
    }

    /// Goes on with a rotation of a key, the newest of these, if it ends no key, no cut and no decision; else nothing
    /// comes back, nothing is done, and all has to be found anew.
    pub fn add_rotation<J: Journals>(
        &mut self,
        network: &Network,
        judged: &Arc<Judged>,
        deciding: &Deciding,
        journals: &J,
    ) -> Result<Option<Rotated>, J::Error> {
        self.keys.add_rotation(network, judged, deciding, journals)
    }

    /// The amendments in force.
    pub fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether a decision overrules what this event does to a lot, on its main or title lane.
    pub fn is_overruled(&self, subject: &SubjectId, lane: Lane, event: &EventId) -> bool {
        lane.is_of_custody() && self.overruled.get(subject).is_some_and(|branches| branches.contains(event))
    }

    /// All branches that decisions overrule, with their lots.
    pub fn overruled(&self) -> BTreeSet<(SubjectId, EventId)> {
        self.overruled.iter().flat_map(|(lot, branches)| branches.iter().map(|branch| (*lot, *branch))).collect()
    }

    /// Whether everything that was admitted so far counts: no journal was cut, and nothing is overruled. (Without
    /// cuts all keys live.)
    pub fn ends_nothing(&self) -> bool {
        self.keys.cuts().is_empty() && self.overruled.is_empty()
    }
}
