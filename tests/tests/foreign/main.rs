//! Foreign judges: libraries that have nothing to do with Furrow accept its proofs, and refuse tampered ones.

// A failed step is a failed test.
#![allow(clippy::unwrap_used)]

mod cose;
mod judge;
mod storage;
mod tiles;

use end_to_end::node::Node;
use end_to_end::wait::until;

/// The newest checkpoint as soon as it covers the whole log.
async fn whole_checkpoint(node: &Node) -> String {
    until("the checkpoint covers the log", async || {
        let note = node.client.read("/log/checkpoint").await.text();
        let size: u64 = note.lines().nth(1)?.parse().ok()?;
        (size == node.log_size().await).then_some(note)
    })
    .await
}
