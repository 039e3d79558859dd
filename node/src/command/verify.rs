//! `furrow verify`: prove an event, and say on whose word each part of the proof rests.

use crate::cli::Global;
use crate::client::COSE;
use crate::config;
use crate::failure::{Exit, Failure, OrExit};
use crate::network_file;
use crate::verification::{self, Sources};
use clap::Args;
use provenance::event::MAX_EVENT_BYTES;
use provenance::id::EventId;
use serde_json::json;
use std::path::Path;

/// Verify an event: its bytes, its signature, its place in the log, its anchor on the chain
///
/// The node is asked for evidence only; all of it is computed again here. The chain is asked
/// through --rpc, best an endpoint that the node's operator does not run.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// An event's id, or a file with its bytes
    #[arg(value_name = "EVENT-ID|FILE")]
    event: String,
    /// The Ethereum endpoint to ask [default: the first that the node's folder names]
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
}

impl Verify {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let node = global.client()?;
        let (bytes, asked) = match self.event.parse::<EventId>() {
            Ok(id) => (node.bytes(&format!("/events/{id}"), COSE).await?, Some(id)),
            Err(error) => (read(Path::new(&self.event), &error.to_string())?, None),
        };
        let folder = global.data_dir()?;
        let network = if folder.network().exists() {
            Some(network_file::read(&folder.network()).or_exit(Exit::BadInput)?)
        } else {
            None
        };
        let configured =
            || config::load(&folder.configuration(), Vec::new()).ok()?.anchoring.rpc_urls.into_iter().next();
        let sources = Sources { node: &node, network, rpc: self.rpc.or_else(configured) };
        let id = EventId::of(&bytes);
        let checks = verification::verify(&sources, bytes, asked).await?;
        let value = json!({ "event": id, "verified": checks.hold(), "checks": checks.0 });
        global.output().print(&value, || format!("Event {id}\n{}", checks.lines()))?;
        if checks.hold() {
            Ok(())
        } else {
            Err(Failure::new(Exit::Unverified, "the event is not verified; see the last check"))
        }
    }
}

fn read(file: &Path, no_id: &str) -> Result<Vec<u8>, Failure> {
    let wrong = || format!("{} is neither an event's id ({no_id}) nor a file that can be read", file.display());
    let length = std::fs::metadata(file).or_exit_with(Exit::BadInput, wrong)?.len();
    if length > MAX_EVENT_BYTES as u64 {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{} has {length} bytes; an event has at most {MAX_EVENT_BYTES}", file.display()),
        ));
    }
    std::fs::read(file).or_exit_with(Exit::BadInput, wrong)
}
