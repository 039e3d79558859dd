//! Cosigning a checkpoint of another node's log: all that has to hold before this node says that it does.

use super::{OBSERVED_AT_ONCE, Witness, difference, frontier};
use crate::log::LogError;
use crate::map::{StoredPages, Version, size_before, unreadable, without};
use crate::view::node_of_log;
use minicbor::bytes::ByteArray;
use provenance::checkpoint::{Checkpoint, CheckpointError};
use provenance::contradiction::Contradiction;
use provenance::cosignature::cosign;
use provenance::counting::{Reach, reach};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::merkle::Hash;
use provenance::note::Note;
use provenance::origin::LogOrigin;
use provenance::state_map::{digest, update};
use std::collections::{BTreeMap, BTreeSet};
use store::{CosignedRow, MapTips, StoreError, Witnessed, WitnessedRow};

/// What this node admitted longer ago than this, a log must hold: it had time to reach every node that is
/// not cut off, and who is cut off cannot say that his log is whole.
const GRACE_MS: u64 = 10 * 60 * 1_000;

/// Events named in a refusal; the others are found when these were sent.
const NAMED: usize = 16;

/// Attempts to compare with a map that stands still meanwhile. On a busy node it is cut some times a second, and a
/// comparison takes some milliseconds.
const ATTEMPTS: usize = 4;

/// Why a checkpoint is not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignRefusal {
    /// Not a checkpoint that its log has signed.
    #[error(transparent)]
    Note(#[from] CheckpointError),
    /// Not an origin of a log in this network.
    #[error("the checkpoint's origin does not name a log of this network")]
    OtherNetwork,
    /// A node does not cosign its own log.
    #[error("the checkpoint is this node's own; only others can cosign it")]
    OwnLog,
    /// Nobody's log.
    #[error("no enrolled node names {0} as the key of its log")]
    UnknownLog(PublicKey),
    /// More or fewer entries were read than the checkpoint covers.
    #[error("{next} entries of the log were read, the checkpoint covers {size}; read exactly as many first")]
    NotRead {
        /// Entries that the checkpoint covers.
        size: u64,
        /// Entries that were read.
        next: u64,
    },
    /// An old checkpoint.
    #[error("a checkpoint of {cosigned} entries was cosigned already; ask for a newer one than that of {size}")]
    Older {
        /// Entries that the checkpoint covers.
        size: u64,
        /// Entries of the newest that was cosigned.
        cosigned: u64,
    },
    /// The entries that were read are not those under the checkpoint.
    #[error(
        "the entries that were read are not those under the checkpoint of {size}; they are read again from the start"
    )]
    OtherEntries {
        /// Entries that the checkpoint covers.
        size: u64,
    },
    /// The log has signed two checkpoints that cannot both be true.
    #[error(
        "the log was rewritten: it has signed checkpoints that contradict each other; this one is of {size} entries"
    )]
    Rewritten {
        /// Entries that the checkpoint covers.
        size: u64,
    },
    /// The log holds an event twice.
    #[error("the event {0} stands in the log twice")]
    Repeated(EventId),
    /// Events of the log that this node has not admitted.
    #[error("{} events of the log are not known here yet; send them and ask again", .0.len())]
    Unknown(Vec<EventId>),
    /// Events that the log should hold by now.
    #[error("the log lacks {} events that were admitted here over ten minutes ago; take them in first", .0.len())]
    Withheld(Vec<EventId>),
    /// The logs have too little in common.
    #[error("the two logs differ by too many events to be compared; let them exchange events first")]
    TooDifferent,
    /// Another state for the same entries.
    #[error("the entries of the log lead to another state root than the one that its checkpoint claims")]
    OtherState,
    /// This node's own map cannot be compared with now.
    #[error("this node's state map has not caught up; ask again")]
    Busy,
    /// This node cannot sign, or not now.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Witness {
    /// The cosignature line for a checkpoint of a log whose entries were read up to exactly its size. The same
    /// note gets the same line again.
    pub async fn cosign(&self, note: &str) -> Result<String, CosignRefusal> {
        // Whatever is admitted by now is then in the map with which the log is compared.
        self.0.cut().await?;
        let (witness, note) = (self.clone(), note.to_owned());
        let judged = tokio::task::spawn_blocking(move || witness.judge(&note)).await;
        judged.map_err(|_| CosignRefusal::Busy)?
    }

    fn judge(&self, note: &str) -> Result<String, CosignRefusal> {
        let _turn = self.0.lock_witnessed();
        let signer = self.0.log_signer().ok_or(LogError::NoKey)?;
        let note = Note::parse(note).map_err(CheckpointError::from)?;
        let network = self.0.network().id();
        let origin = Checkpoint::parse(note.text())?.origin.parse::<LogOrigin>();
        let log = origin.ok().filter(|origin| origin.network == network).ok_or(CosignRefusal::OtherNetwork)?.key;
        if log == signer.key() {
            return Err(CosignRefusal::OwnLog);
        }
        if node_of_log(self.0.reader(), &log)?.is_none() {
            return Err(CosignRefusal::UnknownLog(log));
        }
        let checkpoint = Checkpoint::of_note(&note, &log)?;
        let size = checkpoint.size;

        let store = self.0.reader().store();
        let mut row = store.get::<Witnessed>(&log)?.unwrap_or_default();
        if self.contradicts_itself(&log)? {
            return Err(CosignRefusal::Rewritten { size });
        }
        if let Some(cosigned) = &row.cosigned {
            let earlier = Note::parse(&cosigned.note).map_err(CheckpointError::from)?;
            if earlier.text() == note.text() {
                return Ok(cosigned.line.clone());
            }
            if size < cosigned.size {
                return Err(CosignRefusal::Older { size, cosigned: cosigned.size });
            }
            if let Some(proof) = Contradiction::of_one_size(&cosigned.note, &note.to_string(), &log)? {
                self.keep_proof(&log, &proof)?;
                return Err(CosignRefusal::Rewritten { size });
            }
        }
        if row.next != size {
            return Err(CosignRefusal::NotRead { size, next: row.next });
        }
        if frontier(&row)?.root() != checkpoint.root {
            // Nobody signed the entries: whoever sent them may have lied, so they prove nothing against the log.
            self.forget_entries(&log)?;
            return Err(CosignRefusal::OtherEntries { size });
        }
        if self.state_of(&log, &mut row)? != checkpoint.state_root {
            return Err(CosignRefusal::OtherState);
        }
        let own = LogOrigin { network, key: signer.key() };
        let line = cosign(note.text(), &own, self.0.now_ms() / 1_000, |text| signer.sign(text)).to_string();
        let root = ByteArray::from(checkpoint.root);
        row.cosigned = Some(CosignedRow { size, root, note: note.to_string(), line: line.clone() });
        let mut batch = store.batch();
        batch.put::<Witnessed>(&log, &row);
        // What was once said is never forgotten.
        batch.commit_synced()?;
        Ok(line)
    }

    /// The state root for exactly the entries that were read of a log.
    fn state_of(&self, log: &PublicKey, row: &mut WitnessedRow) -> Result<Hash, CosignRefusal> {
        for _ in 0..ATTEMPTS {
            if let Some(root) = self.try_state_of(log, row)? {
                return Ok(root);
            }
        }
        Err(CosignRefusal::Busy)
    }

    /// Compares with the newest version of this node's map; nothing if that changed meanwhile.
    fn try_state_of(&self, log: &PublicKey, row: &mut WitnessedRow) -> Result<Option<Hash>, CosignRefusal> {
        let store = self.0.reader().store();
        let version = Version::newest(store)?.filter(|version| version.size >= row.own).ok_or(CosignRefusal::Busy)?;
        while row.own < version.size {
            let mut batch = store.batch();
            let ours = self.own_entries(row, OBSERVED_AT_ONCE)?;
            if ours.is_empty() {
                break;
            }
            difference::toggle(store, &mut batch, log, &[], &ours).map_err(|error| match error {
                difference::ToggleError::Repeated(id) => CosignRefusal::Repeated(id),
                difference::ToggleError::Store(error) => error.into(),
            })?;
            batch.put::<Witnessed>(log, row);
            batch.commit()?;
        }
        let difference = difference::read(store, log)?.ok_or(CosignRefusal::TooDifferent)?;
        self.check_theirs(difference.theirs, row.own)?;
        let due = size_before(store, self.0.now_ms().saturating_sub(GRACE_MS))?;
        let withheld: Vec<_> = difference.ours.iter().filter(|(_, index)| *index < due).map(|(id, _)| *id).collect();
        if !withheld.is_empty() {
            return Err(CosignRefusal::Withheld(withheld.into_iter().take(NAMED).collect()));
        }
        if self.decide_about_others(difference.ours.iter().map(|(id, _)| *id))? {
            return Err(CosignRefusal::Busy);
        }
        let root = self.root_without(version, difference.ours.into_iter().map(|(id, _)| id));
        // Pages and tips are those of the newest version only as long as there is no newer one.
        if row.own != version.size || Version::newest(store)? != Some(version) { Ok(None) } else { Ok(Some(root?)) }
    }

    /// Whether any of these events ends a key, amends the network or decides: then what counts in the other log cannot
    /// be told from what counts here. It can be again as soon as that log holds them too.
    fn decide_about_others(&self, ids: impl Iterator<Item = EventId>) -> Result<bool, StoreError> {
        for id in ids {
            let stored = self.0.reader().stored(&id)?;
            if stored.is_some_and(|stored| reach(&stored.judged) == Reach::Others) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// There must be none: what only the other log has is not known here, or came twice.
    fn check_theirs(&self, theirs: Vec<EventId>, own: u64) -> Result<(), CosignRefusal> {
        for id in &theirs {
            if self.0.reader().stored(id)?.is_some_and(|stored| stored.index.is_some_and(|index| index < own)) {
                return Err(CosignRefusal::Repeated(*id));
            }
        }
        if theirs.is_empty() {
            return Ok(());
        }
        Err(CosignRefusal::Unknown(theirs.into_iter().take(NAMED).collect()))
    }

    /// The state root of a version without some of its events: an overlay that is thrown away.
    fn root_without(&self, version: Version, removed: impl Iterator<Item = EventId>) -> Result<Hash, StoreError> {
        let reader = self.0.reader();
        let mut touching: BTreeMap<SubjectId, BTreeSet<EventId>> = BTreeMap::new();
        for id in removed {
            let Some(stored) = reader.stored(&id)? else { continue };
            let event = &stored.judged.event;
            for subject in (0..event.payload().touches.len()).filter_map(|at| event.subject(at)) {
                touching.entry(subject).or_default().insert(id);
            }
        }
        let mut changes = BTreeMap::new();
        for (subject, removed) in touching {
            let tips = reader.store().get::<MapTips>(&subject)?.unwrap_or_default();
            changes.insert(subject, digest(&without(reader, &subject, tips, &removed, version.size)?));
        }
        let overlay = update(version.root, &changes, version.size + 1, &StoredPages(reader.store()));
        Ok(overlay.map_err(unreadable)?.root_hash())
    }
}
