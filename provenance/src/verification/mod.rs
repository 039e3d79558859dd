//! Verifying a bundle: who signed, that the history is whole as of a moment according to which
//! nodes, and between which two moments each event was made.
//!
//! `docs/verification.md` says what each check demands, exactly enough for a second verifier. One
//! pure function does it: no clock, no network, no state.

mod chain;
pub(crate) mod events;
mod findings;
mod log;
mod moments;
mod nodes;
mod openings;
mod scope;
mod sentences;
mod survivals;
mod verdict;

pub use events::EventError;
pub use findings::{Finding, FindingKind};
pub use nodes::Nodes;
pub use scope::{Roots, Scope, UnknownLot};
pub use verdict::{
    AsOf, Block, Check, CheckResult, Cosigner, Event, Lot, NeededBlock, Network, Outcome, Overall, Reason, Verdict,
};

use crate::bundle::{Bundle, BundleError};
use crate::event::VerifiedEvent;
use crate::id::{EventId, NetworkId, SubjectId};
use sentences::Words;
use std::collections::BTreeSet;

/// What the auditor brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The network that is expected; any if not said.
    pub network: Option<NetworkId>,
    /// How many nodes must have cosigned the checkpoint.
    pub cosigners: usize,
    /// Whose cosignatures count: node actors; anybody's if not said.
    pub trusted_cosigners: Option<BTreeSet<SubjectId>>,
    /// Hashes of blocks, from a source of the auditor's choice.
    pub block_hashes: BTreeSet<[u8; 32]>,
}

/// Why a check failed, or is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    reason: Reason,
    event: Option<EventId>,
    subject: Option<SubjectId>,
    detail: String,
}

impl Failure {
    fn of(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, event: None, subject: None, detail: detail.into() }
    }

    fn of_event(reason: Reason, event: EventId, detail: impl Into<String>) -> Self {
        Self { event: Some(event), ..Self::of(reason, detail) }
    }

    fn of_subject(reason: Reason, subject: SubjectId, detail: impl Into<String>) -> Self {
        Self { subject: Some(subject), ..Self::of(reason, detail) }
    }
}

/// Verifies a bundle.
///
/// Time and memory are bounded by the limits of the format, whatever the bytes are.
pub fn verify(bytes: &[u8], policy: &Policy) -> Verdict {
    let mut report = Report::default();
    match run(bytes, policy, &mut report) {
        Ok(verdict) => verdict,
        Err(Stop) => Verdict::invalid(report.finish()),
    }
}

/// Ends the way after a failed check, which has been written down.
struct Stop;

/// The checks so far, in their order.
#[derive(Default)]
struct Report(Vec<CheckResult>);

impl Report {
    fn passed(&mut self, check: Check, words: Words) {
        self.0.push(CheckResult::passed(check, words));
    }

    fn open(&mut self, check: Check, words: Words, failure: Failure) {
        self.0.push(CheckResult::stopped(check, Outcome::Open, words, failure));
    }

    fn failed(&mut self, check: Check, failure: Failure) -> Stop {
        self.0.push(CheckResult::stopped(check, Outcome::Failed, sentences::of(check), failure));
        Stop
    }

    /// Demands that a check without openness passes.
    fn demand<T>(&mut self, check: Check, outcome: Result<T, Failure>) -> Result<T, Stop> {
        match outcome {
            Ok(value) => {
                self.passed(check, sentences::of(check));
                Ok(value)
            }
            Err(failure) => Err(self.failed(check, failure)),
        }
    }

    /// All checks, those that were not reached included.
    fn finish(mut self) -> Vec<CheckResult> {
        self.0.extend(Check::ALL[self.0.len()..].iter().map(|check| CheckResult::skipped(*check)));
        self.0
    }
}

fn run(bytes: &[u8], policy: &Policy, report: &mut Report) -> Result<Verdict, Stop> {
    let bundle = report.demand(Check::Format, decode(bytes))?;
    let network_id = report.demand(Check::Network, network(&bundle, policy))?;
    let events = report.demand(Check::Signatures, signed(&bundle, network_id))?;
    let history = report.demand(Check::Rules, events::counted(&bundle, events))?;

    let nodes = Nodes::of(&history);
    let note = log::read(&bundle);
    let scoped = scope::check(&bundle, network_id, &history, &nodes, note.as_ref().ok());
    let (scope, node) = report.demand(Check::Scope, scoped)?;
    let checkpoint = note.and_then(|note| log::checkpoint(&note, network_id).map(|checkpoint| (note, checkpoint)));
    let (note, checkpoint) = report.demand(Check::Checkpoint, checkpoint)?;
    let cosigners = log::cosigners(&note, network_id, &nodes, node, policy);
    let cosigners = match cosigners {
        Ok(cosigners) => {
            report.passed(Check::Cosignatures, sentences::cosignatures(cosigners.len()));
            cosigners
        }
        Err(failure) => return Err(report.failed(Check::Cosignatures, failure)),
    };
    report.demand(Check::Log, log::inclusions(&bundle, &history, &checkpoint))?;
    report.demand(Check::Whole, log::whole(&bundle, &history, &checkpoint))?;

    match chain::anchors(&bundle, &nodes, node, &checkpoint) {
        Ok(None) => report.passed(Check::Anchors, sentences::of(Check::Anchors)),
        Ok(Some(open)) => report.open(Check::Anchors, sentences::of(Check::Anchors), open),
        Err(failure) => return Err(report.failed(Check::Anchors, failure)),
    }
    let witnesses = match chain::evidence(&bundle, policy) {
        Ok((witnesses, None)) => {
            report.passed(Check::Chain, sentences::of(Check::Chain));
            witnesses
        }
        Ok((witnesses, Some(open))) => {
            report.open(Check::Chain, sentences::of(Check::Chain), open);
            witnesses
        }
        Err(failure) => return Err(report.failed(Check::Chain, failure)),
    };
    report.demand(Check::Openings, openings::check(&bundle, &history))?;

    let moments = moments::of(&bundle, &history, node, &witnesses);
    let findings = findings::of(&bundle, &history, &scope, &moments);
    let checks = std::mem::take(report).finish();
    let anchored_in = moments::anchored_in(&bundle, node, checkpoint.size, &witnesses);
    Ok(Verdict {
        verdict: verdict::overall(&checks),
        subject: Some(bundle.lot),
        network: Some(Network { id: network_id, name: bundle.network.name().to_owned() }),
        as_of: Some(AsOf::new(&checkpoint, node, cosigners, anchored_in)),
        checks,
        findings,
        events: verdict::events(&bundle, &history, &moments),
        lot: history.lot(&bundle.lot).map(|counted| Lot::of(&counted, history.holder(&counted.state))),
        blocks: witnesses.blocks,
    })
}

fn decode(bytes: &[u8]) -> Result<Bundle, Failure> {
    Bundle::decode(bytes).map_err(|error| {
        let reason = match error {
            BundleError::NewerVersion(_) => Reason::NewerVersion,
            BundleError::Malformed(_) => Reason::NotABundle,
        };
        Failure::of(reason, error.to_string())
    })
}

fn signed(bundle: &Bundle, network: NetworkId) -> Result<Vec<VerifiedEvent>, Failure> {
    let signed = bundle.entries.iter().map(|entry| entry.event.as_slice());
    events::verified(signed, network).map_err(Failure::from)
}

fn network(bundle: &Bundle, policy: &Policy) -> Result<NetworkId, Failure> {
    bundle.network.check().map_err(|error| Failure::of(Reason::MalformedNetwork, error.to_string()))?;
    let id = bundle.network.id();
    match policy.network {
        Some(expected) if expected != id => {
            let detail = format!("the bundle belongs to the network {id}, not to {expected}");
            Err(Failure::of(Reason::OtherNetwork, detail))
        }
        _ => Ok(id),
    }
}
