//! An audit of a node's whole log from outside: everything is downloaded, hashed and judged again here.
//!
//! What the node says is evidence, never an authority. Its log is re-hashed from the entries, its events are
//! replayed through a ledger of the auditor's own, and what it anchored is compared with what the chain keeps.
//!
//! **Invariant:** memory does not grow with the log: a few stretches of entries are on their way at a time, and the
//! auditor's ledger lies on the disk.

mod anchors;
mod replay;
mod stretch;
mod tiles;

use crate::checks::{Checks, Word};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::network_file;
use futures::stream::{self, StreamExt};
use indicatif::ProgressBar;
use provenance::checkpoint::Checkpoint;
use provenance::id::NetworkId;
use provenance::network::Network;
use provenance::origin::{LogOrigin, LogOriginError};
use replay::Replay;
use std::path::Path;
use std::time::{Duration, Instant};
use stretch::{STRETCH, Stretch};
use tokio_util::task::AbortOnDropHandle;

/// Stretches that are downloaded while one is judged: enough to keep a distant node busy, and at most some 80 MiB.
const AHEAD: usize = 4;

/// What is audited, and with what.
pub(crate) struct Audit<'a> {
    /// The node.
    pub(crate) node: &'a Client,
    /// The network's definition; without it the node's own.
    pub(crate) network: Option<Network>,
    /// The Ethereum endpoint to ask for what was anchored.
    pub(crate) rpc: Option<&'a str>,
    /// Where the auditor's copy of the log is made; without it where the system keeps temporary files.
    pub(crate) scratch: Option<&'a Path>,
}

/// What an audit found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The checkpoint, once it was opened.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Entries that were hashed and judged again.
    pub(crate) entries: u64,
    /// Bytes of their events.
    pub(crate) bytes: u64,
    /// How long downloading, hashing and judging took.
    pub(crate) elapsed: Duration,
    /// The checks, in their order.
    pub(crate) checks: Checks,
}

/// Why an audit ends before its end.
enum Stopped {
    /// Somebody does not answer, or this machine cannot go on.
    Unable(Failure),
    /// Something does not hold.
    Refuted {
        /// What was checked.
        check: &'static str,
        /// What is wrong, naming the entry where there is one.
        reason: String,
    },
}

impl Stopped {
    fn refuted(check: &'static str, reason: impl Into<String>) -> Self {
        Self::Refuted { check, reason: reason.into() }
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Unable(failure)
    }
}

impl Report {
    /// Entries that were hashed and judged in a second.
    pub(crate) fn entries_per_s(&self) -> u64 {
        let per_s = u128::from(self.entries) * 1000 / self.elapsed.as_millis().max(1);
        u64::try_from(per_s).unwrap_or(u64::MAX)
    }

    fn passed(&mut self, check: &'static str, rests_on: Word, found: String) {
        // What holds never ends the way.
        let _ = self.checks.add(check, rests_on, Ok(found));
    }
}

impl Audit<'_> {
    /// Runs all checks. Errors are failures to ask; what does not hold is the last check of the report.
    pub(crate) async fn run(&self, progress: &ProgressBar) -> Result<Report, Failure> {
        let mut report = Report::default();
        match self.steps(&mut report, progress).await {
            Ok(()) => Ok(report),
            Err(Stopped::Unable(failure)) => Err(failure),
            Err(Stopped::Refuted { check, reason }) => {
                let _ = report.checks.add(check, Word::Own, Err(reason));
                Ok(report)
            }
        }
    }

    async fn steps(&self, report: &mut Report, progress: &ProgressBar) -> Result<(), Stopped> {
        let (checkpoint, origin) = self.checkpoint().await?;
        report.checkpoint = Some(checkpoint.clone());
        let found = format!("{} entries, signed by the log key {}", checkpoint.size, origin.key);
        report.passed("checkpoint", Word::Own, found);

        let (network, word) = self.network(origin.network).await?;
        report.passed("network", word, format!("{} ({})", network.id(), network.name()));

        let mut replay = Replay::open(network, origin.key, self.scratch)?;
        let started = Instant::now();
        progress.set_length(checkpoint.size);
        let replayed = self.replay(&mut replay, &checkpoint, report, progress).await;
        report.elapsed = started.elapsed();
        if replayed.is_ok() {
            tell_of_the_log(report, &checkpoint);
        }
        let rest = match replayed {
            Ok(()) => self.rest(&replay, &checkpoint, report).await,
            stopped => stopped,
        };
        replay.close().await;
        rest
    }

    /// Downloads, hashes and judges every entry.
    async fn replay(
        &self,
        replay: &mut Replay,
        checkpoint: &Checkpoint,
        report: &mut Report,
        progress: &ProgressBar,
    ) -> Result<(), Stopped> {
        let size = checkpoint.size;
        let network = replay.network();
        let fetch = |first: u64| {
            let node = self.node.clone();
            AbortOnDropHandle::new(tokio::spawn(async move { Stretch::fetch(&node, network, first, size).await }))
        };
        let mut stretches = stream::iter((0..size).step_by(STRETCH)).map(fetch).buffered(AHEAD);
        while let Some(stretch) = stretches.next().await {
            let stretch = stretch.map_err(|error| Failure::of(Exit::Failed, error))??;
            report.entries += stretch.entries.len() as u64;
            report.bytes += stretch.events.iter().map(|event| event.bytes.len() as u64).sum::<u64>();
            replay.take(self.node, stretch).await?;
            progress.set_position(report.entries);
        }
        if replay.root() != checkpoint.root {
            let reason = format!(
                "the {size} entries make another root than the checkpoint's; somebody was shown another log under this name"
            );
            return Err(Stopped::refuted("root", reason));
        }
        tiles::compare(self.node, replay.ledger(), size).await
    }

    /// What can be said only once the whole log was seen.
    async fn rest(&self, replay: &Replay, checkpoint: &Checkpoint, report: &mut Report) -> Result<(), Stopped> {
        if replay.state_root().await? != checkpoint.state_root {
            let reason = "the events make another state of lots, places and actors than the one that the checkpoint signs; \
                          the node hides what became of some of them";
            return Err(Stopped::refuted("state", reason));
        }
        report.passed("state", Word::Own, "the events make the state root that the checkpoint signs".to_owned());
        let Some(lines) = replay.anchoring_lines() else {
            let reason = "no event of the log names the key that signs its checkpoints, so nobody of this network vouches \
                          for the log; enrol the node with 'furrow actor enrol --this-node'";
            return Err(Stopped::refuted("log key", reason));
        };
        report.passed("log key", Word::Own, "the log's own events name it as the key of an enrolled node".to_owned());
        anchors::compare(self, replay.ledger(), checkpoint, lines, report).await
    }

    /// The newest checkpoint, opened with the key that its origin names.
    async fn checkpoint(&self) -> Result<(Checkpoint, LogOrigin), Stopped> {
        let refuted = |reason: String| Stopped::refuted("checkpoint", reason);
        let note = self.node.find_file("/log/checkpoint").await?;
        let note = note.ok_or_else(|| refuted("the node publishes no checkpoint, so it answers for nothing".into()))?;
        let note = String::from_utf8(note).map_err(|_| refuted("the checkpoint is no text".into()))?;
        let origin: LogOrigin = note
            .lines()
            .next()
            .unwrap_or_default()
            .parse()
            .map_err(|error: LogOriginError| refuted(error.to_string()))?;
        let checkpoint = Checkpoint::open(&note, &origin.key).map_err(|error| refuted(error.to_string()))?;
        if checkpoint.size == 0 {
            return Err(refuted("it says that the log is empty, and entry 0 is the network itself".into()));
        }
        Ok((checkpoint, origin))
    }

    /// The definition of the network that the checkpoint names.
    async fn network(&self, named: NetworkId) -> Result<(Network, Word), Stopped> {
        let (network, word) = if let Some(network) = &self.network {
            (network.clone(), Word::NetworkFile)
        } else {
            let told = self.node.get("/network").await?;
            let network = network_file::of_json(&told)
                .map_err(|error| Stopped::refuted("network", format!("the node's definition: {error}")))?;
            (network, Word::Node)
        };
        if network.id() == named {
            return Ok((network, word));
        }
        let reason = format!("the log is one of network {named}, not of {} ({})", network.id(), network.name());
        Err(Stopped::refuted("network", reason))
    }
}

fn tell_of_the_log(report: &mut Report, checkpoint: &Checkpoint) {
    let size = checkpoint.size;
    let entries = format!("{size} entries, each the id of the event that the node gives for it");
    report.passed("entries", Word::Own, entries);
    let rules = format!("all {} events were admitted again, each after those on which it rests", size - 1);
    report.passed("rules", Word::Own, rules);
    report.passed("root", Word::Own, "the entries make the root that the checkpoint signs".to_owned());
    report.passed("hash tiles", Word::Own, "every hash of every row of tiles is that of the entries".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_counted_in_entries() {
        let report = Report { entries: 3000, elapsed: Duration::from_millis(1500), ..Report::default() };
        assert_eq!(report.entries_per_s(), 2000);
        assert_eq!(Report::default().entries_per_s(), 0);
    }
}
