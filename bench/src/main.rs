//! `bench [--quick | --events N] --cache FOLDER --out FILE` measures a node, prints a table and writes `FILE`.
//!
//! Every figure stands beside its *ceiling*: what the same machine reaches in the same run if it does nothing but the
//! part that cannot be spared. Absolute figures differ between machines, the ratio hardly does. How each is measured and
//! what limits it is told in `docs/performance.md`.

mod admit;
mod ceiling;
mod corpus;
mod lag;
mod report;
mod resources;
mod scale;
mod stages;

use crate::corpus::Corpus;
use crate::report::Report;
use crate::scale::Scale;
use anyhow::Context;
use std::path::{Path, PathBuf};

const USAGE: &str = "usage: bench [--quick | --events N] --cache FOLDER --out FILE";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_set = |name: &str| arguments.iter().any(|argument| argument == name);
    let path = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(PathBuf::from)
    };
    let (Some(cache), Some(out)) = (path("--cache"), path("--out")) else { anyhow::bail!(USAGE) };
    let events = match arguments.iter().position(|argument| argument == "--events") {
        Some(at) => arguments.get(at + 1).and_then(|number| number.parse().ok()).context(USAGE)?,
        None if is_set("--quick") => scale::QUICK,
        None => scale::USUAL,
    };
    let scale = Scale::of(events);
    let report = measure(&scale, &cache)?;
    print!("{}", report.table());
    report.write(&out).with_context(|| format!("writing {}", out.display()))
}

/// Takes every figure. A further one is a function that adds to the report.
fn measure(scale: &Scale, cache: &Path) -> anyhow::Result<Report> {
    let corpus =
        Corpus::cached(cache, scale.events).with_context(|| format!("preparing events in {}", cache.display()))?;
    let mut report = Report::default();
    let ceiling = ceiling::verify_alone(&corpus)?;
    admit::measure(scale, &corpus, &ceiling, cache, &mut report)?;
    stages::measure(scale, &corpus, cache, &mut report)?;
    Ok(report)
}
