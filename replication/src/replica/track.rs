//! Reading one stretch of a log: ids that were read, in their order, until they are passed.

use p2p::message::MAX_PAGE_IDS;
use provenance::id::EventId;
use std::collections::{HashSet, VecDeque};

/// A stretch of a peer's log that is being read.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// Entries before this index are passed.
    passed: u64,
    /// The entry before it.
    last: Option<EventId>,
    /// Entries that were read and are not passed.
    open: VecDeque<EventId>,
    /// The same, to see whether one comes twice.
    open_ids: HashSet<EventId>,
    /// Where the stretch ends: the log's size, or where what was skipped ends.
    pub end: u64,
    /// Whether a page is asked for now.
    pub asking: bool,
}

/// Why a page does not go on from what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadPage {
    /// The peer said something that cannot be.
    Wrong(&'static str),
    /// It is another log than the one that was read.
    OtherLog,
}

impl Track {
    /// A track from `passed` on; `last` is the entry before it.
    pub fn new(passed: u64, last: Option<EventId>, end: u64) -> Self {
        Self { passed, last, end, ..Self::default() }
    }

    /// Entries before this index are passed.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// The last entry that was passed.
    pub fn last(&self) -> Option<EventId> {
        self.last
    }

    /// The index that is read next.
    pub fn head(&self) -> u64 {
        self.passed.saturating_add(self.open.len() as u64)
    }

    /// How many entries were read and are not passed.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether this entry was read and is not passed.
    pub fn is_open(&self, id: &EventId) -> bool {
        self.open_ids.contains(id)
    }

    /// Whether everything was read and passed.
    pub fn is_done(&self) -> bool {
        self.passed >= self.end
    }

    /// Where the next page is to begin: one entry early, to see whether the log is still the same.
    pub fn page_start(&self) -> u64 {
        self.head().saturating_sub(1)
    }

    /// How many ids the next page is to have.
    pub fn page_ids(&self) -> u32 {
        let left = self.end.saturating_sub(self.page_start());
        u32::try_from(left).unwrap_or(u32::MAX).min(MAX_PAGE_IDS)
    }

    /// Takes the page that begins at [`Track::page_start`], of a log of `log_size` entries; gives index and ids of what is
    /// new. No log has an entry twice.
    pub fn take(&mut self, network: &EventId, log_size: u64, ids: &[EventId]) -> Result<(u64, Vec<EventId>), BadPage> {
        let head = self.head();
        let Some((first, after)) = ids.split_first() else {
            return Err(BadPage::Wrong("has no entry where its log should have one"));
        };
        let fresh = if head == 0 {
            if first != network {
                return Err(BadPage::Wrong("has a log that does not begin with the network"));
            }
            ids
        } else {
            match self.open.back().or(self.last.as_ref()) {
                Some(last) if last != first => return Err(BadPage::OtherLog),
                Some(_) => {}
                // A comparison of maps has moved the cursor here; nothing was known of the entry before.
                None => self.last = Some(*first),
            }
            after
        };
        if fresh.is_empty() && log_size > head && self.end > head {
            return Err(BadPage::Wrong("sent an empty page before its log's end"));
        }
        let room = usize::try_from(self.end.max(log_size).saturating_sub(head)).unwrap_or(usize::MAX);
        let fresh = &fresh[..fresh.len().min(room)];
        let mut seen = HashSet::with_capacity(fresh.len());
        // The network is the first entry, and no other.
        let is_other = |(at, id): (usize, &EventId)| id != network || head == 0 && at == 0;
        let is_once = fresh.iter().all(|id| !self.open_ids.contains(id) && seen.insert(*id));
        if !is_once || !fresh.iter().enumerate().all(is_other) {
            return Err(BadPage::Wrong("has an entry twice in its log"));
        }
        self.open.extend(fresh);
        self.open_ids.extend(seen);
        Ok((head, fresh.to_vec()))
    }

    /// Passes entries from the front as long as `may_pass` says so.
    pub fn pass(&mut self, mut may_pass: impl FnMut(&EventId) -> bool) -> u64 {
        let mut count = 0;
        while let Some(id) = self.open.front().copied()
            && may_pass(&id)
        {
            self.open.pop_front();
            self.open_ids.remove(&id);
            self.last = Some(id);
            self.passed = self.passed.saturating_add(1);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> EventId {
        EventId::from_bytes([byte; 32])
    }

    #[test]
    fn pages_overlap_by_one_entry_and_are_passed_in_order() {
        let (mut track, network) = (Track::new(0, None, 4), id(0));
        assert_eq!((track.page_start(), track.page_ids()), (0, 4));
        assert_eq!(track.take(&network, 4, &[id(0), id(1)]), Ok((0, vec![id(0), id(1)])));
        assert_eq!((track.head(), track.page_start(), track.page_ids()), (2, 1, 3));
        assert_eq!(track.take(&network, 4, &[id(1), id(2), id(3)]), Ok((2, vec![id(2), id(3)])));
        assert_eq!(track.pass(|passed| *passed != id(2)), 2);
        assert_eq!((track.passed(), track.last(), track.open()), (2, Some(id(1)), 2));
        assert_eq!(track.pass(|_| true), 2);
        assert!(track.is_done());
    }

    #[test]
    fn pages_that_cannot_be_are_refused() {
        let network = id(0);
        let mut track = Track::new(0, None, 4);
        assert!(matches!(track.take(&network, 4, &[]), Err(BadPage::Wrong(_))));
        assert!(matches!(track.take(&network, 4, &[id(1)]), Err(BadPage::Wrong(_))));
        let mut track = Track::new(3, Some(id(2)), 4);
        assert_eq!(track.take(&network, 4, &[id(9), id(3)]), Err(BadPage::OtherLog));
        assert!(matches!(track.take(&network, 4, &[id(2)]), Err(BadPage::Wrong(_))));
        for page in [&[id(0), id(1), id(1)][..], &[id(0), id(1), id(0)]] {
            assert!(
                matches!(Track::new(0, None, 4).take(&network, 4, page), Err(BadPage::Wrong(_))),
                "one comes twice"
            );
        }
        let mut track = Track::new(0, None, 4);
        assert!(track.take(&network, 4, &[id(0), id(1), id(2)]).is_ok());
        assert!(matches!(track.take(&network, 4, &[id(2), id(1)]), Err(BadPage::Wrong(_))), "one was there before");
        let mut moved = Track::new(3, None, 4);
        assert_eq!(moved.take(&network, 4, &[id(9), id(3)]), Ok((3, vec![id(3)])));
        assert_eq!(Track::new(u64::MAX, None, u64::MAX).page_ids(), 1);
    }

    #[test]
    fn a_skipped_stretch_ends_where_it_ends() {
        let mut track = Track::new(1, Some(id(0)), 2);
        assert_eq!(track.page_ids(), 2);
        assert_eq!(track.take(&id(0), 2, &[id(0), id(1), id(2)]), Ok((1, vec![id(1)])));
    }
}
