//! What follows from the answers of the peers: whether the log is complete, what it lacks, or that it is lost.

use p2p::PeerId;
use provenance::checkpoint::Checkpoint;
use provenance::id::EventId;
use provenance::merkle::Hash;
use std::collections::BTreeMap;

/// What a peer knows of this node's log.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) peer: PeerId,
    /// The index after the newest entry that it keeps.
    pub(super) next: u64,
    /// The newest checkpoint that it keeps; its signature was verified with the log's own key.
    pub(super) checkpoint: Option<Checkpoint>,
}

/// Size and root that the log had at some time.
pub(super) type Head = (u64, Hash);

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Too few have answered to know that no newer checkpoint is in the world.
    Wait,
    /// Nothing was published beyond what is here.
    Complete,
    /// Entries are lacking, and these peers say that they have them.
    Fetch {
        /// What the log must have come to at this size.
        head: Head,
        /// Who has entries up to there at least, and such as are not here.
        holders: Vec<PeerId>,
    },
    /// It cannot go on under its old key, unless other peers know more.
    Lost(Lost),
}

/// Why a log cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// Enough peers have answered, and none has ever followed it.
    #[error("none of the peers that answered has followed this node's log, so nobody can say what it held")]
    Unknown,
    /// A checkpoint is known, and its entries are not.
    #[error(
        "the log had published {size} entries, this backup has {here}, and no peer that answered has those between"
    )]
    Missing {
        /// Entries under the newest checkpoint.
        size: u64,
        /// Entries that are here.
        here: u64,
    },
    /// The backup is not one of this log.
    #[error("the log had published other entries under its first {size} than this backup has")]
    OtherHistory {
        /// Entries under the checkpoint.
        size: u64,
    },
}

/// How many peers must have answered: `witnesses`, or where that is zero more than half of the `others` that are enrolled.
/// None where neither says it: nobody is known then, and the answer of whoever happens to be connected proves nothing.
pub(super) fn needed(witnesses: usize, others: usize) -> Option<usize> {
    match (witnesses, others) {
        (0, 0) => None,
        (0, others) => Some(others / 2 + 1),
        (witnesses, _) => Some(witnesses),
    }
}

/// Decides from the answers of enrolled peers, of which `needed` must have come. `here` is the size of the log, `root`
/// its root at any size up to that, `backup` the newest checkpoint that the backup holds, and `anchored` what the log
/// committed to on the chain last.
pub(super) fn decide<E>(
    here: u64,
    root: impl Fn(u64) -> Result<Hash, E>,
    backup: Option<&Checkpoint>,
    anchored: Option<Head>,
    answers: &[Answer],
    needed: usize,
) -> Result<Decision, E> {
    if answers.len() < needed {
        return Ok(Decision::Wait);
    }
    let head_of = |checkpoint: &Checkpoint| (checkpoint.size, checkpoint.root);
    let told = || answers.iter().filter_map(|answer| answer.checkpoint.as_ref()).map(head_of);
    for (size, known) in told().chain(backup.map(head_of)).chain(anchored).filter(|(size, _)| *size <= here) {
        if root(size)? != known {
            return Ok(Decision::Lost(Lost::OtherHistory { size }));
        }
    }
    let Some(newest) = told().max_by_key(|(size, _)| *size) else {
        return Ok(Decision::Lost(Lost::Unknown));
    };
    let head = anchored.filter(|(size, _)| *size > newest.0).unwrap_or(newest);
    let has_more = |answer: &&Answer| answer.next > here && answer.next >= head.0;
    let holders: Vec<PeerId> = answers.iter().filter(has_more).map(|answer| answer.peer).collect();
    if holders.is_empty() {
        let size = head.0;
        return Ok(if size > here { Decision::Lost(Lost::Missing { size, here }) } else { Decision::Complete });
    }
    Ok(Decision::Fetch { head, holders })
}

/// What at least `needed` of these lists begin with alike, as far as it goes, and which of the lists do. Where as many say
/// one thing as another, neither counts.
pub(super) fn agreed(lists: &[Vec<EventId>], needed: usize) -> (Vec<EventId>, Vec<usize>) {
    let (mut ids, mut alike) = (Vec::new(), (0..lists.len()).collect::<Vec<_>>());
    loop {
        let mut by_next: BTreeMap<EventId, Vec<usize>> = BTreeMap::new();
        for list in &alike {
            if let Some(id) = lists[*list].get(ids.len()) {
                by_next.entry(*id).or_default().push(*list);
            }
        }
        let most = by_next.values().map(Vec::len).max().unwrap_or(0);
        let mut leading = by_next.into_iter().filter(|(_, lists)| lists.len() == most);
        match (leading.next(), leading.next()) {
            (Some((id, lists)), None) if most >= needed => {
                ids.push(id);
                alike = lists;
            }
            _ => return (ids, alike),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn checkpoint(size: u64, root: u8) -> Checkpoint {
        Checkpoint { origin: String::new(), size, root: [root; 32], state_root: [0; 32] }
    }

    fn peer(number: u8) -> PeerId {
        p2p::IdentitySeed::from([number; 32]).peer_id()
    }

    fn answer(number: u8, next: u64, checkpoint: Option<Checkpoint>) -> Answer {
        Answer { peer: peer(number), next, checkpoint }
    }

    /// A log of ten entries whose root is its size.
    fn decided(backup: Option<&Checkpoint>, answers: &[Answer], needed: usize) -> Decision {
        with_anchor(backup, None, answers, needed)
    }

    fn with_anchor(backup: Option<&Checkpoint>, anchored: Option<Head>, answers: &[Answer], needed: usize) -> Decision {
        let root = |size: u64| Ok::<_, Infallible>([u8::try_from(size).unwrap(); 32]);
        decide(10, root, backup, anchored, answers, needed).unwrap()
    }

    fn ids(numbers: &[u8]) -> Vec<EventId> {
        numbers.iter().map(|number| EventId::from_bytes([*number; 32])).collect()
    }

    #[test]
    fn too_few_answers_decide_nothing() {
        assert_eq!(decided(None, &[], 1), Decision::Wait);
        assert_eq!(decided(None, &[answer(1, 10, Some(checkpoint(10, 10)))], 2), Decision::Wait);
    }

    #[test]
    fn a_log_is_complete_only_where_somebody_has_followed_it() {
        assert_eq!(decided(None, &[answer(1, 0, None)], 1), Decision::Lost(Lost::Unknown));
        assert_eq!(decided(Some(&checkpoint(9, 9)), &[answer(1, 7, Some(checkpoint(7, 7)))], 1), Decision::Complete);
    }

    #[test]
    fn entries_come_from_those_who_have_all_of_them() {
        let newest = Some(checkpoint(20, 20));
        let answers =
            [answer(1, 15, Some(checkpoint(15, 15))), answer(2, 20, newest.clone()), answer(3, 23, newest.clone())];
        let holders = vec![peer(2), peer(3)];
        assert_eq!(decided(None, &answers, 2), Decision::Fetch { head: (20, [20; 32]), holders });
        let lost = Decision::Lost(Lost::Missing { size: 20, here: 10 });
        assert_eq!(decided(None, &[answer(1, 15, newest)], 1), lost);
    }

    #[test]
    fn entries_beyond_the_newest_checkpoint_are_taken_too() {
        let decision = decided(None, &[answer(1, 12, Some(checkpoint(9, 9)))], 1);
        assert_eq!(decision, Decision::Fetch { head: (9, [9; 32]), holders: vec![peer(1)] });
    }

    #[test]
    fn what_was_anchored_must_be_reached_like_a_checkpoint() {
        let answers = [answer(1, 12, Some(checkpoint(12, 12))), answer(2, 15, Some(checkpoint(12, 12)))];
        let fetch = Decision::Fetch { head: (14, [14; 32]), holders: vec![peer(2)] };
        assert_eq!(with_anchor(None, Some((14, [14; 32])), &answers, 2), fetch);
        let lost = Decision::Lost(Lost::Missing { size: 30, here: 10 });
        assert_eq!(with_anchor(None, Some((30, [30; 32])), &answers, 2), lost);
        // Peers that were cut off take the log for complete; the chain knows better.
        let cut_off = [answer(1, 9, Some(checkpoint(9, 9)))];
        assert_eq!(with_anchor(None, Some((10, [10; 32])), &cut_off, 1), Decision::Complete);
        let lost = Decision::Lost(Lost::Missing { size: 11, here: 10 });
        assert_eq!(with_anchor(None, Some((11, [11; 32])), &cut_off, 1), lost);
        let other = Decision::Lost(Lost::OtherHistory { size: 8 });
        assert_eq!(with_anchor(None, Some((8, [1; 32])), &cut_off, 1), other);
        // Where it ends is for peers to say: it was anchored now and then only.
        let nobody = Decision::Lost(Lost::Unknown);
        assert_eq!(with_anchor(None, Some((10, [10; 32])), &[answer(1, 0, None)], 1), nobody);
    }

    #[test]
    fn a_claim_to_have_most_moves_nobody_forward() {
        let newest = Some(checkpoint(20, 20));
        let answers = [answer(1, 20, newest.clone()), answer(2, u64::MAX, newest)];
        let fetch = Decision::Fetch { head: (20, [20; 32]), holders: vec![peer(1), peer(2)] };
        assert_eq!(decided(None, &answers, 2), fetch);
    }

    #[test]
    fn strangers_count_only_by_the_operators_word() {
        assert_eq!([needed(0, 0), needed(2, 0)], [None, Some(2)]);
        assert_eq!([needed(0, 1), needed(0, 2), needed(0, 3), needed(1, 9)], [Some(1), Some(2), Some(2), Some(1)]);
    }

    #[test]
    fn beyond_the_checkpoint_only_what_enough_name_alike_is_taken() {
        // One of them says more than all others, and in another order.
        let honest = [ids(&[1, 2, 3]), ids(&[1, 2, 3, 4]), ids(&[1, 2])];
        let lists = [ids(&[2, 1, 3, 4, 5, 6]), honest[0].clone(), honest[1].clone(), honest[2].clone()];
        assert_eq!(agreed(&lists, 3), (ids(&[1, 2]), vec![1, 2, 3]));
        assert_eq!(agreed(&lists, 2), (ids(&[1, 2, 3]), vec![1, 2]));
        assert_eq!(agreed(&lists, 4).0, ids(&[]));
        assert_eq!(agreed(&honest[..1], 1), (ids(&[1, 2, 3]), vec![0]));
        // As many against as many: nobody decides.
        assert_eq!(agreed(&[ids(&[1, 2]), ids(&[1, 3])], 1).0, ids(&[1]));
        assert_eq!(agreed(&[], 1), (ids(&[]), vec![]));
    }

    #[test]
    fn a_backup_of_another_history_is_lost() {
        let lost = Decision::Lost(Lost::OtherHistory { size: 8 });
        assert_eq!(decided(None, &[answer(1, 8, Some(checkpoint(8, 1)))], 1), lost);
        let known = answer(1, 10, Some(checkpoint(10, 10)));
        assert_eq!(decided(Some(&checkpoint(8, 1)), &[known], 1), lost);
    }
}
