//! Openings of sealed fields: asked of peers where this node may know them, and passed to peers who may.

use super::Shared;
use ledger::author::Author;
use p2p::message::MAX_OPENED_EVENTS;
use p2p::{Misbehaviour, PassedOpening, PeerId, Request, RequestError, Response};
use provenance::id::{EventId, SubjectId};
use provenance::seal::{self, Opening};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::StoreError;

/// Events whose openings are missing. Reading the log waits while there are more.
pub(super) const MAX_WANTED: usize = 16_384;

/// How far back the log is read when the node starts: what was missing when it stopped is mostly there.
const LOOK_BACK: u64 = 16_384;

/// Entries of the log that are read at a time.
const ENTRIES_AT_ONCE: usize = 1_024;

/// How long the reader of the log rests after each part, as a multiple of what that took: a node that is enrolled late
/// reads millions of entries, and who asks it something meanwhile should hardly notice.
const REST: u32 = 1;

/// How often it is looked whether something is due, and whether this node was enrolled meanwhile.
const TICK: Duration = Duration::from_millis(500);

/// Reads the log for events whose sealed fields this node may know and cannot open, until the network ends. When the
/// node is enrolled, its log may hold such events already, so it is read from its start.
pub(super) async fn look_for_missing(shared: Arc<Shared>) {
    let mut next = shared.ledger.size().saturating_sub(LOOK_BACK);
    let mut own: Option<Vec<SubjectId>> = None;
    loop {
        let (now, from, began) = (shared.clone(), next, Instant::now());
        let read = tokio::task::spawn_blocking(move || {
            let own = now.nodes.actors(&now.network.local_peer())?;
            let (read, missing) = missing(&now.author, &own, from)?;
            Ok::<_, StoreError>((own, read, missing))
        });
        match read.await {
            Ok(Ok((found, read, missing))) => {
                next += read;
                if own.as_ref().is_some_and(|own| *own != found) {
                    next = 0;
                }
                own = Some(found);
                let took = began.elapsed();
                for event in missing {
                    while !shared.wanted.note(event, Instant::now()) {
                        tokio::time::sleep(TICK).await;
                    }
                }
                if next < shared.ledger.size() {
                    tokio::time::sleep(REST * took).await;
                    continue;
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the log cannot be read for missing openings"),
            Err(_) => return,
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Looks at some entries of the log; returns how many, and which of them lack an opening. An event without sealed
/// fields costs one look at its body.
fn missing(author: &Author, own: &[SubjectId], from: u64) -> Result<(u64, Vec<EventId>), StoreError> {
    let reader = author.ledger().reader();
    let durable = author.ledger().size().saturating_sub(from);
    if own.is_empty() {
        // Nothing is for a node that is not enrolled; once it is, the log is read from its start.
        return Ok((durable, Vec::new()));
    }
    let ids = reader.log_ids(from, usize::try_from(durable).unwrap_or(usize::MAX).min(ENTRIES_AT_ONCE))?;
    let is_sealed = reader.glance(&ids, |event| !seal::sealed_fields(&event.payload().body).is_empty())?;
    let mut missing = Vec::new();
    for (id, is_sealed) in ids.iter().zip(is_sealed) {
        if is_sealed == Some(true) && author.lacks_openings(id, own)? {
            missing.push(*id);
        }
    }
    Ok((ids.len() as u64, missing))
}

/// Asks peers for what is missing, until the network ends.
pub(super) async fn fetch(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(TICK).await;
        let due = shared.wanted.due(MAX_OPENED_EVENTS, Instant::now());
        if due.is_empty() {
            continue;
        }
        let mut open = still_missing(&shared, due.clone()).await;
        for peer in shared.peers() {
            if open.is_empty() {
                break;
            }
            match ask(&shared, &peer, &open).await {
                Ok(()) => open = still_missing(&shared, open).await,
                Err(RequestError::Stopped(_)) => return,
                Err(error) => tracing::debug!(%peer, %error, "a peer was asked for openings in vain"),
            }
        }
        for event in due {
            if !open.contains(&event) {
                shared.wanted.settle(&event);
            } else if !shared.wanted.failed(&event, Instant::now()) {
                tracing::info!(%event, "no peer has what opens the sealed fields of an event; it is not asked for any more");
            }
        }
    }
}

/// Which of these events still lack an opening; all of them where that cannot be read.
async fn still_missing(shared: &Arc<Shared>, events: Vec<EventId>) -> Vec<EventId> {
    let (now, asked) = (shared.clone(), events.clone());
    let left = tokio::task::spawn_blocking(move || {
        let own = now.nodes.actors(&now.network.local_peer())?;
        let mut left = Vec::new();
        for event in asked {
            if now.author.lacks_openings(&event, &own)? {
                left.push(event);
            }
        }
        Ok::<_, StoreError>(left)
    });
    match left.await {
        Ok(Ok(left)) => left,
        _ => events,
    }
}

/// Asks one peer, and keeps what it answers. A peer that is no enrolled node is not told what this one looks for.
async fn ask(shared: &Arc<Shared>, peer: &PeerId, events: &[EventId]) -> Result<(), RequestError> {
    let (now, who) = (shared.clone(), *peer);
    let enrolled = tokio::task::spawn_blocking(move || now.nodes.actors(&who)).await;
    if !matches!(enrolled, Ok(Ok(actors)) if !actors.is_empty()) {
        return Ok(());
    }
    let request = Request::Openings { events: events.to_vec() };
    let Response::Openings { openings } = shared.network.request(peer, request).await? else { return Ok(()) };
    let asked: HashSet<EventId> = events.iter().copied().collect();
    let author = shared.author.clone();
    let wrong = tokio::task::spawn_blocking(move || take(&author, &asked, openings)).await;
    match wrong {
        Ok(Ok(0)) | Err(_) => {}
        Ok(Ok(wrong)) => {
            tracing::warn!(%peer, wrong, "a peer sent openings that open nothing");
            let _ = shared.network.penalise(peer, Misbehaviour::WrongAnswer).await;
        }
        Ok(Err(error)) => tracing::warn!(%error, "openings cannot be kept"),
    }
    Ok(())
}

/// Keeps what opens something that was asked for; returns how many do not.
fn take(author: &Author, asked: &HashSet<EventId>, openings: Vec<PassedOpening>) -> Result<usize, StoreError> {
    let mut by_event: HashMap<EventId, Vec<(Vec<u8>, Opening)>> = HashMap::new();
    for PassedOpening { event, path, salt, value } in openings {
        by_event.entry(event).or_default().push((path, Opening { salt, value }));
    }
    let mut wrong = 0;
    for (event, openings) in by_event {
        wrong += if asked.contains(&event) { author.take_openings(&event, openings)? } else { openings.len() };
    }
    Ok(wrong)
}

/// What the asking peer may know of these events. An unreadable one ends the answer: what fits is a part anyway.
pub(super) fn answer(shared: &Shared, from: &PeerId, events: Vec<EventId>) -> Result<Response, StoreError> {
    let nodes = shared.nodes.actors(from)?;
    let peer = from.to_string();
    if nodes.is_empty() {
        return Ok(Response::Openings { openings: Vec::new() });
    }
    let passed = events.into_iter().map_while(|event| match shared.author.pass_openings(&event, &nodes, &peer) {
        Ok(openings) => Some(openings.into_iter().map(move |(path, Opening { salt, value })| PassedOpening {
            event,
            path,
            salt,
            value,
        })),
        Err(error) => {
            tracing::warn!(%error, "openings cannot be read for a peer");
            None
        }
    });
    Ok(Response::fitting_openings(passed.flatten()))
}
