//! Who may know what is sealed in an event: the nodes of its parties.

use provenance::id::SubjectId;

/// An actor that an event concerns, and who keeps its key for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Party {
    pub actor: SubjectId,
    /// The enroller, where it keeps the actor's key.
    pub keeper: Option<SubjectId>,
}

/// A node's actor, and who enrolled it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeActor {
    pub actor: SubjectId,
    pub enroller: Option<SubjectId>,
}

/// Whether a node may know what these parties may know: it is a party's own, or works for a party or for the one
/// that keeps a party's key, and so signs for it.
///
/// Having enrolled a party is not enough: a founder enrols cooperatives that compete.
pub(super) fn is_entitled(node: &NodeActor, parties: &[Party]) -> bool {
    let works_for = |actor: SubjectId| node.actor == actor || node.enroller == Some(actor);
    parties.iter().any(|party| works_for(party.actor) || party.keeper.is_some_and(works_for))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_parties_are_entitled_and_no_others() {
        let [founder, cooperative, node, farmer, other, other_node] =
            [1, 2, 3, 4, 5, 6].map(|byte| SubjectId::from_bytes([byte; 32]));
        let own = |actor| Party { actor, keeper: None };
        let kept = |actor, keeper| Party { actor, keeper: Some(keeper) };
        let works_for = |actor, enroller| NodeActor { actor, enroller: Some(enroller) };
        let cases = [
            ("the party itself runs the node", works_for(node, cooperative), own(node), true),
            ("the party enrolled the node", works_for(node, cooperative), own(cooperative), true),
            ("a founder's node, of a founder", works_for(node, founder), own(founder), true),
            ("the cooperative keeps the party's key", works_for(node, cooperative), kept(farmer, cooperative), true),
            ("the keeper itself runs a node", works_for(cooperative, founder), kept(farmer, cooperative), true),
            ("the party keeps its key itself", works_for(node, cooperative), own(farmer), false),
            ("both were enrolled by a founder", works_for(other_node, founder), own(cooperative), false),
            ("another cooperative's node", works_for(other_node, other), kept(farmer, cooperative), false),
            ("a founder, of whom the party is a member", works_for(founder, founder), own(cooperative), false),
            ("an actor without enroller", NodeActor { actor: other, enroller: None }, own(cooperative), false),
        ];
        for (what, node, party, entitled) in cases {
            assert_eq!(is_entitled(&node, &[party]), entitled, "{what}");
            assert_eq!(is_entitled(&node, &[own(other_node), party][1..]), entitled, "{what}");
        }
        assert!(!is_entitled(&works_for(node, cooperative), &[]));
    }
}
