//! Running work that must not end: after a fault of the program it begins again, and the node tells of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The first pause before work begins again; it doubles with each fault, as the same one is likely to come again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Faults since the node started.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Option<(u32, String)>>);

impl Faults {
    /// How many there were and what the last one said, for people.
    pub(super) fn told(&self) -> Option<String> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.as_ref().map(|(count, last)| format!("faults so far: {count}, the last one: {last}"))
    }

    fn note(&self, what: String) -> u32 {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = faults.as_ref().map_or(0, |(count, _)| *count).saturating_add(1);
        *faults = Some((count, what));
        count
    }
}

/// Does `work` until it ends by itself. After a panic it is done again, once `pause` has passed.
pub(super) fn live(faults: &Faults, mut work: impl FnMut(), mut pause: impl FnMut(Duration)) {
    // What a life has left behind half done is dropped with it: each begins with a state of its own.
    while let Err(panic) = catch_unwind(AssertUnwindSafe(&mut work)) {
        let what = words(&*panic);
        tracing::error!(fault = what, "catching up with peers was stopped by a fault of the program; it begins again");
        let count = faults.note(what);
        pause((FIRST_PAUSE * 2_u32.saturating_pow(count - 1)).min(LONGEST_PAUSE));
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_begins_again_after_a_fault_which_is_told() {
        let (faults, mut lives, mut pauses) = (Faults::default(), 0, Vec::new());
        assert_eq!(faults.told(), None);
        let work = || {
            lives += 1;
            assert!(lives == 10, "life {lives} is over");
        };
        live(&faults, work, |pause| pauses.push(pause.as_secs()));
        assert_eq!(lives, 10);
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(faults.told().unwrap(), "faults so far: 9, the last one: life 9 is over");
    }
}
