//! Bulk admission: the whole write path with all followers, as a node has them.

use crate::ceiling::Ceiling;
use crate::corpus::Corpus;
use crate::lag::Lag;
use crate::report::Report;
use crate::resources::{peak_resident_bytes, process_time, resident_bytes};
use crate::scale::Scale;
use crate::stock::Stock;
use anyhow::Context;
use ed25519_dalek::{Signer, SigningKey};
use ledger::trace::LineageFollower;
use ledger::view::ViewFollower;
use ledger::{ForkFollower, HandedIn, Ledger, LedgerOptions, LogSigner, Origin, Outcome};
use provenance::id::PublicKey;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Events handed in at once, as one request or one answer of a peer has them.
const HANDED_IN: usize = 4_096;

/// Requests that wait for their outcome: while the disk syncs one, others are verified.
const IN_FLIGHT: usize = 4;

/// A point of the growth curves is taken over the last events before it, at most so many.
const SLICE: u64 = 100_000;

/// What a node is opened with.
pub fn options(corpus: &Corpus) -> LedgerOptions {
    LedgerOptions {
        log_signer: Some(Arc::new(LogKey(SigningKey::from_bytes(&[9; 32])))),
        followers: vec![
            Arc::new(ViewFollower::new(corpus.network().clone())),
            Arc::new(LineageFollower),
            Arc::new(ForkFollower),
        ],
        ..LedgerOptions::default()
    }
}

/// Takes the whole corpus in, and keeps a copy of the store at each point.
pub fn measure(
    scale: &Scale,
    corpus: &Corpus,
    ceiling: &Ceiling,
    folder: &Path,
    report: &mut Report,
) -> anyhow::Result<Stock> {
    let mut stock = Stock { folder: tempfile::tempdir_in(folder)?, stores: Vec::new() };
    let path = stock.folder.path().join("growing");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let ledger = Ledger::open(&path, corpus.network().clone(), options(corpus))?;
        admit(scale, corpus, ceiling, &ledger, &mut stock, report).await?;
        ledger.close().await;
        anyhow::Ok(())
    })?;
    std::fs::remove_dir_all(path)?;
    Ok(stock)
}

async fn admit(
    scale: &Scale,
    corpus: &Corpus,
    ceiling: &Ceiling,
    ledger: &Ledger,
    stock: &mut Stock,
    report: &mut Report,
) -> anyhow::Result<()> {
    let lag = Arc::new(Mutex::new(Lag::default()));
    let sampler = {
        let (lag, ledger) = (lag.clone(), ledger.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Lag::EVERY).await;
                lag.lock().expect("nobody panics while holding it").sample(&ledger);
            }
        })
    };
    let (mut curve, mut stored) = (Vec::new(), 0);
    let mut all = Spent::default();
    let mut batches = corpus.batches(HANDED_IN)?;
    let mut left = VecDeque::new();
    for point in &scale.points {
        // What leads up to a point tells the cost there; what comes before only fills the store.
        for size in [point - (point / 2).min(SLICE), *point] {
            let started = Started::now()?;
            let mut in_flight = VecDeque::new();
            while stored < size {
                if left.is_empty() {
                    left.extend(batches.next().context("the corpus ended early")??);
                }
                let count = usize::try_from(size - stored)?.min(left.len());
                let events: Vec<Vec<u8>> = left.drain(..count).collect();
                stored += count as u64;
                in_flight.push_back(ledger.hand_in(events, Origin::Client).await?);
                if in_flight.len() >= IN_FLIGHT {
                    admitted(in_flight.pop_front()).await?;
                }
            }
            while !in_flight.is_empty() {
                admitted(in_flight.pop_front()).await?;
            }
            anyhow::ensure!(ledger.followed(stored).await, "the ledger was closed");
            ledger.cut().await?;
            let spent = started.spent()?;
            all = all + spent;
            if size == *point {
                let copy = stock.folder.path().join(size.to_string());
                ledger.reader().store().backup(&copy)?;
                stock.stores.push((size, copy));
                curve.push((size, Spent { events: (point / 2).min(SLICE), ..spent }, resident_bytes()?));
            }
        }
    }
    sampler.abort();
    // The task ends at its next pause; then nobody else holds the samples.
    let _ = sampler.await;
    let lag = Arc::into_inner(lag).context("the sampler has ended")?.into_inner()?;

    let all = Spent { events: stored, ..all };
    report.add_rate("admit_bulk", all.rate(), "events/s", ceiling.rate, Ceiling::NAME);
    report.add_cost("admit_bulk_cpu", all.cost_us(), "µs/event", ceiling.cost_us, Ceiling::NAME);
    report.add("follower_lag", lag.p95_ms(), "ms p95");
    for (size, spent, resident) in curve {
        report.add_rate(format!("admit_bulk@{size}"), spent.rate(), "events/s", ceiling.rate, Ceiling::NAME);
        report.add_cost(format!("admit_bulk_cpu@{size}"), spent.cost_us(), "µs/event", ceiling.cost_us, Ceiling::NAME);
        report.add(format!("rss@{size}"), mebibytes(resident), "MiB");
    }
    report.add("rss", mebibytes(peak_resident_bytes()?), "MiB at most");
    on_disk(corpus, ledger, report)
}

/// Waits for the outcomes of one request.
async fn admitted(handed_in: Option<HandedIn>) -> anyhow::Result<()> {
    let Some(handed_in) = handed_in else { return Ok(()) };
    for outcome in handed_in.outcomes().await? {
        anyhow::ensure!(matches!(outcome, Outcome::Admitted { .. }), "an event was not admitted: {outcome:?}");
    }
    Ok(())
}

/// Bytes of the files of each column, for one event.
fn on_disk(corpus: &Corpus, ledger: &Ledger, report: &mut Report) -> anyhow::Result<()> {
    let store = ledger.reader().store();
    store.flush()?;
    let mut columns: Vec<(&str, u64)> =
        store.statistics()?.columns.iter().map(|column| (column.column.name(), column.disk_bytes)).collect();
    columns.sort_unstable_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let all: u64 = columns.iter().map(|(_, bytes)| bytes).sum();
    report.add("bytes_per_event", each(all, corpus.len()), "bytes");
    for (name, bytes) in columns.into_iter().filter(|(_, bytes)| *bytes > 0) {
        report.add(format!("bytes_per_event/{name}"), each(bytes, corpus.len()), "bytes");
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
fn each(bytes: u64, events: u64) -> f64 {
    bytes as f64 / events as f64
}

#[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// When something began.
struct Started {
    wall: Instant,
    processor: Duration,
}

impl Started {
    fn now() -> anyhow::Result<Self> {
        Ok(Self { wall: Instant::now(), processor: process_time()? })
    }

    fn spent(self) -> anyhow::Result<Spent> {
        Ok(Spent { events: 0, wall: self.wall.elapsed(), processor: process_time()?.saturating_sub(self.processor) })
    }
}

/// Time that events took.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    events: u64,
    wall: Duration,
    processor: Duration,
}

#[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
impl Spent {
    fn rate(&self) -> f64 {
        self.events as f64 / self.wall.as_secs_f64()
    }

    fn cost_us(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.events as f64
    }
}

impl std::ops::Add for Spent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (wall, processor) = (self.wall + other.wall, self.processor + other.processor);
        Self { events: self.events + other.events, wall, processor }
    }
}

/// Signs checkpoints, as every node does.
struct LogKey(SigningKey);

impl LogSigner for LogKey {
    fn origin(&self) -> &'static str {
        "bench.example/log"
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}
