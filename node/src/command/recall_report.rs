//! `furrow recall report`: everything that contaminated goods have reached, and who has it now.

use crate::cli::Global;
use crate::client::Client;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::names;
use crate::output::{table, text};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

const CSV: &str = "text/csv";

/// Everything that a contaminated lot, or the lots of a contaminated place, have reached, and who has it
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The contaminated lot or unit, by id
    #[arg(long, required_unless_present = "place", conflicts_with = "place")]
    lot: Option<String>,
    /// The contaminated place, by id or name
    #[arg(long)]
    place: Option<String>,
    /// First day of the contamination of the place, as 2026-09-30 [default: ever since]
    #[arg(long, value_name = "DAY", requires = "place")]
    from: Option<String>,
    /// Its last day [default: until now]
    #[arg(long, value_name = "DAY", requires = "place")]
    until: Option<String>,
    /// Write the report as CSV to this file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

impl Report {
    pub(crate) async fn run(self, global: &Global, client: &Client) -> Result<(), Failure> {
        let path = self.path(client).await?;
        if let Some(file) = &self.csv {
            let bytes = client.bytes(&path, CSV).await?;
            durable::replace(file, &bytes, Readable::ByAll)
                .or_exit_with(Exit::Failed, || format!("cannot write {}", file.display()))?;
            let value = json!({ "file": file, "bytes": bytes.len() });
            global.output().print(&value, || format!("{} ({} bytes)", file.display(), bytes.len()))?;
            return Ok(());
        }
        let report = client.get(&path).await?;
        global.output().print(&report, || shown(&report))?;
        Ok(())
    }

    async fn path(&self, client: &Client) -> Result<String, Failure> {
        if let Some(lot) = &self.lot {
            return Ok(format!("/produces/{lot}/recall-report"));
        }
        let place = names::place(client, self.place.as_deref().unwrap_or_default()).await?;
        let days = [("from", &self.from), ("until", &self.until)];
        let days: Vec<_> = days.iter().filter_map(|(name, day)| Some(format!("{name}={}", day.as_ref()?))).collect();
        let query = if days.is_empty() { String::new() } else { format!("?{}", days.join("&")) };
        Ok(format!("/places/{place}/recall-report{query}"))
    }
}

fn shown(report: &Value) -> String {
    let list = |name: &str| report[name].as_array().cloned().unwrap_or_default();
    let holders: Vec<_> = list("holders")
        .iter()
        .map(|holder| [text(holder, "/name"), holder["lots"].to_string(), text(holder, "/id")])
        .collect();
    let lots: Vec<_> = list("lots")
        .iter()
        .map(|lot| {
            let balance = format!("{} {}", text(lot, "/balance/value"), text(lot, "/balance/unit"));
            let steps = lot["depth"].to_string();
            [steps, text(lot, "/how"), text(lot, "/holder/name"), balance, text(lot, "/state"), text(lot, "/id")]
        })
        .collect();
    let mut out = table(["holder", "lots", "id"], &holders);
    out.push('\n');
    out.push_str(&table(["steps", "how", "holder", "balance", "state", "lot"], &lots));
    if report["more"] == true {
        out.push_str("There are more lots than a report shows.\n");
    }
    out
}
