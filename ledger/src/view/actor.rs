//! The view of an actor: who it is, what it may do, and by whom it was brought in.

use super::facet::{ActorsBy, Facet};
use super::history;
use crate::keys::{self, ActorKey, KeyState};
use crate::reader::Reader;
use minicbor::{Decode, Encode};
use provenance::body::{Body, Custody, NodeDetails, Role};
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use provenance::value::{Gln, Gs1Prefix, Text, Timestamp};
use store::{Cbor, Column, Range, StoreError, Table};

/// An actor as all events that count together show it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct ActorRow {
    /// The actor.
    #[n(0)]
    pub id: SubjectId,
    /// The event that enrolled it; none for founders, who stand in the network's definition.
    #[n(1)]
    pub enrolment: Option<EventId>,
    /// Who enrolled it; none for founders.
    #[n(2)]
    pub enroller: Option<SubjectId>,
    /// When it was enrolled; none for founders.
    #[n(3)]
    pub enrolled: Option<Timestamp>,
    /// Its newest live key; where none lives, the last one.
    #[n(4)]
    pub key: PublicKey,
    /// Who holds the secret half of that key.
    #[n(5)]
    pub custody: Custody,
    /// What it may do.
    #[n(6)]
    pub roles: Vec<Role>,
    /// Which roles it may give.
    #[n(7)]
    pub may_give: Vec<Role>,
    /// Under what name the public knows it; founders are numbered until they give themselves a name.
    #[n(8)]
    pub display_name: Text<128>,
    /// Its Global Location Number.
    #[n(9)]
    pub gln: Option<Gln>,
    /// Its GS1 company prefixes.
    #[n(10)]
    pub gs1_prefixes: Vec<Gs1Prefix>,
    /// For a node: its log key, peer id and anchoring.
    #[n(11)]
    pub node: Option<NodeDetails>,
    /// The latest time at which something was signed about it; none for founders of whom nothing was.
    #[n(12)]
    pub updated: Option<Timestamp>,
    /// The events that the next event on its main lane extends; the network id for founders of
    /// whom nothing was signed yet. Ascending.
    #[n(13)]
    pub tips: Vec<EventId>,
    /// All keys that were given to it, the oldest first, with how they stand.
    #[n(14)]
    pub keys: Vec<ActorKey>,
    /// What a device travels with, the oldest attachment first; nothing for others.
    #[n(15)]
    pub attachments: Vec<Attachment>,
}

/// What a device travels with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize)]
#[cbor(array)]
pub struct Attachment {
    /// The event that tells so.
    #[n(0)]
    pub event: EventId,
    /// What it travels with.
    #[n(1)]
    pub to: SubjectId,
    /// Since when.
    #[n(2)]
    pub from: Timestamp,
    /// Until when; none as long as it does.
    #[n(3)]
    pub until: Option<Timestamp>,
}

/// [`Column::Actors`].
#[derive(Debug)]
pub(crate) struct Actors;

impl Table for Actors {
    const COLUMN: Column = Column::Actors;
    type Key = SubjectId;
    type Value = ActorRow;
    type Encoding = Cbor;
}

impl ActorRow {
    /// Whether it is a founder of the network.
    pub fn is_founder(&self) -> bool {
        self.enrolment.is_none()
    }

    /// Every list in which the row stands.
    pub(crate) fn facets(&self) -> Vec<Facet> {
        let mut facets = vec![Facet::All()];
        facets.extend(self.keys.iter().map(|key| Facet::Key(key.key)));
        facets.extend(self.enroller.map(Facet::Enroller));
        facets.extend(self.node.as_ref().map(|node| Facet::LogKey(node.log_key)));
        facets.extend(self.roles.iter().map(|role| Facet::role(*role)));
        facets
    }

    /// Founders come first in time.
    pub(crate) fn list_time(&self) -> u64 {
        self.enrolled.map_or(0, |time| time.ms())
    }

    /// The row of an actor, from all events that count; nothing if there is no such actor.
    pub fn read(reader: &Reader, network: &Network, actor: &SubjectId) -> Result<Option<Self>, StoreError> {
        let row = match founder(network, actor) {
            Some(row) => Some(row),
            None => enrolled(reader, actor)?,
        };
        let Some(mut row) = row else { return Ok(None) };
        for entry in history::of_subject(reader, actor)?.iter().filter(|entry| entry.lane == Lane::Main && entry.counts)
        {
            let time = entry.stored.judged.event.payload().time;
            row.updated = row.updated.max(Some(time));
            match entry.body() {
                Body::ActorUpdated(body) => {
                    let body = body.clone();
                    row.display_name = body.display_name.unwrap_or(row.display_name);
                    row.gln = body.gln.or(row.gln);
                    row.gs1_prefixes = body.gs1_prefixes.unwrap_or(row.gs1_prefixes);
                    row.node = body.node.or(row.node);
                }
                Body::DeviceAttached(body) => {
                    let (event, to) = (entry.id(), body.to);
                    row.attachments.push(Attachment { event, to, from: body.from, until: body.until });
                }
                Body::DeviceDetached(body) => {
                    let open = |attached: &&mut Attachment| attached.to == body.from && attached.until.is_none();
                    if let Some(attached) = row.attachments.iter_mut().rev().find(open) {
                        attached.until = Some(body.at);
                    }
                }
                _ => {}
            }
        }
        row.keys = keys::of_actor(reader, network, actor)?;
        let newest = row.keys.iter().rev().find(|key| key.state == KeyState::Live).or(row.keys.last());
        if let Some(ActorKey { key, custody, .. }) = newest {
            (row.key, row.custody) = (*key, *custody);
        }
        let tips = reader.counted_tips(actor, Lane::Main)?;
        if !tips.is_empty() {
            row.tips = tips.into_iter().collect();
        }
        Ok(Some(row))
    }
}

/// The node whose log has this key, as the view of actors shows it.
pub(crate) fn node_of_log(reader: &Reader, log: &PublicKey) -> Result<Option<SubjectId>, StoreError> {
    let mut actors = reader.store().scan::<ActorsBy>(Range::prefix(&Facet::LogKey(*log)));
    Ok(actors.next().transpose()?.map(|((_, _, actor), ())| actor))
}

/// The actor ids of a network's founders.
pub(crate) fn founders(network: &Network) -> impl Iterator<Item = SubjectId> {
    let id = network.id();
    (0..).zip(network.founders()).map(move |(index, _)| id.founder(index))
}

/// A founder as the network's definition shows it.
fn founder(network: &Network, actor: &SubjectId) -> Option<ActorRow> {
    let index = founders(network).position(|founder| founder == *actor)?;
    let name = format!("Founder {} of {}", index + 1, network.name());
    Some(ActorRow {
        id: *actor,
        enrolment: None,
        enroller: None,
        enrolled: None,
        key: network.founders()[index],
        custody: Custody::Own,
        roles: Role::ALL.to_vec(),
        may_give: Role::ALL.to_vec(),
        display_name: Text::new(name).expect("a network's name has at most 64 printable bytes"),
        gln: None,
        gs1_prefixes: Vec::new(),
        node: None,
        updated: None,
        tips: vec![network.id().as_event()],
        keys: Vec::new(),
        attachments: Vec::new(),
    })
}

fn enrolled(reader: &Reader, actor: &SubjectId) -> Result<Option<ActorRow>, StoreError> {
    let Some((event, _)) = reader.origin(actor)? else { return Ok(None) };
    let Some(stored) = reader.stored(&event)? else { return Ok(None) };
    if !reader.creates(&event, actor)? {
        return Ok(None);
    }
    let Body::ActorEnrolled(body) = stored.judged.event.payload().body.clone() else { return Ok(None) };
    let time = stored.judged.event.payload().time;
    Ok(Some(ActorRow {
        id: *actor,
        enrolment: Some(event),
        enroller: Some(stored.judged.judgement.acting),
        enrolled: Some(time),
        key: body.key,
        custody: body.custody,
        roles: body.roles,
        may_give: body.may_give,
        display_name: body.display_name,
        gln: body.gln,
        gs1_prefixes: body.gs1_prefixes.unwrap_or_default(),
        node: body.node,
        updated: Some(time),
        tips: vec![event],
        keys: Vec::new(),
        attachments: Vec::new(),
    }))
}
