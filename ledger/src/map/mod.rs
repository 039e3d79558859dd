//! The state map of this node's log (docs/state-map.md): cut by a follower, kept in versions, proved.
//!
//! Each step of the follower is one *cut*: a version of the map for exactly the entries that it has
//! read, written together with its cursor. The size of the log is the number of the version. The map
//! is cut on a timer and when somebody needs it, never for each event.
//!
//! A page is written at one version and replaced at a later one; versions between the two read it.
//! Versions that nobody needs any more are removed by the same steps, with the pages that only they
//! read.

mod compare;
mod cut;
mod cuts;
mod proof;
mod pruning;
mod retention;
mod tips;

pub(crate) use cut::{MapFollower, publish_newest};
pub(crate) use cuts::size_before;
pub use proof::{Cut, StateError, StateProof};
pub(crate) use pruning::newest_cosigned;
pub use tips::LaneTips;
pub(crate) use tips::without;

use provenance::merkle::Hash;
use provenance::state_map::{EMPTY, MapError, Page, PageKey, Pages, RootRef};
use store::{Column, MapPages, MapVersions, Range, Store, StoreError, VersionRow};

/// The map's pages in the store.
pub(crate) struct StoredPages<'a>(pub &'a Store);

impl Pages for StoredPages<'_> {
    type Error = StoreError;

    fn page(&self, key: &PageKey) -> Result<Option<Page>, StoreError> {
        self.0.get::<MapPages>(key)
    }
}

/// A version of the map that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// Entries of the log that it covers.
    pub size: u64,
    /// Where it starts; none for an empty map.
    pub root: Option<RootRef>,
    /// When it was cut.
    pub cut_ms: u64,
}

impl Version {
    fn of(size: u64, row: &VersionRow) -> Self {
        let root = row.root.map(|(version, hash)| RootRef { version, hash: *hash });
        Self { size, root, cut_ms: row.cut_ms }
    }

    /// The root of the map.
    pub fn state_root(&self) -> Hash {
        self.root.map_or(EMPTY, |root| root.hash)
    }

    /// The newest version; none while the map is made again.
    pub fn newest(store: &Store) -> Result<Option<Self>, StoreError> {
        Ok(store.last::<MapVersions>()?.map(|(size, row)| Self::of(size, &row)))
    }

    /// The version of a size; none if there is none, or if it is being removed.
    pub fn at(store: &Store, size: u64) -> Result<Option<Self>, StoreError> {
        let row = store.get::<MapVersions>(&size)?.filter(|row| row.removal.is_none());
        Ok(row.map(|row| Self::of(size, &row)))
    }

    /// All that can be read, ascending.
    fn all(store: &Store) -> Result<Vec<Self>, StoreError> {
        let mut versions = Vec::new();
        for row in store.scan::<MapVersions>(Range::all()) {
            let (size, row) = row?;
            versions.extend(row.removal.is_none().then(|| Self::of(size, &row)));
        }
        Ok(versions)
    }
}

/// What is wrong with the stored map is wrong with the store.
pub(crate) fn unreadable(error: MapError<StoreError>) -> StoreError {
    match error {
        MapError::Read(error) => error,
        other => StoreError::Corrupt { column: Column::MapPages.name(), detail: other.to_string() },
    }
}
