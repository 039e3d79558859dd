//! The keys of an actor: which events gave them, how each stands, and which amendments are in force.
//!
//! Which keys live, and where journals end, is found by counting (docs/rules.md, section 9.2); here it is told of one
//! actor.

use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::admission::{Ancestry, Judged, given_key};
use provenance::body::{Body, Custody};
use provenance::counting::{CutInForce, Deciding, Settlement, Survivors};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use provenance::value::{Text, Timestamp};
use std::cmp::Reverse;
use std::sync::Arc;
use store::StoreError;

/// How a key stands. What ended it later in this list goes before what ended it earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// What it signs counts.
    #[n(0)]
    Live,
    /// The event that gave it does not count.
    #[n(1)]
    Disowned,
    /// Its owner went on with another key.
    #[n(2)]
    Rotated,
    /// Somebody above its owner put another key in its place.
    #[n(3)]
    Replaced,
    /// Somebody above its owner ended it, with all keys that the owner had.
    #[n(4)]
    Revoked,
    /// It was a founder's, who has left the network.
    #[n(5)]
    Left,
}

/// A key of an actor.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct ActorKey {
    /// The public key.
    #[n(0)]
    pub key: PublicKey,
    /// The event that gave it; the network id for founders.
    #[n(1)]
    pub event: EventId,
    /// Who holds its secret half.
    #[n(2)]
    pub custody: Custody,
    /// What it is called, such as the name of a device.
    #[n(3)]
    pub name: Option<Text<128>>,
    /// When it was given; none for founders.
    #[n(4)]
    pub given: Option<Timestamp>,
    /// How it stands.
    #[n(5)]
    pub state: KeyState,
    /// The event that ended it.
    #[n(6)]
    pub ended_by: Option<EventId>,
    /// When that was signed.
    #[n(7)]
    pub ended: Option<Timestamp>,
    /// How many of its events count, where it has an end or the event that gave it does not count; later ones that stand nevertheless are not among them.
    #[n(8)]
    pub counted_events: Option<u64>,
}

/// The actor and all who stand above it in the tree of enrolments, the nearest first.
pub(crate) fn line(reader: &Reader, actor: &SubjectId) -> Result<Vec<SubjectId>, StoreError> {
    let mut line = vec![*actor];
    while let Some(enrolment) = enrolment(reader, &line[line.len() - 1])? {
        line.push(enrolment.judgement.actor);
    }
    Ok(line)
}

/// The event that enrolled an actor; nothing for founders and for what is no actor.
pub(crate) fn enrolment(reader: &Reader, actor: &SubjectId) -> Result<Option<Arc<Judged>>, StoreError> {
    let Some((event, _)) = reader.origin(actor)? else { return Ok(None) };
    let judged = reader.judged(&event)?;
    Ok(judged.filter(|judged| matches!(judged.event.payload().body, Body::ActorEnrolled(_))))
}

/// Which amendments are in force and which keys live, of what was counted so far.
pub(crate) fn settlement(reader: &Reader, network: &Network) -> Arc<Settlement> {
    reader.settlement().unwrap_or_else(|| {
        // Before the first entry was counted there is the network's definition and nothing else.
        let Ok(settlement) = Settlement::of(network, &Deciding::default(), &Survivors::default());
        Arc::new(settlement)
    })
}

/// All keys that were given to an actor, the oldest first; none where there is no such actor.
pub(crate) fn of_actor(reader: &Reader, network: &Network, actor: &SubjectId) -> Result<Vec<ActorKey>, StoreError> {
    let settlement = settlement(reader, network);
    let founders = (0..).zip(network.founders());
    let mut founder = founders.filter(|(index, _)| network.id().founder(*index) == *actor);
    if let Some((_, key)) = founder.next() {
        let event = network.id().as_event();
        return Ok(vec![key_of(reader, &settlement, *key, event, (Custody::Own, None), None)?]);
    }
    let mut keys = Vec::new();
    for id in reader.lane_events(actor, Lane::Main)? {
        let Some(judged) = reader.judged(&id)? else { continue };
        let Some((key, _)) = given_key(&judged.event) else { continue };
        let payload = judged.event.payload();
        let held = match &payload.body {
            Body::ActorEnrolled(body) => (body.custody, None),
            Body::ActorKeyAdded(body) => (body.custody, body.name.clone()),
            Body::ActorKeyRotated(body) => (body.custody, None),
            Body::ActorKeyReplaced(body) => (body.custody, None),
            _ => continue,
        };
        keys.push(key_of(reader, &settlement, key, id, held, Some(payload.time))?);
    }
    Ok(keys)
}

fn key_of(
    reader: &Reader,
    settlement: &Settlement,
    key: PublicKey,
    event: EventId,
    (custody, name): (Custody, Option<Text<128>>),
    given: Option<Timestamp>,
) -> Result<ActorKey, StoreError> {
    let mut found = ActorKey {
        key,
        event,
        custody,
        name,
        given,
        state: KeyState::Live,
        ended_by: None,
        ended: None,
        counted_events: None,
    };
    let is_disowned = given.is_some() && !reader.counts(&event)?;
    if is_disowned {
        found.state = KeyState::Disowned;
    }
    let cuts = settlement.keys().cuts().get(&(event, key)).map(Vec::as_slice).unwrap_or_default();
    let mut ends = Vec::with_capacity(cuts.len());
    for CutInForce { cutter, cut, .. } in cuts {
        let Some(judged) = reader.judged(cutter)? else { continue };
        let state = match &judged.event.payload().body {
            Body::ActorKeyRotated(_) => KeyState::Rotated,
            Body::ActorKeyReplaced(_) => KeyState::Replaced,
            Body::ActorRevoked(_) => KeyState::Revoked,
            _ => KeyState::Left,
        };
        ends.push((state, Reverse(*cutter), judged.event.payload().time, cut.count));
    }
    found.counted_events = if is_disowned { Some(0) } else { ends.iter().map(|(.., count)| *count).min() };
    if let Some((state, Reverse(cutter), time, _)) = ends.into_iter().max() {
        (found.state, found.ended_by, found.ended) = (state, Some(cutter), Some(time));
    }
    Ok(found)
}
