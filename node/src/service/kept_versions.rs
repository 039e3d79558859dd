//! Keeping the versions of the state map that anchors stand for, so that bundles can be made as of them.

use anchoring::AnchorStatus;
use ledger::Ledger;
use std::collections::BTreeSet;
use tokio::sync::watch;

/// Tells the ledger again whenever an anchor is cut or settles, until anchoring ends.
pub(super) async fn run(ledger: Ledger, mut status: watch::Receiver<AnchorStatus>) {
    let mut told = None;
    loop {
        let sizes = wanted(&status.borrow_and_update());
        if told.as_ref() != Some(&sizes) {
            let (ledger, wanted) = (ledger.clone(), sizes.clone());
            match tokio::task::spawn_blocking(move || ledger.keep(&wanted)).await {
                Ok(Ok(())) => told = Some(sizes),
                // Told again with the next change; until then the newest versions are kept anyway.
                Ok(Err(error)) => tracing::warn!(%error, "the state map's versions of anchors may not be kept"),
                Err(_) => return,
            }
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// The newest anchor that is final, the newest that is deep enough, and the one on its way.
fn wanted(status: &AnchorStatus) -> BTreeSet<u64> {
    let on_its_way = status.in_flight.as_ref().map(|record| record.content.size);
    [status.final_size, status.anchored_size].into_iter().chain(on_its_way).filter(|size| *size > 0).collect()
}
