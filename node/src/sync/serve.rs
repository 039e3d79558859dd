//! Answering peers: greetings and openings here, and what the ledger alone can answer by [`replication::answer`].

use super::catch_up::Input;
use super::{Shared, openings};
use crate::recovery;
use p2p::{PeerId, Request, Responder, Response};
use std::sync::Arc;

/// Answers one request; without an answer the peer asks again later, or another peer.
pub(super) async fn answer(shared: Arc<Shared>, from: PeerId, request: Request, reply: Responder) {
    let response = match request {
        Request::Hello(greeting) => {
            let greeted = Response::Hello(shared.greeting());
            let _ = shared.inputs.send(Input::Greeted(from, greeting)).await;
            Ok(Ok(Some(greeted)))
        }
        Request::Openings { events } => {
            let (shared, from) = (shared.clone(), from);
            tokio::task::spawn_blocking(move || openings::answer(&shared, &from, events).map(Some)).await
        }
        // Anchors are not passed on yet: this node has none to show.
        Request::Anchor { .. } => Ok(Ok(Some(Response::Anchor { anchor: None }))),
        request @ (Request::KeptLog { .. } | Request::Journals { .. }) => {
            let ledger = shared.ledger.clone();
            tokio::task::spawn_blocking(move || recovery::answer(&ledger, request).transpose()).await
        }
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
