//! How long after an event is durable the followers show it, measured while events are taken in.

use ledger::Ledger;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When the log was how large, and how far behind its followers were.
#[derive(Debug, Default)]
pub struct Lag {
    /// Sizes that not all followers have reached, oldest first.
    sizes: VecDeque<(Instant, u64)>,
    lags: Vec<Duration>,
}

impl Lag {
    /// How far apart samples are.
    pub const EVERY: Duration = Duration::from_millis(5);

    /// Takes a sample: how long ago the log had the size up to which every view is written.
    ///
    /// The state map is left out, as it is cut on a timer.
    pub fn sample(&mut self, ledger: &Ledger) {
        let now = Instant::now();
        let size = ledger.size();
        if self.sizes.back().is_none_or(|(_, last)| *last < size) {
            self.sizes.push_back((now, size));
        }
        let followers = ledger.health().followers;
        let views = followers.iter().rev().skip(1).map(|follower| follower.next);
        let shown = views.min().unwrap_or(size);
        while self.sizes.front().is_some_and(|(_, size)| *size <= shown) {
            self.sizes.pop_front();
        }
        self.lags.push(self.sizes.front().map_or(Duration::ZERO, |(since, _)| now - *since));
    }

    /// The lag that 95 of 100 samples keep, in milliseconds.
    pub fn p95_ms(mut self) -> f64 {
        self.lags.sort_unstable();
        let at = self.lags.len() * 95 / 100;
        self.lags.get(at).map_or(0.0, |lag| lag.as_secs_f64() * 1e3)
    }
}
