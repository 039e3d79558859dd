//! What happened in the demonstration, step by step, with timings.

use crate::output::{self, Output, table};
use serde_json::{Value, json};
use std::future::Future;
use std::time::{Duration, Instant};

/// The steps so far.
#[derive(Debug)]
pub(crate) struct Report {
    output: Output,
    started: Instant,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    what: String,
    took: Duration,
    result: String,
}

impl Report {
    /// Starts the clock.
    pub(crate) fn new(output: Output) -> Self {
        Self { output, started: Instant::now(), steps: Vec::new() }
    }

    /// Does a step, tells of it, and remembers how long it took. The step says what came of it.
    pub(crate) async fn step<T, E>(
        &mut self,
        what: &'static str,
        work: impl Future<Output = Result<(T, String), E>>,
    ) -> Result<T, E> {
        let bar = self.output.waiting(what);
        let started = Instant::now();
        let done = work.await;
        bar.finish_and_clear();
        let (value, result) = done?;
        let took = started.elapsed();
        if !self.output.is_json() {
            // That the terminal is gone is seen at the end.
            let _ = output::line(&format!("  {:>6.2} s  {what}: {result}", took.as_secs_f64()));
        }
        self.steps.push(Step { what: what.to_owned(), took, result });
        Ok(value)
    }

    /// Seconds since the start.
    pub(crate) fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// All steps as a table.
    pub(crate) fn table(&self) -> String {
        let row = |step: &Step| [step.what.clone(), format!("{:.2}", step.took.as_secs_f64()), step.result.clone()];
        table(["step", "seconds", "result"], &self.steps.iter().map(row).collect::<Vec<_>>())
    }

    /// All steps for scripts.
    pub(crate) fn json(&self) -> Value {
        let step =
            |step: &Step| json!({ "step": step.what, "seconds": step.took.as_secs_f64(), "result": step.result });
        self.steps.iter().map(step).collect()
    }
}
