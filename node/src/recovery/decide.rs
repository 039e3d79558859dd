//! What follows from the answers of the peers: whether the log is complete, what it lacks, or that it is lost.

use p2p::PeerId;
use provenance::checkpoint::Checkpoint;
use provenance::merkle::Hash;

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
    /// Entries are lacking; these peers have them, the one with the most first, each with how far it goes.
    Fetch {
        /// What the log must have come to at this size.
        head: Head,
        /// Who has entries up to there at least.
        holders: Vec<(PeerId, u64)>,
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

/// Decides from the answers of enrolled peers, of which `needed` must have come. `here` is the size of the log, `root`
/// its root at any size up to that, and `backup` the newest checkpoint that the backup holds.
pub(super) fn decide<E>(
    here: u64,
    root: impl Fn(u64) -> Result<Hash, E>,
    backup: Option<&Checkpoint>,
    answers: &[Answer],
    needed: usize,
) -> Result<Decision, E> {
    if answers.len() < needed {
        return Ok(Decision::Wait);
    }
    let told = || answers.iter().filter_map(|answer| answer.checkpoint.as_ref());
    for checkpoint in told().chain(backup).filter(|checkpoint| checkpoint.size <= here) {
        if root(checkpoint.size)? != checkpoint.root {
            return Ok(Decision::Lost(Lost::OtherHistory { size: checkpoint.size }));
        }
    }
    let Some(newest) = told().max_by_key(|checkpoint| checkpoint.size) else {
        return Ok(Decision::Lost(Lost::Unknown));
    };
    let mut holders: Vec<(PeerId, u64)> = answers
        .iter()
        .filter(|answer| answer.next > here && answer.next >= newest.size)
        .map(|answer| (answer.peer, answer.next))
        .collect();
    holders.sort_by_key(|(_, next)| std::cmp::Reverse(*next));
    if holders.is_empty() {
        let size = newest.size;
        return Ok(if size > here { Decision::Lost(Lost::Missing { size, here }) } else { Decision::Complete });
    }
    Ok(Decision::Fetch { head: (newest.size, newest.root), holders })
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
        let root = |size: u64| Ok::<_, Infallible>([u8::try_from(size).unwrap(); 32]);
        decide(10, root, backup, answers, needed).unwrap()
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
        let holders = vec![(peer(3), 23), (peer(2), 20)];
        assert_eq!(decided(None, &answers, 2), Decision::Fetch { head: (20, [20; 32]), holders });
        let lost = Decision::Lost(Lost::Missing { size: 20, here: 10 });
        assert_eq!(decided(None, &[answer(1, 15, newest)], 1), lost);
    }

    #[test]
    fn entries_beyond_the_newest_checkpoint_are_taken_too() {
        let decision = decided(None, &[answer(1, 12, Some(checkpoint(9, 9)))], 1);
        assert_eq!(decision, Decision::Fetch { head: (9, [9; 32]), holders: vec![(peer(1), 12)] });
    }

    #[test]
    fn a_backup_of_another_history_is_lost() {
        let lost = Decision::Lost(Lost::OtherHistory { size: 8 });
        assert_eq!(decided(None, &[answer(1, 8, Some(checkpoint(8, 1)))], 1), lost);
        let known = answer(1, 10, Some(checkpoint(10, 10)));
        assert_eq!(decided(Some(&checkpoint(8, 1)), &[known], 1), lost);
    }
}
