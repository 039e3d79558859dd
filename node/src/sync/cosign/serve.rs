//! Cosigning for peers: their log is read up to the checkpoint, its events are waited for, then the witness decides.

use super::super::Shared;
use super::Reason;
use super::compare::{Shown, Verdict, compare, look_for_proof};
use ledger::{CosignRefusal, ObserveError, Witness};
use p2p::message::{MAX_MISSING, MAX_PAGE_IDS};
use p2p::{Misbehaviour, PeerId, Request, RequestError, Responder, Response};
use provenance::checkpoint::Checkpoint;
use provenance::id::{EventId, PublicKey};
use provenance::note::Note;
use provenance::origin::LogOrigin;
use std::sync::Arc;
use std::time::Duration;
use store::StoreError;
use tokio::time::{Instant, sleep, timeout};

/// How long an answer may take: well below the time after which whoever asks gives up.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// How long a log is read for one request at most. Longer ones go on with the next request.
const READ_WITHIN: Duration = Duration::from_mins(5);

/// How long events of the log are waited for, which follow their ids through the sync.
const EVENTS_WITHIN: Duration = Duration::from_secs(6);

/// The pause before the witness is asked again whether all events are here.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A checkpoint whose signature holds, of a log whose enrolled node asks for itself.
struct Wanted {
    note: String,
    log: PublicKey,
    size: u64,
}

/// Why a log could not be read up to its checkpoint.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log ends before its checkpoint")]
    Short,
    #[error("the node is stopping")]
    Stopping,
}

/// Answers one request. Where the log is long, the answer is `behind`, and the reading goes on.
pub(in super::super) async fn answer(shared: Arc<Shared>, from: PeerId, note: String, reply: Responder) {
    let (now, who) = (shared.clone(), from);
    let checked = tokio::task::spawn_blocking(move || check(&now, &who, note)).await;
    let outcome = match checked {
        Ok(Ok(wanted)) => match shared.cosigning.begin(wanted.log) {
            Some(_at_work) => {
                let work = work(&shared, &from, wanted);
                tokio::pin!(work);
                if let Ok(outcome) = timeout(ANSWER_WITHIN, &mut work).await {
                    outcome
                } else {
                    send(reply, refusal(Reason::Behind, Vec::new())).await;
                    // What was read by then is kept, so that the next request finds less to do.
                    let late = timeout(READ_WITHIN, work).await;
                    note_outcome(&shared, &from, late.unwrap_or(Err((Reason::Behind, Vec::new()))));
                    return;
                }
            }
            None => Err((Reason::Behind, Vec::new())),
        },
        Ok(Err(reason)) => Err((reason, Vec::new())),
        Err(_) => return,
    };
    let response = match &outcome {
        Ok((_, line)) => Response::Cosigned { line: line.clone() },
        Err((reason, missing)) => refusal(*reason, missing.clone()),
    };
    note_outcome(&shared, &from, outcome);
    send(reply, response).await;
}

/// Size and line of what was cosigned, or why not.
type Cosigned = Result<(u64, String), (Reason, Vec<EventId>)>;

fn check(shared: &Shared, from: &PeerId, note: String) -> Result<Wanted, Reason> {
    let nodes = shared.nodes.behind(from).map_err(|_| Reason::Unable)?;
    let parsed = Note::parse(&note).map_err(|_| Reason::BadNote)?;
    let checkpoint = Checkpoint::parse(parsed.text()).map_err(|_| Reason::BadNote)?;
    let origin: LogOrigin = checkpoint.origin.parse().map_err(|_| Reason::BadNote)?;
    if origin.network != shared.ledger.network().id() || !nodes.iter().any(|node| node.log == origin.key) {
        return Err(Reason::NotEnrolled);
    }
    // Before a single entry is read: a size that nobody signed must not make this node read.
    let checkpoint = Checkpoint::of_note(&parsed, &origin.key).map_err(|_| Reason::BadNote)?;
    Ok(Wanted { note, log: origin.key, size: checkpoint.size })
}

/// Reads the log up to the checkpoint, and cosigns it once its events are here.
async fn work(shared: &Arc<Shared>, from: &PeerId, wanted: Wanted) -> Cosigned {
    let Wanted { note, log, size } = wanted;
    let witness = shared.ledger.witness();
    match compare(shared, log, &note, Shown::ByOwner(*from)).await {
        Some(Verdict::Grown) => {}
        Some(Verdict::Contradiction) => return Err((Reason::Rewritten, Vec::new())),
        Some(Verdict::Unproven) => return Err((Reason::Unproven, Vec::new())),
        None => return Err((Reason::Unable, Vec::new())),
    }
    let reader = witness.clone();
    let Ok(Ok(begun)) = tokio::task::spawn_blocking(move || reader.next(&log)).await else {
        return Err((Reason::Unable, Vec::new()));
    };
    match read(shared, from, &witness, log, begun, size).await {
        Ok(()) => {}
        Err(ReadError::Observe(error @ (ObserveError::OtherEntries { .. } | ObserveError::Repeated(_)))) => {
            // Entries are not signed, so this says nothing of the log yet: it is read from the start next time.
            tracing::warn!(peer = %from, %error, "the entries that a peer gave cannot be those of its log");
            blame_giver(shared, from, begun).await;
            let reader = witness.clone();
            let again = tokio::task::spawn_blocking(move || reader.read_again(&log)).await;
            if !matches!(again, Ok(Ok(()))) {
                return Err((Reason::Unable, Vec::new()));
            }
            return Err((rewritten_or_behind(shared, from, log, &note).await, Vec::new()));
        }
        Err(ReadError::Observe(ObserveError::OtherNetwork)) => return Err((Reason::BadNote, Vec::new())),
        Err(ReadError::Observe(ObserveError::UnknownLog(_))) => return Err((Reason::NotEnrolled, Vec::new())),
        Err(error) => {
            tracing::debug!(peer = %from, %error, "a peer's log cannot be read up to its checkpoint");
            return Err((Reason::Behind, Vec::new()));
        }
    }
    let patience = Instant::now() + EVENTS_WITHIN;
    loop {
        match witness.cosign(&note).await {
            Ok(line) => return Ok((size, line)),
            Err(CosignRefusal::Unknown(_) | CosignRefusal::Busy) if Instant::now() < patience => {
                shared.wake(from);
                sleep(LOOK_AGAIN).await;
            }
            Err(CosignRefusal::OtherEntries { .. }) => {
                blame_giver(shared, from, begun).await;
                return Err((rewritten_or_behind(shared, from, log, &note).await, Vec::new()));
            }
            Err(refusal) => {
                tracing::debug!(peer = %from, size, %refusal, "a checkpoint is not cosigned");
                return Err(Reason::of(&refusal));
            }
        }
    }
}

/// Who has given all entries of its log himself, from the first one on, is to blame that they are others than it has signed.
async fn blame_giver(shared: &Shared, from: &PeerId, begun: u64) {
    if begun == 0 {
        // Once the network has ended, there is nobody to blame.
        let _ = shared.network.penalise(from, Misbehaviour::WrongAnswer).await;
    }
}

/// The entries that a log's owner gave are not those under its checkpoints: either he lied, or the log was rewritten since one of
/// them was cosigned.
async fn rewritten_or_behind(shared: &Arc<Shared>, from: &PeerId, log: PublicKey, note: &str) -> Reason {
    let witness = shared.ledger.witness();
    let Ok(cosigned) = tokio::task::spawn_blocking(move || witness.cosigned(&log)).await else { return Reason::Unable };
    match cosigned {
        Ok(Some(cosigned)) => match look_for_proof(shared, log, &cosigned, note, &[Shown::ByOwner(*from)]).await {
            Some(Verdict::Contradiction) => Reason::Rewritten,
            Some(_) => Reason::Behind,
            None => Reason::Unable,
        },
        Ok(None) => Reason::Behind,
        Err(_) => Reason::Unable,
    }
}

/// Gives the witness the entries of the log that it has not seen, from `next` on and up to exactly the size of the checkpoint.
async fn read(
    shared: &Shared,
    from: &PeerId,
    witness: &Witness,
    log: PublicKey,
    mut next: u64,
    size: u64,
) -> Result<(), ReadError> {
    while next < size {
        let max = u32::try_from(size - next).unwrap_or(MAX_PAGE_IDS).min(MAX_PAGE_IDS);
        let response = match shared.network.request(from, Request::LogPage { from: next, max }).await {
            Err(RequestError::Busy) => {
                sleep(LOOK_AGAIN).await;
                continue;
            }
            response => response?,
        };
        let Response::LogPage { ids, .. } = response else { return Err(ReadError::Short) };
        if ids.is_empty() {
            return Err(ReadError::Short);
        }
        let observer = witness.clone();
        let observed = tokio::task::spawn_blocking(move || observer.observe(&log, next, &ids)).await;
        next = observed.map_err(|_| ReadError::Stopping)??;
    }
    Ok(())
}

fn refusal(reason: Reason, mut missing: Vec<EventId>) -> Response {
    missing.truncate(MAX_MISSING);
    Response::CosignRefused { reason: reason as u32, missing }
}

fn note_outcome(shared: &Shared, from: &PeerId, outcome: Cosigned) {
    match outcome {
        Ok((size, _)) => shared.cosigning.change(from, |known| {
            known.cosigned_for = known.cosigned_for.max(Some(size));
            known.refused_here = None;
        }),
        // A stranger leaves no trace, or any number of them would.
        Err((Reason::NotEnrolled, _)) => tracing::debug!(peer = %from, "no enrolled node asks for a cosignature"),
        Err((reason, missing)) => {
            match reason {
                // It was told when the proof was kept; the list of peers goes on saying it.
                Reason::Rewritten | Reason::Behind => {}
                _ => {
                    tracing::warn!(peer = %from, reason = reason.name(), ?missing, "a peer's checkpoint is not cosigned");
                }
            }
            shared.cosigning.change(from, |known| {
                known.refused_here = Some(reason.name().to_owned());
            });
        }
    }
}

async fn send(reply: Responder, response: Response) {
    if let Err(error) = reply.send(response).await {
        tracing::error!(%error, "an answer to a peer was too long");
    }
}
