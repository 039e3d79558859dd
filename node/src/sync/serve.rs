//! Answering peers: greetings and openings here, and what the ledger alone can answer by [`replication::answer`].

use super::{Shared, openings};
use p2p::{PeerId, Request, Responder, Response};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Answers one request; without an answer the peer asks again later, or another peer.
pub(super) async fn answer(shared: Arc<Shared>, from: PeerId, request: Request, reply: Responder) {
    let response = match request {
        Request::Hello(greeting) => {
            let greeted = Response::Hello(shared.greeting());
            if greeting.log_size > followed(&shared, &from) {
                shared.wake(&from);
            }
            Ok(Ok(Some(greeted)))
        }
        Request::Openings { events } => {
            let (shared, from) = (shared.clone(), from);
            tokio::task::spawn_blocking(move || openings::answer(&shared, &from, events).map(Some)).await
        }
        // Anchors are not passed on yet: this node has none to show.
        Request::Anchor { .. } => Ok(Ok(Some(Response::Anchor { anchor: None }))),
        request => {
            let ledger = shared.ledger.clone();
            tokio::task::spawn_blocking(move || replication::answer(&ledger, &request)).await
        }
    };
    match response {
        Ok(Ok(Some(response))) => {
            if let Err(error) = reply.send(response).await {
                tracing::error!(%error, "an answer to a peer was too long");
            }
        }
        // A request to cosign has its own places, because it may take long.
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::warn!(peer = %from, %error, "a peer's question cannot be answered"),
        Err(error) => tracing::error!(%error, "answering a peer failed"),
    }
}

fn followed(shared: &Shared, peer: &PeerId) -> u64 {
    let peers = shared.peers();
    peers.get(peer).map_or(0, |followed| followed.size.load(Ordering::Relaxed))
}
