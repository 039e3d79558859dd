//! What is going to happen, in the order of simulated time.

use std::collections::BTreeMap;

/// Happenings by time; of those at the same time, the one that was noted first comes first.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    noted: BTreeMap<(u64, u64), T>,
    count: u64,
}

impl<T> Agenda<T> {
    pub fn new() -> Self {
        Self { noted: BTreeMap::new(), count: 0 }
    }

    pub fn note(&mut self, at_ms: u64, happening: T) {
        self.noted.insert((at_ms, self.count), happening);
        self.count += 1;
    }

    /// The next happening, unless it comes after `until_ms`.
    pub fn next(&mut self, until_ms: u64) -> Option<(u64, T)> {
        let first = self.noted.first_entry().filter(|entry| entry.key().0 <= until_ms)?;
        let ((at_ms, _), happening) = first.remove_entry();
        Some((at_ms, happening))
    }
}
