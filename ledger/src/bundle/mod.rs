//! Making bundles: all that verifies the history of one lot, as of one of the log's checkpoints.

mod collect;
mod prove;

use crate::ledger::Ledger;
use crate::log::LogError;
use crate::reader::Stored;
use collect::Collected;
use provenance::bundle::{Bundle, OpenedField};
use provenance::evidence::ProvenLine;
use provenance::id::{EventId, SubjectId};
use provenance::seal::Opening;
use store::StoreError;

/// Which bundle is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRequest {
    /// The lot.
    pub lot: SubjectId,
    /// As of which checkpoint.
    pub as_of: AsOf,
    /// Whether the lots from which this one was taken are left out, but for what it rests on.
    pub shallow: bool,
}

/// A checkpoint of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsOf {
    /// The one with the best witnesses that misses nothing of the lot: anchored and cosigned, else
    /// anchored, else cosigned, else the newest.
    #[default]
    Best,
    /// The newest.
    Newest,
    /// The newest that another node has cosigned.
    Cosigned,
    /// The newest that is anchored for good.
    Anchored,
    /// That of exactly so many entries.
    Size(u64),
}

/// What a bundle takes from the rest of the node.
pub trait BundleSources {
    /// The node's own anchors: for each of the log's `entries` the oldest that covers it, those whose `commitments`
    /// events name, the newest of at most `size` entries, and what proves them.
    fn anchors(&self, entries: &[u64], commitments: &[[u8; 32]], size: u64) -> Vec<ProvenLine>;
    /// The openings of an event that are to be shown, by path.
    fn openings(&self, event: &EventId) -> Result<Vec<(Vec<u8>, Opening)>, MakeError>;
}

/// Why no bundle can be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Nobody registered it, as far as this node knows.
    #[error("this node knows no lot {0}; it may not have arrived yet")]
    UnknownLot(SubjectId),
    /// The lot is younger.
    #[error("the checkpoint of {size} entries does not know the lot yet; ask for a newer one")]
    TooOld {
        /// Which checkpoint.
        size: u64,
    },
    /// No such checkpoint.
    #[error("no checkpoint of this sort is kept; leave as_of out to get the best that there is")]
    NoCheckpoint,
    /// Without its enrolment nobody could know whose log it is.
    #[error("this node is not enrolled, so nobody can know its log; run `furrow actor enrol --this-node`")]
    NotEnrolled,
    /// More than a bundle holds.
    #[error("the lot rests on more than {0} events, which is more than a bundle can hold; ask for a shallow one")]
    TooLarge(usize),
    /// The checkpoint cannot be had.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Ledger {
    /// Makes the bundle of a lot. Reads only what belongs to it; blocks while it does.
    pub fn bundle(&self, request: &BundleRequest, sources: &impl BundleSources) -> Result<Bundle, MakeError> {
        if self.reader().origin(&request.lot)?.is_none() {
            return Err(MakeError::UnknownLot(request.lot));
        }
        let collected = self.choose(request, sources)?;
        let lines = self.anchor_lines(&collected, sources)?;
        let mut openings = Vec::new();
        for Stored { judged, .. } in collected.events() {
            let event = judged.event.id();
            let opened = sources.openings(&event)?.into_iter();
            openings.extend(opened.map(|(path, Opening { salt, value })| OpenedField { event, path, salt, value }));
        }
        openings.sort_by(|a, b| (a.event, &a.path).cmp(&(b.event, &b.path)));
        Ok(Bundle {
            network: self.network().clone(),
            lot: request.lot,
            entries: self.entries(&collected)?,
            subjects: self.subject_proofs(&collected)?,
            checkpoint: collected.note.to_string(),
            lines,
            openings,
            left_out: request.shallow.then(|| collected.scope.left_out.iter().copied().collect()),
        })
    }

    /// What belongs to the lot, as of the checkpoint that is asked for.
    fn choose(&self, request: &BundleRequest, sources: &impl BundleSources) -> Result<Collected, MakeError> {
        let newest = self.collect(request, &self.checkpoint()?)?;
        let anchored = || -> Option<u64> {
            let lines = sources.anchors(&[], &[], newest.size);
            lines.iter().filter_map(|line| Some(line.anchors.last()?.words.size)).max()
        };
        let cosigned = self.cosigned_checkpoint()?.map(|(size, _)| size);
        let wanted = match request.as_of {
            AsOf::Newest => return Ok(newest),
            AsOf::Size(size) => Some(size),
            AsOf::Cosigned => cosigned,
            AsOf::Anchored => anchored(),
            AsOf::Best => {
                let covers = |size: &u64| *size > newest.last_index();
                let best = anchored().filter(covers).or(cosigned.filter(covers)).unwrap_or(newest.size);
                let kept = self.checkpoint_at(best)?.is_some();
                Some(if kept { best } else { newest.size })
            }
        };
        let size = wanted.ok_or(MakeError::NoCheckpoint)?;
        if size == newest.size {
            return Ok(newest);
        }
        let note = self.checkpoint_at(size)?.ok_or(MakeError::NoCheckpoint)?;
        self.collect(request, &note)
    }
}
