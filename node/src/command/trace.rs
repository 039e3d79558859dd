//! `furrow trace`: what a lot is made of, and what became of it.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{table, text};
use clap::Args;
use serde_json::Value;

/// What a lot is made of, or what became of it: over part-lots, transformations and units
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The lot's or unit's id
    lot: String,
    /// Show what became of it, instead of what it is made of
    #[arg(long)]
    downstream: bool,
    /// Most steps [default: all]
    #[arg(long, value_name = "STEPS")]
    depth: Option<u32>,
    /// Most lots and units
    #[arg(long, value_name = "LOTS", default_value_t = 1_000)]
    limit: usize,
}

impl Trace {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let direction = if self.downstream { "downstream" } else { "upstream" };
        let mut path = format!("/produces/{}/trace?direction={direction}&limit={}", self.lot, self.limit);
        if let Some(depth) = self.depth {
            path = format!("{path}&depth={depth}");
        }
        let trace = global.client()?.get(&path).await?;
        global.output().print(&trace, || shown(&trace))?;
        Ok(())
    }
}

fn shown(trace: &Value) -> String {
    let lots = trace["lots"].as_array().map_or(&[][..], Vec::as_slice);
    let row = |lot: &Value| {
        let steps = lot["depth"].to_string();
        [steps, text(lot, "/how"), text(lot, "/subject"), text(lot, "/from"), text(lot, "/event")]
    };
    let rows: Vec<_> = lots.iter().map(row).collect();
    let mut out = table(["steps", "how", "lot", "from", "event"], &rows);
    if trace["more"] == true {
        out.push_str("There is more: raise --limit or --depth.\n");
    }
    out
}
