//! Changing the map: one pass over a sorted batch that reads and writes every page at most once.

use super::page::single;
use super::{Child, EMPTY, MapError, NibblePath, Page, PageKey, Pages, RootRef, load};
use crate::id::SubjectId;
use crate::merkle::Hash;
use std::collections::BTreeMap;

/// What a change does to the stored pages. Whoever only wants the new root, as a peer who checks
/// another log's, throws the pages away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Where the new version starts; the root given, if nothing changed.
    pub root: Option<RootRef>,
    /// Pages to store before the new root is used.
    pub written: Vec<(PageKey, Page)>,
    /// Pages that the new version and those after it never read: to be deleted as soon as nobody
    /// wants an older version.
    pub replaced: Vec<PageKey>,
}

impl Update {
    /// The root of the new version.
    pub fn root_hash(&self) -> Hash {
        self.root.map_or(EMPTY, |root| root.hash)
    }
}

/// Sets the value of each key in `changes`, or removes the key where there is no value.
///
/// `version` must be greater than that of `root`. The new root depends on the keys and values that
/// the map then has, not on the way there.
pub fn update<P: Pages>(
    root: Option<RootRef>,
    changes: &BTreeMap<SubjectId, Option<Hash>>,
    version: u64,
    pages: &P,
) -> Result<Update, MapError<P::Error>> {
    if let Some(old) = root.map(|root| root.version).filter(|old| *old >= version) {
        return Err(MapError::Version { new: version, old });
    }
    let changes: Vec<Change> = changes.iter().map(|(key, value)| (*key, *value)).collect();
    let before = root.map_or(Child::Empty, |RootRef { version, hash }| Child::Page { version, hash });
    let mut pass = Pass { pages, version, written: Vec::new(), replaced: Vec::new() };
    let root = match pass.apply(NibblePath::ROOT, before, &changes)? {
        Child::Page { version, hash } => Some(RootRef { version, hash }),
        Child::Empty => None,
        Child::Leaf { .. } => unreachable!("the root page is kept even for a single key"),
    };
    Ok(Update { root, written: pass.written, replaced: pass.replaced })
}

type Change = (SubjectId, Option<Hash>);

struct Pass<'p, P> {
    pages: &'p P,
    version: u64,
    written: Vec<(PageKey, Page)>,
    replaced: Vec<PageKey>,
}

impl<P: Pages> Pass<'_, P> {
    /// What stands at `path` after the changes, all of whose keys begin with it.
    fn apply(&mut self, path: NibblePath, child: Child, changes: &[Change]) -> Result<Child, MapError<P::Error>> {
        let (version, hash) = match child {
            Child::Page { version, hash } => (version, hash),
            Child::Leaf { key, value } => return Ok(self.build(path, &with_leaf(changes, key, value))),
            Child::Empty => return Ok(self.build(path, &set(changes))),
        };
        let key = PageKey { path, version };
        let mut page = load(self.pages, key)?;
        let mut changed = false;
        for group in changes.chunk_by(|a, b| path.next(&a.0) == path.next(&b.0)) {
            let nibble = path.next(&group[0].0);
            let before = page.children[nibble];
            let after = self.apply(path.child(nibble), before, group)?;
            changed |= before != after;
            page.children[nibble] = after;
        }
        if !changed {
            return Ok(Child::Page { version, hash });
        }
        self.replaced.push(key);
        Ok(self.keep(path, page))
    }

    /// A place where nothing stood, or a single leaf that is among the entries.
    fn build(&mut self, path: NibblePath, entries: &[(SubjectId, Hash)]) -> Child {
        match entries {
            [] => return Child::Empty,
            [(key, value)] if !path.is_empty() => return Child::Leaf { key: *key, value: *value },
            _ => {}
        }
        let mut page = Page::default();
        for group in entries.chunk_by(|a, b| path.next(&a.0) == path.next(&b.0)) {
            let nibble = path.next(&group[0].0);
            page.children[nibble] = self.build(path.child(nibble), group);
        }
        self.keep(path, page)
    }

    /// Writes a page, unless what is left on it belongs on the page above.
    fn keep(&mut self, path: NibblePath, page: Page) -> Child {
        match single(&*page.children) {
            Some(Child::Leaf { .. }) if path.is_empty() => {}
            Some(child) => return child,
            None => {}
        }
        let (version, hash) = (self.version, page.hash());
        self.written.push((PageKey { path, version }, page));
        Child::Page { version, hash }
    }
}

fn set(changes: &[Change]) -> Vec<(SubjectId, Hash)> {
    changes.iter().filter_map(|(key, value)| Some((*key, (*value)?))).collect()
}

/// The entries that the changes set, and the leaf that stood there, if they do not concern it.
fn with_leaf(changes: &[Change], key: SubjectId, value: Hash) -> Vec<(SubjectId, Hash)> {
    let mut entries = set(changes);
    if changes.binary_search_by_key(&key, |change| change.0).is_err() {
        let at = entries.partition_point(|entry| entry.0 < key);
        entries.insert(at, (key, value));
    }
    entries
}
