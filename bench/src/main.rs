//! `bench [--quick | --events N] [--only NAME,NAME] --cache FOLDER --out FILE` measures a node, prints a table and writes
//! `FILE`.
//!
//! Every figure stands beside its *ceiling*: what the same machine reaches in the same run if it does nothing but the
//! part that cannot be spared. Absolute figures differ between machines, the ratio hardly does. How each is measured and
//! what limits it is told in `docs/performance.md`.

mod ack_http;
mod admit;
mod admit_http;
mod bare;
mod catch_up;
mod ceiling;
mod corpus;
mod gas;
mod lag;
mod load;
mod nodes;
mod propagate;
mod reading;
mod report;
mod resources;
mod restart;
mod scale;
mod stages;
mod stock;
mod times;
mod verify_bundle;
mod whole;

use crate::corpus::Corpus;
use crate::report::Report;
use crate::scale::Scale;
use crate::whole::Setting;
use anyhow::Context;
use std::path::{Path, PathBuf};

const USAGE: &str = "usage: bench [--quick | --events N] [--only NAME,NAME] --cache FOLDER --out FILE";

/// What many threads allocate and others give back keeps a node with the C library's allocator a quarter larger.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == bare::ARGUMENT) {
        return tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bare::serve());
    }
    let is_set = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)
    };
    let path = |name: &str| value(name).map(PathBuf::from);
    let (Some(cache), Some(out)) = (path("--cache"), path("--out")) else { anyhow::bail!(USAGE) };
    let events = match value("--events") {
        Some(number) => number.parse().ok().context(USAGE)?,
        None if is_set("--quick") => scale::QUICK,
        None => scale::USUAL,
    };
    let wanted = Wanted(value("--only").map(|names| names.split(',').map(str::to_owned).collect()));
    let mut report = measure(&Scale::of(events), &wanted, &std::path::absolute(cache)?)?;
    report.keep(|name| wanted.is(name));
    print!("{}", report.table());
    report.write(&out).with_context(|| format!("writing {}", out.display()))
}

/// Takes every figure. A further one is a function that adds to the report.
fn measure(scale: &Scale, wanted: &Wanted, cache: &Path) -> anyhow::Result<Report> {
    let corpus =
        Corpus::cached(cache, scale.events).with_context(|| format!("preparing events in {}", cache.display()))?;
    let mut report = Report::default();
    let ceiling = ceiling::verify_alone(&corpus)?;
    let stock = admit::measure(scale, &corpus, &ceiling, cache, &mut report)?;
    if wanted.any(&["cpu/", "state_map_cut"]) {
        stages::measure(scale, &corpus, cache, &mut report)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let setting = Setting { scale, wanted, corpus: &corpus, ceiling: &ceiling, stock: &stock, folder: cache };
    runtime.block_on(whole::measure(&setting, &mut report))?;
    gas::measure(&mut report)?;
    Ok(report)
}

/// Which figures are wanted, by how their names begin; all where nothing was said.
struct Wanted(Option<Vec<String>>);

impl Wanted {
    fn is(&self, figure: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|name| figure.starts_with(name)))
    }

    /// Whether figures are wanted whose names begin so.
    fn any(&self, prefixes: &[&str]) -> bool {
        let meets = |prefix: &str, name: &str| name.starts_with(prefix) || prefix.starts_with(name);
        self.0.as_ref().is_none_or(|names| names.iter().any(|name| prefixes.iter().any(|prefix| meets(prefix, name))))
    }
}
