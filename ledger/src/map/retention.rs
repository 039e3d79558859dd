//! Which versions of the map stay, so that what was published can be proved for a while.

use std::collections::BTreeSet;

/// The newest versions, which stay in any case: whoever was given a checkpoint can still ask for proofs.
const NEWEST: usize = 8;

/// Time for which a version stays where room allows: a visitor who was given a checkpoint has
/// come back with his questions by then, and whoever wants it for longer has said so.
const YOUNG_MS: u64 = 5 * 60 * 1_000;

/// Pages that young versions may keep alive beyond the newest ones, about 300 MB of them. It is
/// reached only where tens of thousands of events a second go on for seconds.
const PAGES: u64 = 500_000;

/// What decides about a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    /// Entries of the log.
    pub size: u64,
    /// When it was cut.
    pub cut_ms: u64,
    /// Pages that it replaced, which those before it need.
    pub replaced: u64,
}

/// The versions that nobody needs, ascending. `versions` are all, ascending.
pub(super) fn unwanted(versions: &[Age], kept: &BTreeSet<u64>, cosigned: Option<u64>, now_ms: u64) -> Vec<u64> {
    let mut unwanted = Vec::new();
    let mut pages = 0;
    for (place, version) in versions.iter().rev().enumerate() {
        let is_young = now_ms.saturating_sub(version.cut_ms) < YOUNG_MS && pages <= PAGES;
        let is_wanted = kept.contains(&version.size) || cosigned == Some(version.size);
        if place >= NEWEST && !is_young && !is_wanted {
            unwanted.push(version.size);
        }
        pages += version.replaced;
    }
    unwanted.reverse();
    unwanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(size: u64, replaced: u64) -> Age {
        Age { size, cut_ms: size * 1_000, replaced }
    }

    #[test]
    fn the_newest_the_young_and_the_wanted_stay() {
        let versions: Vec<_> = (1..=400).map(|size| cut(size, 10)).collect();
        let kept = BTreeSet::from([5, 399, 1_000]);
        let gone = unwanted(&versions, &kept, Some(7), 400_000);
        let expected: Vec<_> = (1..=100).filter(|size| ![5, 7].contains(size)).collect();
        assert_eq!(gone, expected);
        // After a long pause only the newest are left.
        assert_eq!(unwanted(&versions, &kept, Some(7), 4_000_000).len(), 400 - NEWEST - 2);
    }

    #[test]
    fn many_replaced_pages_shorten_the_time() {
        let versions: Vec<_> = (1..=60).map(|size| cut(size, PAGES / 20)).collect();
        assert_eq!(unwanted(&versions, &BTreeSet::new(), None, 60_000).len(), 60 - 21);
        let versions: Vec<_> = (1..=60).map(|size| cut(size, PAGES)).collect();
        assert_eq!(unwanted(&versions, &BTreeSet::new(), None, 60_000).len(), 60 - NEWEST);
    }
}
