//! The network as its amendments leave it. There are few of them, so this is read when it is asked for.

use crate::keys;
use crate::reader::Reader;
use provenance::admission::Ancestry;
use provenance::body::{Body, Change, Contract, Parameters};
use provenance::cbor::Any;
use provenance::id::{EventId, SubjectId};
use provenance::network::Network;
use provenance::payload::Lane;
use provenance::value::{Text, Timestamp};
use std::collections::BTreeMap;
use store::StoreError;

/// The parameter by which founders let anyone read, where it is true.
const OPEN_READING: &str = "open_reading";

/// How an amendment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentState {
    /// Not enough founders have approved it, or what it follows is not in force.
    Proposed,
    /// It is in force.
    InForce,
    /// It has a majority, and so has another one: neither is in force until one follows both.
    Rival,
    /// Another one went into force in its place.
    Passed,
}

/// A change of the network.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AmendmentRow {
    /// The event that proposes it.
    pub id: EventId,
    /// The founder who does.
    pub proposer: SubjectId,
    /// When that was signed.
    pub proposed: Timestamp,
    /// How it stands.
    pub state: AmendmentState,
    /// The network id, or the amendments that it follows.
    pub follows: Vec<EventId>,
    /// What changes.
    pub change: Change,
    /// Why.
    pub reason: Option<Text<512>>,
    /// Which founders approve it, the proposer among them, and by which event.
    pub approvals: BTreeMap<SubjectId, EventId>,
}

/// The network as it is now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NetworkRow {
    /// The founders that have a vote.
    pub voting: Vec<SubjectId>,
    /// The contracts to which nodes may anchor, where an amendment says so.
    pub contracts: Option<Vec<Contract>>,
    /// The parameters that amendments set.
    pub parameters: BTreeMap<String, Any>,
    /// The version of the rules.
    pub rules: u64,
    /// The amendments in force, the oldest first.
    pub in_force: Vec<EventId>,
    /// All amendments, in the order of the network's history.
    pub amendments: Vec<AmendmentRow>,
}

impl NetworkRow {
    /// The network, from all admitted events.
    pub(crate) fn of(reader: &Reader, network: &Network) -> Result<Self, StoreError> {
        let settlement = keys::settlement(reader, network);
        let in_force = settlement.in_force();
        let mut row = Self {
            voting: in_force.founders.iter().copied().collect(),
            contracts: None,
            parameters: BTreeMap::new(),
            rules: 1,
            in_force: in_force.amendments.clone(),
            amendments: Vec::new(),
        };
        let mut approvals = Vec::new();
        for id in reader.lane_events(&network.id().subject(), Lane::Main)? {
            let Some(judged) = reader.judged(&id)? else { continue };
            let (payload, proposer) = (judged.event.payload(), judged.judgement.actor);
            match &payload.body {
                Body::NetworkAmended(body) => {
                    let state = if in_force.amendments.contains(&id) {
                        AmendmentState::InForce
                    } else if in_force.rivals.contains(&id) {
                        AmendmentState::Rival
                    } else {
                        AmendmentState::Proposed
                    };
                    row.amendments.push(AmendmentRow {
                        id,
                        proposer,
                        proposed: payload.time,
                        state,
                        follows: body.follows.clone(),
                        change: body.change.clone(),
                        reason: body.reason.clone(),
                        approvals: BTreeMap::from([(proposer, id)]),
                    });
                }
                Body::NetworkApproved(body) => approvals.push((body.amendment, proposer, id)),
                _ => {}
            }
        }
        for (amendment, founder, event) in approvals {
            if let Some(amended) = row.amendments.iter_mut().find(|row| row.id == amendment) {
                amended.approvals.entry(founder).or_insert(event);
            }
        }
        row.apply();
        Ok(row)
    }

    /// Whether the founders agreed that anyone may read: ask any node for its log, events and anchors.
    pub fn open_reading(&self) -> bool {
        self.parameters.get(OPEN_READING) == Some(&Any::Bool(true))
    }

    /// What the amendments in force change, one after the other.
    fn apply(&mut self) {
        let mut followed = Vec::new();
        for id in &self.in_force {
            let Some(amended) = self.amendments.iter().find(|row| row.id == *id) else { continue };
            followed.push(amended.follows.clone());
            let change = &amended.change;
            self.contracts = change.contracts.clone().or(self.contracts.take());
            self.rules = change.rules.unwrap_or(self.rules);
            for (name, value) in change.parameters.iter().flat_map(Parameters::iter) {
                self.parameters.remove(name);
                if *value != Any::Null {
                    self.parameters.insert(name.to_owned(), value.clone());
                }
            }
        }
        for amended in &mut self.amendments {
            if amended.state == AmendmentState::Proposed && followed.contains(&amended.follows) {
                amended.state = AmendmentState::Passed;
            }
        }
    }
}
