//! Completing the log of a restored node with the entries that it had appended since the backup.

use super::anchored::Anchored;
use super::decide::{Answer, Decision, Head, Lost, agreed, decide, needed};
use super::{EVERY, Progress, SharedKeystore, ask};
use crate::keystore::{Keystore, KeystoreError, Kind, LOG, Secret};
use crate::sync::Nodes;
use ledger::view::Views;
use ledger::{Ledger, LogError, Origin, Outcome, Restored, WriteError};
use p2p::message::{MAX_BODIES, MAX_PAGE_IDS};
use p2p::{GossipVerdict, Handle, Incoming, PeerId, Request, RequestError, Response};
use provenance::checkpoint::Checkpoint;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey};
use provenance::merkle::{Frontier, leaf_hash};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use store::StoreError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Once enough peers have answered, how long the others may still take: one of them may know of a newer checkpoint.
const STRAGGLERS: Duration = Duration::from_secs(5);

/// Entries that are appended with one write. The events that they rest on outside the log are remembered by the ledger
/// for as many.
const APPENDED_AT_ONCE: usize = 256;

/// Events outside the log that the entries of one write may rest on. An honest log needs a handful.
const MAX_ANCESTORS: usize = 256;

/// Entries that are recovered at most: their ids are all in memory, 32 bytes each, before any is appended. More than any
/// node keeps of another's log by default.
const MAX_ENTRIES: u64 = 1 << 24;

/// The recovery of a log, with all that it needs.
pub(crate) struct Recovery {
    /// Marked as restored.
    pub(crate) ledger: Ledger,
    pub(crate) network: Handle,
    pub(crate) keystore: SharedKeystore,
    /// Who must have answered; zero for more than half of the other enrolled nodes.
    pub(crate) witnesses: usize,
    /// Where the log is anchored, if it is.
    pub(crate) anchored: Option<Anchored>,
    /// After how long without success a new log key is made; never without.
    pub(crate) new_log_key_after: Option<Duration>,
    pub(crate) progress: Progress,
}

/// Why the recovery pauses.
#[derive(Debug, thiserror::Error)]
enum Pause {
    #[error("no answer from a peer: {0}")]
    Request(#[from] RequestError),
    #[error("the disk fails: {0}")]
    Store(#[from] StoreError),
    #[error("the log cannot be read: {0}")]
    Log(#[from] LogError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the keystore cannot be written: {0}")]
    Keystore(#[from] KeystoreError),
    #[error("{0}")]
    Lost(#[from] Lost),
    #[error(
        "nobody tells what of it was anchored last ({0}); correct rpc_urls under [anchoring], or leave them out until the \
         log is complete, which risks that it contradicts an anchor"
    )]
    Chain(String),
    #[error("no connected peer gives event {0} of this node's log")]
    NoBody(EventId),
    #[error("event {0} of this node's log cannot be appended again: {1}")]
    Refused(EventId, String),
    #[error("the node is stopping")]
    Stopping,
}

/// What a round led to.
enum Round {
    Done { renamed: bool },
    Waiting(String),
}

impl Recovery {
    /// Works until the log is complete or has a new key, and the ledger can be opened again without its mark; `done` is
    /// cancelled then. Cancelled itself at any point, it goes on with the next start.
    pub(crate) async fn run(self, incoming: mpsc::Receiver<Incoming>, done: CancellationToken) {
        tokio::select! {
            () = self.recover() => done.cancel(),
            () = listen(self.network.clone(), incoming) => {}
        }
    }

    async fn recover(&self) {
        let began = Instant::now();
        let mut enough_since = None;
        self.progress.tell("the log is recovered from the peers; waiting for them");
        loop {
            let overdue = self.new_log_key_after.is_some_and(|after| began.elapsed() >= after);
            match self.round(overdue, &mut enough_since).await {
                Ok(Round::Done { renamed }) => {
                    self.progress.tell(if renamed {
                        "the log goes on under a new key"
                    } else {
                        "the log is complete and goes on"
                    });
                    return;
                }
                Ok(Round::Waiting(text)) => self.progress.tell(text),
                Err(pause) => self.progress.tell(format!("the log is not complete yet: {pause}")),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn round(&self, overdue: bool, enough_since: &mut Option<Instant>) -> Result<Round, Pause> {
        let restored = self.ledger.restored().cloned().expect("only a marked ledger is recovered");
        let log = restored.log;
        let (others, peers) = self.peers(&log).await?;
        let Some(needed) = needed(self.witnesses, others) else {
            if overdue {
                return self.rename().await;
            }
            return Ok(Round::Waiting(
                "this backup knows of no other enrolled node, so nobody's answer counts by itself; if peers have followed \
                 this node's log since, set 'witnesses' under [recovery] to how many of them must answer, and connect only \
                 such as are trusted; if there were none, stop it and have it open a new log with 'furrow log new-key'"
                    .to_owned(),
            ));
        };
        let answers = self.ask_all(&log, &peers).await;
        let anchored = match &self.anchored {
            Some(anchored) if answers.len() >= needed => match anchored.newest().await {
                Ok(newest) => newest,
                Err(_) if overdue => return self.rename().await,
                Err(failures) => return Err(Pause::Chain(failures)),
            },
            _ => None,
        };
        let (ledger, all) = (self.ledger.clone(), answers.clone());
        let decided = blocking(move || {
            let backup = restored_checkpoint(&restored, &log);
            decide(ledger.size(), |size| ledger.root_at(size), backup.as_ref(), anchored, &all, needed)
        });
        let decision = decided.await??;
        if decision == Decision::Wait {
            *enough_since = None;
            if overdue {
                return self.rename().await;
            }
            return Ok(Round::Waiting(format!(
                "{} of {needed} peers have said what they know of this node's log; connect it with more of them, or, if \
                 there are none any more, stop it and have it open a new log with 'furrow log new-key'",
                answers.len()
            )));
        }
        if answers.len() < others && enough_since.get_or_insert_with(Instant::now).elapsed() < STRAGGLERS {
            return Ok(Round::Waiting("enough peers have answered; waiting a moment for the others".to_owned()));
        }
        match decision {
            Decision::Complete => self.settle(false).await,
            Decision::Fetch { head, holders } => match self.fetch(&log, head, &holders, needed).await {
                Ok(()) => self.settle(false).await,
                Err(Pause::Lost(_)) if overdue => self.rename().await,
                Err(pause) => Err(pause),
            },
            Decision::Lost(_) if overdue => self.rename().await,
            Decision::Lost(lost) => Ok(Round::Waiting(format!(
                "{lost}. Connect the node with a peer that has followed it; or stop it, have it open a new log with \
                 'furrow log new-key', and start it again"
            ))),
            Decision::Wait => unreachable!("handled above"),
        }
    }

    /// How many other nodes are enrolled, and which connected peers are such nodes; any peer where there is none.
    async fn peers(&self, log: &PublicKey) -> Result<(usize, Vec<PeerId>), Pause> {
        let connected: Vec<PeerId> =
            self.network.peers().await.map_err(|_| Pause::Stopping)?.into_iter().map(|peer| peer.id).collect();
        let (ledger, log, own) = (self.ledger.clone(), *log, self.network.local_peer().to_string());
        let nodes = blocking(move || Nodes::new(Views::new(ledger.reader().clone())).all()).await??;
        let others: BTreeSet<String> = nodes
            .into_iter()
            .filter(|(peer, nodes)| *peer != own && nodes.iter().any(|node| node.log != log))
            .map(|(peer, _)| peer)
            .collect();
        let enrolled = |peer: &PeerId| others.is_empty() || others.contains(&peer.to_string());
        Ok((others.len(), connected.into_iter().filter(enrolled).collect()))
    }

    /// What each peer knows of the log; those that do not answer are left out.
    async fn ask_all(&self, log: &PublicKey, peers: &[PeerId]) -> Vec<Answer> {
        let asked = peers.iter().map(|peer| async move {
            let request = Request::KeptLog { log: *log, from: 0, max: 0 };
            let Ok(Response::KeptLog { next, note, .. }) = ask(&self.network, peer, request).await else { return None };
            // A checkpoint that the log has not signed says nothing, and neither does who shows it.
            let checkpoint = note.map(|note| Checkpoint::open(&note, log)).transpose().ok()?;
            Some(Answer { peer: *peer, next, checkpoint })
        });
        futures::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// Appends what the log lacks: up to the head from any peer whose entries lead to it, and beyond that what enough peers
    /// name alike.
    async fn fetch(&self, log: &PublicKey, head: Head, holders: &[PeerId], needed: usize) -> Result<(), Pause> {
        for peer in holders {
            let here = self.ledger.size();
            if here >= head.0 {
                break;
            }
            let ids = match self.ids(log, peer, here, head.0).await {
                Ok(ids) => ids,
                Err(error) => {
                    tracing::warn!(%peer, %error, "a peer does not give the entries of this node's log");
                    continue;
                }
            };
            let ledger = self.ledger.clone();
            let (fits, ids) = blocking(move || leads_to(&ledger, &ids, head).map(|fits| (fits, ids))).await??;
            if !fits {
                tracing::warn!(%peer, "a peer gives entries that this node's log never had");
                continue;
            }
            match self.append(&[*peer], &ids).await {
                Ok(()) => break,
                Err(pause @ (Pause::NoBody(_) | Pause::Refused(..))) => {
                    tracing::warn!(%peer, %pause, "a peer names entries of this node's log that it cannot give");
                }
                Err(pause) => return Err(pause),
            }
        }
        let here = self.ledger.size();
        if here < head.0 || self.ledger.root_at(head.0)? != head.1 {
            return Err(Lost::Missing { size: head.0, here }.into());
        }
        let ids = self.beyond(log, holders, needed).await;
        match self.append(holders, &ids).await {
            // Peers know an entry's id before they have the entry. One that died with the disk does not keep the log
            // from being complete.
            Err(pause @ (Pause::NoBody(_) | Pause::Refused(..))) => {
                tracing::warn!(%pause, "the last entries of this node's log cannot be had");
                Ok(())
            }
            appended => appended,
        }
    }

    /// What comes after the entries that are here, as far as enough of these peers name it alike. No checkpoint that is
    /// known covers it, so a single peer could name anything.
    async fn beyond(&self, log: &PublicKey, holders: &[PeerId], needed: usize) -> Vec<EventId> {
        let (here, mut peers, mut ids) = (self.ledger.size(), holders.to_vec(), Vec::new());
        while peers.len() >= needed && (ids.len() as u64) < MAX_ENTRIES {
            let from = here + ids.len() as u64;
            let asked = peers.iter().map(|peer| async move {
                let request = Request::KeptLog { log: *log, from, max: MAX_PAGE_IDS };
                match ask(&self.network, peer, request).await {
                    Ok(Response::KeptLog { ids, .. }) => ids,
                    _ => Vec::new(),
                }
            });
            let pages = futures::future::join_all(asked).await;
            let (page, alike) = agreed(&pages, needed);
            if page.is_empty() {
                break;
            }
            ids.extend(page);
            peers = alike.into_iter().map(|number| peers[number]).collect();
        }
        ids
    }

    async fn ids(&self, log: &PublicKey, peer: &PeerId, here: u64, next: u64) -> Result<Vec<EventId>, RequestError> {
        let next = next.min(here + MAX_ENTRIES);
        let mut ids = Vec::new();
        while here + (ids.len() as u64) < next {
            let from = here + ids.len() as u64;
            let max = u32::try_from(next - from).unwrap_or(MAX_PAGE_IDS).min(MAX_PAGE_IDS);
            let request = Request::KeptLog { log: *log, from, max };
            match ask(&self.network, peer, request).await? {
                Response::KeptLog { ids: page, .. } if !page.is_empty() => ids.extend(page),
                _ => break,
            }
        }
        Ok(ids)
    }

    /// Appends these entries, in their order. Their bodies come from the peers that named them, or any other.
    async fn append(&self, named_by: &[PeerId], ids: &[EventId]) -> Result<(), Pause> {
        let all = ids.len();
        let mut peers = named_by.to_vec();
        peers.extend(self.network.peers().await.map_err(|_| Pause::Stopping)?.into_iter().map(|peer| peer.id));
        for (number, ids) in ids.chunks(APPENDED_AT_ONCE).enumerate() {
            self.progress.tell(format!("appending entry {} of {all} again", number * APPENDED_AT_ONCE));
            let events = self.bodies(&peers, ids).await?;
            self.bring_ancestors(&peers, &events).await?;
            let index = self.ledger.size();
            let outcomes = self.ledger.submit(events, Origin::Log).await?;
            for ((id, index), outcome) in ids.iter().zip(index..).zip(outcomes) {
                if outcome.index() != Some(index) {
                    return Err(refused(*id, &outcome));
                }
            }
        }
        Ok(())
    }

    /// Submits what these events rest on and no log has: void events, which are links of journals. Oldest first.
    async fn bring_ancestors(&self, peers: &[PeerId], events: &[Vec<u8>]) -> Result<(), Pause> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        let mut known: HashSet<EventId> = events.iter().map(|bytes| EventId::of(bytes)).collect();
        let mut missing = self.missing(events, &known).await?;
        while !missing.is_empty() && found.len() + missing.len() <= MAX_ANCESTORS {
            let older = self.bodies(peers, &missing).await?;
            known.extend(missing);
            missing = self.missing(&older, &known).await?;
            found.extend(older);
        }
        for event in found.into_iter().rev() {
            // One at a time: each is refused as void, and remembered.
            self.ledger.submit(vec![event], Origin::Log).await?;
        }
        Ok(())
    }

    /// The ancestors of these events that are neither here nor `known`.
    async fn missing(&self, events: &[Vec<u8>], known: &HashSet<EventId>) -> Result<Vec<EventId>, Pause> {
        let network = self.ledger.network().id().as_event();
        let decoded = events.iter().filter_map(|bytes| SignedEvent::decode(bytes.clone()).ok());
        let named: BTreeSet<EventId> =
            decoded.flat_map(|event| event.payload().ancestors().collect::<Vec<_>>()).collect();
        let named: Vec<EventId> = named.into_iter().filter(|id| *id != network && !known.contains(id)).collect();
        let ledger = self.ledger.clone();
        blocking(move || {
            let mut missing = Vec::new();
            for id in named {
                if ledger.reader().stored(&id)?.is_none() {
                    missing.push(id);
                }
            }
            Ok(missing)
        })
        .await?
    }

    /// The bytes of these events, from whichever of the peers has them.
    async fn bodies(&self, peers: &[PeerId], ids: &[EventId]) -> Result<Vec<Vec<u8>>, Pause> {
        let mut found: BTreeMap<EventId, Vec<u8>> = BTreeMap::new();
        for peer in peers {
            loop {
                let wanted: Vec<EventId> =
                    ids.iter().filter(|id| !found.contains_key(id)).take(MAX_BODIES).copied().collect();
                if wanted.is_empty() {
                    break;
                }
                let before = found.len();
                let answer = ask(&self.network, peer, Request::Bodies { ids: wanted.clone() }).await;
                let Ok(Response::Bodies { bodies }) = answer else { break };
                for (id, body) in wanted.into_iter().zip(bodies) {
                    found.extend(body.filter(|body| EventId::of(body) == id).map(|body| (id, body)));
                }
                if found.len() == before {
                    break;
                }
            }
        }
        ids.iter().map(|id| found.remove(id).ok_or(Pause::NoBody(*id))).collect()
    }

    /// The log is signed under a new key from now on.
    async fn rename(&self) -> Result<Round, Pause> {
        let keystore = self.keystore.clone();
        blocking(move || replace_log_key(&mut keystore.lock().unwrap_or_else(PoisonError::into_inner))).await??;
        self.settle(true).await
    }

    async fn settle(&self, renamed: bool) -> Result<Round, Pause> {
        let (ledger, keystore) = (self.ledger.clone(), self.keystore.clone());
        blocking(move || settle(&ledger, &keystore, renamed)).await??;
        Ok(Round::Done { renamed })
    }
}

/// Takes the mark of a restored ledger away, for the next time that it is opened: its log is complete, or `renamed` to the
/// key in the keystore. All other keys there sign only once peers confirm where their journals end.
pub(crate) fn settle(ledger: &Ledger, keystore: &SharedKeystore, renamed: bool) -> Result<(), StoreError> {
    let keystore = keystore.lock().unwrap_or_else(PoisonError::into_inner);
    let signing = keystore.secrets().filter(|(name, secret)| secret.kind() == Kind::Ed25519 && *name != LOG);
    let keys: Vec<PublicKey> = signing.map(|(_, secret)| secret.public_key()).collect();
    ledger.settle_log(&keys, renamed)
}

/// Puts a new key in the place of the log's; the old one is gone for good.
pub(crate) fn replace_log_key(keystore: &mut Keystore) -> Result<PublicKey, KeystoreError> {
    let secret = Secret::generate(Kind::Ed25519)?;
    let key = secret.public_key();
    keystore.replace(LOG, secret)?;
    Ok(key)
}

/// Nothing is served while the log is not complete: whoever reads it now would take it for one that became shorter.
async fn listen(network: Handle, mut incoming: mpsc::Receiver<Incoming>) {
    while let Some(event) = incoming.recv().await {
        if let Incoming::Gossip { id, .. } = event {
            // Once the network has ended, nobody needs the verdict.
            let _ = network.validated(id, GossipVerdict::Ignore).await;
        }
    }
}

fn restored_checkpoint(restored: &Restored, log: &PublicKey) -> Option<Checkpoint> {
    restored.note.as_deref().and_then(|note| Checkpoint::open(note, log).ok())
}

/// Whether the log with these entries at its end has this size and root.
fn leads_to(ledger: &Ledger, ids: &[EventId], (size, root): Head) -> Result<bool, StoreError> {
    let mut frontier: Frontier = ledger.frontier()?;
    for id in ids {
        frontier.append(leaf_hash(id.as_bytes()), |_, _, _| {});
    }
    Ok(frontier.size() == size && frontier.root() == root)
}

fn refused(id: EventId, outcome: &Outcome) -> Pause {
    match outcome {
        Outcome::Unavailable(error) => Pause::Store(StoreError::clone(error)),
        outcome => Pause::Refused(id, format!("{outcome:?}")),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Pause> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Pause::Stopping)
}
