//! The events themselves: well-formed, signed, and by the rules.

use super::{Failure, Reason, survivals};
use crate::admission::{Judged, Replay, Rule, replay};
use crate::bundle::Bundle;
use crate::event::{SignedEvent, VerifiedEvent};
use crate::history::History;
use crate::id::{EventId, NetworkId};
use crate::network::Network;
use crate::signature::Verifier;
use std::collections::HashSet;
use std::sync::Arc;

/// Look-ups of earlier events for which replaying gives up: some seconds, and many times what the longest
/// history needs that nodes admit.
const MAX_LOOKUPS: u64 = 4_000_000;

/// Why one of the events in a file cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Malformed, or its signature does not hold.
    #[error("event {event} cannot be believed: {detail}")]
    Bad {
        /// The event.
        event: EventId,
        /// What is wrong with it.
        detail: String,
    },
    /// An event of another network.
    #[error("event {event} names the network {network}, not the one of the file")]
    OtherNetwork {
        /// The event.
        event: EventId,
        /// What it names.
        network: NetworkId,
    },
    /// An event that stands there twice.
    #[error("event {event} stands in the file twice")]
    Repeated {
        /// The event.
        event: EventId,
    },
    /// An event that rests on one that does not stand before it.
    #[error("event {event} rests on {ancestor}, which does not stand before it in the file")]
    MissingAncestor {
        /// The event.
        event: EventId,
        /// What it rests on.
        ancestor: EventId,
    },
    /// No rules for it in this program.
    #[error("this program has no rules for {what}, by which event {event} must be judged; upgrade it")]
    Unsupported {
        /// The event.
        event: EventId,
        /// Kind or version.
        what: String,
    },
    /// It breaks a rule.
    #[error("event {event} is void: {rule}")]
    Rule {
        /// The event.
        event: EventId,
        /// The rule.
        rule: Rule,
    },
    /// Replaying takes more work than any honest history does.
    #[error("the events up to {event} rest on each other in more ways than any node admits; this would take too long")]
    TooComplex {
        /// The event at which it was given up.
        event: EventId,
    },
}

impl EventError {
    /// The event.
    pub fn event(&self) -> EventId {
        match self {
            Self::Bad { event, .. }
            | Self::OtherNetwork { event, .. }
            | Self::Repeated { event }
            | Self::MissingAncestor { event, .. }
            | Self::Unsupported { event, .. }
            | Self::Rule { event, .. }
            | Self::TooComplex { event } => *event,
        }
    }

    /// The reason in a verdict.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Bad { .. } => Reason::BadEvent,
            Self::OtherNetwork { .. } => Reason::EventOfOtherNetwork,
            Self::Repeated { .. } => Reason::RepeatedEvent,
            Self::MissingAncestor { .. } => Reason::MissingAncestor,
            Self::Unsupported { .. } => Reason::Unsupported,
            Self::Rule { rule, .. } => Reason::Rule(*rule),
            Self::TooComplex { .. } => Reason::TooComplex,
        }
    }
}

impl From<EventError> for Failure {
    fn from(error: EventError) -> Self {
        Self::of_event(error.reason(), error.event(), error.to_string())
    }
}

/// Check 3: every event is well-formed and signed, belongs to the network and is there once.
pub(crate) fn verified<'a>(
    signed: impl IntoIterator<Item = &'a [u8]>,
    network: NetworkId,
) -> Result<Vec<VerifiedEvent>, EventError> {
    // What cannot be decoded ends the run, but signatures before it count first.
    let (mut decoded, mut malformed) = (Vec::new(), None);
    for bytes in signed {
        match SignedEvent::decode(bytes.to_vec()) {
            Ok(event) => decoded.push(event),
            Err(error) => {
                malformed = Some(EventError::Bad { event: EventId::of(bytes), detail: error.to_string() });
                break;
            }
        }
    }
    let ids: Vec<EventId> = decoded.iter().map(SignedEvent::id).collect();
    let (mut events, mut seen) = (Vec::with_capacity(decoded.len()), HashSet::new());
    for (event, result) in ids.into_iter().zip(Verifier::new().verify_all(decoded)) {
        let verified = result.map_err(|error| EventError::Bad { event, detail: error.to_string() })?;
        if verified.payload().network != network {
            return Err(EventError::OtherNetwork { event, network: verified.payload().network });
        }
        if !seen.insert(event) {
            return Err(EventError::Repeated { event });
        }
        events.push(verified);
    }
    malformed.map_or(Ok(events), Err)
}

/// Check 4: the rules hold when replayed over what the bundle holds, and it is known what of it counts.
pub(super) fn counted(bundle: &Bundle, events: Vec<VerifiedEvent>) -> Result<History, Failure> {
    let mut history = replayed(&bundle.network, events)?;
    let survivals = survivals::verified(bundle, &history)?;
    history.count(&bundle.network, &survivals);
    Ok(history)
}

/// The rules hold when replayed; all events count as they are admitted.
pub(crate) fn replayed(network: &Network, events: Vec<VerifiedEvent>) -> Result<History, EventError> {
    let mut history = History::default();
    for verified in events {
        let event = verified.id();
        let Ok(replayed) = replay(network, &verified, &history);
        let judgement = match replayed {
            Replay::Stands(judgement) => judgement,
            Replay::Missing(ancestor) => return Err(EventError::MissingAncestor { event, ancestor }),
            Replay::Unsupported(what) => return Err(EventError::Unsupported { event, what }),
            Replay::Broken(rule) => return Err(EventError::Rule { event, rule }),
        };
        if history.lookups() > MAX_LOOKUPS {
            return Err(EventError::TooComplex { event });
        }
        history.add(Arc::new(Judged { event: verified.into_signed(), judgement }));
    }
    Ok(history)
}
