//! Comparing two state maps: from the root down wherever the hashes differ, and then the subjects that do.
//!
//! A peer's pages are bound to the root that it named: each is asked for by the key, and checked against the hash,
//! that the page above it gives. A peer that lies about its root wastes this node's time up to the bounds, and the
//! log is read after that.

use crate::holdings::{Holdings, StateRoot};
use crate::limits::MAX_DIFFERING;
use p2p::Request;
use p2p::message::{MAX_MAP_PAGES, MAX_SUBJECTS};
use provenance::id::{EventId, SubjectId};
use provenance::merkle::Hash;
use provenance::state_map::{Child, NibblePath, Page, PageKey, RootRef};
use std::collections::{BTreeMap, VecDeque};
use store::StoreError;

/// A comparison that is going on.
#[derive(Debug)]
pub(super) struct Descent {
    /// Entries that the peer's map covers.
    pub size: u64,
    /// Pages of the peer that are to be looked at.
    pages: VecDeque<Place>,
    /// Subjects in which the maps differ.
    subjects: VecDeque<SubjectId>,
    asked: Asked,
    /// Events that are not here, by their index in the peer's log.
    found: BTreeMap<u64, EventId>,
}

/// A place where both maps are to be looked at.
#[derive(Debug, Clone, Copy)]
struct Place {
    path: NibblePath,
    theirs: RootRef,
    own: Child,
}

#[derive(Debug, Default)]
enum Asked {
    #[default]
    Nothing,
    Pages(Vec<Place>),
    Subjects(usize),
}

/// How a comparison ends before it is done.
#[derive(Debug)]
pub(super) enum Dropped {
    /// The maps differ too much, or one of them changed too fast: the log is read.
    ReadTheLog,
    /// The peer said something that cannot be.
    Wrong(&'static str),
    /// The own map cannot be read.
    Store(StoreError),
}

impl From<StoreError> for Dropped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Descent {
    /// Compares the peer's map with this node's own.
    pub fn new(theirs: StateRoot, own: StateRoot) -> Self {
        let own = match own.root {
            Some(RootRef { version, hash }) => Child::Page { version, hash },
            None => Child::Empty,
        };
        let place = theirs.root.map(|theirs| Place { path: NibblePath::ROOT, theirs, own });
        Self {
            size: theirs.size,
            pages: place.into_iter().collect(),
            subjects: VecDeque::new(),
            asked: Asked::Nothing,
            found: BTreeMap::new(),
        }
    }

    /// What to ask next; nothing while an answer is awaited, or when all is known.
    pub fn ask(&mut self) -> Option<Request> {
        if !matches!(self.asked, Asked::Nothing) {
            return None;
        }
        if !self.pages.is_empty() {
            let places: Vec<Place> = self.pages.drain(..self.pages.len().min(MAX_MAP_PAGES)).collect();
            let key = |place: &Place| PageKey { path: place.path, version: place.theirs.version }.to_bytes();
            let keys = places.iter().map(key).collect();
            self.asked = Asked::Pages(places);
            return Some(Request::MapPages { keys });
        }
        if self.subjects.is_empty() {
            return None;
        }
        let subjects: Vec<SubjectId> = self.subjects.drain(..self.subjects.len().min(MAX_SUBJECTS)).collect();
        self.asked = Asked::Subjects(subjects.len());
        Some(Request::Recent { subjects })
    }

    /// Whether everything was asked and answered.
    pub fn is_done(&self) -> bool {
        matches!(self.asked, Asked::Nothing) && self.pages.is_empty() && self.subjects.is_empty()
    }

    /// The events that are not here, in the order of the peer's log.
    pub fn into_found(self) -> impl Iterator<Item = (u64, EventId)> {
        self.found.into_iter()
    }

    /// Takes pages that were asked for.
    pub fn take_pages(&mut self, holdings: &impl Holdings, pages: Vec<Option<Vec<u8>>>) -> Result<(), Dropped> {
        let Asked::Pages(places) = std::mem::take(&mut self.asked) else {
            return Err(Dropped::Wrong("sent pages of its state map that were not asked for"));
        };
        if pages.len() != places.len() {
            return Err(Dropped::Wrong("left out pages of its state map"));
        }
        for (place, bytes) in places.into_iter().zip(pages) {
            // Removed meanwhile: the map has changed often since it was named.
            let bytes = bytes.ok_or(Dropped::ReadTheLog)?;
            let page = Page::from_bytes(&bytes).map_err(|_| Dropped::Wrong("sent no page of a state map"))?;
            let key = PageKey { path: place.path, version: place.theirs.version };
            if page.hash() != place.theirs.hash || !page.fits(&key) {
                return Err(Dropped::Wrong("sent a page that does not belong to its state map"));
            }
            self.compare(holdings, &place, &page)?;
        }
        Ok(())
    }

    /// Takes the events of the subjects that were asked for.
    pub fn take_recent(
        &mut self,
        events: Vec<Vec<(u64, EventId)>>,
        mut lacks: impl FnMut(&[EventId]) -> Result<Vec<EventId>, StoreError>,
    ) -> Result<(), Dropped> {
        let Asked::Subjects(count) = std::mem::take(&mut self.asked) else {
            return Err(Dropped::Wrong("sent events of subjects that were not asked for"));
        };
        if events.len() != count {
            return Err(Dropped::Wrong("left out subjects"));
        }
        let by_id: BTreeMap<EventId, u64> = events.into_iter().flatten().map(|(index, id)| (id, index)).collect();
        let ids: Vec<EventId> = by_id.keys().copied().collect();
        self.found.extend(lacks(&ids)?.into_iter().map(|id| (by_id[&id], id)));
        if self.found.len() > MAX_DIFFERING { Err(Dropped::ReadTheLog) } else { Ok(()) }
    }

    fn compare(&mut self, holdings: &impl Holdings, place: &Place, theirs: &Page) -> Result<(), Dropped> {
        let own = own_children(holdings, place)?;
        for (nibble, (theirs, own)) in theirs.children().iter().zip(own).enumerate() {
            match (*theirs, own) {
                (Child::Empty, _) => {}
                (Child::Page { hash, .. }, Child::Page { hash: own, .. }) if hash == own => {}
                (Child::Page { version, hash }, own) => {
                    let theirs = RootRef { version, hash };
                    self.pages.push_back(Place { path: place.path.child(nibble), theirs, own });
                }
                (Child::Leaf { key, value }, own) => {
                    let path = place.path.child(nibble);
                    if own_value(holdings, path, own, &key)? != Some(value) {
                        self.subjects.push_back(key);
                    }
                }
            }
        }
        if self.pages.len() + self.subjects.len() > MAX_DIFFERING {
            return Err(Dropped::ReadTheLog);
        }
        Ok(())
    }
}

/// What this node's map has at the sixteen places below.
fn own_children(holdings: &impl Holdings, place: &Place) -> Result<[Child; 16], Dropped> {
    let mut children = [Child::Empty; 16];
    match place.own {
        Child::Empty => {}
        Child::Leaf { key, .. } => children[place.path.next(&key)] = place.own,
        Child::Page { version, .. } => {
            children = *own_page(holdings, PageKey { path: place.path, version })?.children();
        }
    }
    Ok(children)
}

/// The value of a key in this node's map, `child` being what stands at `path` there.
fn own_value(
    holdings: &impl Holdings,
    mut path: NibblePath,
    mut child: Child,
    key: &SubjectId,
) -> Result<Option<Hash>, Dropped> {
    loop {
        match child {
            Child::Empty => return Ok(None),
            Child::Leaf { key: own, value } => return Ok((own == *key).then_some(value)),
            Child::Page { version, .. } => {
                let nibble = path.next(key);
                child = own_page(holdings, PageKey { path, version })?.children()[nibble];
                path = path.child(nibble);
            }
        }
    }
}

fn own_page(holdings: &impl Holdings, key: PageKey) -> Result<Page, Dropped> {
    // Removed meanwhile.
    holdings.map_page(&key)?.ok_or(Dropped::ReadTheLog)
}
