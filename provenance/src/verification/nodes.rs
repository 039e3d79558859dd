//! The nodes of a history: which actors run one, with which keys and anchors.

use crate::body::{AnchoringDetails, Body, NodeDetails};
use crate::history::History;
use crate::id::{PublicKey, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Node actors and what their main lanes say of them.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    by_actor: BTreeMap<SubjectId, Vec<NodeDetails>>,
    by_log_key: BTreeMap<PublicKey, SubjectId>,
}

impl Nodes {
    /// All node actors of whom these events tell.
    pub fn of(history: &History) -> Self {
        let tells = |body: &Body| match body {
            Body::ActorEnrolled(body) => body.node.clone(),
            Body::ActorUpdated(body) => body.node.clone(),
            _ => None,
        };
        let telling = history.events().iter().filter(|judged| tells(&judged.event.payload().body).is_some());
        let actors: BTreeSet<SubjectId> = telling.filter_map(|judged| judged.event.subject(0)).collect();
        let by_actor: BTreeMap<SubjectId, Vec<NodeDetails>> = actors
            .into_iter()
            .map(|actor| {
                let lane = history.main_lane(&actor);
                (actor, lane.iter().filter_map(|judged| tells(&judged.event.payload().body)).collect())
            })
            .collect();
        let mut by_log_key = BTreeMap::new();
        for (actor, details) in &by_actor {
            if let Some(newest) = details.last() {
                // Where two actors claim a key, the lower id has it.
                by_log_key.entry(newest.log_key).or_insert(*actor);
            }
        }
        Self { by_actor, by_log_key }
    }

    /// The node whose log has this key now.
    pub fn with_log_key(&self, key: &PublicKey) -> Option<SubjectId> {
        self.by_log_key.get(key).copied()
    }

    /// Every chain, contract and sender that the node has ever named.
    pub fn anchoring(&self, node: &SubjectId) -> impl Iterator<Item = &AnchoringDetails> {
        self.by_actor.get(node).into_iter().flatten().filter_map(|details| details.anchoring.as_ref())
    }
}
