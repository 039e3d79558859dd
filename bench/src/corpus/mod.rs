//! The corpus: a season of a region's cooperatives as signed events, in the order in which a node gets them.
//!
//! It is the same on every machine, to the byte, so that figures can be compared; made once and kept in a file, because
//! signing takes longer than most of what is measured. Neither making nor reading it keeps more than some batches in memory.

mod actor;
mod file;
mod lot;
mod season;

use provenance::network::Network;
use std::path::{Path, PathBuf};

/// Raised when the same number of events would be others, so that old files are made again.
const VERSION: u32 = 1;

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

    /// The events in their order, so many at a time.
    pub fn batches(&self, size: usize) -> std::io::Result<file::Batches> {
        file::Batches::open(&self.path, size)
    }
}
