//! Followers: whatever is made from the log reads it from a cursor of its own.
//!
//! A follower's rows and its cursor are one batch, so it can be stopped at any moment. It can be rebuilt from zero, which
//! its own version number also asks for. It never keeps anybody from writing; but who writes many events waits a little
//! while followers are behind, see [`Running::comes_near`].

use crate::counting::CountFollower;
use crate::reader::{Reader, Stored};
use provenance::id::EventId;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Batch, Column, CursorRow, Cursors, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Pause after a failure, such as a full disk.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Who writes many events waits while a follower is more entries behind than this, or than one of its steps and half of
/// this: what it reads is in memory still. One that is left further behind reads from the disk, takes many times as long for
/// each entry, and never comes near again.
const NEAR: u64 = 16_384;

/// Touches of the entries of one step for each that it may have: most have one. A step of entries with dozens of subjects
/// each is a shorter one, since what is made of it lies in memory until it is written.
const TOUCHES_FOR_ENTRY: usize = 2;

/// One entry of the log, as followers see it.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// Its index.
    pub index: u64,
    /// Its event.
    pub id: EventId,
    /// The event with its judgement.
    pub stored: Stored,
}

/// How a follower takes the log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Entries read at once.
    pub entries: usize,
    /// How far apart its steps are while it is less than that many entries behind.
    pub apart: Duration,
}

impl Default for Pace {
    /// At once, by 4,096 entries: enough to spread the cost of a commit, and for some subjects to be touched by several of
    /// them; little enough to stay in memory.
    fn default() -> Self {
        Self { entries: 4_096, apart: Duration::ZERO }
    }
}

/// Something that is made from the log.
pub trait Follower: Send + Sync + 'static {
    /// Under which its cursor is kept.
    fn name(&self) -> &'static str;

    /// Raised when its rows change their meaning; then it is rebuilt from zero.
    fn version(&self) -> u32;

    /// The columns that hold nothing but its rows.
    fn columns(&self) -> &'static [Column];

    /// How it takes the log in.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Whether it reads entries only once they were counted: all do that show or prove what is true.
    fn reads_what_counts(&self) -> bool {
        true
    }

    /// Adds to `batch` what these entries change; there are none where the log holds nothing but the
    /// network id. What `reader` shows includes these entries and perhaps later ones, but not what
    /// this follower has put into `batch`.
    fn follow(&self, reader: &Reader, entries: &[LogEntry], batch: &mut Batch) -> Result<(), StoreError>;
}

/// How far a follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerStatus {
    /// Its name.
    pub name: &'static str,
    /// The log index that it reads next.
    pub next: u64,
    /// What keeps it from going on.
    pub problem: Option<String>,
}

/// A follower that runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    name: &'static str,
    /// How many entries behind it counts as near.
    near: u64,
    next: watch::Receiver<u64>,
    problem: Arc<Mutex<Option<String>>>,
    rebuild: Arc<AtomicBool>,
    /// Since all rows were cleared, until the whole log was read again.
    begins_anew: Arc<AtomicBool>,
    /// Up to which size of the log it is to read without waiting for its time.
    demanded: Arc<AtomicU64>,
    wake: Arc<tokio::sync::Notify>,
}

impl Running {
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tells which index it reads next.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.next.clone()
    }

    pub fn status(&self) -> FollowerStatus {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        FollowerStatus { name: self.name, next: *self.next.borrow(), problem }
    }

    /// Whether there is something to read, and enough of it or long enough after the last time.
    fn is_time(&self, from: u64, size: u64, pace: Pace, due: Instant) -> bool {
        let behind = size.saturating_sub(from);
        let is_demanded = from < self.demanded.load(Ordering::Acquire);
        behind > 0 && (is_demanded || behind >= pace.entries as u64 || Instant::now() >= due)
    }

    /// Asks for all rows to be made again.
    pub fn rebuild(&self) {
        self.rebuild.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Asks for the entries below `size` to be read now.
    pub fn demand(&self, size: u64) {
        self.demanded.fetch_max(size, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// Waits while the follower is behind a log of `size` entries, but not for one whose rows are all made again.
    pub async fn comes_near(&self, size: u64) {
        if !self.begins_anew.load(Ordering::Acquire) {
            // Where the follower was stopped, there is nothing to wait for.
            let _ = self.next.clone().wait_for(|next| size.saturating_sub(*next) < self.near).await;
        }
    }

    /// Waits until the follower has read the entry at `index`; false if it was stopped before.
    pub async fn has_read(&self, index: u64) -> bool {
        self.next.clone().wait_for(|next| *next > index).await.is_ok()
    }
}

/// What does the work of a follower, step by step.
pub(crate) struct Runner {
    follower: Arc<dyn Follower>,
    reader: Reader,
    running: Running,
    next: watch::Sender<u64>,
}

impl Runner {
    /// A follower that goes on from its cursor, the log having `size` entries.
    pub fn new(follower: Arc<dyn Follower>, reader: Reader, size: u64) -> Result<Self, StoreError> {
        let stored = reader.store().get::<Cursors>(&follower.name().to_owned())?;
        let current = stored.filter(|row| row.version == follower.version() && row.next <= size);
        let (sender, next) = watch::channel(current.map_or(0, |row| row.next));
        let running = Running {
            name: follower.name(),
            near: NEAR.max(follower.pace().entries as u64 + NEAR / 2),
            next,
            problem: Arc::default(),
            rebuild: Arc::new(AtomicBool::new(current.is_none())),
            begins_anew: Arc::default(),
            demanded: Arc::default(),
            wake: Arc::default(),
        };
        Ok(Self { follower, reader, running, next: sender })
    }

    /// The handle of the rest of the node.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Follows the log until it is stopped.
    pub async fn run(self, mut size: watch::Receiver<u64>, stop: CancellationToken) {
        let (running, pace) = (&self.running, self.follower.pace());
        let mut due = Instant::now();
        loop {
            let reset = self.take_reset();
            let from = *self.next.borrow();
            if !reset && !running.is_time(from, *size.borrow_and_update(), pace, due) {
                let behind = from < *size.borrow();
                if !behind {
                    running.begins_anew.store(false, Ordering::Release);
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = running.wake.notified() => {}
                    changed = size.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep_until(due), if behind => {}
                }
                continue;
            }
            if stop.is_cancelled() {
                return;
            }
            due = Instant::now() + pace.apart;
            let (follower, reader) = (self.follower.clone(), self.reader.clone());
            let step = tokio::task::spawn_blocking(move || step(&*follower, &reader, reset)).await;
            let step = match step {
                Ok(step) => step.map_err(|error| error.to_string()),
                Err(panic) => Err(format!("it stopped unexpectedly: {panic}")),
            };
            if !self.settle(step, reset) {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(RETRY_AFTER) => {}
                }
            }
        }
    }

    /// Reads once, without waiting for anything; false if that failed.
    pub fn step(&self) -> bool {
        let reset = self.take_reset();
        self.settle(step(&*self.follower, &self.reader, reset).map_err(|error| error.to_string()), reset)
    }

    /// Whether all rows are to be made again.
    fn take_reset(&self) -> bool {
        let reset = self.running.rebuild.swap(false, Ordering::AcqRel);
        if reset {
            self.running.begins_anew.store(true, Ordering::Release);
            // From now on nobody may count on its rows.
            self.next.send_replace(0);
        }
        reset
    }

    /// Tells everybody what became of a step; false if it failed.
    fn settle(&self, step: Result<u64, String>, reset: bool) -> bool {
        let problem = match step {
            Ok(next) => {
                self.next.send_replace(next);
                None
            }
            Err(problem) => Some(problem),
        };
        let went_well = problem.is_none();
        if let Some(problem) = &problem {
            tracing::error!(follower = self.running.name, problem, "a follower cannot go on; trying again");
            // Whether the rows were cleared is not known, so a rebuild is asked for again.
            self.running.rebuild.fetch_or(reset, Ordering::AcqRel);
        }
        *self.running.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
        went_well
    }
}

/// Removes all rows, in a batch of its own: a follower reads its old rows while it makes new ones,
/// and those that it cannot read would stop it for ever.
fn clear(follower: &dyn Follower, reader: &Reader) -> Result<(), StoreError> {
    let mut batch = reader.store().batch();
    for column in follower.columns() {
        batch.clear(*column);
    }
    batch.put::<Cursors>(&follower.name().to_owned(), &CursorRow { version: follower.version(), next: 0 });
    batch.commit()
}

/// How many entries, each with so many touches, have no more than `most` together; at least one.
fn few_enough(touches: impl Iterator<Item = usize>, most: usize) -> usize {
    let mut all = 0;
    let fit = touches.take_while(|touches| {
        all += touches;
        all <= most
    });
    fit.count().max(1)
}

/// Reads once, and writes rows and cursor; says which index is read next.
///
/// It goes on from the cursor on the disk: of a commit that failed nobody knows whether it was written.
pub(crate) fn step(follower: &dyn Follower, reader: &Reader, reset: bool) -> Result<u64, StoreError> {
    if reset {
        clear(follower, reader)?;
    }
    let from = reader.store().get::<Cursors>(&follower.name().to_owned())?.map_or(0, |row| row.next);
    let most = follower.pace().entries;
    let mut entries = reader.entries(from, most)?;
    let touches = entries.iter().map(|entry| entry.stored.judged.event.payload().touches.len());
    entries.truncate(few_enough(touches, most * TOUCHES_FOR_ENTRY));
    // Entry 0 is the network id, which is no event; a log always has it.
    let mut end = entries.last().map_or(1, |entry| entry.index + 1);
    if follower.reads_what_counts() {
        let counted = reader.store().get::<Cursors>(&CountFollower::NAME.to_owned())?.map_or(0, |row| row.next);
        end = end.min(counted);
        entries.retain(|entry| entry.index < end);
    }
    if end <= from {
        return Ok(from);
    }
    let (mut batch, next) = (reader.store().batch(), end);
    follower.follow(reader, &entries, &mut batch)?;
    batch.put::<Cursors>(&follower.name().to_owned(), &CursorRow { version: follower.version(), next });
    batch.commit()?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    fn running(next: u64) -> (Running, watch::Sender<u64>) {
        let (sender, next) = watch::channel(next);
        let running = Running {
            name: "test",
            near: NEAR,
            next,
            problem: Arc::default(),
            rebuild: Arc::default(),
            begins_anew: Arc::default(),
            demanded: Arc::default(),
            wake: Arc::default(),
        };
        (running, sender)
    }

    /// Whether whoever asks now has to wait.
    fn waits(running: &Running, size: u64) -> bool {
        let asking = std::pin::pin!(running.comes_near(size));
        asking.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[test]
    fn a_step_of_many_subjects_has_fewer_entries() {
        let entries = |most| few_enough([1, 3, 1, 64, 1].into_iter(), most);
        assert_eq!([0, 1, 3, 4, 5, 68, 69, 70].map(entries), [1, 1, 1, 2, 3, 3, 4, 5]);
    }

    #[test]
    fn writers_wait_for_followers_that_fall_behind() {
        let (behind, sender) = running(1_000);
        assert!(!waits(&behind, 1_000 + NEAR - 1));
        assert!(waits(&behind, 1_000 + NEAR));
        sender.send_replace(1_001);
        assert!(!waits(&behind, 1_000 + NEAR));
        assert!(waits(&behind, 1_001 + NEAR));
        behind.begins_anew.store(true, Ordering::Release);
        assert!(!waits(&behind, 1_001 + NEAR));
        // One that was stopped.
        let (stopped, sender) = running(0);
        drop(sender);
        assert!(!waits(&stopped, NEAR));
    }
}
