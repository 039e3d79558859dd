//! Checks 3 and 4: every event is well signed, and keeps the rules.

use super::report::{Failure, MATHEMATICS, Passed};
use crate::admission::ReplayError;
use crate::bundle::Entry;
use crate::event::{SignedEvent, VerifiedEvent};
use crate::history::History;
use crate::id::EventId;
use crate::network::Network;
use crate::signature::Verifier;
use std::collections::BTreeSet;

pub(super) fn signatures(entries: &[Entry], network: &Network) -> Result<Passed<Vec<VerifiedEvent>>, Failure> {
    let mut decoded = Vec::with_capacity(entries.len());
    let mut malformed = None;
    for entry in entries {
        match SignedEvent::decode(entry.event.clone()) {
            Ok(event) => decoded.push(event),
            Err(error) => {
                malformed = Some(Failure::new("bad_event", error).of_event(EventId::of(&entry.event)));
                break;
            }
        }
    }
    // Batches are many times faster; what comes before the first bad event is looked at all the same.
    let ids: Vec<_> = decoded.iter().map(SignedEvent::id).collect();
    let mut events = Vec::with_capacity(decoded.len());
    let mut seen = BTreeSet::new();
    for (id, verified) in ids.into_iter().zip(Verifier::new().verify_all(decoded)) {
        let event = verified.map_err(|error| Failure::new("bad_event", error).of_event(id))?;
        let found = event.payload().network;
        if found != network.id() {
            let detail = format!("the event belongs to network {found}");
            return Err(Failure::new("event_of_other_network", detail).of_event(id));
        }
        if !seen.insert(id) {
            return Err(Failure::new("repeated_event", "the event stands in the bundle twice").of_event(id));
        }
        events.push(event);
    }
    if let Some(failure) = malformed {
        return Err(failure);
    }
    let signers: BTreeSet<_> = events.iter().map(|event| event.key()).collect();
    let proves = format!(
        "Nobody changed a word of any of the {} events since its signer signed it; {} keys signed.",
        events.len(),
        signers.len()
    );
    Ok(Passed::new(events, proves, MATHEMATICS))
}

pub(super) fn rules(events: Vec<VerifiedEvent>, network: &Network) -> Result<Passed<History>, Failure> {
    let mut history = History::default();
    for event in events {
        let id = event.id();
        history.replay(network, event).map_err(|error| {
            let reason = match &error {
                ReplayError::Missing(_) => "missing_ancestor",
                ReplayError::Unsupported(_) => "unsupported",
                ReplayError::Broken(rule) => rule.code(),
            };
            Failure::new(reason, error).of_event(id)
        })?;
    }
    let proves = format!(
        "Each of the {} events keeps the rules: its signer was enrolled and entitled, and nobody gave what it did not have.",
        history.events().len()
    );
    Ok(Passed::new(history, proves, MATHEMATICS))
}
