//! A circuit breaker: stops asking an endpoint that keeps failing, and tries it again after a pause. Pure; time is
//! an argument.

/// One failure may be a lost packet and two a restart; after three the endpoint is down.
const FAILURES_TO_OPEN: u32 = 3;

/// The first pause: as long as a load balancer needs to notice a dead machine.
const FIRST_PAUSE_MS: u64 = 5_000;

/// The longest pause: an endpoint that returns is in use again within two minutes.
const LONGEST_PAUSE_MS: u64 = 120_000;

/// Counts the failures of one endpoint in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    closed_again_at_ms: u64,
}

impl Breaker {
    /// Whether the endpoint may be asked now. After a pause it may, and a failure then begins a longer pause.
    pub fn allows(&self, now_ms: u64) -> bool {
        self.failures < FAILURES_TO_OPEN || now_ms >= self.closed_again_at_ms
    }

    /// The endpoint answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The endpoint did not answer, or answered with nonsense.
    pub fn failed(&mut self, now_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        if let Some(doublings) = self.failures.checked_sub(FAILURES_TO_OPEN) {
            let pause_ms = FIRST_PAUSE_MS.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
            self.closed_again_at_ms = now_ms.saturating_add(pause_ms.min(LONGEST_PAUSE_MS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_three_failures_and_pauses_longer_each_time() {
        let mut breaker = Breaker::default();
        breaker.failed(0);
        breaker.failed(0);
        assert!(breaker.allows(0));
        breaker.failed(0);
        assert!(!breaker.allows(4_999));
        assert!(breaker.allows(5_000));
        breaker.failed(5_000);
        assert!(!breaker.allows(14_999));
        assert!(breaker.allows(15_000));
    }

    #[test]
    fn one_answer_closes_it() {
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| breaker.failed(0));
        breaker.succeeded();
        breaker.failed(0);
        assert!(breaker.allows(0));
    }

    #[test]
    fn no_pause_is_longer_than_two_minutes_however_often_it_failed() {
        let mut breaker = Breaker::default();
        for failure in 0..200 {
            breaker.failed(failure);
            assert!(breaker.allows(failure + LONGEST_PAUSE_MS));
        }
    }
}
