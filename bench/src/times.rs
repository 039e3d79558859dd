//! Times that many requests took, and what share of them was quicker.

use std::time::Duration;

/// Times of one kind of request, shortest first.
#[derive(Debug)]
pub struct Times(Vec<Duration>);

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Times {
    /// The time within which `percent` of 100 were done (nearest rank), in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let times: Times = (1..=20).rev().map(Duration::from_millis).collect();
        let rounded = |percent| times.percentile_ms(percent).round().to_string();
        assert_eq!([50, 95, 99, 100].map(rounded), ["10", "19", "20", "20"]);
        assert!(Times::from_iter([]).percentile_ms(95).abs() < f64::EPSILON);
    }
}
