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
    // While the map is made again it passes sizes that the log had long ago; and a clock that was
    // set back must not say that an entry is older than it is.
    if newest.first().is_some_and(|(ms, known)| *known >= size || *ms >= now_ms) {
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
