//! The fourth pass: an event is looked at again over what counts of those on which it rests.

use super::keys::Journals;
use super::settlement::Settlement;
use crate::admission::{Ancestry, Counted, Judged, count_by_rules};
use crate::network::Network;
use std::sync::Arc;

/// What counts of an event; nothing where all of it counts as it was admitted.
///
/// `ancestry` knows the same of all on which the event rests.
pub fn recount<A: Ancestry, J: Journals<Error = A::Error>>(
    network: &Network,
    settlement: &Settlement,
    journals: &J,
    judged: &Arc<Judged>,
    ancestry: &A,
) -> Result<Option<Counted>, A::Error> {
    let live = settlement.keys().is_live(judged, journals)?;
    if live && !any_overruled(settlement, judged) && all_count(judged, ancestry)? {
        return Ok(None);
    }
    let overruled = |touch: usize| is_overruled(settlement, judged, touch);
    let counted = count_by_rules(network, judged, live, overruled, ancestry)?;
    Ok(Some(counted).filter(|counted| !is_as_admitted(counted, judged)))
}

/// Whether all on which an event rests counts as it was admitted: then so do its rules.
fn all_count<A: Ancestry>(judged: &Judged, ancestry: &A) -> Result<bool, A::Error> {
    for id in judged.event.payload().rests_on() {
        if ancestry.counted(&id)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any_overruled(settlement: &Settlement, judged: &Judged) -> bool {
    (0..judged.event.payload().touches.len()).any(|touch| is_overruled(settlement, judged, touch))
}

fn is_overruled(settlement: &Settlement, judged: &Judged, touch: usize) -> bool {
    let lane = judged.event.payload().touches[touch].lane;
    judged.event.subject(touch).is_some_and(|subject| settlement.is_overruled(&subject, lane, &judged.event.id()))
}

fn is_as_admitted(counted: &Counted, judged: &Judged) -> bool {
    let touches = counted.touches.iter().zip(&judged.event.payload().touches).zip(&judged.judgement.lines);
    touches.into_iter().all(|((counted, touch), line)| {
        counted.counts && counted.predecessors == touch.prev && counted.effect == line.effect && counted.lot == line.lot
    })
}
