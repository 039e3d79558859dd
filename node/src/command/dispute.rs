//! `furrow dispute`: decisions over lots that were given away more than once.

use crate::cli::Global;
use crate::command::said::{said, set};
use crate::command::signing::Signing;
use crate::conflict;
use crate::failure::Failure;
use clap::Subcommand;
use provenance::id::SubjectId;
use serde_json::json;
use std::path::PathBuf;

/// Commands about disputes.
#[derive(Debug, Subcommand)]
pub(crate) enum Dispute {
    /// Decide which of the events that cannot all stand do
    ///
    /// Only the nearest actor above all who signed them that has no part in them may decide; a refusal says who that is.
    Resolve {
        /// The lot
        lot: String,
        /// An event that stands; may be repeated, and none may stand
        #[arg(long, value_name = "EVENT")]
        stands: Vec<String>,
        /// An event over which you decide; may be repeated [default: those in conflict]
        #[arg(long = "branch", value_name = "EVENT")]
        branches: Vec<String>,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// Save the signed events that cannot all stand as evidence; 'furrow verify FILE' needs no node for it
    Proof {
        /// The lot's id
        lot: SubjectId,
        /// The file to write [default: LOT.conflict]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Dispute {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Resolve { lot, stands, branches, reason, signing } => {
                let mut body = json!({ "stands": stands, "reason": reason });
                set(&mut body, "branches", (!branches.is_empty()).then_some(branches));
                signing.fill(&client, &mut body).await?;
                said(global, &client.post(&format!("/produces/{lot}/decisions"), &body).await?)
            }
            Self::Proof { lot, out } => {
                let out = out.unwrap_or_else(|| PathBuf::from(format!("{lot}.conflict")));
                conflict::save(global, &client, &format!("/produces/{lot}/conflict"), &out).await
            }
        }
    }
}
