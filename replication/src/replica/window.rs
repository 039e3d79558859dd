//! How many events one peer is asked for at a time: more while it answers quickly, half after each failure.

use crate::limits::{BODY_REQUESTS_AT_ONCE, MAX_WINDOW, QUESTIONS_AT_ONCE, QUESTIONS_PER_S};
use p2p::message::MAX_BODIES;

/// Events under way from a peer of which nothing is known: some 150 kB, which a slow line brings in seconds.
const FIRST: usize = 256;

/// The smallest window: even a very slow line brings so many events within the time a request may take.
const LEAST: usize = 16;

/// An answer that took longer lets the window stay as it is: more at once would only take longer.
const BRISK_MS: u64 = 2_000;

/// How long a peer may take at least before others are asked for the same.
const PATIENCE_MS: u64 = 1_000;

/// How long it may take at most.
const MOST_PATIENCE_MS: u64 = 10_000;

/// What is asked of one peer.
#[derive(Debug, Clone)]
pub(super) struct Window {
    ids: usize,
    outstanding: usize,
    requests: usize,
    /// How long answers took lately, smoothed.
    answer_ms: u64,
    /// Thousandths of a question that may still be asked.
    questions_milli: u64,
    as_of_ms: u64,
}

impl Window {
    pub fn new(now_ms: u64) -> Self {
        Self {
            ids: FIRST,
            outstanding: 0,
            requests: 0,
            answer_ms: 0,
            questions_milli: QUESTIONS_AT_ONCE * 1_000,
            as_of_ms: now_ms,
        }
    }

    /// How many events the next request may ask for, as often as it may be made now.
    pub fn chunks(&self) -> (usize, usize) {
        let chunk = (self.ids / BODY_REQUESTS_AT_ONCE).clamp(1, MAX_BODIES);
        let room = self.ids.saturating_sub(self.outstanding) / chunk;
        (chunk, room.min(BODY_REQUESTS_AT_ONCE.saturating_sub(self.requests)))
    }

    /// Events under way.
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    pub fn asked(&mut self, ids: usize) {
        self.outstanding += ids;
        self.requests += 1;
    }

    pub fn answered(&mut self, ids: usize, took_ms: u64) {
        self.end(ids);
        self.answer_ms = if self.answer_ms == 0 { took_ms } else { (7 * self.answer_ms + took_ms) / 8 };
        if took_ms <= BRISK_MS {
            self.ids = (self.ids * 2).min(MAX_WINDOW);
        }
    }

    pub fn failed(&mut self, ids: usize) {
        self.end(ids);
        self.halve();
    }

    /// The peer takes long; its answer may still come.
    pub fn halve(&mut self) {
        self.ids = (self.ids / 2).max(LEAST);
    }

    /// A request was not sent.
    pub fn end(&mut self, ids: usize) {
        self.outstanding = self.outstanding.saturating_sub(ids);
        self.requests = self.requests.saturating_sub(1);
    }

    /// After which time others are asked for the same.
    pub fn patience_ms(&self) -> u64 {
        (4 * self.answer_ms).clamp(PATIENCE_MS, MOST_PATIENCE_MS)
    }

    /// Takes one question, if one may be asked now.
    pub fn take_question(&mut self, now_ms: u64) -> bool {
        let gained = now_ms.saturating_sub(self.as_of_ms).saturating_mul(QUESTIONS_PER_S);
        self.questions_milli = self.questions_milli.saturating_add(gained).min(QUESTIONS_AT_ONCE * 1_000);
        self.as_of_ms = self.as_of_ms.max(now_ms);
        let enough = self.questions_milli >= 1_000;
        if enough {
            self.questions_milli -= 1_000;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_grows_with_quick_answers_and_halves_with_failures() {
        let mut window = Window::new(0);
        assert_eq!(window.chunks(), (FIRST / 2, 2));
        for _ in 0..8 {
            window.asked(10);
            window.answered(10, 100);
        }
        assert_eq!(window.chunks(), (MAX_BODIES, 2));
        window.asked(MAX_BODIES);
        assert_eq!((window.chunks(), window.outstanding()), ((MAX_BODIES, 1), MAX_BODIES));
        window.failed(MAX_BODIES);
        assert_eq!(window.chunks(), (MAX_BODIES / 2, 2));
        window.asked(1);
        window.answered(1, BRISK_MS + 1);
        assert_eq!(window.chunks(), (MAX_BODIES / 2, 2), "a slow answer lets it stay");
        (0..20).for_each(|_| window.halve());
        assert_eq!(window.chunks(), (LEAST / 2, 2));
    }

    #[test]
    fn patience_follows_what_answers_take() {
        let mut window = Window::new(0);
        assert_eq!(window.patience_ms(), PATIENCE_MS);
        window.asked(1);
        window.answered(1, 600);
        assert_eq!(window.patience_ms(), 2_400);
        window.asked(1);
        window.answered(1, 90_000);
        assert_eq!(window.patience_ms(), MOST_PATIENCE_MS);
    }

    #[test]
    fn questions_are_rationed() {
        let mut window = Window::new(5);
        let asked = (0..1_000).filter(|_| window.take_question(5)).count() as u64;
        assert_eq!(asked, QUESTIONS_AT_ONCE);
        let asked = (0..1_000).filter(|_| window.take_question(505)).count() as u64;
        assert_eq!(asked, QUESTIONS_PER_S / 2);
        assert!(!window.take_question(4), "a clock that went back gives nothing");
    }
}
