//! What belongs into a bundle: the subjects whose histories it must hold whole.

use crate::admission::{Judged, offered_items, returned_parts};
use crate::body::Body;
use crate::counting;
use crate::history::History;
use crate::id::{NetworkId, SubjectId};
use crate::payload::Lane;
use std::collections::BTreeSet;

/// The search for the whole subjects (docs/verification.md, check 5).
///
/// Each call of [`Scope::extend`] looks only at what is new. Whoever makes a bundle starts with the lanes of
/// [`Scope::subjects`] and all ancestors of their events in the history, calls it, adds to the
/// history all lanes of the subjects that it names, with all ancestors, and calls again, until it names
/// none. Whoever verifies one has the whole history already, and only calls until then.
#[derive(Debug, Clone)]
pub struct Scope {
    shallow: bool,
    subjects: BTreeSet<SubjectId>,
    parents: BTreeSet<SubjectId>,
    /// Subjects that the last call named.
    open: Vec<SubjectId>,
    /// How many events of the history have been looked at.
    read: usize,
}

/// A lot that was minted from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The part.
    pub part: SubjectId,
    /// The lot from which it was taken.
    pub parent: SubjectId,
}

impl Scope {
    /// A search from the lot, the network, and the nodes whose word stands in the bundle: of the log, of
    /// the cosigners and of the lines of anchors. A `shallow` bundle leaves the parents of lots out.
    pub fn new(lot: SubjectId, network: &NetworkId, nodes: impl IntoIterator<Item = SubjectId>, shallow: bool) -> Self {
        let network = SubjectId::from_bytes(*network.as_bytes());
        let subjects: BTreeSet<_> = nodes.into_iter().chain([lot, network]).collect();
        let open = subjects.iter().copied().collect();
        Self { shallow, subjects, parents: BTreeSet::new(), open, read: 0 }
    }

    /// Looks at the subjects that were named last, whose lanes must now be in the history, and at the
    /// events that are new in it; gives the subjects that must be whole beside those known so far.
    pub fn extend(&mut self, history: &History) -> Vec<SubjectId> {
        let mut found: BTreeSet<SubjectId> =
            history.events()[self.read..].iter().map(|judged| judged.judgement.actor).collect();
        self.read = history.events().len();
        for subject in std::mem::take(&mut self.open) {
            if let Some(parent) = parent(&subject, history) {
                if self.shallow {
                    self.parents.insert(parent)
                } else {
                    found.insert(parent)
                };
            }
            let minted = conflict(&subject, history).into_iter().flat_map(|judged| parts(&judged));
            found.extend(minted.map(|minted| minted.part));
        }
        let found: Vec<_> = found.into_iter().filter(|subject| self.subjects.insert(*subject)).collect();
        self.open.clone_from(&found);
        found
    }

    /// The subjects that must be whole, as far as they were found.
    pub fn subjects(&self) -> &BTreeSet<SubjectId> {
        &self.subjects
    }

    /// Of a shallow bundle, the parents whose histories are left out.
    pub fn left_out(&self) -> BTreeSet<SubjectId> {
        self.parents.difference(&self.subjects).copied().collect()
    }
}

/// The parts that an admitted event minted.
pub fn parts(judged: &Judged) -> Vec<Part> {
    match &judged.event.payload().body {
        Body::TransferOffered(_) => {
            let items = offered_items(judged).unwrap_or_default().into_iter();
            items.filter(|item| item.item != item.lot).map(|item| Part { part: item.item, parent: item.lot }).collect()
        }
        Body::TransferAccepted(_) => {
            returned_parts(judged).into_iter().map(|(parent, part)| Part { part, parent }).collect()
        }
        _ => Vec::new(),
    }
}

/// The events of the lot's main lane that cannot all stand, whether or not that is settled.
pub(crate) fn conflict(subject: &SubjectId, history: &History) -> Vec<std::sync::Arc<Judged>> {
    let tips = history.tips(subject).remove(&Lane::Main).unwrap_or_default();
    // Almost always there is one tip, and so nothing that excludes anything.
    if tips.len() < 2 {
        return Vec::new();
    }
    let tips: Vec<_> = tips.into_iter().collect();
    let Ok(counted) = counting::lot(subject, &tips, history);
    counted.map(|lot| lot.in_conflict).unwrap_or_default().iter().filter_map(|id| history.event(id).cloned()).collect()
}

/// The lot from which a lot was taken.
fn parent(subject: &SubjectId, history: &History) -> Option<SubjectId> {
    let minted = parts(history.creation(subject)?);
    minted.into_iter().find(|minted| minted.part == *subject).map(|minted| minted.parent)
}
