//! When the log had which size: from this it is known how long ago an entry was admitted at least.

use store::{Batch, Cuts, Range, Store, StoreError};

/// Rows closer together than this are thinned out, but for the newest.
const SPACING_MS: u64 = 10 * 1_000;

/// Rows older than this are removed, but for the newest of them: nobody asks further back.
const ASKED_MS: u64 = 15 * 60 * 1_000;

/// Rows removed at once, more than are made in the time.
const REMOVED_AT_ONCE: usize = 16;

/// Notes that the log has `size` entries now.
pub(super) fn note(store: &Store, batch: &mut Batch, size: u64, now_ms: u64) -> Result<(), StoreError> {
    let newest = store.scan::<Cuts>(Range::all().backwards()).take(2).collect::<Result<Vec<_>, _>>()?;
    if newest.first().is_some_and(|(ms, _)| *ms > now_ms) {
        // The clock was ahead. Rows of that time would stand until it has come, so what they say is said of now, which
        // makes no entry older than it is.
        for row in store.scan::<Cuts>(Range::all().from(&now_ms.saturating_add(1))) {
            batch.delete::<Cuts>(&row?.0);
        }
        batch.put::<Cuts>(&now_ms, &size);
        return Ok(());
    }
    // While the map is made again it passes sizes that the log had long ago.
    if newest.first().is_some_and(|(_, known)| *known >= size) {
        return Ok(());
    }
    if let [(last, _), (before, _)] = newest[..]
        && last - before < SPACING_MS
    {
        batch.delete::<Cuts>(&last);
    }
    batch.put::<Cuts>(&now_ms, &size);
    let oldest = store.scan::<Cuts>(Range::all()).take(REMOVED_AT_ONCE + 1).collect::<Result<Vec<_>, _>>()?;
    for pair in oldest.windows(2) {
        if pair[1].0.saturating_add(ASKED_MS) <= now_ms {
            batch.delete::<Cuts>(&pair[0].0);
        }
    }
    Ok(())
}

/// A size that the log had at `time_ms` or before: whatever stands below it was admitted by then.
pub(crate) fn size_before(store: &Store, time_ms: u64) -> Result<u64, StoreError> {
    let row = store.scan::<Cuts>(Range::all().before(&time_ms.saturating_add(1)).backwards()).next();
    Ok(row.transpose()?.map_or(0, |(_, size)| size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_ahead_is_forgotten_once_it_is_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &store::StoreOptions::default()).expect("a store");
        for (size, now_ms) in [(5, 1_000_000), (9, 900_000_000), (12, 1_060_000), (20, 1_120_000)] {
            let mut batch = store.batch();
            note(&store, &mut batch, size, now_ms).expect("noted");
            batch.commit().expect("written");
        }
        let at = |ms| size_before(&store, ms).expect("read");
        assert_eq!((at(1_000_000), at(1_060_000), at(1_120_000), at(u64::MAX - 1)), (5, 12, 20, 20));
    }
}
