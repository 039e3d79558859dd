//! What an anchor costs on the chain, as the contract's own tests have measured and committed it.

use crate::report::Report;
use anyhow::Context;
use serde_json::Value;

/// Written and checked by `contracts/check.sh`.
const MEASURED: &str = include_str!("../../contracts/snapshots/transactions.json");

/// What the chain takes for a transaction that does nothing (Ethereum yellow paper, `G_transaction`).
const TRANSACTION: f64 = 21_000.0;

/// Gas of whole transactions.
pub fn measure(report: &mut Report) -> anyhow::Result<()> {
    let measured: Value = serde_json::from_str(MEASURED)?;
    for (name, key) in [("anchor_gas", "repeat anchor"), ("anchor_gas_first", "first anchor")] {
        let gas = measured[key].as_str().and_then(|gas| gas.parse().ok());
        let gas = gas.with_context(|| format!("contracts/snapshots/transactions.json has no '{key}'"))?;
        report.add_cost(name, gas, "gas", TRANSACTION, "a transaction that does nothing");
    }
    Ok(())
}
