//! Verifying a bundle: the verdict of somebody who trusts no node.
//!
//! What is checked stands in `docs/verification.md`, exactly enough that two verifiers, written apart, give
//! the same verdict. [`verify`] is a function of the bundle and the policy alone: it asks no network, no
//! clock and no store, and gives a verdict on whatever bytes it gets.

mod anchors;
mod chain;
mod checkpoint;
mod envelope;
mod events;
mod findings;
mod moments;
mod nodes;
mod openings;
mod proofs;
mod report;
mod scope;
mod verdict;

pub use nodes::Nodes;
pub use verdict::{
    AsOf, Block, Check, CheckLine, CheckResult, Conclusion, Cosigner, EventLine, EvidenceBlock, Finding, LotLine,
    NetworkName, Verdict,
};

use crate::bundle::Bundle;
use crate::counting;
use crate::history::History;
use crate::id::{EventId, NetworkId, SubjectId};
use crate::network::Network;
use crate::payload::Lane;
use checkpoint::SignedCheckpoint;
use findings::{finding, findings};
use moments::Moments;
use report::Report;
use scope::Scoped;
use std::collections::BTreeSet;

/// What an auditor demands beyond what a bundle says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The network that is expected; any, where none is given.
    pub network: Option<NetworkId>,
    /// How many nodes, beside the log's own, must have cosigned.
    pub wanted_cosigners: usize,
    /// Whose cosignatures count; anybody's, where nobody is named.
    pub cosigners: BTreeSet<SubjectId>,
    /// Hashes of blocks from a source that the auditor chose; none, where it has not looked yet.
    pub blocks: BTreeSet<[u8; 32]>,
}

/// The verdict on a bundle's bytes under a policy.
pub fn verify(bytes: &[u8], policy: &Policy) -> Verdict {
    let mut report = Report::default();
    match examine(bytes, policy, &mut report) {
        Some(facts) => facts.verdict(report),
        None => invalid(report),
    }
}

/// All that the checks found.
struct Facts {
    bundle: Bundle,
    network: Network,
    history: History,
    scoped: Scoped,
    checkpoint: SignedCheckpoint,
    cosigners: Vec<Cosigner>,
    blocks: Vec<EvidenceBlock>,
    malformed_openings: BTreeSet<EventId>,
}

/// Runs the checks in their order; nothing where one failed.
fn examine(bytes: &[u8], policy: &Policy, report: &mut Report) -> Option<Facts> {
    let bundle = report.run(Check::Format, || envelope::format(bytes))?;
    let network = report.run(Check::Network, || envelope::network(&bundle.network, policy))?;
    let events = report.run(Check::Signatures, || events::signatures(&bundle.entries, &network))?;
    let history = report.run(Check::Rules, || events::rules(events, &network))?;
    let read = SignedCheckpoint::read(&bundle.checkpoint);
    let scoped = report.run(Check::Scope, || scope::scope(&bundle, &network, &history, &read))?;
    let checkpoint = report.run(Check::Checkpoint, || checkpoint::checkpoint(read, &network, &scoped))?;
    let cosigners =
        report.run(Check::Cosignatures, || checkpoint::cosigners(&checkpoint, &network, &scoped, policy))?;
    report.run(Check::Log, || proofs::log(&bundle, &history, &checkpoint))?;
    report.run(Check::Whole, || proofs::whole(&bundle, &history, &checkpoint, &scoped, &cosigners))?;
    report.run(Check::Anchors, || anchors::anchors(&bundle, &history, &checkpoint, &scoped))?;
    let blocks = report.run(Check::Chain, || chain::chain(&bundle, policy))?;
    let malformed_openings = report.run(Check::Openings, || openings::openings(&bundle.openings, &history))?;
    Some(Facts { bundle, network, history, scoped, checkpoint, cosigners, blocks, malformed_openings })
}

fn invalid(report: Report) -> Verdict {
    Verdict {
        conclusion: Conclusion::Invalid,
        subject: None,
        network: None,
        as_of: None,
        checks: report.into_lines(),
        findings: Vec::new(),
        events: Vec::new(),
        lot: None,
        blocks: Vec::new(),
    }
}

impl Facts {
    fn verdict(self, report: Report) -> Verdict {
        let checks = report.into_lines();
        let is_open = checks.iter().any(|line| line.result == CheckResult::Open);
        let moments = Moments::of(&self.bundle, &self.scoped);
        let events = self.event_lines(&moments);
        Verdict {
            conclusion: if is_open { Conclusion::Incomplete } else { Conclusion::Valid },
            subject: Some(self.bundle.lot),
            network: Some(NetworkName { id: self.network.id(), name: self.network.name().to_owned() }),
            as_of: Some(self.as_of(&moments)),
            checks,
            findings: self.findings(&events),
            events,
            lot: self.lot(),
            blocks: self.blocks,
        }
    }

    fn as_of(&self, moments: &Moments) -> AsOf {
        let log = &self.checkpoint.content;
        AsOf {
            log: log.origin.clone(),
            node: self.scoped.node,
            size: log.size,
            log_root: log.root,
            state_root: log.state_root,
            cosigned_by: self.cosigners.clone(),
            anchored_in: moments.anchored_at(log.size),
        }
    }

    fn event_lines(&self, moments: &Moments) -> Vec<EventLine> {
        let entries = self.bundle.entries.iter().zip(self.history.events());
        let lines = entries.map(|(entry, judged)| {
            let payload = judged.event.payload();
            EventLine {
                id: judged.event.id(),
                index: entry.index,
                kind: payload.body.kind().map_or("", crate::kind::Kind::name),
                signer: judged.judgement.actor,
                time_ms: payload.time.ms(),
                after: payload.after.and_then(|after| moments.after(&after)),
                before: moments.before(entry.index),
            }
        });
        lines.collect()
    }

    fn findings(&self, lines: &[EventLine]) -> Vec<Finding> {
        let mut found = findings(&self.history, &self.scoped.subjects, lines);
        found.extend(self.bundle.left_out.iter().flatten().map(|lot| finding("left_out", Some(*lot), [])));
        found.extend(self.malformed_openings.iter().map(|event| finding("malformed_opening", None, [*event])));
        found.into_iter().collect()
    }

    fn lot(&self) -> Option<LotLine> {
        let tips = self.history.tips(&self.bundle.lot).remove(&Lane::Main)?;
        let tips: Vec<_> = tips.into_iter().collect();
        let Ok(counted) = counting::lot(&self.bundle.lot, &tips, &self.history);
        let counting::CountedLot { state, disputed, .. } = counted?;
        Some(LotLine { holder: state.holder, balance: state.balance, disputed, closed: state.closed })
    }
}
