//! `furrow bundle`: everything that verifies a lot's history, in one file.

use crate::cli::Global;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use clap::{Args, Subcommand};
use provenance::bundle::{Bundle as ProofBundle, CONTENT_TYPE};
use provenance::id::SubjectId;
use serde_json::json;
use std::path::PathBuf;

/// Commands about bundles.
#[derive(Debug, Subcommand)]
pub(crate) enum Bundle {
    /// Save what verifies a lot's history; 'furrow verify FILE' needs no node for it
    Make(Make),
}

/// Which bundle, and where to.
#[derive(Debug, Args)]
pub(crate) struct Make {
    /// The lot's id
    lot: SubjectId,
    /// The file to write [default: LOT.bundle]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// As of which checkpoint: best, newest, cosigned, anchored, or the size of one that is kept
    #[arg(long, value_name = "CHECKPOINT", default_value = "best")]
    as_of: String,
    /// Leave out the histories of lots from which this one was taken, but for what it rests on
    #[arg(long)]
    shallow: bool,
    /// A sealed field to open for whoever gets the file: price, harvester, `personal_name`, `exact_point`, to, or all;
    /// may be repeated
    #[arg(long, value_name = "FIELD")]
    disclose: Vec<String>,
}

impl Bundle {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Make(make) = self;
        let mut path = format!("/produces/{}/bundle?as_of={}&shallow={}", make.lot, make.as_of, make.shallow);
        if !make.disclose.is_empty() {
            path.extend(["&disclose=", &make.disclose.join(",")]);
        }
        let bytes = global.client()?.bytes(&path, CONTENT_TYPE).await?;
        let bundle = ProofBundle::decode(&bytes).or_exit_with(Exit::Failed, || "the node sent no bundle".to_owned())?;
        let out = make.out.unwrap_or_else(|| PathBuf::from(format!("{}.bundle", make.lot)));
        durable::replace(&out, &bytes, Readable::ByAll)
            .or_exit_with(Exit::Failed, || format!("cannot write {}", out.display()))?;
        let anchors: usize = bundle.lines.iter().map(|line| line.anchors.len()).sum();
        let (events, opened) = (bundle.entries.len(), bundle.openings.len());
        let value = json!({
            "lot": make.lot, "file": out, "bytes": bytes.len(), "events": events, "anchors": anchors, "opened": opened,
        });
        global.output().print(&value, || {
            format!(
                "{events} events, {anchors} anchors and {opened} opened fields in {} ({} bytes)",
                out.display(),
                bytes.len()
            )
        })?;
        Ok(())
    }
}
