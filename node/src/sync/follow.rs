//! Following a connected peer's log: from the cursor to its end, again and again.

use super::Shared;
use super::cursor::{Cursor, MAX_GAPS};
use super::fetch::{self, Fetched};
use ledger::Ledger;
use p2p::message::MAX_PAGE_IDS;
use p2p::{Greeting, Misbehaviour, PeerId, Request, RequestError, Response};
use provenance::id::{EventId, PublicKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::StoreError;
use tokio::sync::Notify;

/// How often a peer is greeted. Idle nodes find within this time what gossip lost.
const HELLO_EVERY: Duration = Duration::from_secs(2);

/// Rounds are at least so far apart, however often peers wake each other: gossip is there for speed.
const ROUNDS_APART: Duration = Duration::from_millis(200);

/// Why a round ended before the log's end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interruption {
    /// No answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The peer said something that cannot be; it was penalised.
    #[error("the peer {0}")]
    Misbehaved(&'static str),
    /// An entry cannot be judged yet.
    #[error("entry {0} of the peer's log cannot be judged yet")]
    Waiting(u64),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is stopping, or the disk is full.
    #[error("nothing can be written now")]
    Unwritable,
}

/// Greets the peer every two seconds, and reads its log where it has grown.
pub(super) async fn run(shared: Arc<Shared>, peer: PeerId, wake: Arc<Notify>, size: Arc<AtomicU64>) {
    let mut gaps_tried = false;
    loop {
        match round(&shared, &peer, &size, &mut gaps_tried).await {
            Ok(()) => {}
            Err(Interruption::Request(RequestError::Stopped(_))) => return,
            Err(interruption) => tracing::debug!(%peer, %interruption, "following a peer's log pauses"),
        }
        tokio::time::sleep(ROUNDS_APART).await;
        tokio::select! {
            () = tokio::time::sleep(HELLO_EVERY) => {}
            () = wake.notified() => {}
        }
    }
}

async fn round(shared: &Shared, peer: &PeerId, size: &AtomicU64, gaps_tried: &mut bool) -> Result<(), Interruption> {
    let Greeting { log, log_size, .. } = greet(shared, peer).await?;
    let mut cursor = load(&shared.ledger, log).await?;
    if !cursor.fits(log_size) {
        tracing::warn!(%peer, read = cursor.next, log_size, "a peer's log became shorter; reading it from its start");
        cursor = Cursor::default();
    }
    size.store(cursor.next, Ordering::Relaxed);
    if !*gaps_tried && !cursor.gaps.is_empty() {
        fill_gaps(shared, peer, &log, &mut cursor).await?;
    }
    *gaps_tried = true;
    let mut end = log_size;
    while cursor.next < end {
        end = page(shared, peer, &log, &mut cursor).await?;
        size.store(cursor.next, Ordering::Relaxed);
    }
    Ok(())
}

async fn greet(shared: &Shared, peer: &PeerId) -> Result<Greeting, Interruption> {
    match shared.network.request(peer, Request::Hello(shared.greeting())).await? {
        Response::Hello(greeting) => Ok(greeting),
        _ => Err(Interruption::Misbehaved("answered something else than a greeting")),
    }
}

/// Reads one page; returns how long the log is now.
async fn page(shared: &Shared, peer: &PeerId, log: &PublicKey, cursor: &mut Cursor) -> Result<u64, Interruption> {
    let request = Request::LogPage { from: cursor.page_start(), max: MAX_PAGE_IDS };
    let Response::LogPage { log_size, ids } = shared.network.request(peer, request).await? else {
        return Err(Interruption::Misbehaved("answered something else than a page"));
    };
    let Some((first, after)) = ids.split_first() else {
        return blame(shared, peer, "has no entry where its log should have one").await;
    };
    let fresh = match cursor.last {
        None if *first == shared.ledger.network().id().as_event() => &ids[..],
        None => return blame(shared, peer, "has a log that does not begin with the network").await,
        Some(last) if *first == last => after,
        Some(_) => {
            tracing::warn!(%peer, "a peer's log is another than before; reading it from its start");
            *cursor = Cursor::default();
            save(&shared.ledger, *log, cursor).await?;
            return Ok(log_size);
        }
    };
    if fresh.is_empty() {
        return if log_size > cursor.next {
            blame(shared, peer, "sent an empty page before its log's end").await
        } else {
            Ok(log_size)
        };
    }
    // The network's own entry is no event.
    let network = shared.ledger.network().id().as_event();
    let events: Vec<EventId> = fresh.iter().copied().filter(|id| *id != network).collect();
    let fetched = fetch::events(shared, peer, &events).await?;
    let passed = passable(fresh, &network, &fetched, cursor);
    let from = cursor.next;
    cursor.pass(&fresh[..passed]);
    keep(&shared.ledger, *log, from, &fresh[..passed]).await?;
    save(&shared.ledger, *log, cursor).await?;
    if passed < fresh.len() { Err(Interruption::Waiting(cursor.next)) } else { Ok(log_size.max(cursor.next)) }
}

/// Keeps the order of these entries for the log's owner.
async fn keep(ledger: &Ledger, log: PublicKey, from: u64, ids: &[EventId]) -> Result<(), Interruption> {
    let (witness, ids) = (ledger.witness(), ids.to_vec());
    let kept = tokio::task::spawn_blocking(move || witness.keep(&log, from, &ids)).await;
    Ok(kept.map_err(|_| Interruption::Unwritable)??)
}

/// How many entries the cursor may pass: up to the first that was not judged. What waits for an
/// upgrade and found no room is remembered as a gap.
fn passable(ids: &[EventId], network: &EventId, fetched: &Fetched, cursor: &mut Cursor) -> usize {
    for (index, id) in ids.iter().enumerate() {
        if id == network || fetched.judged.contains(id) {
            continue;
        }
        if !fetched.unsupported.contains(id) || cursor.gaps.len() >= MAX_GAPS {
            return index;
        }
        cursor.gaps.push(*id);
    }
    ids.len()
}

/// Asks once for each connection whether what was too new can be judged by now.
async fn fill_gaps(shared: &Shared, peer: &PeerId, log: &PublicKey, cursor: &mut Cursor) -> Result<(), Interruption> {
    let fetched = fetch::events(shared, peer, &cursor.gaps).await?;
    cursor.gaps.retain(|id| !fetched.judged.contains(id));
    save(&shared.ledger, *log, cursor).await
}

async fn blame<T>(shared: &Shared, peer: &PeerId, what: &'static str) -> Result<T, Interruption> {
    tracing::warn!(%peer, "a peer {what}");
    // Once the network has ended, there is nobody to blame.
    let _ = shared.network.penalise(peer, Misbehaviour::WrongAnswer).await;
    Err(Interruption::Misbehaved(what))
}

async fn load(ledger: &Ledger, log: PublicKey) -> Result<Cursor, Interruption> {
    let ledger = ledger.clone();
    let loaded = tokio::task::spawn_blocking(move || Cursor::load(&ledger, &log)).await;
    Ok(loaded.map_err(|_| Interruption::Unwritable)??)
}

async fn save(ledger: &Ledger, log: PublicKey, cursor: &Cursor) -> Result<(), Interruption> {
    let (ledger, cursor) = (ledger.clone(), cursor.clone());
    let saved = tokio::task::spawn_blocking(move || cursor.save(&ledger, &log)).await;
    Ok(saved.map_err(|_| Interruption::Unwritable)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stops_before_what_was_not_judged() {
        let ids: Vec<EventId> = (0..5_u8).map(|byte| EventId::from_bytes([byte; 32])).collect();
        let fetched = Fetched { judged: [ids[1], ids[2], ids[4]].into(), unsupported: [ids[3]].into() };
        let mut cursor = Cursor::default();
        assert_eq!(passable(&ids, &ids[0], &fetched, &mut cursor), 5);
        assert_eq!(cursor.gaps, [ids[3]]);
        let without = Fetched { unsupported: [].into(), ..fetched };
        assert_eq!(passable(&ids, &ids[0], &without, &mut Cursor::default()), 3);
    }

    #[test]
    fn gaps_are_bounded() {
        let ids = [EventId::from_bytes([1; 32])];
        let fetched = Fetched { judged: [].into(), unsupported: ids.into() };
        let mut cursor = Cursor { gaps: vec![ids[0]; MAX_GAPS], ..Cursor::default() };
        assert_eq!(passable(&ids, &EventId::from_bytes([0; 32]), &fetched, &mut cursor), 0);
    }
}
