//! `furrow verify`: prove a lot by its bundle, a conflict by its proof, or an event, and say on whose word each part of the proof rests.

use crate::cli::Global;
use crate::client::COSE;
use crate::config;
use crate::conflict;
use crate::failure::{Exit, Failure, OrExit};
use crate::network_file;
use crate::verdict::{self, Demands};
use crate::verification::{self, Sources};
use clap::Args;
use provenance::bundle::MAX_BUNDLE_BYTES;
use provenance::conflict::ConflictProof;
use provenance::id::EventId;
use serde_json::json;
use std::path::Path;

/// Verify a lot by its bundle, or a conflict by its proof, with no network at all; or an event with the help of a node
///
/// A conflict proof ('furrow dispute proof', 'furrow actor forks --out') needs nothing else.
///
/// A bundle ('furrow bundle make') needs nothing but hashes of the blocks that it names: bring them with
/// --block-hash, or have an endpoint of your choice asked with --rpc. For an event, the node is asked for evidence
/// only; all of it is computed again here, and the chain is asked through --rpc, best an endpoint that
/// the node's operator does not run.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The file of a bundle or of a conflict proof, an event's id, or a file with an event's bytes
    #[arg(value_name = "BUNDLE|CONFLICT|EVENT-ID|EVENT-FILE")]
    what: String,
    /// The Ethereum endpoint to ask [default for events: the first that the node's folder names]
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    #[command(flatten)]
    demands: Demands,
}

impl Verify {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let file = match self.what.parse::<EventId>() {
            Ok(_) => None,
            Err(error) => Some(read(Path::new(&self.what), &error.to_string())?),
        };
        match file {
            Some(bytes) if ConflictProof::is_one(&bytes) => {
                if !self.demands.is_of_network_alone() {
                    let message =
                        "--cosigners, --cosigner and --block-hash are for bundles, and this is a conflict proof";
                    return Err(Failure::new(Exit::BadInput, message));
                }
                conflict::tell(global, &bytes, self.demands.network())
            }
            Some(bytes) if is_bundle(&bytes) => verdict::tell(global, bytes, self.demands, self.rpc).await,
            _ if self.demands != Demands::default() => {
                let message = "--network, --cosigners, --cosigner and --block-hash are for bundles, and this is none";
                Err(Failure::new(Exit::BadInput, message))
            }
            file => self.event(global, file).await,
        }
    }

    async fn event(self, global: &Global, file: Option<Vec<u8>>) -> Result<(), Failure> {
        let node = global.client()?;
        let (bytes, asked) = match (file, self.what.parse::<EventId>()) {
            (None, Ok(id)) => (node.bytes(&format!("/events/{id}"), COSE).await?, Some(id)),
            (file, _) => (file.unwrap_or_default(), None),
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
    if length > MAX_BUNDLE_BYTES as u64 {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{} has {length} bytes; a bundle has at most {MAX_BUNDLE_BYTES}", file.display()),
        ));
    }
    std::fs::read(file).or_exit_with(Exit::BadInput, wrong)
}

/// Bundles are CBOR maps; events begin with the tag of `COSE_Sign1`.
fn is_bundle(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|first| first >> 5 == 5)
}
