//! Fetching the events of a page that are not here, with what they rest on.

use super::Shared;
use super::follow::Interruption;
use ledger::{Ledger, Origin, Outcome};
use p2p::message::MAX_BODIES;
use p2p::{Misbehaviour, PeerId, Request, RequestError, Response};
use provenance::admission::Hold;
use provenance::id::EventId;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use store::{Held, StoreError};

/// Events asked for at once: as many as the protocol allows, some hundred kilobytes.
const IDS_AT_ONCE: usize = MAX_BODIES;

/// Ancestors beside the log, such as void links of journals, that are fetched for one page. An honest
/// page needs a handful.
const MAX_ANCESTORS: usize = 1_024;

/// How often a page is looked through before the round is given up until the next greeting.
const MAX_PASSES: usize = 32;

/// How long to wait for events that are being fetched from another peer.
const OTHERS_PAUSE: Duration = Duration::from_millis(100);

/// What is known of a page's events now.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// Admitted, void, or kept until an upgrade.
    pub(super) judged: HashSet<EventId>,
    /// Newer than this program, and no room to keep them.
    pub(super) unsupported: HashSet<EventId>,
}

/// Fetches and submits those of `ids` that are not here, in their order.
pub(super) async fn events(shared: &Shared, peer: &PeerId, ids: &[EventId]) -> Result<Fetched, Interruption> {
    let mut fetched = Fetched::default();
    for _ in 0..MAX_PASSES {
        let wanted = unknown(&shared.ledger, ids, &mut fetched).await?;
        if wanted.is_empty() {
            break;
        }
        let claim = shared.claims.take(&wanted, Instant::now());
        if claim.ids().is_empty() {
            tokio::time::sleep(OTHERS_PAUSE).await;
            continue;
        }
        let before = (fetched.judged.len(), fetched.unsupported.len());
        bring(shared, peer, claim.ids(), &mut fetched).await?;
        let all_mine = claim.ids().len() == wanted.len();
        drop(claim);
        let still_wanted = unknown(&shared.ledger, ids, &mut fetched).await?.len();
        let progress = still_wanted < wanted.len() || before != (fetched.judged.len(), fetched.unsupported.len());
        if all_mine && !progress {
            break;
        }
    }
    Ok(fetched)
}

/// Which of `ids` are to be fetched; those that are here are noted as judged.
async fn unknown(ledger: &Ledger, ids: &[EventId], fetched: &mut Fetched) -> Result<Vec<EventId>, Interruption> {
    let open: Vec<EventId> =
        ids.iter().copied().filter(|id| !fetched.judged.contains(id) && !fetched.unsupported.contains(id)).collect();
    let ledger = ledger.clone();
    let (here, unknown) =
        tokio::task::spawn_blocking(move || split(&ledger, open)).await.map_err(|_| Interruption::Unwritable)??;
    fetched.judged.extend(here);
    Ok(unknown)
}

/// What is here, or is kept until an upgrade; and what is not.
fn split(ledger: &Ledger, ids: Vec<EventId>) -> Result<(Vec<EventId>, Vec<EventId>), StoreError> {
    let (mut here, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        let reader = ledger.reader();
        let held = reader.store().get::<Held>(&id)?;
        let waits_for_upgrade = held.is_some_and(|row| row.missing.is_empty());
        if waits_for_upgrade || reader.stored(&id)?.is_some() { here.push(id) } else { unknown.push(id) }
    }
    Ok((here, unknown))
}

/// Fetches events and submits them in order.
async fn bring(shared: &Shared, peer: &PeerId, ids: &[EventId], fetched: &mut Fetched) -> Result<(), Interruption> {
    let Ok(_permit) = shared.fetching.acquire().await else { return Err(Interruption::Unwritable) };
    let mut chunks = ids.chunks(IDS_AT_ONCE);
    let mut next = fetch(shared, peer, chunks.next()).await?;
    let mut ancestors = 0;
    while let Some(events) = next {
        // The next answer is under way while these are written.
        let (submitted, fetching) =
            tokio::join!(submit(shared, peer, events, fetched), fetch(shared, peer, chunks.next()));
        let mut missing = submitted?;
        next = fetching?;
        // Ancestors that stand in no log, each round one generation further back.
        while !missing.is_empty() {
            ancestors += missing.len();
            if ancestors > MAX_ANCESTORS {
                tracing::warn!(%peer, "a page of a peer's log rests on more than {MAX_ANCESTORS} events beside the log");
                return Ok(());
            }
            let events = bodies(shared, peer, &missing).await?;
            missing = submit(shared, peer, events, fetched).await?;
        }
    }
    Ok(())
}

async fn fetch(shared: &Shared, peer: &PeerId, ids: Option<&[EventId]>) -> Result<Option<Vec<Vec<u8>>>, Interruption> {
    match ids {
        Some(ids) => bodies(shared, peer, ids).await.map(Some),
        None => Ok(None),
    }
}

/// Submits events; returns the ancestors that are missing and were not among them.
async fn submit(
    shared: &Shared,
    peer: &PeerId,
    events: Vec<Vec<u8>>,
    fetched: &mut Fetched,
) -> Result<Vec<EventId>, Interruption> {
    shared.received.note(events.iter().map(|bytes| EventId::of(bytes)));
    let origin = Origin::Peer(peer.to_string());
    let outcomes = shared.ledger.submit(events, origin).await.map_err(|_| Interruption::Unwritable)?;
    let mut missing = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Held { hold: Hold::Missing(ids), .. } => missing.extend(ids),
            Outcome::Admitted { id, .. }
            | Outcome::Known { id, .. }
            | Outcome::Void { id, .. }
            | Outcome::Held { id, kept: true, .. } => {
                fetched.judged.insert(id);
            }
            Outcome::Held { id, kept: false, .. } => {
                fetched.unsupported.insert(id);
            }
            Outcome::Rejected(refusal) => {
                tracing::warn!(%peer, reason = %refusal, "a peer's log holds what is no event of this network");
                let _ = shared.network.penalise(peer, Misbehaviour::InvalidEvent).await;
                return Err(Interruption::Misbehaved("has an invalid event in its log"));
            }
            Outcome::Unavailable(error) => return Err(Interruption::Store(StoreError::clone(&error))),
        }
    }
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|id| !fetched.judged.contains(id) && !fetched.unsupported.contains(id));
    let mut ignored = Fetched::default();
    unknown(&shared.ledger, &missing, &mut ignored).await
}

/// The bytes of these events, all of them; the peer has shown their ids, so it must have them.
async fn bodies(shared: &Shared, peer: &PeerId, ids: &[EventId]) -> Result<Vec<Vec<u8>>, Interruption> {
    let mut events = Vec::with_capacity(ids.len());
    while events.len() < ids.len() {
        let rest = ids[events.len()..].iter().take(IDS_AT_ONCE).copied().collect();
        let answer = ask(shared, peer, Request::Bodies { ids: rest }).await?;
        let Response::Bodies { bodies } = answer else {
            return Err(Interruption::Misbehaved("answered something else than events"));
        };
        if bodies.is_empty() {
            return wrong(shared, peer, "answered with no event at all").await;
        }
        for body in bodies {
            match body {
                Some(bytes) if EventId::of(&bytes) == ids[events.len()] => events.push(bytes),
                Some(_) => return wrong(shared, peer, "sent another event than was asked for").await,
                None => return wrong(shared, peer, "does not have an event that it named").await,
            }
        }
    }
    Ok(events)
}

/// Asks, and waits where this node has asked for too much at once.
async fn ask(shared: &Shared, peer: &PeerId, request: Request) -> Result<Response, Interruption> {
    loop {
        match shared.network.request(peer, request.clone()).await {
            Err(RequestError::Busy) => tokio::time::sleep(OTHERS_PAUSE).await,
            answer => return Ok(answer?),
        }
    }
}

async fn wrong<T>(shared: &Shared, peer: &PeerId, what: &'static str) -> Result<T, Interruption> {
    tracing::warn!(%peer, "a peer {what}");
    let _ = shared.network.penalise(peer, Misbehaviour::WrongAnswer).await;
    Err(Interruption::Misbehaved(what))
}
