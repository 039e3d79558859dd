//! The ceiling of everything that takes events in: verifying signatures in batches, and nothing else.

use crate::corpus::Corpus;
use crate::resources::process_time;
use provenance::event::SignedEvent;
use provenance::signature::Verifier;
use rayon::prelude::*;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// What the machine reaches if it does nothing but verify.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling {
    /// Events a second, on all cores.
    pub rate: f64,
    /// Processor time of one event, in microseconds.
    pub cost_us: f64,
}

impl Ceiling {
    pub const NAME: &'static str = "batch verification alone";
}

thread_local! {
    static VERIFIER: RefCell<Verifier> = RefCell::new(Verifier::new());
}

/// Signatures verified together. A node takes larger batches where it can, and so does better than the ceiling there.
const BATCH: usize = 1_024;

/// Batches that are decoded beforehand and verified together: enough for many cores, little enough for memory.
const BATCHES: usize = 16;

/// Verifies the whole corpus in its order, in batches of 1,024 on all cores; decoding is not counted.
pub fn verify_alone(corpus: &Corpus) -> anyhow::Result<Ceiling> {
    let (mut events, mut taken, mut processor) = (0_usize, Duration::ZERO, Duration::ZERO);
    let mut batches = corpus.batches(BATCH)?;
    loop {
        let some: Vec<Vec<Vec<u8>>> = batches.by_ref().take(BATCHES).collect::<Result<_, _>>()?;
        if some.is_empty() {
            break;
        }
        let decode = |batch: Vec<Vec<u8>>| batch.into_iter().map(SignedEvent::decode).collect::<Result<Vec<_>, _>>();
        let decoded: Vec<Vec<SignedEvent>> = some.into_par_iter().map(decode).collect::<Result<_, _>>()?;
        events += decoded.iter().map(Vec::len).sum::<usize>();
        let (started, before) = (Instant::now(), process_time()?);
        let verify = |batch| VERIFIER.with_borrow_mut(|verifier| verifier.verify_all(batch));
        let verified: Vec<_> = decoded.into_par_iter().flat_map_iter(verify).collect();
        taken += started.elapsed();
        processor += process_time()?.saturating_sub(before);
        anyhow::ensure!(verified.iter().all(Result::is_ok), "an event of the corpus has a bad signature");
    }
    #[allow(clippy::cast_precision_loss)] // There are far fewer than 2^52 events.
    let events = events as f64;
    Ok(Ceiling { rate: events / taken.as_secs_f64(), cost_us: processor.as_secs_f64() * 1e6 / events })
}
