//! What belongs to a lot's bundle: whose histories are shown whole, and no event besides.

use super::{Failure, Nodes, Reason};
use crate::admission::{Judged, offered_items, packed_parts, returned_parts};
use crate::body::Body;
use crate::bundle::Bundle;
use crate::cosignature::cosignatures;
use crate::history::History;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::note::Note;
use crate::origin::LogOrigin;
use std::collections::{BTreeSet, HashSet};

/// From where the scope of a bundle begins.
#[derive(Debug, Clone)]
pub struct Roots {
    /// The lot.
    pub lot: SubjectId,
    /// The network.
    pub network: NetworkId,
    /// Nodes: that of the log, cosigners, and those whose anchors are shown.
    pub nodes: BTreeSet<SubjectId>,
    /// Whether the lots from which others were taken or made are left out.
    pub shallow: bool,
}

/// Whose histories a bundle shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Subjects whose lanes must all be there, to their last event.
    pub whole: BTreeSet<SubjectId>,
    /// Lots from which those were taken or made, where a shallow bundle leaves them out.
    pub left_out: BTreeSet<SubjectId>,
}

/// No event creates the subject, or it is no lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no event of the bundle creates the lot {0}")]
pub struct UnknownLot(pub SubjectId);

impl Scope {
    /// The smallest scope over these events. A maker adds what is missing of it, and asks again.
    pub fn of(history: &History, roots: &Roots) -> Result<Self, UnknownLot> {
        history.lot(&roots.lot).ok_or(UnknownLot(roots.lot))?;
        let mut whole = roots.nodes.clone();
        whole.insert(SubjectId::from_bytes(*roots.network.as_bytes()));
        whole.extend(history.events().iter().map(|judged| judged.judgement.actor));
        let (mut open, mut parents) = (vec![roots.lot], BTreeSet::new());
        while let Some(lot) = open.pop() {
            if !whole.insert(lot) {
                continue;
            }
            if roots.shallow {
                parents.extend(history.parents(&lot));
            } else {
                open.extend(history.parents(&lot));
            }
            open.extend(history.units(&lot));
            open.extend(contested_parts(history, &lot));
        }
        let left_out = parents.difference(&whole).copied().collect();
        Ok(Self { whole, left_out })
    }
}

/// Parts that events in conflict over a lot minted: whether one was accepted is part of the story.
fn contested_parts(history: &History, lot: &SubjectId) -> Vec<SubjectId> {
    let in_conflict = history.lot(lot).map(|counted| counted.in_conflict).unwrap_or_default();
    in_conflict.iter().filter_map(|id| history.get(id)).flat_map(|judged| minted_parts(judged)).collect()
}

/// Parts that an event minted. What comes out of a transformation is no part of what went in.
fn minted_parts(judged: &Judged) -> Vec<SubjectId> {
    match &judged.event.payload().body {
        Body::TransferOffered(_) => {
            let items = offered_items(judged).unwrap_or_default().into_iter();
            items.filter(|item| item.item != item.lot).map(|item| item.item).collect()
        }
        Body::TransferAccepted(_) => returned_parts(judged).into_iter().map(|(_, part)| part).collect(),
        Body::UnitPacked(_) => packed_parts(judged).into_iter().map(|(_, part)| part).collect(),
        _ => Vec::new(),
    }
}

/// Check 5. Gives the scope, and the node whose log the checkpoint is.
pub(super) fn check(
    bundle: &Bundle,
    network: NetworkId,
    history: &History,
    nodes: &Nodes,
    note: Option<&Note>,
) -> Result<(Scope, SubjectId), Failure> {
    let unknown_log = || Failure::of(Reason::UnknownLog, "no node of the bundle has the key of the checkpoint's log");
    let note = note.ok_or_else(unknown_log)?;
    let node = log_key(note).and_then(|origin| nodes.with_log_key(&origin.key)).ok_or_else(unknown_log)?;
    let cosigners = cosignatures(note)
        .filter(|line| line.cosigner().network == network)
        .filter_map(|line| nodes.with_log_key(&line.cosigner().key));
    let anchoring = bundle.lines.iter().map(|line| line.node);
    let roots = Roots {
        lot: bundle.lot,
        network,
        nodes: cosigners.chain(anchoring).chain([node]).collect(),
        shallow: bundle.left_out.is_some(),
    };
    let scope = Scope::of(history, &roots)
        .map_err(|unknown| Failure::of_subject(Reason::UnknownLot, unknown.0, unknown.to_string()))?;

    let listed: BTreeSet<SubjectId> = bundle.left_out.iter().flatten().copied().collect();
    if let Some(lot) = scope.left_out.symmetric_difference(&listed).next() {
        let detail = "the list of lots that are left out is not that of the lots from which these were taken";
        return Err(Failure::of_subject(Reason::LeftOut, *lot, detail));
    }
    let proven: BTreeSet<SubjectId> = bundle.subjects.iter().map(|proof| proof.subject).collect();
    if let Some(subject) = scope.whole.difference(&proven).next() {
        let detail = "the bundle has no proof that the history of this subject is whole";
        return Err(Failure::of_subject(Reason::MissingSubject, *subject, detail));
    }
    if let Some(subject) = proven.difference(&scope.whole).next() {
        return Err(Failure::of_subject(Reason::ExtraSubject, *subject, "this subject does not belong to the lot"));
    }
    match extra_event(history, &scope) {
        Some(id) => Err(Failure::of_event(Reason::ExtraEvent, id, "this event does not belong to the lot")),
        None => Ok((scope, node)),
    }
}

/// The log that a note's text names.
fn log_key(note: &Note) -> Option<LogOrigin> {
    note.text().lines().next()?.parse().ok()
}

/// The first event that neither touches a whole subject nor is one on which another rests.
fn extra_event(history: &History, scope: &Scope) -> Option<EventId> {
    let named: HashSet<EventId> =
        history.events().iter().flat_map(|judged| judged.event.payload().rests_on()).collect();
    let belongs = |judged: &&std::sync::Arc<Judged>| {
        let touches = 0..judged.event.payload().touches.len();
        named.contains(&judged.event.id())
            || touches.filter_map(|index| judged.event.subject(index)).any(|subject| scope.whole.contains(&subject))
    };
    history.events().iter().find(|judged| !belongs(judged)).map(|judged| judged.event.id())
}
