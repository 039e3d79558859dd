//! Events that peers pass on: judged before they are passed on further.

use super::Shared;
use ledger::{Origin, Outcome};
use p2p::{GossipId, GossipVerdict, PeerId};
use provenance::id::EventId;

/// Submits the events of one message and tells the network what becomes of it.
pub(super) async fn take(shared: &Shared, id: GossipId, from: PeerId, events: Vec<Vec<u8>>) {
    shared.received.note(events.iter().map(|bytes| EventId::of(bytes)));
    let Ok(outcomes) = shared.ledger.submit(events, Origin::Peer(from.to_string())).await else { return };
    for outcome in &outcomes {
        match outcome {
            Outcome::Rejected(refusal) => {
                tracing::warn!(peer = %from, reason = %refusal, "a peer passed on what is no event of this network");
            }
            Outcome::Void { id, .. } | Outcome::Known { id, index: None } => {
                tracing::warn!(peer = %from, event = %id, "a peer passed on a void event");
            }
            _ => {}
        }
    }
    if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Held { .. })) {
        // What it rests on stands in the peer's log.
        shared.wake(&from);
    }
    // Once the network has ended, nobody needs the verdict.
    let _ = shared.network.validated(id, verdict(&outcomes)).await;
}

/// Only a message whose every event is good, and some of it new, is passed on. All nodes judge an event alike, so none
/// that is honest has passed on a void one.
fn verdict(outcomes: &[Outcome]) -> GossipVerdict {
    let is_void = |outcome: &Outcome| matches!(outcome, Outcome::Void { .. } | Outcome::Known { index: None, .. });
    if outcomes.iter().any(|outcome| is_void(outcome) || matches!(outcome, Outcome::Rejected(_))) {
        return GossipVerdict::Reject;
    }
    let in_log = |outcome: &Outcome| outcome.index().is_some();
    let is_new = |outcome: &Outcome| matches!(outcome, Outcome::Admitted { .. });
    if outcomes.iter().all(in_log) && outcomes.iter().any(is_new) {
        GossipVerdict::Accept
    } else {
        GossipVerdict::Ignore
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Refusal;
    use provenance::admission::{Hold, Reject, Rule};
    use provenance::id::NetworkId;

    const ID: EventId = EventId::from_bytes([1; 32]);

    fn rejected() -> Outcome {
        let (found, expected) = (NetworkId::from_bytes([1; 32]), NetworkId::from_bytes([2; 32]));
        Outcome::Rejected(Refusal::Network(Reject::Network { found, expected }))
    }

    #[test]
    fn only_good_news_are_passed_on_and_only_invalid_events_are_blamed() {
        let admitted = || Outcome::Admitted { id: ID, index: 1 };
        let known = || Outcome::Known { id: ID, index: Some(1) };
        let held = || Outcome::Held { id: ID, hold: Hold::Missing(vec![ID]), kept: true };
        let void = || Outcome::Void { id: ID, rule: Rule::Prev };
        assert_eq!(verdict(&[admitted(), known()]), GossipVerdict::Accept);
        assert_eq!(verdict(&[known()]), GossipVerdict::Ignore);
        assert_eq!(verdict(&[admitted(), held()]), GossipVerdict::Ignore);
        assert_eq!(verdict(&[admitted(), void()]), GossipVerdict::Reject);
        assert_eq!(verdict(&[admitted(), rejected()]), GossipVerdict::Reject);
        let void_link = Outcome::Known { id: ID, index: None };
        assert_eq!(verdict(&[admitted(), void_link]), GossipVerdict::Reject);
    }
}
