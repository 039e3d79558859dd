//! Many seeds, on all cores.

use crate::violation::{Broken, Violation};
use crate::world::{Held, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Violations that are kept; whoever sees these need not see more.
const KEPT: usize = 10;

/// What became of many seeds.
#[derive(Debug, Default)]
pub struct Soaked {
    /// How many held.
    pub held: u64,
    /// How many did not.
    pub broken: u64,
    /// The first of those.
    pub violations: Vec<Violation>,
    /// Happenings in all that held.
    pub steps: u64,
    /// Crashes in all that held.
    pub crashes: u64,
    /// Forks of journals in all that held.
    pub forks: u64,
    /// Events that do not count as they were admitted, in all that held.
    pub uncounted: u64,
    /// Questions for pages of state maps in all that held.
    pub compared: u64,
    /// Entries of a log in all that held.
    pub entries: u64,
}

/// Runs the seeds from `first` on, `count` of them, on so many threads. `tell` hears after each
/// how it stands, and how that one was violated if it was.
pub fn soak(first: u64, count: u64, threads: usize, tell: impl Fn(&Soaked, Option<&Violation>) + Sync) -> Soaked {
    let next = AtomicU64::new(first);
    let soaked = Mutex::new(Soaked::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first.saturating_add(count) {
                        return;
                    }
                    let result = one(seed);
                    let mut soaked = soaked.lock().unwrap_or_else(PoisonError::into_inner);
                    soaked.take(&result);
                    tell(&soaked, result.as_ref().err().map(|violation| &**violation));
                }
            });
        }
    });
    let mut soaked = soaked.into_inner().unwrap_or_else(PoisonError::into_inner);
    soaked.violations.sort_by_key(|violation| violation.seed);
    soaked
}

/// Runs one seed; a panic is a violation, too.
fn one(seed: u64) -> Result<Held, Box<Violation>> {
    catch_unwind(AssertUnwindSafe(|| run(seed, false, |_| {}))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it says nothing");
        let broken = Broken::Failed(format!("panic: {text}"));
        Err(Box::new(Violation { seed, step: 0, now_ms: 0, broken, newest: Vec::new(), trace: [0; 32] }))
    })
}

impl Soaked {
    fn take(&mut self, result: &Result<Held, Box<Violation>>) {
        match result {
            Ok(held) => {
                self.held += 1;
                self.steps += held.steps;
                self.crashes += held.crashes;
                self.forks += held.forks;
                self.uncounted += held.uncounted;
                self.compared += held.compared;
                self.entries += held.entries as u64;
            }
            Err(violation) => {
                self.broken += 1;
                if self.violations.len() < KEPT {
                    self.violations.push(Violation::clone(violation));
                }
            }
        }
    }
}
