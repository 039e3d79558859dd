//! The corpus: a season of a region's cooperatives as signed events, in the order in which a node gets them.
//!
//! It is the same on every machine, to the byte, so that figures can be compared; made once and kept in a file, because
//! signing takes longer than most of what is measured. Neither making nor reading it keeps more than some batches in memory.

mod actor;
mod file;
mod lot;
mod season;
mod singles;

pub use singles::Singles;

use provenance::body::Body;
use provenance::event::SignedEvent;
use provenance::id::SubjectId;
use provenance::network::Network;
use std::path::{Path, PathBuf};

/// Raised when the same number of events would be others, so that old files are made again.
const VERSION: u32 = 1;

/// Events in memory while lots are looked for.
const LOOKED_THROUGH: usize = 1_024;

/// Signed events in a file.
#[derive(Debug)]
pub struct Corpus {
    path: PathBuf,
    network: Network,
    events: u64,
}

impl Corpus {
    /// A corpus of so many events, from the folder `cache` or made there.
    pub fn cached(cache: &Path, events: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(cache)?;
        let path = cache.join(format!("corpus-{VERSION}-{events}.events"));
        let mut season = season::Season::new(events);
        let network = season.network().clone();
        if !path.exists() {
            eprintln!("signing {events} events, once");
            let mut writer = file::Writer::create(&path)?;
            while let Some(wave) = season.next_wave()? {
                writer.write(&wave)?;
            }
            writer.finish()?;
        }
        Ok(Self { path, network, events })
    }

    /// The network of the events.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.events
    }

    /// Some lots that are registered among the first `size` events: at most `count`, evenly spread.
    pub fn lots(&self, size: u64, count: u64) -> anyhow::Result<Vec<SubjectId>> {
        let (apart, mut lots, mut at) = ((size / count).max(1), Vec::new(), 0);
        for batch in self.batches(LOOKED_THROUGH)? {
            for event in batch? {
                at += 1;
                if at > size {
                    return Ok(lots);
                }
                // One in ten is a registration, so the next one is near.
                if at / apart >= lots.len() as u64 {
                    let event = SignedEvent::decode(event)?;
                    let is_lot = matches!(event.payload().body, Body::ProduceRegistered(_));
                    lots.extend(is_lot.then(|| event.id().subject(0)));
                }
            }
        }
        Ok(lots)
    }

    /// The events in their order, so many at a time.
    pub fn batches(&self, size: usize) -> std::io::Result<file::Batches> {
        file::Batches::open(&self.path, size)
    }
}
