//! The third pass: which touches of lots are overruled by a decision.

use super::deciding::Deciding;
use super::keys::{Journals, Keys};
use super::network::InForce;
use crate::admission::Judged;
use crate::body::Body;
use crate::id::{EventId, SubjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// By lot, the branches that do not stand.
pub(super) type Overruled = BTreeMap<SubjectId, BTreeSet<EventId>>;

pub(super) fn overruled<J: Journals>(
    deciding: &Deciding,
    in_force: &InForce,
    keys: &Keys,
    journals: &J,
) -> Result<Overruled, J::Error> {
    let mut overruled = Overruled::new();
    for (lot, decisions) in deciding.decisions() {
        let mut live = Vec::new();
        for judged in decisions {
            if keys.is_live(judged, journals)? {
                live.push(judged);
            }
        }
        overruled.insert(*lot, by_heads(&live));
    }
    for id in &in_force.amendments {
        let Some(Body::NetworkAmended(body)) = deciding.body(id) else { continue };
        let Some(decision) = &body.change.decision else { continue };
        let of_lot = overruled.entry(decision.lot).or_default();
        for branch in &decision.branches {
            // The founders' word goes before a resolver's, and the later amendment before the earlier.
            if decision.stands.contains(branch) {
                of_lot.remove(branch);
            } else {
                of_lot.insert(*branch);
            }
        }
    }
    overruled.retain(|_, branches| !branches.is_empty());
    Ok(overruled)
}

/// What the decisions over one lot that nothing replaced overrule together: of a branch over which several of them
/// speak, nothing is decided.
fn by_heads(live: &[&Arc<Judged>]) -> BTreeSet<EventId> {
    let bodies = || {
        live.iter().filter_map(|judged| match &judged.event.payload().body {
            Body::DisputeResolved(body) => Some((judged.event.id(), body)),
            _ => None,
        })
    };
    let replaced: BTreeSet<EventId> = bodies().filter_map(|(_, body)| body.replaces).collect();
    let mut spoken_of: BTreeMap<EventId, Vec<bool>> = BTreeMap::new();
    for (_, body) in bodies().filter(|(id, _)| !replaced.contains(id)) {
        for branch in &body.branches {
            spoken_of.entry(*branch).or_default().push(body.stands.contains(branch));
        }
    }
    spoken_of.into_iter().filter(|(_, stands)| stands.as_slice() == [false]).map(|(branch, _)| branch).collect()
}
