//! `furrow status`: how the running node is.

use crate::cli::Global;
use crate::failure::{Exit, Failure};
use crate::output::text;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Show how the running node is; fails where it cannot take writes
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        let status = client.get("/status").await?;
        let peers = client.get("/peers").await?;
        let value = json!({ "status": status, "peers": peers });
        let base = client.base();
        global.output().print(&value, || describe(base, &status, &peers))?;
        let stopped = faults(&status).filter(|fault| fault.get("stops_writes") == Some(&Value::Bool(true))).count();
        if stopped > 0 {
            return Err(Failure::new(Exit::Failed, "the node cannot take writes now; see above"));
        }
        Ok(())
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

fn describe(base: &str, status: &Value, peers: &Value) -> String {
    let anchoring = if status.pointer("/anchoring/enabled") == Some(&Value::Bool(true)) {
        format!(
            "{} of {} entries anchored, {} final",
            text(status, "/anchoring/anchored_size"),
            text(status, "/log/size"),
            text(status, "/anchoring/final_size")
        )
    } else {
        "off".to_owned()
    };
    let mut out = format!(
        "{} at {base}\n  program    {}\n  log        {}\n  peers      {} connected\n  anchoring  {anchoring}\n",
        text(status, "/node/name"),
        text(status, "/node/version"),
        entries(status.pointer("/log/size").and_then(Value::as_u64).unwrap_or(0)),
        text(peers, "/count"),
    );
    out += &network(peers);
    for fault in faults(status) {
        let _ = writeln!(out, "  problem    {}: {}", text(fault, "/component"), text(fault, "/detail"));
    }
    for peer in peers.pointer("/_embedded/item").and_then(Value::as_array).into_iter().flatten() {
        let rewritten = peer.pointer("/cosigning/rewritten") == Some(&Value::Bool(true));
        let warning = if rewritten { "; its log was REWRITTEN, see 'furrow log contradictions'" } else { "" };
        let _ = writeln!(out, "  peer       {} ({}{warning})", text(peer, "/id"), progress(peer));
    }
    out
}

/// How far this node has come with a peer's log.
fn progress(peer: &Value) -> String {
    let number = |field: &str| peer.get(field).and_then(Value::as_u64);
    match (number("followed_size"), number("log_size")) {
        (Some(have), Some(of)) if have < of => {
            let left =
                number("eta_s").map_or_else(|| "standing still".to_owned(), |seconds| format!("{seconds} s left"));
            let pace = number("events_per_s").unwrap_or_default();
            format!("{have} of {of} entries read, {pace} a second, {left}")
        }
        (Some(have), _) => format!("all {have} entries read"),
        _ => "not greeted yet".to_owned(),
    }
}

/// Whether this node can be reached, and whom it did not let in.
fn network(peers: &Value) -> String {
    let mut out = format!("  reachable  {}\n", text(peers, "/network/reachability"));
    let list = |at: &str| peers.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
    for address in list("/network/external_addresses") {
        let _ = writeln!(out, "  address    {}", text(&address, ""));
    }
    if peers.pointer("/network/founding") == Some(&Value::Bool(true)) {
        out += "  open       to anyone who knows the network's id, until another node is enrolled or a peer is named\n";
    }
    for refused in list("/network/refused") {
        let (id, reason) = (text(&refused, "/id"), text(&refused, "/reason"));
        let _ = writeln!(out, "  refused    {id}: {reason}");
    }
    out
}

fn faults(status: &Value) -> impl Iterator<Item = &Value> {
    status.get("faults").and_then(Value::as_array).into_iter().flatten()
}
