//! Which events only one of two logs has.
//!
//! An event that comes on one side is noted, and struck out when it comes on the other. What comes on both sides
//! at once is never written.

use provenance::id::{EventId, PublicKey};
use std::collections::{HashMap, HashSet};
use store::{Batch, Differences, Range, Store, StoreError};

/// Differences that are looked at. Logs that differ by more have not met for long, and will be
/// compared when they have.
const MOST: usize = 65_536;

/// Why entries cannot be compared.
pub(super) enum ToggleError {
    /// An event came from the other log before.
    Repeated(EventId),
    Store(StoreError),
}

impl From<StoreError> for ToggleError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What only one of the logs has.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Events that this node's log lacks.
    pub theirs: Vec<EventId>,
    /// Events that the other log lacks, with their index here.
    pub ours: Vec<(EventId, u64)>,
}

/// Notes further entries of the other log, and of this node's own with their indexes.
pub(super) fn toggle(
    store: &Store,
    batch: &mut Batch,
    log: &PublicKey,
    theirs: &[EventId],
    ours: &[(EventId, u64)],
) -> Result<(), ToggleError> {
    let mut only_ours: HashMap<EventId, u64> = ours.iter().copied().collect();
    let (mut seen, mut only_theirs) = (HashSet::with_capacity(theirs.len()), Vec::new());
    for id in theirs {
        if !seen.insert(*id) {
            return Err(ToggleError::Repeated(*id));
        }
        if only_ours.remove(id).is_none() {
            only_theirs.push((*log, *id));
        }
    }
    for (key, known) in only_theirs.iter().zip(store.multi_get::<Differences>(&only_theirs)?) {
        match known {
            Some(Some(_)) => batch.delete::<Differences>(key),
            Some(None) => return Err(ToggleError::Repeated(key.1)),
            None => batch.put::<Differences>(key, &None),
        }
    }
    let (keys, indexes): (Vec<_>, Vec<_>) = only_ours.into_iter().map(|(id, index)| ((*log, id), index)).unzip();
    for ((key, index), known) in keys.iter().zip(indexes).zip(store.multi_get::<Differences>(&keys)?) {
        match known {
            Some(None) => batch.delete::<Differences>(key),
            _ => batch.put::<Differences>(key, &Some(index)),
        }
    }
    Ok(())
}

/// All that differs; nothing if that is too much.
pub(super) fn read(store: &Store, log: &PublicKey) -> Result<Option<Difference>, StoreError> {
    let mut difference = Difference::default();
    for row in store.scan::<Differences>(Range::prefix(log)).take(MOST + 1) {
        let ((_, id), index) = row?;
        match index {
            None => difference.theirs.push(id),
            Some(index) => difference.ours.push((id, index)),
        }
    }
    Ok((difference.theirs.len() + difference.ours.len() <= MOST).then_some(difference))
}
