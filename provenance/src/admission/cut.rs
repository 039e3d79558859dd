//! Rules of cuts: the declared end of a key's journal.

use super::{Ancestry, Judged, Rule, Stop, given_key};
use crate::body::{Body, Cut};
use crate::event::VerifiedEvent;
use crate::id::{EventId, PublicKey, SubjectId};
use crate::merkle::{Hash, empty_root};
use crate::network::Network;
use crate::payload::Payload;
use std::sync::Arc;

/// Most cuts of one event: as many keys as an actor has devices.
const MAX_CUTS: usize = 16;

/// Most later events that stand: some hours of work between a theft and its discovery.
const MAX_STANDING: usize = 64;

/// Whether a cut is one of any journal, as far as it can be told without looking into that.
pub(super) fn has_form(cut: &Cut) -> bool {
    let ascending = cut.stands.windows(2).all(|pair| pair[0] < pair[1]);
    ascending && cut.stands.len() <= MAX_STANDING && (cut.count == 0) == (cut.last == cut.key_event)
}

/// The cuts of keys of this actor, as far as it can be told without looking into the journals.
pub(super) fn of_actor<A: Ancestry>(cuts: &[Cut], actor: &SubjectId, ancestry: &A) -> Result<(), Stop<A::Error>> {
    let ascending = cuts.windows(2).all(|pair| pair[0].key_event < pair[1].key_event);
    if !(1..=MAX_CUTS).contains(&cuts.len()) || !ascending || !cuts.iter().all(has_form) {
        return Err(Rule::Cut.into());
    }
    for cut in cuts {
        let key_event = ancestry.judged(&cut.key_event).map_err(Stop::Read)?;
        let given = key_event.and_then(|key_event| given_key(&key_event.event));
        if given.is_none_or(|(_, owner)| owner != *actor) {
            return Err(Rule::Cut.into());
        }
    }
    Ok(())
}

/// Compares the cuts of an event with the journals that they cut; `height` is the event's place in its own.
pub(super) fn check_journals<A: Ancestry>(
    network: &Network,
    event: &VerifiedEvent,
    height: u64,
    ancestry: &A,
) -> Result<(), Stop<A::Error>> {
    match &event.payload().body {
        Body::ActorKeyRotated(body) => {
            let last = (height > 1).then_some(event.payload().journal);
            let root = journal_root(last.as_ref(), ancestry).map_err(Stop::Read)?;
            if body.journal.count == height - 1 && body.journal.root == root { Ok(()) } else { Err(Rule::Cut.into()) }
        }
        Body::ActorKeyReplaced(body) => check_all(&body.cuts, ancestry),
        Body::ActorRevoked(body) => check_all(&body.cuts, ancestry),
        Body::NetworkAmended(body) => match &body.change.leaves {
            Some(leaves) => {
                let key = usize::try_from(leaves.index).ok().and_then(|index| network.founders().get(index));
                check(&leaves.cut, key.ok_or(Rule::Founder)?, ancestry)
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_all<A: Ancestry>(cuts: &[Cut], ancestry: &A) -> Result<(), Stop<A::Error>> {
    for cut in cuts {
        let key_event = ancestry.judged(&cut.key_event).map_err(Stop::Read)?.ok_or(Rule::Cut)?;
        let (key, _) = given_key(&key_event.event).ok_or(Rule::Cut)?;
        check(cut, &key, ancestry)?;
    }
    Ok(())
}

/// Compares one cut with the journal of `key`.
fn check<A: Ancestry>(cut: &Cut, key: &PublicKey, ancestry: &A) -> Result<(), Stop<A::Error>> {
    let of_journal = |judged: &Arc<Judged>| {
        let judgement = &judged.judgement;
        judged.event.key() == *key && judgement.key_event == cut.key_event && judgement.journal_height > 0
    };
    for id in &cut.stands {
        if !ancestry.judged(id).map_err(Stop::Read)?.as_ref().is_some_and(of_journal) {
            return Err(Rule::Cut.into());
        }
    }
    let last = (cut.count > 0).then_some(cut.last);
    if let Some(last) = &last {
        let judged = ancestry.judged(last).map_err(Stop::Read)?.filter(of_journal).ok_or(Rule::Cut)?;
        if judged.judgement.journal_height != cut.count {
            return Err(Rule::Cut.into());
        }
    }
    let root = journal_root(last.as_ref(), ancestry).map_err(Stop::Read)?;
    if root == cut.root { Ok(()) } else { Err(Rule::Cut.into()) }
}

fn journal_root<A: Ancestry>(last: Option<&EventId>, ancestry: &A) -> Result<Hash, A::Error> {
    match last {
        Some(last) => ancestry.journal_root(last),
        None => Ok(empty_root()),
    }
}

/// A journal never returns to an older amendment: the newest that this event, or one before it in its journal, had in
/// its basis. Nothing before the first.
pub(super) fn amendment<A: Ancestry>(
    payload: &Payload,
    before: Option<EventId>,
    ancestry: &A,
) -> Result<Option<EventId>, Stop<A::Error>> {
    let mut named = None;
    for id in &payload.basis {
        if let Some(judged) = ancestry.judged(id).map_err(Stop::Read)?
            && matches!(judged.event.payload().body, Body::NetworkAmended(_))
        {
            named = Some(*id);
        }
    }
    let Some(before) = before else { return Ok(named) };
    let (mut open, mut looked_at) = (Vec::from_iter(named), std::collections::HashSet::new());
    while let Some(id) = open.pop() {
        if id == before {
            return Ok(named);
        }
        if looked_at.insert(id)
            && let Some(judged) = ancestry.judged(&id).map_err(Stop::Read)?
            && let Body::NetworkAmended(body) = &judged.event.payload().body
        {
            open.extend_from_slice(&body.follows);
        }
    }
    Err(Rule::AmendmentOrder.into())
}
