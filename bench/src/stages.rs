//! What each stage of the write path costs, step by step on one thread: where the time of `admit_bulk` goes.

use crate::admit::options;
use crate::corpus::Corpus;
use crate::report::Report;
use crate::resources::{process_time, thread_time};
use crate::scale::Scale;
use crate::times::Times;
use ledger::{Origin, Outcome, SteppedLedger};
use provenance::event::SignedEvent;
use provenance::signature::Verifier;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use store::Store;

/// Events verified at once, and batches of those that the writer takes at once under load.
const BATCH: usize = 2_048;
const AT_ONCE: usize = 2;

/// Takes the first events of the corpus in, one stage after the other.
pub fn measure(scale: &Scale, corpus: &Corpus, folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let options = options(corpus);
    let store = Store::open(folder.path(), &options.store)?;
    let mut ledger = SteppedLedger::open(store, corpus.network().clone(), options)?;
    let mut stages = Stages::default();
    let mut verifier = Verifier::new();
    let (mut events, before) = (0_u64, process_time()?);
    let mut batches = corpus.batches(BATCH)?;
    while events < scale.staged {
        let some: Vec<Vec<Vec<u8>>> = batches.by_ref().take(AT_ONCE).collect::<Result<_, _>>()?;
        let count: usize = some.iter().map(Vec::len).sum();
        if count == 0 {
            break;
        }
        events += count as u64;
        // Once by itself, to be told apart from what the writer does: it decodes and verifies the same again.
        let checked: Duration =
            some.iter().map(|batch| check(batch, &mut verifier, &mut stages)).sum::<anyhow::Result<_>>()?;
        let jobs = some.into_iter().map(|batch| (batch, Origin::Client)).collect();
        let started = thread_time()?;
        let outcomes = ledger.write(jobs);
        stages.add("write", thread_time()?.saturating_sub(started + checked));
        let admitted = |outcome: &Outcome| matches!(outcome, Outcome::Admitted { .. });
        anyhow::ensure!(outcomes.iter().flatten().all(admitted), "an event was not admitted");
        for follower in 0..ledger.followers().len() {
            follow(&mut ledger, follower, &mut stages)?;
        }
    }
    let background = process_time()?.saturating_sub(before + stages.all());
    stages.add("storage_in_background", background);
    stages.report(events, report);
    Ok(())
}

/// Decodes and verifies.
fn check(batch: &[Vec<u8>], verifier: &mut Verifier, stages: &mut Stages) -> anyhow::Result<Duration> {
    let bytes = batch.to_vec();
    let started = thread_time()?;
    let decoded = bytes.into_iter().map(SignedEvent::decode).collect::<Result<Vec<_>, _>>()?;
    let between = thread_time()?;
    let verified = verifier.verify_all(decoded);
    let ended = thread_time()?;
    anyhow::ensure!(verified.iter().all(Result::is_ok), "an event of the corpus has a bad signature");
    stages.add("decode", between.saturating_sub(started));
    stages.add("verify", ended.saturating_sub(between));
    Ok(ended.saturating_sub(started))
}

/// Lets one follower read all that is there.
fn follow(ledger: &mut SteppedLedger, follower: usize, stages: &mut Stages) -> anyhow::Result<()> {
    loop {
        let status = ledger.followers().swap_remove(follower);
        if status.next >= ledger.ledger().size() {
            return Ok(());
        }
        let started = thread_time()?;
        anyhow::ensure!(ledger.follow(follower), "the follower {} failed", status.name);
        let spent = thread_time()?.saturating_sub(started);
        stages.add(status.name, spent);
        if status.name == "state_map" {
            stages.cuts.push(spent);
        }
    }
}

/// Processor time by stage.
#[derive(Default)]
struct Stages {
    order: Vec<&'static str>,
    spent: BTreeMap<&'static str, Duration>,
    /// Time of each cut of the state map.
    cuts: Vec<Duration>,
}

impl Stages {
    fn add(&mut self, stage: &'static str, spent: Duration) {
        if !self.spent.contains_key(stage) {
            self.order.push(stage);
        }
        *self.spent.entry(stage).or_default() += spent;
    }

    /// Decoding and verification happen twice here.
    fn all(&self) -> Duration {
        let twice = ["decode", "verify"].iter().filter_map(|stage| self.spent.get(stage)).sum::<Duration>();
        self.spent.values().sum::<Duration>() + twice
    }

    #[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
    fn report(&self, events: u64, report: &mut Report) {
        for stage in &self.order {
            let cost_us = self.spent[stage].as_secs_f64() * 1e6 / events as f64;
            report.add(format!("cpu/{stage}"), cost_us, "µs/event");
        }
        let cuts: Times = self.cuts.iter().copied().collect();
        report.add("state_map_cut", cuts.percentile_ms(50), "ms");
    }
}
