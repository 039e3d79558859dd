//! Which events came from peers lately: they are on their way already and are not published again.

use provenance::id::EventId;
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Far more than can lie between taking an event in and finding it in the log. An event that is
/// forgotten too early is published once more, which costs a message and harms nobody.
const REMEMBERED: usize = 65_536;

/// A bounded memory of event ids.
#[derive(Debug, Default)]
pub(super) struct Received(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    known: HashSet<EventId>,
    order: VecDeque<EventId>,
}

impl Received {
    /// Takes note of events before they are submitted.
    pub(super) fn note(&self, ids: impl IntoIterator<Item = EventId>) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if memory.known.insert(id) {
                memory.order.push_back(id);
            }
            if memory.order.len() > REMEMBERED
                && let Some(oldest) = memory.order.pop_front()
            {
                memory.known.remove(&oldest);
            }
        }
    }

    /// Whether a peer sent it.
    pub(super) fn contains(&self, id: &EventId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).known.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> EventId {
        EventId::of(&number.to_be_bytes())
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let received = Received::default();
        received.note((0..REMEMBERED).map(id));
        received.note([id(0)]);
        assert!(received.contains(&id(0)));
        received.note([id(REMEMBERED)]);
        assert!(!received.contains(&id(0)) && received.contains(&id(1)) && received.contains(&id(REMEMBERED)));
    }
}
