//! Comparing two checkpoints that a log has signed: whether it only grew, or was rewritten.
//!
//! That a peer proves nothing is no proof against it: it may be slow, of an older version, or restored from a backup. A
//! log is accused only with its own signatures, by what everybody can verify ([`Contradiction`]).

use super::super::Shared;
use ledger::{Compared, KeepNoteError, MOST_AHEAD};
use p2p::message::MAX_PAGE_IDS;
use p2p::{Misbehaviour, PeerId, Request, RequestError, Response};
use provenance::checkpoint::Checkpoint;
use provenance::contradiction::{Contradiction, Reread, Rereading};
use provenance::id::{EventId, PublicKey};
use provenance::merkle::verify_consistency;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the entries of a log are read for one proof from one source.
const READ_WITHIN: Duration = Duration::from_mins(5);

/// What is known of two checkpoints of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The larger one contains the smaller one, as far as anybody says.
    Grown,
    /// They cannot both be true; the proof is kept.
    Contradiction,
    /// The owner of the log was asked, and could not show it.
    Unproven,
}

/// Who has shown a checkpoint, or entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The node whose log it is.
    ByOwner(PeerId),
    /// Another one, which keeps what it saw of the log.
    ByKeeper(PeerId),
    /// This node kept it.
    Here,
}

/// What a log's owner says when he is asked whether it only grew.
enum Answer {
    Proven,
    /// The log has not these sizes.
    None,
    /// The peer does not know the question.
    Unknown,
    /// A proof that does not hold.
    Wrong,
    /// Nothing.
    Silent,
}

/// Compares a checkpoint that its log has signed with the newest one that is kept of the log, and keeps it if it is newer.
/// Nothing is known where this node cannot read its store.
pub(super) async fn compare(shared: &Arc<Shared>, log: PublicKey, note: &str, shown: Shown) -> Option<Verdict> {
    let (witness, seen) = (shared.ledger.witness(), note.to_owned());
    let compared = tokio::task::spawn_blocking(move || witness.compare(&log, &seen)).await.ok()?;
    let kept = match compared {
        Ok(Compared::Agrees) => return Some(Verdict::Grown),
        Ok(Compared::Contradicts) => {
            told(shared, log).await;
            return Some(Verdict::Contradiction);
        }
        Ok(Compared::OtherSize { kept }) => kept,
        Err(KeepNoteError::Note(error)) => {
            tracing::warn!(%log, %error, "a peer shows a checkpoint that its log has not signed");
            if let Shown::ByOwner(peer) | Shown::ByKeeper(peer) = shown {
                penalise(shared, &peer).await;
            }
            return None;
        }
        Err(KeepNoteError::Store(error)) => {
            tracing::warn!(%error, "checkpoints cannot be compared");
            return None;
        }
    };
    let owners = match shown {
        Shown::ByOwner(owner) => vec![owner],
        _ => owners(shared, log).await?,
    };
    let (by_owner, mut is_unproven) = (matches!(shown, Shown::ByOwner(_)), false);
    for owner in &owners {
        match ask_growth(shared, owner, log, &kept, note).await {
            Answer::Proven => return keep_newer(shared, log, note).await,
            Answer::Wrong => {
                tracing::warn!(peer = %owner, "a peer's proof that its log only grew does not hold");
                penalise(shared, owner).await;
                is_unproven = true;
            }
            Answer::None => {
                if by_owner {
                    tracing::warn!(peer = %owner, "a peer shows a checkpoint of its log, and says that the log has not this size");
                    penalise(shared, owner).await;
                }
                is_unproven = true;
            }
            // What its owner shows is read entry by entry anyway.
            Answer::Unknown => is_unproven |= !by_owner,
            Answer::Silent => {}
        }
    }
    if !is_unproven {
        // Whoever is slow now is asked again with the next checkpoint. What he signs has to agree with this one too.
        return if by_owner { keep_newer(shared, log, note).await } else { Some(Verdict::Grown) };
    }
    let mut sources = vec![Shown::Here, shown];
    sources.extend(owners.into_iter().map(Shown::ByOwner).filter(|owner| *owner != shown));
    match look_for_proof(shared, log, &kept, note, &sources).await? {
        Verdict::Grown => keep_newer(shared, log, note).await,
        verdict => Some(verdict),
    }
}

/// Reads the entries of a log once more, from whoever has them, until they prove that the larger checkpoint contains the
/// smaller one or that it does not.
pub(super) async fn look_for_proof(
    shared: &Arc<Shared>,
    log: PublicKey,
    one: &str,
    other: &str,
    sources: &[Shown],
) -> Option<Verdict> {
    if !shared.cosigning.may_reread(log, Instant::now()) {
        return Some(Verdict::Unproven);
    }
    for source in sources {
        let Ok(Some(rereading)) = Rereading::new(one, other, &log) else { return Some(Verdict::Unproven) };
        if rereading.left() > shared.ledger.size() + MOST_AHEAD {
            return Some(Verdict::Unproven);
        }
        let Ok(read) = tokio::time::timeout(READ_WITHIN, reread(shared, log, rereading, source)).await else {
            continue;
        };
        match read? {
            (Reread::Grown, _) => return Some(Verdict::Grown),
            (Reread::Contradiction(proof), _) => return keep(shared, log, proof).await,
            (Reread::OtherEntries, is_whole) => {
                if let (Shown::ByOwner(peer), true) = (source, is_whole) {
                    tracing::warn!(%peer, "the entries that a peer gave are not those under a checkpoint of its log");
                    penalise(shared, peer).await;
                }
            }
        }
    }
    Some(Verdict::Unproven)
}

/// What the entries say, and whether there were as many as the larger checkpoint covers.
async fn reread(
    shared: &Arc<Shared>,
    log: PublicKey,
    mut rereading: Rereading,
    source: &Shown,
) -> Option<(Reread, bool)> {
    while rereading.left() > 0 {
        let from = rereading.next();
        let max = u32::try_from(rereading.left()).unwrap_or(MAX_PAGE_IDS).min(MAX_PAGE_IDS);
        let ids = page(shared, log, source, from, max).await?;
        if ids.is_empty() {
            return Some((Reread::OtherEntries, false));
        }
        for id in &ids {
            rereading.read(id);
        }
    }
    Some((rereading.finish(), true))
}

/// Entries of the log from an index on; none where the source has or gives no more.
async fn page(shared: &Arc<Shared>, log: PublicKey, source: &Shown, from: u64, max: u32) -> Option<Vec<EventId>> {
    let (peer, request) = match source {
        Shown::Here => {
            let witness = shared.ledger.witness();
            let kept = tokio::task::spawn_blocking(move || witness.kept(&log, from, max as usize)).await.ok()?;
            return kept.ok().map(|kept| kept.ids);
        }
        Shown::ByOwner(peer) => (peer, Request::LogPage { from, max }),
        Shown::ByKeeper(peer) => (peer, Request::KeptLog { log, from, max }),
    };
    loop {
        match shared.network.request(peer, request.clone()).await {
            Ok(Response::LogPage { ids, .. } | Response::KeptLog { ids, .. }) => return Some(ids),
            Err(RequestError::Busy) => tokio::time::sleep(super::serve::LOOK_AGAIN).await,
            Err(RequestError::Stopped(_)) => return None,
            _ => return Some(Vec::new()),
        }
    }
}

/// Asks the owner of a log for the proof that it only grew between two of its checkpoints.
async fn ask_growth(shared: &Shared, owner: &PeerId, log: PublicKey, one: &str, other: &str) -> Answer {
    let (Ok(one), Ok(other)) = (Checkpoint::open(one, &log), Checkpoint::open(other, &log)) else {
        return Answer::Silent;
    };
    let (old, new) = if one.size < other.size { (one, other) } else { (other, one) };
    match shared.network.request(owner, Request::Growth { old: old.size, new: new.size }).await {
        Ok(Response::Growth { proof: Some(proof) }) => {
            match verify_consistency(old.size, new.size, &old.root, &new.root, &proof) {
                Ok(()) => Answer::Proven,
                Err(_) => Answer::Wrong,
            }
        }
        Ok(Response::Unsupported { .. }) => Answer::Unknown,
        Ok(_) => Answer::None,
        Err(_) => Answer::Silent,
    }
}

/// The connected peers whose nodes name this key for their log.
async fn owners(shared: &Arc<Shared>, log: PublicKey) -> Option<Vec<PeerId>> {
    let shared = shared.clone();
    let found = tokio::task::spawn_blocking(move || {
        let peers = shared.peers().into_iter();
        peers.filter(|peer| shared.nodes.is_owner(peer, &log).unwrap_or(false)).collect()
    });
    found.await.ok()
}

/// Keeps a checkpoint unless a newer one is kept. Should that node lose its disk, it says how far its log had come.
async fn keep_newer(shared: &Shared, log: PublicKey, note: &str) -> Option<Verdict> {
    let (witness, note) = (shared.ledger.witness(), note.to_owned());
    let kept = tokio::task::spawn_blocking(move || witness.keep_note(&log, &note)).await.ok()?;
    kept.is_ok().then_some(Verdict::Grown)
}

async fn keep(shared: &Arc<Shared>, log: PublicKey, proof: Contradiction) -> Option<Verdict> {
    let witness = shared.ledger.witness();
    let kept = tokio::task::spawn_blocking(move || witness.keep_contradiction(&log, &proof)).await.ok()?;
    if !kept.ok()? {
        return Some(Verdict::Unproven);
    }
    told(shared, log).await;
    Some(Verdict::Contradiction)
}

/// Has the list of peers say it, and the machine that follows logs look at its owners now.
async fn told(shared: &Arc<Shared>, log: PublicKey) {
    for peer in owners(shared, log).await.unwrap_or_default() {
        shared.cosigning.set_rewritten(&peer, true);
        shared.wake(&peer);
    }
}

async fn penalise(shared: &Shared, peer: &PeerId) {
    // Once the network has ended, there is nobody to blame.
    let _ = shared.network.penalise(peer, Misbehaviour::WrongAnswer).await;
}
