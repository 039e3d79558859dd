//! `furrow log`: a node's log, as an auditor looks at it.

use super::log_contradictions::Contradictions;
use crate::audit::{Audit, Report};
use crate::cli::Global;
use crate::client::Client;
use crate::failure::{Exit, Failure, OrExit};
use crate::keystore::LOG;
use crate::network_file;
use crate::recovery::replace_log_key;
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use ledger::Restored;
use provenance::network::Network;
use serde_json::{Value, json};
use std::path::PathBuf;
use store::{Store, StoreOptions};

/// Commands about logs.
#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    Audit(AuditLog),
    Contradictions(Contradictions),
    /// Open a new log on a restored node whose old one cannot be completed; the node must be stopped
    ///
    /// The old key is removed, so that the old log can never go on in a second way. Whoever follows the node
    /// follows the new log from its start.
    NewKey,
}

/// Audit the whole log of a node, trusting nothing that it says
///
/// Downloads every entry and every event, hashes the log again and compares it with the checkpoint
/// and the tiles, admits every event again by the rules of the network, and compares each anchor
/// with the log as it was at its size; with --rpc also with what the contract keeps. Takes as much
/// room in a temporary folder as the node's own data.
#[derive(Debug, Args)]
pub(crate) struct AuditLog {
    /// The node's address
    #[arg(long, value_name = "URL")]
    peer: String,
    /// The Ethereum endpoint to ask, best one that the node's operator does not run
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// The network's definition [default: the one in the folder, or else what the node says]
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// Where the copy of the log is made [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

impl Log {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Audit(audit) => audit.run(global).await,
            Self::Contradictions(contradictions) => contradictions.run(global).await,
            Self::NewKey => new_key(global),
        }
    }
}

fn new_key(global: &Global) -> Result<(), Failure> {
    let folder = global.data_dir()?;
    let mut keystore = global.keystore_to_write()?;
    let store = Store::open(&folder.store(), &StoreOptions { create: false, ..StoreOptions::default() });
    let store = store.or_exit_with(Exit::CannotStart, || "the node must be stopped for this".to_owned())?;
    let restored = Restored::of(&store)?.ok_or_else(|| {
        let message = "this node's log is complete; only one that was restored from a backup and cannot be completed needs a \
                       new key";
        Failure::new(Exit::BadInput, message)
    })?;
    if keystore.get(LOG).or_exit(Exit::Keystore)?.public_key() != restored.log {
        return Err(Failure::new(Exit::BadInput, "the log has a new key already; start the node"));
    }
    let key = replace_log_key(&mut keystore).or_exit(Exit::Keystore)?;
    let value = json!({ "old_key": restored.log, "new_key": key });
    global.output().print(&value, || {
        format!(
            "The log goes on under the new key {key} when the node is started. If the node is enrolled, it tells the network of \
             it as soon as its own key may sign; 'furrow actor update --this-node' does it by hand."
        )
    })?;
    Ok(())
}

impl AuditLog {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        let node = Client::new(&self.peer, None)?;
        let audit = Audit {
            node: &node,
            network: self.definition(global)?,
            rpc: self.rpc.as_deref(),
            scratch: self.scratch.as_deref(),
        };
        let bar = global.output().progress(0, "auditing");
        let report = audit.run(&bar).await;
        bar.finish_and_clear();
        let report = report?;
        global.output().print(&self.json(&report), || self.text(&report))?;
        match report.checks.refuted() {
            None => Ok(()),
            Some(reason) => Err(Failure::new(Exit::Unverified, format!("the log does not hold: {reason}"))),
        }
    }

    fn definition(&self, global: &Global) -> Result<Option<Network>, Failure> {
        if let Some(file) = &self.network {
            return network_file::read(file).or_exit(Exit::BadInput).map(Some);
        }
        let own = global.data_dir()?.network();
        if own.exists() { network_file::read(&own).or_exit(Exit::BadInput).map(Some) } else { Ok(None) }
    }

    fn json(&self, report: &Report) -> Value {
        let checkpoint = report.checkpoint.as_ref().map(|checkpoint| {
            let (root, state_root) = (HEXLOWER.encode(&checkpoint.root), HEXLOWER.encode(&checkpoint.state_root));
            json!({ "origin": checkpoint.origin, "size": checkpoint.size, "root": root, "state_root": state_root })
        });
        json!({
            "peer": self.peer,
            "holds": report.checks.hold(),
            "checkpoint": checkpoint,
            "entries": report.entries,
            "bytes": report.bytes,
            "elapsed_ms": u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            "entries_per_s": report.entries_per_s(),
            "checks": report.checks.0,
        })
    }

    fn text(&self, report: &Report) -> String {
        let verdict = if report.checks.hold() { "The log holds" } else { "The log does NOT hold" };
        format!(
            "{verdict}: {}\n{}  {} entries with {} bytes of events in {:.1} s: {} entries/s\n",
            self.peer,
            report.checks.lines(),
            report.entries,
            report.bytes,
            report.elapsed.as_secs_f64(),
            report.entries_per_s()
        )
    }
}
