//! Contradictions: two checkpoints that one log has signed, of which the later does not contain the earlier.
//!
//! Of one size, two notes with different texts are enough. Of different sizes, hashes come with them that lead to the root of the
//! larger one (RFC 9162 §2.1), and of which the first ones are a tree of the smaller size with another root than was signed for it.
//! Whoever has the log's signature on the larger root cannot find other hashes that lead to it, so it does not matter
//! who made the proof, or from whom he had the entries: it holds or does not hold by itself.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::id::{EventId, PublicKey};
use crate::merkle::{Frontier, Hash, leaf_hash, node_hash};
use crate::note::Note;
use crate::origin::LogOrigin;

/// Proof that a log was rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The checkpoint of the smaller size, as a note with the signature of the log alone; of one size, the one whose text
    /// comes first.
    pub first: String,
    /// The other one.
    pub second: String,
    /// Roots of the complete subtrees of the log under the second checkpoint, up to the size of the first, largest
    /// first. None where both have one size.
    pub before: Vec<Hash>,
    /// Roots of the largest complete subtrees that follow, up to the size of the second, from left to right.
    pub between: Vec<Hash>,
}

/// What a contradiction proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Which log.
    pub origin: LogOrigin,
    /// What it signed of the smaller size.
    pub first: Checkpoint,
    /// What it signed of the larger one.
    pub second: Checkpoint,
}

/// Why a contradiction proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContradictionError {
    /// One of the notes is no checkpoint that its log has signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The notes are not of a log that can be told.
    #[error("the origin of the first checkpoint does not name a log")]
    Origin,
    /// The notes are of two logs.
    #[error("the two checkpoints are of different logs")]
    OtherLog,
    /// The notes stand in the wrong order, or are the same.
    #[error("the second checkpoint must be larger than the first, or say something else of the same size")]
    Order,
    /// More or fewer hashes than the sizes ask for.
    #[error("the sizes of the two checkpoints ask for another number of hashes")]
    Hashes,
    /// The hashes are not those of the log.
    #[error("the hashes do not lead to the root of the second checkpoint")]
    OtherRoot,
    /// The log only grew.
    #[error("the second checkpoint contains the first one: the log only grew")]
    Grown,
}

impl Contradiction {
    /// Compares two checkpoints of one size; nothing where they say the same, or their sizes differ.
    pub fn of_one_size(one: &str, other: &str, log: &PublicKey) -> Result<Option<Self>, CheckpointError> {
        let (mut first, mut second) = (Signed::read(one, log)?, Signed::read(other, log)?);
        if first.checkpoint.size != second.checkpoint.size || first.checkpoint == second.checkpoint {
            return Ok(None);
        }
        if first.note > second.note {
            (first, second) = (second, first);
        }
        Ok(Some(Self { first: first.note, second: second.note, before: Vec::new(), between: Vec::new() }))
    }

    /// What it proves, after both signatures and all hashes were verified.
    pub fn verify(&self) -> Result<Rewritten, ContradictionError> {
        let origin = Checkpoint::parse(Note::parse(&self.first).map_err(CheckpointError::from)?.text())?.origin;
        let origin: LogOrigin = origin.parse().map_err(|_| ContradictionError::Origin)?;
        let first = Checkpoint::open(&self.first, &origin.key)?;
        let second = Checkpoint::open(&self.second, &origin.key)?;
        if first.origin != second.origin {
            return Err(ContradictionError::OtherLog);
        }
        if first.size > second.size || first == second {
            return Err(ContradictionError::Order);
        }
        if first.size == second.size {
            let has_hashes = !self.before.is_empty() || !self.between.is_empty();
            return if has_hashes { Err(ContradictionError::Hashes) } else { Ok(Rewritten { origin, first, second }) };
        }
        let mut frontier = Frontier::from_roots(first.size, self.before.clone()).ok_or(ContradictionError::Hashes)?;
        let root_before = frontier.root();
        let mut hashes = self.between.iter();
        for level in levels_between(first.size, second.size) {
            frontier.append_subtree(level, *hashes.next().ok_or(ContradictionError::Hashes)?, |_, _, _| {});
        }
        if hashes.next().is_some() {
            return Err(ContradictionError::Hashes);
        }
        if frontier.root() != second.root {
            return Err(ContradictionError::OtherRoot);
        }
        if root_before == first.root {
            return Err(ContradictionError::Grown);
        }
        Ok(Rewritten { origin, first, second })
    }
}

/// Reads the entries of a log once more, to tell whether one of two checkpoints contains the other. Needs a few
/// kilobytes, however long the log is.
#[derive(Debug)]
pub struct Rereading {
    first: Signed,
    second: Signed,
    frontier: Frontier,
    /// The tree as it was at the smaller size.
    before: Option<Frontier>,
    /// What was read since, as complete subtrees with their levels.
    between: Vec<(u32, Hash)>,
}

/// What the entries of a log say of two checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reread {
    /// The larger one contains the smaller one.
    Grown,
    /// It does not.
    Contradiction(Contradiction),
    /// The entries are not those under the larger one, so they say nothing.
    OtherEntries,
}

impl Rereading {
    /// Of two checkpoints that a log has signed; nothing where they are of one size, for which no entry need be read.
    pub fn new(one: &str, other: &str, log: &PublicKey) -> Result<Option<Self>, CheckpointError> {
        let (mut first, mut second) = (Signed::read(one, log)?, Signed::read(other, log)?);
        if first.checkpoint.size == second.checkpoint.size {
            return Ok(None);
        }
        if first.checkpoint.size > second.checkpoint.size {
            (first, second) = (second, first);
        }
        let mut rereading = Self { first, second, frontier: Frontier::default(), before: None, between: Vec::new() };
        rereading.note_before();
        Ok(Some(rereading))
    }

    /// The index of the entry that is read next.
    pub fn next(&self) -> u64 {
        self.frontier.size()
    }

    /// Entries that are still to be read.
    pub fn left(&self) -> u64 {
        self.second.checkpoint.size - self.next()
    }

    /// Reads the next entry; one beyond the larger checkpoint says nothing.
    pub fn read(&mut self, entry: &EventId) {
        if self.left() == 0 {
            return;
        }
        let leaf = leaf_hash(entry.as_bytes());
        if self.before.is_some() {
            let (mut level, mut index, mut hash) = (0, self.next(), leaf);
            // What stands left of the smaller size is no part of this, so there may be no neighbour to join with.
            while index % 2 == 1
                && let Some((_, left)) = self.between.pop_if(|(left, _)| *left == level)
            {
                hash = node_hash(&left, &hash);
                (level, index) = (level + 1, index / 2);
            }
            self.between.push((level, hash));
        }
        self.frontier.append(leaf, |_, _, _| {});
        self.note_before();
    }

    /// What the entries said, once all were read.
    pub fn finish(self) -> Reread {
        if self.left() > 0 || self.frontier.root() != self.second.checkpoint.root {
            return Reread::OtherEntries;
        }
        match self.before {
            Some(before) if before.root() != self.first.checkpoint.root => Reread::Contradiction(Contradiction {
                first: self.first.note,
                second: self.second.note,
                before: before.roots().to_vec(),
                between: self.between.into_iter().map(|(_, hash)| hash).collect(),
            }),
            _ => Reread::Grown,
        }
    }

    fn note_before(&mut self) {
        if self.next() == self.first.checkpoint.size {
            self.before = Some(self.frontier.clone());
        }
    }
}

/// A checkpoint with the note that says it, without the signatures of others.
#[derive(Debug)]
struct Signed {
    note: String,
    checkpoint: Checkpoint,
}

impl Signed {
    fn read(note: &str, log: &PublicKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::of_note(&note, log)?;
        let names_log = |note: &Note| Checkpoint::of_note(note, log).is_ok();
        let mut lines = note.signatures().iter().filter(|line| line.name == checkpoint.origin);
        // Of lines under the log's own name, one is the log's: the text was opened with it.
        let own = lines.find_map(|line| Note::new(note.text().to_owned(), line.clone()).ok().filter(names_log));
        let note = own.ok_or(CheckpointError::Unsigned)?.to_string();
        Ok(Self { note, checkpoint })
    }
}

/// Levels of the largest complete subtrees that cover leaves `start` to `end`, from left to right.
fn levels_between(start: u64, end: u64) -> impl Iterator<Item = u32> {
    let mut next = start;
    std::iter::from_fn(move || {
        let left = end.checked_sub(next).filter(|left| *left > 0)?;
        let level = left.ilog2().min(next.trailing_zeros());
        next += 1 << level;
        Some(level)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NetworkId;
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    fn public(key: &SigningKey) -> PublicKey {
        PublicKey::from_bytes(key.verifying_key().to_bytes())
    }

    /// Entries of a log that was rewritten from this index on.
    fn entries(count: u64, rewritten_from: u64) -> Vec<EventId> {
        (0..count)
            .map(|index| EventId::of(&[index.to_be_bytes(), u64::from(index >= rewritten_from).to_be_bytes()].concat()))
            .collect()
    }

    fn note(key: &SigningKey, entries: &[EventId], state: u8) -> String {
        let mut frontier = Frontier::default();
        for id in entries {
            frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
        }
        let origin = LogOrigin { network: NetworkId::from_bytes([1; 32]), key: public(key) }.to_string();
        let checkpoint = Checkpoint { origin, size: frontier.size(), root: frontier.root(), state_root: [state; 32] };
        checkpoint.to_note(&public(key), |text| key.sign(text).to_bytes())
    }

    fn reread(one: &str, other: &str, entries: &[EventId]) -> Reread {
        let mut rereading = Rereading::new(one, other, &public(&key(1))).unwrap().unwrap();
        for id in entries {
            rereading.read(id);
        }
        rereading.finish()
    }

    proptest! {
        #[test]
        fn a_log_contradicts_itself_exactly_where_it_was_rewritten(
            small in 1_u64..300,
            more in 1_u64..300,
            rewritten_from in 0_u64..600,
            swapped in any::<bool>(),
        ) {
            let small_len = usize::try_from(small).unwrap();
            let (old, new) = (entries(small + more, u64::MAX), entries(small + more, rewritten_from));
            let (first, second) = (note(&key(1), &old[..small_len], 0), note(&key(1), &new, 0));
            let (one, other) = if swapped { (&second, &first) } else { (&first, &second) };
            let says = reread(one, other, &new);
            if rewritten_from >= small {
                prop_assert_eq!(says, Reread::Grown);
                return Ok(());
            }
            let Reread::Contradiction(proof) = says else { panic!("{says:?}") };
            let proven = proof.verify().unwrap();
            prop_assert_eq!((proven.origin.key, proven.first.size, proven.second.size), (public(&key(1)), small, small + more));
            prop_assert!(proof.before.len() + proof.between.len() <= 64);
            // The old entries are not those under the second checkpoint, and neither is only a part of them.
            prop_assert_eq!(reread(one, other, &old), Reread::OtherEntries);
            prop_assert_eq!(reread(one, other, &new[..small_len]), Reread::OtherEntries);
        }

        #[test]
        fn no_changed_hash_proves_anything(small in 1_u64..100, more in 1_u64..100, at in any::<prop::sample::Index>()) {
            let (old, new) = (entries(small, u64::MAX), entries(small + more, 0));
            let (first, second) = (note(&key(1), &old, 0), note(&key(1), &new, 0));
            let Reread::Contradiction(proof) = reread(&first, &second, &new) else { panic!("no contradiction") };
            let mut changed = proof.clone();
            let all: Vec<&mut Hash> = changed.before.iter_mut().chain(&mut changed.between).collect();
            let index = at.index(all.len());
            all.into_iter().nth(index).unwrap()[0] ^= 1;
            prop_assert_eq!(changed.verify(), Err(ContradictionError::OtherRoot));
            for part in [true, false] {
                let mut short = proof.clone();
                let _ = if part { short.before.pop() } else { short.between.pop() };
                prop_assert_eq!(short.verify(), Err(ContradictionError::Hashes));
                let mut long = proof.clone();
                if part { long.before.push([0; 32]) } else { long.between.push([0; 32]) }
                prop_assert_eq!(long.verify(), Err(ContradictionError::Hashes));
            }
            // An honest log cannot be accused: its own hashes show that it grew.
            let honest = note(&key(1), &new[..usize::try_from(small).unwrap()], 0);
            prop_assert_eq!(Contradiction { first: honest, ..proof }.verify(), Err(ContradictionError::Grown));
        }
    }

    #[test]
    fn two_notes_of_one_size_are_enough() {
        let (log, old) = (public(&key(1)), entries(5, u64::MAX));
        let (one, other, state) = (note(&key(1), &old, 0), note(&key(1), &entries(5, 3), 0), note(&key(1), &old, 1));
        for contradicting in [&other, &state] {
            let proof = Contradiction::of_one_size(&one, contradicting, &log).unwrap().unwrap();
            assert_eq!(Some(proof.clone()), Contradiction::of_one_size(contradicting, &one, &log).unwrap());
            assert_eq!(proof.verify().unwrap().second.size, 5);
            let padded = Contradiction { before: vec![[0; 32]; 2], ..proof.clone() };
            assert_eq!(padded.verify(), Err(ContradictionError::Hashes));
            let twice = Contradiction { second: proof.first.clone(), ..proof };
            assert_eq!(twice.verify(), Err(ContradictionError::Order));
        }
        assert_eq!(Contradiction::of_one_size(&one, &one, &log), Ok(None));
        assert_eq!(Contradiction::of_one_size(&one, &note(&key(1), &old[..4], 0), &log), Ok(None));
        assert!(Rereading::new(&one, &other, &log).unwrap().is_none());
    }

    #[test]
    fn nobody_is_accused_by_the_signature_of_another() {
        let (one, foreign) = (note(&key(1), &entries(5, u64::MAX), 0), note(&key(2), &entries(5, 3), 0));
        let error = Contradiction::of_one_size(&one, &foreign, &public(&key(1))).unwrap_err();
        assert_eq!(error, CheckpointError::Unsigned);
        let mixed = Contradiction { first: one.clone(), second: foreign, before: vec![], between: vec![] };
        assert_eq!(mixed.verify(), Err(ContradictionError::Checkpoint(CheckpointError::Unsigned)));
        let forged = one.replace("\n5\n", "\n6\n");
        let forged = Contradiction { first: one, second: forged, before: vec![[0; 32]; 2], between: vec![[0; 32]] };
        assert_eq!(forged.verify(), Err(ContradictionError::Checkpoint(CheckpointError::Signature)));
    }
}
