//! What those decide who stand above others: which of conflicting events stand, and how the network changes.

use super::{Draft, Knowledge, at_tips, keys, lots, plain, text};
use crate::chance::Chance;
use crate::signer::Signer;
use ledger::view::{LotStanding, PageSize, ProduceFilter};
use provenance::admission::{Ancestry, Judged, resolver};
use provenance::body::{
    Body, Change, DisputeResolved, FounderLeaves, FoundersDecision, NetworkAmended, NetworkApproved, Parameters,
};
use provenance::cbor::Any;
use provenance::custody::Effect;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::StoreError;

/// Of a hundred decisions that are somebody else's, how many are taken nevertheless.
const PRESUMPTUOUS_PERCENT: u64 = 5;

/// Whoever may decide, and now and then somebody else, lets some of the events stand that exclude each other.
pub(super) fn decision(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    let Some((lot, branches)) = branches(known, chance)? else { return Ok(None) };
    let is_wrong = resolver(&branches, known.reader)? != Some(who.actor);
    if is_wrong && !chance.percent(PRESUMPTUOUS_PERCENT) {
        return Ok(None);
    }
    let lane = Lane::Attester(who.actor);
    let mut before = Vec::new();
    for id in known.reader.lane_events(&lot, lane)? {
        let judged = known.reader.judged(&id)?;
        before.extend(judged.filter(|it| matches!(it.event.payload().body, Body::DisputeResolved(_))).map(|_| id));
    }
    let (branches, stands) = choice(&branches, chance);
    // Of two decisions of which neither replaces the other none holds.
    let replaces = chance.one(&before).copied().filter(|_| chance.percent(60));
    let body = DisputeResolved { branches, stands, reason: text("heard both"), replaces };
    let draft = plain(at_tips(known, lot, lane)?, &[], Body::DisputeResolved(body));
    Ok(Some(Draft { is_wrong, ..draft }))
}

/// A founder proposes a change, mostly after what is in force as far as the node knows.
pub(super) fn amendment(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    if !who.is_founder() {
        return Ok(None);
    }
    let mut change = Change::default();
    match chance.index(6) {
        0 | 1 => {
            if let Some((lot, branches)) = branches(known, chance)? {
                let (branches, stands) = choice(&branches, chance);
                change.decision = Some(FoundersDecision { lot, branches, stands });
            }
        }
        2 => {
            let founders: Vec<&Signer> = known.signers.iter().filter(|signer| signer.is_founder()).collect();
            if let Some(founder) = chance.one(&founders).filter(|_| known.network.founders().len() > 1) {
                let keys = known.network.founders().iter();
                let index = keys.zip(0..).find(|(key, _)| **key == founder.public_key()).map(|(_, index)| index);
                let cut = keys::cut_of(founder, known, chance)?;
                change.leaves = index.map(|index| FounderLeaves { index, cut });
            }
        }
        _ => {}
    }
    if change == Change::default() {
        let value = Any::Integer(i128::from(chance.between(0, 100)));
        change.parameters = Some(Parameters::new([(text("fee"), value)]));
    }
    let ways = follows(&amendments(known)?, known.id().as_event());
    let newest = ways.last().filter(|_| chance.percent(70));
    let Some(follows) = newest.or_else(|| chance.one(&ways)).cloned() else { return Ok(None) };
    let body = NetworkAmended { follows, change, reason: None };
    Ok(Some(plain(at_tips(known, known.id().subject(), Lane::Main)?, &[], Body::NetworkAmended(Box::new(body)))))
}

/// A founder agrees to a change.
pub(super) fn approval(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    if !who.is_founder() {
        return Ok(None);
    }
    let proposed: Vec<EventId> = amendments(known)?.into_iter().map(|(id, _)| id).collect();
    let Some(amendment) = chance.one(&proposed).copied() else { return Ok(None) };
    let body = Body::NetworkApproved(NetworkApproved { amendment });
    Ok(Some(plain(at_tips(known, known.id().subject(), Lane::Main)?, &[], body)))
}

/// An amendment that somebody may rest on who rested on `before`.
pub(crate) fn next_amendment(
    before: Option<EventId>,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<EventId>, StoreError> {
    let all = amendments(known)?;
    let next: Vec<EventId> = all
        .into_iter()
        .filter(|(_, follows)| before.is_none_or(|before| follows.contains(&before)))
        .map(|(id, _)| id)
        .collect();
    Ok(chance.one(&next).copied())
}

/// All amendments that the node knows, with what they follow.
fn amendments(known: &Knowledge<'_>) -> Result<Vec<(EventId, Vec<EventId>)>, StoreError> {
    let mut found = Vec::new();
    for id in known.reader.lane_events(&known.id().subject(), Lane::Main)? {
        let Some(judged) = known.reader.judged(&id)? else { continue };
        if let Body::NetworkAmended(body) = &judged.event.payload().body {
            found.push((id, body.follows.clone()));
        }
    }
    Ok(found)
}

/// What an amendment can follow: the network, each other amendment, and rivals together; last what would be in force if
/// founders approved everything.
fn follows(amendments: &[(EventId, Vec<EventId>)], network: EventId) -> Vec<Vec<EventId>> {
    let mut rivals: BTreeMap<&[EventId], Vec<EventId>> = BTreeMap::new();
    for (id, follows) in amendments {
        rivals.entry(follows).or_default().push(*id);
    }
    let mut ways: Vec<Vec<EventId>> = amendments.iter().map(|(id, _)| vec![*id]).collect();
    let mut newest = vec![network];
    while let Some(next) = rivals.get_mut(newest.as_slice()) {
        next.sort_unstable();
        next.truncate(16);
        ways.push(std::mem::replace(&mut newest, next.clone()));
    }
    ways.push(newest);
    ways
}

/// A lot with some events that a decision may name: rather rivals than any.
fn branches(known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<(SubjectId, Vec<Arc<Judged>>)>, StoreError> {
    let disputed = ProduceFilter { standing: Some(LotStanding::Disputed), ..ProduceFilter::default() };
    let disputed = known.views.produces(&disputed, None, PageSize::new(12))?.rows;
    let disputed = chance.one(&disputed).cloned().filter(|_| chance.percent(80));
    let Some(lot) = disputed.map_or_else(|| lots::any(known, chance), |lot| Ok(Some(lot)))? else { return Ok(None) };
    let mut acts = Vec::new();
    for id in known.reader.lane_events(&lot.id, Lane::Main)? {
        let Some(judged) = known.reader.judged(&id)? else { continue };
        let at = judged.lane_index(&lot.id, Lane::Main);
        let effect = at.and_then(|at| judged.judgement.lines[at].effect.as_ref());
        if effect.is_some_and(|effect| !matches!(effect, Effect::Create | Effect::Tell)) {
            acts.push(judged);
        }
    }
    let Some(first) = chance.one(&acts).cloned() else { return Ok(None) };
    let prev = |judged: &Judged| {
        let at = judged.lane_index(&lot.id, Lane::Main);
        at.map(|at| judged.event.payload().touches[at].prev.clone()).unwrap_or_default()
    };
    acts.retain(|other| other.event.id() != first.event.id());
    let is_rival = |other: &&Arc<Judged>| prev(other).iter().any(|id| prev(&first).contains(id));
    let rivals: Vec<_> = acts.iter().filter(is_rival).cloned().collect();
    let mut among = if rivals.is_empty() || chance.percent(20) { acts } else { rivals };
    chance.shuffle(&mut among);
    among.truncate(1 + chance.index(3));
    if among.is_empty() {
        return Ok(None);
    }
    among.push(first);
    among.sort_unstable_by_key(|judged| judged.event.id());
    Ok(Some((lot.id, among)))
}

/// The branches by id, and some of them, fewer than all, that stand.
fn choice(branches: &[Arc<Judged>], chance: &mut Chance) -> (Vec<EventId>, Vec<EventId>) {
    let branches: Vec<EventId> = branches.iter().map(|judged| judged.event.id()).collect();
    let falls = chance.index(branches.len());
    let others = branches.iter().enumerate().filter(|(at, _)| *at != falls);
    let stands = others.filter(|_| chance.percent(70)).map(|(_, id)| *id).collect();
    (branches, stands)
}
