//! The first pass: which amendments of the network are in force.

use crate::admission::Judged;
use crate::body::Body;
use crate::id::{EventId, SubjectId};
use crate::network::Network;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The network as its amendments leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The founders that have a vote now.
    pub founders: BTreeSet<SubjectId>,
    /// The amendments in force, the oldest first.
    pub amendments: Vec<EventId>,
    /// Amendments that have a majority each, and of which none is in force until another one follows all of them.
    pub rivals: BTreeSet<EventId>,
}

/// What network.amended and network.approved, of any number, make of a network.
pub(super) fn in_force<'a>(network: &Network, events: impl Iterator<Item = &'a Arc<Judged>>) -> InForce {
    let mut following: BTreeMap<&[EventId], Vec<&Arc<Judged>>> = BTreeMap::new();
    let mut approvals: BTreeMap<EventId, BTreeSet<SubjectId>> = BTreeMap::new();
    for judged in events {
        let approved = match &judged.event.payload().body {
            Body::NetworkAmended(body) => {
                following.entry(&body.follows).or_default().push(judged);
                judged.event.id()
            }
            Body::NetworkApproved(body) => body.amendment,
            _ => continue,
        };
        approvals.entry(approved).or_default().insert(judged.judgement.actor);
    }
    let count = u32::try_from(network.founders().len()).expect("there are at most 64 founders");
    let mut found = InForce {
        founders: (0..count).map(|index| network.id().founder(index)).collect(),
        amendments: Vec::new(),
        rivals: BTreeSet::new(),
    };
    let mut followed = vec![network.id().as_event()];
    // An amendment names what it follows, so none comes twice and this ends.
    loop {
        let candidates = following.get(followed.as_slice()).map(Vec::as_slice).unwrap_or_default();
        let agreed = |judged: &&&Arc<Judged>| {
            let votes = approvals.get(&judged.event.id()).map_or(0, |by| by.intersection(&found.founders).count());
            votes * 2 > found.founders.len()
        };
        let agreed: Vec<&Arc<Judged>> = candidates.iter().filter(agreed).copied().collect();
        found.rivals.clear();
        match agreed.as_slice() {
            [] => return found,
            [one] => {
                found.amendments.push(one.event.id());
                if let Body::NetworkAmended(body) = &one.event.payload().body
                    && let Some(leaves) = &body.change.leaves
                {
                    found.founders.remove(&network.id().founder(leaves.index));
                }
                followed = vec![one.event.id()];
            }
            several => {
                found.rivals = several.iter().map(|judged| judged.event.id()).collect();
                followed = found.rivals.iter().copied().collect();
            }
        }
    }
}
