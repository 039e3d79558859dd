//! The newest entries of the log in memory: a follower that keeps up with the log reads nothing of it from the disk.

use crate::follower::LogEntry;
use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

/// Bytes of the events that are kept at most; decoded they take about three times as much.
const BYTES: usize = 16 << 20;

/// Consecutive entries that are on the disk, up to the newest.
#[derive(Debug, Default)]
pub(crate) struct Recent(RwLock<Entries>);

#[derive(Debug, Default)]
struct Entries {
    entries: VecDeque<LogEntry>,
    bytes: usize,
}

impl Recent {
    /// Adds entries that were appended and are on the disk, in their order.
    pub fn append(&self, appended: Vec<LogEntry>) {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for entry in appended {
            // After a failed commit some may be missing.
            if kept.entries.back().is_some_and(|last| last.index + 1 != entry.index) {
                *kept = Entries::default();
            }
            kept.bytes += bytes(&entry);
            kept.entries.push_back(entry);
            while kept.bytes > BYTES
                && let Some(oldest) = kept.entries.pop_front()
            {
                kept.bytes -= bytes(&oldest);
            }
        }
    }

    /// Entries from index `from` on, at most `max`; none where that one is not here.
    pub fn entries(&self, from: u64, max: usize) -> Vec<LogEntry> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let first = kept.entries.front().map_or(u64::MAX, |entry| entry.index);
        let Some(skipped) = from.checked_sub(first).and_then(|skipped| usize::try_from(skipped).ok()) else {
            return Vec::new();
        };
        kept.entries.iter().skip(skipped).take(max).cloned().collect()
    }
}

fn bytes(entry: &LogEntry) -> usize {
    entry.stored.judged.event.bytes().len()
}
