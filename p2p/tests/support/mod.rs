//! Real nodes on 127.0.0.1 for the tests of this crate.

// Each test program uses a part of this.
#![allow(dead_code)]

pub(crate) mod hostile;

use p2p::{Config, Handle, Incoming, NetworkStatus, PeerId, start};
use provenance::id::NetworkId;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// No test waits longer than this for anything. It is no measure of speed, only an end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running node; it is told to stop when dropped.
pub(crate) struct Node {
    pub(crate) handle: Handle,
    pub(crate) incoming: mpsc::Receiver<Incoming>,
    pub(crate) address: String,
    cancel: DropGuard,
}

/// The network of the tests.
pub(crate) fn network() -> NetworkId {
    NetworkId::from_bytes([42; 32])
}

/// A node's configuration: only 127.0.0.1, TCP, any free port.
pub(crate) fn config(seed: u8) -> Config {
    Config { listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()], ..Config::new([seed; 32].into(), network()) }
}

/// A node that dials `bootstrap`.
pub(crate) async fn node(seed: u8, bootstrap: &[&str]) -> Node {
    let bootstrap = bootstrap.iter().map(|&address| address.to_owned()).collect();
    run(Config { bootstrap, ..config(seed) }).await
}

/// A node with this configuration.
pub(crate) async fn run(config: Config) -> Node {
    let cancel = CancellationToken::new();
    let (handle, incoming) = start(config, cancel.clone()).await.expect("the node starts");
    let address = handle.listen_addresses().await.expect("the node runs").remove(0);
    Node { handle, incoming, address, cancel: cancel.drop_guard() }
}

impl Node {
    pub(crate) fn id(&self) -> PeerId {
        self.handle.local_peer()
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Incoming {
        soon(self.incoming.recv()).await.expect("the node runs")
    }

    /// Waits until this peer is connected.
    pub(crate) async fn connected(&mut self, peer: PeerId) {
        while !matches!(self.next().await, Incoming::Connected(other) if other == peer) {}
    }

    /// Waits until this peer is gone.
    pub(crate) async fn disconnected(&mut self, peer: PeerId) {
        while !matches!(self.next().await, Incoming::Disconnected(other) if other == peer) {}
    }

    /// Waits until the network stands like that.
    pub(crate) async fn stands(&self, like: impl Fn(&NetworkStatus) -> bool) {
        until(async || like(&self.handle.status()).then_some(())).await;
    }

    /// Stops the node and waits until all of it has ended.
    pub(crate) async fn stop(self) {
        drop(self.cancel);
        soon(self.handle.stopped()).await;
    }
}

/// The outcome, which must come.
pub(crate) async fn soon<T>(outcome: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, outcome).await.expect("it happens within the tests' patience")
}

/// A TCP port that is free now.
pub(crate) fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    socket.local_addr().expect("it is bound").port()
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    soon(async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}
