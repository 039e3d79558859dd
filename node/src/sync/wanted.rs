//! What is asked of peers again until somebody has it: bounded, debounced, with growing pauses.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long something waits before it is asked for: what comes together is asked for together.
const DEBOUNCE: Duration = Duration::from_millis(500);

/// The pause after the first attempt that brought nothing; each further one is four times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Attempts until nobody is asked any more, which is after about six hours.
const ATTEMPTS: u32 = 8;

/// Things that are wanted from peers.
#[derive(Debug)]
pub(super) struct Wanted<T> {
    most: usize,
    waiting: Mutex<HashMap<T, Attempt>>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    made: u32,
    due: Instant,
}

impl<T: Copy + Eq + Hash> Wanted<T> {
    /// Remembers at most `most` things.
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: Mutex::default() }
    }

    /// Takes note of something; false if there is no room for it.
    pub(super) fn note(&self, thing: T, now: Instant) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let room = waiting.len() < self.most || waiting.contains_key(&thing);
        if room {
            waiting.entry(thing).or_insert(Attempt { made: 0, due: now + DEBOUNCE });
        }
        room
    }

    /// Up to `most` things whose time has come.
    pub(super) fn due(&self, most: usize, now: Instant) -> Vec<T> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().filter(|(_, attempt)| attempt.due <= now).map(|(thing, _)| *thing).take(most).collect()
    }

    /// It is here, or not wanted any more.
    pub(super) fn settle(&self, thing: &T) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(thing);
    }

    /// Nobody had it: it is asked for again later. False if that was the last attempt.
    pub(super) fn failed(&self, thing: &T, now: Instant) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(attempt) = waiting.get_mut(thing) else { return true };
        attempt.made += 1;
        if attempt.made >= ATTEMPTS {
            waiting.remove(thing);
            return false;
        }
        attempt.due = now + FIRST_PAUSE * 4_u32.pow(attempt.made - 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_debounced_bounded_and_end() {
        let (wanted, start) = (Wanted::new(2), Instant::now());
        assert!(wanted.note(1, start) && wanted.note(2, start) && !wanted.note(3, start) && wanted.note(1, start));
        assert!(wanted.due(9, start).is_empty());
        let mut now = start + DEBOUNCE;
        assert_eq!((wanted.due(9, now).len(), wanted.due(1, now).len()), (2, 1));
        wanted.settle(&2);
        for attempt in 1..ATTEMPTS {
            assert!(wanted.failed(&1, now));
            let pause = FIRST_PAUSE * 4_u32.pow(attempt - 1);
            assert!(wanted.due(9, now + pause.saturating_sub(Duration::from_millis(1))).is_empty());
            now += pause;
            assert_eq!(wanted.due(9, now), [1]);
        }
        assert!(!wanted.failed(&1, now));
        assert!(wanted.due(9, now + Duration::from_hours(9)).is_empty() && wanted.note(3, now));
    }
}
