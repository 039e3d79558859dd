//! `furrow contract`: the Ethereum contract that keeps the anchors.

use crate::cli::Global;
use crate::config;
use crate::data_dir::DataDir;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::keystore::ANCHORING;
use crate::rpc::{Endpoint, ether};
use anchoring::{DeployError, Deployed};
use clap::Subcommand;
use serde_json::json;
use toml::Value;

/// Commands about the contract.
#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Deploy the contract with the key 'anchoring', and use it for this node
    ///
    /// One contract serves all nodes of a network and beyond; each node has its own line in it.
    Deploy {
        /// A JSON-RPC endpoint of the chain
        #[arg(long, value_name = "URL")]
        rpc: String,
        /// The chain's id, as a safeguard against the wrong chain [default: what the endpoint says]
        #[arg(long)]
        chain_id: Option<u64>,
        /// The most to pay for a unit of gas
        #[arg(long, default_value_t = 50, value_name = "GWEI")]
        max_fee_gwei: u64,
    },
}

impl Contract {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Deploy { rpc, chain_id, max_fee_gwei } = self;
        let folder = global.data_dir()?;
        let keystore = global.keystore()?;
        let key = keystore.get(ANCHORING).or_exit(Exit::Keystore)?;
        let chain_id = if let Some(chain_id) = chain_id {
            chain_id
        } else {
            let asked = async { Endpoint::new(&rpc)?.chain_id().await };
            asked.await.or_exit_with(Exit::Unreachable, || rpc.clone())?
        };
        let bar = global.output().waiting("waiting for the contract's block");
        let deployed = anchoring::deploy(&rpc, key.bytes(), chain_id, max_fee_gwei).await;
        bar.finish_and_clear();
        let deployed = deployed.map_err(|error| {
            let exit = if matches!(error, DeployError::Rpc(_)) { Exit::Unreachable } else { Exit::Failed };
            Failure::of(exit, error)
        })?;
        let written = write_down(&folder, &rpc, chain_id, &deployed)?;
        report(global, chain_id, &deployed, written)
    }
}

/// Writes address, chain and endpoint into the configuration, where there is one.
fn write_down(folder: &DataDir, rpc: &str, chain_id: u64, deployed: &Deployed) -> Result<bool, Failure> {
    let path = folder.configuration();
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(false) };
    let Ok(chain) = i64::try_from(chain_id) else { return Ok(false) };
    let mut values =
        vec![("contract", Value::String(deployed.address.to_string())), ("chain_id", Value::Integer(chain))];
    let configuration = config::load(&path, Vec::new()).or_exit(Exit::BadInput)?;
    if configuration.anchoring.rpc_urls.is_empty() {
        values.push(("rpc_urls", Value::Array(vec![Value::String(rpc.to_owned())])));
    }
    let Some(changed) = config::set(&text, "anchoring", &values) else { return Ok(false) };
    durable::replace(&path, changed.as_bytes(), Readable::ByAll).or_exit_with(Exit::Failed, || {
        format!("the contract stands at {}, but {} cannot be written", deployed.address, path.display())
    })?;
    Ok(true)
}

fn report(global: &Global, chain_id: u64, deployed: &Deployed, written: bool) -> Result<(), Failure> {
    let value = json!({
        "contract": deployed.address,
        "chain_id": chain_id,
        "transaction": deployed.tx_hash,
        "gas_used": deployed.gas_used,
        "cost_wei": deployed.cost_wei.to_string(),
        "written_to_configuration": written,
    });
    global.output().print(&value, || {
        let next = if written {
            "It is in this node's furrow.toml; restart the node to use it.".to_owned()
        } else {
            format!(
                "Write into furrow.toml, under [anchoring]:\n  contract = \"{}\"\n  chain_id = {chain_id}",
                deployed.address
            )
        };
        format!(
            "The contract stands at {} on chain {chain_id}.\n  transaction {}\n  gas {}, {} ETH\n{next}",
            deployed.address,
            deployed.tx_hash,
            deployed.gas_used,
            ether(deployed.cost_wei)
        )
    })?;
    Ok(())
}
