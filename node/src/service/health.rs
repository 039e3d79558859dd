//! What the program knows to be wrong with itself, beside ledger and anchoring.

use crate::recovery::Progress;
use crate::sync::Sync;
use api::Fault;
use ledger::{Contradicted, Ledger};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Below this the store soon cannot write; above it an operator still has time.
const LOW_BYTES: u64 = 512 * 1024 * 1024;

/// How often the disk is looked at: no node fills half a gigabyte faster.
const EVERY: Duration = Duration::from_secs(10);

/// Rewritten logs that are told: where there are more, these say enough.
const MOST_REWRITTEN: usize = 16;

/// Faults as they were found last, and what a restored node has still to find out.
#[derive(Debug, Clone)]
pub(super) struct Health {
    found: Arc<Mutex<Vec<Fault>>>,
    ledger: Ledger,
    recovery: Progress,
}

impl api::HealthView for Health {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let recovery = |detail, stops_writes| Fault { component: "recovery".to_owned(), detail, stops_writes };
        if self.ledger.restored().is_some() {
            let detail = format!("this node was restored from a backup: {}", self.recovery.text());
            faults.push(recovery(detail, true));
        }
        let unconfirmed = self.ledger.unconfirmed_journals();
        if let Some(first) = unconfirmed.first() {
            let detail = format!(
                "{} keys sign nothing until peers confirm where their journals end, the first of them {first}; connect the \
                 node with enrolled peers (where it knows none, set 'witnesses' under [recovery]), or see 'furrow key trust-journal --help'",
                unconfirmed.len()
            );
            faults.push(recovery(detail, false));
        }
        faults
    }
}

impl Health {
    /// Nothing is known yet.
    pub(super) fn new(ledger: Ledger, recovery: Progress) -> Self {
        Self { found: Arc::default(), ledger, recovery }
    }

    /// Looks at disk and network again and again, and at catching up where the node does.
    pub(super) async fn watch(self, folder: PathBuf, network: p2p::Handle, sync: Option<Sync>) {
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
            if let Some(told) = sync.as_ref().and_then(Sync::faults) {
                faults.push(Fault {
                    component: "replication".to_owned(),
                    detail: format!(
                        "catching up with other nodes was stopped by a fault of the program and begun again ({told}); \
                         report this with the node's log"
                    ),
                    stops_writes: false,
                });
            }
            faults.extend(rewritten_logs(&self.ledger));
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = faults;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = network.stopped(), if !network_ended => network_ended = true,
            }
        }
    }
}

/// Logs of other nodes that were rewritten, as long as an enrolled node names them for its own.
fn rewritten_logs(ledger: &Ledger) -> Vec<Fault> {
    let rewritten = |log: Contradicted| {
        let node = log.node?;
        Some(Fault {
            component: "replication".to_owned(),
            detail: format!(
                "the node {node} has rewritten its log, which is not followed any more; see 'furrow log contradictions', and \
                 talk to its operator and to the others of the network"
            ),
            stops_writes: false,
        })
    };
    match ledger.witness().contradictions() {
        Ok(found) => found.into_iter().filter_map(rewritten).take(MOST_REWRITTEN).collect(),
        // The ledger tells of a store that cannot be read.
        Err(_) => Vec::new(),
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
