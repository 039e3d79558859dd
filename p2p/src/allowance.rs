//! A token bucket: how much of something is allowed per second, with a burst.
//!
//! Pure: time is an argument.

use std::time::Instant;

/// How fast a bucket fills and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// What comes in each second.
    pub(crate) per_second: u32,
    /// The most that is kept.
    pub(crate) burst: u32,
}

/// Greetings that one peer may send: at most five a second where both sides wake each other.
pub(crate) const GREETINGS: Rate = Rate { per_second: 10, burst: 40 };
/// Requests to read that one peer may make. Catching up needs about fifty a second on a fast line, each
/// for a thousand events; a node that asks more often than this does not follow, it floods.
pub(crate) const READS: Rate = Rate { per_second: 100, burst: 400 };
/// Requests that make this node look at more than it sends, such as to cosign: one every few seconds.
pub(crate) const FAVOURS: Rate = Rate { per_second: 10, burst: 100 };
/// Requests of all peers together. What is more is not answered, and nobody is blamed: no peer need
/// have done more than its share.
pub(crate) const REQUESTS_IN_ALL: Rate = Rate { per_second: 1000, burst: 2000 };
/// Gossip bytes that one peer may bring. More is ignored unread and comes through the log instead,
/// so that gossip that waits for its verdict never fills the memory.
pub(crate) const GOSSIP_IN: Rate = Rate { per_second: 8 << 20, burst: 16 << 20 };
/// Gossip bytes that all peers together may bring: what a ledger judges in a second, and to spare.
pub(crate) const GOSSIP_IN_ALL: Rate = Rate { per_second: 32 << 20, burst: 64 << 20 };
/// Gossip bytes that this node publishes. Gossip is for speed, logs are for volume: in a bulk
/// import peers follow the log instead, and are not flooded.
pub(crate) const GOSSIP_OUT: Rate = Rate { per_second: 4 << 20, burst: 8 << 20 };

/// What is left to one user of a [`Rate`].
#[derive(Debug)]
pub(crate) struct Allowance {
    rate: Rate,
    /// Thousandths of a unit, so that short intervals are not lost to rounding. Less than nothing is a
    /// debt.
    left_milli: i64,
    as_of: Instant,
}

impl Allowance {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left_milli: i64::from(rate.burst) * 1000, as_of: now }
    }

    /// Takes `amount` if that much is left.
    #[must_use]
    pub(crate) fn take(&mut self, amount: usize, now: Instant) -> bool {
        self.fill(now);
        let needed = milli(amount);
        let enough = self.left_milli >= needed;
        if enough {
            self.left_milli -= needed;
        }
        enough
    }

    /// Whether anything is left, that is, whether there is no debt.
    pub(crate) fn has_some(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.left_milli > 0
    }

    /// Takes `amount` even if that makes a debt, which is paid before anything else is left.
    pub(crate) fn owe(&mut self, amount: usize, now: Instant) {
        self.fill(now);
        self.left_milli = self.left_milli.saturating_sub(milli(amount));
    }

    fn fill(&mut self, now: Instant) {
        let elapsed_ms = now.saturating_duration_since(self.as_of).as_millis();
        let elapsed_ms = i64::try_from(elapsed_ms).unwrap_or(i64::MAX);
        if elapsed_ms > 0 {
            let gained = elapsed_ms.saturating_mul(i64::from(self.rate.per_second));
            let most = i64::from(self.rate.burst) * 1000;
            self.left_milli = self.left_milli.saturating_add(gained).min(most);
            self.as_of = now;
        }
    }
}

fn milli(amount: usize) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX).saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATE: Rate = Rate { per_second: 10, burst: 20 };

    #[test]
    fn a_burst_passes_and_then_the_rate_rules() {
        let now = Instant::now();
        let mut allowance = Allowance::new(RATE, now);
        assert_eq!((0..30).filter(|_| allowance.take(1, now)).count(), 20);
        let later = now + Duration::from_millis(500);
        assert_eq!((0..30).filter(|_| allowance.take(1, later)).count(), 5);
    }

    #[test]
    fn rest_fills_the_bucket_only_to_the_burst() {
        let now = Instant::now();
        let mut allowance = Allowance::new(RATE, now);
        let later = now + Duration::from_hours(1);
        assert!(!allowance.take(21, later));
        assert!(allowance.take(20, later));
        assert!(!allowance.take(1, later));
    }

    #[test]
    fn a_debt_is_paid_before_anything_is_left() {
        let now = Instant::now();
        let mut allowance = Allowance::new(RATE, now);
        assert!(allowance.has_some(now));
        allowance.owe(40, now);
        assert!(!allowance.has_some(now + Duration::from_secs(2)));
        assert!(!allowance.take(1, now + Duration::from_secs(2)));
        assert!(allowance.has_some(now + Duration::from_millis(2100)));
    }

    #[test]
    fn many_short_intervals_count_like_a_long_one() {
        let now = Instant::now();
        let mut allowance = Allowance::new(RATE, now);
        assert!(allowance.take(20, now));
        let taken = (1..=1000).filter(|ms| allowance.take(1, now + Duration::from_millis(*ms))).count();
        assert_eq!(taken, 10);
    }
}
