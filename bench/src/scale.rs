//! How much is measured.

use std::time::Duration;

/// Sizes of one run.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Events of the corpus.
    pub events: u64,
    /// How many events are stored where a point of the growth curves is taken; ascending, the last is the whole corpus.
    pub points: Vec<u64>,
    /// Those of them at which whole nodes are started, too; before, there is hardly a lot to read.
    pub nodes: Vec<u64>,
    /// How long load is offered, and how long clients ask.
    pub offered: Duration,
    /// Events of which the cost of each stage is taken on one thread.
    pub staged: u64,
}

/// Some seconds: whether every figure is produced, not how fast anything is.
pub const QUICK: u64 = 10_000;

/// A large cooperative's year.
pub const USUAL: u64 = 1_000_000;

/// Long enough for followers and the store's own work to take part; or only for a figure to be there.
const OFFERED: Duration = Duration::from_secs(10);
const OFFERED_QUICKLY: Duration = Duration::from_millis(300);

/// Beyond this many the cost of a stage no longer depends on the size of the store's caches.
const STAGED_AT_MOST: u64 = 200_000;

impl Scale {
    /// A run of so many events, with a point of the curves for each power of ten.
    pub fn of(events: u64) -> Self {
        let mut points: Vec<u64> = (3..19).map(|power| 10_u64.pow(power)).filter(|size| *size < events).collect();
        points.push(events);
        let nodes = points.iter().copied().filter(|size| *size >= QUICK.min(events)).collect();
        let offered = if events > QUICK { OFFERED } else { OFFERED_QUICKLY };
        Self { events, points, nodes, offered, staged: events.min(STAGED_AT_MOST) }
    }

    /// How many requests are offered at so many a second.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Some ten thousand.
    pub fn requests(&self, per_second: f64) -> usize {
        (per_second * self.offered.as_secs_f64()).ceil() as usize
    }
}
