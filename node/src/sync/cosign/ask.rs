//! Asking peers to cosign this node's checkpoints.

use super::super::Shared;
use super::Reason;
use anchoring::AnchorStatus;
use p2p::{Misbehaviour, PeerId, Request, RequestError, Response};
use provenance::checkpoint::Checkpoint;
use provenance::id::EventId;
use provenance::note::Note;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often peers are asked at most. A busy log has a new checkpoint every second, and nobody needs each of them
/// cosigned; every one that is costs a peer some milliseconds.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// Asks all connected nodes to cosign the newest checkpoint every ten seconds, and that of each anchor at once, until
/// the network ends.
pub(in super::super) async fn run(shared: Arc<Shared>, mut anchors: watch::Receiver<AnchorStatus>) {
    let mut anchored = None;
    let mut next = tokio::time::interval(ASK_EVERY);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let note = tokio::select! {
            _ = next.tick() => newest(&shared).await,
            Ok(()) = anchors.changed() => {
                let size = anchors.borrow_and_update().in_flight.as_ref().map(|anchor| anchor.content.size);
                if size == anchored {
                    continue;
                }
                anchored = size;
                match size {
                    Some(size) => checkpoint_at(&shared, size).await,
                    None => continue,
                }
            }
        };
        if let Some((size, note)) = note {
            ask_all(&shared, size, &note).await;
        }
    }
}

/// Asks every node that has not cosigned this size yet, all at the same time: one that is slow delays nobody.
async fn ask_all(shared: &Arc<Shared>, size: u64, note: &str) {
    let mut asking = JoinSet::new();
    for peer in shared.peers() {
        if shared.cosigning.cosigned_by(&peer).is_some_and(|cosigned| cosigned >= size) {
            continue;
        }
        let (shared, note) = (shared.clone(), note.to_owned());
        asking.spawn(async move { ask(&shared, peer, size, note).await });
    }
    while asking.join_next().await.is_some() {}
}

async fn ask(shared: &Arc<Shared>, peer: PeerId, size: u64, note: String) {
    let (now, who) = (shared.clone(), peer);
    let enrolled = tokio::task::spawn_blocking(move || now.nodes.actors(&who)).await;
    if !matches!(enrolled, Ok(Ok(actors)) if !actors.is_empty()) {
        return;
    }
    match shared.network.request(&peer, Request::Cosign { note }).await {
        Ok(Response::Cosigned { line }) => keep(shared, peer, size, line).await,
        Ok(Response::CosignRefused { reason, missing }) => refused(shared, &peer, size, reason, &missing),
        // An answer of another kind does not come through.
        Ok(_) | Err(RequestError::Stopped(_)) => {}
        Err(error) => tracing::debug!(%peer, %error, "a peer was asked in vain to cosign"),
    }
}

async fn keep(shared: &Arc<Shared>, peer: PeerId, size: u64, line: String) {
    let ledger = shared.ledger.clone();
    let added = tokio::task::spawn_blocking(move || ledger.add_cosignature(size, &line)).await;
    match added {
        Ok(Ok(())) => {
            tracing::debug!(%peer, size, "a peer has cosigned the log");
            shared.cosigning.change(&peer, |known| {
                known.cosigned_by = known.cosigned_by.max(Some(size));
                known.refused_there = None;
            });
        }
        Err(_) | Ok(Err(ledger::AddCosignatureError::NoCheckpoint(_) | ledger::AddCosignatureError::TooMany)) => {}
        Ok(Err(ledger::AddCosignatureError::Store(error))) => tracing::warn!(%error, "a cosignature cannot be kept"),
        Ok(Err(error)) => {
            tracing::warn!(%peer, %error, "a peer sent a cosignature that does not hold");
            let _ = shared.network.penalise(&peer, Misbehaviour::WrongAnswer).await;
        }
    }
}

fn refused(shared: &Shared, peer: &PeerId, size: u64, code: u32, missing: &[EventId]) {
    let name = Reason::name_of(code);
    if code == Reason::Behind as u32 {
        tracing::debug!(%peer, size, "a peer does not cosign yet");
    } else {
        tracing::warn!(%peer, size, reason = name, ?missing, "a peer refuses to cosign the log");
    }
    if code == Reason::UnknownEvents as u32 {
        // It fetches what it lacks when it looks at this node's log again, which a greeting of ours makes it do.
        shared.wake(peer);
    }
    shared.cosigning.change(peer, |known| known.refused_there = Some(name));
}

/// Size and note of the newest checkpoint, if there is one.
async fn newest(shared: &Arc<Shared>) -> Option<(u64, String)> {
    let ledger = shared.ledger.clone();
    let note = tokio::task::spawn_blocking(move || ledger.checkpoint()).await.ok()?.ok()?;
    let size = Note::parse(&note).ok().and_then(|note| Checkpoint::parse(note.text()).ok())?.size;
    // The network alone is not worth a signature.
    (size > 1).then(|| (size, note.to_string()))
}

async fn checkpoint_at(shared: &Arc<Shared>, size: u64) -> Option<(u64, String)> {
    let ledger = shared.ledger.clone();
    let note = tokio::task::spawn_blocking(move || ledger.checkpoint_at(size)).await.ok()?.ok()??;
    Some((size, note.to_string()))
}
