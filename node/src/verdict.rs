//! A bundle's verdict, told on the command line.

use crate::cli::Global;
use crate::failure::{Exit, Failure, OrExit};
use crate::output::printable;
use anchoring::BlockHash;
use clap::Args;
use provenance::id::{NetworkId, SubjectId};
use provenance::value::Timestamp;
use provenance::verification::{Block, CheckResult, Outcome, Overall, Policy, Verdict, verify};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What an auditor wants of a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct Demands {
    /// For a bundle or a conflict proof: the network that is expected
    #[arg(long, value_name = "ID")]
    network: Option<NetworkId>,
    /// For a bundle: how many other nodes must have cosigned it
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    cosigners: usize,
    /// For a bundle: a node whose cosignature counts; may be repeated [default: anybody's]
    #[arg(long, value_name = "ACTOR-ID")]
    cosigner: Vec<SubjectId>,
    /// For a bundle: the hash of a block, from a source that you trust; may be repeated
    #[arg(long, value_name = "0x…")]
    block_hash: Vec<BlockHash>,
}

impl Demands {
    /// Whether nothing is demanded but a network, if that.
    pub(crate) fn is_of_network_alone(&self) -> bool {
        *self == Self { network: self.network, ..Self::default() }
    }

    /// The network that is expected.
    pub(crate) fn network(&self) -> Option<NetworkId> {
        self.network
    }
}

/// Verifies a bundle and prints the verdict.
pub(crate) async fn tell(
    global: &Global,
    bytes: Vec<u8>,
    demands: Demands,
    rpc: Option<String>,
) -> Result<(), Failure> {
    let mut policy = Policy {
        network: demands.network,
        cosigners: demands.cosigners,
        trusted_cosigners: (!demands.cosigner.is_empty()).then(|| demands.cosigner.into_iter().collect()),
        block_hashes: demands.block_hash.iter().map(|hash| *hash.as_bytes()).collect(),
    };
    let mut verdict = verify(&bytes, &policy);
    if let Some(rpc) = rpc
        && !verdict.blocks.is_empty()
    {
        policy.block_hashes.extend(asked(&rpc, &verdict).await?);
        verdict = verify(&bytes, &policy);
    }
    let value = serde_json::to_value(&verdict).expect("a verdict is plain data");
    global.output().print(&value, || text(&verdict))?;
    match verdict.verdict {
        Overall::Valid => Ok(()),
        Overall::Incomplete => Err(Failure::new(Exit::Incomplete, "nothing is wrong, but not everything is proven")),
        Overall::Invalid => Err(Failure::new(Exit::Unverified, "the bundle is invalid; see the check that failed")),
    }
}

/// The hashes that an endpoint gives for the blocks of a bundle.
async fn asked(rpc: &str, verdict: &Verdict) -> Result<Vec<[u8; 32]>, Failure> {
    let mut numbers: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for block in &verdict.blocks {
        numbers.entry(block.chain_id).or_default().insert(block.number);
    }
    let mut hashes = Vec::new();
    for (chain_id, numbers) in numbers {
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let found = anchoring::block_hashes(rpc, chain_id, &numbers).await.or_exit(Exit::Unreachable)?;
        let found = found.ok_or_else(|| {
            Failure::new(Exit::BadInput, format!("{rpc} serves another chain than the bundle's, which is {chain_id}"))
        })?;
        hashes.extend(found.iter().map(|hash| *hash.as_bytes()));
    }
    Ok(hashes)
}

fn text(verdict: &Verdict) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_verdict(&mut out, verdict);
    out
}

fn write_verdict(out: &mut String, verdict: &Verdict) -> std::fmt::Result {
    match verdict.verdict {
        Overall::Valid => {
            writeln!(out, "VALID: what the bundle says is proven, as far as the network below is the one you mean.")?;
        }
        Overall::Incomplete => writeln!(out, "INCOMPLETE: nothing is wrong, but not everything is proven.")?,
        Overall::Invalid => writeln!(out, "INVALID: the bundle does not prove what it says.")?,
    }
    if let (Some(lot), Some(network)) = (&verdict.subject, &verdict.network) {
        writeln!(out, "lot      {lot}\nnetwork  {} ({})", network.id, printable(&network.name))?;
    }
    if let Some(lot) = &verdict.lot {
        let disputed = if lot.disputed { ", DISPUTED" } else { "" };
        writeln!(out, "holder   {} ({}{disputed})", lot.holder, lot.balance)?;
    }
    if let Some(as_of) = &verdict.as_of {
        write!(out, "whole    as of {} log entries, according to node {}", as_of.size, as_of.node)?;
        for cosigner in &as_of.cosigned_by {
            write!(out, "\n         cosigned by node {} at {}", cosigner.node, moment(cosigner.time_s))?;
        }
        if let Some(block) = as_of.anchored_in {
            write!(out, "\n         anchored in block {} of {}", block.number, moment(block.timestamp_s))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "\nchecks")?;
    for check in &verdict.checks {
        write_check(out, check)?;
    }
    if !verdict.findings.is_empty() {
        writeln!(out, "\nfindings")?;
        for finding in &verdict.findings {
            let name = serde_json::to_value(finding.finding).unwrap_or_default();
            write!(out, "  {}", name.as_str().unwrap_or_default())?;
            let subject = finding.subject.iter().map(ToString::to_string);
            for id in subject.chain(finding.events.iter().map(ToString::to_string)) {
                write!(out, "\n      {id}")?;
            }
            writeln!(out)?;
        }
    }
    if !verdict.events.is_empty() {
        writeln!(out, "\nevents, each with the blocks after and before which it was made")?;
        for event in &verdict.events {
            let signed = Timestamp::new(event.time_ms).map(|time| time.to_string()).unwrap_or_default();
            writeln!(out, "  {} {:<24} says {signed}", event.id, event.kind)?;
            writeln!(out, "      after {}, before {}", block(event.after), block(event.before))?;
        }
    }
    let open = verdict.checks.iter().any(|check| check.result == Outcome::Open);
    if open && !verdict.blocks.is_empty() {
        writeln!(out, "\nblocks whose hashes you can bring with --block-hash, or have asked for with --rpc")?;
        for block in &verdict.blocks {
            writeln!(out, "  chain {} block {}", block.chain_id, block.number)?;
        }
    }
    Ok(())
}

fn write_check(out: &mut String, check: &CheckResult) -> std::fmt::Result {
    let mark = match check.result {
        Outcome::Passed => "ok     ",
        Outcome::Failed => "FAILED ",
        Outcome::Open => "open   ",
        Outcome::Skipped => "skipped",
    };
    let name = check.check.code();
    if check.result == Outcome::Skipped {
        return writeln!(out, "  {mark} {name}");
    }
    let Some(detail) = &check.detail else {
        return writeln!(out, "  {mark} {name:<13} {}\n{:24} ({})", check.proves, "", check.rests_on);
    };
    writeln!(out, "  {mark} {name:<13} {}", printable(detail))?;
    let event = check.event.map(|event| format!("event {event}"));
    let subject = check.subject.map(|subject| format!("subject {subject}"));
    event.into_iter().chain(subject).try_for_each(|what| writeln!(out, "{:24} {what}", ""))
}

fn block(block: Option<Block>) -> String {
    block.map_or_else(
        || "an unknown block".to_owned(),
        |block| format!("block {} of {}", block.number, moment(block.timestamp_s)),
    )
}

fn moment(seconds: u64) -> String {
    let time = seconds.checked_mul(1000).and_then(|ms| Timestamp::new(ms).ok());
    time.map_or_else(|| format!("second {seconds}"), |time| time.to_string())
}
