//! A peer that is no node: it speaks the network's protocol, and says whatever the test wants.

use crate::wait::soon;
use ed25519_dalek::SigningKey;
use p2p::{Config, GossipVerdict, Greeting, Handle, Incoming, Request, Response};
use provenance::id::{EventId, NetworkId, PublicKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a peer claims to have in its log. Nothing of it need be true.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// The ids in its log, from the first one on.
    pub log: Vec<EventId>,
    /// What it answers when it is asked for an event.
    pub bodies: HashMap<EventId, Vec<u8>>,
}

/// A running peer; it stops when this is dropped.
#[derive(Debug)]
pub struct Peer {
    handle: Handle,
    connected: watch::Receiver<bool>,
    gossip: Arc<Mutex<Vec<Vec<u8>>>>,
    _stop: DropGuard,
}

impl Peer {
    /// A peer that stays connected with the node at `address` as far as that lets it.
    pub async fn start(seed: [u8; 32], network: NetworkId, address: &str, claims: Claims) -> Self {
        let config = Config {
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            bootstrap: vec![address.to_owned()],
            ..Config::new(seed.into(), network)
        };
        let stop = CancellationToken::new();
        let (handle, incoming) = p2p::start(config, stop.clone()).await.expect("the peer listens");
        let (tell, connected) = watch::channel(false);
        let gossip = Arc::default();
        let log = PublicKey::from_bytes(SigningKey::from_bytes(&seed).verifying_key().to_bytes());
        tokio::spawn(serve(handle.clone(), incoming, tell, Arc::clone(&gossip), log, claims));
        let mut peer = Self { handle, connected, gossip, _stop: stop.drop_guard() };
        soon("the peer is connected", peer.connected.wait_for(|connected| *connected)).await.expect("it runs");
        peer
    }

    /// Its name in the network.
    pub fn id(&self) -> String {
        self.handle.local_peer().to_string()
    }

    /// Gossips these bytes, all in one message, to whoever listens by now.
    pub async fn publish(&self, events: &[Vec<u8>]) {
        self.handle.publish(events).await.expect("the peer runs, and no event is too long");
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Waits until the node closes the connection.
    pub async fn cut_off(&self) {
        let mut connected = self.connected.clone();
        soon("the peer is cut off", connected.wait_for(|connected| !connected)).await.expect("it runs");
    }

    /// Gossips one piece of garbage after the other until the node closes the connection.
    pub async fn babble_until_cut_off(&self) {
        let babble = async {
            for number in 0_u32.. {
                self.publish(&[[&b"garbage "[..], &number.to_be_bytes()].concat()]).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = babble => unreachable!("it has no end"),
            () = self.cut_off() => {}
        }
    }

    /// Whether some node passed these bytes on to it.
    pub fn was_told(&self, event: &[u8]) -> bool {
        self.gossip.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|told| told == event)
    }
}

/// Answers as claimed, and remembers what is gossiped.
async fn serve(
    handle: Handle,
    mut incoming: mpsc::Receiver<Incoming>,
    connected: watch::Sender<bool>,
    gossip: Arc<Mutex<Vec<Vec<u8>>>>,
    log: PublicKey,
    claims: Claims,
) {
    let size = claims.log.len() as u64;
    while let Some(event) = incoming.recv().await {
        match event {
            Incoming::Connected(_) => drop(connected.send(true)),
            Incoming::Disconnected(_) => drop(connected.send(false)),
            Incoming::Gossip { id, events, .. } => {
                gossip.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
                let _ = handle.validated(id, GossipVerdict::Accept).await;
            }
            Incoming::Request { request, reply, .. } => {
                let response = match request {
                    Request::Hello(_) => {
                        Response::Hello(Greeting { log, log_size: size, program: "liar/1".to_owned() })
                    }
                    Request::LogPage { from, max } => {
                        let from = usize::try_from(from).unwrap_or(usize::MAX);
                        let ids = claims.log.iter().skip(from).take(max as usize).copied().collect();
                        Response::LogPage { log_size: size, ids }
                    }
                    Request::Bodies { ids } => Response::fitting(ids.iter().map(|id| claims.bodies.get(id).cloned())),
                    Request::Cosign { .. } => Response::CosignRefused { reason: 0, missing: Vec::new() },
                    Request::Openings { .. } => Response::Openings { openings: Vec::new() },
                    Request::Anchor { .. } => Response::Anchor { anchor: None },
                    Request::KeptLog { .. } => Response::KeptLog { next: 0, note: None, ids: Vec::new() },
                    Request::Journals { keys } => Response::Journals { ends: vec![Vec::new(); keys.len()] },
                    // It is a peer of an older version, with no map to compare.
                    Request::State => Response::Unsupported { kind: 6 },
                    Request::MapPages { .. } => Response::Unsupported { kind: 7 },
                    Request::Recent { .. } => Response::Unsupported { kind: 8 },
                    Request::Growth { .. } => Response::Growth { proof: None },
                    Request::Unknown { kind, .. } => Response::Unsupported { kind },
                };
                // Whoever asked may be gone.
                let _ = reply.send(response).await;
            }
        }
    }
}
