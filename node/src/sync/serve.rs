//! Answering peers: greetings, pages of the log, and events.

use super::{Shared, openings};
use crate::recovery;
use ledger::Ledger;
use p2p::{PeerId, Request, Responder, Response};
use provenance::id::EventId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::StoreError;

/// Answers one request; without an answer the peer asks again later, or another peer.
pub(super) async fn answer(shared: Arc<Shared>, from: PeerId, request: Request, reply: Responder) {
    let response = match request {
        Request::Hello(greeting) => {
            let greeted = Response::Hello(shared.greeting());
            if greeting.log_size > followed(&shared, &from) {
                shared.wake(&from);
            }
            Ok(Ok(greeted))
        }
        Request::LogPage { from, max } => {
            let ledger = shared.ledger.clone();
            tokio::task::spawn_blocking(move || page(&ledger, from, max as usize)).await
        }
        Request::Bodies { ids } => {
            let ledger = shared.ledger.clone();
            tokio::task::spawn_blocking(move || bodies(&ledger, ids)).await
        }
        Request::Openings { events } => {
            let (shared, from) = (shared.clone(), from);
            tokio::task::spawn_blocking(move || openings::answer(&shared, &from, events)).await
        }
        // Anchors are not passed on yet: this node has none to show.
        Request::Anchor { .. } => Ok(Ok(Response::Anchor { anchor: None })),
        request @ (Request::KeptLog { .. } | Request::Journals { .. }) => {
            let ledger = shared.ledger.clone();
            match tokio::task::spawn_blocking(move || recovery::answer(&ledger, request)).await {
                Ok(Some(response)) => Ok(response),
                Ok(None) => return,
                Err(error) => Err(error),
            }
        }
        // Has its own places, because it may take long.
        Request::Cosign { .. } => return,
    };
    match response {
        Ok(Ok(response)) => {
            if let Err(error) = reply.send(response).await {
                tracing::error!(%error, "an answer to a peer was too long");
            }
        }
        Ok(Err(error)) => tracing::warn!(peer = %from, %error, "a peer's question cannot be answered"),
        Err(error) => tracing::error!(%error, "answering a peer failed"),
    }
}

/// Ids of the durable log only.
fn page(ledger: &Ledger, from: u64, max: usize) -> Result<Response, StoreError> {
    let log_size = ledger.size();
    let most = usize::try_from(log_size.saturating_sub(from)).unwrap_or(usize::MAX).min(max);
    Ok(Response::LogPage { log_size, ids: ledger.reader().log_ids(from, most)? })
}

/// As many of these events as fit in one answer. An unreadable one fails the whole answer: to say that
/// it is not here would be a lie.
fn bodies(ledger: &Ledger, ids: Vec<EventId>) -> Result<Response, StoreError> {
    let mut failed = None;
    let body = |id| match ledger.reader().stored(&id) {
        Ok(stored) => Some(stored.map(|stored| stored.judged.event.bytes().to_vec())),
        Err(error) => {
            failed = Some(error);
            None
        }
    };
    let response = Response::fitting(ids.into_iter().map_while(body));
    failed.map_or(Ok(response), Err)
}

fn followed(shared: &Shared, peer: &PeerId) -> u64 {
    let peers = shared.peers();
    peers.get(peer).map_or(0, |followed| followed.size.load(Ordering::Relaxed))
}
