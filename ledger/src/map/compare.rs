//! What nodes read of each other's maps to find where they differ.

use super::{StoredPages, Version};
use crate::ledger::Ledger;
use provenance::id::{EventId, SubjectId};
use provenance::state_map::{Page, PageKey, Pages, RootRef};
use std::collections::BTreeSet;
use store::{LaneEvents, MapTips, Range, StoreError};

impl Ledger {
    /// Size and root page of the newest version of the map; nothing while it is made again.
    pub fn map_root(&self) -> Result<Option<(u64, Option<RootRef>)>, StoreError> {
        Ok(Version::newest(self.reader().store())?.map(|version| (version.size, version.root)))
    }

    /// A page of the map; nothing where it was removed, or never was.
    pub fn map_page(&self, key: &PageKey) -> Result<Option<Page>, StoreError> {
        StoredPages(self.reader().store()).page(key)
    }

    /// Events of a subject with their indexes in the log: the tips of its lanes, and of each lane those that stand
    /// highest; at most `most`, of the main lane first. Where a subject has more tips than that, the rest are left out, and
    /// whoever compares finds them by reading the log.
    pub fn recent_events(&self, subject: &SubjectId, most: usize) -> Result<Vec<(u64, EventId)>, StoreError> {
        let store = self.reader().store();
        let tips = store.get::<MapTips>(subject)?.unwrap_or_default();
        let mut ids: BTreeSet<EventId> = tips.values().flatten().copied().take(most).collect();
        for lane in tips.keys() {
            for row in store.scan::<LaneEvents>(Range::prefix(&(*subject, *lane)).backwards()).take(most) {
                if ids.len() >= most {
                    break;
                }
                ids.insert(row?.0.3);
            }
        }
        self.reader().indexes(ids)
    }
}
