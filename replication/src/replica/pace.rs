//! How fast a log is being read.

/// Over how long entries are counted before the pace is told anew.
const COUNTED_MS: u64 = 1_000;

/// Entries a second, smoothed over some seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    as_of_ms: u64,
    passed: u64,
    per_s: u64,
}

impl Pace {
    pub fn new(now_ms: u64) -> Self {
        Self { as_of_ms: now_ms, passed: 0, per_s: 0 }
    }

    /// Counts entries that were passed.
    pub fn count(&mut self, passed: u64) {
        self.passed = self.passed.saturating_add(passed);
    }

    /// Tells the pace anew, if it is time.
    pub fn measure(&mut self, now_ms: u64) {
        let took_ms = now_ms.saturating_sub(self.as_of_ms);
        if took_ms >= COUNTED_MS {
            let now = self.passed.saturating_mul(1_000) / took_ms;
            self.per_s = if self.per_s == 0 { now } else { self.per_s.saturating_add(now) / 2 };
            (self.as_of_ms, self.passed) = (now_ms, 0);
        }
    }

    pub fn per_s(&self) -> u64 {
        self.per_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_follows_what_is_passed_and_ends() {
        let mut pace = Pace::new(0);
        pace.count(500);
        pace.measure(999);
        assert_eq!(pace.per_s(), 0);
        pace.measure(1_000);
        assert_eq!(pace.per_s(), 500);
        pace.count(3_000);
        pace.measure(3_000);
        assert_eq!(pace.per_s(), 1_000);
        (4..20).for_each(|second| pace.measure(second * 1_000));
        assert_eq!(pace.per_s(), 0);
    }
}
