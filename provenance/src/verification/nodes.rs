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
        // In the order of the log, so that nobody takes over a key by naming it later.
        let mut claims = Vec::new();
        for judged in history.events().iter().filter(|judged| history.counts(&judged.event.id())) {
            if let (Some(details), Some(actor)) = (tells(&judged.event.payload().body), judged.event.subject(0)) {
                claims.push((details.log_key, actor));
            }
        }
        let actors: BTreeSet<SubjectId> = claims.iter().map(|(_, actor)| *actor).collect();
        let by_actor: BTreeMap<SubjectId, Vec<NodeDetails>> = actors
            .into_iter()
            .map(|actor| {
                let lane = history.main_lane(&actor);
                (
                    actor,
                    lane.iter()
                        .filter(|judged| history.counts(&judged.event.id()))
                        .filter_map(|judged| tells(&judged.event.payload().body))
                        .collect(),
                )
            })
            .collect();
        let still_names = |key: PublicKey, actor: &SubjectId| {
            by_actor.get(actor).and_then(|told| told.last()).is_some_and(|it| it.log_key == key)
        };
        let mut by_log_key = BTreeMap::new();
        for (key, actor) in claims {
            if still_names(key, &actor) {
                by_log_key.entry(key).or_insert(actor);
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
