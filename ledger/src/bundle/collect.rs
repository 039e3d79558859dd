//! What belongs to a lot: all lanes of its whole subjects, and all that these events rest on.

use super::{BundleRequest, MakeError, survivals};
use crate::ledger::Ledger;
use crate::log::LogError;
use crate::reader::Stored;
use crate::view::node_of_log;
use provenance::bundle::{MAX_ENTRIES, Survival};
use provenance::checkpoint::Checkpoint;
use provenance::cosignature::cosignatures;
use provenance::history::History;
use provenance::id::{EventId, SubjectId};
use provenance::note::Note;
use provenance::verification::{Nodes, Roots, Scope};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use store::{Column, StoreError};

/// The events of a bundle as of one checkpoint.
pub(super) struct Collected {
    /// The checkpoint, with its cosignatures.
    pub note: Note,
    /// Its number of entries.
    pub size: u64,
    /// The node whose log it is.
    pub node: SubjectId,
    /// The same events, with the lanes that they make.
    pub history: History,
    /// Whose histories are whole.
    pub scope: Scope,
    /// Which of the events lie before the end of their key's journal.
    pub survivals: Vec<Survival>,
    events: BTreeMap<u64, Stored>,
}

impl Collected {
    /// The events, in the order of the log.
    pub fn events(&self) -> impl Iterator<Item = &Stored> {
        self.events.values()
    }

    /// Their indexes in the log, ascending.
    pub fn indexes(&self) -> Vec<u64> {
        self.events.keys().copied().collect()
    }

    /// The index of the newest of them.
    pub fn last_index(&self) -> u64 {
        self.events.last_key_value().map_or(0, |(index, _)| *index)
    }
}

impl Ledger {
    /// Collects what belongs to a lot as of a checkpoint of this log.
    pub(super) fn collect(&self, request: &BundleRequest, note: &str) -> Result<Collected, MakeError> {
        let note = Note::parse(note).map_err(|error| damaged(&error))?;
        let size = Checkpoint::parse(note.text()).map_err(|error| damaged(&error))?.size;
        let log = self.log_key().ok_or(LogError::NoKey)?;
        let network = self.network().id();
        let mut keys = BTreeSet::from([log]);
        keys.extend(
            cosignatures(&note).map(|line| line.cosigner()).filter(|it| it.network == network).map(|it| it.key),
        );

        let (mut events, mut known) = (BTreeMap::new(), HashSet::new());
        let mut loaded = BTreeSet::new();
        // Who has a key now is only where to begin: who had it as of the checkpoint, the events tell.
        let mut wanted = BTreeSet::from([request.lot]);
        for key in &keys {
            wanted.extend(node_of_log(self.reader(), key)?);
        }
        // What is added names further signers and lots, until nothing is missing.
        loop {
            for subject in &wanted {
                self.load(*subject, size, &mut events, &mut known)?;
            }
            loaded.append(&mut wanted);
            let mut history = History::default();
            for stored in events.values() {
                history.add(stored.judged.clone());
            }
            let survivals = survivals::of(self.network(), self.reader(), &history)?;
            history.count(self.network(), &survivals::survivors(&survivals));
            let enrolled = Nodes::of(&history);
            let node = enrolled.with_log_key(&log).ok_or(MakeError::NotEnrolled)?;
            let nodes = keys.iter().filter_map(|key| enrolled.with_log_key(key)).collect();
            let roots = Roots { lot: request.lot, network, nodes, shallow: request.shallow };
            let scope = Scope::of(&history, &roots).map_err(|_| MakeError::TooOld { size })?;
            wanted = scope.whole.difference(&loaded).copied().collect();
            if wanted.is_empty() {
                return Ok(Collected { note, size, node, history, scope, survivals, events });
            }
        }
    }

    /// Adds all events of a subject that the log held at `size`, and all that they rest on.
    fn load(
        &self,
        subject: SubjectId,
        size: u64,
        events: &mut BTreeMap<u64, Stored>,
        known: &mut HashSet<EventId>,
    ) -> Result<(), MakeError> {
        let lanes = self.reader().history(&subject)?;
        let mut open: Vec<Stored> = lanes.into_iter().map(|(_, stored)| stored).collect();
        let network = self.network().id().as_event();
        while let Some(stored) = open.pop() {
            let Some(index) = stored.index.filter(|index| *index < size) else { continue };
            if events.contains_key(&index) {
                continue;
            }
            if events.len() == MAX_ENTRIES {
                return Err(MakeError::TooLarge(MAX_ENTRIES));
            }
            for ancestor in stored.judged.event.payload().rests_on().filter(|id| *id != network) {
                if known.insert(ancestor) {
                    open.push(self.ancestor(&ancestor)?);
                }
            }
            known.insert(stored.judged.event.id());
            events.insert(index, stored);
        }
        Ok(())
    }

    fn ancestor(&self, id: &EventId) -> Result<Stored, StoreError> {
        self.reader().stored(id)?.ok_or_else(|| StoreError::Corrupt {
            column: Column::Entries.name(),
            detail: format!("event {id}, on which others rest, is missing"),
        })
    }
}

/// A note of our own that cannot be read.
fn damaged(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { column: Column::Checkpoints.name(), detail: error.to_string() }
}
