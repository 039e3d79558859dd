//! A node that was restored from a backup finds out what it did since.
//!
//! First the log (`log`): enrolled peers have kept the order of its entries and its newest checkpoint. The node asks more
//! than half of them and the chain (`anchored`), appends exactly the entries that it lacks, and signs again only when its
//! log is complete. `decide` holds the rules for that, without any network. Where the entries cannot be had, the node waits for somebody who has
//! them, until its operator has it open a new log key; the old log is then never signed again, and `announce` tells the
//! network of the new one.
//!
//! Then the journals (`journals`): a key that is kept here signs again once peers confirm where its journal ends.
//!
//! `serve` is the other side: what this node knows of the logs and keys of others.
//!
//! **Invariant:** while the ledger is marked as restored, nothing is signed with the log's key, and nothing is appended but
//! the log's own old entries.

mod anchored;
mod announce;
mod decide;
mod journals;
mod log;
mod serve;

pub(crate) use anchored::Anchored;
pub(crate) use announce::announce;
pub(crate) use journals::confirm;
pub(crate) use log::{Recovery, replace_log_key, settle};
pub(crate) use serve::answer;

use p2p::{Handle, PeerId, Request, RequestError, Response};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often peers are asked, while something is not known.
const EVERY: Duration = Duration::from_secs(2);

/// Keys of this node, by which its recovery was begun; shared with whoever makes keys for members.
pub(crate) type SharedKeystore = Arc<Mutex<crate::keystore::Keystore>>;

/// What a recovery is doing, in a sentence for its operator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<String>>);

impl Progress {
    /// What it is doing now.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, text: impl Into<String>) {
        let text = text.into();
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), text.clone());
        if before != text {
            tracing::info!("recovery: {text}");
        }
    }
}

/// Asks, and waits where this node has asked for too much at once.
async fn ask(network: &Handle, peer: &PeerId, request: Request) -> Result<Response, RequestError> {
    loop {
        match network.request(peer, request.clone()).await {
            Err(RequestError::Busy) => tokio::time::sleep(Duration::from_millis(100)).await,
            answer => return answer,
        }
    }
}
