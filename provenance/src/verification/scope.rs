//! Check 5: the bundle holds what belongs to the lot, and nothing else.

use super::checkpoint::SignedCheckpoint;
use super::nodes::Nodes;
use super::report::{Failure, MATHEMATICS, Passed};
use crate::body::Body;
use crate::bundle::{Bundle, Scope, parts};
use crate::history::History;
use crate::id::{EventId, SubjectId};
use crate::network::Network;
use std::collections::{BTreeSet, HashSet};

/// What the check found.
pub(super) struct Scoped {
    /// The node whose log the checkpoint is.
    pub node: SubjectId,
    /// All nodes of the bundle.
    pub nodes: Nodes,
    /// The whole subjects.
    pub subjects: BTreeSet<SubjectId>,
}

pub(super) fn scope(
    bundle: &Bundle,
    network: &Network,
    history: &History,
    checkpoint: &Result<SignedCheckpoint, Failure>,
) -> Result<Passed<Scoped>, Failure> {
    let nodes = Nodes::of(history);
    let unknown_log = |detail| Failure::new("unknown_log", detail);
    let checkpoint = checkpoint.as_ref().map_err(|failure| unknown_log(failure.detail().to_owned()))?;
    let no_node = || unknown_log("no actor of the bundle has the log key of the checkpoint".to_owned());
    let node = nodes.with_log_key(&checkpoint.origin.key).ok_or_else(no_node)?;
    if !is_lot(&bundle.lot, history) {
        return Err(Failure::new("unknown_lot", "no event of the bundle creates this lot").of_subject(bundle.lot));
    }
    let cosigners = checkpoint.cosignatures(network).filter_map(|line| nodes.with_log_key(&line.cosigner().key));
    let roots = cosigners.chain(bundle.anchors.iter().map(|line| line.node)).chain([node]);
    let mut scope = Scope::new(bundle.lot, &network.id(), roots, bundle.left_out.is_some());
    while !scope.extend(history).is_empty() {}

    left_out(bundle, &scope)?;
    let found: BTreeSet<_> = bundle.subjects.iter().map(|proof| proof.subject).collect();
    if let Some(missing) = scope.subjects().difference(&found).next() {
        let detail = "the bundle has no proof of this subject, whose history belongs to the lot's";
        return Err(Failure::new("missing_subject", detail).of_subject(*missing));
    }
    if let Some(extra) = found.difference(scope.subjects()).next() {
        let detail = "the bundle has a proof of this subject, whose history does not belong to the lot's";
        return Err(Failure::new("extra_subject", detail).of_subject(*extra));
    }
    needed(history, scope.subjects())?;
    let proves = format!(
        "The bundle holds {} histories, all that belong to the lot's, and nothing else.",
        scope.subjects().len()
    );
    Ok(Passed::new(Scoped { node, nodes, subjects: scope.subjects().clone() }, proves, MATHEMATICS))
}

/// Whether an event of the history registers the lot, or mints it from another.
pub(super) fn is_lot(subject: &SubjectId, history: &History) -> bool {
    history.creation(subject).is_some_and(|judged| {
        matches!(judged.event.payload().body, Body::ProduceRegistered(_))
            || parts(judged).iter().any(|minted| minted.part == *subject)
    })
}

/// The list of parents left out must be the one that the events show.
fn left_out(bundle: &Bundle, scope: &Scope) -> Result<(), Failure> {
    let Some(listed) = &bundle.left_out else { return Ok(()) };
    let listed: BTreeSet<_> = listed.iter().copied().collect();
    match scope.left_out().symmetric_difference(&listed).next() {
        None => Ok(()),
        Some(lot) => {
            let detail = "the list of parent lots that are left out is not the one that the events show";
            Err(Failure::new("left_out", detail).of_subject(*lot))
        }
    }
}

/// Every event touches a whole subject, or a later one rests on it.
fn needed(history: &History, whole: &BTreeSet<SubjectId>) -> Result<(), Failure> {
    let mut ancestors: HashSet<EventId> = HashSet::new();
    for judged in history.events() {
        ancestors.extend(judged.event.payload().grounds());
    }
    for judged in history.events() {
        let event = &judged.event;
        let mut touched = (0..event.payload().touches.len()).filter_map(|index| event.subject(index));
        if !touched.any(|subject| whole.contains(&subject)) && !ancestors.contains(&event.id()) {
            let detail = "the event does not belong to the lot's history, nor does any event of it rest on this one";
            return Err(Failure::new("extra_event", detail).of_event(event.id()));
        }
    }
    Ok(())
}
