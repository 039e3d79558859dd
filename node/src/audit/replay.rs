//! The replay: every event of a log through a ledger of the auditor's own, in the log's order.

use super::Stopped;
use super::stretch::{Event, Stretch};
use crate::client::{COSE, Client};
use crate::failure::{Exit, Failure, OrExit, with_sources};
use ledger::{Ledger, LedgerOptions, LogError, Origin, Outcome};
use provenance::admission::Hold;
use provenance::body::AnchoringDetails;
use provenance::id::{EventId, NetworkId, PublicKey};
use provenance::merkle::{Frontier, Hash};
use provenance::network::Network;
use std::collections::HashSet;
use std::path::Path;
use tempfile::TempDir;

/// Void events on which one entry may rest: as many as a node itself remembers.
const MAX_VOIDS: usize = 256;

/// A ledger that is filled with the events of a log, and goes away with its folder.
pub(super) struct Replay {
    ledger: Ledger,
    frontier: Frontier,
    log_key: PublicKey,
    /// Lines of anchors that the node with this log key names; nothing while no event names the key.
    lines: Option<Vec<AnchoringDetails>>,
    _folder: TempDir,
}

impl Replay {
    /// An empty ledger of this network in a new folder below `scratch`.
    pub(super) fn open(network: Network, log_key: PublicKey, scratch: Option<&Path>) -> Result<Self, Failure> {
        let parent = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
        let folder = tempfile::Builder::new()
            .prefix("furrow-audit-")
            .tempdir_in(&parent)
            .or_exit_with(Exit::BadInput, || {
                format!("cannot make a folder in {}; name another with --scratch", parent.display())
            })?;
        let ledger = Ledger::open(folder.path(), network, LedgerOptions::default()).or_exit(Exit::Failed)?;
        Ok(Self { ledger, frontier: Frontier::default(), log_key, lines: None, _folder: folder })
    }

    /// The network.
    pub(super) fn network(&self) -> NetworkId {
        self.ledger.network().id()
    }

    /// The auditor's own ledger.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The root of all entries so far, computed from nothing but them.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The root of the state map that all events so far make.
    pub(super) async fn state_root(&self) -> Result<Hash, Failure> {
        let mut before = None;
        loop {
            match self.ledger.cut().await {
                Ok(cut) => return Ok(cut.state_root),
                // Events come in faster than the map follows; as long as it does, it will arrive.
                Err(LogError::MapBehind { covered, .. }) if before < Some(covered) => before = Some(covered),
                Err(error) => return Err(Failure::of(Exit::Failed, error)),
            }
        }
    }

    /// Where the node with the log's key says that it anchors; nothing if no event names the key.
    pub(super) fn anchoring_lines(&self) -> Option<&[AnchoringDetails]> {
        self.lines.as_deref()
    }

    /// Ends the ledger; its folder is removed when this is dropped.
    pub(super) async fn close(&self) {
        self.ledger.close().await;
    }

    /// Judges the events of the next stretch: each must be admitted as its entry.
    pub(super) async fn take(&mut self, node: &Client, stretch: Stretch) -> Result<(), Stopped> {
        for leaf in &stretch.leaves {
            self.frontier.append(*leaf, |_, _, _| ());
        }
        let mut waiting: Vec<Event> = Vec::new();
        let mut near = HashSet::new();
        for event in stretch.events {
            self.note_node(&event);
            if !near.contains(&event.journal) && !self.knows(&event.journal)? {
                // Only a void event may stand between two links of a journal without an entry of its own.
                self.admit(std::mem::take(&mut waiting)).await?;
                self.take_void(node, &event).await?;
            }
            near.insert(event.id);
            waiting.push(event);
        }
        self.admit(waiting).await
    }

    fn note_node(&mut self, event: &Event) {
        let Some(details) = event.node.as_ref().filter(|details| details.log_key == self.log_key) else { return };
        let lines = self.lines.get_or_insert_default();
        lines.extend(details.anchoring.filter(|line| !lines.contains(line)));
    }

    fn knows(&self, id: &EventId) -> Result<bool, Failure> {
        let is_network = *id == self.network().as_event();
        Ok(is_network || self.ledger.reader().stored(id)?.is_some())
    }

    async fn admit(&self, events: Vec<Event>) -> Result<(), Stopped> {
        let entries: Vec<(u64, EventId)> = events.iter().map(|event| (event.index, event.id)).collect();
        let outcomes = self.submit(events.into_iter().map(|event| event.bytes).collect()).await?;
        for ((index, id), outcome) in entries.into_iter().zip(outcomes) {
            judged(index, id, outcome)?;
        }
        Ok(())
    }

    /// Asks for the void event that an entry's journal link names, and for all on which that one rests.
    async fn take_void(&self, node: &Client, entry: &Event) -> Result<(), Stopped> {
        let named = |id: EventId, what: &str| {
            let reason = format!("entry {}, {}, rests on {id}, which {what}", entry.index, entry.id);
            Stopped::refuted("rules", reason)
        };
        let mut open = vec![entry.journal];
        let mut asked = 0;
        while let Some(id) = open.last().copied() {
            asked += 1;
            if asked > MAX_VOIDS {
                return Err(named(id, "is one of too many that have no entry of their own"));
            }
            let bytes = node.find_bytes(&format!("/events/{id}"), COSE).await?;
            let bytes = bytes.ok_or_else(|| named(id, "stands nowhere before it, and which the node does not give"))?;
            if EventId::of(&bytes) != id {
                return Err(named(id, "the node does not give: it gives other bytes"));
            }
            match self.submit(vec![bytes]).await?.pop() {
                Some(Outcome::Void { .. } | Outcome::Known { index: None, .. }) => {
                    open.pop();
                }
                Some(Outcome::Held { hold: Hold::Missing(missing), .. }) => open.extend(missing),
                Some(Outcome::Admitted { .. }) => {
                    return Err(named(
                        id,
                        "is in order and should stand before it: the log is out of order, or hides it",
                    ));
                }
                Some(Outcome::Unavailable(error)) => return Err(Failure::of(Exit::Failed, error).into()),
                _ => return Err(named(id, "is no event of this network")),
            }
        }
        Ok(())
    }

    async fn submit(&self, events: Vec<Vec<u8>>) -> Result<Vec<Outcome>, Failure> {
        self.ledger.submit(events, Origin::Client).await.or_exit(Exit::Failed)
    }
}

/// What became of an entry's event must be that it was admitted in the same place.
fn judged(index: u64, id: EventId, outcome: Outcome) -> Result<(), Stopped> {
    let reason = match outcome {
        Outcome::Admitted { index: own, .. } if own == index => return Ok(()),
        Outcome::Unavailable(error) => return Err(Failure::of(Exit::Failed, error).into()),
        Outcome::Held { hold: hold @ Hold::Unsupported(_), .. } => {
            let message = format!("entry {index}, {id}: {hold}; audit again with a newer program");
            return Err(Failure::new(Exit::Failed, message).into());
        }
        Outcome::Held { hold: Hold::Missing(missing), .. } => {
            let missing = missing.first().map_or_else(String::new, ToString::to_string);
            format!("rests on {missing}, which does not stand before it: the log is out of order, or hides it")
        }
        Outcome::Void { rule, .. } => format!("is against a rule ({}): {rule}", rule.code()),
        Outcome::Rejected(refusal) => format!("is no event of this network: {}", with_sources(&refusal)),
        Outcome::Known { index: Some(before), .. } => format!("stands in the log twice, first as entry {before}"),
        Outcome::Known { index: None, .. } => "is void and has no place in a log".to_owned(),
        Outcome::Admitted { index: own, .. } => format!("comes as entry {own} here"),
    };
    Err(Stopped::refuted("rules", format!("entry {index}, {id}, {reason}")))
}
