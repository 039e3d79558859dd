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

/// Requests that one peer may make. Catching up needs about fifty a second on a fast line, each
/// for a thousand events; a node that asks more often than this does not follow, it floods.
pub(crate) const REQUESTS: Rate = Rate { per_second: 100, burst: 400 };
/// Gossip bytes that one peer may bring. More is ignored unread and comes through the log instead,
/// so that gossip that waits for its verdict never fills the memory.
pub(crate) const GOSSIP_IN: Rate = Rate { per_second: 8 << 20, burst: 16 << 20 };
/// Gossip bytes that this node publishes. Gossip is for speed, logs are for volume: in a bulk
/// import peers follow the log instead, and are not flooded.
pub(crate) const GOSSIP_OUT: Rate = Rate { per_second: 4 << 20, burst: 8 << 20 };

/// What is left to one user of a [`Rate`].
#[derive(Debug)]
pub(crate) struct Allowance {
    rate: Rate,
    /// Thousandths of a unit, so that short intervals are not lost to rounding.
    left_milli: u64,
    as_of: Instant,
}

impl Allowance {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, left_milli: u64::from(rate.burst) * 1000, as_of: now }
    }

    /// Takes `amount` if that much is left.
    #[must_use]
    pub(crate) fn take(&mut self, amount: usize, now: Instant) -> bool {
        let elapsed_ms = now.saturating_duration_since(self.as_of).as_millis();
        let elapsed_ms = u64::try_from(elapsed_ms).unwrap_or(u64::MAX);
        if elapsed_ms > 0 {
            let gained = elapsed_ms.saturating_mul(u64::from(self.rate.per_second));
            let most = u64::from(self.rate.burst) * 1000;
            self.left_milli = self.left_milli.saturating_add(gained).min(most);
            self.as_of = now;
        }
        let needed = (amount as u64).saturating_mul(1000);
        let enough = self.left_milli >= needed;
        if enough {
            self.left_milli -= needed;
        }
        enough
    }
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
    fn many_short_intervals_count_like_a_long_one() {
        let now = Instant::now();
        let mut allowance = Allowance::new(RATE, now);
        assert!(allowance.take(20, now));
        let taken = (1..=1000).filter(|ms| allowance.take(1, now + Duration::from_millis(*ms))).count();
        assert_eq!(taken, 10);
    }
}
