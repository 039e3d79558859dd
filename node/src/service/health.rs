//! What the program knows to be wrong with itself, beside ledger and anchoring.

use crate::sync::Sync;
use api::Fault;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Below this the store soon cannot write; above it an operator still has time.
const LOW_BYTES: u64 = 512 * 1024 * 1024;

/// How often the disk is looked at: no node fills half a gigabyte faster.
const EVERY: Duration = Duration::from_secs(10);

/// Faults as they were found last.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<Mutex<Vec<Fault>>>);

impl api::HealthView for Health {
    fn faults(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Health {
    /// Looks at disk, network and catching up again and again.
    pub(super) async fn watch(self, folder: PathBuf, network: p2p::Handle, sync: Sync) {
        let mut network_ended = false;
        loop {
            let mut faults: Vec<Fault> = disk(&folder).into_iter().collect();
            if network_ended {
                faults.push(Fault {
                    component: "network".to_owned(),
                    detail: "the connection to other nodes has ended; restart the node, and report this with its log"
                        .to_owned(),
                    stops_writes: false,
                });
            }
            if let Some(told) = sync.faults() {
                faults.push(Fault {
                    component: "replication".to_owned(),
                    detail: format!(
                        "catching up with other nodes was stopped by a fault of the program and begun again ({told}); \
                         report this with the node's log"
                    ),
                    stops_writes: false,
                });
            }
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = network.stopped(), if !network_ended => network_ended = true,
            }
        }
    }
}

fn disk(folder: &PathBuf) -> Option<Fault> {
    let space = rustix::fs::statvfs(folder).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    (free < LOW_BYTES).then(|| Fault {
        component: "disk".to_owned(),
        detail: format!(
            "only {} MiB are free on the disk of {}; make room before writing stops",
            free >> 20,
            folder.display()
        ),
        stops_writes: false,
    })
}
