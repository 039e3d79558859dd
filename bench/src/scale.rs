//! How much is measured.

/// Sizes of one run.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Events of the corpus.
    pub events: u64,
    /// How many events are stored where a point of the growth curves is taken; ascending, the last is the whole corpus.
    pub points: Vec<u64>,
    /// Events of which the cost of each stage is taken on one thread.
    pub staged: u64,
}

/// Some seconds: whether every figure is produced, not how fast anything is.
pub const QUICK: u64 = 10_000;

/// A large cooperative's year.
pub const USUAL: u64 = 1_000_000;

/// Beyond this many the cost of a stage no longer depends on the size of the store's caches.
const STAGED_AT_MOST: u64 = 200_000;

impl Scale {
    /// A run of so many events, with a point of the curves for each power of ten.
    pub fn of(events: u64) -> Self {
        let mut points: Vec<u64> = (3..).map(|power| 10_u64.pow(power)).take_while(|size| *size < events).collect();
        points.push(events);
        Self { events, points, staged: events.min(STAGED_AT_MOST) }
    }
}
