//! The events themselves: well-formed, signed, and by the rules.

use super::{Failure, Reason, survivals};
use crate::admission::{Judged, Replay, replay};
use crate::bundle::Bundle;
use crate::event::{SignedEvent, VerifiedEvent};
use crate::history::History;
use crate::id::{EventId, NetworkId};
use crate::signature::Verifier;
use std::collections::HashSet;
use std::sync::Arc;

/// Look-ups of earlier events for which replaying gives up: some seconds, and many times what the longest
/// history needs that nodes admit.
const MAX_LOOKUPS: u64 = 4_000_000;

/// Check 3: every event is well-formed and signed, belongs to the network and is there once.
pub(super) fn verified(bundle: &Bundle, network: NetworkId) -> Result<Vec<VerifiedEvent>, Failure> {
    // What cannot be decoded ends the run, but signatures before it count first.
    let (mut decoded, mut malformed) = (Vec::with_capacity(bundle.entries.len()), None);
    for entry in &bundle.entries {
        match SignedEvent::decode(entry.event.clone()) {
            Ok(event) => decoded.push(event),
            Err(error) => {
                malformed = Some(Failure::of_event(Reason::BadEvent, EventId::of(&entry.event), error.to_string()));
                break;
            }
        }
    }
    let ids: Vec<EventId> = decoded.iter().map(SignedEvent::id).collect();
    let (mut events, mut seen) = (Vec::with_capacity(decoded.len()), HashSet::new());
    for (id, result) in ids.into_iter().zip(Verifier::new().verify_all(decoded)) {
        let event = result.map_err(|error| Failure::of_event(Reason::BadEvent, id, error.to_string()))?;
        if event.payload().network != network {
            let detail = format!("the event names the network {}", event.payload().network);
            return Err(Failure::of_event(Reason::EventOfOtherNetwork, id, detail));
        }
        if !seen.insert(id) {
            return Err(Failure::of_event(Reason::RepeatedEvent, id, "the event stands in the bundle twice"));
        }
        events.push(event);
    }
    malformed.map_or(Ok(events), Err)
}

/// Check 4: the rules hold when replayed over what the bundle holds, and it is known what of it counts.
pub(super) fn counted(bundle: &Bundle, events: Vec<VerifiedEvent>) -> Result<History, Failure> {
    let mut history = replayed(bundle, events)?;
    let survivals = survivals::verified(bundle, &history)?;
    history.count(&bundle.network, &survivals);
    Ok(history)
}

/// The rules hold when replayed.
fn replayed(bundle: &Bundle, events: Vec<VerifiedEvent>) -> Result<History, Failure> {
    let mut history = History::default();
    for event in events {
        let id = event.id();
        let Ok(replayed) = replay(&bundle.network, &event, &history);
        let judgement = match replayed {
            Replay::Stands(judgement) => judgement,
            Replay::Missing(missing) => {
                let detail = format!("the event rests on {missing}, which does not stand before it in the bundle");
                return Err(Failure::of_event(Reason::MissingAncestor, id, detail));
            }
            Replay::Unsupported(what) => {
                let detail = format!("this program has no rules for {what}; upgrade it");
                return Err(Failure::of_event(Reason::Unsupported, id, detail));
            }
            Replay::Broken(rule) => return Err(Failure::of_event(Reason::Rule(rule), id, rule.to_string())),
        };
        if history.lookups() > MAX_LOOKUPS {
            let detail = "its events rest on each other in more ways than any node admits; this would take too long";
            return Err(Failure::of_event(Reason::TooComplex, id, detail));
        }
        history.add(Arc::new(Judged { event: event.into_signed(), judgement }));
    }
    Ok(history)
}
