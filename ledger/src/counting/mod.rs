//! What counts of the log (docs/rules.md, section 9), kept beside it.
//!
//! Almost every event counts as it was admitted, and of those nothing is kept. A follower looks at each event once;
//! where a key's journal is ended, or a decision taken, it looks again at what that reaches, and writes down what it
//! finds: since which size of the log an event counts as what. So what counts can be told for every size that the log
//! ever had, which is what checkpoints of the state map are about.
//!
//! **Invariant:** rows are a function of the order of the log alone, and never change once they are written. The other
//! followers read only entries that were counted.

mod follower;
mod journals;
mod lanes;
mod naming;
mod reach;
mod rows;
mod tips;

pub(crate) use follower::CountFollower;
pub(crate) use journals::{CutTrees, path_in_journal};
pub(crate) use rows::{CountedAt, recounted};
pub(crate) use tips::lane_tips_at;

use provenance::counting::Settlement;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// What all readers of a store share about counting.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    /// Whether anything does not count as it was admitted: else nothing needs to be looked up.
    any: AtomicBool,
    settlement: RwLock<Option<Arc<Settlement>>>,
}

impl Counting {
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    pub fn set_any(&self) {
        self.any.store(true, Ordering::Release);
    }

    /// Which keys live and what is overruled, as of the last step of the follower; nothing before its first.
    pub fn settlement(&self) -> Option<Arc<Settlement>> {
        self.settlement.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, settlement: Arc<Settlement>) {
        *self.settlement.write().unwrap_or_else(PoisonError::into_inner) = Some(settlement);
    }
}
