//! A relay of TCP connections on the loopback: a wire that can be cut, slow, or far.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Bytes that are passed on at a time.
const PIECE: usize = 4 << 10;

/// Pieces that are on their way in each direction.
const PIECES: usize = 256;

/// What a wire is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Condition {
    whole: bool,
    bytes_per_s: Option<u64>,
    delay: Duration,
}

/// A wire to one address. It is gone when this is dropped.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    condition: Arc<watch::Sender<Condition>>,
    task: JoinHandle<()>,
}

impl Relay {
    /// A wire to whatever listens at `target`, such as `127.0.0.1:4874`, now or later.
    pub async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let condition = Condition { whole: true, bytes_per_s: None, delay: Duration::ZERO };
        let (condition, _) = watch::channel(condition);
        let condition = Arc::new(condition);
        let task = tokio::spawn(accept(listener, target.to_owned(), condition.clone()));
        Self { port, condition, task }
    }

    /// Where to dial.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Passes nothing on any more. Connections stay open, as with a pulled plug.
    pub fn cut(&self) {
        self.condition.send_modify(|condition| condition.whole = false);
    }

    /// Passes on what waits, and all that follows.
    pub fn mend(&self) {
        self.condition.send_modify(|condition| condition.whole = true);
    }

    /// Passes on so much and no more, each way of each connection, and everything as much later.
    pub fn slow(&self, bytes_per_s: u64, delay: Duration) {
        self.condition.send_modify(|condition| {
            condition.bytes_per_s = Some(bytes_per_s);
            condition.delay = delay;
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port that nobody uses now.
pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

async fn accept(listener: TcpListener, target: String, condition: Arc<watch::Sender<Condition>>) {
    // Aborting this task ends all connections with it.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let (target, mut condition) = (target.clone(), condition.subscribe());
        connections.spawn(async move {
            // Who is dialled through a cut wire does not hear of it.
            let _ = condition.wait_for(|condition| condition.whole).await;
            let Ok(far) = TcpStream::connect(target).await else { return };
            let ((near_out, near_in), (far_out, far_in)) = (near.into_split(), far.into_split());
            tokio::join!(pass(near_out, far_in, condition.clone()), pass(far_out, near_in, condition));
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Carries what is read on one side to the other, until either ends.
async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut condition: watch::Receiver<Condition>,
) {
    let (send, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let mut reading = condition.clone();
    let read = async move {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let Ok(now) = reading.wait_for(|condition| condition.whole).await.map(|condition| *condition) else {
                return;
            };
            if let Some(bytes_per_s) = now.bytes_per_s {
                tokio::time::sleep(Duration::from_micros(length as u64 * 1_000_000 / bytes_per_s)).await;
            }
            if send.send((Instant::now() + now.delay, piece[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = arriving.recv().await {
            tokio::time::sleep_until(due).await;
            if condition.wait_for(|condition| condition.whole).await.is_err() || to.write_all(&piece).await.is_err() {
                return;
            }
        }
        // Where the other end is gone already, there is nobody to tell.
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
