//! The rules once more, over what counts: which touches of an admitted event keep them still.

use super::ancestry::{Counted, CountedTouch};
use super::authority::{Authority, Signer};
use super::{Ancestry, Case, Judged, Outcome, Rule, Stop, acting, basis, lanes, of_kind};
use crate::id::EventId;
use crate::network::Network;
use std::collections::BTreeSet;

/// Most predecessors of one touch: four times what a touch can name. Of more, the lowest ids are taken, so that a
/// flood of events that do not count costs nothing.
const MAX_PREDECESSORS: usize = 64;

/// Looks again at an admitted event. `live` tells whether its key lives, `overruled` which touches a decision
/// overrules; `ancestry` knows what counts of the events on which it rests.
pub(crate) fn count_by_rules<A: Ancestry>(
    network: &Network,
    judged: &Judged,
    live: bool,
    overruled: impl Fn(usize) -> bool,
    ancestry: &A,
) -> Result<Counted, A::Error> {
    let count = judged.event.payload().touches.len();
    let mut predecessors = Vec::with_capacity(count);
    for touch in 0..count {
        predecessors.push(counting_predecessors(judged, touch, ancestry)?);
    }
    let outcome =
        if live { outcome(network, judged, &predecessors, overruled, ancestry) } else { Err(Rule::Signer.into()) };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Stop::Rule(rule)) => vec![Err(rule); count],
        Err(Stop::Read(error)) => return Err(error),
    };
    let touches = predecessors.into_iter().zip(outcome).map(|(predecessors, done)| {
        let counts = done.is_ok();
        let (effect, lot) = done.ok().flatten().unzip();
        CountedTouch { counts, predecessors, effect, lot }
    });
    Ok(Counted { touches: touches.collect() })
}

fn outcome<A: Ancestry>(
    network: &Network,
    judged: &Judged,
    predecessors: &[Vec<EventId>],
    overruled: impl Fn(usize) -> bool,
    ancestry: &A,
) -> Result<Outcome, Stop<A::Error>> {
    let (event, judgement) = (&judged.event, &judged.judgement);
    let payload = event.payload();
    let basis = basis(payload, network.id().as_event(), ancestry).map_err(Stop::Read)?;
    let signer = Signer { actor: judgement.actor, key_event: judgement.key_event };
    let authority = Authority::of(network, event, &basis, &signer)?;
    let acting = acting(payload, &authority, &basis)?;
    let mut before = Vec::with_capacity(payload.touches.len());
    for (index, touch) in payload.touches.iter().enumerate() {
        let bare = predecessors[index].is_empty() && !touch.prev.is_empty() && touch.lane.is_of_custody();
        // Where a lane may begin was settled when the event was admitted; what does not count can make it begin again.
        let beginning = network.id().as_event();
        let events: Vec<EventId> = predecessors[index].iter().copied().filter(|id| *id != beginning).collect();
        before.push(if bare {
            Err(Rule::Prev)
        } else if overruled(index) {
            Err(Rule::Conflict)
        } else {
            lanes::before(event, index, &events, ancestry, &authority).map_err(Stop::Read)?.before
        });
    }
    // What is no lot has only its lane, and needs it.
    if let Some(rule) = before
        .iter()
        .zip(&judgement.lines)
        .find_map(|(before, line)| before.as_ref().err().filter(|_| line.lot.is_none()).copied())
    {
        return Err(rule.into());
    }
    let case = Case { event, authority: &authority, acting, basis: &basis, before: &before, admitted: Some(judgement) };
    of_kind(network, &case, ancestry)
}

/// What a touch extends among the events that count in its lane: its prev, each that does not count replaced by what
/// it extends itself.
fn counting_predecessors<A: Ancestry>(judged: &Judged, touch: usize, ancestry: &A) -> Result<Vec<EventId>, A::Error> {
    let (event, touched) = (&judged.event, &judged.event.payload().touches[touch]);
    let Some(subject) = event.subject(touch) else { return Ok(Vec::new()) };
    let mut predecessors = BTreeSet::new();
    for prev in &touched.prev {
        match ancestry.seen(prev)? {
            Some(seen) => match seen.lane_index(&subject, touched.lane) {
                Some(at) if seen.counts(at) => {
                    predecessors.insert(*prev);
                }
                Some(at) => predecessors.extend(seen.predecessors(at)),
                None => {}
            },
            // The network id, with which the lanes of founders begin.
            None => {
                predecessors.insert(*prev);
            }
        }
    }
    Ok(predecessors.into_iter().take(MAX_PREDECESSORS).collect())
}
