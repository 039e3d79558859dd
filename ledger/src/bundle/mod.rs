//! Making bundles: all that verifies the history of one lot, as of one of the log's checkpoints.

mod collect;
mod prove;
mod survivals;

use crate::ledger::Ledger;
use crate::log::LogError;
use crate::map::Version;
use crate::reader::Stored;
use collect::Collected;
use provenance::bundle::{Bundle, OpenedField};
use provenance::evidence::ProvenLine;
use provenance::id::{EventId, SubjectId};
use provenance::seal::Opening;
use std::sync::Arc;
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
    /// The one with the best witnesses that misses nothing of the lot: the newest that is anchored, else the
    /// newest that is cosigned, else the newest.
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
    /// The state map's version was removed while the bundle was made.
    #[error("the checkpoint was given up while the bundle was made; ask again")]
    Pruned,
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
        match self.make(request, sources) {
            // What was chosen can be pruned meanwhile, the newest checkpoint not so soon.
            Err(MakeError::Pruned) if request.as_of == AsOf::Best => {
                self.make(&BundleRequest { as_of: AsOf::Newest, ..request.clone() }, sources)
            }
            made => made,
        }
    }

    fn make(&self, request: &BundleRequest, sources: &impl BundleSources) -> Result<Bundle, MakeError> {
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
            left_out: left_out(request, &collected),
            survivals: collected.survivals,
        })
    }

    /// What belongs to the lot, as of the checkpoint that is asked for.
    fn choose(&self, request: &BundleRequest, sources: &impl BundleSources) -> Result<Collected, MakeError> {
        let at = |size: u64| -> Result<Collected, MakeError> {
            let note = self.provable(size)?.ok_or(MakeError::NoCheckpoint)?;
            self.collect(request, &note)
        };
        let anchored = |below: u64| -> Option<u64> {
            let lines = sources.anchors(&[], &[], below);
            lines.iter().filter_map(|line| Some(line.anchors.last()?.words.size)).max()
        };
        let cosigned = || -> Result<Option<u64>, MakeError> { Ok(self.cosigned_checkpoint()?.map(|(size, _)| size)) };
        match request.as_of {
            AsOf::Newest => self.collect(request, &self.checkpoint()?),
            AsOf::Size(size) => at(size),
            AsOf::Cosigned => at(cosigned()?.ok_or(MakeError::NoCheckpoint)?),
            AsOf::Anchored => at(anchored(self.size()).ok_or(MakeError::NoCheckpoint)?),
            AsOf::Best => {
                let newest = self.collect(request, &self.checkpoint()?)?;
                for size in anchored(newest.size).into_iter().chain(cosigned()?) {
                    if size > newest.last_index() && size < newest.size && self.provable(size)?.is_some() {
                        return at(size);
                    }
                }
                Ok(newest)
            }
        }
    }

    /// The checkpoint of `size` entries, where the state map is still kept as of it.
    fn provable(&self, size: u64) -> Result<Option<Arc<str>>, StoreError> {
        if Version::at(self.reader().store(), size)?.is_none() {
            return Ok(None);
        }
        self.checkpoint_at(size)
    }
}

/// A bundle of a lot that was taken from no other leaves nothing out, and so is no shallow one.
fn left_out(request: &BundleRequest, collected: &Collected) -> Option<Vec<SubjectId>> {
    let lots: Vec<SubjectId> = collected.scope.left_out.iter().copied().collect();
    (request.shallow && !lots.is_empty()).then_some(lots)
}
