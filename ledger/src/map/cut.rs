//! The follower that cuts the map: applies entries of the log, and publishes what it finds.

use super::tips::{LaneTips, at_size, extend};
use super::{StoredPages, Version, cuts, pruning, unreadable};
use crate::check::StoredNodes;
use crate::clock::Clock;
use crate::counting::{CountedAt, recounted};
use crate::follower::{Follower, LogEntry, Pace};
use crate::log::LogSigner;
use crate::reader::Reader;
use minicbor::bytes::ByteArray;
use provenance::checkpoint::Checkpoint;
use provenance::id::SubjectId;
use provenance::merkle::{self, Hash};
use provenance::state_map::{digest, update};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::{
    Batch, CheckpointRow, Checkpoints, Column, MapPages, MapReplaced, MapTips, MapVersions, Range, StoreError,
    VersionRow,
};

/// Raised when the map or its rows change their meaning; it is then made again.
const VERSION: u32 = 2;

/// Entries of one cut at most: the more, the seldomer upper pages are written; these take some
/// tens of megabytes of memory.
const ENTRIES_AT_ONCE: usize = 16_384;

/// How far apart cuts are on a quiet log: as old as a checkpoint may be for its reader.
const APART: Duration = Duration::from_secs(1);

/// Page keys in one row, about 4 KiB.
const REPLACED_AT_ONCE: usize = 256;

/// Cuts the state map.
pub(crate) struct MapFollower {
    pub clock: Arc<dyn Clock>,
    pub signer: Option<Arc<dyn LogSigner>>,
}

impl MapFollower {
    /// Under which its cursor is kept.
    pub const NAME: &'static str = "state_map";

    /// The columns that hold nothing but its rows.
    pub const COLUMNS: &'static [Column] =
        &[Column::MapTips, Column::MapPages, Column::MapVersions, Column::MapReplaced];
}

impl Follower for MapFollower {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn columns(&self) -> &'static [Column] {
        Self::COLUMNS
    }

    fn pace(&self) -> Pace {
        Pace { entries: ENTRIES_AT_ONCE, apart: APART }
    }

    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError> {
        let store = reader.store();
        let size = entries.last().map_or(1, |entry| entry.index + 1);
        let base = Version::newest(store)?;
        check_base(base, entries)?;
        let tips = changed_tips(reader, entries, size)?;
        let changes = tips.iter().map(|(subject, tips)| (*subject, digest(tips))).collect();
        let root = base.and_then(|base| base.root);
        let update = update(root, &changes, size, &StoredPages(store)).map_err(unreadable)?;

        for (subject, tips) in &tips {
            batch.put::<MapTips>(subject, tips);
        }
        for (key, page) in &update.written {
            batch.put::<MapPages>(key, page);
        }
        for (number, keys) in (0..).zip(update.replaced.chunks(REPLACED_AT_ONCE)) {
            batch.put::<MapReplaced>(&(size, number), &keys.to_vec());
        }
        let now_ms = self.clock.now_ms();
        let row = VersionRow {
            root: update.root.map(|root| (root.version, ByteArray::from(root.hash))),
            cut_ms: now_ms,
            replaced: update.replaced.len() as u64,
            removal: None,
        };
        batch.put::<MapVersions>(&size, &row);
        if base.is_none() {
            forget_old_checkpoints(reader, batch)?;
        }
        if let Some(signer) = &self.signer {
            publish(reader, &**signer, size, update.root_hash(), batch)?;
        }
        cuts::note(store, batch, size, now_ms)?;
        pruning::prune(store, batch, now_ms)
    }
}

/// Signs the newest version for a key that has not signed it: the log's key is new.
pub(crate) fn publish_newest(reader: &Reader, signer: &dyn LogSigner) -> Result<(), StoreError> {
    let Some(newest) = Version::newest(reader.store())? else { return Ok(()) };
    let mut batch = reader.store().batch();
    publish(reader, signer, newest.size, newest.state_root(), &mut batch)?;
    if batch.is_empty() { Ok(()) } else { batch.commit() }
}

/// Writes down the signed checkpoint of a version, unless there is one of it or of a later one: a map
/// that is made again passes old sizes.
///
/// Everything that it says follows from entries that are on the disk, so a crash can only make it say the
/// same again. Should it ever differ, it is not signed: two checkpoints of one size are the proof of a
/// dishonest log.
fn publish(
    reader: &Reader,
    signer: &dyn LogSigner,
    size: u64,
    state_root: Hash,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let origin = signer.origin().to_owned();
    let published = match reader.store().last::<Checkpoints>()? {
        Some((size, row)) => Checkpoint::open(&row.note, &signer.key())
            .ok()
            .filter(|checkpoint| checkpoint.origin == origin && checkpoint.size == size),
        None => None,
    };
    if published.as_ref().is_some_and(|published| published.size > size) {
        return Ok(());
    }
    let root = merkle::root(size, &StoredNodes(reader))?;
    let checkpoint = Checkpoint { origin, size, root, state_root };
    match published.filter(|published| published.size == size) {
        Some(published) if published == checkpoint => Ok(()),
        Some(_) => Err(StoreError::Corrupt {
            column: Column::Checkpoints.name(),
            detail: format!("another checkpoint of {size} entries was signed before; no further one is signed"),
        }),
        None => {
            let note = checkpoint.to_note(&signer.key(), |text| signer.sign(text));
            batch.put::<Checkpoints>(&size, &CheckpointRow { note, cosignatures: Vec::new() });
            Ok(())
        }
    }
}

/// When the map is made again, checkpoints of versions that are gone go too, but for the newest,
/// which is served until there is a newer one.
fn forget_old_checkpoints(reader: &Reader, batch: &mut Batch) -> Result<(), StoreError> {
    for row in reader.store().scan::<Checkpoints>(Range::all().backwards()).skip(1) {
        batch.delete::<Checkpoints>(&row?.0);
    }
    Ok(())
}

/// A cut goes on exactly where the one before it ended.
fn check_base(base: Option<Version>, entries: &[LogEntry]) -> Result<(), StoreError> {
    match (base, entries.first()) {
        (None, None | Some(LogEntry { index: 1, .. })) => Ok(()),
        (Some(base), Some(entry)) if base.size == entry.index => Ok(()),
        (base, entry) => Err(StoreError::Corrupt {
            column: Column::MapVersions.name(),
            detail: format!(
                "the newest version covers {} entries, and the log is read from {}; rebuild the state map",
                base.map_or(0, |base| base.size),
                entry.map_or(0, |entry| entry.index)
            ),
        }),
    }
}

/// What the subjects end with that the entries touch, or of which something else counts since.
fn changed_tips(reader: &Reader, entries: &[LogEntry], size: u64) -> Result<BTreeMap<SubjectId, LaneTips>, StoreError> {
    let at = CountedAt { reader, size };
    let first = entries.first().map_or(size, |entry| entry.index);
    let mut again = BTreeSet::new();
    for stored in recounted(reader, first, size)? {
        let event = &stored.judged.event;
        again.extend((0..event.payload().touches.len()).filter_map(|touch| event.subject(touch)));
    }
    let mut subjects = BTreeSet::new();
    for entry in entries {
        let event = &entry.stored.judged.event;
        subjects.extend((0..event.payload().touches.len()).filter_map(|touch| event.subject(touch)));
    }
    let subjects: Vec<SubjectId> = subjects.difference(&again).copied().collect();
    let stored = reader.store().multi_get::<MapTips>(&subjects)?;
    let mut tips: BTreeMap<_, _> =
        subjects.into_iter().zip(stored.into_iter().map(Option::unwrap_or_default)).collect();
    for entry in entries {
        let event = &entry.stored.judged.event;
        for touch in 0..event.payload().touches.len() {
            let subject = event.subject(touch).expect("the touch was just enumerated");
            if let Some(lanes) = tips.get_mut(&subject)
                && !extend(&at, lanes, &entry.stored.judged, touch)?
            {
                tips.remove(&subject);
                again.insert(subject);
            }
        }
    }
    for subject in again {
        tips.insert(subject, at_size(reader, &subject, size)?);
    }
    Ok(tips)
}
