//! `furrow anchor`: what the node anchored.

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{table, text};
use clap::Subcommand;
use serde_json::Value;

/// Years of anchors every ten minutes; older ones are read by number.
const MAX_LISTED: usize = 200_000;

/// Commands about anchors.
#[derive(Debug, Subcommand)]
pub(crate) enum Anchor {
    /// All anchors of this node's log, newest first
    List,
    /// One anchor
    Show {
        /// Its number
        sequence: u64,
    },
}

impl Anchor {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::List => {
                let anchors = client.all("/anchors?limit=200", MAX_LISTED).await?;
                let row = |anchor: &Value| {
                    [
                        text(anchor, "/sequence"),
                        text(anchor, "/state"),
                        text(anchor, "/size"),
                        text(anchor, "/block/number"),
                        text(anchor, "/gas_used"),
                        text(anchor, "/block/time"),
                        text(anchor, "/block/transaction"),
                    ]
                };
                let rows: Vec<_> = anchors.iter().map(row).collect();
                global.output().print(&Value::Array(anchors), || {
                    table(["anchor", "state", "entries", "block", "gas", "time", "transaction"], &rows)
                })?;
            }
            Self::Show { sequence } => {
                let anchor = client.get(&format!("/anchors/{sequence}")).await?;
                global.output().print(&anchor, || format!("{anchor:#}"))?;
            }
        }
        Ok(())
    }
}
