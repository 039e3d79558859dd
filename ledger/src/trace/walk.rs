//! Walks along lineage, breadth first.

use super::table::{How, Link, Links};
use crate::reader::Reader;
use provenance::id::{EventId, SubjectId, sha256};
use std::collections::{BTreeMap, HashSet};
use store::{Column, Range, StoreError};

/// Rows that are read at once: enough that the store sorts them by blocks, few enough to stay in memory.
const READ_AT_ONCE: usize = 2_048;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What it is made of.
    Upstream,
    /// What became of it.
    Downstream,
}

impl Direction {
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Upstream => 0,
            Self::Downstream => 1,
        }
    }
}

/// How far to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most steps from the start.
    pub depth: u32,
    /// Most lots and units, those at the start included.
    pub lots: usize,
}

/// A lot or unit, and how it was reached first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reached {
    /// The lot or unit.
    pub subject: SubjectId,
    /// Steps from the start.
    pub depth: u32,
    /// From which lot or unit it was reached; none at the start.
    pub from: Option<SubjectId>,
    /// The event that links the two.
    pub event: Option<EventId>,
    /// How the later of the two came out of the earlier.
    pub how: Option<How>,
}

/// What was reached: nearest first, those equally near by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// All that was reached, the start included.
    pub reached: Vec<Reached>,
    /// Whether there is more behind the bounds.
    pub more: bool,
}

/// Reads lineage, which follows the log within milliseconds.
#[derive(Debug, Clone)]
pub struct Lineage {
    pub(super) reader: Reader,
}

impl Lineage {
    /// Of the ledger with this reader.
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// Everything that these lots and units are made of, or that became of them.
    ///
    /// Downstream, a unit leads to the units in which it lies, but not to what else lies in it; only a unit with which the
    /// walk begins stands for all that it holds. What was taken out of a unit is not reached through it.
    pub fn trace(&self, from: &[SubjectId], direction: Direction, bounds: Bounds) -> Result<Trace, StoreError> {
        let mut walk = Walk { lineage: self, bounds, seen: HashSet::new(), reached: Vec::new(), more: false };
        let mut layer: Vec<SubjectId> = from.to_vec();
        layer.sort_unstable();
        layer.dedup();
        let start =
            layer.iter().map(|subject| Reached { subject: *subject, depth: 0, from: None, event: None, how: None });
        layer = walk.take(start.collect());
        if direction == Direction::Downstream {
            let held = walk.go(layer.clone(), Direction::Upstream, |link| link.how == How::Packed)?;
            layer.extend(held);
        }
        walk.go(layer, direction, |_| true)?;
        let Walk { mut reached, more, .. } = walk;
        reached.sort_unstable_by_key(|reached| (reached.depth, reached.subject));
        Ok(Trace { reached, more })
    }

    /// A digest of all links, sightings and claims: the same on all nodes that hold the same events, in whatever order
    /// these came. Reads all rows, so it is for comparing nodes, not for every request.
    pub fn digest(&self) -> Result<[u8; 32], StoreError> {
        let store = self.reader.store();
        let mut links = Vec::new();
        for row in store.scan::<Links>(Range::all()) {
            let ((subject, direction, _), row) = row?;
            links.extend(row.links.iter().map(|link| (subject, direction, link.subject, link.event, link.how)));
        }
        // They stand in the order of the log, which is each node's own.
        links.sort_unstable();
        let mut digest = [0; 32];
        for (subject, direction, other, event, how) in &links {
            let [subject, other, event] = [subject.as_bytes(), other.as_bytes(), event.as_bytes()];
            digest = sha256(&[&digest, subject, &[*direction, *how as u8], other, event]);
        }
        Ok(sha256(&[&digest, &store.digest(Column::Whereabouts)?, &store.digest(Column::Claims)?]))
    }

    /// The links of each of these, those out of units they were taken from again left out.
    fn links(&self, of: &[SubjectId], direction: Direction) -> Result<Vec<(SubjectId, Vec<Link>)>, StoreError> {
        let number = direction.number();
        let keys: Vec<_> = of.iter().map(|subject| (*subject, number, 0)).collect();
        let rows = self.reader.store().multi_get::<Links>(&keys)?;
        let mut found = Vec::with_capacity(of.len());
        for (subject, row) in of.iter().zip(rows) {
            let Some(row) = row else { continue };
            let mut links = row.links;
            let behind: Vec<_> = (1..=row.behind).map(|page| (*subject, number, page)).collect();
            for keys in behind.chunks(READ_AT_ONCE) {
                let rows = self.reader.store().multi_get::<Links>(keys)?;
                links.extend(rows.into_iter().flatten().flat_map(|row| row.links));
            }
            found.push((*subject, lasting(links)));
        }
        Ok(found)
    }
}

/// Leaves out stays in units that have ended.
fn lasting(links: Vec<Link>) -> Vec<Link> {
    if links.iter().all(|link| link.how != How::Unpacked) {
        return links;
    }
    let mut stays: BTreeMap<SubjectId, i64> = BTreeMap::new();
    for link in &links {
        match link.how {
            How::Packed => *stays.entry(link.subject).or_default() += 1,
            How::Unpacked => *stays.entry(link.subject).or_default() -= 1,
            How::Part | How::Returned | How::Made => {}
        }
    }
    let lasts = |link: &Link| match link.how {
        How::Packed => stays.get(&link.subject).is_some_and(|stays| *stays > 0),
        How::Unpacked => false,
        How::Part | How::Returned | How::Made => true,
    };
    links.into_iter().filter(lasts).collect()
}

struct Walk<'a> {
    lineage: &'a Lineage,
    bounds: Bounds,
    seen: HashSet<SubjectId>,
    reached: Vec<Reached>,
    more: bool,
}

impl Walk<'_> {
    /// Walks from a layer to the end, or to the bounds, and gives back what was reached.
    fn go(
        &mut self,
        mut layer: Vec<SubjectId>,
        direction: Direction,
        follow: impl Fn(&Link) -> bool,
    ) -> Result<Vec<SubjectId>, StoreError> {
        let (mut all, mut depth) = (Vec::new(), 0);
        while !layer.is_empty() {
            depth += 1;
            let mut next: Vec<Reached> = Vec::new();
            for some in layer.chunks(READ_AT_ONCE) {
                for (from, links) in self.lineage.links(some, direction)? {
                    next.extend(links.iter().filter(|link| follow(link) && !self.seen.contains(&link.subject)).map(
                        |link| Reached {
                            subject: link.subject,
                            depth,
                            from: Some(from),
                            event: Some(link.event),
                            how: Some(link.how),
                        },
                    ));
                }
            }
            if depth > self.bounds.depth {
                self.more |= !next.is_empty();
                break;
            }
            layer = self.take(next);
            all.extend_from_slice(&layer);
        }
        Ok(all)
    }

    /// Notes what was reached and was not seen before, as far as there is room.
    fn take(&mut self, mut next: Vec<Reached>) -> Vec<SubjectId> {
        next.sort_unstable_by_key(|reached| (reached.subject, reached.from, reached.event));
        next.dedup_by_key(|reached| reached.subject);
        let room = self.bounds.lots.saturating_sub(self.reached.len());
        self.more |= next.len() > room;
        next.truncate(room);
        let layer: Vec<SubjectId> = next.iter().map(|reached| reached.subject).collect();
        self.seen.extend(layer.iter().copied());
        self.reached.append(&mut next);
        layer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stay_lasts_until_as_many_unpackings_as_packings() {
        let unit = SubjectId::from_bytes([1; 32]);
        let link = |number: u8, how| Link { subject: unit, event: EventId::from_bytes([number; 32]), how };
        let of = |hows: &[How]| lasting((0..).zip(hows).map(|(number, how)| link(number, *how)).collect());
        assert_eq!(of(&[How::Packed]).len(), 1);
        assert_eq!(of(&[How::Packed, How::Unpacked]), []);
        assert_eq!(of(&[How::Packed, How::Unpacked, How::Packed]).len(), 2);
        assert_eq!(of(&[How::Made, How::Packed, How::Unpacked]), [link(0, How::Made)]);
    }
}
