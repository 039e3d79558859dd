//! Removing versions that nobody needs, with the pages that only they read.
//!
//! A page written at version *w* and replaced at *r* is read by the versions from *w* on that come
//! before *r*. When the version *v* goes, its neighbours being *p* before and *n* after it, no version
//! reads any longer what was written after *p* and replaced after *v*, but not after *n*. What was
//! replaced in that time but written earlier is still read by *p*, and looked at again when *p* goes.

use super::Version;
use super::retention::{Age, unwanted};
use store::{
    Batch, CheckpointRow, Checkpoints, MapKept, MapPages, MapReplaced, MapVersions, Range, Store, StoreError,
    VersionRow,
};

/// Rows of page keys gone through in one step, of 256 pages each: more pages than a step replaces, so that
/// removal keeps up; little enough that the step stays short.
const ROWS_AT_ONCE: usize = 192;

/// Adds to `batch` the removal of what nobody needs. It looks at what is stored: the version that is in the
/// batch is the newest and stays.
pub(super) fn prune(store: &Store, batch: &mut Batch, now_ms: u64) -> Result<(), StoreError> {
    let versions = store.scan::<MapVersions>(Range::all()).collect::<Result<Vec<_>, _>>()?;
    let kept = store.scan::<MapKept>(Range::all()).map(|row| row.map(|(size, ())| size)).collect::<Result<_, _>>()?;
    let readable = versions.iter().filter(|(_, row)| row.removal.is_none());
    let ages: Vec<Age> =
        readable.map(|(size, row)| Age { size: *size, cut_ms: row.cut_ms, replaced: row.replaced }).collect();
    let mut to_remove = unwanted(&ages, &kept, newest_cosigned(store)?.map(|(size, _)| size), now_ms);
    // What was begun is ended first, because it counts on its neighbours; and older ones wait for the
    // next step, because they would look at the same rows again.
    if let Some((begun, _)) = versions.iter().find(|(_, row)| row.removal.is_some()) {
        to_remove.retain(|size| size > begun);
        to_remove.insert(0, *begun);
    }
    let mut left: Vec<(u64, VersionRow)> = versions;
    let mut rows = ROWS_AT_ONCE;
    for size in to_remove {
        let at = left.iter().position(|(other, _)| *other == size).expect("it is one of the versions");
        let Some(after) = left.get(at + 1).map(|(size, _)| *size) else { return Ok(()) };
        let before = at.checked_sub(1).map_or(0, |at| left[at].0);
        let begin = left[at].1.removal.unwrap_or((size + 1, 0));
        if let Some(goes_on) = remove(store, batch, &Neighbours { before, after }, begin, &mut rows)? {
            batch.put::<MapVersions>(&size, &VersionRow { removal: Some(goes_on), ..left[at].1 });
            return Ok(());
        }
        batch.delete::<MapVersions>(&size);
        batch.delete::<Checkpoints>(&size);
        left.remove(at);
    }
    Ok(())
}

/// The newest checkpoint that others have cosigned.
pub(crate) fn newest_cosigned(store: &Store) -> Result<Option<(u64, CheckpointRow)>, StoreError> {
    // There is one checkpoint for each version, so some hundreds at most.
    for row in store.scan::<Checkpoints>(Range::all().backwards()) {
        let (size, row) = row?;
        if !row.cosignatures.is_empty() && Version::at(store, size)?.is_some() {
            return Ok(Some((size, row)));
        }
    }
    Ok(None)
}

/// The versions beside the one that is removed; 0 where it is the oldest.
struct Neighbours {
    before: u64,
    after: u64,
}

/// Goes through the rows from `begin` on; says where to go on if that were too many.
fn remove(
    store: &Store,
    batch: &mut Batch,
    versions: &Neighbours,
    begin: (u64, u32),
    rows: &mut usize,
) -> Result<Option<(u64, u32)>, StoreError> {
    let range = Range::all().from(&begin).before(&(versions.after + 1, 0));
    for row in store.scan::<MapReplaced>(range) {
        let (key, pages) = row?;
        if *rows == 0 {
            return Ok(Some(key));
        }
        *rows -= 1;
        let count = pages.len();
        let (unread, read): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| page.version > versions.before);
        for page in &unread {
            batch.delete::<MapPages>(page);
        }
        if read.is_empty() {
            batch.delete::<MapReplaced>(&key);
        } else if read.len() < count {
            batch.put::<MapReplaced>(&key, &read);
        }
    }
    Ok(None)
}
