//! Gossiping what this node admits itself, as soon as it is on the disk.

use super::Shared;
use std::sync::Arc;
use store::StoreError;

/// Events in one call: a few gossip messages.
const EVENTS_AT_ONCE: usize = 256;

/// More new entries than this are no news but bulk, which peers fetch from the log at their own pace.
const MOST_NEWS: u64 = 16_384;

/// Publishes new entries of the log that did not come from peers, until the network ends.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut size = shared.ledger.watch_size();
    let mut next = *size.borrow_and_update();
    while size.changed().await.is_ok() {
        let end = *size.borrow_and_update();
        next = next.max(end.saturating_sub(MOST_NEWS));
        while next < end {
            let count = usize::try_from(end - next).unwrap_or(usize::MAX).min(EVENTS_AT_ONCE);
            let (reading, from) = (shared.clone(), next);
            let read = tokio::task::spawn_blocking(move || read(&reading, from, count)).await;
            let Ok(Ok(news)) = read else {
                // Peers find them in the log; news are for speed only.
                tracing::warn!("new events cannot be read for publishing");
                break;
            };
            next += count as u64;
            if !news.is_empty() && shared.network.publish(&news).await.is_err() {
                return;
            }
        }
        next = end;
    }
}

/// The signed bytes of these entries, but of none that came from a peer.
fn read(shared: &Shared, from: u64, count: usize) -> Result<Vec<Vec<u8>>, StoreError> {
    let reader = shared.ledger.reader();
    let mut own = reader.log_ids(from, count)?;
    own.retain(|id| !shared.received.contains(id));
    Ok(reader.bytes(&own)?.into_iter().flatten().collect())
}
