//! Nodes as the events of a history tell of them: whose log key is which, and where each anchors.

use crate::admission::Judged;
use crate::body::{AnchoringDetails, Body, NodeDetails};
use crate::counting::reading_order;
use crate::history::History;
use crate::id::{PublicKey, SubjectId};
use crate::payload::Lane;
use std::collections::{BTreeMap, BTreeSet};

/// Log keys with the actors whose latest details name them.
#[derive(Debug, Clone)]
pub struct Nodes {
    by_log_key: BTreeMap<PublicKey, SubjectId>,
}

impl Nodes {
    /// The nodes of a history. Where several name one key, it is the key of the one with the lowest id.
    pub fn of(history: &History) -> Self {
        let named = history.events().iter().filter(|judged| details(judged).is_some());
        let actors: BTreeSet<SubjectId> = named.filter_map(|judged| judged.event.subject(0)).collect();
        let mut by_log_key = BTreeMap::new();
        for actor in actors {
            let mut lane: Vec<_> = history.lane(&actor, Lane::Main).cloned().collect();
            reading_order(&mut lane, &actor, Lane::Main);
            if let Some(latest) = lane.iter().rev().find_map(|judged| details(judged)) {
                by_log_key.entry(latest.log_key).or_insert(actor);
            }
        }
        Self { by_log_key }
    }

    /// The node whose log key this is.
    pub fn with_log_key(&self, key: &PublicKey) -> Option<SubjectId> {
        self.by_log_key.get(key).copied()
    }
}

/// Whether some event of the node's main lane says that it anchors there.
pub(super) fn anchors_at(node: &SubjectId, place: &AnchoringDetails, history: &History) -> bool {
    history.lane(node, Lane::Main).any(|judged| details(judged).is_some_and(|node| node.anchoring == Some(*place)))
}

fn details(judged: &Judged) -> Option<&NodeDetails> {
    match &judged.event.payload().body {
        Body::ActorEnrolled(body) => body.node.as_ref(),
        Body::ActorUpdated(body) => body.node.as_ref(),
        _ => None,
    }
}
